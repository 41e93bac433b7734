"""Loops that crash come back; loops that stand still are named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from yolotop.collect.supervise import STALL_S, Supervisor
from yolotop.model import Event, Severity

if TYPE_CHECKING:
    from tests.collect.conftest import FakeClock


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
async def supervisor(clock: FakeClock, told: list[Event]) -> AsyncIterator[Supervisor]:
    made = Supervisor(clock, told.append)
    yield made
    await made.stop()


async def test_a_crash_is_told_and_the_loop_restarted_with_growing_pauses(
    supervisor: Supervisor, clock: FakeClock, told: list[Event]
) -> None:
    starts: list[float] = []

    async def crash() -> None:
        starts.append(clock.elapsed)
        raise RuntimeError("token=abcdefgh is no good")

    supervisor.start("schedule", crash)
    await clock.advance(60)
    gaps = [b - a for a, b in pairwise(starts)]
    assert gaps == [0.5, 1.0, 2.0, 5.0, 15.0, 30.0]
    assert len(told) == 7
    assert told[0].severity is Severity.ERROR
    assert told[0].message == (
        "the schedule loop stopped (RuntimeError: token=••• is no good); "
        "restarting in 0.5 s"
    )


async def test_a_loop_that_ran_well_for_long_is_restarted_quickly(
    supervisor: Supervisor, clock: FakeClock, told: list[Event]
) -> None:
    async def tire() -> None:
        for _ in range(10):
            supervisor.stamp("config")
            wake = asyncio.Event()
            clock.call_later(10, wake.set)
            await wake.wait()
        raise RuntimeError("tired")

    supervisor.start("config", tire)
    await clock.advance(401)
    assert len(told) == 3
    assert all("restarting in 0.5 s" in event.message for event in told)


async def test_a_loop_that_stands_still_is_named_until_it_moves(
    supervisor: Supervisor, clock: FakeClock, told: list[Event]
) -> None:
    gate = asyncio.Event()

    async def hang() -> None:
        await gate.wait()
        supervisor.stamp("requests")
        await asyncio.Event().wait()

    supervisor.start("requests", hang)
    supervisor.watch()
    await clock.advance(STALL_S + 10)
    assert supervisor.note == "standing still: requests"
    assert [event.message for event in told] == [
        "the requests loop has stood still for 30 s"
    ]
    gate.set()
    await clock.advance(6)
    assert supervisor.note == ""
    assert told[-1].message == "the requests loop goes on"


async def test_one_that_may_be_is_cancelled_and_started_anew(
    supervisor: Supervisor, clock: FakeClock, told: list[Event]
) -> None:
    starts: list[float] = []

    async def hang_once() -> None:
        starts.append(clock.elapsed)
        if len(starts) == 1:
            await asyncio.Event().wait()
        while True:
            supervisor.stamp("schedule")
            wake = asyncio.Event()
            clock.call_later(1, wake.set)
            await wake.wait()

    supervisor.start("schedule", hang_once, restart_stalled=True)
    supervisor.watch()
    await clock.advance(STALL_S * 3)
    assert len(starts) == 2
    assert supervisor.note == ""
    assert "it was cancelled" in told[1].message


async def test_stopping_ends_every_loop(
    supervisor: Supervisor, clock: FakeClock
) -> None:
    ended: list[str] = []

    async def last_words() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    supervisor.start("one", last_words)
    supervisor.start("two", last_words)
    await clock.advance(1)
    await supervisor.stop()
    assert ended == ["ended", "ended"]
