"""A face's look at the history: one :class:`Snapshot` per refresh, pages of the log.

Owns which slots a range is made of, the panels and when nothing needs computing. It
must not know SQL, Textual or how a probe is taken; it writes nothing.

Where figures come from: 1h, 6h and 24h from 300 s slots, 7d and 30d from 3,600 s
slots, in aligned windows (see :mod:`yolotop.view.aggregate`); never from raw rows.
Trends cover the range or, while the history is younger, only what there is, in finer
steps: down to 5 s ones from the last hour's raw probes, of which a bounded number is
read once.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from yolotop.store.protocol import (
    COARSE_SLOT_S,
    FINE_SLOT_S,
    Reader,
    Registered,
    StoredProbe,
)
from yolotop.view import cards as views
from yolotop.view.counted import Counts, is_counted
from yolotop.view.history import MICRO_S, MICRO_SPAN_S, History
from yolotop.view.log import LogPage, LogQuery, page, page_at
from yolotop.view.slo import Budgets
from yolotop.view.snapshot import (
    UNKNOWN,
    Card,
    CollectorHealth,
    CollectorView,
    Figures,
    Range,
    Snapshot,
    Trend,
)
from yolotop.view.steps import Trends, change, step_s, trends
from yolotop.view.tally import Window

if TYPE_CHECKING:
    from yolotop.view.closeup import Scene
    from yolotop.view.depth import Depth
    from yolotop.view.detail import Detail
    from yolotop.view.incidents import Incident

WIDTHS_S: Final = {
    Range.H1: FINE_SLOT_S,
    Range.H6: FINE_SLOT_S,
    Range.H24: FINE_SLOT_S,
    Range.D7: COARSE_SLOT_S,
    Range.D30: COARSE_SLOT_S,
}


@dataclass(frozen=True, slots=True)
class _Basis:
    """What the last snapshot was computed for; equal means equal figures."""

    window: Window
    range: Range
    running: bool
    silences: tuple[str, ...]
    """What each card says instead of its state: it changes with the time alone."""


class Session:
    """Reads one store for one face. Calls may overlap; refreshes take turns.

    Raises what the reader raises (:class:`~yolotop.errors.StoreError`); the next call
    goes on from what was read before.
    """

    def __init__(self, reader: Reader, *, now: Callable[[], float] = time.time) -> None:
        self._reader = reader
        self._now = now
        self._history = History(reader)
        self._turn = asyncio.Lock()
        self._budgets = Budgets(reader)
        self._counts = Counts(reader)
        self._basis: _Basis | None = None
        self._snapshot = Snapshot(at=0.0)
        self._depth: Depth | None = None

    async def refresh(self, range_: Range) -> Snapshot:
        """The picture now. Without news only ages and the clock move."""
        async with self._turn:
            now = self._now()
            # Whatever fails or is cancelled from here on is computed next time.
            await self._catch_up()
            collector = views.collector_view(self._history.collector, now)
            running = collector.health is CollectorHealth.RUNNING
            window = _window(now, range_)
            silences = self._silences(now, running=running)
            basis = _Basis(window, range_, running, silences)
            if basis == self._basis:
                self._snapshot = replace(self._snapshot, at=now, collector=collector)
                return self._snapshot
            self._snapshot = await self._compute(now, basis, collector)
            self._basis = basis
            return self._snapshot

    async def detail(self, name: str, range_: Range) -> Detail | None:
        """One deployment in depth; ``None`` where none of that name is registered."""
        async with self._turn:
            now = self._now()
            await self._catch_up()
            entry = self._history.entry(name)
            if entry is None:
                return None
            await self._budgets.renew(self._history.registered, now)
            collector = views.collector_view(self._history.collector, now)
            running = collector.health is CollectorHealth.RUNNING
            scene = self._scene(entry, range_, now, running=running)
            return await self._deep().detail(scene, collector)

    async def incidents(self, range_: Range) -> tuple[Incident, ...]:
        """What went wrong in the fleet over a range, by its beginning."""
        async with self._turn:
            now = self._now()
            await self._catch_up()
            window = _window(now, range_)
            return await self._deep().incidents(self._history, range_, window, now)

    def _scene(
        self, entry: Registered, range_: Range, now: float, *, running: bool
    ) -> Scene:
        from yolotop.view.closeup import Scene

        history, name = self._history, entry.name
        track = history.tracks[name]
        silence = "" if running else views.silence_of(entry, self._heard_at(entry), now)
        budget = self._budgets.get(name)
        card = views.card(
            entry,
            state=history.states.get(name),
            track=track,
            figures=Figures(),
            pending=name in history.pending,
            running=running,
            silence=silence,
            slo_left=budget.left if budget is not None else None,
            traffic=history.traffic.get(name),
            count=self._counts.of(name),
        )
        return Scene(
            now, range_, _window(now, range_), card, entry.first_seen_at, budget
        )

    def _deep(self) -> Depth:
        # Loaded when a deployment is opened: the first picture need not wait for it.
        if self._depth is None:
            from yolotop.view.depth import Depth

            self._depth = Depth(self._reader)
        return self._depth

    async def _catch_up(self) -> None:
        """Read what is new; every face of the store is computed anew after that."""
        if await self._history.catch_up():
            self._basis = None
            if self._depth is not None:
                self._depth.spoil()

    async def glance(self, range_: Range) -> Snapshot:
        """States, messages and newest answers; no figures of the range.

        What can be had at once: 5 ms for a hundred deployments with a month of
        history, where a whole first picture takes 90.
        """
        async with self._turn:
            now = self._now()
            await self._catch_up()
            self._basis = None
            collector = views.collector_view(self._history.collector, now)
            running = collector.health is CollectorHealth.RUNNING
            silences = self._silences(now, running=running)
            shown = self._cards(lambda _: UNKNOWN, silences, running=running)
            return Snapshot(
                at=now,
                range=range_,
                totals=UNKNOWN,
                active=sum(card.health in views.ACTIVE for card in shown),
                counts=views.counts(shown),
                cards=shown,
                collector=collector,
                first_at=self._history.first_at,
            )

    async def log(
        self,
        query: LogQuery,
        *,
        before: int | None = None,
        after: int | None = None,
        at: float | None = None,
        limit: int = 200,
    ) -> LogPage:
        """A page of the log, with ``at`` the one around an instant.

        See :func:`yolotop.view.log.page`. A filter knows the deployments as the last
        snapshot shows them.
        """
        cards = self._snapshot.cards
        if at is not None:
            return await page_at(self._reader, query, at, limit=limit, cards=cards)
        return await page(
            self._reader, query, before=before, after=after, limit=limit, cards=cards
        )

    async def probe(self, seq: int) -> StoredProbe | None:
        """The probe behind a line of the log; ``None`` once retention took it."""
        return await self._reader.probe(seq)

    async def _compute(
        self, now: float, basis: _Basis, collector: CollectorView
    ) -> Snapshot:
        history, window = self._history, basis.window
        history.tidy(now)
        ledger = (await history.book(window)).ledger
        earlier = await history.earlier(window)
        since_at, trend = await self._trends(now, window)
        await self._budgets.renew(history.registered, now)
        await self._counts.renew(history.registered, history.traffic, basis.range, now)
        real = self._counts.fleet()
        shown = self._cards(
            lambda name: ledger.figures(name, window),
            basis.silences,
            running=basis.running,
        )
        totals = ledger.fleet().figures(window)
        return Snapshot(
            at=now,
            range=basis.range,
            totals=totals,
            change=change(totals.requests, earlier, window, now=now)
            if earlier is not None
            else None,
            active=sum(card.health in views.ACTIVE for card in shown),
            counts=views.counts(shown),
            requests_trend=trend.requests,
            errors_trend=trend.errors,
            p95_trend=trend.p95,
            cards=shown,
            collector=collector,
            since_at=since_at,
            first_at=history.first_at,
            real=None if real is None else real.figures,
            real_requests=Trend() if real is None else real.requests,
            real_errors=Trend() if real is None else real.errors,
            real_p95=Trend() if real is None else real.p95,
        )

    async def _trends(self, now: float, window: Window) -> tuple[float | None, Trends]:
        """Where the trends begin, and the trends, in the finest slots that reach."""
        first_at = self._history.first_at
        if first_at is None:
            return None, Trends()
        # A first row from the future (a clock that was wrong then) tells nothing.
        young = window.start_at < first_at <= now
        since_at = first_at if young else float(window.start_at)
        span_s = now - since_at
        if span_s <= MICRO_SPAN_S:
            series = await self._history.recent(since_at, now)
            if series is not None:
                inside = _around(since_at, now, MICRO_S)
                step = step_s(span_s, width_s=MICRO_S)
                return since_at, trends(
                    series, inside, step_s=step, since_at=since_at, now=now
                )
        width_s = FINE_SLOT_S if span_s <= Range.H24.seconds else window.width_s
        inside = _around(since_at, now, width_s)
        book = await self._history.book(inside)
        step = step_s(span_s, width_s=book.grain_s(inside))
        series = book.ledger.fleet()
        return since_at, trends(series, inside, step_s=step, since_at=since_at, now=now)

    def _silences(self, now: float, *, running: bool) -> tuple[str, ...]:
        return tuple(
            "" if running else views.silence_of(entry, self._heard_at(entry), now)
            for entry in self._history.registered
        )

    def _heard_at(self, entry: Registered) -> float | None:
        """When there was news of it: of what only its platform tells, from whoever
        asked the platform."""
        if is_counted(entry) and self._history.collector is not None:
            return self._history.collector.beat_at
        return self._history.tracks[entry.name].last_at

    def _cards(
        self,
        figures: Callable[[str], Figures],
        silences: tuple[str, ...],
        *,
        running: bool,
    ) -> tuple[Card, ...]:
        """All cards; one that says what it said before is the same object."""
        history = self._history
        before = {card.name: card for card in self._snapshot.cards}
        shown = []
        for entry, silence in zip(history.registered, silences, strict=True):
            card = views.card(
                entry,
                state=history.states.get(entry.name),
                track=history.tracks[entry.name],
                figures=figures(entry.name),
                pending=entry.name in history.pending,
                running=running,
                silence=silence,
                slo_left=self._budgets.left(entry.name),
                traffic=history.traffic.get(entry.name),
                count=self._counts.of(entry.name),
            )
            known = before.get(entry.name)
            shown.append(known if known is not None and known == card else card)
        return tuple(shown)


def _window(now: float, range_: Range) -> Window:
    """The range's slots that end now."""
    return Window.ending_now(now, seconds=range_.seconds, width_s=WIDTHS_S[range_])


def _around(since_at: float, now: float, width_s: int) -> Window:
    """The whole slots that hold the span."""
    start = math.floor(since_at / width_s) * width_s
    return Window(start, (math.floor(now / width_s) + 1) * width_s, width_s)
