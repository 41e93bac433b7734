"""Error budgets of the fleet: counts from stored slots, arithmetic from the judge.

Owns which slots a window is made of. It must not know SQL, Textual or what is done
about an alarm.

Windows end now and are made of whole slots, so each is up to one slot longer than its
name; the slot that is still filling is in. Up to six hours are five-minute slots, more
are hours. One sum in the database per window: no histogram is read, and raw probes
never.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from yolotop.judge.slo import WINDOWS_S, Budget, Counts, Objective, budget
from yolotop.store.protocol import (
    COARSE_SLOT_S,
    FINE_SLOT_S,
    Reader,
    Registered,
    SlotCounts,
)

FINE_UP_TO_S: Final = 21_600
RENEW_S: Final = 60.0
"""A face's budgets are this old at most: 25 ms for a hundred deployments."""
YOUNG_S: Final = 3.0
"""The same while nothing was summed yet: little to sum, and someone waits for it."""
_NONE: Final = SlotCounts(0, 0, 0)


class Budgets:
    """The budgets as one face has last summed them, by deployment."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[str, Budget] = {}
        self._names: frozenset[str] = frozenset()
        self._at = -math.inf

    async def renew(self, registered: Iterable[Registered], now: float) -> None:
        """Sum them anew where they are old, or of another fleet."""
        entries = list(registered)
        names = frozenset(entry.name for entry in entries)
        young = not any(budget.counts.total for budget in self._known.values())
        renew_s = YOUNG_S if young else RENEW_S
        if names == self._names and 0 <= now - self._at < renew_s:
            return
        self._known = await budgets(self._reader, entries, now)
        self._names, self._at = names, now

    def get(self, name: str) -> Budget | None:
        """One deployment's budget, or ``None`` where it is not known yet."""
        return self._known.get(name)

    def left(self, name: str) -> float | None:
        """What is left of it, 1 for all and below 0 where it is overdrawn."""
        known = self._known.get(name)
        return known.left if known is not None else None


async def budgets(
    reader: Reader, registered: Iterable[Registered], now: float
) -> dict[str, Budget]:
    """The budget of each deployment by name."""
    entries = list(registered)
    windows = {
        span_s: await _counts(reader, span_s, _width_s(span_s), now)
        for span_s in WINDOWS_S
    }
    ranges = {
        range_s: await _counts(reader, range_s, COARSE_SLOT_S, now)
        for range_s in {entry.objective_range_s for entry in entries}
    }
    found = {}
    for entry in entries:
        whole = ranges[entry.objective_range_s].get(entry.name, _NONE)
        own = {
            span_s: _of(counts.get(entry.name, _NONE))
            for span_s, counts in windows.items()
        }
        found[entry.name] = budget(
            Objective(entry.objective, entry.objective_range_s),
            _of(whole),
            own,
            coverage=_coverage(whole, windows[FINE_UP_TO_S], entry, now),
        )
    return found


def _coverage(
    whole: SlotCounts, newest: Mapping[str, SlotCounts], entry: Registered, now: float
) -> float:
    """By hours; of one that is hours old itself by five minutes.

    Half of its first hour unmeasured would be 100 % measured, in hours.
    """
    if now - entry.first_seen_at <= FINE_UP_TO_S:
        slots = newest.get(entry.name, _NONE).slots
        return coverage(slots, entry, now, width_s=FINE_SLOT_S)
    return coverage(whole.slots, entry, now)


def coverage(
    slots: int, entry: Registered, now: float, *, width_s: int = COARSE_SLOT_S
) -> float:
    """The share of the objective's range, 0-1, in which something was measured.

    ``slots`` are ``width_s`` long. A deployment that is younger than the range is
    measured against its own age. One asked less than once a slot fills the slots it
    stands for.
    """
    since_at = max(entry.first_seen_at, now - entry.objective_range_s)
    first = math.floor(since_at / width_s)
    passed = math.floor(now / width_s) - first + 1
    expected = passed / max(1.0, entry.predict_interval_s / width_s)
    return min(1.0, slots / max(1.0, expected))


async def _counts(
    reader: Reader, span_s: float, width_s: int, now: float
) -> dict[str, SlotCounts]:
    since = math.floor((now - span_s) / width_s) * width_s
    # What a clock that was wrong then has dated later is not of this window.
    until = (math.floor(now / width_s) + 1) * width_s
    return await reader.counts(since, until, width_s=width_s)


def _width_s(span_s: int) -> int:
    return FINE_SLOT_S if span_s <= FINE_UP_TO_S else COARSE_SLOT_S


def _of(counts: SlotCounts) -> Counts:
    return Counts(counts.requests, counts.failed)
