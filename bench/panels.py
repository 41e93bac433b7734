"""Rows on a day of history: how quickly the panels are drawn, and what a probe weighs.

The peer is what a table of raw rows would have to do for the same panels: counts,
failures and the exact nearest-rank P95 of the fleet and of every deployment, in SQL.
Cold opens run in a process each; imports are not counted, everything else is.

Owns these rows. It must not know how the others are measured.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from bench.day import Day, day
from bench.figures import Progress, Row, Setup, median, percentile
from bench.history import samples
from yolotop.store.open import open_reader, open_writer
from yolotop.view.session import Session
from yolotop.view.snapshot import Range

_COLD: Final = """
import asyncio, json, sys, time
from pathlib import Path
from yolotop.store.open import open_reader
from yolotop.view.session import Session
from yolotop.view.snapshot import Range

async def main(data_dir, now):
    begin = time.perf_counter()
    reader = await open_reader(data_dir)
    snapshot = await Session(reader, now=lambda: now).refresh(Range.H24)
    took = (time.perf_counter() - begin) * 1000
    await reader.close()
    print(json.dumps([took, snapshot.totals.requests, len(snapshot.cards)]))

asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
"""


def measure(setup: Setup, progress: Progress) -> Row:
    """Run it; about 4 minutes, most of them for the peer's table and its query."""
    history = day(setup, lambda share: progress(share * 0.4))
    cold = [_cold(history) for _ in range(setup.pick(9, 5))]
    progress(0.45)
    warm = asyncio.run(_warm(history, setup.pick(60, 20)))
    progress(0.5)
    raw_ms = _raw_sql(history, setup.work / "raw.db")
    warm_ms, cold_ms = median(warm), median(cold)
    ratio = raw_ms / warm_ms
    return Row(
        name="panels",
        what=f"24 h panels and 100 cards over {history.probes / 1e6:.1f} M probes: "
        "warm refresh; cold open",
        ours=f"{warm_ms:.1f} ms; {cold_ms:.0f} ms",
        peers=f"raw SQL {raw_ms / 1000:.1f} s",
        ratio=f"{ratio:,.0f} (cold {raw_ms / cold_ms:,.0f})",
        mark="≤ 10 ms; ≤ 150 ms; ≥ 500",
        value=warm_ms,
        met=warm_ms <= 10 and cold_ms <= 150 and ratio >= 500,
        note="short: the mark is about 17 M probes" if setup.quick else "",
        figures={
            "warm_p50_ms": warm_ms,
            "warm_p95_ms": percentile(warm, 0.95),
            "cold_p50_ms": cold_ms,
            "cold_max_ms": max(cold),
            "raw_sql_ms": raw_ms,
            "probes_n": float(history.probes),
        },
    )


def weigh(setup: Setup, progress: Progress) -> Row:
    """Bytes of the file for each probe; a few seconds after :func:`measure`.

    The peer is the same probes in a table of plain columns with an index.
    """
    history = day(setup, progress)
    each = history.size_bytes / history.probes
    plain = _plain_bytes(history, setup.work / "plain.db")
    return Row(
        name="bytes",
        what="bytes per stored probe, indexes, rollups and log texts included",
        ours=f"{each:.1f}",
        peers=f"plain columns and an index: {plain:.0f}",
        ratio=f"{each / plain:.2f}",
        mark="≤ 30",
        value=each,
        met=each <= 30,
        figures={
            "bytes": each,
            "plain_bytes": plain,
            "file_bytes": float(history.size_bytes),
        },
    )


_PLAIN: Final = (
    "CREATE TABLE probe (seq INTEGER PRIMARY KEY, at REAL, deployment TEXT, kind TEXT, "
    "outcome TEXT, severity INTEGER, message TEXT, status INTEGER, latency REAL, "
    "connect REAL, send REAL, wait REAL, receive REAL, detections INTEGER)"
)


