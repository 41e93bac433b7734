"""The pure rules: arrivals, windows that agree, the knee, what counts as a latency."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from yolotop.load.arrivals import Arrivals
from yolotop.load.knee import RISES, Point, knee
from yolotop.load.plan import Level
from yolotop.load.tally import Asked, Ending, Figures, Tally
from yolotop.load.windows import FEWEST, Window, settled

RATES = st.floats(0.01, 1_000, allow_nan=False)

# --- arrivals ------------------------------------------------------------------------


@given(
    rate=RATES, start=st.floats(0, 1e6), length=st.floats(0.1, 30), at=st.floats(0, 1)
)
def test_who_is_due_is_who_was_meant_to_begin(
    rate: float, start: float, length: float, at: float
) -> None:
    arrivals = Arrivals(rate, start, start + length)
    now = start + at * length * 1.5
    due = arrivals.due(now)
    assert due == 0 or arrivals.at(due - 1) <= now
    assert due == 0 or arrivals.at(due - 1) < arrivals.end
    assert arrivals.at(due) > now or arrivals.at(due) >= arrivals.end
    assert abs(due - min(now - start, length) * rate) <= 1 + 1e-6


def test_five_a_second_for_two_seconds_are_ten() -> None:
    arrivals = Arrivals(5.0, 100.0, 102.0)
    assert [round(arrivals.at(n), 6) for n in range(3)] == [100.0, 100.2, 100.4]
    assert arrivals.due(99.9) == 0
    assert arrivals.due(100.0) == 1
    assert arrivals.due(1e9) == 10


def test_those_who_wait_have_waited_since_they_were_meant_to_begin() -> None:
    arrivals = Arrivals(10.0, 0.0, 10.0)
    waited = list(arrivals.waited(2, until=0.5, now=1.5))
    assert waited == pytest.approx([1.3, 1.2, 1.1, 1.0])


# --- windows -------------------------------------------------------------------------


def window(*latencies: float, errors: int = 0) -> Window:
    found = Window(answers=len(latencies) + errors, errors=errors)
    for each in latencies:
        found.latencies.add(each)
    return found


def steady(ms: float, count: int = 50) -> Window:
    return window(*[ms] * count)


@given(
    last=st.lists(st.floats(1, 1e4), min_size=3, max_size=3),
    before=st.lists(st.floats(1, 1e4), max_size=4),
)
def test_settled_is_said_of_the_last_three_alone(
    last: list[float], before: list[float]
) -> None:
    ratio = max(last) / min(last)
    assume(abs(ratio - 1.1) > 1e-9)
    said = settled([steady(ms) for ms in (*before, *last)])
    # All of a window is one value, so the histogram gives it back exactly.
    assert said == (ratio <= 1.1)


def test_two_windows_or_thin_ones_are_not_settled() -> None:
    assert not settled([])
    assert not settled([steady(10), steady(10)])
    assert settled([steady(10)] * 3)
    assert not settled([steady(10), steady(10, FEWEST - 1), steady(10)])


@pytest.mark.parametrize(
    ("good", "bad", "soon", "whole"),
    [
        (10, 10, False, False),
        (9, 11, True, True),
        (0, 19, False, True),
        (1, 3, False, True),
        (0, 3, False, False),
        (0, 0, False, False),
    ],
)
def test_more_than_half_is_refusing(
    good: int, bad: int, soon: bool, whole: bool
) -> None:
    found = window(*[5.0] * good, errors=bad)
    assert found.refuses(whole=False) is soon
    assert found.refuses(whole=True) is whole


# --- the knee ------------------------------------------------------------------------


def saturating(most_per_s: float, alone_ms: float, levels: list[int]) -> list[Point]:
    """A server that works on so much at once; beyond, questions only wait."""
    points = []
    for n in levels:
        per_s = min(n / alone_ms * 1000, most_per_s)
        points.append(Point(per_s, n / per_s * 1000))
    return points


@given(
    workers=st.integers(1, 16),
    alone_ms=st.floats(1, 1_000),
    scale=st.floats(0.01, 100),
)
def test_the_knee_of_a_server_with_so_many_workers(
    workers: int, alone_ms: float, scale: float
) -> None:
    levels = [1, 2, 4, 8, 16, 32]
    points = saturating(workers / alone_ms * 1000, alone_ms, levels)
    found = knee(points)
    assert found is not None
    # The first level that keeps all of them busy, within the 10 % that count as equal.
    expected = next(i for i, n in enumerate(levels) if n * RISES >= workers)
    assert found == expected
    # In other units it is the same one.
    scaled = [Point(p.per_s * scale, p.p95_ms / scale) for p in points]
    assert knee(scaled) == found


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0.1, 1e5)), max_size=8))
def test_a_knee_is_never_the_last_level_and_nothing_beyond_it_answers_more(
    values: list[tuple[float, float]],
) -> None:
    points = [Point(*value) for value in values]
    found = knee(points)
    if found is None:
        return
    assert found < len(points) - 1
    beyond = points[found + 1 :]
    assert all(p.per_s <= points[found].per_s * RISES for p in beyond)
    assert beyond[-1].p95_ms > points[found].p95_ms


def test_the_knee_of_an_open_loop_is_the_last_rate_that_was_held() -> None:
    """A server of 66 a second, asked for 20, 40, 80 and 100."""
    points = [
        Point(20, 33, 20),
        Point(39.8, 38, 40),
        Point(65.2, 671, 80),
        Point(65.5, 1_300, 100),
    ]
    assert knee(points) == 1
    # Where the first was not held either there is no rate to name.
    assert knee(points[2:]) is None
    assert knee(points[:2]) is None


def test_no_knee_where_throughput_rises_or_nothing_gets_worse() -> None:
    assert knee([]) is None
    assert knee([Point(10, 5)]) is None
    assert knee([Point(n * 10, 5) for n in (1, 2, 4, 8)]) is None
    assert knee([Point(10, 5), Point(10, 5), Point(10, 5)]) is None
    # A hollow on the way up is no knee.
    assert knee([Point(10, 5), Point(9, 9), Point(40, 12)]) is None


# --- what counts ---------------------------------------------------------------------


def figures(tally: Tally) -> Figures:
    return tally.figures(
        Level(1), Ending.TIME, seconds=2.0, requests=9, own_cpu=0.1, windows=1
    )


def test_a_wait_before_the_question_is_part_of_its_latency() -> None:
    tally = Tally()
    tally.add(Asked(10.0, server_ms=4.0), waited_ms=90.0)
    found = figures(tally)
    assert found.latency[0] is not None
    assert found.latency[0].ms == 100.0
    assert found.service[0] is not None
    assert found.service[0].ms == 10.0
    assert found.server_p50_ms == 4.0
    assert found.per_s == 0.5


def test_a_timeout_is_a_bound_and_a_quick_refusal_no_latency() -> None:
    tally = Tally()
    for _ in range(90):
        tally.add(Asked(10.0), waited_ms=0.0)
    for _ in range(10):
        tally.add(Asked(1_000.0, "timeout", "timed out", timed_out=True), waited_ms=0)
    for _ in range(500):
        tally.add(Asked(0.2, "connect", "refused"), waited_ms=0.0)
    found = figures(tally)
    p50, p95, p99, most = found.latency
    assert p50 is not None
    assert p95 is not None
    assert p99 is not None
    assert p50.ms == pytest.approx(10.0, rel=0.02)
    assert p95.ms == pytest.approx(1_000, rel=0.02)
    assert [p50.at_least, p95.at_least] == [False, True]
    assert p99.at_least
    assert most is not None
    assert most.ms == 1_000
    assert found.failed == 510
    assert dict(found.errors) == {"connect": 500, "timeout": 10}
    assert dict(found.messages)["connect"] == "refused"


def test_those_never_sent_are_in_the_percentiles() -> None:
    tally = Tally()
    for _ in range(80):
        tally.add(Asked(10.0), waited_ms=0.0)
    for _ in range(20):
        tally.leave_unsent(5_000.0)
    found = figures(tally)
    assert found.unsent == 20
    assert found.latency[1] is not None
    assert found.latency[1].at_least
    assert found.latency[1].ms == 5_000.0
    # From when they began there is nothing to say of them.
    assert found.service[3] is not None
    assert found.service[3].ms == 10.0


def test_nothing_measured_is_nothing_said() -> None:
    found = figures(Tally())
    assert found.latency == (None, None, None, None)
    assert found.per_s == 0
    assert found.late_p99_ms is None
    assert math.isfinite(found.own_cpu)
