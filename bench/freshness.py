"""Row: from a committed sample to its showing on a terminal.

The bench is the collector here: it holds the lock, commits single samples at random
moments and looks for each on the screen that a real terminal shows.

Owns this row. It must not know how the others are measured.
"""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Final

from bench.figures import Progress, Row, Setup, median, percentile
from bench.monitor import Asked, Terminal, image, terminal, write_config
from yolotop.collect.lock import CollectorLock
from yolotop.model import (
    Answer,
    Deployment,
    Outcome,
    Phases,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.open import open_writer
from yolotop.store.protocol import CollectorStatus, Writer

REFRESH_MS: Final = 1_000.0
CARDS: Final = 100
_URL: Final = "http://127.0.0.1:9"


def measure(setup: Setup, progress: Progress) -> Row:
    """Run it; about 90 s."""
    folder = setup.work / "freshness"
    folder.mkdir()
    found = asyncio.run(_run(folder, setup, progress))
    late = percentile(found, 0.95)
    return Row(
        name="freshness",
        what="from a committed sample to its line on an attached terminal, 100 cards",
        ours=f"P95 {late:.0f} ms, median {median(found):.0f}",
        limit=f"refresh {REFRESH_MS:.0f} ms",
        ratio=f"{late / REFRESH_MS:.2f} refreshes",
        mark="≤ 1 refresh",
        value=late / REFRESH_MS,
        met=late <= REFRESH_MS,
        figures={
            "p50_ms": median(found),
            "p95_ms": late,
            "max_ms": max(found),
            "n": float(len(found)),
        },
    )


async def _run(folder: Path, setup: Setup, progress: Progress) -> list[float]:
    names = [f"card-{number:03}" for number in range(CARDS)]
    asked = [Asked(name) for name in names]
    picture = image(setup.work)
    config = write_config(folder, _URL, asked, picture=picture)
    data_dir = folder / "data"
    data_dir.mkdir(mode=0o700)
    with CollectorLock(data_dir):
        writer = await open_writer(data_dir)
        try:
            now = time.time()
            deployments = [Deployment(name, _URL) for name in names]
            await writer.register(deployments, now)
            await writer.append([_sample(name, "begun") for name in names], (), {})
            beating = asyncio.create_task(_beat(writer))
            try:
                # Entering it waits for the screen, in this thread: beats may rest.
                with terminal(config, data_dir) as screen:
                    count = setup.pick(60, 12)
                    return await _commit(writer, screen, names, count, progress)
            finally:
                beating.cancel()
                await asyncio.gather(beating, return_exceptions=True)
        finally:
            await writer.close()


async def _commit(
    writer: Writer,
    screen: Terminal,
    names: list[str],
    count: int,
    progress: Progress,
) -> list[float]:
    dice = random.Random(11)  # noqa: S311 - moments, not secrets
    found: list[float] = []
    await asyncio.sleep(3)
    for number in range(count):
        await asyncio.sleep(0.3 + dice.random())
        word = f"seen{dice.randrange(16**6):06x}"
        screen.expect(word)
        await writer.append([_sample(dice.choice(names), word)], (), {})
        committed = time.monotonic()
        shown = await asyncio.to_thread(screen.shown_at, within_s=10)
        found.append((shown - committed) * 1000)
        progress(number / count)
    return found


def _sample(name: str, message: str) -> Sample:
    answer = Answer(name, ProbeKind.PREDICT, time.time(), 21.0, Phases(wait=20.0), 200)
    return Sample(answer, Verdict(Outcome.OK, Severity.INFO, message))


async def _beat(writer: Writer) -> None:
    import os

    began = time.time()
    while True:
        await writer.beat(CollectorStatus(os.getpid(), began, time.time(), "bench"))
        await asyncio.sleep(1.0)
