"""One of a deployment's two lights: hysteresis over the answers to one question.

Owns the counts that lead to up, degraded, cold and down, both ways. Pure. It must not
know the other light, nor what a change is worth telling.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from yolotop.model import Deployment, Health, Light, Outcome, Sample

_BAD: Final = frozenset({Outcome.FAILED, Outcome.WRONG, Outcome.SLOW, Outcome.CHANGED})
_AT_ONCE: Final = frozenset({Outcome.WRONG, Outcome.CHANGED})
"""One is enough: the next answer would be the same."""


def window(deployment: Deployment) -> int:
    """Outcomes by which a light is degraded."""
    return max(1, deployment.degraded_window)


def memory(deployment: Deployment) -> int:
    """Outcomes a light looks back on: also as many as it takes to leave *down*.

    ``recover_after`` answers, each after the longest run of failures that does not
    lead down, fit into it: so one that never fails ``fail_after`` times in a row again
    always gets out.
    """
    return max(window(deployment), (_recover(deployment) - 1) * _fail(deployment) + 1)


def turn_light(
    light: Light, sample: Sample, deployment: Deployment, at: float
) -> Light:
    """The light after ``sample``, known at ``at``."""
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
        recent=(*light.recent, outcome)[-memory(deployment) :],
        failures=failures,
        successes=successes,
        message=light.message,
        cold_since=cold_since,
    )
    if light.health is Health.DOWN:
        counted = _recovered(counted, deployment)
    health = _light_health(counted, deployment)
    message = _reason(counted, health, sample.verdict.message)
    if health is counted.health and message == counted.message:
        return counted
    return replace(counted, health=health, message=message)


def told(light: Light, deployment: Deployment) -> str:
    """What a light shows: the reason first, since a card shows the beginning.

    Then the counts that speak for it as they are now, not as they were when the reason
    was met: one that answers now and then has not failed "5 in a row".
    """
    if light.health not in (Health.DOWN, Health.DEGRADED):
        return light.message
    if light.health is Health.DOWN and light.failures > 1:
        return f"{light.message} ({light.failures} in a row)"
    bad, seen = _bad(light, deployment), min(len(light.recent), window(deployment))
    if 1 < bad < seen:
        return f"{light.message} ({bad} of the last {seen})"
    return light.message


def _fail(deployment: Deployment) -> int:
    return max(1, deployment.fail_after)


def _recover(deployment: Deployment) -> int:
    return max(1, deployment.recover_after)


def _recovered(light: Light, deployment: Deployment) -> Light:
    """A light that was down, its newest outcome counted: out of it, if it may be."""
    if light.successes >= _recover(deployment):
        # The failures that led down are over: a window that still held them would
        # call the deployment degraded for another three good answers.
        recent = light.recent[-light.successes :]
        return replace(light, health=Health.UNKNOWN, recent=recent)
    if light.successes and _flaps(light, deployment):
        return replace(light, health=Health.DEGRADED)
    return light


def _flaps(light: Light, deployment: Deployment) -> bool:
    """Whether what is remembered holds enough answers and would not have led down.

    Without this a deployment that answers every other time is down for ever once it
    was, and degraded if it never was: its state would tell of last week.
    """
    answers = run = 0
    for outcome in light.recent:
        if outcome is Outcome.FAILED:
            run += 1
            if run >= _fail(deployment):
                return False
        elif outcome is not Outcome.COLD:
            answers, run = answers + 1, 0
    return answers >= _recover(deployment)


def _light_health(light: Light, deployment: Deployment) -> Health:
    """The health that ``light``, its newest outcome counted, comes to."""
    last = light.recent[-1]
    if light.health is Health.DOWN or light.failures >= _fail(deployment):
        return Health.DOWN
    if last is Outcome.COLD:
        return Health.COLD
    bad = _bad(light, deployment)
    if last in _AT_ONCE or bad >= max(1, deployment.degraded_after):
        return Health.DEGRADED
    good = _good_run(light)
    if light.health is Health.DEGRADED and good < _recover(deployment):
        return Health.DEGRADED
    return light.health if last is Outcome.FAILED else Health.UP


def _bad(light: Light, deployment: Deployment) -> int:
    return sum(outcome in _BAD for outcome in light.recent[-window(deployment) :])


def _good_run(light: Light) -> int:
    """How many of the newest outcomes are good, without a gap."""
    bad = (n for n, outcome in enumerate(reversed(light.recent)) if outcome in _BAD)
    return next(bad, len(light.recent))


def _reason(light: Light, health: Health, said: str) -> str:
    """Why the light is as it is: what was said of the newest that speaks for it."""
    last = light.recent[-1]
    if health is Health.UP:
        return ""
    if health is Health.DOWN:
        return said if last is Outcome.FAILED else light.message
    if health is Health.DEGRADED:
        return said if last in _BAD else light.message
    return said
