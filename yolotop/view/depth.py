"""Details and incidents of one face: what it has looked at closely, kept and renewed.

Owns which close-ups are kept, and when one need not be taken again. It must not know
how a close-up is read, SQL or screens.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from yolotop.model import EventKind, Health, HealthState, Severity
from yolotop.store.protocol import Change, Reader
from yolotop.view.closeup import Closeup, Scene
from yolotop.view.detail import Detail
from yolotop.view.history import History
from yolotop.view.incidents import (
    TROUBLE,
    Chronicle,
    Incident,
    Stretch,
    incidents,
    settled,
)
from yolotop.view.snapshot import CollectorView, Range
from yolotop.view.tally import Window

KEPT: Final = 4
"""Close-ups kept: going back and forth between two deployments reads nothing twice."""


@dataclass(slots=True)
class _Taken:
    closeup: Closeup
    scene: Scene | None = None
    detail: Detail | None = None


class Depth:
    """Close-ups by deployment and range. :meth:`spoil` them once there is news."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._taken: OrderedDict[tuple[str, Range], _Taken] = OrderedDict()
        self._events: dict[Range, Chronicle] = {}
        self._befores: dict[str, tuple[float, Change | None]] = {}

    def spoil(self) -> None:
        """Others have written: take every close-up again."""
        for taken in self._taken.values():
            taken.scene = None

    async def detail(self, scene: Scene, collector: CollectorView) -> Detail:
        """The detail of a scene; without news only the clock moves."""
        key = scene.card.name, scene.range
        taken = self._taken.get(key)
        if taken is None:
            width_s = scene.window.width_s
            taken = _Taken(Closeup(self._reader, scene.card.name, width_s=width_s))
            self._taken[key] = taken
            while len(self._taken) > KEPT:
                self._taken.popitem(last=False)
        self._taken.move_to_end(key)
        timeless = replace(scene, now=0.0)
        if taken.detail is None or taken.scene != timeless:
            events = await self._fleet(scene.range, scene.window, scene.now)
            taken.scene = None
            taken.detail = await taken.closeup.look(scene, events)
            taken.scene = timeless
        else:
            taken.detail = _later(taken.detail, scene.now)
        taken.detail = replace(taken.detail, collector=collector)
        return taken.detail

    async def incidents(
        self, history: History, range_: Range, window: Window, now: float
    ) -> tuple[Incident, ...]:
        """The fleet's, those that reach into the window included."""
        changes = await self._fleet(range_, window, now)
        names = history.names
        own = [change for change in changes if change.deployment in names]
        firsts: dict[str | None, Change] = {}
        for change in own:
            if change.kind is EventKind.STATE and change.health is not None:
                firsts.setdefault(change.deployment, change)
        earlier = []
        for name in sorted(names):
            first = firsts.get(name)
            if first is not None and first.health not in TROUBLE:
                before = await self._before(name, float(window.start_at))
            elif first is None:
                before = _ongoing(name, history.states.get(name))
            else:
                before = None
            if before is not None:
                earlier.append(before)
        told = sorted((*earlier, *own), key=lambda change: change.at)
        states = {
            name: (state.health, state.since) for name, state in history.states.items()
        }
        return tuple(settled(incidents(told), states))

    async def _fleet(
        self, range_: Range, window: Window, now: float
    ) -> tuple[Change, ...]:
        events = self._events.setdefault(range_, Chronicle(self._reader))
        return await events.catch_up(float(window.start_at), now)

    async def _before(self, name: str, at: float) -> Change | None:
        known = self._befores.get(name)
        if known is None or known[0] != at:
            known = at, await self._reader.change_before(name, at)
            self._befores[name] = known
        return known[1]


def _ongoing(name: str, state: HealthState | None) -> Change | None:
    """The change into trouble that a deployment has been in since before the range."""
    if state is None or state.health not in TROUBLE:
        return None
    severity = Severity.ERROR if state.health is Health.DOWN else Severity.WARNING
    return Change(
        0, state.since, name, EventKind.STATE, severity, state.health, state.message
    )


def _later(detail: Detail, now: float) -> Detail:
    """The same picture, a moment later: the newest state has lasted on."""
    ribbon = detail.ribbon
    if ribbon and now > ribbon[-1].end_at:
        last = ribbon[-1]
        ribbon = (*ribbon[:-1], Stretch(last.start_at, now, last.health))
    return replace(detail, at=now, ribbon=ribbon)
