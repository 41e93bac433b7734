"""Does what came back lie where it was drawn? Matching by label and overlap.

Owns intersection over union and the greedy one-to-one matching of expected against
returned detections. It must not know where either list came from, nor what is made
of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from yolotop.model import Detection

Box: TypeAlias = tuple[float, float, float, float]
Fits: TypeAlias = Callable[[Detection, Detection], bool]

MOST_STEPS: Final = 20_000
"""Pairs looked at for an assignment beyond the usual order: 20 ms at the most, whatever
a server sends."""


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
    shared = (
        (-overlap(wanted, found), i, j)
        for i, wanted in enumerate(expected)
        for j, found in enumerate(got)
    )
    candidates = sorted(each for each in shared if -each[0] >= min_iou)
    pairs: list[Pair] = []
    wanted_left = dict(enumerate(expected))
    found_left = dict(enumerate(got))
    for negative, i, j in candidates:
        if i in wanted_left and j in found_left:
            pairs.append(Pair(wanted_left.pop(i), found_left.pop(j), -negative))
    return Matching(
        tuple(pairs), tuple(wanted_left.values()), tuple(found_left.values())
    )


def assign(
    expected: Sequence[Detection], got: Sequence[Detection], fits: Fits
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """As many pairs as there can be in which one ``fits`` the other.

    Indexes of the pairs, of what was expected in vain, and of what is left over. Where
    things lie close to each other, taking the best pair first may leave two that do
    not fit; here earlier pairs make room (augmenting paths), so that an answer which is
    right thing by thing is never taken for a wrong one.
    """
    # A healthy server gives the same things in the same order, nearly always.
    both = enumerate(zip(expected, got, strict=False))
    taken = {index: index for index, pair in both if fits(*pair)}
    left = [i for i in range(len(expected)) if i not in taken]
    if left:
        _make_room(expected, got, fits, left, taken)
    pairs = sorted((i, j) for j, i in taken.items())
    placed = {i for i, _ in pairs}
    missed = [i for i in range(len(expected)) if i not in placed]
    return pairs, missed, [j for j in range(len(got)) if j not in taken]


def _make_room(
    expected: Sequence[Detection],
    got: Sequence[Detection],
    fits: Fits,
    left: Sequence[int],
    taken: dict[int, int],
) -> None:
    """Kuhn's augmenting paths, without recursion; ``taken`` is got → expected."""
    near: dict[int, list[int]] = {}
    steps = 0

    def neighbours(i: int) -> list[int]:
        nonlocal steps
        if i not in near:
            steps += len(got)
            near[i] = [j for j, found in enumerate(got) if fits(expected[i], found)]
        return near[i]

    for start in left:
        came_from: dict[int, int] = {}
        queue = [start]
        end = None
        while queue and end is None and steps < MOST_STEPS:
            i = queue.pop(0)
            for j in neighbours(i):
                if j in came_from:
                    continue
                came_from[j] = i
                if j not in taken:
                    end = j
                    break
                queue.append(taken[j])
        while end is not None:
            i = came_from[end]
            before = next((j for j, owner in taken.items() if owner == i), None)
            taken[end] = i
            end = before
