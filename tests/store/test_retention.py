"""What is too old goes in small chunks; nothing else does, whatever the clock says."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from yolotop.model import (
    Event,
    EventKind,
    Outcome,
    ProbeKind,
    Severity,
    StoreSettings,
)
from yolotop.store.protocol import RequestKind
from yolotop.store.sqlite import retention

if TYPE_CHECKING:
    from tests.store.conftest import Backend, Make
    from yolotop.store.protocol import Writer

T0 = 1_790_000_000.0
DAY = 86_400.0
CHUNK = retention.CHUNK


async def sweep_all(writer: Writer, now: float) -> list[int]:
    gone = []
    while count := await writer.sweep(now):
        gone.append(count)
    return gone


async def test_tiers(backend: Backend, make: Make) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    days = range(500)
    await writer.append(
        [make(at=T0 + day * DAY, body_head="x") for day in days],
        [
            Event(T0 + day * DAY, Severity.INFO, EventKind.STATE, f"day {day}")
            for day in days
        ],
        {},
    )
    now = T0 + 499 * DAY + 60
    gone = await sweep_all(writer, now)
    assert sum(gone) > 0
    assert await writer.sweep(now) == 0

    ages = [(now - probe.at) / DAY for probe in await reader.probes_after(0, limit=999)]
    assert len(ages) == 7
    assert max(ages) < 7
    assert len(await reader.slots(0, width_s=300)) == 3
    assert len(await reader.slots(0, width_s=3600)) == 400
    lines = await reader.log(limit=9_999)
    assert sum(line.event is not None for line in lines) == 400
    assert await writer.append([make(at=now)], [], {}) == 1_001


async def test_a_chunk_is_small_and_raw_rows_go_oldest_first(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    old = [make(at=T0 + i * 0.5) for i in range(CHUNK + 2_000)]
    await writer.append(old, [], {})
    fresh = T0 + 8 * DAY
    await writer.append([make(at=fresh)], [], {})
    assert await writer.sweep(fresh) == CHUNK
    [first] = await reader.probes_after(0, limit=1)
    assert first.seq == CHUNK + 1
    await sweep_all(writer, fresh)
    [left] = await reader.probes_after(0, limit=9)
    assert (left.at, left.message) == (fresh, "3 detections")
    assert await reader.first_at() == fresh


async def test_a_clock_that_once_stood_wrong_takes_no_young_rows(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    # Young rows, then a boot without a clock (1970), then the right time again.
    times = [T0 + i for i in range(100)] + [float(i) for i in range(50)] + [T0 + 900]
    await writer.append([make(at=at) for at in times], [], {})
    await sweep_all(writer, T0 + 1_000)
    assert [probe.at for probe in await reader.probes_after(0, limit=999)] == times


async def test_lines_that_nothing_refers_to_are_swept(
    backend: Backend, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yolotop.store.sqlite.lines.STAMP_EVERY", 10)
    monkeypatch.setattr("yolotop.store.sqlite.retention.STAMP_EVERY", 10)
    writer, reader = await backend.writer(), await backend.reader()
    await writer.append(
        [make("old", at=T0, message=f"m {i}") for i in range(40)], [], {}
    )
    # A stamp may lag behind the last use by so much.
    await writer.append([make("new", at=T0)] * 20, [], {})
    now = T0 + 9 * DAY
    await writer.append([make("new", at=now)] * 50, [], {})
    await sweep_all(writer, now)
    with closing(sqlite3.connect(backend.data_dir / "yolotop.db")) as db:
        assert db.execute("SELECT count(*) FROM line").fetchone() == (1,)
    await writer.append([make("old", at=now, message="m 1")], [], {})
    messages = [probe.message for probe in await reader.probes_after(0, limit=99)]
    assert messages == ["3 detections"] * 50 + ["m 1"]


async def test_old_requests_are_swept(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    old = await reader.leave_request(
        RequestKind.PROBE, deployment="edge", body="", at=T0
    )
    new = await reader.leave_request(
        RequestKind.PROBE, deployment="edge", body="", at=T0 + 2 * DAY
    )
    assert await sweep_all(writer, T0 + 2 * DAY) == [1]
    assert [r.id for r in await writer.take_requests()] == [new] != [old]


async def test_space_is_given_back(backend: Backend, make: Make) -> None:
    writer = await backend.writer()
    body = "".join(chr(0x4E00 + i % 5_000) for i in range(2_000))
    await writer.append(
        [make(f"e{i % 40}", at=T0, body_head=body) for i in range(2_000)], [], {}
    )
    await writer.append([make(at=T0 + 9 * DAY)], [], {})

    def pages() -> int:
        with closing(sqlite3.connect(backend.data_dir / "yolotop.db")) as db:
            return int(db.execute("PRAGMA page_count").fetchone()[0])

    before = pages()
    await sweep_all(writer, T0 + 9 * DAY)
    assert pages() < before / 4


async def test_above_its_size_the_oldest_probes_go_first_and_the_file_shrinks(
    here: Backend, make: Make
) -> None:
    """Young rows, all of them: only the size is a reason."""
    path = here.data_dir / "yolotop.db"
    settings = StoreSettings(max_bytes=8_000_000)
    writer = await here.writer(settings=settings)
    reader = await here.reader()
    dice = random.Random(8)  # noqa: S311 - data, not a secret
    for start in range(0, 40_000, 2_000):
        await writer.append(
            [
                make(
                    f"e{i % 40}",
                    at=T0 + i * 0.5,
                    message=dice.randbytes(180).hex(),
                )
                for i in range(start, start + 2_000)
            ],
            [Event(T0 + start, Severity.INFO, EventKind.CONFIG, "a change")],
            {},
        )
    now = T0 + 20_000
    before = await reader.slots(0, width_s=300)
    events = 20
    assert path.stat().st_size > 10_000_000
    gone = await sweep_all(writer, now)
    assert max(gone) <= CHUNK
    await writer.close()

    assert path.stat().st_size <= 8_000_000
    left = await reader.probes_after(0, limit=99_999)
    last = await reader.last_seq()
    assert [p.seq for p in left][-1] >= last - events
    assert left[0].seq > 5_000, "the oldest went"
    assert len(left) > CHUNK
    assert await reader.slots(0, width_s=300) == before, "no rollup of the day went"
    lines = await reader.log(limit=99_999)
    assert sum(line.event is not None for line in lines) == events + 1
    [told] = [line for line in lines if line.event is EventKind.STORE]
    assert told.severity is Severity.WARNING
    assert "reached its 8 MB ([store] max_size)" in told.message


async def test_when_few_probes_are_left_slots_go_then_events_then_hours(
    here: Backend, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 50)
    writer, reader = await here.writer(), await here.reader()
    days = [T0 + day * DAY for day in range(60)]
    await writer.append(
        [make(at=at) for at in days],
        [Event(at, Severity.INFO, EventKind.CONFIG, "a change") for at in days],
        {},
    )
    now = T0 + 59 * DAY + 60
    await writer.close()
    settings = StoreSettings(
        raw_s=400 * DAY, slots_s=400 * DAY, max_bytes=1, min_free_bytes=0
    )
    writer = await here.writer(settings=settings)

    async def counts() -> tuple[int, int, int, int]:
        lines = await reader.log(limit=9_999)
        return (
            len(await reader.probes_after(0, limit=9_999)),
            len(await reader.slots(0, width_s=300)),
            sum(line.event is EventKind.CONFIG for line in lines),
            len(await reader.slots(0, width_s=3600)),
        )

    seen = [await counts()]
    while await writer.sweep(now):
        if (found := await counts()) != seen[-1]:
            seen.append(found)
    assert seen[0] == (60, 60, 60, 60)
    assert seen[-1] == (10, 1, 1, 1), "what the last day is made of stays"
    # Each kind is gone before the next one is touched.
    for before, after in pairwise(seen):
        touched = next(i for i in range(4) if before[i] != after[i])
        assert before[:touched] == (10, 1, 1, 1)[:touched]
        assert before[touched + 1 :] == after[touched + 1 :]


async def test_tiers_are_as_configured(here: Backend, make: Make) -> None:
    settings = StoreSettings(
        raw_s=DAY, slots_s=2 * DAY, hours_s=5 * DAY, events_s=3 * DAY
    )
    writer, reader = await here.writer(settings=settings), await here.reader()
    days = range(10)
    await writer.append(
        [make(at=T0 + day * DAY) for day in days],
        [Event(T0 + d * DAY, Severity.INFO, EventKind.CONFIG, "x") for d in days],
        {},
    )
    await sweep_all(writer, T0 + 9 * DAY + 60)
    assert len(await reader.probes_after(0, limit=99)) == 1
    assert len(await reader.slots(0, width_s=300)) == 2
    assert len(await reader.slots(0, width_s=3600)) == 5
    assert len(await reader.log(limit=99)) == 1 + 3


@pytest.mark.parametrize("seed", range(3))
async def test_the_log_finds_every_line_by_any_filter(
    backend: Backend, make: Make, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """All filters and both directions against a plain filter of the whole log."""
    monkeypatch.setattr("yolotop.store.sqlite.log._NEAR", 50)
    dice = random.Random(seed)  # noqa: S311 - data, not a secret
    writer, reader = await backend.writer(), await backend.reader()
    at = T0
    for _ in range(30):
        at += dice.choice([60, 4_000, -5_000])
        samples = [
            make(
                dice.choice(["a", "b", "rare"] if dice.random() < 0.1 else ["a", "b"]),
                at=at + i,
                kind=dice.choice(list(ProbeKind)),
                outcome=dice.choices(list(Outcome), [20, 1, 1, 1, 1, 1])[0],
            )
            for i in range(dice.randrange(40))
        ]
        events = [Event(at, dice.choice(list(Severity)), EventKind.STATE, "e", "a")]
        events += [Event(at, dice.choice(list(Severity)), EventKind.CONFIG, "all")]
        await writer.append(samples, events, {})
    everything = await reader.log(limit=10_000)
    last = await reader.last_seq()
    assert [line.seq for line in everything] == list(range(1, last + 1))
    for min_severity in Severity:
        for name in (None, "a", "rare", "nobody"):
            wanted = [
                line
                for line in everything
                if line.severity >= min_severity
                and (name is None or line.deployment == name)
            ]
            cut, limit = dice.randrange(last), dice.randrange(1, 60)
            for before, after in (
                (None, None),
                (cut, None),
                (None, cut),
                (cut + 99, cut),
            ):
                found = await reader.log(
                    min_severity=min_severity,
                    deployment=name,
                    before=before,
                    after=after,
                    limit=limit,
                )
                inside = [
                    line
                    for line in wanted
                    if line.seq > (after or 0) and (before is None or line.seq < before)
                ]
                assert found == (inside[-limit:] if after is None else inside[:limit])
