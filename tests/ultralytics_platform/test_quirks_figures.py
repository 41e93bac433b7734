"""Quirks of the metrics: three shapes, unknown units, gaps: facts §1.2 and §3.2."""

from __future__ import annotations

from typing import Any

import pytest
from stand_in import LIST, Asker, client_of, error

from tests.platform_server import HandClock, PlatformServer
from yolotop.platform.failure import FailureKind, PlatformError
from yolotop.platform.metrics import Shape, traffic_of

METRICS = f"{LIST}/dock/metrics"


async def test_the_full_shape_and_its_sums(server: PlatformServer) -> None:
    """§1.2 A, §3.2: P95 of the day is the mean of its hours', weighted by requests."""
    server.deploy("dock", rate_per_h=120.0, error_share=0.1)
    async with client_of(server) as client:
        found = await client.metrics("dock", "24h")
    assert found.shape is Shape.FULL
    assert found.total == sum(value for _, value in found.requests)
    assert found.error_rate == pytest.approx(0.1, abs=0.05)
    assert found.weighted_p95_ms == pytest.approx(found.p95_ms)
    rows = traffic_of(found, "dock")
    assert sum(row.requests or 0 for row in rows) == found.total
    assert {row.width_s for row in rows} == {3_600}
    # Memory tells that they are shares: so the CPU's are believed.
    assert all(0 < (row.cpu or 0) < 1 for row in rows)
    assert all(0.2 <= (row.memory or 0) <= 0.6 for row in rows)


def test_shapes_are_told_apart_by_their_keys(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2 A, B, C."""
    server.deploy("dock", rate_per_h=120.0)
    full = ask.get(METRICS, view="").json()
    overview = ask.get(METRICS, view="overview").json()
    sparkline = ask.get(METRICS, sparkline="true", range="7d").json()
    assert set(full["summary"]) - set(overview["summary"]) == {
        "errorCount", "avgLatencyMs", "p50LatencyMs", "p99LatencyMs",
    }  # fmt: skip
    assert set(overview["timeSeries"]) == {"requests", "errors", "latencyP95"}
    assert set(full["timeSeries"]) - set(overview["timeSeries"]) == {
        "latencyP50", "cpuUtilization", "memoryUtilization", "instanceCount",
    }  # fmt: skip
    assert full["deploymentId"] == ask.one("dock")["id"]
    # Named 24h, and of a day, whatever range was asked for; no P95 at all.
    assert set(sparkline) == {
        "requests24h", "totalRequests", "errorRate", "avgLatencyMs",
    }  # fmt: skip
    assert len(sparkline["requests24h"]) == 24


async def test_an_idle_one_has_zeros_and_empty_series(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2, captured: [], not zeros; requests24h is [] and not 24 of them."""
    server.deploy("dock")
    async with client_of(server) as client:
        idle = await client.metrics("dock")
        assert (idle.total, idle.requests, idle.p95_ms) == (0, (), None)
    raw = ask.get(METRICS).json()
    assert set(raw["summary"].values()) == {0}
    assert all(series == [] for series in raw["timeSeries"].values())
    assert ask.get(METRICS, sparkline="true").json()["requests24h"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"range": "9y"},
        {"range": "9y", "sparkline": "true"},
        {"range": "9y", "view": "overview"},
        {"sparkline": "yes"},
        {"view": "all"},
    ],
)
def test_a_bad_query(server: PlatformServer, ask: Asker, query: dict[str, str]) -> None:
    """§1.2: 400 in each of the shapes."""
    server.deploy("dock")
    status, words = error(ask.get(METRICS, **query))
    assert (status, words.split()[0]) == (400, "Invalid")


@pytest.mark.parametrize("query", [{}, {"sparkline": "true"}, {"view": "overview"}])
def test_one_that_is_not_ready_has_none(
    server: PlatformServer, ask: Asker, hand: HandClock, query: dict[str, str]
) -> None:
    """§1.2: 400, of one that was never ready, that was stopped, or is starting."""
    dock = server.deploy("dock", rate_per_h=60.0)
    server.deploy("new", ready=False)
    refused = (400, "Deployment is not ready")
    assert error(ask.get(f"{LIST}/new/metrics", **query)) == refused
    assert ask.get(METRICS, **query).status_code == 200
    dock.change("stop", hand.at)
    assert error(ask.get(METRICS, **query)) == refused
    dock.change("start", hand.at)
    assert error(ask.get(METRICS, **query)) == refused


def test_while_it_was_stopped_nothing_was_counted(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§8.4: a gap; steps without traffic are left out here."""
    server.deploy("dock", rate_per_h=600.0)
    stopped_at = hand.at
    ask.patch("dock", action="stop")
    hand.at += 1_200
    ask.patch("dock", action="start")
    hand.at += 600
    series = ask.get(METRICS, range="1h").json()["timeSeries"]["requests"]
    told = {point["timestamp"] for point in series}
    assert "2026-11-25T23:55:00.000Z" in told
    assert not any("T00:01" <= at[10:16] <= "T00:19" for at in told)
    assert "2026-11-26T00:25:00.000Z" in told
    assert stopped_at % 60 == 0


@pytest.mark.parametrize("range_", ["1h", "6h", "24h"])
def test_the_same_hour_is_the_same_however_it_is_asked_for(
    server: PlatformServer, ask: Asker, hand: HandClock, range_: str
) -> None:
    """§8.4: steps are not told; their sums agree, and the past does not change."""
    server.deploy("dock", rate_per_h=240.0, error_share=0.1)

    def of_hour(answer: dict[str, Any], name: str) -> float:
        points = answer["timeSeries"][name]
        return sum(float(p["value"]) for p in points if "T23:" in p["timestamp"])

    found = ask.get(METRICS, range=range_).json()
    day = ask.get(METRICS, range="24h").json()
    for name in ("requests", "errors"):
        assert of_hour(found, name) == of_hour(day, name) > 0
    hand.at += 900
    later = ask.get(METRICS, range="24h").json()
    assert of_hour(later, "requests") == of_hour(day, "requests")


async def test_a_backend_that_is_down(server: PlatformServer) -> None:
    """§1.2: 503."""
    server.deploy("dock")
    server.plane.down.add("metrics")
    async with client_of(server) as client:
        with pytest.raises(PlatformError) as caught:
            await client.metrics("dock")
    assert caught.value.kind is FailureKind.UNAVAILABLE


def test_a_cold_start_by_itself_is_an_error_of_a_quiet_one(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§2.4, consequence 1: the ping counts, and so does the 429 it met."""
    server.deploy("dock")
    hand.at += 1_000
    assert ask.get(f"{LIST}/dock/health").json()["healthy"] is True
    hand.at += 60
    told = ask.get(METRICS, range="1h").json()["summary"]
    assert (told["totalRequests"], told["errorCount"]) == (2, 1)
