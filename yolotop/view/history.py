"""What one face has read so far, and how it reads only what is new.

Owns the mirror of the store that a :class:`~yolotop.view.session.Session` computes
from: registrations, states, newest answers, slots. It must not know ranges' names,
panels or screens.

Every change is applied after its reads, in one go without an ``await``, so that a
refresh that is cancelled or fails leaves the mirror whole and the next one catches up.
Probes are read *before* the slots they fell into: the other way round a slot could stay
one probe behind for ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from yolotop.model import HealthState, ProbeKind, Traffic
from yolotop.store.protocol import (
    COARSE_SLOT_S,
    FINE_SLOT_S,
    CollectorStatus,
    Reader,
    Registered,
    StoredProbe,
    Tail,
)
from yolotop.view.aggregate import Ledger, Series
from yolotop.view.book import Book
from yolotop.view.cards import Track
from yolotop.view.tally import Tally, Window

NEW_PROBES: Final = 5_000
"""Probes read in one refresh; a face that is further behind starts afresh."""
MICRO_S: Final = 5
"""Width of the slots made from raw probes for the last hour."""
MICRO_SPAN_S: Final = 3_600
MICRO_PROBES: Final = 10_000
"""Raw probes read to start them: 80 ms. A busier hour is shown in fine slots."""


@dataclass(slots=True)
class Recent:
    """The last hour in :data:`MICRO_S` slots; all of it after ``since_at`` is there."""

    since_at: float
    seq: int = 0
    series: Series = field(default_factory=lambda: Series(MICRO_S))

    def take(self, probes: Iterable[StoredProbe], names: frozenset[str]) -> None:
        """Count the probes of the fleet that were not seen before."""
        for probe in probes:
            if probe.seq <= self.seq:
                continue
            self.seq = probe.seq
            if probe.kind is ProbeKind.PREDICT and probe.deployment in names:
                start = math.floor(probe.at / MICRO_S) * MICRO_S
                tally = self.series.get(start) or Tally()
                tally.count(probe)
                self.series.put(start, tally)


class History:
    """The mirror. :meth:`catch_up` first, then ask."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._version: int | None = None
        self._seq: int | None = None
        self._books: dict[int, Book] = {}
        self._recent: Recent | None = None
        self._earlier: tuple[Window, dict[str, int]] | None = None
        self.names: frozenset[str] = frozenset()
        self.registered: tuple[Registered, ...] = ()
        self.states: dict[str, HealthState] = {}
        self.tracks: dict[str, Track] = {}
        self.pending: frozenset[str] = frozenset()
        self.collector: CollectorStatus | None = None
        self.first_at: float | None = None
        self.traffic: dict[str, Traffic] = {}

    async def catch_up(self) -> bool:
        """Read what others have committed; whether anything may have changed."""
        reader = self._reader
        version = await reader.data_version()
        # A wish that this very connection left does not change its data_version.
        pending = frozenset(await reader.pending())
        changed = pending != self.pending
        self.pending = pending
        if version == self._version:
            return changed
        await self._read_registry()
        await self._read_probes()
        self.states = await reader.states()
        self.collector = await reader.collector()
        self.first_at = await reader.first_at()
        self.traffic = {row.deployment: row for row in await reader.traffic_newest()}
        self._version = version
        return True

    def entry(self, name: str) -> Registered | None:
        """A registered deployment by name."""
        return next((entry for entry in self.registered if entry.name == name), None)

    async def _read_registry(self) -> None:
        registered = tuple(await self._reader.deployments())
        names = frozenset(entry.name for entry in registered)
        if names != self.names:
            self._books.clear()
            self._recent = None
        self.registered = registered
        self.names = names

    async def _read_probes(self) -> None:
        newest = await self._reader.last_seq()
        probes: list[StoredProbe] = []
        if self._seq is not None and newest > self._seq:
            probes = await self._reader.probes_after(self._seq, limit=NEW_PROBES)
        behind = len(probes) == NEW_PROBES
        if self._seq is None or behind or newest < self._seq:
            tails = await self._reader.tails()
            self._start_afresh(tails)
            probes = []
        elif self.names - self.tracks.keys():
            # One that is registered again has a past.
            tails = await self._reader.tails()
            self._enter(tails)
        self._apply(probes, newest)

    def _start_afresh(self, tails: Iterable[Tail]) -> None:
        self._seq = None
        self.tracks.clear()
        self._enter(tails)
        self._books.clear()
        self._recent = None
        self._earlier = None

    def _apply(self, probes: list[StoredProbe], newest: int) -> None:
        for name in self.tracks.keys() - self.names:
            del self.tracks[name]
        for probe in probes:
            if probe.deployment in self.tracks:
                self.tracks[probe.deployment].take(probe)
        if self._recent is not None:
            self._recent.take(probes, self.names)
        for book in self._books.values():
            for probe in probes:
                book.count(probe)
        if probes:
            oldest_at = min(probe.at for probe in probes)
            if self._earlier is not None and oldest_at < self._earlier[0].start_at:
                self._earlier = None
        # Events share the counter: without this, each refresh would ask again.
        last = probes[-1].seq if probes else 0
        self._seq = max(newest, last, self._seq or 0)

    def _enter(self, tails: Iterable[Tail]) -> None:
        for name in self.names - self.tracks.keys():
            self.tracks[name] = Track()
        for tail in tails:
            track = self.tracks.get(tail.deployment)
            if track is not None and track.last_at is None:
                track.start(tail)

    async def book(self, window: Window) -> Book:
        """The slots of the window's width, up to date and back to its start."""
        book = self._books.get(window.width_s)
        if book is None or book.spoilt:
            ledger = Ledger(window.width_s, self.names)
            book = Book(self._reader, ledger, deployments=len(self.names))
            self._books[window.width_s] = book
        await book.turn_to(window)
        return book

    async def recent(self, since_at: float, now: float) -> Series | None:
        """The micro slots if they reach back to ``since_at``, else ``None``."""
        if self._recent is None:
            from_at = now - MICRO_SPAN_S
            before = await self._reader.seq_before(from_at)
            if (self._seq or 0) - before > 2 * MICRO_PROBES:
                # Far too many to read: from now on, then.
                self._recent = Recent(now, self._seq or 0)
                return None
            probes = await self._reader.probes_since(from_at, limit=MICRO_PROBES)
            if len(probes) == MICRO_PROBES:
                from_at = probes[0].at
            recent = Recent(from_at)
            recent.take(probes, self.names)
            self._recent = recent
        recent = self._recent
        old_at = math.floor(now / MICRO_S) * MICRO_S - 2 * MICRO_SPAN_S
        recent.series.forget_before(old_at)
        # The clock may be set back to before that.
        recent.since_at = max(recent.since_at, old_at)
        return recent.series if recent.since_at <= since_at else None

    async def earlier(self, window: Window) -> dict[str, int] | None:
        """Requests in the full range before the window, if there was one."""
        start_at = window.start_at - window.seconds
        if self.first_at is None or self.first_at > start_at:
            return None
        if self._earlier is None or self._earlier[0] != window:
            found = await self._reader.requests(
                start_at, window.start_at, width_s=window.width_s
            )
            self._earlier = (window, found)
        return {
            name: requests
            for name, requests in self._earlier[1].items()
            if name in self.names
        }

    def tidy(self, now: float) -> None:
        """Forget slots no range reaches any more."""
        for width_s, span_s in ((FINE_SLOT_S, 86_400), (COARSE_SLOT_S, 2_592_000)):
            book = self._books.get(width_s)
            if book is not None:
                book.forget_before(math.floor(now / width_s) * width_s - span_s)
                book.seal(now)
