"""From the numbers of a YOLO output to detections, without numpy.

Owns which head a shape is, both ways to write one, and which of overlapping boxes
stays. Must not know datatypes, HTTP or where the numbers came from.

A raw head of [1,84,8400] has 672,000 scores of which a handful count. They are found by
their top bytes, which are in the order of the numbers: a search through 672,000 bytes
takes half a millisecond, ``max`` over as many numbers 20.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from yolotop.model import Detection
from yolotop.model.preset import Head, Task, Tensor
from yolotop.probe.dialects.detections import label
from yolotop.probe.dialects.inference import top_bytes
from yolotop.probe.dialects.letterbox import Fit
from yolotop.probe.dialects.protocol import BadResponse

MOST_DETECTIONS: Final = 300
"""As in ultralytics."""

MOST_COMPARED: Final = 3_000
"""Boxes that overlaps are looked for among, the best first. A model at work leaves some
dozens; all of 8,400 against each other would take a second."""

CONF: Final = 0.25
IOU: Final = 0.7
"""What ultralytics 8.4 predicts with when nothing is said."""

_MASK_COEFFICIENTS: Final = 32
_LARGEST_CLASS: Final = 100_000

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How an output is to be read. ``anchors`` are those of the model's input."""

    tensor: Tensor
    names: tuple[str, ...]
    conf: float
    iou: float
    anchors: int


@dataclass(frozen=True, slots=True)
class _Found:
    """One thing in the input's pixels; ``rest`` is what follows the classes."""

    score: float
    kind: int
    at: Box
    rest: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the numbers lie. ``classes`` counts a raw head's; what is left follows."""

    end_to_end: bool
    transposed: bool
    rows: int
    columns: int
    classes: int


def detections(
    numbers: array[float], shape: Sequence[int], wanted: Wanted, fit: Fit
) -> tuple[Detection, ...]:
    """What is seen, best first, in the picture's pixels. Raises BadResponse."""
    layout = _layout(shape, wanted)
    if layout.end_to_end:
        turned = wanted.tensor.task is Task.OBB
        found = _rows(numbers, layout, wanted.conf, turned=turned)
    else:
        found = _columns(numbers, layout, wanted.conf)
    found.sort(key=lambda one: -one.score)
    # After an end-to-end head too, which should have none left: one that was trained
    # for 20 epochs gave 5 boxes for 3 circles, pairs that lie on each other. Where it
    # was trained well there is nothing to take away.
    task = wanted.tensor.task
    kept = _apart(found, wanted.iou, _overlap_turned if task is Task.OBB else _overlap)
    return tuple(_placed(one, wanted, fit) for one in kept)


# --- which head ----------------------------------------------------------------------


def _layout(shape: Sequence[int], wanted: Wanted) -> _Layout:
    sides = list(shape)
    if len(sides) == 3 and sides[0] == 1:
        sides = sides[1:]
    if len(sides) != 2:
        raise _unclear(
            shape,
            "is not the detection head of one image",
            'another output, or tensor.head = "none"',
        )
    extra = _extra(wanted.tensor)
    if _is_end_to_end(sides[0], sides[1], extra, wanted, shape):
        return _end_to_end(sides[0], sides[1], extra, shape)
    transposed = _is_transposed(sides[0], sides[1], extra, wanted, shape)
    columns, rows = sides if transposed else reversed(sides)
    classes = _classes(rows, extra, wanted, shape)
    return _Layout(
        end_to_end=False,
        transposed=transposed,
        rows=rows,
        columns=columns,
        classes=classes,
    )


def _unclear(shape: Sequence[int], what: str, cure: str) -> BadResponse:
    sides = ",".join(map(str, shape))
    return BadResponse(f"the output of the shape [{sides}] {what}: set {cure}")


def _extra(tensor: Tensor) -> int | None:
    """Numbers behind the classes; ``None`` where that depends on the keypoints."""
    match tensor.task:
        case Task.DETECT:
            return 0
        case Task.SEGMENT:
            return _MASK_COEFFICIENTS
        case Task.OBB:
            return 1
        case Task.POSE:
            return math.prod(tensor.keypoints) if tensor.keypoints else None


