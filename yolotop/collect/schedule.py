"""When to ask whom: a fixed monotonic grid for every deployment and question.

Owns due times, the rule of one probe in flight per deployment, and the count of slots
that were missed. It does no I/O and never looks at a clock: every call brings the
monotonic time, in seconds. It must not know what a probe is or what comes of it.

- Slot n of a question lies at ``phase + n × interval`` on the monotonic clock. The
  phase is a hash of name and kind, so a thousand deployments spread evenly over their
  interval, today as after a restart, and late probes never push later ones back.
- A newcomer is asked once within three seconds, whatever its interval; then the grid.
- While one question of a deployment is in flight the other waits; where both wait,
  *predict* goes first unless it just went. A probe that starts
  late stands for the newest slot that has passed; the slots before it are
  *overruns*, counted, and no answer is ever invented for them.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from dataclasses import dataclass, field
from typing import Final

from yolotop.model import Deployment, ProbeKind

FIRST_ASK_S: Final = 3.0
"""A newcomer is first asked within this time."""


@dataclass(frozen=True, slots=True, eq=False)
class Due:
    """A probe to start now. ``missed`` slots of its grid passed unasked before it.

    ``number`` counts the starts of this question from 0; ``due`` is the monotonic
    time it was planned for.
    """

    name: str
    kind: ProbeKind
    number: int
    due: float
    missed: int = 0


def spread(name: str, kind: ProbeKind) -> float:
    """A stable fraction in [0, 1) for a deployment's question."""
    digest = hashlib.blake2b(f"{name}\0{kind.value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@dataclass(slots=True)
class _Grid:
    """One question's slots. An interval of 0 or less is never due by itself."""

    interval: float
    phase: float
    due: float = math.inf
    on_grid: bool = False
    number: int = 0

    def at(self, slot: int) -> float:
        """When a slot is."""
        return self.phase + slot * self.interval

    def index(self, at: float) -> int:
        """The number of the newest slot at or before ``at``."""
        slot = math.floor((at - self.phase) / self.interval)
        # Division rounds: a time that at() gave must be found in its own slot.
        if self.at(slot + 1) <= at:
            return slot + 1
        return slot if self.at(slot) <= at else slot - 1

    def after(self, at: float) -> float:
        """The first slot later than ``at``."""
        return self.at(self.index(at) + 1) if self.interval > 0 else math.inf

    def missed(self, now: float) -> int:
        """Slots that a start at ``now`` leaves unasked for ever."""
        if self.interval <= 0:
            return 0
        passed = max(0, self.index(now) - self.index(self.due))
        return passed if self.on_grid else max(0, passed - 1)


@dataclass(slots=True)
class _Lane:
    """One deployment: at most one probe in flight, the rest waits."""

    grids: dict[ProbeKind, _Grid]
    waiting: set[ProbeKind] = field(default_factory=set)
    in_flight: Due | None = None
    last: ProbeKind | None = None

    def choose(self) -> ProbeKind:
        """Predict first; but health in turn, lest slow predictions starve it."""
        if len(self.waiting) == 1:
            return next(iter(self.waiting))
        if self.last is ProbeKind.PREDICT:
            return ProbeKind.HEALTH
        return ProbeKind.PREDICT


class Schedule:
    """What is due when. All times are monotonic seconds brought by the caller."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._heap: list[tuple[float, str, ProbeKind]] = []
        self._ready: dict[str, None] = {}
        self.overruns = 0

    def __contains__(self, name: str) -> bool:
        return name in self._lanes

    def put(self, deployment: Deployment, now: float) -> None:
        """Follow ``deployment`` from ``now`` on; one of that name is replaced."""
        self.remove(deployment.name)
        name = deployment.name
        grids = {
            ProbeKind.HEALTH: deployment.interval_s,
            ProbeKind.PREDICT: deployment.predict_interval_s,
        }
        lane = _Lane({})
        self._lanes[name] = lane
        for kind, interval in grids.items():
            fraction = spread(name, kind)
            lane.grids[kind] = _Grid(interval, fraction * interval)
            if interval > 0:
                first = now + fraction * min(interval, FIRST_ASK_S)
                self._plan(name, kind, first, on_grid=False)

    def remove(self, name: str) -> None:
        """Follow ``name`` no longer; its probe in flight, if any, is forgotten."""
        self._lanes.pop(name, None)
        self._ready.pop(name, None)

    def soon(self, name: str, kind: ProbeKind, at: float) -> None:
        """Ask once at ``at`` besides the grid, unless that is planned earlier."""
        lane = self._lanes.get(name)
        if lane is None or kind in lane.waiting or lane.grids[kind].due <= at:
            return
        self._plan(name, kind, at, on_grid=False)

    def next_at(self) -> float | None:
        """When :meth:`take` will next have something, or ``None``: nothing planned.

        A time in the past where something is due already.
        """
        if self._ready:
            return -math.inf
        while self._heap:
            at, name, kind = self._heap[0]
            if self._is_current(at, name, kind):
                return at
            heapq.heappop(self._heap)
        return None

    def take(self, now: float, *, limit: int | None = None) -> list[Due]:
        """Start what is due, at most ``limit`` probes; each counts as in flight."""
        self._collect_due(now)
        started: list[Due] = []
        for name in list(self._ready):
            if limit is not None and len(started) >= limit:
                break
            del self._ready[name]
            started.append(self._start(name, now))
        return started

    def done(self, due: Due) -> None:
        """The probe has ended; what waited for it may start.

        Says nothing of a deployment that was replaced while the probe was in flight.
        """
        lane = self._lanes.get(due.name)
        if lane is None or lane.in_flight is not due:
            return
        lane.in_flight = None
        if lane.waiting:
            self._ready[due.name] = None

    def _plan(self, name: str, kind: ProbeKind, at: float, *, on_grid: bool) -> None:
        grid = self._lanes[name].grids[kind]
        grid.due, grid.on_grid = at, on_grid
        if at < math.inf:
            heapq.heappush(self._heap, (at, name, kind))

    def _is_current(self, at: float, name: str, kind: ProbeKind) -> bool:
        """Whether a heap entry still stands: plans are replaced, entries stay."""
        lane = self._lanes.get(name)
        return (
            lane is not None and lane.grids[kind].due == at and kind not in lane.waiting
        )

    def _collect_due(self, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            at, name, kind = heapq.heappop(self._heap)
            if not self._is_current(at, name, kind):
                continue
            lane = self._lanes[name]
            lane.waiting.add(kind)
            if lane.in_flight is None:
                self._ready[name] = None

    def _start(self, name: str, now: float) -> Due:
        lane = self._lanes[name]
        kind = lane.choose()
        grid = lane.grids[kind]
        started = Due(name, kind, grid.number, grid.due, grid.missed(now))
        lane.waiting.discard(kind)
        lane.in_flight, lane.last = started, kind
        # The first ask stands for a slot that comes within half an interval.
        served = now if grid.number else now + grid.interval / 2
        grid.number += 1
        self.overruns += started.missed
        self._plan(name, kind, grid.after(served), on_grid=True)
        return started
