"""The grid: pure, so every property is tested over made-up years of time."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolotop.collect.schedule import FIRST_ASK_S, LATTICE_S, Due, Schedule, spread
from yolotop.config.advice import ASLEEP_AFTER_S
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


# --- jitter --------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    interval=st.floats(1.0, 600.0),
    jitter=st.floats(0.0, 0.5),
    start=st.floats(0.0, 1e6),
)
def test_jitter_only_delays_and_by_no_more_than_its_share(
    interval: float, jitter: float, start: float
) -> None:
    plain, shaken = Schedule(), Schedule(jitter=jitter)
    for each in (plain, shaken):
        each.put(deployment(interval_s=interval, predict_s=0), start)
    until = start + 30 * interval
    slots = [due.due for _, due in walk(plain, start, until) if due.on_grid]
    moved = [due.due for _, due in walk(shaken, start, until) if due.on_grid]
    assert shaken.overruns == 0
    # The newcomer's first ask stands for a slot near it: they may differ by that one.
    last = slots[-1]
    for at in moved:
        late = (at - last) % interval
        late = min(late, interval if late > interval - 2 * LATTICE_S else late)
        assert late <= jitter * interval + 3 * LATTICE_S or late > interval - 0.05
    assert abs(len(moved) - len(slots)) <= 1


def test_jitter_is_the_same_in_every_run_and_differs_from_slot_to_slot() -> None:
    runs = []
    for _ in range(2):
        schedule = Schedule(jitter=0.2)
        schedule.put(deployment(interval_s=60.0, predict_s=0), NOW)
        runs.append([due.due for _, due in walk(schedule, NOW, NOW + 1_200)])
    assert runs[0] == runs[1]
    gaps = [later - one for one, later in pairwise(runs[0][1:])]
    assert len({round(gap, 3) for gap in gaps}) > 10
    assert all(60 * 0.8 - 0.1 < gap < 60 * 1.2 + 0.1 for gap in gaps)


def test_slots_lie_on_the_lattice() -> None:
    schedule = Schedule(jitter=0.1)
    for number in range(50):
        schedule.put(deployment(f"cam-{number}", predict_s=0), NOW)
    for _, due in walk(schedule, NOW, NOW + 120):
        if due.on_grid:
            steps = due.due / LATTICE_S
            assert steps == pytest.approx(round(steps), abs=1e-6)


# --- hosts ---------------------------------------------------------------------------


def hosted(name: str, host: str, *, asleep: bool = False) -> Deployment:
    return Deployment(
        name,
        f"http://{host}:8000/x",
        interval_s=3_600.0 if asleep else 10.0,
        predict_interval_s=3_600.0 if asleep else 0.0,
        scale_to_zero=asleep,
    )


def test_a_full_host_holds_back_its_own_and_nobody_else() -> None:
    schedule = Schedule(per_host=2)
    for number in range(6):
        schedule.put(hosted(f"slow-{number}", "slow"), NOW)
    schedule.put(hosted("quick", "quick"), NOW)
    first = schedule.take(NOW + 3)
    assert len([due for due in first if due.name != "quick"]) == 2
    assert [due for due in first if due.name == "quick"]
    assert schedule.take(NOW + 3) == []
    assert not schedule.has_ready
    asked = {due.name for due in first}
    running = [due for due in first if due.name != "quick"]
    for _ in range(4):
        schedule.done(running.pop(0))
        (due,) = schedule.take(NOW + 4)
        assert due.name not in asked
        asked.add(due.name)
        running.append(due)
    assert len(asked) == 7


def test_removing_who_was_to_go_next_lets_another_go() -> None:
    schedule = Schedule(per_host=1)
    for name in "abc":
        schedule.put(hosted(name, "slow"), NOW)
    (due,) = schedule.take(NOW + 3)
    schedule.done(due)
    for name in sorted({"a", "b", "c"} - {due.name})[:1]:
        schedule.remove(name)
    (other,) = schedule.take(NOW + 3)
    assert other.name != due.name
    # One that is removed while it is asked leaves its place.
    schedule.remove(other.name)
    schedule.put(hosted("d", "slow"), NOW)
    assert [one.name for one in schedule.take(NOW + 6)] == ["d"]


def test_a_wider_limit_lets_those_go_that_were_held_back() -> None:
    schedule = Schedule(per_host=1)
    for number in range(5):
        schedule.put(hosted(f"cam-{number}", "one"), NOW)
    assert len(schedule.take(NOW + 3)) == 1
    schedule.limit(jitter=0.0, per_host=None)
    assert len(schedule.take(NOW + 3)) == 4


@settings(max_examples=40, deadline=None)
@given(
    hosts=st.lists(st.sampled_from("xyz"), min_size=1, max_size=12),
    per_host=st.integers(1, 3),
    took=st.floats(0.0, 30.0),
)
def test_no_host_ever_has_more_than_its_most_and_nobody_starves(
    hosts: list[str], per_host: int, took: float
) -> None:
    schedule = Schedule(per_host=per_host)
    host_of_name = {f"cam-{n}": host for n, host in enumerate(hosts)}
    for name, host in host_of_name.items():
        schedule.put(hosted(name, host), NOW)
    started = walk(schedule, NOW, NOW + 600, took_s=took)
    for at, _ in started:
        busy = Counter(
            host_of_name[due.name]
            for start, due in started
            if start <= at < start + took
        )
        assert max(busy.values(), default=0) <= per_host
    assert {due.name for _, due in started} == set(host_of_name)


def test_both_questions_of_one_that_sleeps_come_together() -> None:
    schedule = Schedule(jitter=0.05)
    schedule.put(hosted("cam", "h", asleep=True), NOW)
    started = walk(schedule, NOW, NOW + 100 * 3_600, took_s=1.0)
    times = [at for at, _ in started]
    pairs = list(zip(times[::2], times[1::2], strict=False))
    assert len(pairs) >= 10
    assert all(later - one < 1.5 for one, later in pairs)
    quiet = [later[0] - one[1] for one, later in pairwise(pairs[1:])]
    assert min(quiet) > 2 * ASLEEP_AFTER_S
