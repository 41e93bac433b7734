"""Row: memory of a collector that asks a hundred deployments and holds a day of data.

Owns this row. It must not know how the others are measured.
"""

from __future__ import annotations

import shutil
import time
from typing import Final

from bench.day import day
from bench.endpoint import endpoint
from bench.figures import Progress, Row, Setup
from bench.machine import memory_mb
from bench.monitor import Asked, collector, image, write_config

MOST_MB: Final = 60.0


def measure(setup: Setup, progress: Progress) -> Row:
    """Run it; about a minute once the day is made."""
    history = day(setup, lambda share: progress(share * 0.7))
    seconds = setup.pick(45, 12)
    folder = setup.work / "memory"
    folder.mkdir()
    # A copy: the collector writes, and its retention may remove what others read.
    shutil.copytree(history.data_dir, folder / "data")
    asked = [Asked(name, "1s", "5s") for name in history.fleet.names()]
    found: list[float] = []
    with endpoint(delay_ms=20.0) as server:
        picture = image(setup.work)
        config = write_config(folder, server.url, asked, picture=picture)
        with collector(config, folder / "data") as pid:
            for second in range(seconds):
                time.sleep(1)
                found.append(memory_mb(pid))
                progress(0.7 + 0.3 * second / seconds)
    shutil.rmtree(folder)
    most = max(found)
    return Row(
        name="memory",
        what="collector's resident memory: 100 deployments every second, a day of data",
        ours=f"{most:.1f} MB",
        ratio=f"{most / MOST_MB:.2f} of the budget",
        mark="≤ 60 MB",
        value=most,
        met=most <= MOST_MB,
        figures={"most_mb": most, "last_mb": found[-1]},
    )