def _is_end_to_end(
    rows: int, columns: int, extra: int | None, wanted: Wanted, shape: Sequence[int]
) -> bool:
    head = wanted.tensor.head
    if head is not Head.AUTO:
        return head is Head.END2END
    if extra is None or columns != 6 + extra:
        return False
    # A row of six may also be a box and two classes, with a row for each place that
    # was looked at; a head that keeps the best has fewer rows than places.
    if rows == wanted.anchors and len(wanted.names) in (0, 2):
        if wanted.names:
            return False
        raise _unclear(
            shape,
            "may be end-to-end rows, or raw with two classes",
            'tensor.head to "end2end" or "raw"',
        )
    return True


def _end_to_end(
    rows: int, columns: int, extra: int | None, shape: Sequence[int]
) -> _Layout:
    least = 6 + (extra or 0)
    if columns < least or (extra is not None and columns != least):
        raise _unclear(shape, f"has no rows of {least} numbers", "tensor.head or task")
    return _Layout(
        end_to_end=True, transposed=False, rows=rows, columns=columns, classes=0
    )


def _is_transposed(
    rows: int, columns: int, extra: int | None, wanted: Wanted, shape: Sequence[int]
) -> bool:
    """Whether a raw head has one row for each place, and not one for each number."""
    # The places first: they are known from the input, whatever the classes are.
    fits = columns == wanted.anchors, rows == wanted.anchors
    if wanted.names and extra is not None and fits[0] == fits[1]:
        high = 4 + len(wanted.names) + extra
        fits = rows == high, columns == high
    if fits[0] != fits[1]:
        return fits[1]
    if rows == columns:
        raise _unclear(
            shape, "may be raw either way round", "class_names, or tensor.shape"
        )
    return rows > columns


def _classes(rows: int, extra: int | None, wanted: Wanted, shape: Sequence[int]) -> int:
    known = len(wanted.names)
    if extra is None:
        if not known:
            raise _unclear(
                shape,
                "holds keypoints, and classes are not told from them",
                "tensor.keypoints such as [17, 3], or class_names for boxes alone",
            )
        extra = max(rows - 4 - known, 0)
    classes = rows - 4 - extra
    if classes < 1:
        raise _unclear(shape, "has no room for a class", "tensor.head or tensor.task")
    if known and known != classes:
        raise _unclear(
            shape,
            f"has room for {classes} classes, but there are names of {known}",
            "class_names or tensor.task",
        )
    return classes


# --- end-to-end rows -----------------------------------------------------------------


def _rows(
    numbers: array[float], layout: _Layout, conf: float, *, turned: bool
) -> list[_Found]:
    """x1, y1, x2, y2, score, class, and what follows.

    A ``turned`` box has its centre and sides instead: corners would not tell them.
    """
    width = layout.columns
    found: list[_Found] = []
    scores = numbers[4::width]
    for number in _above(scores, conf):
        row = numbers[number * width : (number + 1) * width]
        kind = row[5]
        if not 0 <= kind < _LARGEST_CLASS or kind != int(kind):
            raise BadResponse(
                f"row {number + 1} has {kind:g} where its class should be"
            )
        at = (row[0], row[1], row[2], row[3])
        if turned:
            at = _cornered(*at)
        found.append(
            _Found(_share(scores[number], number), int(kind), at, tuple(row[6:]))
        )
    return found


# --- a raw head ----------------------------------------------------------------------


def _columns(numbers: array[float], layout: _Layout, conf: float) -> list[_Found]:
    """Centre x, centre y, width, height, a score for each class, and what follows."""
    places, rows = layout.columns, layout.rows
    if layout.transposed:
        turned: array[float] = array("f")
        for row in range(rows):
            turned += numbers[row::rows]
        numbers = turned
    scores = numbers[4 * places : (4 + layout.classes) * places]
    best: dict[int, tuple[float, int]] = {}
    # Class by class, so the first of equals stays, as with argmax.
    for number in _above(scores, conf):
        kind, place = divmod(number, places)
        score = scores[number]
        if place not in best or score > best[place][0]:
            best[place] = (score, kind)
    found: list[_Found] = []
    first = 4 + layout.classes
    for place, (score, kind) in best.items():
        x, y, width, height = numbers[place : 4 * places : places]
        rest = tuple(numbers[first * places + place :: places])
        at = _cornered(x, y, width, height)
        found.append(_Found(_share(score, place), kind, at, rest))
    return found


