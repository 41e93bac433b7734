"""What happened to deployments between two lists of the Platform.

Owns which differences are worth a line of the log, their severity and their words.
Pure. It must not know how often lists are fetched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from yolotop.model import Severity
from yolotop.platform.contract import Lifecycle, PlatformDeployment

_SEVERITY: Final = {
    Lifecycle.FAILED: Severity.ERROR,
    Lifecycle.STOPPING: Severity.WARNING,
    Lifecycle.STOPPED: Severity.WARNING,
}


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened; ``deployment`` as it is now, or as it was last.

    ``is_lifecycle`` tells that it entered another state.
    """

    deployment: PlatformDeployment
    severity: Severity
    message: str
    is_lifecycle: bool = False


def news(
    before: Iterable[PlatformDeployment], after: Iterable[PlatformDeployment]
) -> tuple[News, ...]:
    """New, changed and deleted ones; a renamed one is known by its id."""
    known = {each.id: each for each in before}
    told: list[News] = []
    # One that is listed twice would be new with every list.
    for each in {each.id: each for each in after}.values():
        was = known.pop(each.id, None)
        if was is None:
            told.append(
                News(each, Severity.INFO, f"new on the Platform: {state(each)}")
            )
        else:
            told += _changes(was, each)
    told += [
        News(gone, Severity.WARNING, "deleted on the Platform; its history stays here")
        for gone in known.values()
    ]
    return tuple(told)


def state(deployment: PlatformDeployment) -> str:
    """``failed: out of memory``, ``ready``."""
    told = deployment.lifecycle.value
    return f"{told}: {deployment.message}" if deployment.message else told


def _changes(was: PlatformDeployment, now: PlatformDeployment) -> list[News]:
    told: list[News] = []
    if now.slug != was.slug:
        message = f"renamed on the Platform: {was.slug} → {now.slug}"
        told.append(News(now, Severity.INFO, message))
    elif now.name != was.name:
        message = f"called {now.name} on the Platform now, {was.name} before"
        told.append(News(now, Severity.INFO, message))
    if (now.project, now.model) != (was.project, was.model) and now.model:
        message = (
            f"another model on the Platform: {was.project}/{was.model} → "
            f"{now.project}/{now.model}"
        )
        told.append(News(now, Severity.WARNING, message))
    if now.lifecycle is not was.lifecycle:
        severity = _SEVERITY.get(now.lifecycle, Severity.INFO)
        if (was.lifecycle, now.lifecycle) == (Lifecycle.DEPLOYING, Lifecycle.STOPPED):
            severity = Severity.ERROR  # A start that failed ends there.
        message = f"{was.lifecycle.value} → {state(now)}"
        told.append(News(now, severity, message, is_lifecycle=True))
    elif now.message != was.message and now.message:
        severity = _SEVERITY.get(now.lifecycle, Severity.INFO)
        told.append(News(now, severity, state(now)))
    return told
