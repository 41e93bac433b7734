"""A session's close look at one deployment, over a real history."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from world import (
    NOON,
    World,
    check,
    close,
    inside,
    nearest_rank,
    random_samples,
    warm,
    window,
)
from world import sample as made

from yolotop.model import (
    Event,
    EventKind,
    Health,
    HealthState,
    Outcome,
    ProbeKind,
    Severity,
)
from yolotop.view.closeup import ANSWERS
from yolotop.view.detail import Detail
from yolotop.view.snapshot import CollectorHealth, Range


async def look(world: World, name: str = "dock", range_: Range = Range.H24) -> Detail:
    detail = await world.session.detail(name, range_)
    assert detail is not None
    return detail


def changed(at: float, health: Health, message: str = "", name: str = "dock") -> Event:
    return Event(
        at, Severity.INFO, EventKind.STATE, message or health.value, name, health
    )


async def test_one_that_is_not_registered_has_none(world: World) -> None:
    assert await world.session.detail("nobody", Range.H24) is None


async def test_one_that_was_never_asked_is_all_gaps(world: World) -> None:
    await world.register("dock")
    detail = await look(world)
    assert detail.waterfall is None
    assert detail.failures == ()
    assert set(detail.steps) <= {None}
    assert detail.incidents == ()


@pytest.mark.parametrize("range_", Range)
async def test_steps_and_figures_are_those_of_the_samples(
    world: World, range_: Range
) -> None:
    await world.register("dock", "gate")
    samples = random_samples(
        3,
        names=("dock", "gate"),
        since_at=NOON - 1.2 * range_.seconds,
        until_at=NOON,
        n=900,
    )
    await world.write(*samples)
    detail = await look(world, range_=range_)
    check(detail.card.figures, inside(samples, window(NOON, range_), ["dock"]))
    assert detail.end_at > NOON
    for index, step in enumerate(detail.steps):
        at = detail.step_at(index)
        held = inside(samples, (at, at + detail.step_s), ["dock"])
        assert (step is None) == (not held)
        if step is not None:
            assert step.requests == len(held)
            assert step.failed == sum(each.verdict.outcome.is_error for each in held)
            assert close(step.p95_ms, nearest_rank(warm(held), 0.95))


async def test_what_comes_later_is_read_without_the_rest(world: World) -> None:
    await world.register("dock")
    samples = random_samples(
        5, names=("dock",), since_at=NOON - 80_000, until_at=NOON, n=300
    )
    await world.write(*samples)
    for range_ in Range:
        await look(world, range_=range_)
    world.now += 700
    await world.write(
        made("dock", world.now - 400, latency_ms=77.0),
        made("dock", world.now - 2, outcome=Outcome.FAILED, latency_ms=None),
    )
    for range_ in Range:
        seen = await look(world, range_=range_)
        fresh = await type(world.session)(world.reader, now=lambda: world.now).detail(
            "dock", range_
        )
        assert seen == fresh
        assert seen.failures[0].at == pytest.approx(world.now - 2)


async def test_without_news_only_the_clock_moves(world: World) -> None:
    await world.register("dock")
    await world.write(made("dock", NOON - 1))
    first = await look(world)
    world.now += 2
    second = await look(world)
    assert second.at == first.at + 2
    assert second.steps is first.steps
    assert second.waterfall is first.waterfall
    assert second.ribbon[-1].end_at == world.now


async def test_who_measures_is_said_without_other_news(world: World) -> None:
    await world.register("dock")
    await world.write(made("dock", NOON - 1))
    await world.beat()
    assert (await look(world)).collector.health is CollectorHealth.RUNNING
    world.now += 60
    later = await look(world)
    assert later.collector.health is CollectorHealth.STALE
    assert later.collector.age_s == 60


async def test_a_fault_of_an_hour_ago_is_an_incident(world: World) -> None:
    world.now = NOON - 80_000
    await world.register("dock")
    world.now = NOON
    await world.write(*(made("dock", NOON - 86_000 + at * 60.0) for at in range(1_433)))
    events = [
        changed(NOON - 80_000, Health.UP),
        changed(NOON - 3_900, Health.DEGRADED, "2 of the last 5 failed"),
        changed(NOON - 3_600, Health.DOWN, "connection refused"),
        changed(NOON - 1_800, Health.UP),
        Event(NOON - 1_700, Severity.INFO, EventKind.RESTARTED, "restarted", "dock"),
        Event(NOON - 1_600, Severity.INFO, EventKind.RESTARTED, "restarted", "gate"),
        Event(NOON - 1_500, Severity.INFO, EventKind.COLLECTOR, "collector started"),
    ]
    state = HealthState(health=Health.UP, since=NOON - 1_800)
    await world.writer.append((), events, {"dock": state})
    detail = await look(world)
    (incident,) = detail.incidents
    assert (incident.start_at, incident.end_at) == (NOON - 3_900, NOON - 1_800)
    assert incident.health is Health.DOWN
    assert incident.message == "connection refused"
    assert [mark.message for mark in detail.marks] == ["restarted", "collector started"]
    states = [part.health for part in detail.ribbon]
    assert states[-4:] == [Health.UP, Health.DEGRADED, Health.DOWN, Health.UP]
    ends = [(part.start_at, part.end_at) for part in detail.ribbon]
    assert all(one[1] == two[0] for one, two in pairwise(ends))
    assert ends[-1][1] == world.now
    (of_fleet,) = await world.session.incidents(Range.H24)
    assert of_fleet == incident


async def test_trouble_since_before_the_range_is_an_incident(world: World) -> None:
    await world.register("dock", "gate")
    state = HealthState(health=Health.DOWN, since=NOON - 9_000, message="refused")
    await world.writer.append(
        [made("dock", NOON - 5), made("gate", NOON - 6)],
        [changed(NOON - 9_000, Health.DOWN, "refused")],
        {"dock": state},
    )
    (incident,) = await world.session.incidents(Range.H1)
    assert (incident.deployment, incident.end_at) == ("dock", None)
    assert incident.start_at == NOON - 9_000
    (own,) = (await look(world, range_=Range.H1)).incidents
    assert own == incident


async def test_minutes_without_a_collector_are_not_known_either(world: World) -> None:
    """Shorter than two slots of five minutes, in a history that is young."""
    world.now = NOON - 1_800
    await world.register("dock")
    world.now = NOON
    held = [made("dock", NOON - 1_800 + at * 5.0) for at in range(360)]
    gap = (NOON - 1_120, NOON - 640)
    samples = [each for each in held if not gap[0] <= each.answer.started_at < gap[1]]
    state = HealthState(health=Health.UP, since=NOON - 1_800)
    events = [changed(NOON - 1_800, Health.UP)]
    await world.writer.append(samples, events, {"dock": state})
    detail = await look(world, range_=Range.H1)
    holes = [part for part in detail.ribbon if part.health is None]
    (hole,) = [part for part in holes if part.start_at > NOON - 1_700]
    assert hole.start_at == pytest.approx(gap[0], abs=60)
    assert hole.end_at == pytest.approx(gap[1], abs=60)


async def test_a_time_without_a_probe_is_not_known(world: World) -> None:
    world.now = NOON - 50_000
    await world.register("dock")
    world.now = NOON
    held = [made("dock", NOON - 50_000 + at * 60.0) for at in range(833)]
    gap = (NOON - 20_000, NOON - 12_000)
    samples = [each for each in held if not gap[0] <= each.answer.started_at < gap[1]]
    events = [changed(NOON - 50_000, Health.UP)]
    state = HealthState(health=Health.UP, since=NOON - 50_000)
    await world.writer.append(samples, events, {"dock": state})
    detail = await look(world)
    (hole,) = [
        part
        for part in detail.ribbon
        if part.health is None and part.start_at > detail.start_at + 600
    ]
    assert hole.start_at == pytest.approx(gap[0], abs=300)
    assert hole.end_at == pytest.approx(gap[1], abs=300)
    quiet = [
        detail.step_at(index)
        for index, step in enumerate(detail.steps)
        if step is None and detail.step_at(index) < NOON - 600
    ]
    assert quiet
    assert all(gap[0] - 600 <= at < gap[1] for at in quiet)


async def test_a_young_history_is_shown_from_its_beginning(world: World) -> None:
    await world.register("dock")
    await world.write(*(made("dock", NOON - 200 + at * 2.0) for at in range(100)))
    detail = await look(world)
    assert detail.young
    assert detail.start_at <= NOON - 200 < detail.start_at + detail.step_s
    assert None not in detail.steps


async def test_the_waterfall_says_of_how_many_answers_it_is(world: World) -> None:
    await world.register("dock")
    samples = [
        made("dock", NOON - 2_000 + at, latency_ms=float(at + 1)) for at in range(1_200)
    ]
    samples.append(made("dock", NOON - 700, latency_ms=5_000.0, cold=True))
    samples.append(made("dock", NOON - 600, kind=ProbeKind.HEALTH))
    await world.write(*samples)
    found = (await look(world)).waterfall
    assert found is not None
    assert not found.whole
    assert found.samples == ANSWERS - 1
    assert found.p95.total_ms == pytest.approx(1_175, rel=0.02)
    assert found.p50.total_ms == pytest.approx(950, rel=0.02)
    assert found.service_p95_ms is None
    rest = dict(found.p50.parts)
    assert rest["rest"] == pytest.approx(found.p50.total_ms)
    assert rest["inference"] is None


async def test_a_step_is_wide_enough_for_rare_questions(world: World) -> None:
    await world.register("dock")
    detail = await look(world)
    assert detail.step_s >= 2 * detail.card.every_s
    assert replace(detail, steps=()).index_of(NOON) is None
