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
half-precision numbers alone cost more overlap than is asked for
(:func:`~yolotop.judge.findings.slack`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from yolotop.judge import outlines
from yolotop.judge.attached import attached
from yolotop.judge.boxless import classes, depths, shares
from yolotop.judge.facts import Difference, differences
from yolotop.judge.findings import (
    EPSILON,
    MOST_LOOKED,
    MOST_PINNED,
    Finding,
    Flaw,
    slack,
)
from yolotop.judge.match import assign, iou, match
from yolotop.judge.words import tally
from yolotop.model import Baseline, Detection, Prediction, Tolerance

DEFAULT_CONF: Final = 0.25
"""The confidence threshold of servers that were not asked for another."""
SAME_THING: Final = 0.5
"""Overlap from which something is the pinned one at all, however far it moved."""
_CORNERS: Final = 64
"""Corners of an outline that are pinned."""


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
        found += depths(prediction.depth, baseline.depth, tolerance)
    if any(each.share is not None for each in pinned):
        found += shares(got, pinned, tolerance)
    elif pinned and all(each.box is None for each in pinned):
        found += classes(got, pinned, tolerance)
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
    return floor + tolerance.confidence + EPSILON


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

    def reach(wanted: Detection) -> float:
        if wanted.box is None:
            return 0.0
        # Of two boxes that overlap by a share of t, the left edges are no further
        # apart than 1/t - 1 of the width of either.
        width = abs(wanted.box[2] - wanted.box[0])
        share = max(0.01, tolerance.iou - EPSILON)
        return max(slack(wanted.box), width * (1.0 / share - 1.0) + EPSILON)

    right, without, over = assign(pinned, got, fits, reach)
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
    return [*found, *attached(both, tolerance)]


def _may_go(
    wanted: Detection, paired: Sequence[Detection], tolerance: Tolerance, limit: float
) -> bool:
    """Whether its absence means nothing: it was faint, or one of two for one thing.

    Then what is there for the other lies where it lay, and is as sure.
    """
    if faint(wanted, limit):
        return True
    least = (wanted.confidence or 0.0) - tolerance.confidence - EPSILON
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
    return abs(wanted.confidence - seen.confidence) <= tolerance.confidence + EPSILON


def _confidence(
    wanted: Detection, seen: Detection, tolerance: Tolerance
) -> list[Finding]:
    if _same_confidence(wanted, seen, tolerance):
        return []
    was, now = wanted.confidence, seen.confidence
    told = "no confidence" if now is None else f"{now:.2f}"
    message = f"{seen.label} at {told}, pinned at {was:.2f} ± {tolerance.confidence:g}"
    return [Finding(Flaw.CONFIDENCE, message, abs((was or 0.0) - (now or 0.0)))]


def _same_place(wanted: Detection, seen: Detection, tolerance: Tolerance) -> bool:
    if wanted.box is None or seen.box is None:
        return wanted.box is seen.box
    if wanted.box == seen.box:
        return True
    reach = slack(wanted.box)
    if all(abs(a - b) <= reach for a, b in zip(wanted.box, seen.box, strict=True)):
        return True
    return iou(wanted.box, seen.box) >= tolerance.iou - EPSILON