def _plain_bytes(history: Day, path: Path) -> float:
    """Bytes of one of the first 50,000 probes as anyone would write it down first."""
    count = min(50_000, history.fleet.per_hour)
    rows = []
    for sample in itertools.islice(samples(history.fleet, 0.0), count):
        answer, verdict = sample.answer, sample.verdict
        phases, seen = answer.phases, answer.prediction
        rows.append(
            (
                *(None, answer.started_at, answer.deployment, answer.kind.value),
                *(verdict.outcome.value, int(verdict.severity), verdict.message),
                *(answer.http_status, answer.latency_ms, phases.connect, phases.send),
                *(phases.wait, phases.receive, len(seen.detections) if seen else None),
            )
        )
    with closing(sqlite3.connect(path)) as db:
        db.execute(_PLAIN)
        db.executemany(f"INSERT INTO probe VALUES ({', '.join('?' * 14)})", rows)  # noqa: S608 - question marks
        db.execute("CREATE INDEX by_deployment ON probe (deployment, at)")
        db.commit()
    size = path.stat().st_size
    path.unlink()
    return size / count


def _cold(history: Day) -> float:
    words = [sys.executable, "-c", _COLD, str(history.data_dir)]
    words.append(str(history.fleet.until_at))
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True)
    took, requests, cards = json.loads(done.stdout)
    # It must have shown the fleet, not an empty screen.
    assert requests > history.probes / 10, requests
    assert cards == history.fleet.deployments, cards
    return float(took)


async def _warm(history: Day, rounds: int) -> list[float]:
    """Refreshes of an open terminal, each after new samples were committed."""
    until_at = history.fleet.until_at
    fresh = samples(history.fleet, float(until_at))
    writer = await open_writer(history.data_dir)
    reader = await open_reader(history.data_dir)
    now = float(until_at)
    try:
        session = Session(reader, now=lambda: now)
        await session.refresh(Range.H24)
        found: list[float] = []
        for _ in range(rounds):
            # A second's worth of a hundred deployments at the defaults' pace.
            batch = [next(fresh) for _ in range(10)]
            await writer.append(batch, (), {})
            now = batch[-1].answer.started_at + 1
            begin = time.perf_counter()
            await session.refresh(Range.H24)
            found.append((time.perf_counter() - begin) * 1000)
    finally:
        await reader.close()
        await writer.close()
    return found


_TABLE: Final = (
    "PRAGMA synchronous = OFF",
    "PRAGMA journal_mode = OFF",
    "CREATE TABLE probe (at REAL, dep INTEGER, predict INTEGER, failed, latency REAL)",
    # Skewed enough: the time of a sort does not depend on the shape.
    """
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 - 1)
    INSERT INTO probe SELECT ?2 - (?1 - i) * ?3 / ?1, i % ?4,
      abs(random()) % 5 = 0, abs(random()) % 33 = 0,
      20 + abs(random() % 1000) * abs(random() % 1000) / 4000.0 FROM n
    """,
    "CREATE INDEX by_dep ON probe (dep, at)",
)
_PANELS: Final = """
WITH ranked AS (
  SELECT dep, latency,
    row_number() OVER (PARTITION BY dep ORDER BY latency) AS rank,
    count(*) OVER (PARTITION BY dep) AS n
  FROM probe WHERE predict AND NOT failed AND at >= ?1)
SELECT dep, min(latency) FROM ranked WHERE rank * 100 >= n * 95 GROUP BY dep
"""
_COUNTS: Final = """
SELECT dep, sum(predict), sum(predict AND failed), max(at) FROM probe
WHERE at >= ?1 GROUP BY dep
"""
_FLEET: Final = """
SELECT latency FROM probe WHERE predict AND NOT failed AND at >= ?1 ORDER BY latency
LIMIT 1 OFFSET (SELECT (count(*) * 95 + 99) / 100 - 1 FROM probe
                WHERE predict AND NOT failed AND at >= ?1)
"""


def _raw_sql(history: Day, path: Path) -> float:
    """Milliseconds that a table of raw rows needs for the same panels and cards."""
    until_at, hours = history.fleet.until_at, history.fleet.hours
    values = (history.probes, float(until_at), hours * 3600.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in _TABLE:
            filled = (*values, history.fleet.deployments) if "?1" in statement else ()
            db.execute(statement, filled)
        begin = time.perf_counter()
        for query in (_COUNTS, _PANELS, _FLEET):
            assert db.execute(query, (until_at - 24 * 3600,)).fetchall()
        took = (time.perf_counter() - begin) * 1000
    path.unlink()
    return took