def _cornered(x: float, y: float, width: float, height: float) -> Box:
    # Heads that regress distances may give a side below zero.
    along, down = max(width, 0.0) / 2, max(height, 0.0) / 2
    return x - along, y - down, x + along, y + down


def _above(scores: array[float], conf: float) -> list[int]:
    """Where a score is above ``conf``: the likely ones by their first byte."""
    marked = top_bytes(scores).translate(_likely(struct.pack(">f", conf)[0]))
    found: list[int] = []
    at = marked.find(b"\1")
    while at >= 0:
        if scores[at] > conf:
            found.append(at)
        at = marked.find(b"\1", at + 1)
    return found


@cache
def _likely(lowest: int) -> bytes:
    # From 0x80 on are the numbers below zero.
    return bytes(lowest <= top < 0x80 for top in range(256))


def _share(score: float, number: int) -> float:
    # Sums in half precision may end a hair above one.
    if score > 1.01:
        raise BadResponse(
            f"number {number + 1} has a score of {score:g}, which is not 0 to 1: is "
            "tensor.head right?"
        )
    return min(score, 1.0)


# --- overlaps ------------------------------------------------------------------------


def _apart(
    found: list[_Found], iou: float, overlap: Callable[[_Found, _Found], float]
) -> list[_Found]:
    """Greedy suppression within each class, best first."""
    kept: list[_Found] = []
    of_kind: dict[int, list[_Found]] = {}
    for one in found[:MOST_COMPARED]:
        same = of_kind.setdefault(one.kind, [])
        if all(overlap(one, other) <= iou for other in same):
            same.append(one)
            kept.append(one)
            if len(kept) == MOST_DETECTIONS:
                break
    return kept


def _overlap(one: _Found, other: _Found) -> float:
    """Intersection over union of upright boxes."""
    a, b = one.at, other.at
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0


def _overlap_turned(one: _Found, other: _Found) -> float:
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


def _turned(one: _Found) -> tuple[float, float, float, float, float]:
    """Centre, sides and angle in radians."""
    x1, y1, x2, y2 = one.at
    angle = one.rest[0] if one.rest else 0.0
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, angle


def _spread(one: _Found) -> tuple[float, float, float, float, float]:
    """Centre and covariances."""
    x, y, width, height, angle = _turned(one)
    along, across = width * width / 12, height * height / 12
    cos, sin = math.cos(angle), math.sin(angle)
    return (
        x,
        y,
        along * cos * cos + across * sin * sin,
        along * sin * sin + across * cos * cos,
        (along - across) * cos * sin,
    )


def _determinant(one: _Found) -> float:
    _, _, a, b, c = _spread(one)
    return max(a * b - c * c, 0.0)


# --- back to the picture -------------------------------------------------------------


def _placed(one: _Found, wanted: Wanted, fit: Fit) -> Detection:
    names = wanted.names
    name = label(names[one.kind]) if one.kind < len(names) else f"class {one.kind}"
    match wanted.tensor.task:
        case Task.OBB if one.rest:
            corners = tuple(fit.point(*corner) for corner in _corners(one))
            xs, ys = zip(*corners, strict=True)
            hull = (min(xs), min(ys), max(xs), max(ys))
            return Detection(name, one.score, hull, outline=corners)
        case Task.POSE if wanted.tensor.keypoints is not None:
            points = _keypoints(one.rest, wanted.tensor.keypoints, fit)
            return Detection(name, one.score, fit.box(*one.at), keypoints=points)
        case _:
            return Detection(name, one.score, fit.box(*one.at))


def _corners(one: _Found) -> tuple[tuple[float, float], ...]:
    x, y, width, height, angle = _turned(one)
    cos, sin = math.cos(angle) / 2, math.sin(angle) / 2
    ax, ay, bx, by = width * cos, width * sin, -height * sin, height * cos
    return (
        (x + ax + bx, y + ay + by),
        (x + ax - bx, y + ay - by),
        (x - ax - bx, y - ay - by),
        (x - ax + bx, y - ay + by),
    )


def _keypoints(
    rest: Sequence[float], shape: tuple[int, int], fit: Fit
) -> tuple[tuple[float, float, float | None], ...]:
    _, each = shape
    found = []
    for first in range(0, len(rest) - each + 1, each):
        x, y = fit.point(rest[first], rest[first + 1])
        found.append((x, y, rest[first + 2] if each > 2 else None))
    return tuple(found)
