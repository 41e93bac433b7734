"""What we think of it: a verdict on one answer, the state many of them lead to.

Owns what the judge hands on and the store keeps. The rules are in ``judge``.
"""

from __future__ import annotations

from dataclasses import dataclass

from yolotop.model.answer import Answer, ProbeError
from yolotop.model.words import EventKind, Health, Outcome, Severity


@dataclass(frozen=True, slots=True)
class Verdict:
    """What we think of an answer. ``cold`` marks an answer kept out of warm figures."""

    outcome: Outcome
    severity: Severity
    message: str
    error: ProbeError | None = None
    cold: bool = False

    @property
    def ok(self) -> bool:
        """Whether an answer came that is not wrong (slow and changed ones are not)."""
        return self.outcome in (Outcome.OK, Outcome.SLOW, Outcome.CHANGED)


@dataclass(frozen=True, slots=True)
class Sample:
    """One judged probe: what the collector enqueues and the store keeps."""

    answer: Answer
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Event:
    """A change worth a log line. ``deployment`` is ``None`` for the collector's own.

    ``health`` is the state entered, of an event of kind STATE only.
    """

    at: float
    severity: Severity
    kind: EventKind
    message: str
    deployment: str | None = None
    health: Health | None = None


@dataclass(frozen=True, slots=True)
class Light:
    """The state of one of the two questions, with the streaks that led to it.

    A deployment whose liveness path answers while every prediction is refused must
    not look healthy, so each question counts for itself. ``recent`` holds the newest
    outcomes, at least ``degraded_window`` of them, newest last; ``failures`` runs of
    *failed* and ``successes`` runs of answers that came (ok, slow, wrong). ``message``
    is the reason without its counts. ``cold_since`` is when the endpoint first said
    "starting up" since it last answered.
    """

    health: Health = Health.UNKNOWN
    recent: tuple[Outcome, ...] = ()
    failures: int = 0
    successes: int = 0
    message: str = ""
    cold_since: float | None = None


@dataclass(frozen=True, slots=True)
class HealthState:
    """A deployment's state with the streaks that led to it; survives restarts.

    ``health`` is the worse of the two lights. ``recent``, ``failures`` and
    ``successes`` are of both questions together. ``last_answer_at`` is when the last
    prediction arrived, ``alive_s`` how long its instance had lived by then.
    ``changes`` are the instants of recent changes between up, degraded and down;
    ``until_at`` is when maintenance ends; ``told_expiry_at`` is when the end of the
    TLS certificate was last told. ``facts`` are what the server last told of model and
    libraries; ``answer_frame`` and ``answer_digest`` are of the last prediction: which
    image it answers (SHA-256) and in which bytes.
    """

    health: Health = Health.UNKNOWN
    since: float = 0.0
    message: str = ""
    recent: tuple[Outcome, ...] = ()
    failures: int = 0
    successes: int = 0
    model_id: str | None = None
    alive_s: float | None = None
    last_answer_at: float | None = None
    liveness: Light = Light()
    predict: Light = Light()
    changes: tuple[float, ...] = ()
    flapping: bool = False
    until_at: float | None = None
    told_expiry_at: float | None = None
    facts: tuple[tuple[str, str], ...] = ()
    answer_frame: str | None = None
    answer_digest: str | None = None
