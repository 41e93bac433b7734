"""What is asked of the Platform by itself, and when: a fleet kept in step, passively.

Owns cadence, what is due, and telling a trouble once. It must not know what is made of
what it finds, nor how to wait: whoever steps it waits as long as it says.

Nothing here wakes an endpoint: lists, metrics and logs do not; the Platform's health
route does, so it is never asked here. The cadence is that of the Platform's own page:
the list every 15 s, every 3 s while anything is on its way, metrics of what is ready
every 60 s, spread over the minute. Forty deployments are 44 calls a minute of the 90
that go by themselves.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from yolotop.platform.contract import Lifecycle, Listed, PlatformDeployment
from yolotop.platform.failure import FailureKind, PlatformError
from yolotop.platform.metrics import Metrics
from yolotop.platform.news import News, news

LIST_S: Final = 15.0
TRANSIT_S: Final = 3.0
METRICS_S: Final = 60.0
DAY_S: Final = 3_600.0
"""How often the hours of the last day are asked for beside the minutes of the last."""
LONGEST_RETRY_S: Final = 300.0
_HOPELESS: Final = frozenset({FailureKind.UNAUTHORIZED, FailureKind.FORBIDDEN})


class Source(Protocol):
    """What a watch asks: :class:`~yolotop.platform.client.PlatformClient`."""

    async def deployments(self) -> Listed:
        """All of them."""

    async def metrics(self, slug: str, range_: str) -> Metrics:
        """Counts and series of one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A list, what is new in it, and how many there are beside it."""

    deployments: tuple[PlatformDeployment, ...]
    news: tuple[News, ...]
    cut: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Metrics of one deployment over ``range_``."""

    deployment: PlatformDeployment
    range_: str
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Trouble:
    """A call that fails, told when it begins to and (``error`` is ``None``) when it is
    over. ``about`` is a slug, or empty for the list."""

    about: str
    error: PlatformError | None


Found: TypeAlias = Seen | Measured | Trouble


@dataclass(slots=True)
class _Turn:
    """When one deployment's metrics are due."""

    next_at: float
    day_at: float = float("-inf")
    failures: int = 0


@dataclass(slots=True)
class Watch:
    """``now`` is monotonic. ``deployments`` are those that were known before.

    Without any the first list is what there is, and no news.
    """

    source: Source
    now: Callable[[], float]
    deployments: tuple[PlatformDeployment, ...] = ()
    _known: bool = field(default=False, init=False)
    _list_at: float = field(default=float("-inf"), init=False)
    _list_failures: int = field(default=0, init=False)
    _turns: dict[str, _Turn] = field(default_factory=dict, init=False)
    _troubled: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        # What was known before is compared with the first list, too.
        self._known = bool(self.deployments)

    def soon(self) -> None:
        """Something was changed by hand: the list is due now."""
        self._list_at = min(self._list_at, self.now())

    def wait_s(self) -> float:
        """Seconds until something is due; 0: now."""
        due = [self._list_at, *(turn.next_at for turn in self._turns.values())]
        return max(0.0, min(due) - self.now())

    async def step(self) -> list[Found]:
        """Ask what is due, one call after the other; what came of it."""
        found: list[Found] = []
        if self._list_at <= self.now():
            found += await self._list()
        for one in self.deployments:
            turn = self._turns.get(one.id)
            if turn is not None and turn.next_at <= self.now():
                found += await self._measure(one, turn)
        return found

    # --- the list ------------------------------------------------------------------

    async def _list(self) -> list[Found]:
        try:
            listed = await self.source.deployments()
        except PlatformError as error:
            self._list_failures += 1
            self._list_at = self.now() + _retry_s(error, self._list_failures, LIST_S)
            return self._tell("", error)
        found = self._tell("", None)
        self._list_failures = 0
        told = listed.deployments
        happened = news(self.deployments, told) if self._known else ()
        if listed.cut:
            # What is not on the page is not gone.
            happened = tuple(each for each in happened if each.deployment in told)
        self.deployments, self._known = told, True
        self._plan(told)
        moving = any(each.lifecycle.is_transitional for each in told)
        self._list_at = self.now() + (TRANSIT_S if moving else LIST_S)
        return [*found, Seen(told, happened, listed.cut)]

    def _plan(self, told: Iterable[PlatformDeployment]) -> None:
        ready = {each.id for each in told if each.lifecycle is Lifecycle.READY}
        for gone in self._turns.keys() - ready:
            del self._turns[gone]
            self._troubled.discard(gone)
        for new in ready - self._turns.keys():
            # Spread over the minute, each at its own second of it.
            share = zlib.crc32(new.encode()) / 2**32
            self._turns[new] = _Turn(self.now() + share * METRICS_S)

    # --- metrics -------------------------------------------------------------------

    async def _measure(self, one: PlatformDeployment, turn: _Turn) -> list[Found]:
        now = self.now()
        whole = now - turn.day_at >= DAY_S
        range_ = "24h" if whole else "1h"
        try:
            metrics = await self.source.metrics(one.slug, range_)
        except PlatformError as error:
            turn.failures += 1
            turn.next_at = self.now() + _retry_s(error, turn.failures, METRICS_S)
            if error.kind in (FailureKind.STATE, FailureKind.NOT_FOUND):
                return []  # It changed since the list; the next one says how.
            return self._tell(one.slug, error)
        turn.failures = 0
        if whole:
            turn.day_at = now
        # On its own grid, unless a whole turn was missed.
        turn.next_at = max(turn.next_at + METRICS_S, now + METRICS_S / 2)
        return [*self._tell(one.slug, None), Measured(one, range_, metrics)]

    def _tell(self, about: str, error: PlatformError | None) -> list[Found]:
        if (about in self._troubled) is (error is not None):
            return []
        if error is None:
            self._troubled.discard(about)
        else:
            self._troubled.add(about)
        return [Trouble(about, error)]


def _retry_s(error: PlatformError, failures: int, usual_s: float) -> float:
    """Ever later, as late as the Platform asks, and rarely where it is hopeless."""
    if error.kind in _HOPELESS:
        return LONGEST_RETRY_S
    later = min(LONGEST_RETRY_S, usual_s * 2.0 ** min(failures - 1, 8))
    return max(later, error.retry_after_s or 0.0)
