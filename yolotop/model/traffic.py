"""What a source counts of a deployment's real traffic, over a span of time.

Owns the one shape for all sources: a server's metrics page, a platform's figures. What
a source does not tell is ``None``, never 0. Must not know where it is read, nor how it
is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

Buckets: TypeAlias = tuple[tuple[float, float], ...]
"""Answers by latency: the upper bound in milliseconds, how many lie below it and above
the bound before, in the order of the bounds. An empty one stands only where it bounds
the next from below. The last may be inf."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations as sums: ``sum_ms`` of ``count`` requests."""

    sum_ms: float
    count: float

    @property
    def mean_ms(self) -> float | None:
        """The mean, ``None`` of nothing."""
        return self.sum_ms / self.count if self.count > 0 else None

    def __add__(self, other: Timing) -> Timing:
        return Timing(self.sum_ms + other.sum_ms, self.count + other.count)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What ``source`` counted in ``span_s`` seconds from ``at`` on.

    ``errors`` are among ``requests``. ``latency`` and ``queued`` (the part of it spent
    waiting) are sums; ``buckets`` how the latencies are spread, of a source that tells;
    ``p95_ms`` is the source's own figure, of one that tells nothing better. ``waiting``
    is the greatest number of requests seen in the queue. ``cpu`` and ``memory`` are
    shares 0-1, ``instances`` how many of them serve. ``width_s`` is the grain it is
    kept in: a span is no longer, but of a source that is asked more rarely.
    """

    deployment: str
    source: str
    at: float
    span_s: float
    requests: float | None = None
    errors: float | None = None
    latency: Timing | None = None
    queued: Timing | None = None
    buckets: Buckets = ()
    p95_ms: float | None = None
    waiting: float | None = None
    cpu: float | None = None
    memory: float | None = None
    instances: float | None = None
    width_s: int = 60

    @property
    def end_at(self) -> float:
        """When the span ended."""
        return self.at + self.span_s

    @property
    def per_s(self) -> float | None:
        """Requests a second."""
        if self.requests is None or self.span_s <= 0:
            return None
        return self.requests / self.span_s

    @property
    def error_rate(self) -> float | None:
        """Errors among requests, ``None`` where there were none or nobody tells."""
        if self.errors is None or not self.requests:
            return None
        return min(1.0, max(0.0, self.errors) / self.requests)

    @property
    def bucket_p95_ms(self) -> float | None:
        """P95 as far as the buckets tell: inside of one it is a guess."""
        return quantile(self.buckets, 0.95)


def quantile(buckets: Buckets, q: float) -> float | None:
    """The ``q`` quantile, assuming that answers lie evenly in their bucket.

    As Prometheus estimates it: in the last, endless bucket its lower bound.
    """
    total = sum(count for _, count in buckets)
    if total <= 0:
        return None
    rank, below, floor = q * total, 0.0, 0.0
    for bound, count in buckets:
        if below + count >= rank:
            if math.isinf(bound):
                return floor or None
            return floor + (bound - floor) * (rank - below) / count
        below, floor = below + count, bound
    return floor


def merged(rows: Iterable[Traffic]) -> Traffic | None:
    """Spans of one deployment as one: sums add up, levels weigh by their time.

    ``span_s`` is the time that was measured, gaps left out. ``p95_ms`` becomes the mean
    weighted by requests, which is what a platform shows, and no percentile of anything.
    """
    parts = sorted(rows, key=lambda row: row.at)
    if not parts:
        return None
    last = parts[-1]
    return Traffic(
        last.deployment,
        last.source,
        parts[0].at,
        sum(part.span_s for part in parts),
        _sum(part.requests for part in parts),
        _sum(part.errors for part in parts),
        _timings(part.latency for part in parts),
        _timings(part.queued for part in parts),
        _buckets(part.buckets for part in parts),
        _weighted((part.p95_ms, part.requests or 0.0) for part in parts),
        max((p.waiting for p in parts if p.waiting is not None), default=None),
        _weighted((part.cpu, part.span_s) for part in parts),
        _weighted((part.memory, part.span_s) for part in parts),
        _weighted((part.instances, part.span_s) for part in parts),
        last.width_s,
    )


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _timings(values: Iterable[Timing | None]) -> Timing | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None


def _buckets(several: Iterable[Buckets]) -> Buckets:
    counts: dict[float, float] = {}
    for buckets in several:
        for bound, count in buckets:
            counts[bound] = counts.get(bound, 0.0) + count
    return tuple(sorted(counts.items()))


def _weighted(pairs: Iterable[tuple[float | None, float]]) -> float | None:
    known = [(value, weight) for value, weight in pairs if value is not None]
    weight = sum(weight for _, weight in known)
    if weight <= 0:
        return known[-1][0] if known else None
    return sum(value * share for value, share in known) / weight
