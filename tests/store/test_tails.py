"""The newest answers of each deployment, kept ready: always those of the rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from yolotop.errors import StoreError
from yolotop.model import Outcome, ProbeKind
from yolotop.store.protocol import TAIL_BEATS, Beat
from yolotop.store.sqlite import file
from yolotop.store.sqlite.schema import MIGRATIONS

if TYPE_CHECKING:
    from tests.store.conftest import Backend, Make
    from yolotop.store.protocol import Reader

T0 = 1_790_000_000.0
DAY = 86_400.0


async def assert_tails_are_those_of_the_rows(reader: Reader) -> None:
    probes = await reader.probes_after(0, limit=99_999)
    tails = {tail.deployment: tail for tail in await reader.tails()}
    assert tails.keys() == {probe.deployment for probe in probes}
    for name, tail in tails.items():
        own = [probe for probe in probes if probe.deployment == name]
        predict = [probe for probe in own if probe.kind is ProbeKind.PREDICT]
        assert (tail.last_seq, tail.last_at) == (own[-1].seq, own[-1].at)
        assert tail.last == (predict[-1] if predict else None)
        assert tail.beats == tuple(
            Beat(probe.outcome, probe.latency_ms, probe.cold)
            for probe in predict[-TAIL_BEATS:]
        )


async def write_a_mixed_history(here: Backend, make: Make) -> None:
    writer = await here.writer()
    outcomes = list(Outcome)
    for start in range(0, 400, 50):
        await writer.append(
            [
                make(
                    ("often", "often", "often", "rare")[i % 4],
                    at=T0 + i * 1.25,
                    kind=ProbeKind.HEALTH if i % 5 == 0 else ProbeKind.PREDICT,
                    outcome=outcomes[i // 3 % 5],
                    latency_ms=None if i % 11 == 0 else i * 7.001,
                    cold=i % 13 == 0,
                )
                for i in range(start, start + 50)
            ],
            [],
            {},
        )
        # A writer that starts anew goes on from what is stored.
        await writer.close()
        writer = await here.writer()
    await writer.append([make("asleep", kind=ProbeKind.HEALTH, at=T0)], [], {})
    await writer.close()


async def test_tails_are_those_of_the_rows(here: Backend, make: Make) -> None:
    await write_a_mixed_history(here, make)
    await assert_tails_are_those_of_the_rows(await here.reader())


async def test_a_history_from_before_there_were_tails_gets_them(
    here: Backend, make: Make
) -> None:
    await write_a_mixed_history(here, make)
    path = here.data_dir / "yolotop.db"
    with closing(sqlite3.connect(path)) as db:
        # As version 1 left it; what versions 3 and 4 add has to go again.
        db.executescript(
            "ALTER TABLE deployment DROP COLUMN hosting;"
            "ALTER TABLE collector DROP COLUMN platform;"
            "DROP TABLE traffic; DROP TABLE source;"
            "DROP TABLE seen; DELETE FROM meta WHERE key LIKE 'seen%';"
            "DROP TABLE tail; ALTER TABLE deployment DROP COLUMN objective;"
            "ALTER TABLE deployment DROP COLUMN objective_range_s;"
            "ALTER TABLE failure DROP COLUMN headers;"
            "DROP INDEX event_at; DROP INDEX event_dep_at;"
            "ALTER TABLE event DROP COLUMN health;"
            "ALTER TABLE deployment DROP COLUMN lat;"
            "ALTER TABLE deployment DROP COLUMN lon;"
            "PRAGMA user_version = 1"
        )
    file.prepare(path)
    with closing(sqlite3.connect(path)) as db:
        [version] = db.execute("PRAGMA user_version").fetchone()
    assert version == MIGRATIONS[-1].number
    assert (path.parent / "yolotop.db.v1.bak").exists()
    await assert_tails_are_those_of_the_rows(await here.reader())


async def test_a_tail_outlives_its_rows(here: Backend, make: Make) -> None:
    writer, reader = await here.writer(), await here.reader()
    await writer.append([make(at=T0)] * 3, [], {})
    await writer.append([make("new", at=T0 + 9 * DAY)], [], {})
    while await writer.sweep(T0 + 9 * DAY):
        pass
    old, _ = sorted(await reader.tails(), key=lambda tail: tail.last_seq)
    assert (old.last, old.last_at, len(old.beats)) == (None, T0, 3)


async def test_a_batch_that_is_refused_leaves_no_trace_in_the_tail(
    here: Backend, make: Make
) -> None:
    writer, reader = await here.writer(), await here.reader()
    await writer.append([make()], [], {})
    with closing(sqlite3.connect(here.data_dir / "yolotop.db")) as db:
        db.execute("BEGIN IMMEDIATE")
        await writer._connection.execute_fetchall("PRAGMA busy_timeout = 0")  # type: ignore[attr-defined]
        with pytest.raises(StoreError, match="locked"):
            await writer.append([make()] * 5, [], {})
        db.rollback()
    await writer.append([make(latency_ms=7.0)], [], {})
    [tail] = await reader.tails()
    assert [beat.latency_ms for beat in tail.beats] == [21.437, 7.0]
    await assert_tails_are_those_of_the_rows(reader)
