"""One deployment as every view shows it: from what was read to a frozen card.

Owns what a card says (which message, which shape, whether it is being checked). Pure:
it must not know the store's reading, the clock or any screen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from yolotop.model import Health, HealthState, Phases, ProbeKind, Severity
from yolotop.store.protocol import CollectorStatus, Registered, StoredProbe
from yolotop.view.snapshot import (
    Beat,
    Card,
    CollectorHealth,
    CollectorView,
    Figures,
)

BEATS: Final = 60
"""Answers in a card's trend: what the widest card has cells for."""
BEAT_AGE_S: Final = 10.0
"""A collector says that it lives every 5 s; twice that is silence."""

ACTIVE: Final = frozenset({Health.UP, Health.DEGRADED, Health.COLD})
_SEVERITY: Final = {Health.DOWN: Severity.ERROR, Health.DEGRADED: Severity.WARNING}


class Track:
    """The newest answers of one deployment, fed in order of arrival.

    Order is the sequence number, never the clock: rows dated in the future (a clock
    that was wrong and got mended) must not hide the ones that come after.
    """

    __slots__ = ("_beats", "_frozen", "_seq", "last", "last_at")

    def __init__(self) -> None:
        self._beats: deque[Beat] = deque(maxlen=BEATS)
        self._frozen: tuple[Beat, ...] | None = ()
        self._seq = 0
        self.last: StoredProbe | None = None
        self.last_at: float | None = None

    @property
    def beats(self) -> tuple[Beat, ...]:
        """The newest predict answers, oldest first."""
        if self._frozen is None:
            self._frozen = tuple(self._beats)
        return self._frozen

    def take(self, probe: StoredProbe) -> None:
        """Add a probe of either kind; one that was seen before is left."""
        if probe.seq <= self._seq:
            return
        self._seq = probe.seq
        self.last_at = probe.at
        if probe.kind is ProbeKind.PREDICT:
            self.last = probe
            self._beats.append(Beat(probe.outcome, probe.latency_ms, probe.cold))
            self._frozen = None

    def fill(self, probes: Sequence[StoredProbe]) -> None:
        """Start the beats from stored predict probes, the newest there are."""
        if not probes:
            return
        newest = probes[-1]
        self._beats.clear()
        self._beats.extend(
            Beat(probe.outcome, probe.latency_ms, probe.cold) for probe in probes
        )
        self._frozen = None
        self.last = newest
        if newest.seq > self._seq:
            self._seq, self.last_at = newest.seq, newest.at


def health_of(registered: Registered, state: HealthState | None) -> Health:
    """The state to show: a paused deployment is paused, whatever it was."""
    if registered.paused:
        return Health.PAUSED
    return state.health if state is not None else Health.UNKNOWN


def _message(
    health: Health, state: HealthState | None, last: StoredProbe | None
) -> str:
    if health is Health.PAUSED:
        return "paused"
    if health is not Health.UP and state is not None and state.message:
        return state.message
    return last.message if last is not None else "no answer yet"


def card(
    registered: Registered,
    *,
    state: HealthState | None,
    track: Track,
    figures: Figures,
    pending: bool,
    running: bool,
) -> Card:
    """The deployment's card. ``running`` tells whether a collector is at work."""
    health = health_of(registered, state)
    last = track.last
    severity = _SEVERITY.get(health)
    if severity is None:
        severity = last.severity if last is not None else Severity.INFO
    waits = health is Health.UNKNOWN and running
    return Card(
        name=registered.name,
        url=registered.url,
        dialect=registered.dialect,
        health=health,
        since_at=state.since if state is not None else registered.first_seen_at,
        region=registered.region,
        group=registered.group,
        tags=registered.tags,
        checking=pending or waits,
        every_s=registered.predict_interval_s,
        figures=figures,
        beats=track.beats,
        last_at=track.last_at,
        message=_message(health, state, last),
        severity=severity,
        http_status=last.http_status if last is not None else None,
        latency_ms=last.latency_ms if last is not None else None,
        phases=last.phases if last is not None else Phases(),
        server=last.server if last is not None else None,
    )


def collector_view(status: CollectorStatus | None, now: float) -> CollectorView:
    """Whether anyone is measuring, by the collector's own last sign of life."""
    if status is None:
        return CollectorView()
    age_s = now - status.beat_at
    if status.stopped_at is not None:
        health = CollectorHealth.STOPPED
    elif abs(age_s) <= BEAT_AGE_S:
        health = CollectorHealth.RUNNING
    else:
        # A beat from far in the future is a stepped clock, no sign of life.
        health = CollectorHealth.STALE
    return CollectorView(
        health=health,
        age_s=max(0.0, age_s),
        pid=status.pid,
        note=status.note,
        overruns=status.overruns,
    )


def counts(cards: tuple[Card, ...]) -> tuple[tuple[Health, int], ...]:
    """How many are in each state, in the order of :class:`Health`, zeros left out."""
    found = [card.health for card in cards]
    return tuple((health, found.count(health)) for health in Health if health in found)
