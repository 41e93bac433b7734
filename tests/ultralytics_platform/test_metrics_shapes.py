"""Three shapes, told apart by their keys; counts and units that are never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.platform.metrics import SOURCE, Metrics, Shape, traffic_of

HOURS = [f"2026-11-26T{hour:02}:00:00Z" for hour in range(4)]
AT = 1_795_651_200.0


def series(*values: float | None) -> list[dict[str, Any]]:
    """One an hour; ``None`` is an hour that is left out."""
    return [
        {"timestamp": at, "value": value}
        for at, value in zip(HOURS, values, strict=False)
        if value is not None
    ]


def full(**more: Any) -> dict[str, Any]:
    return {
        "deploymentId": "1",
        "region": "eu",
        "timeRange": {"start": HOURS[0], "end": "2026-11-26T02:30:00Z"},
        "summary": {
            "totalRequests": 400,
            "errorCount": 10,
            "errorRate": 2.5,
            "avgLatencyMs": 50,
            "p50LatencyMs": 40,
            "p95LatencyMs": 90,
            "p99LatencyMs": 120,
        },
        "timeSeries": {
            "requests": series(100, 0, 300),
            "errors": series(10),
            "latencyP50": series(30, 0, 45),
            "latencyP95": series(80, 0, 100),
            "cpuUtilization": series(0.2, 0.0, 0.9),
            "memoryUtilization": series(0.3, 0.0, 0.4),
            "instanceCount": series(1, 0, 1),
        },
        **more,
    }


def read(document: object) -> Metrics:
    found = Metrics.read(document)
    assert found is not None
    return found


def test_the_full_shape() -> None:
    found = read(full())
    assert found.shape is Shape.FULL
    assert (found.total, found.failed, found.p95_ms) == (400, 10, 90)
    # From counts: the rate itself comes without a unit (2.5 of what?).
    assert found.error_rate == pytest.approx(0.025)


def test_the_platforms_own_p95_is_the_weighted_mean_of_its_hours() -> None:
    found = read(full())
    assert found.weighted_p95_ms == pytest.approx((100 * 80 + 300 * 100) / 400)
    assert read(full(timeSeries={"requests": [], "errors": []})).weighted_p95_ms is None


def utilisation(cpu: Any, memory: Any) -> tuple[list[float], list[float]]:
    told = full()
    told["timeSeries"] |= {"cpuUtilization": cpu, "memoryUtilization": memory}
    found = read(told)
    return [value for _, value in found.cpu], [value for _, value in found.memory]


def test_utilisation_is_kept_where_both_can_only_be_shares() -> None:
    assert utilisation(series(0.2, 0.0), series(0.3)) == ([0.2, 0.0], [0.3])
    assert utilisation(series(0.0, 0.0), []) == ([0.0, 0.0], [])


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [
        (series(0.2), series(20)),
        (series(20), series(0.3)),
        (series(0.4), []),
        (series(0.4), series(0.0)),
    ],
    ids=["memory in per cent", "cpu in per cent", "cpu alone", "no instance"],
)
def test_utilisation_that_may_be_in_per_cent_is_left_out(cpu: Any, memory: Any) -> None:
    """An idle CPU in per cent is below 1 too; of 0.4 nobody can say what it is."""
    assert utilisation(cpu, memory) == ([], [])


def test_the_overview_counts_its_errors_from_the_series() -> None:
    """view=overview has no errorCount."""
    told = full(
        summary={"totalRequests": 400, "errorRate": 7, "p95LatencyMs": 95},
        timeSeries={
            "requests": series(100, 0, 300),
            "errors": series(4, 0, 6),
            "latencyP95": series(80, 0, 100),
        },
    )
    found = read(told)
    assert found.shape is Shape.OVERVIEW
    assert found.error_rate == pytest.approx(10 / 400)


@pytest.mark.parametrize("counts", [[], [0] * 24, [1, 2, 3]])
def test_the_sparkline_has_neither_p95_nor_an_error_rate_to_trust(
    counts: list[int],
) -> None:
    """sparkline=true: requests24h, whatever range was asked for; it may be empty."""
    told = {
        "requests24h": counts,
        "totalRequests": sum(counts),
        "errorRate": 3,
        "avgLatencyMs": 12,
    }
    found = read(told)
    assert found.shape is Shape.SPARKLINE
    assert found.counts == tuple(counts)
    assert (found.p95_ms, found.error_rate) == (None, None)
    assert found.mean_ms == (12 if sum(counts) else None)


def test_an_idle_endpoint_has_no_latency_of_zero() -> None:
    """An idle endpoint answers with zeros and empty series."""
    told = full(
        summary=dict.fromkeys(full()["summary"], 0),
        timeSeries={key: [] for key in full()["timeSeries"]},
    )
    found = read(told)
    assert (found.total, found.failed) == (0, 0)
    assert (found.error_rate, found.p50_ms, found.p95_ms, found.mean_ms) == (None,) * 4
    assert traffic_of(found, "dock") == ()


def test_series_become_traffic_step_by_step_and_gaps_stay() -> None:
    told = full()
    told["timeSeries"]["requests"] = series(100, None, 300, None)
    rows = traffic_of(read(full()), "dock")
    assert [(row.at - AT, row.span_s, row.requests) for row in rows] == [
        (0, 3600, 100), (3600, 3600, 0), (7200, 1800, 300),
    ]  # fmt: skip
    assert {row.source for row in rows} == {SOURCE}
    assert [row.errors for row in rows] == [10, 0, 0]
    assert [row.p95_ms for row in rows] == [80, None, 100]
    assert [row.cpu for row in rows] == [0.2, 0.0, 0.9]
    assert [row.memory for row in rows] == [0.3, 0.0, 0.4]
    gap = traffic_of(read(told), "dock")
    assert [row.at - AT for row in gap] == [0, 7200]


def test_no_error_at_all_is_none_at_any_instant_and_an_untold_one_is_not_zero() -> None:
    told = full()
    told["timeSeries"]["errors"] = []
    assert {row.errors for row in traffic_of(read(told), "dock")} == {None}
    told["summary"]["errorCount"] = 0
    assert {row.errors for row in traffic_of(read(told), "dock")} == {0.0}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["summary", "timeSeries", "requests", "errors", "latencyP50", "timestamp",
             "latencyP95", "value", "totalRequests", "requests24h", "timeRange", "end",
             "errorCount", "cpuUtilization"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_nothing_that_is_json_breaks_it(document: object) -> None:
    found = Metrics.read(document)
    if found is None:
        return
    rate = found.error_rate
    assert rate is None or 0 <= rate <= 1
    for row in traffic_of(found, "x"):
        assert row.span_s > 0
        assert row.requests is not None
        assert row.errors is None or row.errors <= row.requests
