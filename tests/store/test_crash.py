"""kill -9 at any moment loses no acknowledged sample and leaves a sound file."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.store.conftest import Backend


WRITER = """
import asyncio, sys
from pathlib import Path
from yolotop.model import *
from yolotop.store.open import open_writer

async def main():
    writer = await open_writer(Path(sys.argv[1]))
    print("ready", flush=True)
    number = 0
    while True:
        batch = []
        for _ in range(20):
            number += 1
            answer = Answer("edge", ProbeKind.PREDICT, 1_790_000_000 + number * 0.1,
                            latency_ms=20.0, http_status=200)
            verdict = Verdict(Outcome.OK, Severity.INFO, f"n {number}")
            batch.append(Sample(answer, verdict))
        state = HealthState(successes=number)
        print(await writer.append(batch, [], {"edge": state}), flush=True)

asyncio.run(main())
"""


def acknowledge(data_dir: Path, after: int) -> int:
    """Run a writer, kill it after so many acknowledged batches; the last number."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(data_dir)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        last = 0
        for _ in range(after):
            last = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        # What it had said before it died counts as acknowledged, too.
        for line in process.stdout:
            if line.endswith("\n"):
                last = int(line)
    assert process.returncode == -signal.SIGKILL
    return last


@pytest.mark.timeout(120)
async def test_kill_nine_loses_no_acknowledged_sample(backend: Backend) -> None:
    data_dir = backend.data_dir
    for round_number, batches in enumerate((1, 2, 5, 13, 30)):
        acknowledged = acknowledge(data_dir, batches)
        with closing(sqlite3.connect(data_dir / "yolotop.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        reader = await backend.reader()
        last = await reader.last_seq()
        assert last >= acknowledged, f"round {round_number}"
        probes = await reader.probes_after(0, limit=1_000_000)
        # Every number once, whole batches only, and rollups that agree.
        assert [probe.seq for probe in probes] == list(range(1, last + 1))
        assert last % 20 == 0
        for width_s in (300, 3600):
            slots = await reader.slots(0, width_s=width_s)
            assert sum(slot.requests for slot in slots) == last
            assert sum(slot.histogram.count for slot in slots) == last
        [state] = (await reader.states()).values()
        assert f"n {state.successes}" == probes[-1].message
        await reader.close()
    # And the next one goes on.
    writer = await backend.writer()
    assert await writer.append([], [], {}) == last
    await writer.close()
