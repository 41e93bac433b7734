"""The grid: pure, so every property is tested over made-up years of time."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolotop.collect.schedule import FIRST_ASK_S, Due, Schedule, spread
from yolotop.model import Deployment, ProbeKind

HEALTH, PREDICT = ProbeKind.HEALTH, ProbeKind.PREDICT
NOW = 10_000.0


def deployment(
    name: str = "cam", *, interval_s: float = 15.0, predict_s: float = 60.0
) -> Deployment:
    return Deployment(
        name, "http://h", interval_s=interval_s, predict_interval_s=predict_s
    )


def walk(
    schedule: Schedule, now: float, until: float, *, took_s: float = 0.0
) -> list[tuple[float, Due]]:
    """Run the schedule as the collector would; every probe takes ``took_s``."""
    started: list[tuple[float, Due]] = []
    ends: list[tuple[float, Due]] = []
    while True:
        planned = schedule.next_at()
        times = [max(now, planned)] if planned is not None else []
        times += [at for at, _ in ends]
        if not times or min(times) > until:
            return started
        now = min(times)
        for end in [end for end in ends if end[0] <= now]:
            ends.remove(end)
            schedule.done(end[1])
        for due in schedule.take(now):
            started.append((now, due))
            ends.append((now + took_s, due))


def test_everybody_is_asked_within_three_seconds_of_a_fresh_start() -> None:
    schedule = Schedule()
    for number in range(200):
        schedule.put(deployment(f"cam-{number}", interval_s=600.0), NOW)
    started = walk(schedule, NOW, NOW + FIRST_ASK_S)
    assert Counter(due.name for _, due in started) == {
        f"cam-{number}": 2 for number in range(200)
    }
    # Spread, not at once: no tenth of the time holds more than a quarter of them.
    tenths = Counter(int((at - NOW) / FIRST_ASK_S * 10) for at, _ in started)
    assert max(tenths.values()) < 100


def test_an_interval_shorter_than_that_bounds_the_first_ask_too() -> None:
    schedule = Schedule()
    schedule.put(deployment(interval_s=0.5, predict_s=0.5), NOW)
    assert {due.kind for _, due in walk(schedule, NOW, NOW + 0.5)} == {HEALTH, PREDICT}


def test_then_the_grid_is_fixed_and_its_phases_fill_the_interval() -> None:
    schedule = Schedule()
    for number in range(300):
        schedule.put(deployment(f"cam-{number}", interval_s=60.0, predict_s=0), NOW)
    walk(schedule, NOW, NOW + 120)
    started = walk(schedule, NOW + 120, NOW + 180)
    assert len(started) == 300
    sixths = Counter(int((at - NOW) % 60 / 10) for at, _ in started)
    assert min(sixths.values()) > 25


def test_the_phase_depends_on_name_and_question_alone() -> None:
    assert spread("cam", HEALTH) == spread("cam", HEALTH)
    assert spread("cam", HEALTH) != spread("cam", PREDICT)
    grids = []
    for start in (NOW, NOW + 1_234.5):
        schedule = Schedule()
        schedule.put(deployment(predict_s=0), start)
        at, _ = walk(schedule, start, start + 100)[-1]
        grids.append(at % 15.0)
    assert grids[0] == pytest.approx(grids[1])


def test_slow_answers_do_not_push_the_grid_back() -> None:
    schedule = Schedule()
    schedule.put(deployment(interval_s=10.0, predict_s=0), NOW)
    at_once = [due.due for _, due in walk(schedule, NOW, NOW + 600, took_s=0.0)]
    other = Schedule()
    other.put(deployment(interval_s=10.0, predict_s=0), NOW)
    slowly = [due.due for _, due in walk(other, NOW, NOW + 600, took_s=9.0)]
    assert slowly == at_once
    assert other.overruns == 0


def test_missed_slots_are_counted_and_never_made_up_for() -> None:
    schedule = Schedule()
    schedule.put(deployment(interval_s=10.0, predict_s=0), NOW)
    (_, first), *_ = walk(schedule, NOW, NOW + 3, took_s=math.inf)
    assert schedule.take(NOW + 95) == []  # still in flight
    schedule.done(first)
    (late,) = schedule.take(NOW + 95)
    # Eight slots have passed, from 16.4 to 86.4 s; the late probe stands for the last.
    assert late.due == pytest.approx(NOW + 16.4, abs=0.01)
    assert late.missed == schedule.overruns == 7
    assert schedule.take(NOW + 96) == []
    schedule.done(late)
    next_at = schedule.next_at()
    assert next_at is not None
    assert NOW + 95 < next_at <= NOW + 105


def test_one_question_of_a_deployment_waits_for_the_other() -> None:
    schedule = Schedule()
    schedule.put(deployment(), NOW)
    (first,) = schedule.take(NOW + 3)
    assert first.kind is PREDICT  # both wait: predictions matter more
    assert schedule.take(NOW + 3) == []
    schedule.done(first)
    (second,) = schedule.take(NOW + 4)
    assert second.kind is HEALTH


def test_predictions_without_pause_do_not_starve_the_liveness_question() -> None:
    schedule = Schedule()
    schedule.put(deployment(interval_s=15.0, predict_s=1.0), NOW)
    started = walk(schedule, NOW, NOW + 300, took_s=2.0)
    kinds = Counter(due.kind for _, due in started)
    assert kinds[HEALTH] >= 19


def test_a_limit_leaves_the_rest_for_the_next_turn_in_order() -> None:
    schedule = Schedule()
    for name in "abcde":
        schedule.put(deployment(name, predict_s=0), NOW)
    first = schedule.take(NOW + 3, limit=2)
    assert schedule.next_at() == -math.inf
    rest = schedule.take(NOW + 3, limit=10)
    assert len(first) == 2
    assert {due.name for due in (*first, *rest)} == set("abcde")
    assert schedule.take(NOW + 3, limit=0) == []
    order = [due.due for due in (*first, *rest)]
    assert order == sorted(order)


def test_asking_soon_leaves_the_grid_where_it_is() -> None:
    schedule, plain = Schedule(), Schedule()
    for each in (schedule, plain):
        each.put(deployment(interval_s=60.0, predict_s=0), NOW)
        walk(each, NOW, NOW + 61)
    schedule.soon("cam", HEALTH, NOW + 62)
    extra, *rest = walk(schedule, NOW + 61, NOW + 300)
    assert extra[0] == NOW + 62
    assert [at for at, _ in rest] == [at for at, _ in walk(plain, NOW + 61, NOW + 300)]
    assert schedule.overruns == 0


def test_asking_soon_never_postpones() -> None:
    schedule = Schedule()
    schedule.put(deployment(interval_s=10.0, predict_s=0), NOW)
    planned = schedule.next_at()
    schedule.soon("cam", HEALTH, NOW + 9)
    schedule.soon("nobody", HEALTH, NOW)
    assert schedule.next_at() == planned


def test_without_an_interval_only_asking_soon_makes_it_due() -> None:
    schedule = Schedule()
    schedule.put(deployment(interval_s=0.0, predict_s=0.0), NOW)
    assert schedule.next_at() is None
    schedule.soon("cam", PREDICT, NOW + 1)
    (due,) = schedule.take(NOW + 50)
    assert (due.kind, due.missed) == (PREDICT, 0)
    schedule.done(due)
    assert schedule.next_at() is None


def test_a_removed_deployment_is_not_asked() -> None:
    schedule = Schedule()
    schedule.put(deployment(), NOW)
    schedule.remove("cam")
    assert "cam" not in schedule
    assert schedule.next_at() is None
    assert schedule.take(NOW + 100) == []


def test_the_end_of_a_replaced_deployments_probe_frees_nothing() -> None:
    schedule = Schedule()
    schedule.put(deployment(), NOW)
    (old,) = schedule.take(NOW + 3)
    schedule.put(deployment(), NOW + 4)
    (new,) = schedule.take(NOW + 8)
    schedule.done(old)
    assert schedule.take(NOW + 8) == []
    schedule.done(new)
    assert len(schedule.take(NOW + 8)) == 1


@settings(max_examples=60, deadline=None)
@given(
    interval=st.floats(0.5, 120.0),
    predict=st.floats(0.5, 120.0),
    took=st.floats(0.0, 200.0),
    start=st.floats(0.0, 1e7),
)
def test_every_slot_is_asked_or_counted_once(
    interval: float, predict: float, took: float, start: float
) -> None:
    schedule = Schedule()
    schedule.put(deployment(interval_s=interval, predict_s=predict), start)
    started = walk(schedule, start, start + 600, took_s=took)
    for one, other in pairwise(started):
        assert other[0] >= one[0] + took - 1e-6  # never two in flight
    for kind, every in ((HEALTH, interval), (PREDICT, predict)):
        mine = [(at, due) for at, due in started if due.kind is kind]
        assert [due.number for _, due in mine] == list(range(len(mine)))
        phase = spread("cam", kind) * every
        first, last = mine[0][0], mine[-1][0]
        slots = math.floor((last - phase) / every) - math.floor((first - phase) / every)
        served = len(mine) - 1 + sum(due.missed for _, due in mine[1:])
        assert abs(served - slots) <= 1  # the first ask is besides the grid
    assert schedule.overruns == sum(due.missed for _, due in started)
