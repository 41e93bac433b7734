"""How often the Platform may be asked: one account of calls for everything.

Owns the limits of each category, whose turn it is, and waiting where the Platform says
so. It must not know what a call does.

The Platform counts in a sliding window of a minute for each key. A bucket that refills
evenly would allow a full minute's calls at once and as many again while it refills, 200
where 100 are allowed; so the instants of the last minute are kept.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Final

WINDOW_S: Final = 61.0
"""A minute, and what clocks and the way may differ."""
MINE: Final = 0.9
"""The share of a limit that goes by itself; the rest is for whoever presses a key."""
LONGEST_WAIT_S: Final = 3_600.0
"""However long the Platform asks to wait, an hour is looked at again."""


class Category(StrEnum):
    """Counted apart by the Platform."""

    DEFAULT = "default"
    PREDICT = "predict"
    MUTATION = "mutation"


LIMITS: Final[Mapping[Category, int]] = {
    Category.DEFAULT: 100,
    Category.PREDICT: 20,
    Category.MUTATION: 10,
}
"""Calls a minute."""


class Budget:
    """Shared by all calls with one key."""

    def __init__(
        self,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] | None = None,
        limits: Mapping[Category, int] = LIMITS,
    ) -> None:
        """``now`` is monotonic, in seconds; ``sleep`` waits on the same clock."""
        self._now = now
        self._sleep = sleep
        self._limits = dict(limits)
        self._spent: dict[Category, deque[float]] = {each: deque() for each in Category}
        self._shut_until: dict[Category, float] = {}

    def wait_s(self, category: Category, *, by_hand: bool = False) -> float:
        """Seconds until a call may begin; 0: now."""
        now = self._now()
        spent = self._spent[category]
        while spent and spent[0] <= now - WINDOW_S:
            spent.popleft()
        shut_s = max(0.0, self._shut_until.get(category, now) - now)
        most = self._limits[category]
        if not by_hand:
            most = max(1, int(most * MINE))
        if len(spent) < most:
            return shut_s
        return max(shut_s, spent[len(spent) - most] + WINDOW_S - now)

    def spend(self, category: Category) -> None:
        """Note that a call begins."""
        self._spent[category].append(self._now())

    def refused(self, category: Category, retry_after_s: float | None) -> None:
        """The Platform said no (429): nothing of this category until it says so."""
        wait_s = 5.0 if retry_after_s is None else retry_after_s
        wait_s = min(LONGEST_WAIT_S, max(0.0, wait_s))
        until = self._now() + wait_s
        # Of two in flight the second may not say how long: it does not open the first.
        self._shut_until[category] = max(until, self._shut_until.get(category, until))

    async def turn(self, category: Category, *, by_hand: bool = False) -> None:
        """Wait for a turn and take it. Who waits is cancelled like any task."""
        while (wait_s := self.wait_s(category, by_hand=by_hand)) > 0:
            await (
                asyncio.sleep(wait_s) if self._sleep is None else self._sleep(wait_s)
            )
        self.spend(category)

    def left(self, category: Category) -> tuple[int, int]:
        """Calls that may still begin within this minute, and the limit."""
        self.wait_s(category)
        most = self._limits[category]
        return max(0, most - len(self._spent[category])), most
