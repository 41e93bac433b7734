"""Scales: from values to places, and the ticks that people read.

Owns nice numbers for milliseconds and counts, and nice times of day. Pure; it must
not know what is drawn or with what.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_NICE: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_FINEST: Final = 5
"""Ticks of a linear scale at most; it ends on one of them."""
_LOG_ABOVE: Final = 24.0
"""The greatest ÷ the median from which a linear axis shows nothing but the peak."""
_TIMES_S: Final = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1_800),
    *(3_600, 7_200, 10_800, 14_400, 21_600, 43_200),
    *(86_400, 172_800, 432_000, 604_800),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """``low`` to ``high`` onto 0-1; ``log`` where a peak would flatten the rest."""

    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Where a value lies, 0 at the bottom and 1 at the top, held inside."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = (math.log(max(x, self.low)) for x in (value, low, high))
        if high <= low:
            return 0.0
        return min(1.0, max(0.0, (value - low) / (high - low)))

    def ticks(self, most: int) -> list[float]:
        """At most so many values worth a label, lowest first."""
        if self.log:
            decades = _decades(self.low, self.high)
            stride = max(1, math.ceil(len(decades) / max(1, most)))
            return decades[::stride]
        step = nice_step(self.high - self.low, _FINEST)
        if step <= 0:
            return [self.low]
        count = math.floor((self.high - self.low) / step + 1e-9)
        stride = next(
            (
                each
                for each in range(1, count)
                if count % each == 0 and count // each < most
            ),
            max(1, count),
        )
        return [self.low + number * step for number in range(0, count + 1, stride)]


def nice_step(span: float, most: int) -> float:
    """The least nice step that cuts a span into fewer than ``most`` parts."""
    if span <= 0 or most < 2:
        return max(0.0, span)
    raw = span / (most - 1)
    size = 10.0 ** math.floor(math.log10(raw))
    return next(nice * size for nice in _NICE if nice * size >= raw * (1 - 1e-9))


def _decades(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, 20, …: those of them that lie inside."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    found = [
        nice * 10.0**power
        for power in range(first, last + 1)
        for nice in (1.0, 2.0, 5.0)
    ]
    return [value for value in found if low * 0.999 <= value <= high * 1.001]


def scale_for(values: Iterable[float]) -> Scale:
    """The scale that shows all values: from zero, or logarithmic where it must be."""
    known = sorted(value for value in values if math.isfinite(value) and value > 0)
    if not known:
        return Scale(0.0, 1.0)
    top, middle = known[-1], known[len(known) // 2]
    if top > _LOG_ABOVE * middle:
        return Scale(known[0] * 0.9, top * 1.1, log=True)
    step = nice_step(top, _FINEST)
    return Scale(0.0, max(step, math.ceil(top / step - 1e-9) * step))


def time_ticks(start_at: float, end_at: float, most: int) -> list[float]:
    """At most ``most`` round local times inside a span."""
    span = end_at - start_at
    if span <= 0 or most < 1:
        return []
    step = next((step for step in _TIMES_S if span / step <= most), _TIMES_S[-1])
    # Days begin at local midnight, whatever the offset; its changes move a tick by
    # an hour at most, on one day of the year.
    offset = time.localtime(start_at).tm_gmtoff
    at = math.ceil((start_at + offset) / step) * step - offset
    found = []
    while at < end_at:
        if at >= start_at:
            found.append(float(at))
        at += step
    return found


def time_label(at: float, span_s: float) -> str:
    """``14:10``, or ``Mon 14:00`` and ``Nov 03`` for longer spans."""
    local = time.localtime(at)
    if span_s <= 600:
        return time.strftime("%H:%M:%S", local)
    if span_s <= 86_400 * 1.5:
        return time.strftime("%H:%M", local)
    if span_s <= 86_400 * 8:
        return time.strftime("%a %d" if local.tm_hour == 0 else "%a %H:%M", local)
    return time.strftime("%b %d", local)
