"""The queue before the store: nothing judged is lost while the store refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import pytest

from yolotop.collect.journal import FLUSH_ROWS, FLUSH_S, Journal
from yolotop.collect.turns import Turns
from yolotop.errors import StoreError
from yolotop.model import (
    Answer,
    HealthState,
    Outcome,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)

if TYPE_CHECKING:
    from tests.collect.conftest import FakeClock, MemoryWriter

DISK_FULL = StoreError("the disk is full", hint="Free some space")
Make = Callable[..., Journal]


def sample(number: int, name: str = "cam") -> Sample:
    answer = Answer(name, ProbeKind.PREDICT, started_at=float(number))
    return Sample(answer, Verdict(Outcome.OK, Severity.INFO, "3 detections"))


def numbers(writer: MemoryWriter) -> list[int]:
    return [int(one.answer.started_at) for one in writer.samples]


@pytest.fixture
async def make(clock: FakeClock, writer: MemoryWriter) -> AsyncIterator[Make]:
    tasks: list[asyncio.Task[None]] = []

    def start(keep_rows: int = 20_000) -> Journal:
        journal = Journal(writer, clock, Turns(), keep_rows=keep_rows)
        tasks.append(asyncio.create_task(journal.run()))
        return journal

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_rows_wait_half_a_second_for_company(
    make: Make, clock: FakeClock, writer: MemoryWriter
) -> None:
    journal = make()
    for number in range(5):
        journal.add(sample=sample(number))
    await clock.advance(FLUSH_S - 0.01)
    assert writer.batches == []
    await clock.advance(0.02)
    assert writer.batches == [5]
    assert len(journal) == 0


async def test_a_full_batch_does_not_wait(
    make: Make, clock: FakeClock, writer: MemoryWriter
) -> None:
    journal = make()
    for number in range(FLUSH_ROWS * 2):
        journal.add(sample=sample(number))
    await clock.advance(0)
    assert writer.batches == [FLUSH_ROWS, FLUSH_ROWS]
    assert numbers(writer) == list(range(FLUSH_ROWS * 2))


async def test_the_last_state_of_a_batch_is_the_one_that_is_kept(
    make: Make, clock: FakeClock, writer: MemoryWriter
) -> None:
    journal = make()
    for number in range(3):
        state = HealthState(since=float(number))
        journal.add(sample=sample(number), state=("cam", state))
    await clock.advance(1)
    assert writer.states == {"cam": HealthState(since=2.0)}


async def test_a_refusing_store_loses_nothing_and_is_told(
    make: Make, clock: FakeClock, writer: MemoryWriter
) -> None:
    journal = make()
    writer.refusal = DISK_FULL
    for number in range(300):
        journal.add(sample=sample(number))
        await clock.advance(0.1)
    assert writer.samples == []
    assert "the disk is full" in journal.note
    assert "301 rows kept in memory" in journal.note  # 300 and the event of refusal
    writer.refusal = None
    await clock.advance(10)
    assert numbers(writer) == list(range(300))
    assert (journal.note, journal.lost) == ("", 0)
    assert writer.said() == [
        "the history cannot be written: the disk is full",
        "the history is written again after 31 s, nothing lost",
    ]


async def test_what_no_longer_fits_is_dropped_oldest_first_and_counted(
    make: Make, clock: FakeClock, writer: MemoryWriter
) -> None:
    journal = make(keep_rows=100)
    writer.refusal = DISK_FULL
    for number in range(150):
        journal.add(sample=sample(number))
        await clock.advance(0.1)
    assert len(journal) == 100
    assert "51 lost" in journal.note
    writer.refusal = None
    await clock.advance(10)
    assert numbers(writer) == list(range(50, 150))
    assert journal.lost == 51
    assert writer.said()[-1].endswith("51 rows were lost")


async def test_one_row_that_cannot_be_stored_does_not_hold_up_the_others(
    make: Make, clock: FakeClock, writer: MemoryWriter
) -> None:
    journal = make()
    writer.poison = "odd"
    for number in range(50):
        journal.add(sample=sample(number, "odd" if number == 17 else "cam"))
    await clock.advance(120)
    assert numbers(writer) == [number for number in range(50) if number != 17]
    assert journal.lost == 1
    assert journal.note == ""


async def test_closing_writes_what_is_queued(
    clock: FakeClock, writer: MemoryWriter
) -> None:
    journal = Journal(writer, clock, Turns())
    task = asyncio.create_task(journal.run())
    for number in range(FLUSH_ROWS + 7):
        journal.add(sample=sample(number))
    journal.close()
    await clock.advance(0)
    assert task.done()
    assert numbers(writer) == list(range(FLUSH_ROWS + 7))


async def test_closing_gives_a_refusing_store_up_in_the_end(
    clock: FakeClock, writer: MemoryWriter
) -> None:
    journal = Journal(writer, clock, Turns())
    task = asyncio.create_task(journal.run())
    writer.refusal = DISK_FULL
    journal.add(sample=sample(1))
    journal.close()
    await clock.advance(5)
    assert not task.done()
    await clock.advance(20)
    assert task.done()
    assert len(journal) >= 1


async def test_a_caller_that_is_cancelled_does_not_cut_its_call_off() -> None:
    turns, gate, made = Turns(), asyncio.Event(), []

    async def call(number: int) -> int:
        await gate.wait()
        made.append(number)
        return number

    first = asyncio.create_task(turns.take(call(1)))
    second = asyncio.create_task(turns.take(call(2)))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.set()
    assert await second == 2
    await turns.settle()
    assert made == [1, 2]
