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
    """Outcomes a light looks back on."""
    return max(1, deployment.degraded_window)


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
        recent=(*light.recent, outcome)[-window(deployment) :],
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
    if health is counted.health and message == counted.message:
        return counted
    return replace(counted, health=health, message=message)


def _light_health(light: Light, deployment: Deployment) -> Health:
    """The health that ``light``, its newest outcome counted, comes to."""
    last = light.recent[-1]
    if light.health is Health.DOWN or light.failures >= max(1, deployment.fail_after):
        return Health.DOWN
    if last is Outcome.COLD:
        return Health.COLD
    if last in _AT_ONCE or _bad(light) >= max(1, deployment.degraded_after):
        return Health.DEGRADED
    wanted = min(window(deployment), max(1, deployment.recover_after))
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
