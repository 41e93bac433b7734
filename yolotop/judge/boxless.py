"""Answers without boxes: classes in their order, shares of the image, depths.

Owns their comparison with what was pinned. Pure. It must not know which of them an
answer is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite

from yolotop.judge.findings import EPSILON, MOST_PINNED, Finding, Flaw
from yolotop.model import Depth, Detection, Tolerance


def classes(
    got: Sequence[Detection], pinned: Sequence[Detection], tolerance: Tolerance
) -> list[Finding]:
    """A classifier: the order of its classes, as far as confidences decide it.

    Each confidence may shift, so two classes that are close may change places, and one
    that was the last of those told may drop out.
    """
    was, now = _sureness(pinned), _sureness(got)
    first, top = pinned[0].label, got[0].label if got else "nothing"
    reach = 2 * tolerance.confidence + EPSILON
    found: list[Finding] = []
    if top != first and was[first] - was.get(top, _at_most(was, tolerance)) > reach:
        told = f"got {_sure(top, now.get(top))}, pinned {_sure(first, was[first])}"
        found.append(Finding(Flaw.CLASS, told, 1.0))
    elif top != first and pinned[0].confidence is None:
        found.append(Finding(Flaw.CLASS, f"got {top}, pinned {first}", 1.0))
    rest = _at_most(now, tolerance)
    for each in pinned:
        seen = now.get(each.label)
        if each.confidence is None:
            continue
        shift = abs(each.confidence - (rest if seen is None else seen))
        fell = seen is None and each.confidence <= rest
        if shift > tolerance.confidence + EPSILON and not fell:
            told = _sure(each.label, seen) if seen is not None else f"no {each.label}"
            message = f"got {told}, pinned {_sure(each.label, each.confidence)}"
            found.append(Finding(Flaw.CONFIDENCE, message, shift))
    return found


def _at_most(sure: Mapping[str, float], tolerance: Tolerance) -> float:
    """What a class can have that fell off the end of the list.

    No more than the last one of the list; and where they share out one certainty among
    them, as a softmax does, no more than what the others leave.
    """
    least, total = min(sure.values(), default=0.0), sum(sure.values())
    slack = len(sure) * tolerance.confidence
    if total > 1.0 + slack:
        return least
    return min(least, max(0.0, 1.0 - total) + slack)


def _sureness(detections: Sequence[Detection]) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in detections[:MOST_PINNED]:
        found.setdefault(each.label, each.confidence or 0.0)
    return found


def _sure(label: str, confidence: float | None) -> str:
    return label if not confidence else f"{label} {confidence:.2f}"


def shares(
    got: Sequence[Detection], pinned: Sequence[Detection], tolerance: Tolerance
) -> list[Finding]:
    """A semantic mask: the part of the image that each class covers."""
    was, now = _covered(pinned), _covered(got)
    found: list[Finding] = []
    for label in sorted({*was, *now}):
        before, after = was.get(label, 0.0), now.get(label, 0.0)
        shift = abs(before - after)
        if not shift <= tolerance.pixels + EPSILON:
            message = (
                f"{label} covers {after:.0%} of the image, pinned {before:.0%} "
                f"± {tolerance.pixels:.0%}"
            )
            found.append(Finding(Flaw.SHARE, message, shift))
    return found


def _covered(detections: Sequence[Detection]) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in detections[:MOST_PINNED]:
        found[each.label] = found.get(each.label, 0.0) + (each.share or 0.0)
    return found


def depths(got: Depth | None, pinned: Depth, tolerance: Tolerance) -> list[Finding]:
    """The mean relative error of what was known; what is not any more counts whole."""
    if got is None:
        return [Finding(Flaw.DEPTH, "got no depth map, pinned one", inf)]
    if (got.rows, got.columns) != (pinned.rows, pinned.columns):
        message = (
            f"got a depth map of {got.rows}×{got.columns}, "
            f"pinned {pinned.rows}×{pinned.columns}"
        )
        return [Finding(Flaw.DEPTH, message, inf)]
    errors = [
        abs(now - was) / was if now > 0 and isfinite(now) else 1.0
        for was, now in zip(pinned.values, got.values, strict=False)
        if was > 0
    ]
    mean = sum(errors) / len(errors) if errors else 0.0
    if mean <= tolerance.depth + EPSILON:
        return []
    message = f"depths are {mean:.0%} off, at most {tolerance.depth:.0%} expected"
    return [Finding(Flaw.DEPTH, message, mean)]
