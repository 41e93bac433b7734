"""What an answer tells besides being right: the instance, the model, the certificate.

Owns the events about those and what is remembered to tell each once. Pure. It must not
know health.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from yolotop.judge.facts import differences, merged
from yolotop.judge.verdict import restarted
from yolotop.judge.words import span
from yolotop.model import (
    Answer,
    Event,
    EventKind,
    HealthState,
    Prediction,
    Severity,
)

EXPIRES_SOON_S: Final = 14 * 86_400.0
"""A certificate that ends within this time is told, once a day."""
TELL_EXPIRY_S: Final = 86_400.0
MOST_TOLD: Final = 4
"""Changes named in one event."""


# --- the instance behind the URL ---------------------------------------------------


def news_of_instance(
    state: HealthState, answer: Answer, at: float
) -> tuple[Event, ...]:
    """Whether it restarted, or another model answers."""
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
    events += _news_of_model(state, answer, found, at)
    return tuple(events)


def _news_of_model(
    state: HealthState, answer: Answer, found: Prediction, at: float
) -> list[Event]:
    """One event for the model and one for what it runs on, with before and after."""
    events: list[Event] = []
    changes = differences(state.facts, found.facts)
    for kind, severity, of_model in (
        (EventKind.MODEL_CHANGED, Severity.WARNING, True),
        (EventKind.LIBRARY_CHANGED, Severity.INFO, False),
    ):
        told = [str(each) for each in changes if each.of_model is of_model]
        if told:
            message = "; ".join(told[:MOST_TOLD])
            events.append(Event(at, severity, kind, message, answer.deployment))
    old, new = state.model_id, found.model_id
    if not events and old is not None and new is not None and old != new:
        message = f"model changed: {old} → {new}"
        kind = EventKind.MODEL_CHANGED
        events.append(Event(at, Severity.WARNING, kind, message, answer.deployment))
    return events


def remember_instance(state: HealthState, answer: Answer, at: float) -> HealthState:
    """The state that knows which instance answered last, and when."""
    found = answer.prediction
    if found is None:
        return state
    return replace(
        state,
        model_id=found.model_id or state.model_id,
        facts=merged(state.facts, found.facts),
        answer_frame=answer.frame_sha256,
        answer_digest=answer.body_digest,
        alive_s=found.alive_s,
        last_answer_at=at,
    )


# --- the certificate ---------------------------------------------------------------


def watch_certificate(
    state: HealthState, answer: Answer, at: float
) -> tuple[HealthState, tuple[Event, ...]]:
    """Tell once a day that the TLS certificate is about to end.

    One that has ended is a failed handshake, not our business here.
    """
    ends_at = answer.tls_expires_at
    if ends_at is None or not 0 <= ends_at - at < EXPIRES_SOON_S:
        return state, ()
    told_at = state.told_expiry_at
    if told_at is not None and 0 <= at - told_at < TELL_EXPIRY_S:
        return state, ()
    message = f"the TLS certificate expires in {span(ends_at - at)}"
    event = Event(
        at, Severity.WARNING, EventKind.CERTIFICATE, message, answer.deployment
    )
    return replace(state, told_expiry_at=at), (event,)
