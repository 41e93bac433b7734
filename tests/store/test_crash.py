"""kill -9 at any moment loses no acknowledged sample and leaves a sound file.

Ten rounds under load; a hundred with ``YOLOTOP_LONG=1``.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from yolotop.store.sqlite.schema import MIGRATIONS

if TYPE_CHECKING:
    from tests.store.conftest import Backend, Make

ROUNDS = 100 if os.environ.get("YOLOTOP_LONG") else 10
BATCH = 20

# A collector's life in fast motion. The log is checkpointed every 20 pages and
# retention takes a chunk after each batch, so most of the time one of the two is at
# work when the signal comes.
WRITER = f"""
import asyncio, os, sys
from pathlib import Path
from yolotop.model import *
from yolotop.store.open import open_writer
from yolotop.store.protocol import CollectorStatus
from yolotop.store.sqlite import retention

retention.CHUNK = 50

async def main():
    settings = StoreSettings(raw_s=3600.0, slots_s=4e7, min_free_bytes=0)
    writer = await open_writer(Path(sys.argv[1]), settings=settings)
    await writer._connection.execute_fetchall("PRAGMA wal_autocheckpoint = 20")
    state = (await writer.load_states()).get("edge", HealthState())
    number = state.successes
    await writer.register([Deployment("edge", "http://edge.example")], 0.0)
    print("ready", flush=True)
    while True:
        batch = []
        for _ in range({BATCH}):
            number += 1
            at = 1_790_000_000 + number * 10
            answer = Answer("edge", ProbeKind.PREDICT, at, latency_ms=number / 8,
                            http_status=200, body_head="b" * 400)
            verdict = Verdict(Outcome.OK, Severity.INFO, f"n {{number}}")
            batch.append(Sample(answer, verdict))
        state = HealthState(successes=number)
        last = await writer.append(batch, [], {{"edge": state}})
        print(last, number, flush=True)
        await writer.beat(CollectorStatus(os.getpid(), 0.0, at, "0"))
        await writer.sweep(at)

asyncio.run(main())
"""


def killed(code: str, *arguments: object, lines: int) -> list[str]:
    """Run a program and kill it once it has said so many lines; all it said."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
        # What it had said before it died counts as said, too; half a line does not.
        said += [line for line in process.stdout if line.endswith("\n")]
    assert process.returncode == -signal.SIGKILL, said
    return [line.rstrip() for line in said]


def assert_sound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.timeout(600)
async def test_kill_nine_under_load_loses_no_acknowledged_sample(
    backend: Backend,
) -> None:
    dice = random.Random(9)  # noqa: S311 - moments, not secrets
    path = backend.data_dir / "yolotop.db"
    swept = 0
    for round_number in range(ROUNDS):
        said = killed(WRITER, backend.data_dir, lines=dice.randrange(2, 40))
        assert said[0] == "ready"
        acknowledged, number = map(int, said[-1].split())
        assert_sound(path)
        reader = await backend.reader()
        last = await reader.last_seq()
        assert last >= acknowledged, f"round {round_number}"
        probes = await reader.probes_after(0, limit=1_000_000)
        # From the oldest that is kept on: every number once, whole batches only.
        first = probes[0].seq
        assert [probe.seq for probe in probes] == list(range(first, last + 1))
        assert last % BATCH == 0
        swept = max(swept, first)
        # States, rollups and tails are those of exactly these samples.
        [state] = (await reader.states()).values()
        assert state.successes == last >= number
        assert probes[-1].message == f"n {last}"
        for width_s in (300, 3600):
            slots = await reader.slots(0, width_s=width_s)
            assert sum(slot.requests for slot in slots) == last
            assert sum(slot.histogram.count for slot in slots) == last
        [tail] = await reader.tails()
        assert (tail.last_seq, tail.last) == (last, probes[-1])
        assert [beat.latency_ms for beat in tail.beats] == [
            probe.latency_ms for probe in probes[-60:]
        ]
        await reader.close()
    assert swept > 1, "retention was at work"
    # And the next one goes on.
    writer = await backend.writer()
    assert await writer.append([], [], {}) == last


MIGRATION = """
import sqlite3, sys, time
from pathlib import Path
from yolotop.store.sqlite import file
from yolotop.store.sqlite.schema import MIGRATIONS, Migration

def wait():
    print("inside", flush=True)
    while True:
        time.sleep(60)

def in_the_backup(path, **options):
    db = connect(path, **options)
    ticks = iter(range(1_000_000))
    db.set_progress_handler(lambda: wait() if next(ticks) == 3 else None, 100)
    return db

def fill(db):
    db.execute("CREATE TABLE half (a)")
    db.execute("UPDATE line SET message = 'changed'")
    wait()

where, path = sys.argv[1], Path(sys.argv[2])
connect = sqlite3.connect
if where == "backup":
    file.sqlite3.connect = in_the_backup
newer = Migration(MIGRATIONS[-1].number + 1, (), fill=fill)
file.prepare(path, migrations=[*MIGRATIONS, newer])
"""


@pytest.mark.parametrize("where", ["backup", "migration"])
async def test_killed_while_it_migrates_the_file_is_as_before(
    here: Backend, make: Make, where: str
) -> None:
    writer = await here.writer()
    batch = [make(message=f"n {n}") for n in range(3_000)]
    await writer.append(batch, [], {})
    await writer.close()
    path = here.data_dir / "yolotop.db"
    for _ in range(2):
        assert killed(MIGRATION, where, path, lines=1) == ["inside"]
    assert_sound(path)
    with closing(sqlite3.connect(path)) as db:
        [version] = db.execute("PRAGMA user_version").fetchone()
        assert version == MIGRATIONS[-1].number
    reader = await here.reader()
    found = [probe.message for probe in await reader.probes_after(0, limit=9_999)]
    assert found == [f"n {n}" for n in range(3_000)]
    # The backup is a whole one or none, and at most one torn one lies about: the
    # next start takes it away.
    backups = list(path.parent.glob("*.bak"))
    assert len(backups) == (where == "migration")
    for backup in backups:
        assert_sound(backup)
    assert len(list(path.parent.glob("*.part"))) <= 1
