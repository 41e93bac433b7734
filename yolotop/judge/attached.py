"""What hangs on a box: is its outline, are its keypoints, where they were pinned?

Owns the comparison of masks and poses, pair by pair. Pure. It must not know how the
pairs were found.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, inf
from typing import Final

from yolotop.judge import outlines
from yolotop.judge.findings import (
    EPSILON,
    MOST_LOOKED,
    MOST_PINNED,
    Finding,
    Flaw,
    slack,
)
from yolotop.model import Detection, Tolerance

SEEN: Final = 0.5
"""Visibility from which a keypoint's place means something."""


def attached(
    pairs: Sequence[tuple[Detection, Detection]], tolerance: Tolerance
) -> list[Finding]:
    """Outlines and keypoints of what is there on both sides."""
    found: list[Finding] = []
    outlined = [pair for pair in pairs if pair[0].outline]
    # The largest first: where not all can be looked at, those say most.
    outlined.sort(key=lambda pair: -_area(pair[0]))
    for wanted, seen in outlined[:MOST_LOOKED]:
        found += _outline(wanted, seen, tolerance)
    for wanted, seen in pairs[:MOST_PINNED]:
        if wanted.keypoints:
            found += _keypoints(wanted, seen, tolerance)
    return found


def _area(detection: Detection) -> float:
    if detection.box is None:
        return 0.0
    left, top, right, bottom = detection.box
    return (right - left) * (bottom - top)


def _outline(wanted: Detection, seen: Detection, tolerance: Tolerance) -> list[Finding]:
    if wanted.outline == seen.outline:
        return []
    if not seen.outline:
        return [Finding(Flaw.OUTLINE, f"{seen.label} has no outline any more", 1.0)]
    shared = outlines.overlap(wanted.outline, seen.outline)
    xs = [x for x, _ in wanted.outline]
    ys = [y for _, y in wanted.outline]
    reach = slack((min(xs), min(ys), max(xs), max(ys)))
    # An edge of a thin thing that moves by a pixel takes a large part of it along.
    if shared.union and shared.union - shared.shared <= reach * shared.rim:
        return []
    if shared.iou >= tolerance.iou - EPSILON:
        return []
    message = (
        f"{seen.label} has another outline: IoU {shared.iou:.2f} with the pinned one, "
        f"expected {tolerance.iou:g}"
    )
    return [Finding(Flaw.OUTLINE, message, 1.0 - shared.iou)]


def _keypoints(
    wanted: Detection, seen: Detection, tolerance: Tolerance
) -> list[Finding]:
    if wanted.keypoints == seen.keypoints:
        return []
    was, now = len(wanted.keypoints), len(seen.keypoints)
    if was != now:
        message = f"{seen.label} has {now} keypoints, pinned {was}"
        return [Finding(Flaw.KEYPOINTS, message, inf)]
    apart = [
        hypot(x - u, y - v)
        for (x, y, sure), (u, v, _) in zip(
            wanted.keypoints, seen.keypoints, strict=True
        )
        if sure is None or sure >= SEEN
    ]
    if not apart:
        return []
    mean = sum(apart) / len(apart)
    box = wanted.box or _hull(wanted.keypoints)
    size = hypot(box[2] - box[0], box[3] - box[1])
    # Written so that NaN fails too.
    if mean <= max(tolerance.keypoint * size, slack(box)) + EPSILON:
        return []
    share = mean / size if size else inf
    message = (
        f"{seen.label} has keypoints {share:.2f} of its size away, "
        f"at most {tolerance.keypoint:g} expected"
    )
    return [Finding(Flaw.KEYPOINTS, message, share)]


def _hull(
    points: Sequence[tuple[float, float, float | None]],
) -> tuple[float, float, float, float]:
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return min(xs), min(ys), max(xs), max(ys)
