"""Does what came back lie where it was drawn? Matching by label and overlap.

Owns intersection over union and the greedy one-to-one matching of expected against
returned detections. It must not know where either list came from, nor what is made
of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from yolotop.model import Detection

Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Pair:
    """An expected detection and the returned one that stands for it."""

    expected: Detection
    got: Detection
    iou: float


@dataclass(frozen=True, slots=True)
class Matching:
    """Everything expected is in ``pairs`` or ``missed``, everything else ``extra``."""

    pairs: tuple[Pair, ...]
    missed: tuple[Detection, ...]
    extra: tuple[Detection, ...]


def iou(one: Box, other: Box) -> float:
    """Intersection over union, 0–1; 0 for boxes without area or with NaN in them."""
    # Whether min() and max() pass over a NaN depends on the order of their arguments.
    if any(edge != edge for edge in (*one, *other)):
        return 0.0
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if not (width > 0 and height > 0):
        return 0.0
    shared = width * height
    union = _area(one) + _area(other) - shared
    return shared / union if union > 0 else 0.0


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def overlap(one: Detection, other: Detection) -> float:
    """IoU of two detections of the same label; 0 where the label or a box differs."""
    if one.label != other.label or one.box is None or other.box is None:
        return 0.0
    return iou(one.box, other.box)


def match(
    expected: Sequence[Detection], got: Sequence[Detection], *, min_iou: float = 0.5
) -> Matching:
    """Pair detections of the same label, best overlap first, each used once.

    Ties go to the earlier detection, so the result depends on the input alone.
    """
    candidates = sorted(
        (
            (-overlap(wanted, found), i, j)
            for i, wanted in enumerate(expected)
            for j, found in enumerate(got)
        ),
    )
    pairs: list[Pair] = []
    wanted_left = dict(enumerate(expected))
    found_left = dict(enumerate(got))
    for negative, i, j in candidates:
        if -negative < min_iou:
            break
        if i in wanted_left and j in found_left:
            pairs.append(Pair(wanted_left.pop(i), found_left.pop(j), -negative))
    return Matching(
        tuple(pairs), tuple(wanted_left.values()), tuple(found_left.values())
    )
