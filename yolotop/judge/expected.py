"""What a person expects of an answer, whatever model gives it.

Owns the drawn shapes and the expectations written by hand, and the sentence for each
that is not met. What was got stands first: a card shows the head of the sentence. It
must not know baselines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from yolotop.judge.counts import parse_count
from yolotop.judge.match import match, overlap
from yolotop.judge.words import count_detections, labels_of, tally
from yolotop.model import Deployment, Detection, Expectation

MIN_IOU: Final = 0.5
"""Overlap from which a returned box counts as the drawn one."""
SURE_CONF: Final = 0.5
"""Without a ``conf`` of the deployment's own, surplus detections below this
confidence are not held against a server whose default threshold is lower (0.25)."""


def fault_in(
    got: Sequence[Detection],
    drawn: Sequence[Detection] | None,
    deployment: Deployment,
) -> str | None:
    """Why the detections are not what was expected, or ``None``."""
    expect = deployment.expect
    if expect.drawn and drawn is not None:
        fault = _drawn_fault(drawn, got, sure=deployment.conf is None)
        if fault is not None:
            return fault
    least = expect.min_confidence
    if least is not None:
        # Fails closed: what tells no confidence is not sure enough.
        got = [
            each
            for each in got
            if each.confidence is not None and each.confidence >= least
        ]
    return (
        _count_fault(expect, got)
        or _label_fault(expect, got)
        or _counts_fault(expect, got)
    )


def _drawn_fault(
    drawn: Sequence[Detection], got: Sequence[Detection], *, sure: bool
) -> str | None:
    found = match(drawn, got, min_iou=MIN_IOU)
    extra = [
        item
        for item in found.extra
        if not sure or item.confidence is None or item.confidence >= SURE_CONF
    ]
    if not found.missed and not extra:
        return None
    seen = [pair.got for pair in found.pairs] + extra
    if not found.missed or labels_of(drawn) != labels_of(seen):
        return f"got {tally(seen)}, expected {tally(drawn)}"
    astray = found.missed[0]
    best = max((overlap(astray, item) for item in extra), default=0.0)
    return f"{astray.label} is not where it was drawn (IoU {best:.2f})"


def _count_fault(expect: Expectation, got: Sequence[Detection]) -> str | None:
    count = len(got)
    low, high = expect.min_detections, expect.max_detections
    if low is not None and count < low:
        return f"got {count or 'none'}, expected at least {count_detections(low)}"
    if high is not None and count > high:
        return f"got {count}, expected at most {count_detections(high)}"
    return None


def _label_fault(expect: Expectation, got: Sequence[Detection]) -> str | None:
    seen = {item.label for item in got}
    missing = [label for label in expect.labels if label not in seen]
    if not missing:
        return None
    return f"got {tally(got)}, expected {', '.join(missing)}"


def _counts_fault(expect: Expectation, got: Sequence[Detection]) -> str | None:
    seen = labels_of(got)
    for label, condition in expect.counts:
        count = parse_count(condition)
        if not count.holds(seen[label]):
            sure = expect.min_confidence
            least = "" if sure is None else f" with {sure:g} or more"
            return f"got {label} ×{seen[label]}{least}, expected {count}"
    return None
