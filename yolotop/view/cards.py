"""One deployment as every view shows it: from what was read to a frozen card.

Owns what a card says (which message, which shape, whether it is being checked). Pure:
it must not know the store's reading, the clock or any screen.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from yolotop.judge.hosted import STOPPED
from yolotop.model import (
    Health,
    HealthState,
    Phases,
    ProbeKind,
    Severity,
    Traffic,
)
from yolotop.store.protocol import (
    TAIL_BEATS,
    CollectorStatus,
    Registered,
    StoredProbe,
    Tail,
)
from yolotop.view.counted import Count, is_counted
from yolotop.view.format import age, until
from yolotop.view.snapshot import (
    Beat,
    Card,
    CollectorHealth,
    CollectorView,
    Figures,
)

BEATS: Final = TAIL_BEATS
"""Answers in a card's trend: what the widest card has cells for."""
BEAT_AGE_S: Final = 10.0
"""A collector says that it lives every 5 s; twice that is silence."""

SILENT_INTERVALS: Final = 3
SILENT_S: Final = 30.0
"""While nobody measures, a state counts for three intervals, and for so long at least.

The interval is that of the predict probes: the store does not know the other one.
"""

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

    def start(self, tail: Tail) -> None:
        """Begin with what the store keeps ready."""
        self._beats.extend(tail.beats)
        self._frozen = None
        self._seq, self.last_at, self.last = tail.last_seq, tail.last_at, tail.last


def health_of(registered: Registered, state: HealthState | None) -> Health:
    """The state to show: a paused deployment is paused, whatever it was."""
    if registered.paused:
        return Health.PAUSED
    return state.health if state is not None else Health.UNKNOWN


def silence_of(registered: Registered, last_at: float | None, now: float) -> str:
    """Why a state that nobody renews is not known any more; empty while it counts.

    To be asked only while no collector runs: one that runs and is late says so itself.
    """
    if last_at is None or registered.paused:
        return ""
    age_s = now - last_at
    if age_s <= max(SILENT_INTERVALS * registered.predict_interval_s, SILENT_S):
        return ""
    return f"no answer for {age(age_s)}: nobody is measuring"


def _message(
    health: Health,
    state: HealthState | None,
    last: StoredProbe | None,
    *,
    hosted: bool = False,
) -> str:
    if health is Health.PAUSED:
        told = state is not None and state.message.startswith(STOPPED)
        return state.message if told and state is not None else "paused"
    if health is Health.MAINTENANCE and state is not None and state.until_at:
        # As the collector says it, but in the local time that a face shows.
        return f"maintenance {until(state.until_at, since=state.since)}"
    tells = hosted or health is not Health.UP or (state is not None and state.flapping)
    if tells and state is not None and state.message:
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
    silence: str = "",
    slo_left: float | None = None,
    traffic: Traffic | None = None,
    count: Count | None = None,
) -> Card:
    """The deployment's card. ``running`` tells whether a collector is at work.

    ``count`` is what its platform counted of the range.

    With ``silence`` (see :func:`silence_of`) its state is unknown since its last
    answer; the figures stay, they are of the range.
    """
    health = Health.UNKNOWN if silence else health_of(registered, state)
    last = track.last
    severity = _SEVERITY.get(health)
    if severity is None:
        severity = last.severity if last is not None else Severity.INFO
    counted = is_counted(registered)
    waits = health is Health.UNKNOWN and running and not counted
    last_at = track.last_at
    if counted:
        last_at = None if traffic is None else traffic.end_at
        if figures.known:
            figures = Figures() if count is None else count.figures
    return Card(
        name=registered.name,
        url=registered.url,
        dialect=registered.dialect,
        health=health,
        since_at=_since_at(registered, state, track.last_at if silence else None),
        region=registered.region,
        location=registered.location,
        group=registered.group,
        tags=registered.tags,
        checking=pending or waits,
        every_s=registered.predict_interval_s,
        figures=figures,
        beats=track.beats,
        last_at=last_at,
        message=silence or _message(health, state, last, hosted=counted),
        severity=severity,
        http_status=last.http_status if last is not None else None,
        latency_ms=last.latency_ms if last is not None else None,
        phases=last.phases if last is not None else Phases(),
        server=last.server if last is not None else None,
        slo_left=slo_left,
        until_at=state.until_at
        if state is not None and health is Health.MAINTENANCE
        else None,
        traffic=traffic,
        hosting=registered.hosting,
        counted=counted,
        pace=count.requests.values if counted and count is not None else (),
    )


def _since_at(
    registered: Registered, state: HealthState | None, silent_at: float | None
) -> float:
    if silent_at is not None:
        return silent_at
    return state.since if state is not None else registered.first_seen_at


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
        platform=status.platform,
    )


def counts(cards: tuple[Card, ...]) -> tuple[tuple[Health, int], ...]:
    """How many are in each state, in the order of :class:`Health`, zeros left out."""
    found = [card.health for card in cards]
    return tuple((health, found.count(health)) for health in Health if health in found)
