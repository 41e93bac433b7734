"""What is asked for: levels, how long each may take, how much may be sent.

Owns the text forms of a ladder (``1..8``, ``5..40/s``) and the bounds of a whole
test. Must not know what is asked. All errors are ValueErrors that say what is wrong
with the value, for whoever knows its name.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

MOST_AT_ONCE: Final = 64
"""Questions under way at once: beyond, this process would measure its own queue."""
MOST_PER_S: Final = 1_000.0
"""A question costs some 1 ms of CPU here, so no rate above this could be kept."""
MOST_LEVELS: Final = 32
MOST_S: Final = 3_600.0
"""Seconds of a whole test."""
SHORTEST_WINDOW_S: Final = 0.5
WINDOWS: Final = 6
"""Windows that a level lasts at most, unless told: three that agree, three before."""

_NUMBER: Final = r"([0-9]{1,6}(?:\.[0-9]{1,3})?)"
_RANGE: Final = re.compile(rf"{_NUMBER}\s*\.\.\s*{_NUMBER}(?:\s*:\s*{_NUMBER})?")
_UNITS_S: Final = {"s": 1.0, "min": 60.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a test.

    Without ``rate_per_s`` the loop is closed: ``concurrency`` askers, each of which
    asks again when it has an answer. With it the loop is open: questions begin at that
    rate whatever comes back, and ``concurrency`` is how many may be under way.
    """

    concurrency: int
    rate_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole test: at most ``duration_s`` a level, cut into windows of ``window_s``.

    ``most_requests`` bounds all levels together.
    """

    levels: tuple[Level, ...]
    duration_s: float
    window_s: float
    most_requests: int

    @property
    def is_open(self) -> bool:
        """Whether questions begin at a rate, not when an answer has come."""
        return any(level.rate_per_s is not None for level in self.levels)

    @property
    def longest_s(self) -> float:
        """Seconds without the last answers of each level."""
        return self.duration_s * len(self.levels)


def window_for(duration_s: float) -> float:
    """The window of a level of that length."""
    return max(SHORTEST_WINDOW_S, duration_s / WINDOWS)


def most_questions(plan: Plan) -> int:
    """How many are sent at most. A rate says so itself; a closed loop has its cap."""
    if not plan.is_open:
        return plan.most_requests
    meant = [math.ceil((one.rate_per_s or 0) * plan.duration_s) for one in plan.levels]
    return min(plan.most_requests, sum(meant))


def concurrencies(text: str) -> tuple[int, ...]:
    """``4``, ``1,2,6``, ``1..8`` (doubling: 1, 2, 4, 8) or ``1..8:1`` (in steps)."""
    found: list[int] = []
    for value in _ladder(text):
        if value != int(value):
            raise ValueError("is not a whole number")
        found.append(int(value))
    if not 1 <= min(found) <= max(found) <= MOST_AT_ONCE:
        raise ValueError(f"must be from 1 to {MOST_AT_ONCE}")
    return tuple(found)


def rates(text: str) -> tuple[float, ...]:
    """Questions a second: ``5/s``, ``30/min``, ``5..40/s`` (doubling), ``5,8/s``."""
    number, slash, unit = text.strip().rpartition("/")
    if not slash or unit not in _UNITS_S:
        raise ValueError('has no unit: "5/s" or "30/min"')
    found = tuple(value / _UNITS_S[unit] for value in _ladder(number))
    if not 0 < min(found) <= max(found) <= MOST_PER_S:
        raise ValueError(f"must be above 0 and at most {MOST_PER_S:,.0f}/s")
    return found


def _ladder(text: str) -> list[float]:
    """Rising values of a list, of a range that doubles, or of one with a step."""
    match = _RANGE.fullmatch(text.strip())
    found = _listed(text) if match is None else _climbed(*match.groups())
    if found != sorted(set(found)):
        raise ValueError("must rise from left to right")
    if len(found) > MOST_LEVELS:
        raise ValueError(f"has {len(found)} levels, at most {MOST_LEVELS} are taken")
    return found


def _listed(text: str) -> list[float]:
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(_NUMBER, part) for part in parts):
        raise ValueError("is neither a number nor a range such as 1..8")
    return [float(part) for part in parts]


def _climbed(first: str, last: str, step: str | None) -> list[float]:
    low, high = float(first), float(last)
    if not 0 < low <= high:
        raise ValueError("must rise from left to right, from more than 0")
    if step is not None and float(step) <= 0:
        raise ValueError("has a step of 0")
    count = math.log2(high / low) if step is None else (high - low) / float(step)
    if count > MOST_LEVELS:
        raise ValueError(f"has more than {MOST_LEVELS} levels")
    whole = math.floor(count + 1e-9)
    if step is None:
        found = [low * 2**n for n in range(whole + 1)]
    else:
        found = [low + float(step) * n for n in range(whole + 1)]
    # The end that was asked for is always a level of its own.
    return found if math.isclose(found[-1], high) else [*found, high]
