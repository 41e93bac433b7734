"""Outlines and keypoints of detections, as servers write them.

Owns their shapes. Must not know labels, boxes or frames. They stand beside a detection:
what is not as expected is left out, and is no reason to doubt the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Final

Points = tuple[tuple[float, float], ...]
Keypoints = tuple[tuple[float, float, float | None], ...]

MOST_POINTS: Final = 256
"""Points kept of an outline, evenly chosen: masks have up to 1,500, and an area differs
by less than a thousandth for it."""
MOST_KEYPOINTS: Final = 256


def outline(value: object) -> Points:
    """``{"x": […], "y": […]}`` or ``[[x, y], …]``; empty for what is neither."""
    columns = _columns(value)
    if columns is None:
        return ()
    xs, ys, _ = columns
    if len(xs) > MOST_POINTS:
        chosen = [index * len(xs) // MOST_POINTS for index in range(MOST_POINTS)]
        xs, ys = [xs[i] for i in chosen], [ys[i] for i in chosen]
    points: list[tuple[float, float]] = []
    for x, y in zip(xs, ys, strict=True):
        left, top = _finite(x), _finite(y)
        if left is None or top is None:
            return ()
        points.append((left, top))
    return tuple(points)


def keypoints(value: object) -> Keypoints:
    """The same with ``visible``, or ``[[x, y, visible], …]``."""
    columns = _columns(value)
    if columns is None or len(columns[0]) > MOST_KEYPOINTS:
        return ()
    found: list[tuple[float, float, float | None]] = []
    for x, y, seen in zip(*columns, strict=True):
        left, top = _finite(x), _finite(y)
        if left is None or top is None:
            return ()
        found.append((left, top, _finite(seen)))
    return tuple(found)


def four_corners(box: object) -> Points:
    """Of an oriented box, ``x1 … y4`` or four pairs; empty for an upright one."""
    if isinstance(box, dict) and "x3" in box:
        return outline([[box.get(f"x{i}"), box.get(f"y{i}")] for i in range(1, 5)])
    if isinstance(box, list) and len(box) == 4 and isinstance(box[0], list):
        return outline(box)
    return ()


def _columns(
    value: object,
) -> tuple[Sequence[object], Sequence[object], Sequence[object]] | None:
    if isinstance(value, dict):
        xs, ys, seen = value.get("x"), value.get("y"), value.get("visible")
        if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
            return None
        if not isinstance(seen, list) or len(seen) != len(xs):
            seen = [None] * len(xs)
        return xs, ys, seen
    if isinstance(value, list):
        if not all(isinstance(pair, list) and len(pair) in (2, 3) for pair in value):
            return None
        seen = [pair[2] if len(pair) == 3 else None for pair in value]
        return [pair[0] for pair in value], [pair[1] for pair in value], seen
    return None


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e15 and isfinite(value) else None
