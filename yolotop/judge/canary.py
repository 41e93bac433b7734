"""Does the pinned image still get the answer it was pinned with?

Owns the comparison of a prediction with a baseline, task by task, and how what differs
is told. Pure. It must not know what follows from a difference: that is ``verdict``.

What may differ on a healthy server is what the tolerance says, for each thing by
itself: a box a little elsewhere, a confidence a little other. From that follows what
may come and go: with a confidence threshold at 0.25 and a tolerance of 0.10, something
seen with 0.31 may be there or not, so neither its absence nor such an extra counts
(*faint*). The same holds for one of two boxes that lie on each other. Two answers that
differ by no more than that are always the same: nothing here takes a best match first
and is wrong about the rest (:func:`~yolotop.judge.match.assign`).

Edges may also move by a pixel or so whatever the tolerance says: on a box 8 pixels wide
half-precision numbers alone cost more overlap than is asked for (:func:`_slack`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from math import hypot, inf, isfinite
from typing import Final

from yolotop.judge import outlines
from yolotop.judge.facts import Difference, differences
from yolotop.judge.match import assign, iou, match
from yolotop.judge.words import tally
from yolotop.model import Baseline, Depth, Detection, Prediction, Tolerance

DEFAULT_CONF: Final = 0.25
"""The confidence threshold of servers that were not asked for another."""
SAME_THING: Final = 0.5
"""Overlap from which something is the pinned one at all, however far it moved."""
MOST_PINNED: Final = 300
"""Detections of a baseline, the surest first: as many as YOLO heads give."""
MOST_LOOKED: Final = 100
"""Things without a partner that are looked at one by one, and outlines compared: what
is compared beyond boxes is bounded, 20 ms at the most."""
SEEN: Final = 0.5
"""Visibility from which a keypoint's place means something."""
_CORNERS: Final = 64
"""Corners of an outline that are pinned."""
_EPSILON: Final = 1e-6
"""So that 0.93 - 0.83 is not more than 0.10."""


