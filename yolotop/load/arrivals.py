"""When questions are meant to begin, at a constant rate.

Owns the plan of an open loop and nothing else; pure. A latency counts from the moment
a question was *meant* to begin: a server that stalls for a second keeps everybody
waiting who came in that second, also those whom a patient asker would never have sent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrivals:
    """``rate_per_s`` a second from ``start`` to before ``end``, in seconds of a clock.

    The n-th is computed, never added up: a sum of 30,000 steps would drift.
    """

    rate_per_s: float
    start: float
    end: float

    def at(self, number: int) -> float:
        """When the question of that number, from 0 on, is meant to begin."""
        return self.start + number / self.rate_per_s

    def due(self, now: float) -> int:
        """How many are meant to have begun by ``now``, that moment included."""
        if now < self.start:
            return 0
        number = math.floor((min(now, self.end) - self.start) * self.rate_per_s) + 1
        # What the product rounded, the moments themselves decide.
        while number and not self._within(number - 1, now):
            number -= 1
        while self._within(number, now):
            number += 1
        return number

    def waited(self, begun: int, *, until: float, now: float) -> Iterator[float]:
        """Seconds that those have waited at ``now`` who were never sent.

        ``begun`` is how many were, in their order; who came after ``until`` was not
        meant to be sent at all.
        """
        for number in range(begun, self.due(until)):
            yield now - self.at(number)

    def _within(self, number: int, now: float) -> bool:
        return self.at(number) < self.end and self.at(number) <= now
