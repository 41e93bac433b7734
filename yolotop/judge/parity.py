"""A served answer and the same model run elsewhere, thing by thing.

Owns who stands beside whom, what each class comes to, and whether the two are the same
within a tolerance. Pure; it must not know which model ran where. What counts as the
same is the canary's own rule (:mod:`yolotop.judge.canary`): the reference takes the
place of the pinned answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from yolotop.judge.canary import (
    SAME_THING,
    baseline_of,
    compare,
    faint,
    faint_below,
)
from yolotop.judge.findings import MOST_PINNED, Finding, Flaw
from yolotop.judge.match import match
from yolotop.model import Detection, Prediction, Tolerance

_EPSILON: Final = 1e-6


class Beside(StrEnum):
    """How two things stand to each other."""

    SAME = "same"
    SHIFTED = "shifted"
    """The same thing, farther off than the tolerance in place or confidence."""
    MISSED = "missed"
    """In the reference only."""
    EXTRA = "extra"
    """In the served answer only."""
    FAINT = "faint"
    """In one of them only, and so unsure that it may come and go."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing. ``iou`` is ``None`` where a side or its box is missing."""

    label: str
    beside: Beside
    reference: Detection | None
    served: Detection | None
    iou: float | None = None

    @property
    def shift(self) -> float | None:
        """Served minus reference confidence, where both have one."""
        one = None if self.reference is None else self.reference.confidence
        other = None if self.served is None else self.served.confidence
        return None if one is None or other is None else other - one


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class: how many on each side, and how the pairs agree in the mean."""

    label: str
    reference: int
    served: int
    pairs: int
    mean_iou: float | None
    mean_shift: float | None


@dataclass(frozen=True, slots=True)
class Parity:
    """The whole comparison. ``findings`` are beyond the tolerance, the worst first."""

    rows: tuple[Row, ...]
    classes: tuple[ClassRow, ...]
    findings: tuple[Finding, ...]

    @property
    def same(self) -> bool:
        """Whether nothing is beyond the tolerance."""
        return not self.findings

    def counts(self) -> list[tuple[str, int]]:
        """How many stand so, for each word that occurs."""
        tally = Counter(row.beside for row in self.rows)
        return [(beside.value, tally[beside]) for beside in Beside if tally[beside]]

    def words(self) -> list[str]:
        """The findings that a table of things does not show by itself."""
        # A count is the table's; "pinned" is the word of the canary.
        return [
            each.message.replace("pinned", "reference")
            for each in self.findings
            if each.flaw not in (Flaw.EMPTY, Flaw.COUNT)
        ]


def side_by_side(
    served: Prediction,
    reference: Prediction,
    tolerance: Tolerance,
    *,
    conf: float | None = None,
) -> Parity:
    """Compare. ``conf`` is the confidence threshold that both were asked for.

    Of more than 300 things on a side the surest are compared.
    """
    baseline = baseline_of(reference, image_sha256="", pinned_at=0.0)
    findings = compare(served, baseline, tolerance, conf=conf)
    limit = faint_below(baseline, tolerance, conf)
    wanted, got = _surest(reference.detections), _surest(served.detections)
    if any(each.box is not None for each in (*wanted, *got)):
        rows = _boxed(wanted, got, tolerance, limit)
    else:
        rows = _labelled(wanted, got, tolerance)
    return Parity(tuple(rows), _classes(rows), findings)


def _surest(seen: Sequence[Detection]) -> Sequence[Detection]:
    if len(seen) <= MOST_PINNED:
        return seen
    return sorted(seen, key=lambda each: -(each.confidence or 0.0))[:MOST_PINNED]


def _boxed(
    wanted: Sequence[Detection],
    got: Sequence[Detection],
    tolerance: Tolerance,
    limit: float,
) -> list[Row]:
    found = match(wanted, got, min_iou=SAME_THING)
    rows = [
        _pair(pair.expected, pair.got, tolerance, iou=pair.iou) for pair in found.pairs
    ]
    for each in found.missed:
        beside = Beside.FAINT if faint(each, limit) else Beside.MISSED
        rows.append(Row(each.label, beside, each, None))
    for each in found.extra:
        beside = Beside.FAINT if faint(each, limit) else Beside.EXTRA
        rows.append(Row(each.label, beside, None, each))
    return rows


def _labelled(
    wanted: Sequence[Detection], got: Sequence[Detection], tolerance: Tolerance
) -> list[Row]:
    """Classes of a whole picture, or of its pixels: each label once, by its name."""
    one = {each.label: each for each in reversed(wanted)}
    other = {each.label: each for each in reversed(got)}
    labels = dict.fromkeys([*(each.label for each in (*wanted, *got))])
    rows: list[Row] = []
    for label in labels:
        here, there = one.get(label), other.get(label)
        if here is not None and there is not None:
            rows.append(_pair(here, there, tolerance, iou=None))
        else:
            beside = Beside.EXTRA if here is None else Beside.MISSED
            rows.append(Row(label, beside, here, there))
    return rows


def _pair(
    wanted: Detection, got: Detection, tolerance: Tolerance, *, iou: float | None
) -> Row:
    row = Row(wanted.label, Beside.SAME, wanted, got, iou)
    shift = row.shift
    far = shift is not None and abs(shift) > tolerance.confidence + _EPSILON
    covers = abs((wanted.share or 0.0) - (got.share or 0.0))
    moved = iou is not None and iou < tolerance.iou - _EPSILON
    if far or moved or covers > tolerance.pixels + _EPSILON:
        return Row(row.label, Beside.SHIFTED, wanted, got, iou)
    return row


def _classes(rows: Sequence[Row]) -> tuple[ClassRow, ...]:
    found: list[ClassRow] = []
    for label in sorted({row.label for row in rows}):
        own = [row for row in rows if row.label == label]
        pairs = [row for row in own if row.reference and row.served]
        found.append(
            ClassRow(
                label,
                sum(row.reference is not None for row in own),
                sum(row.served is not None for row in own),
                len(pairs),
                _mean([row.iou for row in pairs]),
                _mean([row.shift for row in pairs]),
            )
        )
    return tuple(found)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
