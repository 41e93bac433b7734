"""Search finds what reading everything finds, whatever is skipped on the way."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from yolotop.model import (
    Event,
    EventKind,
    Health,
    Outcome,
    ProbeKind,
    Sample,
    Severity,
    StoreSettings,
)
from yolotop.store.protocol import Extent, LogLine, Reader
from yolotop.store.sqlite.file import prepare
from yolotop.view.filter import LineFilter, parse
from yolotop.view.snapshot import Card, Figures

if TYPE_CHECKING:
    from tests.store.conftest import Backend, Make

T0 = 1_790_000_000.0
ROOM = "yolotop.store.sqlite"
FILTERS = (
    "",
    "timeout",
    "TIMEOUT after",
    "nothing says this",
    "gate",
    "!gate",
    "!detections",
    "503",
    "17",
    '"after 17"',
    "status:5xx",
    "status!=200",
    "sev>=warn",
    "ms>400",
    "ms>100000",
    "!ms>2",
    "ms<1 kind:health",
    "kind:event",
    "p95>80 detections",
    "needle",
    "! timeout",
    "! ms>2 detections",
)
CARDS = [
    Card(name, "", "", Health.UP, 0.0, figures=Figures(p95_ms=p95))
    for name, p95 in (("gate", 40.0), ("dock", 90.0), ("yard", None))
]


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 16 probes, stretches of 512, looks so short that each is cut."""
    for name, value in (
        ("presence.BLOCK", 16),
        ("presence.STRETCH", 512),
        ("search.BLOCK", 16),
        ("search.STRETCH", 512),
        ("search.LOOKS", 9),
        ("search.ASKED", 50),
        ("search._NEAR", 8),
    ):
        monkeypatch.setattr(f"{ROOM}.{name}", value)


def sample(make: Make, dice: random.Random, number: int) -> Sample:
    name = dice.choice(("gate", "dock", "yard"))
    at = T0 + number
    kind = dice.random()
    if kind < 0.5:
        return make(
            name, kind=ProbeKind.HEALTH, at=at, message="alive",
            latency_ms=dice.uniform(0.2, 4.0),
        )  # fmt: skip
    if kind < 0.9:
        wait = dice.lognormvariate(3.0, 1.0) + 900 * (dice.random() < 0.005)
        count = dice.randrange(4)
        return make(name, at=at, latency_ms=wait, message=f"{count} detections")
    message = f"timeout after {dice.randrange(400)} s, 10.0.0.{dice.randrange(9)}"
    if dice.random() < 0.05:
        message = f"needle {'x' * dice.randrange(400)}"
    return make(
        name, outcome=Outcome.FAILED, at=at, message=message, latency_ms=None,
        status=dice.choice((None, 503, 404)),
    )  # fmt: skip


async def fill(backend: Backend, make: Make, dice: random.Random) -> None:
    """A few thousand lines by two writers, one after the other, in uneven batches."""
    number = 0
    for _ in range(2):
        writer = await backend.writer()
        for _ in range(40):
            size = dice.randrange(60)
            batch = [sample(make, dice, number + i) for i in range(size)]
            number += size
            events = [
                Event(
                    T0 + number, dice.choice(list(Severity)), EventKind.STATE,
                    dice.choice(("gate is up", "timeout 503", "17 needle")),
                    dice.choice((None, "gate")),
                )
                for _ in range(dice.randrange(4))
            ]  # fmt: skip
            await writer.append(batch, events, {})
        await writer.close()


async def everything(reader: Reader) -> list[LogLine]:
    return await reader.log(limit=1_000_000)


async def searched(
    reader: Reader,
    wanted: LineFilter,
    *,
    newest: bool,
    limit: int,
    min_severity: Severity = Severity.DEBUG,
    deployment: str | None = None,
) -> list[LogLine]:
    """All that is found by looking again and again, and that each look was honest."""
    lines: list[LogLine] = []
    before, after = None, None if newest else 0
    while True:
        found = await reader.search(
            wanted, before=before, after=after, limit=limit,
            min_severity=min_severity, deployment=deployment,
        )  # fmt: skip
        assert len(found.lines) <= limit
        assert all(found.first <= line.seq <= found.last for line in found.lines)
        if newest:
            assert before is None or found.last == before - 1 or not found.more
            lines[:0] = found.lines
            before = found.first
        else:
            lines += found.lines
            after = found.last
        if not found.more:
            return lines


