"""In which order the table's rows stand: by which column, and when they may move.

Owns the sorting. Pure: from cards, a wish and an instant to an order of names. It must
not know how a row is drawn.

A table that is sorted anew at every tick is never still: deployments of one cadence
take turns in their request counts, and P95s of a range wander by a fraction of a
millisecond. So a wish is carried out exactly and at once; after that, rows are looked
at again every :data:`HOLD_S` at most, are compared by *rounded* values, and what is
equal then stays where it is. Sorting is stable throughout: sorting by region and then
by state leaves the regions together within a state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from yolotop.model import Health
from yolotop.view.snapshot import Card

HOLD_S: Final = 5.0
"""Rows move once in five seconds at most: long enough to read a row and press a key."""


class By(StrEnum):
    """What the rows can be sorted by, in the table's order; the words people read."""

    NAME = "name"
    REGION = "region"
    GROUP = "group"
    STATE = "state"
    SINCE = "since"
    REQUESTS = "requests"
    P50 = "P50"
    P95 = "P95"
    ERRORS = "errors"
    SLO = "SLO left"
    LAST = "last answer"


@dataclass(frozen=True, slots=True)
class Sort:
    """The wish: ``by`` is ``None`` for the order of the config file."""

    by: By | None = None
    descending: bool = False


_BADNESS: Final = {
    Health.UP: 0,
    Health.PAUSED: 1,
    Health.MAINTENANCE: 2,
    Health.UNKNOWN: 3,
    Health.COLD: 4,
    Health.DEGRADED: 5,
    Health.DOWN: 6,
}
_GREATEST_FIRST: Final = frozenset(
    {By.STATE, By.REQUESTS, By.P50, By.P95, By.ERRORS, By.LAST}
)
"""Columns that one sorts by to see the greatest; the others start with the least."""

Value = float | str | None


def first_way(by: By | None) -> Sort:
    """The direction in which a column is sorted first: what one looks for on top."""
    return Sort(by, descending=by in _GREATEST_FIRST)


def next_sort(sort: Sort, shown: Sequence[By]) -> Sort:
    """By the next of the columns that are shown; after the last one by none."""
    stops: list[By | None] = [None, *shown]
    at = stops.index(sort.by) if sort.by in stops else 0
    return first_way(stops[(at + 1) % len(stops)])


def reversed_sort(sort: Sort) -> Sort:
    """The other way round; the config file's order has no other way."""
    return Sort(sort.by, not sort.descending) if sort.by is not None else sort


_VALUES: Final[Mapping[By, Callable[[Card, float], Value]]] = {
    By.NAME: lambda card, _: card.name.casefold(),
    By.REGION: lambda card, _: card.region.casefold() if card.region else None,
    By.GROUP: lambda card, _: card.group.casefold() if card.group else None,
    By.STATE: lambda card, _: _BADNESS[card.health],
    By.SINCE: lambda card, now: now - card.since_at if card.since_at else None,
    By.REQUESTS: lambda card, _: card.figures.requests,
    By.P50: lambda card, _: card.figures.p50_ms,
    By.P95: lambda card, _: card.figures.p95_ms,
    By.ERRORS: lambda card, _: card.figures.error_rate,
    By.SLO: lambda card, _: card.slo_left,
    By.LAST: lambda card, now: now - card.last_at if card.last_at else None,
}


def _exact(card: Card, by: By, now: float) -> Value:
    return _VALUES[by](card, now)


def _rounded(card: Card, by: By, now: float) -> Value:
    """The value to two digits or so: what must differ before a row moves."""
    value = _exact(card, by, now)
    if value is None or isinstance(value, str):
        return value
    if by in (By.SINCE, By.LAST):
        # Minutes: within one, everybody's last answer overtakes everybody else's.
        return math.floor(value / 60)
    if by in (By.ERRORS, By.SLO):
        return round(value, 3 if by is By.ERRORS else 2)
    return float(f"{value:.2g}")


def _sorted(
    cards: Iterable[Card],
    sort: Sort,
    now: float,
    value: Callable[[Card, By, float], Value],
) -> list[Card]:
    """Stable; what has no value stands at the end, whichever way round."""
    by = sort.by
    if by is None:
        return list(cards)
    texts: list[tuple[str, Card]] = []
    numbers: list[tuple[float, Card]] = []
    without: list[Card] = []
    for card in cards:
        found = value(card, by, now)
        if isinstance(found, str):
            texts.append((found, card))
        elif found is None or math.isnan(found):
            without.append(card)
        else:
            numbers.append((found, card))
    texts.sort(key=lambda pair: pair[0], reverse=sort.descending)
    numbers.sort(key=lambda pair: pair[0], reverse=sort.descending)
    return [card for _, card in texts] + [card for _, card in numbers] + without


class Order:
    """The rows as they stand, and when they were last looked at."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._sort = Sort()
        self._at = -math.inf

    def arrange(
        self, cards: Sequence[Card], sort: Sort, now: float
    ) -> tuple[Card, ...]:
        """``cards``, which are in the config file's order, as the table shows them."""
        if sort.by is None:
            self._sort, self._names = sort, [card.name for card in cards]
            return tuple(cards)
        standing = self._standing(cards)
        wished = sort != self._sort
        # New ones are put in their place at once; a clock that was set back counts as
        # time that has passed.
        due = not 0 <= now - self._at < HOLD_S
        if wished or due or len(self._names) != len(cards):
            value = _exact if wished else _rounded
            standing = _sorted(standing, sort, now, value)
            self._sort, self._at = sort, now
        self._names = [card.name for card in standing]
        return tuple(standing)

    def _standing(self, cards: Sequence[Card]) -> list[Card]:
        """In the order of last time, new ones at the end."""
        places = {name: place for place, name in enumerate(self._names)}
        return sorted(cards, key=lambda card: places.get(card.name, len(places)))
