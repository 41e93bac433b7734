"""What the Platform counts of a deployment: three shapes in, one out.

Owns telling the shapes apart, the error rate, and what becomes of figures that mean
nothing. It must not know how they are asked for or kept.

The shapes are told apart by their keys, never by what was asked for. Nothing says in
which unit ``errorRate``, CPU and memory are, and only zeros were ever captured: so the
error rate is computed from counts or is not known (of a sparkline it never is), and
shares are taken only where CPU and memory together can be nothing else. Where nothing
was asked, a latency of 0 is not one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, TypeAlias

from yolotop.model import Traffic
from yolotop.platform import lenient

SOURCE: Final = "Ultralytics Platform"
MOST_POINTS: Final = 5_000
"""Of a series: 30 days of ten minutes are 4,320."""
HOUR_S: Final = 3_600.0
LEAST_MEMORY: Final = 0.01
"""The share that an instance with a model holds at least."""

Point: TypeAlias = tuple[float, float]
Series: TypeAlias = tuple[Point, ...]


class Shape(StrEnum):
    """Which of the three it was."""

    FULL = "full"
    OVERVIEW = "overview"
    SPARKLINE = "sparkline"


@dataclass(frozen=True, slots=True)
class Metrics:
    """Counts, latencies in milliseconds and series of (seconds since 1970, value).

    ``counts`` are the sparkline's, whose instants nobody tells. ``cpu`` and ``memory``
    are empty where they are no shares.
    """

    shape: Shape
    since_at: float | None = None
    until_at: float | None = None
    total: float | None = None
    failed: float | None = None
    mean_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    requests: Series = ()
    errors: Series = ()
    latency_p50: Series = ()
    latency_p95: Series = ()
    cpu: Series = ()
    memory: Series = ()
    instances: Series = ()
    counts: tuple[float, ...] = ()

    @classmethod
    def read(cls, document: object) -> Metrics | None:
        """``None`` where it is none of the three."""
        found = lenient.table(document)
        if isinstance(found.get("requests24h"), list):
            return _sparkline(found)
        series = found.get("timeSeries")
        if not isinstance(series, Mapping):
            return None
        shape = Shape.FULL if "latencyP50" in series else Shape.OVERVIEW
        return _framed(shape, found, series)

    @property
    def error_rate(self) -> float | None:
        """Failed among all, 0 to 1; ``None`` of nothing, and where nobody counted."""
        if self.failed is None or not self.total:
            return None
        return min(1.0, self.failed / self.total)

    @property
    def weighted_p95_ms(self) -> float | None:
        """The Platform's own way: the mean of its hours' P95s, weighted by requests.

        Not the P95 of all requests; it has to be called what it is.
        """
        asked = dict(self.requests)
        pairs = [(asked.get(at, 0.0), p95) for at, p95 in self.latency_p95]
        weight = sum(count for count, _ in pairs)
        if weight <= 0:
            return None
        return sum(count * p95 for count, p95 in pairs) / weight


def _sparkline(found: lenient.Json) -> Metrics:
    raw = found["requests24h"]
    values = raw if isinstance(raw, list) else []
    counts = [lenient.number({"n": each}, "n") for each in values[:MOST_POINTS]]
    total = lenient.number(found, "totalRequests")
    return Metrics(
        Shape.SPARKLINE,
        total=total,
        mean_ms=_of_some(total, lenient.number(found, "avgLatencyMs")),
        counts=tuple(0.0 if each is None else each for each in counts),
    )


def _framed(shape: Shape, found: lenient.Json, series: lenient.Json) -> Metrics:
    summary = lenient.table(found.get("summary"))
    span = lenient.table(found.get("timeRange"))
    requests, errors = _series(series, "requests"), _series(series, "errors")
    cpu, memory = _shares(
        _series(series, "cpuUtilization"), _series(series, "memoryUtilization")
    )
    total = lenient.number(summary, "totalRequests")
    if total is None and requests:
        total = sum(value for _, value in requests)
    failed = lenient.number(summary, "errorCount")
    if failed is None and (errors or total == 0):
        failed = sum(value for _, value in errors)
    return Metrics(
        shape,
        since_at=lenient.instant(span, "start"),
        until_at=lenient.instant(span, "end"),
        total=total,
        failed=failed,
        mean_ms=_of_some(total, lenient.number(summary, "avgLatencyMs")),
        p50_ms=_of_some(total, lenient.number(summary, "p50LatencyMs")),
        p95_ms=_of_some(total, lenient.number(summary, "p95LatencyMs")),
        p99_ms=_of_some(total, lenient.number(summary, "p99LatencyMs")),
        requests=requests,
        errors=errors,
        latency_p50=_series(series, "latencyP50"),
        latency_p95=_series(series, "latencyP95"),
        cpu=cpu,
        memory=memory,
        instances=_series(series, "instanceCount"),
    )


def _of_some(total: float | None, value: float | None) -> float | None:
    return value if total and value is not None and value > 0 else None


def _series(of: lenient.Json, key: str) -> Series:
    """In the order of time, each instant once."""
    points: dict[float, float] = {}
    for each in lenient.tables(of.get(key)):
        at, value = lenient.instant(each, "timestamp"), lenient.number(each, "value")
        if at is not None and value is not None and value >= 0:
            points[at] = value
        if len(points) >= MOST_POINTS:
            break
    return tuple(sorted(points.items()))


def _shares(cpu: Series, memory: Series) -> tuple[Series, Series]:
    """Both or none of them: what tells one in per cent tells the other so too.

    An idle CPU is below 1 in per cent as well. The memory of an instance that holds a
    model is not (1 % of 2 GiB is 20 MB), so it is what tells the unit; without it only
    zeros are certain.
    """
    most = max((value for _, value in (*cpu, *memory)), default=0.0)
    tells = any(value > LEAST_MEMORY for _, value in memory)
    if most > 1.0 or (most > 0.0 and not tells):
        return (), ()
    return cpu, memory


def traffic_of(metrics: Metrics, deployment: str) -> tuple[Traffic, ...]:
    """The series as rows of :class:`~yolotop.model.Traffic`, one for each step of time.

    A step is as long as the shortest distance between two instants of requests, an
    hour where there is one only; instants that are missing stay missing. The newest
    step may still be filling.
    """
    width_s = _step_s(metrics.requests)
    errors, p95 = dict(metrics.errors), dict(metrics.latency_p95)
    cpu, memory = dict(metrics.cpu), dict(metrics.memory)
    instances = dict(metrics.instances)
    # Where errors are told, an instant that is left out had none; and none is none
    # of any instant.
    told = bool(metrics.errors) or metrics.failed == 0
    rows = []
    for at, asked in metrics.requests:
        until = metrics.until_at
        span_s = width_s if until is None else min(width_s, until - at)
        if span_s <= 0:
            continue
        rows.append(
            Traffic(
                deployment=deployment,
                source=SOURCE,
                at=at,
                span_s=span_s,
                requests=asked,
                errors=min(asked, errors.get(at, 0.0)) if told else None,
                p95_ms=_of_some(asked, p95.get(at)),
                cpu=cpu.get(at),
                memory=memory.get(at),
                instances=instances.get(at),
                width_s=max(1, round(width_s)),
            )
        )
    return tuple(rows)


def _step_s(series: Sequence[Point]) -> float:
    instants = [at for at, _ in series]
    return min(_distances(instants), default=HOUR_S)


def _distances(instants: Sequence[float]) -> Iterable[float]:
    return (b - a for a, b in pairwise(instants))
