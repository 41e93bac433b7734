"""Row: a thousand deployments, each asked every ten seconds.

Owns this row: the collector's CPU, how far starts stray from their grid, and whether a
slot was missed, counted from the stored history and not from what the collector says.
It must not know how the others are measured.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from pathlib import Path
from typing import Final

from bench.endpoint import endpoint
from bench.figures import Progress, Row, Setup, median, percentile
from bench.machine import cpu_s
from bench.monitor import Asked, collector, image, write_config
from yolotop.model import ProbeKind
from yolotop.store.open import open_reader

DEPLOYMENTS: Final = 1_000
INTERVAL_S: Final = 10
WARM_UP_S: Final = 14
"""Newcomers are asked at once; the grid has them after one interval."""


def measure(setup: Setup, progress: Progress) -> Row:
    """Run it; about 80 s."""
    seconds = setup.pick(60, 20)
    folder = setup.work / "fleet"
    folder.mkdir()
    asked = [
        Asked(f"edge-{number:04}", f"{INTERVAL_S}s") for number in range(DEPLOYMENTS)
    ]
    with endpoint(delay_ms=20.0) as server:
        picture = image(setup.work)
        config = write_config(folder, server.url, asked, picture=picture)
        with collector(config, folder / "data") as pid:
            time.sleep(WARM_UP_S)
            since, before = time.time(), cpu_s(pid)
            for second in range(seconds):
                progress(second / seconds)
                time.sleep(1)
            until, after = time.time(), cpu_s(pid)
    share = (after - before) / (until - since)
    drifts, missed = asyncio.run(_punctuality(folder / "data", since, until))
    return _row(share, drifts, missed)


async def _punctuality(
    data_dir: Path, since: float, until: float
) -> tuple[list[float], int]:
    """Milliseconds after its own grid of every start, and slots without one."""
    reader = await open_reader(data_dir)
    try:
        probes = await reader.probes_since(since, limit=1_000_000)
    finally:
        await reader.close()
    starts: defaultdict[str, list[float]] = defaultdict(list)
    for probe in probes:
        if probe.kind is ProbeKind.PREDICT and probe.at < until:
            starts[probe.deployment].append(probe.at)
    # The grid of each: its phase, told by its starts as a whole. Starts only ever
    # come late, so the earliest of them is nearest to it.
    drifts: list[float] = []
    missed = 0
    for times in starts.values():
        base = times[0]
        offsets = [(at - base + INTERVAL_S / 2) % INTERVAL_S for at in times]
        first = min(offsets)
        drifts += [(offset - first) * 1000 for offset in offsets]
        slots = round((times[-1] - base) / INTERVAL_S) + 1
        missed += slots - len(times)
    return drifts, missed + (DEPLOYMENTS - len(starts))


def _row(share: float, drifts: list[float], missed: int) -> Row:
    drift = percentile(drifts, 0.99)
    return Row(
        name="fleet",
        what="1,000 deployments at 10 s: CPU of one core; grid drift P99; missed slots",
        ours=f"{share:.1%}; {drift:.1f} ms; {missed}",
        limit=f"drift P50 {median(drifts):.1f} ms",
        ratio=f"{share / 0.10:.2f} of the budget",
        mark="≤ 10 %; ≤ 50 ms; 0",
        value=share,
        met=share <= 0.10 and drift <= 50 and missed == 0,
        figures={
            "cpu_share": share,
            "drift_p50_ms": median(drifts),
            "drift_p99_ms": drift,
            "drift_max_ms": max(drifts, default=0.0),
            "missed": float(missed),
            "probes_n": float(len(drifts)),
        },
    )
