"""The state of a deployment whose platform we believe, because nobody asks itself.

Owns what a platform's word and its count of errors come to. Pure. It must not know how
a platform is asked, nor probes.

A platform's "ready" is its word and no answer, so whoever shows it says whose word it
is. What it counts includes errors of callers (4xx), so a share of errors makes a
deployment degraded and never down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from yolotop.model import Event, EventKind, Health, HealthState, Severity, Traffic
from yolotop.model.traffic import merged

STOPPED: Final = "stopped on the Platform"
"""How the message begins of one that is paused because it is stopped there."""
BAD_RATE: Final = 0.05
"""As everywhere: an error rate above this is red."""
LEAST_REQUESTS: Final = 20
"""Below, a single refused health check (a cold start is a 429) would be a bad rate."""
LOOK_BACK_S: Final = 900.0

_READY: Final = "ready"
_HEALTH: Final[Mapping[str, Health]] = {
    "creating": Health.COLD,
    "deploying": Health.COLD,
    _READY: Health.UP,
    "stopping": Health.PAUSED,
    "stopped": Health.PAUSED,
    "failed": Health.DOWN,
}
_SEVERITY: Final[Mapping[Health, Severity]] = {
    Health.DOWN: Severity.ERROR,
    Health.DEGRADED: Severity.WARNING,
}


class Word(NamedTuple):
    """A state and why; ``held``: its endpoint is not asked while it is so."""

    health: Health
    reason: str
    held: bool = True
    severity: Severity | None = None


def word_of(lifecycle: str, message: str, *, probed: bool) -> Word:
    """What the platform's word comes to; of a *probed* one that is ready, nothing."""
    health = _HEALTH.get(lifecycle, Health.UNKNOWN)
    why = f": {message}" if message else ""
    if lifecycle == _READY:
        if probed:
            return Word(Health.UNKNOWN, "ready, says the Platform", held=False)
        return Word(Health.UP, f"ready, says the Platform{why}; not probed")
    if health is Health.PAUSED:
        going = "" if lifecycle == "stopped" else " (stopping)"
        # A start that failed ends as stopped, with a message.
        severity = Severity.ERROR if why else None
        return Word(health, f"{STOPPED}{going}{why}", severity=severity)
    if health is Health.UNKNOWN:
        return Word(health, f"{lifecycle}, says the Platform{why}", held=not probed)
    return Word(health, f"{lifecycle} on the Platform{why}")


def with_errors(word: Word, rows: Iterable[Traffic], now: float) -> Word:
    """``word``, or *degraded* where too many of the recent requests failed."""
    if word.health is not Health.UP:
        return word
    recent = merged(row for row in rows if row.end_at > now - LOOK_BACK_S)
    if recent is None or (recent.requests or 0.0) < LEAST_REQUESTS:
        return word
    rate = recent.error_rate
    if rate is None or rate <= BAD_RATE:
        return word
    minutes = round(LOOK_BACK_S / 60)
    reason = (
        f"{rate:.0%} of {recent.requests:.0f} requests failed in {minutes} min, "
        "counts the Platform"
    )
    return Word(Health.DEGRADED, reason)


def told(
    state: HealthState, name: str, word: Word, *, at: float
) -> tuple[HealthState, tuple[Event, ...]]:
    """The state after that word, with an event where it changed.

    What was paused by hand stays so, and so does what is in maintenance.
    """
    if not follows(state):
        return state, ()
    if state.health is word.health:
        if state.message == word.reason:
            return state, ()
        return replace(state, message=word.reason), ()
    after = HealthState(
        health=word.health,
        since=at,
        message=word.reason,
        model_id=state.model_id,
        last_answer_at=state.last_answer_at,
        told_expiry_at=state.told_expiry_at,
        facts=state.facts,
    )
    severity = word.severity or _SEVERITY.get(word.health, Severity.INFO)
    kind = EventKind.STATE
    return after, (Event(at, severity, kind, word.reason, name, health=word.health),)


def follows(state: HealthState) -> bool:
    """Whether the platform's word counts: nobody here has said otherwise."""
    if state.health is Health.PAUSED:
        return state.message.startswith(STOPPED)
    return state.health is not Health.MAINTENANCE
