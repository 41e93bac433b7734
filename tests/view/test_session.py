"""Sessions over a real SQLite history: what cards say, and what changes when."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import (
    NOON,
    World,
    by_name,
    check_all,
    check_trend,
    random_samples,
    sample,
)

from yolotop.errors import StoreError
from yolotop.model import (
    Health,
    HealthState,
    Outcome,
    ProbeKind,
    Severity,
)
from yolotop.store.protocol import RequestKind
from yolotop.view.snapshot import CollectorHealth, Figures, Range


async def test_an_empty_history_is_shown_as_empty(world: World) -> None:
    shown = await world.look()
    assert shown.cards == ()
    assert shown.totals == Figures()
    assert shown.change is None
    assert shown.first_at is None
    assert shown.since_at is None
    assert shown.requests_trend.values == ()
    assert shown.collector.health is CollectorHealth.NONE
    assert shown.counts == ()


async def test_a_registered_deployment_without_an_answer_is_unknown(
    world: World,
) -> None:
    await world.register("dock")
    (card,) = (await world.look()).cards
    assert card.health is Health.UNKNOWN
    assert not card.checking
    assert card.last_at is None
    assert card.message == "no answer yet"
    await world.beat()
    (card,) = (await world.look()).cards
    assert card.checking
    world.now += 60
    (card,) = (await world.look()).cards
    assert not card.checking


@pytest.mark.parametrize("range_", Range)
async def test_two_minutes_of_history_have_a_lively_trend(
    world: World, range_: Range
) -> None:
    await world.register("dock", "gate")
    made = random_samples(
        5, names=("dock", "gate"), since_at=NOON - 120, until_at=NOON, n=400
    )
    await world.write(*made)
    shown = await world.look(range_)
    trend = shown.requests_trend
    assert trend.step_s == 5
    assert 24 <= len(trend.values) <= 26
    assert None not in trend.values
    assert shown.since_at == pytest.approx(made[0].answer.started_at, abs=0.01)
    check_trend(shown, made, ("dock", "gate"))
    check_all(shown, made, ("dock", "gate"))
    world.now += 30
    await world.write(sample("dock", world.now - 1, latency_ms=900.0))
    later = await world.look(range_)
    assert len(later.requests_trend.values) >= len(trend.values) + 5
    check_trend(later, world.samples, ("dock", "gate"))


async def test_a_history_of_two_hours_in_a_week_covers_two_hours(world: World) -> None:
    await world.register("dock")
    made = random_samples(
        6, names=("dock",), since_at=NOON - 7_200, until_at=NOON, n=900
    )
    await world.write(*made)
    shown = await world.look(Range.D7)
    assert shown.requests_trend.step_s == 300
    assert 24 <= len(shown.requests_trend.values) <= 25
    check_trend(shown, made, ("dock",))


async def test_without_news_only_the_clock_moves(world: World) -> None:
    await world.register("dock")
    await world.write(sample("dock", NOON - 1))
    await world.beat()
    first = await world.look()
    world.now += 3
    second = await world.look()
    assert second.at == first.at + 3
    assert second.cards is first.cards
    assert second.collector.age_s == 3
    assert replace(second, at=first.at, collector=first.collector) == first


async def test_a_card_that_says_the_same_is_the_same_object(world: World) -> None:
    await world.register("dock", "gate")
    await world.write(sample("dock", NOON - 2), sample("gate", NOON - 2))
    first = by_name(await world.look())
    await world.write(sample("gate", NOON - 1, latency_ms=30.0))
    second = by_name(await world.look())
    assert second["dock"] is first["dock"]
    assert second["gate"] is not first["gate"]
    assert second["gate"].latency_ms == 30.0


async def test_time_alone_moves_the_window(world: World) -> None:
    await world.register("dock")
    await world.write(sample("dock", NOON - 1))
    assert (await world.look(Range.H1)).totals.requests == 1
    world.now += 4_000
    shown = await world.look(Range.H1)
    assert shown.totals.requests == 0
    assert (await world.look(Range.H6)).totals.requests == 1


async def test_rows_dated_in_the_future_do_not_hide_new_ones(world: World) -> None:
    await world.register("dock")
    await world.write(sample("dock", NOON + 90_000, latency_ms=5.0, message="future"))
    await world.look()
    await world.write(
        *(sample("dock", NOON - 3 + i, latency_ms=50.0) for i in range(3)),
        states={"dock": HealthState(health=Health.UP, since=NOON)},
    )
    for shown in (await world.look(), await world.look_afresh()):
        (card,) = shown.cards
        assert shown.totals.requests == 3
        assert card.message == "3 detections"
        assert card.latency_ms == 50.0
        assert card.last_at == NOON - 1
        assert shown.p95_trend.values[-1] == pytest.approx(50.0, rel=0.011)


async def test_removed_deployments_leave_the_totals_and_come_back(
    world: World,
) -> None:
    await world.register("dock", "gate")
    await world.write(sample("dock", NOON - 2), sample("gate", NOON - 2))
    assert (await world.look()).totals.requests == 2
    await world.register("gate")
    shown = await world.look()
    assert shown.totals.requests == 1
    assert [card.name for card in shown.cards] == ["gate"]
    check_trend(shown, world.samples, ("gate",))
    await world.register("dock", "gate")
    check_all(await world.look(), world.samples, ("dock", "gate"))


async def test_states_are_counted_and_active_is_what_can_answer(world: World) -> None:
    states = {
        name: HealthState(health=health, since=NOON - 9, message=f"is {name}")
        for name, health in (
            ("a", Health.UP),
            ("b", Health.DEGRADED),
            ("c", Health.DOWN),
            ("d", Health.COLD),
            ("e", Health.UP),
        )
    }
    await world.register(*states, "f", paused=("e",))
    await world.write(*(sample(name, NOON - 1) for name in states), states=states)
    shown = await world.look()
    assert shown.active == 3
    assert dict(shown.counts) == {
        Health.UP: 1,
        Health.DEGRADED: 1,
        Health.DOWN: 1,
        Health.COLD: 1,
        Health.PAUSED: 1,
        Health.UNKNOWN: 1,
    }
    cards = by_name(shown)
    assert cards["a"].message == "3 detections"
    assert (cards["c"].message, cards["c"].severity) == ("is c", Severity.ERROR)
    assert (cards["b"].message, cards["b"].severity) == ("is b", Severity.WARNING)
    assert (cards["e"].health, cards["e"].message) == (Health.PAUSED, "paused")
    assert cards["c"].since_at == NOON - 9


async def test_the_newest_sixty_predict_answers_are_the_beats(world: World) -> None:
    await world.register("dock")
    made = [
        sample("dock", NOON - 200 + i, latency_ms=10.0 + i, outcome=outcome)
        for i, outcome in enumerate([Outcome.OK, Outcome.FAILED] * 40)
    ]
    await world.write(*made, sample("dock", NOON - 1, kind=ProbeKind.HEALTH))
    (card,) = (await world.look()).cards
    assert [beat.latency_ms for beat in card.beats] == [30.0 + i for i in range(60)]
    assert card.beats[-1].outcome is Outcome.FAILED
    assert card.last_at == NOON - 1
    assert card.latency_ms == 89.0
    assert card.phases.wait == 89.0


async def test_a_starting_face_has_all_beats_at_once(world: World) -> None:
    names = [f"e{n:03}" for n in range(40)]
    await world.register(*names)
    await world.write(
        *(sample(name, NOON - 9_000 + i) for i in range(70) for name in names),
        sample("e007", NOON - 1, latency_ms=99.0),
        sample("e007", NOON, latency_ms=1.0, kind=ProbeKind.HEALTH),
    )
    cards = by_name(await world.look())
    assert {len(card.beats) for card in cards.values()} == {60}
    assert cards["e007"].latency_ms == 99.0
    assert cards["e007"].last_at == NOON
    assert cards["e008"].last_at == NOON - 9_000 + 69


async def test_one_that_is_registered_again_has_its_past(world: World) -> None:
    await world.register("dock", "gate")
    await world.write(sample("dock", NOON - 9), sample("gate", NOON - 8))
    await world.register("gate")
    assert list(by_name(await world.look())) == ["gate"]
    await world.write(sample("gate", NOON - 7))
    await world.register("gate", "dock")
    cards = by_name(await world.look())
    assert (len(cards["dock"].beats), len(cards["gate"].beats)) == (1, 2)


async def test_a_refresh_that_failed_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.register("dock")
    await world.write(sample("dock", NOON - 2))
    await world.look()
    await world.write(sample("dock", NOON - 1, latency_ms=44.0))
    for broken in ("probes_after", "states", "first_at"):
        with monkeypatch.context() as patch:
            patch.setattr(world.reader, broken, _fail)
            with pytest.raises(StoreError):
                await world.look()
    shown = await world.look()
    assert shown.totals.requests == 2
    assert shown.cards[0].latency_ms == 44.0
    assert len(shown.cards[0].beats) == 2


async def _fail(*_: object, **__: object) -> None:
    raise StoreError("the disk is gone")


async def test_a_wish_to_probe_shows_as_checking_until_it_is_done(
    world: World,
) -> None:
    await world.register("dock", "gate")
    await world.write(sample("dock", NOON - 1))
    await world.look()
    wish = await world.reader.leave_request(
        RequestKind.PROBE, deployment="dock", body="", at=NOON
    )
    cards = by_name(await world.look())
    assert cards["dock"].checking
    assert not cards["gate"].checking
    await world.writer.take_requests()
    await world.writer.finish_request(wish, "[]", NOON)
    assert not by_name(await world.look())["dock"].checking


async def test_the_collector_runs_goes_stale_and_stops(world: World) -> None:
    await world.beat()
    assert (await world.look()).collector.health is CollectorHealth.RUNNING
    assert (await world.look()).collector.note == "disk is full"
    world.now += 10.5
    stale = (await world.look()).collector
    assert stale.health is CollectorHealth.STALE
    assert stale.age_s == pytest.approx(10.5)
    await world.beat(stopped_at=world.now)
    assert (await world.look()).collector.health is CollectorHealth.STOPPED
    world.now -= 3_600
    assert (await world.look()).collector.age_s == 0


async def test_a_beat_far_in_the_future_is_no_sign_of_life(world: World) -> None:
    await world.beat()
    world.now -= 3_600
    assert (await world.look()).collector.health is CollectorHealth.STALE


async def test_change_compares_with_the_full_range_before(world: World) -> None:
    await world.register("dock")
    await world.write(*(sample("dock", NOON - 7_400 + i * 60) for i in range(124)))
    assert (await world.look(Range.H24)).change is None
    shown = await world.look(Range.H1)
    assert shown.change == pytest.approx(0.0, abs=0.05)
    assert shown.totals.requests < 60


async def test_a_face_that_was_left_behind_catches_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yolotop.view.history.NEW_PROBES", 50)
    await world.register("dock")
    await world.write(sample("dock", NOON - 500))
    await world.look(Range.H1)
    await world.write(*(sample("dock", NOON - 400 + i) for i in range(120)))
    shown = await world.look(Range.H1)
    check_all(shown, world.samples, ("dock",))
    check_trend(shown, world.samples, ("dock",))
    assert len(shown.cards[0].beats) == 60


async def test_an_hour_busier_than_the_bound_is_shown_in_slots(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yolotop.view.history.MICRO_PROBES", 100)
    await world.register("dock")
    await world.write(*(sample("dock", NOON - 3_000 + i * 5) for i in range(600)))
    shown = await world.look(Range.H1)
    assert shown.requests_trend.step_s == 300
    check_trend(shown, world.samples, ("dock",))
