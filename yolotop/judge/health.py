"""The health machine: from a stream of judged probes to one state per deployment.

Owns hysteresis (k of n, both ways), the two lights, and the events a change is worth.
Pure and deterministic: time comes in with the samples. It must not know how samples
are obtained or stored.

Each question has a light of its own, because a liveness path that answers says
nothing of predictions that are refused:

- **down** after ``fail_after`` failures in a row, never on fewer; left only after
  ``recover_after`` answers in a row;
- **degraded** while the last answer is *wrong*, or two of the last five are bad
  (failed, slow or wrong); left once fewer are bad and ``recover_after`` in a row are
  good. One slow or failed answer changes nothing: that is what hysteresis is for;
- **cold** while the endpoint says it is starting, unless it is down;
- **unknown** until the first answer.

The deployment shows the worse light: down, then cold, then degraded, then up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from yolotop.judge.verdict import answered_at, light_of, restarted
from yolotop.model import (
    Answer,
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
"""Outcomes a light looks back on."""
BAD_OF_WINDOW: Final = 2
"""Bad ones among them from which a light is degraded."""

_BAD: Final = frozenset({Outcome.FAILED, Outcome.WRONG, Outcome.SLOW})
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
    events = _news_of_instance(state, answer, at)
    after = _remember_instance(state, answer, at)
    if state.health in _SILENT:
        return after, events
    after = _turn(after, sample, deployment, at)
    if after.health is not state.health:
        change = Event(
            at=at,
            severity=_SEVERITY[after.health],
            kind=EventKind.STATE,
            message=_change_message(state, after, sample, at),
            deployment=answer.deployment,
        )
        events = (*events, change)
    return after, events


def pause(
    state: HealthState, name: str, *, at: float, reason: str
) -> tuple[HealthState, tuple[Event, ...]]:
    """Stop judging; ``reason`` is shown and kept. Pausing twice changes nothing."""
    if state.health is Health.PAUSED:
        return state, ()
    after = replace(_fresh(state, at), health=Health.PAUSED, message=reason)
    return after, (Event(at, Severity.INFO, EventKind.STATE, reason, name),)


def resume(
    state: HealthState, name: str, *, at: float
) -> tuple[HealthState, tuple[Event, ...]]:
    """Begin anew at *unknown*: what was true before the pause need not be now."""
    if state.health is not Health.PAUSED:
        return state, ()
    message = f"resumed after {span(at - state.since)} paused"
    event = Event(at, Severity.INFO, EventKind.STATE, message, name)
    return _fresh(state, at), (event,)


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


def _fresh(state: HealthState, at: float) -> HealthState:
    return HealthState(
        since=at,
        model_id=state.model_id,
        alive_s=state.alive_s,
        last_answer_at=state.last_answer_at,
    )


# --- the instance behind the URL ---------------------------------------------------


def _news_of_instance(
    state: HealthState, answer: Answer, at: float
) -> tuple[Event, ...]:
    found = answer.prediction
    if found is None:
        return ()
    events: list[Event] = []
    if restarted(answer, state) and found.alive_s is not None:
        ago = f" {span(found.alive_s)} ago" if found.alive_s >= 1 else ""
        message = f"instance restarted{ago}"
        events.append(
            Event(at, Severity.INFO, EventKind.RESTARTED, message, answer.deployment)
        )
    old, new = state.model_id, found.model_id
    if old is not None and new is not None and old != new:
        message = f"model changed: {old} → {new}"
        events.append(
            Event(
                at,
                Severity.WARNING,
                EventKind.MODEL_CHANGED,
                message,
                answer.deployment,
            )
        )
    return tuple(events)


def _remember_instance(state: HealthState, answer: Answer, at: float) -> HealthState:
    found = answer.prediction
    if found is None:
        return state
    return replace(
        state,
        model_id=found.model_id or state.model_id,
        alive_s=found.alive_s,
        last_answer_at=at,
    )


# --- the lights --------------------------------------------------------------------


def _turn(
    state: HealthState, sample: Sample, deployment: Deployment, at: float
) -> HealthState:
    kind = sample.answer.kind
    light = _turn_light(light_of(state, kind), sample, deployment, at)
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
        message=shown.message,
        recent=(*state.recent, outcome)[-WINDOW:],
        failures=max(liveness.failures, predict.failures),
        successes=state.successes + 1 if good else 0,
        liveness=liveness,
        predict=predict,
    )


def _turn_light(
    light: Light, sample: Sample, deployment: Deployment, at: float
) -> Light:
    outcome = sample.verdict.outcome
    failures, successes, cold_since = light.failures, light.successes, light.cold_since
    if outcome is Outcome.FAILED:
        failures, successes = failures + 1, 0
    elif outcome is Outcome.COLD:
        # Neither a failure nor an answer: the run of failures waits for either.
        successes, cold_since = 0, at if cold_since is None else cold_since
    else:
        failures, successes, cold_since = 0, successes + 1, None
    counted = Light(
        health=light.health,
        recent=(*light.recent, outcome)[-WINDOW:],
        failures=failures,
        successes=successes,
        message=light.message,
        cold_since=cold_since,
    )
    if light.health is Health.DOWN and successes >= max(1, deployment.recover_after):
        # The failures that led down are over: a window that still held them would
        # call the deployment degraded for another three good answers.
        counted = replace(
            counted, health=Health.UNKNOWN, recent=counted.recent[-successes:]
        )
    health = _light_health(counted, deployment)
    message = _light_message(counted, health, sample.verdict.message)
    return replace(counted, health=health, message=message)


def _light_health(light: Light, deployment: Deployment) -> Health:
    """The health that ``light``, its newest outcome counted, comes to."""
    last = light.recent[-1]
    if light.health is Health.DOWN or light.failures >= max(1, deployment.fail_after):
        return Health.DOWN
    if last is Outcome.COLD:
        return Health.COLD
    if last is Outcome.WRONG or _bad(light) >= BAD_OF_WINDOW:
        return Health.DEGRADED
    wanted = min(WINDOW, max(1, deployment.recover_after))
    if light.health is Health.DEGRADED and _good_run(light) < wanted:
        return Health.DEGRADED
    return light.health if last is Outcome.FAILED else Health.UP


def _bad(light: Light) -> int:
    return sum(outcome in _BAD for outcome in light.recent)


def _good_run(light: Light) -> int:
    """How many of the newest outcomes are good, without a gap."""
    bad = (n for n, outcome in enumerate(reversed(light.recent)) if outcome in _BAD)
    return next(bad, len(light.recent))


def _light_message(light: Light, health: Health, said: str) -> str:
    """The reason first: a card shows the beginning."""
    last = light.recent[-1]
    if health is Health.UP:
        return ""
    if health is Health.DOWN:
        if last is not Outcome.FAILED:
            return light.message
        return f"{said} ({light.failures} in a row)" if light.failures > 1 else said
    if health is Health.DEGRADED:
        if last not in _BAD:
            return light.message
        bad, seen = _bad(light), len(light.recent)
        return f"{said} ({bad} of the last {seen})" if 1 < bad < seen else said
    return said


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


def span(seconds: float) -> str:
    """A length of time for people: ``40 s``, ``4 min``, ``2 h 5 min``, ``3 d 4 h``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
