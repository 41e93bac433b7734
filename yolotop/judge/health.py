"""The health machine: from a stream of judged probes to one state per deployment.

Owns hysteresis (k of n, both ways), the two lights, and the events a change is worth.
Pure and deterministic: time comes in with the samples. It must not know how samples
are obtained or stored.

Each question has a light of its own, because a liveness path that answers says
nothing of predictions that are refused:

- **down** after ``fail_after`` failures in a row, never on fewer; left after
  ``recover_after`` answers in a row, or, for *degraded* only, once that many of the
  last few are answers and none of those few failed ``fail_after`` times in a row: what
  answers every other time is not down, and not up;
- **degraded** while the last answer is *wrong* or *changed*, or two of the last five
  are bad (failed, slow or either); left once fewer are bad and ``recover_after`` in a
  row are good. One slow or failed answer changes nothing: that is hysteresis;
- **cold** while the endpoint says it is starting, unless it is down;
- **unknown** until the first answer, and again after a time in which this machine
  could not know (it slept).

The deployment shows the worse light: down, then cold, then degraded, then up. The
counts are of the deployment's own settings: ``fail_after``, ``recover_after``, and
``degraded_after`` of the last ``degraded_window``.

**Flapping**: a deployment that changes between up, degraded and down five times within
half an hour (or the time of forty probes, if that is longer) is said to flap, once, and
to be quiet again when one change or none is left in that time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from yolotop.judge.light import told, turn_light
from yolotop.judge.news import news_of_instance, remember_instance, watch_certificate
from yolotop.judge.verdict import answered_at, light_of
from yolotop.judge.words import span
from yolotop.model import (
    Deployment,
    Event,
    EventKind,
    Health,
    HealthState,
    Light,
    Outcome,
    ProbeKind,
    Sample,
    Severity,
)

WINDOW: Final = 5
"""Outcomes of both questions together that are remembered."""
FLAP_CHANGES: Final = 5
"""Changes of state within the window from which a deployment flaps."""
FLAP_QUIET: Final = 1
"""Changes left in the window with which it is quiet again."""
FLAP_WINDOW_S: Final = 1_800.0
FLAP_WINDOW_PROBES: Final = 40

_FLAPS: Final = frozenset({Health.UP, Health.DEGRADED, Health.DOWN})
_SILENT: Final = frozenset({Health.PAUSED, Health.MAINTENANCE})
_RANK: Final = {
    Health.UNKNOWN: 0,
    Health.UP: 1,
    Health.DEGRADED: 2,
    Health.COLD: 3,
    Health.DOWN: 4,
}
_SEVERITY: Final = {
    Health.UNKNOWN: Severity.INFO,
    Health.UP: Severity.INFO,
    Health.COLD: Severity.INFO,
    Health.DEGRADED: Severity.WARNING,
    Health.DOWN: Severity.ERROR,
}


def advance(
    state: HealthState, sample: Sample, deployment: Deployment
) -> tuple[HealthState, tuple[Event, ...]]:
    """The state after ``sample``, and the events to log, oldest first.

    A paused deployment stays paused, whatever a last probe or one asked for by hand
    brings; its streaks do not move.
    """
    answer = sample.answer
    at = answered_at(answer)
    events = news_of_instance(state, answer, at)
    after = remember_instance(state, answer, at)
    after, expiry = watch_certificate(after, answer, at)
    if state.health in _SILENT:
        return after, (*events, *expiry)
    after = _turn(after, sample, deployment, at)
    if after.health is not state.health:
        change = Event(
            at=at,
            severity=_SEVERITY[after.health],
            kind=EventKind.STATE,
            message=_change_message(state, after, sample, at),
            deployment=answer.deployment,
            health=after.health,
        )
        events = (*events, change)
    after, flapping = _watch_flapping(state, after, deployment, at)
    return after, (*events, *flapping, *expiry)


def pause(
    state: HealthState, name: str, *, at: float, reason: str
) -> tuple[HealthState, tuple[Event, ...]]:
    """Stop judging; ``reason`` is shown and kept. Pausing twice changes nothing.

    It ends maintenance: what was paused by hand stays so.
    """
    if state.health is Health.PAUSED:
        return state, ()
    after = replace(_fresh(state, at), health=Health.PAUSED, message=reason)
    return after, (_entered(after, name, at, reason),)


def resume(
    state: HealthState, name: str, *, at: float
) -> tuple[HealthState, tuple[Event, ...]]:
    """Begin anew at *unknown*: what was true before the pause need not be now."""
    if state.health is not Health.PAUSED:
        return state, ()
    message = f"resumed after {span(at - state.since)} paused"
    after = _fresh(state, at)
    return after, (_entered(after, name, at, message),)


def begin_maintenance(
    state: HealthState, name: str, *, at: float, until_at: float, reason: str
) -> tuple[HealthState, tuple[Event, ...]]:
    """Stop judging until ``until_at``; again with another end moves the end.

    One that is paused stays paused.
    """
    if state.health is Health.PAUSED:
        return state, ()
    if state.health is Health.MAINTENANCE:
        if state.until_at == until_at:
            return state, ()
        after = replace(state, until_at=until_at, message=reason)
    else:
        after = replace(
            _fresh(state, at),
            health=Health.MAINTENANCE,
            message=reason,
            until_at=until_at,
        )
    return after, (_entered(after, name, at, reason),)


def end_maintenance(
    state: HealthState, name: str, *, at: float
) -> tuple[HealthState, tuple[Event, ...]]:
    """Begin anew at *unknown*; without maintenance nothing changes."""
    if state.health is not Health.MAINTENANCE:
        return state, ()
    message = f"maintenance ended after {span(at - state.since)}"
    after = _fresh(state, at)
    return after, (_entered(after, name, at, message),)


def unseen(state: HealthState, *, at: float, reason: str) -> HealthState:
    """The state after a time in which this machine could not look: *unknown*.

    Runs of failures are dropped, since what led to them need not be true any more.
    What was paused or in maintenance stays so.
    """
    if state.health in _SILENT:
        return state
    return replace(_fresh(state, at), message=reason)


def rebased(state: HealthState, by_s: float) -> HealthState:
    """The state with its instants moved along with a wall clock that was set.

    They were measured rightly, in a time that was called otherwise.
    """

    def moved(at: float | None) -> float | None:
        return None if at is None else at + by_s

    def lit(light: Light) -> Light:
        return replace(light, cold_since=moved(light.cold_since))

    return replace(
        state,
        since=state.since + by_s,
        last_answer_at=moved(state.last_answer_at),
        told_expiry_at=moved(state.told_expiry_at),
        changes=tuple(at + by_s for at in state.changes),
        liveness=lit(state.liveness),
        predict=lit(state.predict),
    )


def means_the_same(
    state: HealthState, other: HealthState, deployment: Deployment
) -> bool:
    """Whether going on from either leads to the same states and events.

    Good answers beyond ``recover_after`` change nothing, and a younger time of the
    last answer only matters where the instance restarted, which is an event. In which
    bytes the last image was answered is no reason to write either: an older pair tells
    a stuck answer just as well.
    """
    if state.message != other.message or state.recent != other.recent:
        return False
    enough = max(1, deployment.recover_after)
    return (
        _settled(state, other)
        and _same_light(state.liveness, other.liveness, enough)
        and _same_light(state.predict, other.predict, enough)
    )


def _settled(state: HealthState, other: HealthState) -> bool:
    return (
        state.health is other.health
        and state.since == other.since
        and state.failures == other.failures
        and state.model_id == other.model_id
        and state.facts == other.facts
        and (state.alive_s is None) is (other.alive_s is None)
        and (other.alive_s or 0.0) >= (state.alive_s or 0.0)
        and state.changes == other.changes
        and state.flapping is other.flapping
        and state.until_at == other.until_at
        and state.told_expiry_at == other.told_expiry_at
    )


def _same_light(light: Light, other: Light, enough: int) -> bool:
    return (
        light.health is other.health
        and light.recent == other.recent
        and light.failures == other.failures
        and light.message == other.message
        and light.cold_since == other.cold_since
        and min(light.successes, enough) == min(other.successes, enough)
    )


def after_gap(state: HealthState) -> HealthState:
    """The state to go on from when nobody has measured for a while.

    Streaks hold, since they count answers. A cold start's allowance does not: it counts
    time, and time in which nobody asked is not time in which nothing came up.
    """
    return replace(
        state,
        liveness=replace(state.liveness, cold_since=None),
        predict=replace(state.predict, cold_since=None),
    )


def _entered(after: HealthState, name: str, at: float, message: str) -> Event:
    """The event of a state that somebody wanted."""
    kind = EventKind.STATE
    return Event(at, Severity.INFO, kind, message, name, health=after.health)


def _fresh(state: HealthState, at: float) -> HealthState:
    return HealthState(
        since=at,
        model_id=state.model_id,
        alive_s=state.alive_s,
        last_answer_at=state.last_answer_at,
        told_expiry_at=state.told_expiry_at,
        facts=state.facts,
        answer_frame=state.answer_frame,
        answer_digest=state.answer_digest,
    )


# --- flapping ----------------------------------------------------------------------


def flap_window_s(deployment: Deployment) -> float:
    """How far back changes of state count towards flapping."""
    fastest = min(deployment.interval_s, deployment.predict_interval_s)
    return max(FLAP_WINDOW_S, FLAP_WINDOW_PROBES * fastest)


def _watch_flapping(
    before: HealthState, after: HealthState, deployment: Deployment, at: float
) -> tuple[HealthState, tuple[Event, ...]]:
    changed = (
        after.health is not before.health
        and after.health in _FLAPS
        and before.health in _FLAPS
    )
    if not changed and not before.changes and not before.flapping:
        return after, ()
    window_s = flap_window_s(deployment)
    changes = tuple(one for one in before.changes if at - window_s < one <= at)
    if changed:
        changes = (*changes, at)[-2 * FLAP_CHANGES :]
    least = FLAP_QUIET + 1 if before.flapping else FLAP_CHANGES
    flapping = len(changes) >= least
    message = after.message
    if flapping:
        count = f"{len(changes)} changes in {span(at - changes[0])}"
        message = f"flapping, {count}" + (f": {message}" if message else "")
    after = replace(after, changes=changes, flapping=flapping, message=message)
    if flapping is before.flapping:
        return after, ()
    severity, said = Severity.WARNING, message
    if not flapping:
        severity, said = Severity.INFO, f"quiet again, {after.health}"
    return after, (Event(at, severity, EventKind.FLAPPING, said, deployment.name),)


# --- the lights --------------------------------------------------------------------


def _turn(
    state: HealthState, sample: Sample, deployment: Deployment, at: float
) -> HealthState:
    kind = sample.answer.kind
    light = turn_light(light_of(state, kind), sample, deployment, at)
    liveness = state.liveness if kind is ProbeKind.PREDICT else light
    predict = light if kind is ProbeKind.PREDICT else state.predict
    shown = predict if _RANK[predict.health] >= _RANK[liveness.health] else liveness
    if shown.health is Health.UNKNOWN:
        shown = light  # nothing has answered yet: say what the last attempt met
    outcome = sample.verdict.outcome
    good = outcome in (Outcome.OK, Outcome.SLOW)
    return replace(
        state,
        health=shown.health,
        since=state.since if shown.health is state.health and state.since else at,
        message=told(shown, deployment),
        recent=(*state.recent, outcome)[-WINDOW:],
        failures=max(liveness.failures, predict.failures),
        successes=state.successes + 1 if good else 0,
        liveness=liveness,
        predict=predict,
    )


# --- words -------------------------------------------------------------------------


def _change_message(
    before: HealthState, after: HealthState, sample: Sample, at: float
) -> str:
    was, lasted = before.health, span(at - before.since)
    if after.health is Health.DOWN:
        failures = light_of(after, sample.answer.kind).failures
        times = "1 failure" if failures == 1 else f"{failures} failures"
        return f"down after {times}: {sample.verdict.message}"
    if after.health is Health.DEGRADED:
        since = f" after {lasted} down" if was is Health.DOWN else ""
        return f"degraded{since}: {after.message}"
    if after.health is Health.COLD:
        return after.message
    if after.health is Health.UNKNOWN or was is Health.UNKNOWN:
        return after.health.value
    if was is Health.COLD:
        return f"up after a cold start of {lasted}"
    return f"up again after {lasted} {was}"
