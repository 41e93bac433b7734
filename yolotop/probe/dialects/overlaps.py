"""Which of boxes that lie on each other stays, without numpy.

Owns suppression, upright and turned, and what a found box is. Must not know heads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST_DETECTIONS: Final = 300
"""As in ultralytics."""

MOST_COMPARED: Final = 3_000
"""Boxes that overlaps are looked for among, the best first. A model at work leaves some
dozens; all of 8,400 against each other would take a second."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Found:
    """One thing in the input's pixels; ``rest`` is what follows the classes."""

    score: float
    kind: int
    at: Box
    rest: tuple[float, ...] = ()


def apart(
    found: list[Found], iou: float, likeness: Callable[[Found, Found], float]
) -> list[Found]:
    """Greedy suppression within each class, best first."""
    kept: list[Found] = []
    of_kind: dict[int, list[Found]] = {}
    for one in found[:MOST_COMPARED]:
        same = of_kind.setdefault(one.kind, [])
        if all(likeness(one, other) <= iou for other in same):
            same.append(one)
            kept.append(one)
            if len(kept) == MOST_DETECTIONS:
                break
    return kept


def overlap(one: Found, other: Found) -> float:
    """Intersection over union of upright boxes."""
    a, b = one.at, other.at
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0


def overlap_turned(one: Found, other: Found) -> float:
    """The likeness of turned boxes by which ultralytics suppresses them.

    One minus the Hellinger distance of two normal distributions with the boxes' centres
    and spreads (arXiv 2106.06072).
    """
    ax, ay, a, b, c = _spread(one)
    bx, by, d, e, f = _spread(other)
    a, b, c = a + d, b + e, c + f
    area = (a * b - c * c) + 1e-7
    dx, dy = bx - ax, ay - by
    far = (a * dy * dy + b * dx * dx) / area / 4 + c * dx * dy / area / 2
    single = _determinant(one) * _determinant(other)
    # Never below zero but for rounding, of which there is no logarithm.
    near = math.log(max(a * b - c * c, 0.0) / (4 * math.sqrt(single) + 1e-7) + 1e-7) / 2
    distance = min(max(far + near, 1e-7), 100.0)
    return 1.0 - math.sqrt(1.0 - math.exp(-distance) + 1e-7)


def sides_of(one: Found) -> tuple[float, float, float, float, float]:
    """Centre, sides and angle in radians."""
    x1, y1, x2, y2 = one.at
    angle = one.rest[0] if one.rest else 0.0
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, angle


def _spread(one: Found) -> tuple[float, float, float, float, float]:
    """Centre and covariances."""
    x, y, width, height, angle = sides_of(one)
    along, across = width * width / 12, height * height / 12
    cos, sin = math.cos(angle), math.sin(angle)
    return (
        x,
        y,
        along * cos * cos + across * sin * sin,
        along * sin * sin + across * cos * cos,
        (along - across) * cos * sin,
    )


def _determinant(one: Found) -> float:
    _, _, a, b, c = _spread(one)
    return max(a * b - c * c, 0.0)
