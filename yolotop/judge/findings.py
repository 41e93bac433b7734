"""What may be found wrong with an answer, and how much of it is always let pass.

Owns the kinds of flaws and their order, the one finding, and the bounds that all
comparisons share. Pure. It must not know what is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

MOST_PINNED: Final = 300
"""Detections of a baseline, the surest first: as many as YOLO heads give."""
MOST_LOOKED: Final = 50
"""Things without a partner that are held against each other, and outlines compared (the
largest; 0.24 ms each): the judge shares its loop with every other probe's clock."""
EPSILON: Final = 1e-6
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


def slack(box: tuple[float, float, float, float]) -> float:
    """Pixels by which an edge may always move.

    One for rounding, and what half-precision numbers are apart at that distance from
    the corner (1 at 1,024), twice, since both sides were rounded. Never more than half
    of the box: coordinates that are no pixels must not pass unseen.
    """
    far = max(abs(edge) for edge in box)
    small = min(abs(box[2] - box[0]), abs(box[3] - box[1]))
    return min(1.0 + far / 512, small / 2)
