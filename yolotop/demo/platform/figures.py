"""What the Platform counts of a deployment: made up from its life, in its three shapes.

Owns the series and the summaries. It must not know who asks. Steps are chosen, since
nobody tells the Platform's: a minute for an hour, five for six, an hour for more. Steps
without traffic are left out, so that a gap is seen to be treated as one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from yolotop.demo.platform.limits import iso
from yolotop.demo.platform.lines import BadQueryError
from yolotop.demo.platform.world import Deployment

RANGES_S: Final = {
    "1h": 3_600,
    "6h": 21_600,
    "24h": 86_400,
    "7d": 604_800,
    "30d": 2_592_000,
}
STEPS_S: Final = {"1h": 60, "6h": 300}


@dataclass(frozen=True, slots=True)
class Step:
    """What was counted from ``at`` on."""

    at: float
    requests: int
    errors: int
    p50_ms: float
    p95_ms: float
    cpu: float


def steps(deployment: Deployment, range_: str, now: float) -> list[Step]:
    """Oldest first, from the deployment's first ready on. Raises BadQueryError."""
    if range_ not in RANGES_S:
        raise BadQueryError(f"Invalid range: {range_}")
    width = STEPS_S.get(range_, 3_600)
    if deployment.deployed_at is None or deployment.rate_per_h <= 0:
        return []
    since = max(now - RANGES_S[range_], deployment.deployed_at)
    until = now if deployment.state == "ready" else deployment.since_at
    first = int(since // width) * width
    found = []
    for at in range(first, int(until) + 1, width):
        # The same step is the same whenever it is asked for; the open one fills.
        dice = random.Random(f"{deployment.id}{at}{width}")  # noqa: S311 - data
        share = min(1.0, max(0.0, (until - at) / width))
        asked = round(dice.uniform(0.7, 1.3) * deployment.rate_per_h * width / 3_600)
        asked = round(asked * share)
        if asked:
            failed = sum(dice.random() < deployment.error_share for _ in range(asked))
            p50 = deployment.p50_ms * dice.uniform(0.9, 1.1)
            p95 = p50 * dice.uniform(1.6, 2.2)
            found.append(Step(at, asked, failed, p50, p95, dice.uniform(0.2, 0.6)))
    return found


def metrics(
    deployment: Deployment, query: dict[str, str], now: float
) -> dict[str, object]:
    """One of the three shapes. Raises BadQueryError."""
    range_ = query.get("range", "24h")
    if query.get("sparkline") == "true":
        return _sparkline(steps(deployment, "24h", now), now)
    found = steps(deployment, range_, now)
    asked, failed = sum(s.requests for s in found), sum(s.errors for s in found)
    overview = query.get("view") == "overview"
    summary: dict[str, object] = {
        "totalRequests": asked,
        "errorRate": failed / asked if asked else 0,
        "p95LatencyMs": _mean(found, "p95_ms"),
    }
    series: dict[str, object] = {
        "requests": _series(found, "requests"),
        "errors": _series([step for step in found if step.errors], "errors"),
        "latencyP95": _series(found, "p95_ms"),
    }
    if not overview:
        p50 = _mean(found, "p50_ms")
        more = {"avgLatencyMs": p50 * 1.1, "p50LatencyMs": p50, "errorCount": failed}
        summary |= {**more, "p99LatencyMs": _mean(found, "p95_ms") * 1.3}
        series |= {
            "latencyP50": _series(found, "p50_ms"),
            "cpuUtilization": _series(found, "cpu"),
            "memoryUtilization": [],
            "instanceCount": [_point(step.at, 1) for step in found],
        }
    start = iso(now - RANGES_S[range_])
    return {
        "deploymentId": deployment.id,
        "region": deployment.region,
        "timeRange": {"start": start, "end": iso(now)},
        "summary": summary,
        "timeSeries": series,
    }


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
        "avgLatencyMs": _mean(found, "p50_ms") * 1.1,
    }


def _mean(found: list[Step], name: str) -> float:
    asked = sum(step.requests for step in found)
    total = sum(step.requests * float(getattr(step, name)) for step in found)
    return total / asked if asked else 0.0


def _series(found: list[Step], name: str) -> list[dict[str, object]]:
    return [_point(step.at, getattr(step, name)) for step in found]


def _point(at: float, value: float) -> dict[str, object]:
    return {"timestamp": iso(at), "value": value}
