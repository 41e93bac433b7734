"""Row: from a filter to the first page of the log, over more than ten million entries.

Owns this row. It must not know how the others are measured. The history is the one of
the *panels* row; the question goes through the session of a face, as a key press does.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from bench.day import day
from bench.figures import Progress, Row, Setup, median, percentile
from yolotop.model import Severity
from yolotop.store.open import open_reader
from yolotop.view.log import LogQuery
from yolotop.view.session import Session
from yolotop.view.snapshot import Range

FIRST_PAGE_MS: Final = 50.0
PAGE: Final = 300
QUERIES: Final = {
    "sev": LogQuery(Severity.ERROR),
    "sev+word": LogQuery(Severity.WARNING, "timeout"),
    "sev+one": LogQuery(Severity.ERROR, 'edge-042 "timeout after"'),
    "word": LogQuery(Severity.DEBUG, "detections"),
    "two": LogQuery(Severity.INFO, "edge-007 !alive"),
    "none": LogQuery(Severity.ERROR, "nosuchword"),
    "slow": LogQuery(Severity.DEBUG, "ms>1000"),
}


def measure(setup: Setup, progress: Progress) -> Row:
    """Run it; about half a minute once the day is made."""
    history = day(setup, lambda share: progress(share * 0.7))
    found = asyncio.run(_ask(history.data_dir, setup, progress))
    scan_ms = _scan(history.data_dir)
    every = [late for times in found.values() for late in times]
    worst = max(median(times) for times in found.values())
    return Row(
        name="filter",
        what=f"log filter over {history.probes / 1e6:.1f} M entries to the first page",
        ours=f"worst median {worst:.0f} ms, P95 of all {percentile(every, 0.95):.0f}",
        peers=f"scanning for a word in SQL {scan_ms / 1000:.1f} s",
        ratio=f"{scan_ms / worst:.0f}",
        mark="≤ 50 ms",
        value=worst,
        met=worst <= FIRST_PAGE_MS,
        figures={
            **{f"{name}_ms": median(times) for name, times in found.items()},
            "p95_ms": percentile(every, 0.95),
            "scan_ms": scan_ms,
        },
    )


async def _ask(
    data_dir: Path, setup: Setup, progress: Progress
) -> dict[str, list[float]]:
    rounds = setup.pick(15, 5)
    found: dict[str, list[float]] = {name: [] for name in QUERIES}
    reader = await open_reader(data_dir)
    try:
        session = Session(reader)
        await session.glance(Range.H24)
        for number in range(rounds):
            for name, query in QUERIES.items():
                began = time.perf_counter()
                await session.log(query, limit=PAGE)
                found[name].append((time.perf_counter() - began) * 1000)
            progress(0.7 + 0.3 * number / rounds)
    finally:
        await reader.close()
    return found


def _scan(data_dir: Path) -> float:
    """What plain SQL needs to find that a word is in no line, in milliseconds."""
    with closing(sqlite3.connect(data_dir / "yolotop.db")) as db:
        began = time.perf_counter()
        db.execute(
            "SELECT count(*) FROM probe p JOIN line l ON l.id = p.line "
            "WHERE l.severity >= 30 AND l.message LIKE '%nosuchword%'"
        ).fetchone()
        return (time.perf_counter() - began) * 1000