class Flaw(IntEnum):
    """What may be wrong, the worst first."""

    EMPTY = 0
    COUNT = 1
    CLASS = 2
    DEPTH = 3
    SHARE = 4
    MOVED = 5
    OUTLINE = 6
    KEYPOINTS = 7
    CONFIDENCE = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference beyond the tolerance; ``excess`` compares those of one flaw."""

    flaw: Flaw
    message: str
    excess: float = 0.0


def compare(
    prediction: Prediction,
    baseline: Baseline,
    tolerance: Tolerance,
    *,
    conf: float | None = None,
) -> tuple[Finding, ...]:
    """What differs beyond ``tolerance``, worst first; empty where it is the same.

    ``conf`` is the confidence threshold that the server was asked for.
    """
    limit = faint_below(baseline, tolerance, conf)
    pinned, got = baseline.detections, prediction.detections
    found: list[Finding] = []
    if _nothing(prediction) and _something(baseline, limit):
        what = tally(pinned) if pinned else "a depth map"
        return (Finding(Flaw.EMPTY, f"got none, pinned {what}"),)
    if baseline.depth is not None:
        found += _depth(prediction.depth, baseline.depth, tolerance)
    if any(each.share is not None for each in pinned):
        found += _shares(got, pinned, tolerance)
    elif pinned and all(each.box is None for each in pinned):
        found += _classes(got, pinned, tolerance)
    elif baseline.depth is None or pinned:
        found += _boxes(got, pinned, tolerance, limit)
    return tuple(sorted(found, key=lambda one: (one.flaw, -one.excess)))


def model_changes(prediction: Prediction, baseline: Baseline) -> tuple[Difference, ...]:
    """What tells that another model answered than the one that was pinned."""
    found = differences(baseline.facts, prediction.facts)
    task, now = baseline.task, prediction.task
    told = any(each.name == "task" for each in found)
    if not told and task is not None and now is not None and task != now:
        found = (*found, Difference("task", task, now))
    return tuple(each for each in found if each.of_model)


def baseline_of(
    prediction: Prediction, *, image_sha256: str, pinned_at: float
) -> Baseline:
    """What is pinned of an answer: the surest detections, outlines of few corners."""
    seen = prediction.detections
    if len(seen) > MOST_PINNED:
        sure = sorted(range(len(seen)), key=lambda at: -(seen[at].confidence or 0.0))
        seen = tuple(seen[at] for at in sorted(sure[:MOST_PINNED]))
    return Baseline(
        image_sha256=image_sha256,
        pinned_at=pinned_at,
        detections=tuple(
            replace(each, outline=outlines.thinned(each.outline, _CORNERS))
            if each.outline
            else each
            for each in seen
        ),
        task=prediction.task,
        facts=prediction.facts,
        depth=prediction.depth,
        image_shape=prediction.image_shape,
    )


def faint_below(
    baseline: Baseline, tolerance: Tolerance, conf: float | None = None
) -> float:
    """Up to which confidence something may come and go on a healthy server."""
    floor = conf
    if floor is None:
        told = [each.confidence for each in baseline.detections]
        floor = min([DEFAULT_CONF, *(one for one in told if one is not None)])
    return floor + tolerance.confidence + _EPSILON


def faint(detection: Detection, limit: float) -> bool:
    """Whether it may come and go; see :func:`faint_below`."""
    return detection.confidence is not None and detection.confidence <= limit


def _nothing(prediction: Prediction) -> bool:
    depth = prediction.depth
    return not prediction.detections and (depth is None or not any(depth.values))


def _something(baseline: Baseline, limit: float) -> bool:
    if baseline.depth is not None and any(baseline.depth.values):
        return True
    # Without a box there was no threshold: a classifier always says something.
    return any(
        each.box is None or not faint(each, limit) for each in baseline.detections
    )


# --- boxes, and what hangs on them ---------------------------------------------------


def _boxes(
    got: Sequence[Detection],
    pinned: Sequence[Detection],
    tolerance: Tolerance,
    limit: float,
) -> list[Finding]:
    def fits(wanted: Detection, seen: Detection) -> bool:
        return (
            wanted.label == seen.label
            and _same_confidence(wanted, seen, tolerance)
            and _same_place(wanted, seen, tolerance)
        )

    right, without, over = assign(pinned, got, fits)
    paired = [got[j] for _, j in right[:MOST_PINNED]]
    missed = [
        pinned[i] for i in without if not _may_go(pinned[i], paired, tolerance, limit)
    ]
    extra = [got[j] for j in over]
    left = match(missed[:MOST_LOOKED], extra[:MOST_LOOKED], min_iou=SAME_THING)
    missed = [*left.missed, *missed[MOST_LOOKED:]]
    extra = [
        each for each in (*left.extra, *extra[MOST_LOOKED:]) if not faint(each, limit)
    ]
    found: list[Finding] = []
    if len(missed) > tolerance.missed or len(extra) > tolerance.extra:
        found.append(_count(got, pinned, missed, extra))
    for pair in left.pairs:
        found += _confidence(pair.expected, pair.got, tolerance)
        if not _same_place(pair.expected, pair.got, tolerance):
            message = (
                f"{pair.got.label} has moved: IoU {pair.iou:.2f} with the pinned box, "
                f"expected {tolerance.iou:g}"
            )
            found.append(Finding(Flaw.MOVED, message, 1.0 - pair.iou))
    both = [(pinned[i], got[j]) for i, j in right]
    both += [(pair.expected, pair.got) for pair in left.pairs]
    return [*found, *_parts(both, tolerance)]


def _may_go(
    wanted: Detection, paired: Sequence[Detection], tolerance: Tolerance, limit: float
) -> bool:
    """Whether its absence means nothing: it was faint, or one of two for one thing.

    Then what is there for the other lies where it lay, and is as sure.
    """
    if faint(wanted, limit):
        return True
    least = (wanted.confidence or 0.0) - tolerance.confidence - _EPSILON
    return any(
        seen.label == wanted.label
        and (seen.confidence or 0.0) >= least
        and _same_place(wanted, seen, tolerance)
        for seen in paired
    )


def _count(
    got: Sequence[Detection],
    pinned: Sequence[Detection],
    missed: Sequence[Detection],
    extra: Sequence[Detection],
) -> Finding:
    seen, wanted = tally(got), tally(pinned)
    size = float(len(missed) + len(extra))
    if seen != wanted:
        return Finding(Flaw.COUNT, f"got {seen}, pinned {wanted}", size)
    if not missed:
        return Finding(Flaw.COUNT, f"got {tally(extra)} that was not pinned", size)
    astray = missed[0]
    place = ""
    if astray.box is not None:
        boxes = [each.box for each in got if each.label == astray.label and each.box]
        best = max((iou(astray.box, box) for box in boxes), default=0.0)
        place = f" (IoU {best:.2f})"
    message = f"{astray.label} is not where it was pinned{place}"
    return Finding(Flaw.COUNT, message, size)


def _same_confidence(wanted: Detection, seen: Detection, tolerance: Tolerance) -> bool:
    if wanted.confidence is None:
        return True
    if seen.confidence is None:
        return False
    return abs(wanted.confidence - seen.confidence) <= tolerance.confidence + _EPSILON


def _confidence(
    wanted: Detection, seen: Detection, tolerance: Tolerance
) -> list[Finding]:
    if _same_confidence(wanted, seen, tolerance):
        return []
    was, now = wanted.confidence, seen.confidence
    told = "no confidence" if now is None else f"{now:.2f}"
    message = f"{seen.label} at {told}, pinned at {was:.2f} ± {tolerance.confidence:g}"
    return [Finding(Flaw.CONFIDENCE, message, abs((was or 0.0) - (now or 0.0)))]


def _slack(box: tuple[float, float, float, float]) -> float:
    """Pixels by which an edge may always move.

    One for rounding, and what half-precision numbers are apart at that distance from
    the corner (1 at 1,024), twice, since both sides were rounded. Never more than half
    of the box: coordinates that are no pixels must not pass unseen.
    """
    far = max(abs(edge) for edge in box)
    small = min(abs(box[2] - box[0]), abs(box[3] - box[1]))
    return min(1.0 + far / 512, small / 2)


def _same_place(wanted: Detection, seen: Detection, tolerance: Tolerance) -> bool:
    if wanted.box is None or seen.box is None:
        return wanted.box is seen.box
    if wanted.box == seen.box:
        return True
    slack = _slack(wanted.box)
    if all(abs(a - b) <= slack for a, b in zip(wanted.box, seen.box, strict=True)):
        return True
    return iou(wanted.box, seen.box) >= tolerance.iou - _EPSILON


# --- masks and keypoints -------------------------------------------------------------


def _parts(
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
    slack = _slack((min(xs), min(ys), max(xs), max(ys)))
    # An edge of a thin thing that moves by a pixel takes a large part of it along.
    if shared.union and shared.union - shared.shared <= slack * shared.rim:
        return []
    if shared.iou >= tolerance.iou - _EPSILON:
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
    if mean <= max(tolerance.keypoint * size, _slack(box)) + _EPSILON:
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


# --- without boxes -------------------------------------------------------------------


def _classes(
    got: Sequence[Detection], pinned: Sequence[Detection], tolerance: Tolerance
) -> list[Finding]:
    """A classifier: the order of its classes, as far as confidences decide it.

    Each confidence may shift, so two classes that are close may change places, and one
    that was the last of those told may drop out.
    """
    was, now = _sureness(pinned), _sureness(got)
    first, top = pinned[0].label, got[0].label if got else "nothing"
    reach = 2 * tolerance.confidence + _EPSILON
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
        if shift > tolerance.confidence + _EPSILON and not fell:
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


def _shares(
    got: Sequence[Detection], pinned: Sequence[Detection], tolerance: Tolerance
) -> list[Finding]:
    """A semantic mask: the part of the image that each class covers."""
    was, now = _covered(pinned), _covered(got)
    found: list[Finding] = []
    for label in sorted({*was, *now}):
        before, after = was.get(label, 0.0), now.get(label, 0.0)
        shift = abs(before - after)
        if not shift <= tolerance.pixels + _EPSILON:
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


def _depth(got: Depth | None, pinned: Depth, tolerance: Tolerance) -> list[Finding]:
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
    if mean <= tolerance.depth + _EPSILON:
        return []
    message = f"depths are {mean:.0%} off, at most {tolerance.depth:.0%} expected"
    return [Finding(Flaw.DEPTH, message, mean)]
