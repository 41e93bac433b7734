"""Where a curve bends: the last level that was worth its load.

Owns one rule. Pure; must not know how the points were measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

RISES: Final = 1.10
"""Throughput rises when it is 10 % more, the width within which windows agree. With 5 %
a server of two workers had its knee at four askers: 62 and 65.2 answers a second, with
P95 at 33 and 90 ms."""
WORSE: Final = 1.10
"""P95 rises when it is 10 % more, the width within which windows agree."""


HELD: Final = 0.95
"""A rate is held when so much of it is answered."""


@dataclass(frozen=True, slots=True)
class Point:
    """What one level came to: good answers a second, and their P95.

    ``meant_per_s`` is the rate of an open loop.
    """

    per_s: float
    p95_ms: float
    meant_per_s: float | None = None

    @property
    def held(self) -> bool:
        """Whether what was meant was answered; a closed loop means nothing."""
        return self.meant_per_s is None or self.per_s >= HELD * self.meant_per_s


def knee(points: Sequence[Point]) -> int | None:
    """The index of the first level beyond which more load brings only waiting.

    No later level answers noticeably more, and at the last one P95 is noticeably worse.
    ``None`` where throughput still rises, or where nothing got worse. Of an open loop
    it is the last rate that was held before one that was not: at 80/s meant and 65/s
    answered the queue grows for as long as somebody asks.
    """
    lost = next((i for i, point in enumerate(points) if not point.held), None)
    if lost is not None:
        return lost - 1 if lost else None
    for index, point in enumerate(points[:-1]):
        later = points[index + 1 :]
        flat = max(other.per_s for other in later) <= point.per_s * RISES
        if flat and later[-1].p95_ms > point.p95_ms * WORSE:
            return index
    return None
