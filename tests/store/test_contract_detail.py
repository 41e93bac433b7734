"""What a detail screen asks of one deployment: of every back end, as tests."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yolotop.model import (
    Deployment,
    Event,
    EventKind,
    Health,
    Outcome,
    ProbeKind,
    Sample,
    Severity,
    StoreSettings,
)
from yolotop.store.protocol import Change

if TYPE_CHECKING:
    from tests.store.conftest import Backend, Make

T0 = 1_790_000_000.0
HOUR, DAY = 3_600.0, 86_400.0
HEADERS = (("server", "nginx/1.27 é ✓"), ("via", '1.1 "varnish"'), ("via", ""))


def entered(
    at: float, health: Health | None, name: str | None = "edge", message: str = "said"
) -> Event:
    return Event(at, Severity.WARNING, EventKind.STATE, message, name, health)


async def test_before_any_collector_there_is_nothing(backend: Backend) -> None:
    reader = await backend.reader()
    assert await reader.probe(1) is None
    assert await reader.answers("nobody", 0, math.inf, limit=9) == []
    assert await reader.failures("nobody", limit=9) == []
    assert await reader.changes(0, math.inf, limit=9) == []
    assert await reader.changes(0, math.inf, deployment="nobody", limit=9) == []
    assert await reader.change_before("nobody", math.inf) is None
    assert await reader.slots(0, width_s=300, deployment="nobody") == []


async def test_a_registered_deployment_that_was_never_asked(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    await writer.register([Deployment("edge", "http://edge.example")], T0)
    assert await reader.answers("edge", 0, math.inf, limit=9) == []
    assert await reader.failures("edge", limit=9) == []
    assert await reader.change_before("edge", math.inf) is None
    assert await reader.slots(0, width_s=3600, deployment="edge") == []


# --- headers -------------------------------------------------------------------------


async def test_headers_of_a_bad_answer_read_back(backend: Backend, make: Make) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    kept = [
        make(outcome=Outcome.FAILED, body_head="no", headers=HEADERS),
        make(outcome=Outcome.FAILED, headers=HEADERS),
        make(outcome=Outcome.WRONG, headers=HEADERS[:1]),
        make(outcome=Outcome.FAILED, body_head="only a body"),
    ]
    await writer.append([*kept, make(headers=HEADERS)], [], {})
    stored = await reader.probes_after(0, limit=9)
    assert [probe.headers for probe in stored] == [
        HEADERS,
        HEADERS,
        HEADERS[:1],
        (),
        (),
    ], "those of a right answer are not kept"
    assert (await reader.failures("edge", limit=9)) == stored[:4]


async def test_only_the_newest_headers_of_each_deployment_are_kept(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    rare = make("rare", outcome=Outcome.FAILED, headers=HEADERS)
    noisy = [make("noisy", outcome=Outcome.FAILED, headers=HEADERS) for _ in range(70)]
    await writer.append([rare, *noisy], [], {})
    counts = [len(probe.headers) for probe in await reader.probes_after(0, limit=99)]
    assert counts == [3] + [0] * 20 + [3] * 50


# --- one probe -----------------------------------------------------------------------


async def test_a_probe_is_found_by_its_number_and_an_event_is_none(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    await writer.append([make(), make("b")], [entered(T0, Health.UP)], {})
    assert [await reader.probe(seq) for seq in (1, 2)] == await reader.probes_after(
        0, limit=9
    )
    assert [await reader.probe(seq) for seq in (-1, 0, 3, 4)] == [None] * 4


# --- answers -------------------------------------------------------------------------


async def test_answers_are_predictions_of_one_deployment_in_a_time(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    samples = [
        make(
            f"edge-{i % 3}",
            kind=ProbeKind.HEALTH if i % 2 else ProbeKind.PREDICT,
            at=T0 + 60 * i,
        )
        for i in range(600)
    ]
    await writer.append(samples[:300], [], {})
    await writer.append(samples[300:], [], {})
    times = [T0 + 60 * i for i in range(600) if i % 3 == 1 and i % 2 == 0]

    async def asked(since: float, until: float, limit: int = 999) -> list[float]:
        found = await reader.answers("edge-1", since, until, limit=limit)
        assert {probe.kind for probe in found} <= {ProbeKind.PREDICT}
        return [probe.at for probe in found]

    assert await asked(-math.inf, math.inf) == times
    # Half open: an answer of the beginning is in, one of the end is out.
    assert await asked(times[10], times[20]) == times[10:20]
    assert await asked(times[10] + 0.0001, times[20] + 0.0001) == times[11:21]
    assert await asked(times[10], times[90], limit=7) == times[83:90]
    assert await asked(times[20], times[10]) == []
    assert await asked(times[-1] + 1, math.inf) == []
    assert await asked(0, times[0]) == []
    assert await asked(0, math.inf, limit=0) == []


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    history=st.lists(
        st.tuples(
            # The clock may be set by days; what was taken then keeps that time.
            st.sampled_from([0.0, 0.25, 700.0, 5_000.0, -900.0, -9_000.0, 2e5, -1e9]),
            st.sampled_from(list(Outcome)),
            st.sampled_from(list(ProbeKind)),
            st.sampled_from(["a", "b"]),
        ),
        max_size=30,
    ),
    edges=st.tuples(st.integers(0, 29), st.integers(0, 29)),
    limit=st.integers(1, 12),
)
async def test_what_is_found_is_what_a_look_at_every_row_finds(
    backend: Backend,
    tmp_path_factory: pytest.TempPathFactory,
    make: Make,
    history: list[tuple[float, Outcome, ProbeKind, str]],
    edges: tuple[int, int],
    limit: int,
) -> None:
    backend = type(backend)(tmp_path_factory.mktemp("history"))
    at, samples = T0, list[Sample]()
    for step, outcome, kind, name in history:
        at += step
        samples.append(make(name, kind=kind, outcome=outcome, at=at))
    try:
        writer, reader = await backend.writer(), await backend.reader()
        for start in range(0, len(samples), 7):
            await writer.append(samples[start : start + 7], [], {})
        every = await reader.probes_after(0, limit=99)
        ends = [every[edge].at if edge < len(every) else math.inf for edge in edges]
        since, until = min(ends), max(ends)
        answers = [
            probe
            for probe in every
            if probe.deployment == "a"
            and probe.kind is ProbeKind.PREDICT
            and since <= probe.at < until
        ]
        failures = [
            probe
            for probe in every
            if probe.deployment == "a" and probe.outcome.is_error and probe.at < until
        ]
        found = await reader.answers("a", since, until, limit=limit)
        assert found == answers[-limit:]
        found = await reader.failures("a", limit=limit, until_at=until)
        assert found == failures[-limit:]
        for width_s in (300, 3600):
            slots = await reader.slots(since, width_s=width_s, until_at=until)
            of_one = await reader.slots(
                since, width_s=width_s, until_at=until, deployment="a"
            )
            assert of_one == [slot for slot in slots if slot.deployment == "a"]
    finally:
        await backend.close()


# --- failures ------------------------------------------------------------------------


async def test_failures_are_the_newest_failed_and_wrong_ones(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    outcomes = [*Outcome] * 60
    samples = [
        make(
            outcome=outcome,
            kind=ProbeKind.PREDICT if i % 2 else ProbeKind.HEALTH,
            at=T0 + 300 * i,
        )
        for i, outcome in enumerate(outcomes)
    ]
    # A wrong answer that is wrong again is an ERROR.
    again = samples[3]
    samples[3] = replace(
        again, verdict=replace(again.verdict, severity=Severity.CRITICAL)
    )
    await writer.append(samples, [], {})
    await writer.append([make("other", outcome=Outcome.FAILED)], [], {})
    times = [T0 + 300 * i for i, one in enumerate(outcomes) if one.is_error]
    found = await reader.failures("edge", limit=20)
    assert [probe.at for probe in found] == times[-20:]
    assert {probe.kind for probe in found} == set(ProbeKind)
    before = await reader.failures("edge", limit=20, until_at=times[50])
    assert [probe.at for probe in before] == times[30:50]
    assert [p.at for p in await reader.failures("edge", limit=999)] == times
    assert await reader.failures("edge", limit=9, until_at=T0) == []


# --- changes -------------------------------------------------------------------------


async def test_changes_come_in_the_order_of_their_times(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    clock = Event(T0 + 3, Severity.WARNING, EventKind.CLOCK, "set back by 2 s")
    events = [
        entered(T0 + 1, Health.UP),
        entered(T0 + 5, Health.DOWN, message="down after 3 failures: refused"),
        clock,
        entered(T0 + 4, Health.COLD, "other"),
        Event(T0 + 6, Severity.INFO, EventKind.RESTARTED, "restarted", "edge"),
        entered(T0 + 7, Health.UP),
    ]
    await writer.append([], events, {})
    found = await reader.changes(T0 + 1, T0 + 7, limit=99)
    assert [change.at - T0 for change in found] == [1, 3, 4, 5, 6]
    assert found[1] == Change(
        3, T0 + 3, None, EventKind.CLOCK, Severity.WARNING, None, "set back by 2 s"
    )
    assert found[3] == Change(
        seq=2,
        at=T0 + 5,
        deployment="edge",
        kind=EventKind.STATE,
        severity=Severity.WARNING,
        health=Health.DOWN,
        message="down after 3 failures: refused",
    )
    newest = await reader.changes(0, math.inf, limit=2)
    assert [change.at - T0 for change in newest] == [6, 7]
    of_one = await reader.changes(0, math.inf, deployment="edge", limit=3)
    assert [change.at - T0 for change in of_one] == [5, 6, 7]
    [other] = await reader.changes(0, math.inf, deployment="other", limit=3)
    assert (other.deployment, other.health) == ("other", Health.COLD)


async def test_the_change_before_is_one_of_state(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    events = [
        entered(T0 + 1, Health.UP),
        Event(T0 + 2, Severity.INFO, EventKind.MODEL_CHANGED, "another", "edge"),
        entered(T0 + 3, Health.DOWN, "other"),
        entered(T0 + 4, Health.DOWN),
    ]
    await writer.append([], events, {})

    async def before(at: float) -> Health | None:
        change = await reader.change_before("edge", at)
        return None if change is None else change.health

    assert await before(T0 + 1) is None
    assert await before(T0 + 1.001) is Health.UP
    assert await before(T0 + 4) is Health.UP
    assert await before(math.inf) is Health.DOWN


# --- what is gone --------------------------------------------------------------------


async def test_a_removed_deployment_can_still_be_asked_about(
    backend: Backend, make: Make
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    await writer.register([Deployment("edge", "http://edge.example")], T0)
    samples = [make(), make(outcome=Outcome.FAILED, headers=HEADERS)]
    await writer.append(samples, [entered(T0, Health.DOWN)], {})
    await writer.register([], T0 + 60)
    assert len(await reader.answers("edge", T0, T0 + 1, limit=9)) == 2
    [failure] = await reader.failures("edge", limit=9)
    assert failure.headers == HEADERS
    assert len(await reader.changes(T0, T0 + 1, deployment="edge", limit=9)) == 1
    assert await reader.change_before("edge", T0 + 1) is not None
    assert len(await reader.slots(T0, width_s=300, deployment="edge")) == 1


async def test_what_retention_took_is_not_found(backend: Backend, make: Make) -> None:
    kept = StoreSettings(raw_s=DAY, events_s=2 * DAY)
    writer, reader = await backend.writer(settings=kept), await backend.reader()
    for day in range(4):
        at = T0 + day * DAY
        bad = make(outcome=Outcome.FAILED, at=at + 1, headers=HEADERS)
        await writer.append([make(at=at), bad], [entered(at, Health.DOWN)], {})
    now = T0 + 3 * DAY + HOUR
    while await writer.sweep(now):
        pass
    last = T0 + 3 * DAY
    assert await reader.probe(1) is None
    answers = await reader.answers("edge", 0, math.inf, limit=99)
    assert [probe.at for probe in answers] == [last, last + 1]
    assert [p.at for p in await reader.failures("edge", limit=99)] == [last + 1]
    changes = await reader.changes(0, math.inf, limit=99)
    assert [change.at for change in changes] == [last - DAY, last]

    while await writer.sweep(now + 30 * DAY):
        pass
    assert await reader.changes(0, math.inf, limit=99) == []
    assert await reader.change_before("edge", math.inf) is None
    assert len(await reader.slots(0, width_s=3600, deployment="edge")) == 4
