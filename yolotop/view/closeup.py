"""What is read for the detail of one deployment, and how little of it again.

Owns the mirror of one deployment over one range: its slots, newest answers, failures
and events. It must not know screens, nor how figures are drawn.

A deployment's day is 288 slots of 300 s, a month 720 hours: read once, then only the
newest, since slots that are over do not change. Raw answers are read for what slots
cannot tell (phases, steps of seconds), and no more than :data:`ANSWERS` of them.
Whoever was not asked since the last look has no new figures: then only events are read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Final

from yolotop.judge.slo import Budget
from yolotop.model import EventKind, Traffic
from yolotop.store.protocol import (
    COARSE_SLOT_S,
    TRAFFIC_S,
    Change,
    Reader,
    StoredProbe,
)
from yolotop.view.aggregate import Series
from yolotop.view.book import tally_of
from yolotop.view.detail import (
    Detail,
    gaps,
    step_for,
    steps_of,
    steps_of_answers,
)
from yolotop.view.incidents import (
    Chronicle,
    Stretch,
    incidents,
    marks,
    settled,
    stretches,
    without,
)
from yolotop.view.snapshot import Card, Figures, Range
from yolotop.view.tally import Window
from yolotop.view.traffic import real_of
from yolotop.view.waterfall import Waterfall, waterfall

ANSWERS: Final = 500
"""Raw answers read of a range: 8 h of a deployment asked once a minute. They are the
dearest to find: 45 ms among 17 million probes of a hundred deployments."""
FAILURES: Final = 5
FINE_SPAN_S: Final = 21_600
"""Up to here steps are made of raw answers, where all of them could be read."""
_LATE_SLOTS: Final = 2
"""Slots read again: an answer may be stored after the next slot has begun."""
_LATE_S: Final = 120.0
_RIBBON_S: Final = 60
"""How long nobody has to have asked for the ribbon to show nothing, where all answers
are at hand."""
_SECONDS: Final = 5
"""What steps made of raw answers are whole multiples of."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known without reading: now, the window, the card, the budget.

    ``card`` comes without figures of the range. ``first_seen_at`` is when the
    deployment was first registered.
    """

    now: float
    range: Range
    window: Window
    card: Card
    first_seen_at: float
    budget: Budget | None


@dataclass(frozen=True, slots=True)
class _Steps:
    first_at: int
    step_s: int
    figures: tuple[Figures | None, ...]


class Closeup:
    """One deployment over one range; :meth:`look` as often as wanted.

    Every read is applied whole: a look that fails or is cancelled is made up for by
    the next one.
    """

    def __init__(self, reader: Reader, name: str, *, width_s: int) -> None:
        self._reader = reader
        self._name = name
        self._own = Chronicle(reader, deployment=name)
        self._series = Series(width_s)
        self._measured: set[int] = set()
        self._read_from = math.inf
        self._read_to = 0
        self._answers: tuple[StoredProbe, ...] = ()
        self._answers_from = math.inf
        """All answers since then are known; before it, raw ones are missing."""
        self._answers_window_at = math.inf
        self._waterfall: Waterfall | None = None
        self._failures: tuple[StoredProbe, ...] = ()
        self._traffic: list[Traffic] = []
        self._traffic_from = math.inf
        self._seen: tuple[Window, float | None] | None = None
        self._before: tuple[float, Change | None] | None = None

    async def look(self, scene: Scene, fleet: tuple[Change, ...]) -> Detail:
        """The picture now; ``fleet`` are all events of the window."""
        window, now = scene.window, scene.now
        seen = window, scene.card.last_at
        if self._seen != seen:
            await self._read_slots(window)
            await self._read_answers(window)
            found = await self._reader.failures(self._name, limit=FAILURES)
            self._failures = tuple(reversed(found))
            self._seen = seen
        if scene.card.traffic is not None:
            await self._read_traffic(window)
        own = await self._own.catch_up(window.start_at, now)
        before = await self._state_before(float(window.start_at))
        start_at = self._start(scene)
        cut = self._steps(scene, start_at)
        events = (before, *own) if before is not None else own
        states = {self._name: (scene.card.health, scene.card.since_at)}
        told = [change for change in fleet if change.at >= cut.first_at]
        return Detail(
            at=now,
            range=scene.range,
            card=replace(scene.card, figures=self._series.figures(window)),
            start_at=float(cut.first_at),
            step_s=float(cut.step_s),
            steps=cut.figures,
            waterfall=self._waterfall,
            ribbon=self._ribbon(scene, events, cut.first_at),
            marks=tuple(marks(told, deployment=self._name)),
            incidents=tuple(settled(incidents(events), states)),
            budget=scene.budget,
            failures=self._failures,
            young=start_at > window.start_at,
            real=real_of(self._traffic, cut.first_at, cut.step_s, len(cut.figures)),
        )

    def _start(self, scene: Scene) -> float:
        """Where there is something to see from: the range, or its young history."""
        start_at = float(scene.window.start_at)
        begun_at = scene.first_seen_at
        if self._answers and self._answers_from <= start_at:
            begun_at = min(begun_at, self._answers[0].at)
        elif self._measured:
            begun_at = min(begun_at, float(min(self._measured)))
        return begun_at if start_at < begun_at <= scene.now else start_at

    def _steps(self, scene: Scene, start_at: float) -> _Steps:
        now, every_s = scene.now, scene.card.every_s
        span_s = now - start_at
        fine = self._answers_from <= start_at and span_s <= FINE_SPAN_S
        width_s = _SECONDS if fine else scene.window.width_s
        step = step_for(span_s, width_s=width_s, every_s=every_s)
        # A step that the range begins in would show a dip that never was.
        first_at = math.floor(start_at / step) * step
        if first_at < scene.window.start_at:
            first_at += step
        if fine:
            found = steps_of_answers(self._answers, first_at, now, step)
        else:
            found = steps_of(self._series, first_at, now, step, width_s)
        return _Steps(first_at, step, found)

    def _ribbon(
        self, scene: Scene, events: Sequence[Change], first_at: int
    ) -> tuple[Stretch, ...]:
        card, now, width_s = scene.card, scene.now, scene.window.width_s
        earlier = [change for change in events if change.at < first_at]
        states = [change.health for change in earlier if change.kind is EventKind.STATE]
        known = stretches(
            events,
            float(first_at),
            now,
            before=states[-1] if states else None,
            now_in=(card.health, card.since_at),
        )
        measured, every_s = self._measured, card.every_s
        if self._answers_from <= first_at and len(self._answers) > 1:
            # All of them are at hand: eleven minutes without a collector lie between
            # two slots of five, and would hardly be seen there.
            width_s = _RIBBON_S
            instants = [probe.at for probe in self._answers]
            measured = {int(at // width_s) * width_s for at in instants}
            every_s = max(every_s, median(b - a for a, b in pairwise(instants)))
        silent = gaps(measured, first_at, now, width_s=width_s, every_s=every_s)
        return tuple(without(known, silent))

    async def _read_slots(self, window: Window) -> None:
        """The window's slots: all of them once, then the newest again."""
        since = window.start_at
        if since >= self._read_from:
            since = max(since, self._read_to - _LATE_SLOTS * window.width_s)
        slots = await self._reader.slots(
            since, width_s=window.width_s, deployment=self._name
        )
        for slot in slots:
            start = int(slot.start_at)
            self._series.put(start, tally_of(slot))
            if slot.requests or slot.health:
                self._measured.add(start)
        self._series.forget_before(window.start_at)
        self._measured = {at for at in self._measured if at >= window.start_at}
        self._read_from = min(self._read_from, window.start_at)
        self._read_to = window.end_at - window.width_s

    async def _read_answers(self, window: Window) -> None:
        """The newest answers of the window; those that came since, after the first."""
        start_at, since = float(window.start_at), float(window.start_at)
        if self._answers and start_at >= self._answers_window_at:
            since = max(since, self._answers[-1].at - _LATE_S)
        fresh = await self._reader.answers(
            self._name, since, float(window.end_at), limit=ANSWERS
        )
        cut = len(fresh) == ANSWERS
        if since == start_at or cut:
            kept = fresh
            self._answers_from = fresh[0].at if cut else start_at
        else:
            known = {probe.seq for probe in fresh}
            kept = [probe for probe in self._answers if probe.seq not in known]
            kept = [probe for probe in (*kept, *fresh) if probe.at >= start_at]
            kept.sort(key=lambda probe: probe.at)
            if len(kept) > ANSWERS:
                kept = kept[-ANSWERS:]
                self._answers_from = kept[0].at
        self._answers_window_at = start_at
        self._answers = tuple(kept)
        whole = self._answers_from <= start_at
        self._waterfall = waterfall(self._answers, whole=whole)

    async def _read_traffic(self, window: Window) -> None:
        """The window's rows: all of them once, then those that may have grown."""
        since = start_at = float(window.start_at)
        if self._traffic and start_at >= self._traffic_from:
            since = max(since, self._traffic[-1].at)
        else:
            self._traffic_from = start_at
        # Slots of hours: a range of days, of which minutes are not kept.
        fine = window.width_s < COARSE_SLOT_S
        fresh = await self._reader.traffic(
            self._name,
            since,
            float(window.end_at),
            width_s=TRAFFIC_S if fine else COARSE_SLOT_S,
        )
        kept = [row for row in self._traffic if start_at < row.end_at]
        begun = {row.at for row in fresh}
        old = [row for row in kept if row.at not in begun]
        self._traffic = sorted((*old, *fresh), key=lambda row: row.at)

    async def _state_before(self, at: float) -> Change | None:
        """The change of state that the window came in with; asked once a slot."""
        if self._before is None or self._before[0] != at:
            self._before = at, await self._reader.change_before(self._name, at)
        return self._before[1]
