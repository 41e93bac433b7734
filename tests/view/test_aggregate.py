"""Sums over slots: the same whichever way they are added up."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.judge.histogram import ExpHistogram
from yolotop.view.aggregate import Ledger, Series
from yolotop.view.snapshot import Range
from yolotop.view.steps import MAX_STEPS, change, step_s, trends
from yolotop.view.tally import Tally, Window, summed


def tally(requests: int, *, failed: int = 0, cold: int = 0, ms: float = 20.0) -> Tally:
    """``requests`` probes, the failed and cold ones without a latency."""
    histogram = ExpHistogram()
    if requests - failed - cold:
        histogram.add(ms, requests - failed - cold)
    return Tally(requests, failed, cold, histogram)


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [(0.0, -3_300, 300), (299.999, -3_300, 300), (300.0, -3_000, 600)],
)
def test_a_window_is_the_newest_whole_slots_the_current_one_included(
    now: float, start: int, end: int
) -> None:
    window = Window.ending_now(now, seconds=3_600, width_s=300)
    assert (window.start_at, window.end_at) == (start, end)
    assert len(window.starts()) == 12


_slots = st.dictionaries(
    st.integers(-5, 60).map(lambda index: index * 300), st.integers(1, 9), max_size=60
)


@given(_slots, st.integers(-10, 60), st.integers(0, 70), st.data())
def test_blocks_change_no_total(
    rows: dict[int, int], first: int, length: int, data: st.DataObject
) -> None:
    """Totals asked for between writes, forgetting included, equal the plain sum."""
    series, window = Series(300), Window(first * 300, (first + length) * 300, 300)
    for start, requests in rows.items():
        series.put(start, tally(requests, ms=start + 2_000.0))
        if data.draw(st.booleans()):
            series.total(window)
    forgotten = data.draw(st.integers(-6, 60)) * 300
    if data.draw(st.booleans()):
        series.forget_before(forgotten)
        rows = {start: n for start, n in rows.items() if start >= forgotten}
    inside = {s: n for s, n in rows.items() if window.start_at <= s < window.end_at}
    expected = summed(tally(n, ms=start + 2_000.0) for start, n in inside.items())
    assert series.total(window) == expected


def test_a_replaced_slot_counts_once() -> None:
    ledger = Ledger(300, {"a", "b"})
    window = Window(0, 3_600, 300)
    for requests in (1, 5):
        ledger.put("a", 0, tally(requests))
        ledger.put("b", 300, tally(2))
        assert ledger.fleet().total(window).requests == requests + 2
        assert ledger.figures("a", window).requests == requests


def test_what_is_known_by_the_block_alone_counts() -> None:
    """The store's own sums stand in for slots; slots that come replace them."""
    ledger, window = Ledger(300, {"a", "b"}), Window(0, 7_200, 300)
    ledger.put_block("a", 0, tally(60))
    ledger.put("b", 3_600, tally(5))
    assert ledger.figures("a", window).requests == 60
    assert ledger.fleet().figures(window).requests == 65
    ledger.put_block("b", 0, tally(7))
    assert ledger.fleet().figures(window).requests == 72
    for start in range(0, 3_600, 300):
        ledger.put("a", start, tally(6))
    assert ledger.figures("a", window).requests == 72
    assert ledger.figures("a", Window(300, 7_200, 300)).requests == 66


def test_what_left_the_fleet_is_in_no_sum() -> None:
    ledger = Ledger(300, {"a"})
    ledger.put("gone", 0, tally(9))
    ledger.put("a", 0, tally(1))
    assert ledger.fleet().total(Window(0, 300, 300)).requests == 1


def test_figures_that_did_not_change_are_the_same_object() -> None:
    ledger, window = Ledger(300, {"a"}), Window(0, 3_600, 300)
    ledger.put("a", 0, tally(1))
    first = ledger.figures("a", window)
    assert ledger.figures("a", window) is first
    ledger.put("a", 0, tally(2))
    assert ledger.figures("a", window).requests == 2
    assert ledger.figures("a", Window(300, 3_900, 300)).requests == 0


def test_figures_without_requests_claim_nothing() -> None:
    figures = Tally().figures()
    assert figures.error_rate is None
    assert figures.p95_ms is None
    assert tally(4, failed=4).figures().error_rate == 1.0
    assert tally(4, failed=4).figures().p95_ms is None
    assert tally(4, cold=4).figures().error_rate == 0.0