@pytest.mark.parametrize("seed", range(2))
async def test_search_finds_what_reading_everything_finds(
    backend: Backend, make: Make, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - data, not a secret
    await fill(backend, make, dice)
    reader = await backend.reader()
    lines = await everything(reader)
    assert len(lines) > 2_000
    for text in FILTERS:
        wanted = parse(text).among(CARDS)
        expected = [line for line in lines if wanted.matches(line)]
        assert (not expected) is (text in ("nothing says this", "ms>100000")), text
        for newest in (True, False):
            for limit in (1_000, 13):
                found = await searched(reader, wanted, newest=newest, limit=limit)
                assert found == expected, (text, newest, limit)
        narrow = await searched(
            reader, wanted, newest=True, limit=30,
            min_severity=Severity.WARNING, deployment="gate",
        )  # fmt: skip
        assert narrow == [
            line
            for line in expected
            if line.severity >= Severity.WARNING and line.deployment == "gate"
        ]


async def test_search_finds_what_retention_has_left(
    backend: Backend, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{ROOM}.retention.CHUNK", 700)
    dice = random.Random(7)  # noqa: S311 - data, not a secret
    await fill(backend, make, dice)
    writer = await backend.writer(settings=StoreSettings(raw_s=1_200.0))
    reader = await backend.reader()
    before = len(await everything(reader))
    while await writer.sweep(T0 + 2_400):
        pass
    await writer.append([sample(make, dice, 2_500) for _ in range(40)], [], {})
    lines = await everything(reader)
    assert 500 < len(lines) < before - 500
    for text in ("needle", "timeout", "ms>400", "alive"):
        wanted = parse(text).among()
        expected = [line for line in lines if wanted.matches(line)]
        assert expected
        assert await searched(reader, wanted, newest=True, limit=50) == expected
        assert await searched(reader, wanted, newest=False, limit=50) == expected


async def test_a_look_is_bounded_and_says_how_far_it_came(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    batch = [make(at=T0 + i, latency_ms=33.0) for i in range(600)]
    await writer.append([make(at=T0, latency_ms=50.0), *batch], [], {})
    # All of one octave: each of them has to be asked.
    found = await reader.search(parse("ms>40").among(), limit=5)
    assert (found.lines, found.more) == ([], True)
    assert 1 < found.first < found.last == 601
    # Of another octave: none has to be.
    found = await reader.search(parse("ms>1s").among(), limit=5)
    assert (found.lines, found.first, found.more) == ([], 1, False)
    found = await reader.search(parse("no such word").among(), limit=5)
    assert (found.first, found.last, found.more) == (1, 601, False)


async def test_an_empty_log_is_searched(backend: Backend) -> None:
    reader = await backend.reader()
    found = await reader.search(parse("word").among())
    assert (found.lines, found.more) == ([], False)
    assert await reader.extent() == Extent()
    assert Extent().total == 0
    assert await reader.seq_at(T0) == 0


async def test_a_time_is_found_to_the_line(backend: Backend, make: Make) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    started = Event(T0 - 5, Severity.INFO, EventKind.COLLECTOR, "started")
    await writer.append([], [started], {})
    await writer.append([make(at=T0 + 30 * i) for i in range(300)], [], {})
    assert await reader.extent() == Extent(1, 301, 2, 1)
    assert (await reader.extent()).total == 301
    for at, seq in (
        (0.0, 1),
        (T0 - 5, 1),
        (T0, 2),
        (T0 + 1, 3),
        (T0 + 30, 3),
        (T0 + 30 * 250 - 0.5, 252),
        (T0 + 30 * 299, 301),
        (T0 + 30 * 299 + 0.1, 302),
    ):
        assert await reader.seq_at(at) == seq, at


def test_a_position_is_where_the_line_stands() -> None:
    extent = Extent(oldest=10, newest=1_000, dense=501, sparse=49)
    assert extent.total == 549
    assert [extent.position(seq) for seq in (10, 501, 1_000, 2_000)] == [
        0, 49, 548, 549,
    ]  # fmt: skip
    assert 0 < extent.position(300) < 49


async def test_a_history_from_before_there_was_a_map_is_searched(
    here: Backend, make: Make
) -> None:
    dice = random.Random(3)  # noqa: S311 - data, not a secret
    await fill(here, make, dice)
    await here.close()
    path = here.data_dir / "yolotop.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            "ALTER TABLE deployment DROP COLUMN hosting;"
            "ALTER TABLE collector DROP COLUMN platform;"
            "DROP TABLE traffic; DROP TABLE source;"
            "DROP TABLE seen; DELETE FROM meta WHERE key LIKE 'seen%';"
            "PRAGMA user_version = 5"
        )
    prepare(path)
    writer, reader = await here.writer(), await here.reader()
    assert await searched(reader, parse("needle").among(), newest=True, limit=9)
    for start in range(3_000, 3_900, 60):
        await writer.append([sample(make, dice, start + i) for i in range(60)], [], {})
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM seen").fetchone()[0]
    lines = await everything(reader)
    for text in ("needle", "ms>400", "alive", "17"):
        wanted = parse(text).among()
        expected = [line for line in lines if wanted.matches(line)]
        for newest in (True, False):
            found = await searched(reader, wanted, newest=newest, limit=40)
            assert found == expected
