"""Real traffic over a range: the figures now, and a series that fits the charts.

Owns which span a figure is of, and what a P95 is called. Pure; it must not know where
rows are read, nor how they are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from yolotop.model import Traffic
from yolotop.model.traffic import merged

OLD_S: Final = 600.0
"""Figures that are older are not called the traffic of now."""


class P95Kind(StrEnum):
    """What a P95 stands on: the server's buckets, or a source's word."""

    BUCKETS = "buckets"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class Real:
    """Real traffic of one deployment: ``now`` is its newest span.

    ``steps`` are those of the detail's charts, ``None`` where nobody counted.
    """

    now: Traffic
    steps: tuple[Traffic | None, ...] = ()

    def at(self, step: int | None) -> Traffic | None:
        """The figures of a step, or of now."""
        return self.now if step is None else self.steps[step]


def real_of(
    rows: Sequence[Traffic], start_at: float, step_s: float, steps: int
) -> Real | None:
    """Rows, oldest first, shared out to equal steps; ``None`` without any.

    A row belongs to the step in which most of it was counted.
    """
    if not rows or step_s <= 0:
        return None
    shares: list[list[Traffic]] = [[] for _ in range(steps)]
    for row in rows:
        step = int((row.at + row.span_s / 2 - start_at) // step_s)
        if 0 <= step < steps:
            shares[step].append(row)
    return Real(rows[-1], tuple(merged(share) for share in shares))


def p95_of(traffic: Traffic) -> tuple[float, P95Kind] | None:
    """The P95 there is, and what it stands on; ``None``: there is only a mean."""
    if (found := traffic.bucket_p95_ms) is not None:
        return found, P95Kind.BUCKETS
    if traffic.p95_ms is not None:
        return traffic.p95_ms, P95Kind.REPORTED
    return None


def latency_of(traffic: Traffic | None) -> float | None:
    """What a trend of the latency shows: the P95 there is, else the mean."""
    if traffic is None:
        return None
    if (p95 := p95_of(traffic)) is not None:
        return p95[0]
    return traffic.latency.mean_ms if traffic.latency is not None else None


def recent(traffic: Traffic | None, now: float) -> Traffic | None:
    """``traffic`` if it is of now, give or take ten minutes."""
    if traffic is None or now - traffic.end_at > OLD_S:
        return None
    return traffic
