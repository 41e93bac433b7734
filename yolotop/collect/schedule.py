"""When to ask whom: a fixed monotonic grid for every deployment and question.

Owns due times, the rule of one probe in flight per deployment, the limit per host and
the count of slots that were missed. It does no I/O and never looks at a clock: every
call brings the monotonic time, in seconds. It must not know what a probe is or what
comes of it.

- Slot n of a question lies at ``phase + n × interval + jitter(n)`` on the monotonic
  clock. The phase is a hash of name and kind, so a thousand deployments spread evenly
  over their interval, today as after a restart, and late probes never push later ones
  back.
- The jitter is a hash too, of name, kind and n: up to a given share of the interval,
  later and never earlier, the same in every run. Without it a probe every 60 s meets
  whatever its server does every 60 s always, or never.
- Slots are rounded down to a lattice of 25 ms: what is that close starts together.
- A deployment that scales to zero has one phase for both its questions: asked apart,
  they would wake it twice.
- A *guest* is a question by hand beside the history, an image somebody wants to see. It
  takes its deployment's turn like any other and goes first, but moves no grid.
- A newcomer is asked once within three seconds, whatever its interval; then the grid.
- What a server has no answer to (a liveness path, a prediction) is never due.
- While one question of a deployment is in flight the other waits; where both wait,
  *predict* goes first unless it just went. While a host has its most in flight, its
  other deployments wait, and nobody else does. A probe that starts late stands for the
  newest slot that has passed; the slots before it are *overruns*, counted, and no
  answer is ever invented for them.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from yolotop.model import Deployment, ProbeKind

FIRST_ASK_S: Final = 3.0
"""A newcomer is first asked within this time."""
LATTICE_S: Final = 0.025
"""Slots lie on multiples of this, so that neighbours start in one wake-up of the
machine, which costs 80 µs by itself on a virtual one. 1,000 deployments at 10 s took
15.3 % of a core without, 13.1 % with 20 ms and 10.1 % with 40 ms in runs one after the
other; but neighbours wait for each other, and 40 ms cost 1.5 ms of recorded P95."""
MOST_JITTER: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Due:
    """A probe to start now. ``missed`` slots of its grid passed unasked before it.

    ``number`` counts the starts of this question from 0; ``due`` is the monotonic
    time it was planned for; ``on_grid`` tells a slot from an ask besides the grid, and
    ``is_guest`` one that is no probe of the schedule's.
    """

    name: str
    kind: ProbeKind
    number: int
    due: float
    missed: int = 0
    on_grid: bool = True
    is_guest: bool = False


def spread(name: str, kind: ProbeKind, slot: int | None = None) -> float:
    """A stable fraction in [0, 1) for a deployment's question, or one slot of it."""
    text = f"{name}\0{kind.value}" if slot is None else f"{name}\0{kind.value}\0{slot}"
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def host_of(url: str) -> str:
    """What the limit per host counts by: the name in the URL, without its port."""
    return (urlsplit(url).hostname or "").lower()


@dataclass(slots=True)
class _Grid:
    """One question's slots. An interval of 0 or less is never due by itself."""

    name: str
    kind: ProbeKind
    interval: float
    phase: float
    jitter: float = 0.0
    due: float = math.inf
    on_grid: bool = False
    number: int = 0

    def at(self, slot: int) -> float:
        """When a slot is."""
        at = self.phase + slot * self.interval
        if self.jitter:
            at += self.jitter * self.interval * spread(self.name, self.kind, slot)
        return math.floor(at / LATTICE_S) * LATTICE_S

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

    host: str
    grids: dict[ProbeKind, _Grid]
    waiting: set[ProbeKind] = field(default_factory=set)
    in_flight: Due | None = None
    last: ProbeKind | None = None
    guests: int = 0

    @property
    def wants(self) -> bool:
        """Whether anything waits for its turn."""
        return bool(self.waiting) or self.guests > 0

    def choose(self) -> ProbeKind:
        """Predict first; but health in turn, lest slow predictions starve it."""
        if len(self.waiting) == 1:
            return next(iter(self.waiting))
        if self.last is ProbeKind.PREDICT:
            return ProbeKind.HEALTH
        return ProbeKind.PREDICT


