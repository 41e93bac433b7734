"""A day of a hundred deployments, made once for the rows that read it.

Owns where the history lies and how large it is. It must not know who reads it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Progress, Setup
from bench.history import HOUR_S, Fleet, fill


@dataclass(frozen=True, slots=True)
class Day:
    """A history in ``data_dir`` that ends with the last whole hour."""

    data_dir: Path
    fleet: Fleet
    size_bytes: int
    probes: int


def day(setup: Setup, progress: Progress) -> Day:
    """17.3 M probes over 25 hours (650 k where it is to be quick); about 3 minutes.

    Made once per run.
    """
    until_at = int(time.time() // HOUR_S) * HOUR_S
    fleet = Fleet(probes=setup.pick(17_300_000, 650_000), until_at=until_at)
    data_dir = setup.work / "day"
    path = data_dir / "yolotop.db"
    if not path.exists():
        data_dir.mkdir(mode=0o700)
        asyncio.run(fill(data_dir, fleet, progress=progress))
    return Day(data_dir, fleet, path.stat().st_size, fleet.per_hour * fleet.hours)
