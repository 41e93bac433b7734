"""What every back end must do: the protocols of ``store/protocol.py``, as tests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from yolotop.model import (
    Deployment,
    ErrorKind,
    Event,
    EventKind,
    Health,
    HealthState,
    Light,
    Outcome,
    Phases,
    ProbeKind,
    SecretRef,
    ServerTimes,
    Severity,
)

if TYPE_CHECKING:
    from tests.store.conftest import Backend, Make

T0 = 1_790_000_000.0


def event(
    at: float, severity: Severity, message: str, name: str | None = None
) -> Event:
    kind = EventKind.STATE if name else EventKind.COLLECTOR
    return Event(at=at, severity=severity, kind=kind, message=message, deployment=name)


async def test_a_face_can_open_before_any_collector(backend: Backend) -> None:
    reader = await backend.reader()
    assert await reader.last_seq() == 0
    assert await reader.deployments(removed=True) == []
    assert await reader.states() == {}
    assert await reader.slots(0, width_s=3600) == []
    assert await reader.requests(0, math.inf, width_s=3600) == {}
    assert await reader.probes_after(0, limit=10) == []
    assert await reader.probes_since(0, limit=10) == []
    assert await reader.last_probes("nobody", limit=10) == []
    assert await reader.log() == []
    assert await reader.log(deployment="nobody") == []
    assert await reader.first_at() is None
    assert await reader.collector() is None
    assert await reader.request_result(1) is None
    assert await reader.pending() == set()


async def test_a_probe_reads_back_whole(backend: Backend, make: Make) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    last = await writer.append([make(at=T0 + 0.1234)], [], {})
    [probe] = await reader.probes_after(0, limit=10)
    assert probe.seq == last == await reader.last_seq()
    assert probe.at == pytest.approx(T0 + 0.123)
    assert (probe.deployment, probe.kind) == ("edge", ProbeKind.PREDICT)
    assert (probe.outcome, probe.severity) == (Outcome.OK, Severity.INFO)
    assert probe.message == "3 detections"
    assert probe.latency_ms == 21.437
    assert probe.phases == Phases(
        dns=0.05, connect=0.81, tls=None, send=0.3, wait=20.0, receive=0.2
    )
    assert probe.server == ServerTimes(preprocess=0.52, inference=11.2)
    assert (probe.detections, probe.http_status) == (3, 200)
    assert (probe.cold, probe.error_kind, probe.body_head) == (False, None, "")
    assert await reader.first_at() == probe.at


async def test_a_failure_reads_back_with_what_the_server_said(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    failed = make(
        outcome=Outcome.FAILED,
        status=None,
        latency_ms=None,
        message="timeout after 10 s (10.0.0.8:8001)",
        body_head="<h1>Bad gateway</h1>",
    )
    await writer.append([failed], [], {})
    [probe] = await reader.probes_since(T0 - 1, limit=5)
    assert probe.error_kind is ErrorKind.TIMEOUT
    assert probe.message == "timeout after 10 s (10.0.0.8:8001)"
    assert probe.body_head == "<h1>Bad gateway</h1>"
    assert (probe.http_status, probe.latency_ms, probe.server) == (None, None, None)
    [line] = await reader.log()
    assert (line.severity, line.probe, line.event) == (
        Severity.ERROR,
        ProbeKind.PREDICT,
        None,
    )


@pytest.mark.parametrize("latency_ms", [-1.0, math.nan, math.inf])
async def test_a_latency_that_is_none_loses_no_sample(
    backend: Backend, make: Make, latency_ms: float
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    await writer.append([make(latency_ms=latency_ms)], [], {})
    [probe] = await reader.probes_after(0, limit=10)
    assert probe.latency_ms is None
    [slot] = await reader.slots(0, width_s=300)
    assert (slot.requests, slot.histogram.count) == (1, 0)


async def test_only_the_newest_bodies_of_each_deployment_are_kept(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    rare = make("rare", outcome=Outcome.FAILED, body_head="once")
    noisy = [
        make("noisy", outcome=Outcome.FAILED, body_head=f"body {i}") for i in range(120)
    ]
    await writer.append([rare, *noisy[:70]], [], {})
    await writer.append(noisy[70:], [], {})
    heads = [probe.body_head for probe in await reader.probes_after(0, limit=200)]
    assert heads[0] == "once"
    assert heads[1:] == [""] * 70 + [f"body {i}" for i in range(70, 120)]


async def test_changing_numbers_in_messages_come_back_as_they_were(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    messages = [f"answered after {n}.{n % 7:02} s, 0x{n:x}" for n in range(700)]
    messages += ["", "no number", "00 01 1e5", "9" * 40, "a\x1fb 7", "mü 3 ✓"]
    await writer.append([make(message=message) for message in messages], [], {})
    again = await backend.writer()
    await again.append([make(message=message) for message in messages], [], {})
    stored = [probe.message for probe in await reader.probes_after(0, limit=9_999)]
    messages[-2] = "a␟b 7"
    assert stored == messages * 2


async def test_numbers_only_grow_and_are_shared_with_events(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    first = await writer.append(
        [make(), make()], [event(T0, Severity.INFO, "edge is up", "edge")], {}
    )
    second = await writer.append([make()], [], {})
    assert (first, second) == (3, 4)
    assert [line.seq for line in await reader.log()] == [1, 2, 3, 4]
    assert [p.seq for p in await reader.probes_after(1, limit=10)] == [2, 4]
    assert [p.seq for p in await reader.probes_after(0, limit=2)] == [1, 2]
    await writer.close()
    writer = await backend.writer()
    assert await writer.append([make()], [], {}) == 5
    assert await writer.append([], [], {}) == 5


async def test_probes_since_gives_the_newest(backend: Backend, make: Make) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    # An hour, so that there are several anchors, and one late answer.
    times = [T0 + 30 * i for i in range(120)]
    times[60], times[61] = times[61], times[60]
    await writer.append([make(at=at) for at in times], [], {})
    since = await reader.probes_since(T0 + 30 * 100, limit=999)
    assert [probe.at for probe in since] == times[100:]
    newest = await reader.probes_since(T0, limit=5)
    assert [probe.at for probe in newest] == times[-5:]
    assert len(await reader.probes_since(T0, limit=999)) == 120


async def test_times_survive_clock_steps(backend: Backend, make: Make) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    times = [T0, T0 + 86_400 * 400, 12.5, T0 + 1, T0 - 3_600, T0 + 2]
    await writer.append([make(at=at) for at in times[:3]], [], {})
    await writer.append([make(at=at) for at in times[3:]], [], {})
    assert [p.at for p in await reader.probes_after(0, limit=9)] == times


async def test_last_probes_are_predictions_of_one_deployment(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    samples = []
    for i in range(300):
        name = f"edge-{i % 3}"
        kind = ProbeKind.HEALTH if i % 2 else ProbeKind.PREDICT
        samples.append(make(name, kind=kind, at=T0 + 60 * i))
    await writer.append(samples, [], {})
    wanted = [
        s.answer.started_at
        for s in samples
        if s.answer.deployment == "edge-1" and s.answer.kind is ProbeKind.PREDICT
    ]
    last = await reader.last_probes("edge-1", limit=20)
    assert [probe.at for probe in last] == wanted[-20:]
    assert [p.at for p in await reader.last_probes("edge-1", limit=999)] == wanted


async def test_registered_deployments_follow_the_config(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    one = Deployment(
        name="one",
        url="http://me:hunter2@one.example/?api_key=abcdef",
        api_key=SecretRef("env", "KEY"),
        tags=("a", "b"),
        group="lab",
        region="eu",
        predict_interval_s=30,
        location=(-33.87, 0.0),
    )
    two = Deployment(name="two", url="http://two.example", paused=True)
    await writer.register([one, two], T0)
    await writer.append([make("one")], [], {})
    first, second = await reader.deployments()
    assert (first.name, first.tags, first.group, first.region) == (
        "one",
        ("a", "b"),
        "lab",
        "eu",
    )
    assert (first.location, second.location) == ((-33.87, 0.0), None)
    assert "hunter2" not in first.url
    assert "abcdef" not in first.url
    assert (first.position, first.paused, first.predict_interval_s) == (0, False, 30)
    assert (second.name, second.paused, second.removed_at) == ("two", True, None)

    await writer.register([two], T0 + 60)
    assert [d.name for d in await reader.deployments()] == ["two"]
    gone = (await reader.deployments(removed=True))[-1]
    assert (gone.name, gone.removed_at) == ("one", T0 + 60)
    assert len(await reader.probes_after(0, limit=9)) == 1

    await writer.register([two, one], T0 + 120)
    back = (await reader.deployments())[1]
    assert (back.name, back.position) == ("one", 1)
    assert (back.removed_at, back.first_seen_at) == (None, T0)


async def test_a_sample_of_a_removed_deployment_is_kept(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    await writer.append(
        [make("ghost")], [event(T0, Severity.INFO, "gone", "ghost")], {}
    )
    assert await reader.deployments() == []
    [ghost] = await reader.deployments(removed=True)
    assert (ghost.name, ghost.removed_at) == ("ghost", T0)
    assert [line.deployment for line in await reader.log()] == ["ghost", "ghost"]
    await writer.register([Deployment(name="ghost", url="http://g.example")], T0 + 9)
    assert [d.name for d in await reader.deployments()] == ["ghost"]


async def test_states_survive(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    state = HealthState(
        health=Health.DEGRADED,
        since=T0,
        message="2 of 5 failed",
        recent=(Outcome.OK, Outcome.FAILED),
        failures=1,
        model_id="yolo26n",
        alive_s=12.5,
        last_answer_at=T0,
        predict=Light(health=Health.DOWN, recent=(Outcome.WRONG,), cold_since=T0),
    )
    await writer.append([], [], {"edge": state, "other": HealthState()})
    await writer.append([], [], {"other": HealthState(health=Health.UP)})
    expected = {"edge": state, "other": HealthState(health=Health.UP)}
    assert await reader.states() == expected
    await writer.close()
    assert await (await backend.writer()).load_states() == expected


async def test_slots_tell_what_was_counted(backend: Backend, make: Make) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    await writer.append(
        [
            make(latency_ms=10),
            make(outcome=Outcome.SLOW, latency_ms=20),
            make(outcome=Outcome.WRONG, latency_ms=30),
            make(outcome=Outcome.FAILED, latency_ms=10_000),
            make(outcome=Outcome.COLD, latency_ms=40, cold=True),
            make(outcome=Outcome.OK, latency_ms=9_000, cold=True),
            make(kind=ProbeKind.HEALTH, latency_ms=1),
            make(kind=ProbeKind.HEALTH, outcome=Outcome.FAILED, latency_ms=1),
        ],
        [],
        {},
    )
    for width_s in (300, 3600):
        [slot] = await reader.slots(T0, width_s=width_s)
        assert slot.start_at == T0 // width_s * width_s
        assert slot.width_s == width_s
        assert (slot.requests, slot.failed, slot.cold) == (6, 2, 2)
        assert (slot.health, slot.health_failed) == (2, 1)
        # Warm predictions that arrived; timeouts and cold starts are no latencies.
        assert slot.histogram.count == 3
        assert (slot.histogram.min, slot.histogram.max) == (10, 30)


async def test_slots_and_requests_by_time(backend: Backend, make: Make) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    hour = T0 // 3600 * 3600
    for i in range(5):
        batch = [make("a", at=hour + 3600 * i), make("b", at=hour + 3600 * i + 1)]
        await writer.append(batch, [], {})
    starts = [slot.start_at for slot in await reader.slots(hour + 3600, width_s=3600)]
    assert starts == [hour + 3600 * i for i in (1, 1, 2, 2, 3, 3, 4, 4)]
    # A slot that has begun before but ends after is in.
    partly = await reader.slots(hour + 3600 * 4 - 1, width_s=3600)
    assert {slot.start_at for slot in partly} == {hour + 3600 * 3, hour + 3600 * 4}
    counted = await reader.requests(hour + 3600, hour + 3600 * 3, width_s=3600)
    assert counted == {"a": 2, "b": 2}
