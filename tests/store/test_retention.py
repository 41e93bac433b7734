"""What is too old goes in small chunks; nothing else does, whatever the clock says."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from yolotop.model import Event, EventKind, Outcome, ProbeKind, Severity
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
    assert pages() < before


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
                outcome=dice.choices(list(Outcome), [20, 1, 1, 1, 1])[0],
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
