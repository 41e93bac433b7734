"""How far two outlines cover the same ground: masks and oriented boxes.

Owns the overlap of polygons. It must not know what they outline. They are cut into
:data:`LINES` horizontal lines; on each, the covered stretches are exact, inside and
outside by the even-odd rule. Exact clipping of two masks of a few hundred corners that
may cross themselves is a library of its own; this is 0.2 ms for a pair of 200 corners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, hypot, isfinite
from typing import Final, TypeAlias

Outline: TypeAlias = Sequence[tuple[float, float]]

LINES: Final = 48
"""Lines over both outlines. Against exact areas the overlap of two ellipses is off by
at most 0.004 (test), where 0.2 is tolerated."""
MOST_CORNERS: Final = 256
"""An outline with more is thinned: work must be bounded, whatever a server sends."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Areas in square pixels; ``rim`` is the mean length of the two outlines."""

    shared: float
    union: float
    rim: float

    @property
    def iou(self) -> float:
        """Intersection over union, 0-1."""
        return self.shared / self.union if self.union > 0 else 0.0


def thinned(
    outline: Outline, most: int = MOST_CORNERS
) -> tuple[tuple[float, float], ...]:
    """At most ``most`` corners, evenly chosen."""
    count = len(outline)
    if count <= most:
        return tuple(outline)
    return tuple(outline[index * count // most] for index in range(most))


def overlap(one: Outline, other: Outline) -> Overlap:
    """What two outlines cover; nothing for fewer than three corners or a NaN."""
    if not (_sound(one) and _sound(other)):
        return Overlap(0.0, 0.0, 0.0)
    one, other = thinned(one), thinned(other)
    rim = (_length(one) + _length(other)) / 2
    if one == other:
        area = abs(_area(one))
        return Overlap(area, area, rim)
    top = min(y for _, y in (*one, *other))
    height = max(y for _, y in (*one, *other)) - top
    if height <= 0:
        return Overlap(0.0, 0.0, rim)
    step = height / LINES
    shared = union = 0.0
    for mine, theirs in zip(
        _crossings(one, top, step), _crossings(other, top, step), strict=True
    ):
        both = _shared(mine, theirs)
        shared += both
        union += _covered(mine) + _covered(theirs) - both
    return Overlap(shared * step, union * step, rim)


def _sound(outline: Outline) -> bool:
    return len(outline) >= 3 and all(isfinite(x) and isfinite(y) for x, y in outline)


def _crossings(outline: Outline, top: float, step: float) -> list[list[float]]:
    """Where the outline crosses the middle of each line, from left to right."""
    found: list[list[float]] = [[] for _ in range(LINES)]
    x1, y1 = outline[-1]
    for x2, y2 in outline:
        if y1 != y2:
            low, high = (y1, y2) if y1 < y2 else (y2, y1)
            first = max(0, ceil((low - top) / step - 0.5))
            last = min(LINES, ceil((high - top) / step - 0.5))
            slope = (x2 - x1) / (y2 - y1)
            for line in range(first, last):
                found[line].append(x1 + (top + (line + 0.5) * step - y1) * slope)
        x1, y1 = x2, y2
    for line_found in found:
        line_found.sort()
    return found


def _covered(crossed: list[float]) -> float:
    return sum(crossed[1::2]) - sum(crossed[: len(crossed) // 2 * 2 : 2])


def _shared(mine: list[float], theirs: list[float]) -> float:
    total, i, j = 0.0, 0, 0
    while i + 1 < len(mine) and j + 1 < len(theirs):
        left, right = max(mine[i], theirs[j]), min(mine[i + 1], theirs[j + 1])
        total += max(0.0, right - left)
        if mine[i + 1] < theirs[j + 1]:
            i += 2
        else:
            j += 2
    return total


def _area(outline: Outline) -> float:
    x1, y1 = outline[-1]
    total = 0.0
    for x2, y2 in outline:
        total += x1 * y2 - x2 * y1
        x1, y1 = x2, y2
    return total / 2


def _length(outline: Outline) -> float:
    x1, y1 = outline[-1]
    total = 0.0
    for x2, y2 in outline:
        total += hypot(x2 - x1, y2 - y1)
        x1, y1 = x2, y2
    return total
