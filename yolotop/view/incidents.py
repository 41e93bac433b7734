"""What happened when: spans of a state, incidents, marks; and how events are read.

Owns what follows from changes alone: which spans a deployment spent in which state,
what is one incident, and what deserves a mark on a time axis. It must not know
figures, screens or SQL.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from yolotop.model import EventKind, Health
from yolotop.store.protocol import Change, Reader
from yolotop.view import format as fmt

MERGE_S: Final = 300.0
"""Trouble that comes back within five minutes is the same incident."""
KEPT_CHANGES: Final = 2_000
"""Newest events that are read of a range: a flapping fleet must not cost seconds."""
LATE_S: Final = 120.0
"""An event may be stored so long after one that happened later."""

_RANK: Final = {Health.DEGRADED: 1, Health.DOWN: 2}
TROUBLE: Final = frozenset(_RANK)
"""The states that make an incident."""
_MARKED: Final = frozenset(
    {
        EventKind.MODEL_CHANGED,
        EventKind.RESTARTED,
        EventKind.CERTIFICATE,
        EventKind.COLLECTOR,
        EventKind.CLOCK,
    }
)


@dataclass(frozen=True, slots=True)
class Incident:
    """A time in which a deployment was degraded or down; ``end_at`` None: it still is.

    ``health`` is the worst it came to, at ``worst_at``, and ``message`` what was said
    then: the three belong together. ``start_at`` and ``end_at`` are of the whole
    trouble, which began ``times`` times: where more than once, it was over in between,
    each time for no longer than :data:`MERGE_S`. ``steady`` tells that it was in that
    one state all along, so that "down for 20 min" is true of all of it.
    """

    deployment: str
    start_at: float
    end_at: float | None
    health: Health
    message: str
    worst_at: float
    times: int = 1
    steady: bool = True


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span of time in one state; ``health`` None where nobody knows it."""

    start_at: float
    end_at: float
    health: Health | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one instant and explains what came after."""

    at: float
    kind: EventKind
    message: str


def incidents(changes: Iterable[Change], *, merge_s: float = MERGE_S) -> list[Incident]:
    """Incidents of any number of deployments, by their beginning.

    ``changes`` are in the order of their times; those that are no change of state
    tell nothing. States that follow one another are one incident. So is trouble that
    comes back within ``merge_s``: whoever is on call gets one thing to look into, not
    twenty of a minute each, and is told how many times it came.
    """
    found: list[Incident] = []
    latest: dict[str, int] = {}
    for change in changes:
        name = change.deployment
        if name is None or change.kind is not EventKind.STATE or not change.health:
            continue
        at = latest.get(name)
        last = found[at] if at is not None else None
        if change.health not in _RANK:
            if at is not None and last is not None and last.end_at is None:
                found[at] = replace(last, end_at=change.at)
            continue
        # What is said of a change of state begins with the state.
        said = change.message.removeprefix(f"{change.health}: ")
        fresh = Incident(name, change.at, None, change.health, said, change.at)
        if at is None or last is None or not _goes_on(last, change.at, merge_s):
            latest[name] = len(found)
            found.append(fresh)
        else:
            found[at] = _joined(last, fresh)
    return found


def _goes_on(last: Incident, at: float, merge_s: float) -> bool:
    return last.end_at is None or at - last.end_at <= merge_s


def _joined(last: Incident, fresh: Incident) -> Incident:
    """The incident with what it came to next, or came back as."""
    again = last.end_at is not None
    # The first of equals: its reason is the one to look into.
    worst = fresh if _RANK[fresh.health] > _RANK[last.health] else last
    return replace(
        last,
        end_at=None,
        health=worst.health,
        message=worst.message,
        worst_at=worst.worst_at,
        times=last.times + again,
        steady=last.steady and not again and fresh.health is last.health,
    )


def words(incident: Incident, *, now: float, plain: bool = False) -> str:
    """What it was, when and for how long, without the reason.

    ``down at 14:09 for 22 min``; where it was not that all along ``down at 14:25,
    trouble at 14:09 for 31 min``; where it came back ``down at 14:25, trouble 3 times
    in 31 min``.
    """

    def when(at: float) -> str:
        told = fmt.moment(at, now=now, plain=plain)
        return told[:-3] if told.count(":") == 2 else told

    began, worst = when(incident.start_at), when(incident.worst_at)
    lasted = ""
    if incident.end_at is not None:
        lasted = fmt.age(incident.end_at - incident.start_at, plain=plain)
    if incident.steady:
        span = f"at {began} for {lasted}" if lasted else f"since {began}"
        return f"{incident.health} {span}"
    head = f"{incident.health} at {worst}, trouble"
    if incident.times > 1:
        head += f" {incident.times} times"
        return f"{head} in {lasted}" if lasted else f"{head} since {began}"
    return f"{head} at {began} for {lasted}" if lasted else f"{head} since {began}"


def neighbour(
    found: Sequence[Incident], at: float, by: int, *, of: Incident | None = None
) -> Incident | None:
    """The first incident that begins after ``at``, or (``by`` < 0) the last before.

    ``of`` is the one gone to last: two may begin at the same instant, when what many
    deployments share breaks, and none of them must be passed over.
    """
    places = [place for place, each in enumerate(found) if _same(each, of)]
    if places:
        place = places[0] + (1 if by > 0 else -1)
        return found[place] if 0 <= place < len(found) else None
    if by > 0:
        return next((each for each in found if each.start_at > at), None)
    return next((each for each in reversed(found) if each.start_at < at), None)


def _same(incident: Incident, other: Incident | None) -> bool:
    """Whether it is the same one, whatever became of it since."""
    return other is not None and (incident.deployment, incident.start_at) == (
        other.deployment,
        other.start_at,
    )


def settled(
    found: Iterable[Incident], states: Mapping[str, tuple[Health, float]]
) -> list[Incident]:
    """The incidents, those ended whose deployment is in no trouble any more.

    ``states`` are each one's state and since when. Not every change has an event: after
    a gap nobody knows, and an incident that nobody sees is not going on.
    """
    out: list[Incident] = []
    for incident in found:
        health, since_at = states.get(incident.deployment, (incident.health, 0.0))
        if incident.end_at is None and health not in TROUBLE:
            end_at = max(incident.worst_at, since_at)
            out.append(replace(incident, end_at=end_at))
        else:
            out.append(incident)
    return out


def marks(changes: Iterable[Change], *, deployment: str) -> list[Mark]:
    """What explains a turn in the figures: of the deployment, and of the collector."""
    return [
        Mark(change.at, change.kind, change.message)
        for change in changes
        if change.kind in _MARKED and change.deployment in (deployment, None)
    ]


def stretches(
    changes: Iterable[Change],
    start_at: float,
    end_at: float,
    *,
    before: Health | None,
    now_in: tuple[Health, float],
) -> list[Stretch]:
    """One deployment's states over a span, without a hole between them.

    ``before`` is the state it came in with, ``now_in`` the state it is in and since
    when: it wins over what events tell (a pause may be set without one).
    """
    turns: list[tuple[float, Health | None]] = [(start_at, before)]
    turns += [
        (change.at, change.health)
        for change in changes
        if change.kind is EventKind.STATE and start_at <= change.at < end_at
    ]
    health, since_at = now_in
    if turns[-1][1] is not health and since_at < end_at:
        turns.append((max(since_at, turns[-1][0]), health))
    found: list[Stretch] = []
    for (at, state), (until, _) in zip(
        turns, [*turns[1:], (end_at, None)], strict=True
    ):
        if until <= at:
            continue
        if found and found[-1].health is state:
            found[-1] = Stretch(found[-1].start_at, until, state)
        else:
            found.append(Stretch(at, until, state))
    return found


def without(
    known: Sequence[Stretch], gaps: Iterable[tuple[float, float]]
) -> list[Stretch]:
    """The stretches with None in the gaps, in which nothing was measured.

    Pause and maintenance stay: they are known without a measurement.
    """
    found = list(known)
    for start, end in gaps:
        cut: list[Stretch] = []
        for part in found:
            low, high = max(start, part.start_at), min(end, part.end_at)
            if low >= high or part.health in (None, Health.PAUSED, Health.MAINTENANCE):
                cut.append(part)
                continue
            if part.start_at < low:
                cut.append(Stretch(part.start_at, low, part.health))
            cut.append(Stretch(low, high, None))
            if high < part.end_at:
                cut.append(Stretch(high, part.end_at, part.health))
        found = cut
    return found


class Chronicle:
    """The events of a range as one face has read them; :meth:`catch_up`, then look.

    Read whole once for each range, then only what is new.
    """

    def __init__(self, reader: Reader, *, deployment: str | None = None) -> None:
        self._reader = reader
        self._deployment = deployment
        self._since_at = math.inf
        self._seen: dict[int, Change] = {}
        self.changes: tuple[Change, ...] = ()

    async def catch_up(self, since_at: float, now: float) -> tuple[Change, ...]:
        """Events in [since, now], oldest first, :data:`KEPT_CHANGES` at most."""
        wider = since_at < self._since_at
        start_at = since_at
        if not wider and self.changes:
            start_at = max(since_at, self.changes[-1].at - LATE_S)
        # A clock that was wrong may have dated an event just ahead of now.
        fresh = await self._reader.changes(
            start_at, now + LATE_S, deployment=self._deployment, limit=KEPT_CHANGES
        )
        if wider:
            self._seen.clear()
        self._since_at = since_at
        old = [seq for seq, known in self._seen.items() if known.at < since_at]
        news = [change for change in fresh if change.seq not in self._seen]
        if news or old or wider:
            for seq in old:
                del self._seen[seq]
            self._seen.update((change.seq, change) for change in news)
            kept = sorted(self._seen.values(), key=lambda change: change.at)
            self.changes = tuple(kept[-KEPT_CHANGES:])
            self._seen = {change.seq: change for change in self.changes}
        return self.changes
