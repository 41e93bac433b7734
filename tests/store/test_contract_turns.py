"""What every back end must do when several take turns: batches, requests, readers."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, cast

import pytest

from yolotop.errors import StoreError
from yolotop.model import (
    Event,
    EventKind,
    HealthState,
    Severity,
)
from yolotop.store.protocol import CollectorStatus, RequestKind

if TYPE_CHECKING:
    from tests.store.conftest import Backend, Make

T0 = 1_790_000_000.0


def event(
    at: float, severity: Severity, message: str, name: str | None = None
) -> Event:
    kind = EventKind.STATE if name else EventKind.COLLECTOR
    return Event(at=at, severity=severity, kind=kind, message=message, deployment=name)


async def test_requests_are_handed_out_once_and_answered(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    other = await backend.reader()
    assert await writer.take_requests() == []
    first = await reader.leave_request(
        RequestKind.PROBE, deployment="edge", body="", at=T0
    )
    second = await other.leave_request(
        RequestKind.TRIAL, deployment=None, body='{"url": "x"}', at=T0 + 1
    )
    assert await reader.pending() == {"edge"}
    taken = await writer.take_requests()
    assert [(r.id, r.kind, r.deployment, r.body, r.at) for r in taken] == [
        (first, RequestKind.PROBE, "edge", "", T0),
        (second, RequestKind.TRIAL, None, '{"url": "x"}', T0 + 1),
    ]
    assert await writer.take_requests() == []
    assert await reader.request_result(first) is None
    assert await reader.pending() == {"edge"}
    await writer.finish_request(first, "[]", T0 + 2)
    assert await other.request_result(first) == "[]"
    assert await reader.pending() == set()


async def test_a_request_of_a_collector_that_died_does_not_stay_open(
    backend: Backend,
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    taken = await reader.leave_request(
        RequestKind.PROBE, deployment="edge", body="", at=T0
    )
    await writer.take_requests()
    waiting = await reader.leave_request(
        RequestKind.STOP, deployment=None, body="", at=T0
    )
    successor = await backend.writer()
    assert "stopped" in (await reader.request_result(taken) or "")
    assert await reader.pending() == set()
    assert [r.id for r in await successor.take_requests()] == [waiting]


async def test_the_collector_says_that_it_lives(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    status = CollectorStatus(
        pid=7, started_at=T0, beat_at=T0, version="1", config_path="/c", note="n"
    )
    await writer.beat(status)
    assert await reader.collector() == status
    stopped = CollectorStatus(7, T0, T0 + 5, "1", overruns=3, stopped_at=T0 + 5)
    await writer.beat(stopped)
    assert await reader.collector() == stopped


async def test_data_version_moves_with_commits_only(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    before = await reader.data_version()
    assert await reader.data_version() == before
    await writer.append([make()], [], {})
    after = await reader.data_version()
    assert after != before
    await reader.log()
    assert await reader.data_version() == after


async def test_nothing_of_a_batch_that_cannot_be_written_is_kept(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    await writer.append([make(message="first")], [], {})
    poisoned = event(T0, Severity.INFO, "\ud800", "edge")
    with pytest.raises(StoreError, match="cannot be stored"):
        await writer.append([make(message="lost")], [poisoned], {"new": HealthState()})
    assert await reader.last_seq() == 1
    [slot] = await reader.slots(0, width_s=300)
    assert slot.requests == 1
    assert await writer.append([make(message="next")], [], {}) == 2
    [slot] = await reader.slots(0, width_s=300)
    assert (slot.requests, slot.histogram.count) == (2, 2)
    assert [line.message for line in await reader.log()] == ["first", "next"]
    assert await reader.states() == {}


async def test_a_cancelled_batch_is_whole_or_absent(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    kept = 0
    for steps in range(1, 40):
        task = asyncio.create_task(writer.append([make()] * 40, [], {}))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        kept = await reader.last_seq()
        assert kept % 40 == 0
    assert await writer.append([make()], [], {}) == kept + 1
    assert len(await reader.probes_after(0, limit=9_999)) == kept + 1
    slots = await reader.slots(0, width_s=3600)
    assert sum(slot.requests for slot in slots) == kept + 1


async def test_two_readers_read_while_a_writer_writes(
    backend: Backend, make: Make
) -> None:
    writer = await backend.writer()
    readers = [await backend.reader(), await backend.reader()]
    done = asyncio.Event()

    async def write() -> None:
        for i in range(60):
            await writer.append(
                [make(f"edge-{j}", at=T0 + i) for j in range(5)], [], {}
            )
        done.set()

    async def read(number: int) -> int:
        seen = 0
        while not done.is_set():
            slots = await readers[number].slots(0, width_s=3600)
            # A batch is seen whole or not at all.
            assert sum(slot.requests for slot in slots) % 5 == 0
            fresh = await readers[number].probes_after(seen, limit=1_000)
            seqs = [probe.seq for probe in fresh]
            assert seqs == list(range(seen + 1, seen + 1 + len(seqs)))
            seen += len(seqs)
            await readers[number].log(min_severity=Severity.INFO)
        return seen

    _, *seen = await asyncio.gather(write(), read(0), read(1))
    assert all(0 <= count <= 300 for count in seen)
    for reader in readers:
        assert await reader.last_seq() == 300


async def test_close_is_idempotent_and_final(backend: Backend, make: Make) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    for store in (writer, reader):
        await store.close()
        await store.close()
    with pytest.raises(StoreError, match="closed"):
        await writer.append([make()], [], {})
    with pytest.raises(StoreError, match="closed"):
        await reader.last_seq()


class NewerKind(StrEnum):
    """What a terminal of next year may ask."""

    TELEPORT = "teleport"


async def test_a_request_of_a_newer_terminal_is_answered_and_passed_over(
    backend: Backend,
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    newer = cast("RequestKind", NewerKind.TELEPORT)
    strange = await reader.leave_request(newer, deployment="cam", body="", at=1.0)
    known = await reader.leave_request(
        RequestKind.PAUSE, deployment="cam", body="", at=1.0
    )
    assert [request.id for request in await writer.take_requests()] == [known]
    said = await reader.request_result(strange)
    assert said == "this collector is older than the terminal: restart it"
    assert await writer.take_requests() == []
