"""Trends: a series cut into steps of the clock's grid, and how it compares to before.

Owns how wide a step is and what stands in one that is not full. Pure: it must not know
the store, the clock or how a trend is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from yolotop.view.aggregate import Series
from yolotop.view.snapshot import Figures, Trend
from yolotop.view.tally import Window

MAX_STEPS: Final = 72
_STEPS_S: Final = (
    *(5, 10, 15, 20, 30, 60),
    *(300, 600, 900, 1_800),
    *(3_600, 7_200, 10_800, 14_400, 21_600, 43_200),
)


def step_s(span_s: float, *, width_s: int) -> int:
    """The finest step of whole slots that shows ``span_s`` in :data:`MAX_STEPS`."""
    for step in _STEPS_S:
        if step % width_s == 0 and span_s <= step * MAX_STEPS:
            return step
    return width_s * math.ceil(span_s / (width_s * MAX_STEPS))


@dataclass(frozen=True, slots=True)
class Trends:
    """The three panels' trends: requests a minute, error rate 0-1, P95 in ms."""

    requests: Trend = field(default_factory=Trend)
    errors: Trend = field(default_factory=Trend)
    p95: Trend = field(default_factory=Trend)


def trends(
    series: Series, window: Window, *, step_s: int, since_at: float, now: float
) -> Trends:
    """Trends over the window in steps on the clock's grid (so bars stand still).

    ``since_at`` is when the history begins, inside the first step or before it.

    A step without a request is a gap: nobody asked. Requests are a pace: the first and
    the newest step are not full, and counts would show a dip there that never was.
    """
    first = window.start_at - window.start_at % step_s
    steps: list[Figures] = []
    paces: list[float | None] = []
    before = (0, 0.0)
    for at in range(first, window.end_at, step_s):
        inside = Window(
            max(at, window.start_at), min(at + step_s, window.end_at), window.width_s
        )
        step = series.figures(inside)
        covered_s = min(inside.end_at, now) - max(inside.start_at, since_at)
        steps.append(step)
        paces.append(_pace(step.requests, covered_s, step_s, before))
        before = (step.requests, covered_s)

    def trend(values: Iterable[float | None]) -> Trend:
        return Trend(float(first), float(step_s), tuple(values))

    return Trends(
        requests=trend(paces),
        errors=trend(step.error_rate for step in steps),
        p95=trend(step.p95_ms for step in steps),
    )


def _pace(
    requests: int, covered_s: float, step_s: int, before: tuple[int, float]
) -> float | None:
    """Requests a minute; a step younger than half borrows from the one before.

    Without that, one request in the first second of a step reads as sixty a minute.
    """
    if not requests:
        return None
    if covered_s < step_s / 2:
        requests += before[0]
        covered_s += before[1]
    return requests / max(covered_s, 1.0) * 60


def change(
    requests: int, before: Mapping[str, int], window: Window, *, now: float
) -> float | None:
    """This range's pace ÷ the pace of the full range before it, − 1."""
    earlier = sum(before.values())
    covered_s = min(window.end_at, now) - window.start_at
    if not earlier or covered_s <= 0:
        return None
    return (requests / covered_s) / (earlier / window.seconds) - 1