@pytest.mark.parametrize(
    ("span_s", "width_s", "step"),
    [
        (1, 5, 5),
        (120, 5, 5),
        (361, 5, 10),
        (3_600, 5, 60),
        (Range.H6.seconds, 300, 300),
        (Range.H24.seconds, 300, 1_800),
        (Range.D7.seconds, 3_600, 10_800),
        (Range.D30.seconds, 3_600, 43_200),
        (400 * 86_400, 3_600, 482_400),
    ],
)
def test_a_step_suits_the_span(span_s: float, width_s: int, step: int) -> None:
    assert step_s(span_s, width_s=width_s) == step


@given(st.floats(0.0, 1e8), st.sampled_from([5, 300, 3_600]))
def test_a_step_is_whole_slots_and_never_too_many(span_s: float, width_s: int) -> None:
    step = step_s(span_s, width_s=width_s)
    assert step % width_s == 0
    assert span_s <= step * MAX_STEPS


def test_every_range_has_a_trend_of_48_to_72_steps() -> None:
    for range_, width_s in (
        (Range.H1, 5),
        (Range.H6, 300),
        (Range.H24, 300),
        (Range.D7, 3_600),
        (Range.D30, 3_600),
    ):
        steps = range_.seconds / step_s(range_.seconds, width_s=width_s)
        assert 48 <= steps <= 72


def test_a_steady_fleet_has_a_level_trend_to_its_very_ends() -> None:
    """Neither the first step, cut by the window, nor the filling newest dips."""
    series = Series(300)
    for start in range(0, 86_400, 300):
        series.put(start, tally(30))
    now = 86_400.0 - 150
    series.put(86_100, tally(15))
    window = Window(900, 86_400, 300)
    shown = trends(series, window, step_s=1_800, since_at=900.0, now=now)
    assert shown.requests.start_at == 0
    assert len(shown.requests.values) == 48
    assert [pace and round(pace, 6) for pace in shown.requests.values] == [6.0] * 48
    assert set(shown.errors.values) == {0.0}


def test_a_request_in_the_first_second_of_a_step_is_no_rush() -> None:
    series = Series(5)
    series.put(0, tally(5))
    series.put(60, tally(1))
    shown = trends(
        series, Window(0, 65, 5), step_s=60, since_at=0.0, now=61.0
    ).requests.values
    assert shown[0] == 5.0
    assert shown[1] == pytest.approx(6 / 61 * 60)


def test_a_time_without_measurements_is_a_gap() -> None:
    series = Series(300)
    series.put(0, tally(2, failed=1))
    series.put(900, tally(2, failed=2))
    shown = trends(series, Window(0, 1_200, 300), step_s=300, since_at=0.0, now=1_200.0)
    assert shown.requests.values == (0.4, None, None, 0.4)
    assert shown.errors.values == (0.5, None, None, 1.0)
    assert shown.p95.values == (20.0, None, None, None)


@pytest.mark.parametrize("seed", range(5))
def test_steps_hold_all_the_window_holds(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - made-up data
    series = Series(300)
    for start in range(0, 200_000, 300):
        series.put(start, tally(draw.randrange(1, 9), failed=draw.randrange(2)))
    window = Window.ending_now(190_000.0, seconds=86_400, width_s=300)
    shown = trends(
        series, window, step_s=1_800, since_at=window.start_at, now=window.end_at
    )
    values = shown.requests.values
    first_s = 1_800 - window.start_at % 1_800
    last_s = window.end_at % 1_800 or 1_800
    covered = [first_s, *[1_800] * (len(values) - 2), last_s]
    if last_s >= 900:
        total = sum(v / 60 * s for v, s in zip(values, covered, strict=True) if v)
        assert total == pytest.approx(series.total(window).requests)


def test_a_change_compares_paces() -> None:
    window = Window(3_600, 7_200, 300)
    assert change(30, {"a": 60}, window, now=5_400.0) == pytest.approx(0.0)
    assert change(66, {"a": 40, "b": 20}, window, now=7_200.0) == pytest.approx(0.1)
    assert change(5, {}, window, now=7_200.0) is None