class Schedule:
    """What is due when. All times are monotonic seconds brought by the caller.

    ``jitter`` is a share of the interval, 0-0.5; ``per_host`` the most probes in
    flight to one host, ``None`` for any number.
    """

    def __init__(self, *, jitter: float = 0.0, per_host: int | None = None) -> None:
        self._jitter = min(MOST_JITTER, max(0.0, jitter))
        self._per_host = per_host
        self._lanes: dict[str, _Lane] = {}
        self._heap: list[tuple[float, str, ProbeKind]] = []
        self._ready: dict[str, None] = {}
        self._held: dict[str, dict[str, None]] = {}
        self._busy: Counter[str] = Counter()
        self.overruns = 0

    def __contains__(self, name: str) -> bool:
        return name in self._lanes

    def limit(self, *, jitter: float, per_host: int | None) -> None:
        """Change the jitter of deployments put from now on, and the limit per host."""
        self._jitter = min(MOST_JITTER, max(0.0, jitter))
        self._per_host = per_host
        for held in self._held.values():
            self._ready.update(held)
        self._held.clear()

    def put(self, deployment: Deployment, now: float) -> None:
        """Follow ``deployment`` from ``now`` on; one of that name is replaced."""
        self.remove(deployment.name)
        name = deployment.name
        intervals = {
            ProbeKind.HEALTH: deployment.interval_s,
            ProbeKind.PREDICT: deployment.predict_interval_s,
        }
        lane = _Lane(host_of(deployment.url), {})
        self._lanes[name] = lane
        for kind in deployment.questions:
            interval = intervals[kind]
            together = ProbeKind.PREDICT if deployment.scale_to_zero else kind
            fraction = spread(name, together)
            lane.grids[kind] = _Grid(
                name,
                together,
                interval,
                fraction * interval,
                self._jitter,
            )
            if interval > 0:
                first = now + fraction * min(interval, FIRST_ASK_S)
                self._plan(name, kind, first, on_grid=False)

    def remove(self, name: str) -> None:
        """Follow ``name`` no longer; its probe in flight, if any, is forgotten."""
        lane = self._lanes.pop(name, None)
        if lane is None:
            return
        self._ready.pop(name, None)
        self._held.get(lane.host, {}).pop(name, None)
        if lane.in_flight is not None:
            self._free(lane.host)
        else:
            # It may have been the one that was let go.
            self._let_go(lane.host)

    def soon(self, name: str, kind: ProbeKind, at: float) -> None:
        """Ask once at ``at`` besides the grid, unless that is planned earlier."""
        lane = self._lanes.get(name)
        if lane is None or kind in lane.waiting or lane.grids[kind].due <= at:
            return
        self._plan(name, kind, at, on_grid=False)

    def invite(self, name: str) -> None:
        """Give ``name``'s next turn to a guest: :meth:`take` starts it."""
        lane = self._lanes[name]
        waited = lane.wants
        lane.guests += 1
        if lane.in_flight is None and not waited:
            self._queue(name, lane.host)

    def uninvite(self, name: str) -> None:
        """A guest that waits goes away again, if there is one."""
        lane = self._lanes.get(name)
        if lane is None or not lane.guests:
            return
        lane.guests -= 1
        if not lane.wants:
            self._ready.pop(name, None)
            self._held.get(lane.host, {}).pop(name, None)
            # It may have been the one that was let go.
            self._let_go(lane.host)

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

    @property
    def has_ready(self) -> bool:
        """Whether something waits that only needed a free place."""
        return bool(self._ready)

    def take(self, now: float, *, limit: int | None = None) -> list[Due]:
        """Start what is due, at most ``limit`` probes; each counts as in flight."""
        self._collect_due(now)
        started: list[Due] = []
        while self._ready and (limit is None or len(started) < limit):
            name = next(iter(self._ready))
            del self._ready[name]
            host = self._lanes[name].host
            if self._is_full(host):
                # Set aside once, until a probe to that host ends: a host that hangs
                # with a thousand deployments must not be looked through each time.
                self._held.setdefault(host, {})[name] = None
            else:
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
        if lane.wants:
            self._queue(due.name, lane.host)
        self._free(lane.host)

    def _queue(self, name: str, host: str) -> None:
        """``name`` may go, but behind those that its host holds back already."""
        held = self._held.get(host)
        (held or self._ready)[name] = None

    def _free(self, host: str) -> None:
        """One probe less is in flight to ``host``."""
        self._busy[host] -= 1
        if self._busy[host] <= 0:
            del self._busy[host]
        self._let_go(host)

    def _let_go(self, host: str) -> None:
        """Who was held back because of ``host`` may try again, the first one first."""
        held = self._held.get(host)
        if held and not self._is_full(host):
            name = next(iter(held))
            del held[name]
            self._ready[name] = None
        if not held:
            self._held.pop(host, None)

    def _is_full(self, host: str) -> bool:
        return self._per_host is not None and self._busy[host] >= self._per_host

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
            waited = lane.wants
            lane.waiting.add(kind)
            # One that waited already is ready, or held back, in its own place.
            if lane.in_flight is None and not waited:
                self._queue(name, lane.host)

    def _start(self, name: str, now: float) -> Due:
        lane = self._lanes[name]
        if lane.guests:
            return self._seat(lane, name, now)
        kind = lane.choose()
        grid = lane.grids[kind]
        missed = grid.missed(now)
        started = Due(name, kind, grid.number, grid.due, missed, grid.on_grid)
        lane.waiting.discard(kind)
        lane.in_flight, lane.last = started, kind
        self._busy[lane.host] += 1
        # The first ask stands for a slot that comes within half an interval.
        served = now if grid.number else now + grid.interval / 2
        grid.number += 1
        self.overruns += started.missed
        self._plan(name, kind, grid.after(served), on_grid=True)
        return started

    def _seat(self, lane: _Lane, name: str, now: float) -> Due:
        lane.guests -= 1
        guest = Due(name, ProbeKind.PREDICT, 0, now, on_grid=False, is_guest=True)
        lane.in_flight = guest
        self._busy[lane.host] += 1
        return guest
