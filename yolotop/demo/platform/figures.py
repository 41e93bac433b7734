"""What the Platform counts of a deployment, in its three shapes.

Owns the series and the summaries. It must not know who asks. Steps are chosen, since
nobody tells the Platform's: a minute for an hour, five for six, an hour for more. Steps
without traffic are left out, so that a gap is seen to be treated as one. Utilisation is
told in shares of 0 to 1, also a choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yolotop.demo.platform.deployment import Deployment
from yolotop.demo.platform.limits import iso
from yolotop.demo.platform.lines import BadQueryError
from yolotop.demo.platform.traffic import Step

RANGES_S: Final = {
    "1h": 3_600,
    "6h": 21_600,
    "24h": 86_400,
    "7d": 604_800,
    "30d": 2_592_000,
}
STEPS_S: Final = {"1h": 60, "6h": 300}
DAY_S: Final = 86_400


def steps(deployment: Deployment, range_: str, now: float) -> list[Step]:
    """Oldest first, those with traffic."""
    width = STEPS_S.get(range_, 3_600)
    first = int((now - RANGES_S[range_]) // width) * width
    found = (
        deployment.step(at, width, now) for at in range(first, int(now) + 1, width)
    )
    return [step for step in found if step is not None]


def metrics(
    deployment: Deployment, query: Mapping[str, str], now: float
) -> dict[str, object]:
    """One of the three shapes. Raises BadQueryError, whichever was asked for."""
    range_, view = query.get("range", "24h"), query.get("view", "")
    sparkline = query.get("sparkline", "false")
    if range_ not in RANGES_S:
        raise BadQueryError(f"Invalid range: {range_}")
    if sparkline not in ("true", "false"):
        raise BadQueryError(f"Invalid sparkline: {sparkline}")
    if view not in ("", "overview"):
        raise BadQueryError(f"Invalid view: {view}")
    if sparkline == "true":
        return _sparkline(steps(deployment, "24h", now), now)
    found = steps(deployment, range_, now)
    summary, series = _overview(found) if view else _full(found)
    start = iso(now - RANGES_S[range_])
    return {
        "deploymentId": deployment.id,
        "region": deployment.region,
        "timeRange": {"start": start, "end": iso(now)},
        "summary": summary,
        "timeSeries": series,
    }


def _overview(found: list[Step]) -> tuple[dict[str, object], dict[str, object]]:
    asked, failed = sum(s.requests for s in found), sum(s.errors for s in found)
    summary: dict[str, object] = {
        "totalRequests": asked,
        "errorRate": failed / asked if asked else 0,
        # The mean of its steps' P95s by their requests: no true P95 of all requests.
        "p95LatencyMs": _mean(found, "p95_ms"),
    }
    series: dict[str, object] = {
        "requests": _series(found, "requests"),
        "errors": _series([step for step in found if step.errors], "errors"),
        "latencyP95": _series(found, "p95_ms"),
    }
    return summary, series


def _full(found: list[Step]) -> tuple[dict[str, object], dict[str, object]]:
    summary, series = _overview(found)
    summary |= {
        "errorCount": sum(step.errors for step in found),
        "avgLatencyMs": _mean(found, "mean_ms"),
        "p50LatencyMs": _mean(found, "p50_ms"),
        "p99LatencyMs": _mean(found, "p99_ms"),
    }
    series |= {
        "latencyP50": _series(found, "p50_ms"),
        "cpuUtilization": _series(found, "cpu"),
        "memoryUtilization": _series(found, "memory"),
        "instanceCount": [_point(step.at, 1) for step in found],
    }
    return summary, series


def _sparkline(found: list[Step], now: float) -> dict[str, object]:
    by_hour = {int(step.at // 3_600): step.requests for step in found}
    last = int(now // 3_600)
    counts = [by_hour.get(hour, 0) for hour in range(last - 23, last + 1)]
    asked, failed = sum(counts), sum(step.errors for step in found)
    return {
        # An idle endpoint has an empty list, not 24 zeros.
        "requests24h": counts if asked else [],
        "totalRequests": asked,
        "errorRate": failed / asked if asked else 0,
        "avgLatencyMs": _mean(found, "mean_ms"),
    }


def _mean(found: list[Step], name: str) -> float:
    asked = sum(step.requests for step in found)
    total = sum(step.requests * float(getattr(step, name)) for step in found)
    return total / asked if asked else 0.0


def _series(found: list[Step], name: str) -> list[dict[str, object]]:
    return [_point(step.at, getattr(step, name)) for step in found]


def _point(at: float, value: float) -> dict[str, object]:
    return {"timestamp": iso(at), "value": value}
