"""Deployments by place: what the map and the table beside it are made of.

Owns the grouping and what a place adds up to. Pure; it must not know what it looks
like. What is in trouble comes first, so that a short table still shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from yolotop.model import Health
from yolotop.view.regions import Place, locate
from yolotop.view.snapshot import Card

TROUBLED: Final = frozenset({Health.DOWN, Health.DEGRADED})
WORST_FIRST: Final = (
    Health.DOWN,
    Health.DEGRADED,
    Health.COLD,
    Health.UNKNOWN,
    Health.UP,
    Health.MAINTENANCE,
    Health.PAUSED,
)
NOWHERE: Final = "no place"
"""Where deployments are that have neither a location nor a region that is known."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place and the deployments there, in the order of the list."""

    place: Place | None
    cards: tuple[Card, ...]

    @property
    def label(self) -> str:
        """What it is called."""
        return self.place.label if self.place else NOWHERE

    @property
    def spot(self) -> tuple[float, float]:
        """Latitude and longitude; 0, 0 for nowhere."""
        return (self.place.latitude, self.place.longitude) if self.place else (0.0, 0.0)

    @property
    def counts(self) -> tuple[tuple[Health, int], ...]:
        """How many are in which state, the worst first; states nobody is in are out."""
        tally = [card.health for card in self.cards]
        return tuple((h, tally.count(h)) for h in WORST_FIRST if h in tally)

    @property
    def requests(self) -> int:
        """Of all of them, over the range."""
        return sum(card.figures.requests for card in self.cards)

    @property
    def error_rate(self) -> float | None:
        """Failed ÷ requests of all of them, 0-1; ``None`` without requests."""
        failed = sum(card.figures.failed for card in self.cards)
        return failed / self.requests if self.requests else None

    @property
    def p95_ms(self) -> float | None:
        """The greatest P95 of any of them: percentiles cannot be added up."""
        known = [c.figures.p95_ms for c in self.cards if c.figures.p95_ms is not None]
        return max(known, default=None)


def worst_of(cards: Sequence[Card]) -> Health:
    """The worst state of some deployments."""
    return min((card.health for card in cards), key=WORST_FIRST.index)


def sites_of(cards: Iterable[Card]) -> tuple[Site, ...]:
    """Deployments by place: what is in trouble first, then by name."""
    by_spot: dict[tuple[float, float] | None, tuple[Place | None, list[Card]]] = {}
    for card in cards:
        place = locate(card.region, card.location)
        spot = (round(place.latitude, 1), round(place.longitude, 1)) if place else None
        by_spot.setdefault(spot, (place, []))[1].append(card)
    sites = [Site(place, tuple(some)) for place, some in by_spot.values()]
    return tuple(sorted(sites, key=_rank))


def _rank(site: Site) -> tuple[int, bool, str]:
    worst = worst_of(site.cards)
    # Only trouble is worth moving a line for; the rest is found by name.
    rank = WORST_FIRST.index(worst) if worst in TROUBLED else len(WORST_FIRST)
    return rank, site.place is None, site.label.casefold()
