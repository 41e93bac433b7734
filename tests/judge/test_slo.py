"""Error budgets: the workbook's table, and that one lost probe never pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.judge.slo import (
    ALARMS,
    MIN_FAILURES_LONG,
    MIN_FAILURES_SHORT,
    WINDOWS_S,
    Counts,
    Objective,
    Urgency,
    budget,
    burn_rate,
    burning,
)

WEEK_S = 7 * 86_400.0
OBJECTIVES = st.builds(
    Objective, st.floats(0.5, 0.99999), st.sampled_from([86_400.0, WEEK_S])
)
COUNTS = st.integers(0, 100_000).flatmap(
    lambda total: st.builds(Counts, st.just(total), st.integers(0, total))
)


def windows(total_per_hour: int, bad: int) -> dict[int, Counts]:
    """``bad`` failures just now in a stream of so many probes an hour."""
    return {
        span_s: Counts(max(bad, total_per_hour * span_s // 3_600), bad)
        for span_s in WINDOWS_S
    }


def test_the_table_is_the_workbooks() -> None:
    assert [(a.long_s, a.short_s, a.rate, a.urgency) for a in ALARMS] == [
        (3_600, 300, 14.4, Urgency.PAGE),
        (6 * 3_600, 1_800, 6.0, Urgency.PAGE),
        (3 * 86_400, 6 * 3_600, 1.0, Urgency.TICKET),
    ]


@pytest.mark.parametrize("per_hour", [1, 4, 60, 120, 360])
@pytest.mark.parametrize("share", [0.9, 0.99, 0.999, 0.99999])
def test_one_lost_probe_never_rings(per_hour: int, share: float) -> None:
    assert burning(windows(per_hour, 1), Objective(share, WEEK_S)) == ()


def test_at_one_a_minute_and_999_three_failures_page() -> None:
    strict = Objective(0.999, 30 * 86_400.0)
    assert burning(windows(60, 2), strict) == ()
    found = burning(windows(60, 3), strict)
    assert found[0].alarm.urgency is Urgency.PAGE
    assert found[0].long_rate == pytest.approx(50.0)


def test_an_outage_that_is_over_stops_ringing() -> None:
    objective = Objective(0.99, WEEK_S)
    now = windows(60, 40)
    assert burning(now, objective)
    over = {**now, 300: Counts(5, 0), 1_800: Counts(30, 0), 21_600: Counts(360, 0)}
    assert burning(over, objective) == ()


@given(OBJECTIVES, st.fixed_dictionaries(dict.fromkeys(WINDOWS_S, COUNTS)))
def test_what_rings_has_failures_and_burns_in_both_windows(
    objective: Objective, found: dict[int, Counts]
) -> None:
    ringing = burning(found, objective)
    for burn in ringing:
        far, near = found[burn.alarm.long_s], found[burn.alarm.short_s]
        assert far.bad >= MIN_FAILURES_LONG
        assert near.bad >= MIN_FAILURES_SHORT
        assert burn.long_rate > burn.alarm.rate
        assert burn.short_rate > burn.alarm.rate
    quiet = [alarm for alarm in ALARMS if alarm not in [b.alarm for b in ringing]]
    for alarm in quiet:
        far, near = found[alarm.long_s], found[alarm.short_s]
        assert (
            far.bad < MIN_FAILURES_LONG
            or near.bad < MIN_FAILURES_SHORT
            or burn_rate(far, objective) <= alarm.rate
            or burn_rate(near, objective) <= alarm.rate
        )


@given(OBJECTIVES, COUNTS, COUNTS)
def test_spent_is_the_mean_of_its_parts_weighted_by_probes(
    objective: Objective, one: Counts, other: Counts
) -> None:
    both = burn_rate(one + other, objective) * (one.total + other.total)
    apart = (
        burn_rate(one, objective) * one.total
        + burn_rate(other, objective) * other.total
    )
    assert both == pytest.approx(apart)


@given(OBJECTIVES, COUNTS)
def test_the_budget_is_gone_exactly_when_the_objective_is_missed(
    objective: Objective, counts: Counts
) -> None:
    found = budget(objective, counts, {}, coverage=1.0)
    if not counts.total:
        assert (found.spent, found.left, found.days_left) == (None, None, None)
        return
    assert found.left is not None
    good = 1 - counts.bad / counts.total
    if abs(good - objective.share) > 1e-9:
        assert (found.left < 0) == (good < objective.share)
    if found.left <= 0:
        assert found.days_left == 0.0
    else:
        assert found.days_left is None  # nothing fails at present


def test_days_left_are_at_the_pace_of_the_last_six_hours() -> None:
    objective = Objective(0.99, WEEK_S)
    now = {21_600: Counts(360, 36)}  # ten times as fast as allowed
    found = budget(objective, Counts(10_000, 50), now, coverage=0.87)
    assert found.spent == pytest.approx(0.5)
    assert found.days_left == pytest.approx(0.5 * 7 / 10)
    assert found.coverage == 0.87
