"""The closed sets: what a severity, a state, a question or a verdict may be.

Owns the words that machines match on: they are stored, printed by ``--json`` and
filtered by, so one that is there stays there. They know no value that uses them.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How much a line matters. The order is the filter order."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50


class Health(StrEnum):
    """A deployment's state after hysteresis."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    COLD = "cold"
    UNKNOWN = "unknown"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"


class ProbeKind(StrEnum):
    """The two questions."""

    HEALTH = "health"
    PREDICT = "predict"


class ErrorKind(StrEnum):
    """Why a probe is not simply fine: the closed set ``--json`` promises."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    HTTP = "http"
    BODY_TOO_LARGE = "body_too_large"
    BAD_RESPONSE = "bad_response"
    UNAUTHORIZED = "unauthorized"
    RATE_LIMITED = "rate_limited"
    COLD_START = "cold_start"
    WRONG_ANSWER = "wrong_answer"
    CANCELLED = "cancelled"
    INTERNAL = "internal"
    CLIENT_ERROR = "client_error"
    MODEL_NOT_FOUND = "model_not_found"
    OVERLOADED = "overloaded"
    HANDLER_ERROR = "handler_error"
    NOT_READY = "not_ready"
    MODEL_CHANGED = "model_changed"


class Outcome(StrEnum):
    """What one verdict comes to.

    ``FAILED`` and ``WRONG`` count as errors; ``SLOW`` is a right answer that took
    longer than the deployment's ``slow``; ``COLD`` is "starting up", neither;
    ``CHANGED`` is an answer of another model than the one the baseline was taken of.
    """

    OK = "ok"
    SLOW = "slow"
    COLD = "cold"
    WRONG = "wrong"
    FAILED = "failed"
    CHANGED = "changed"

    @property
    def is_error(self) -> bool:
        """Whether it counts in the error rate."""
        return self in (Outcome.FAILED, Outcome.WRONG)


class Reception(StrEnum):
    """How a server took one question: the closed set that all dialects come down to.

    Coarser than :class:`ErrorKind`, and about the server alone: a well-formed answer
    that is wrong was still received ``OK``. ``REFUSED`` is nobody there, ``SILENT``
    connected and no answer, ``BAD_BODY`` a 2xx that does not say what was asked for.
    """

    OK = "ok"
    CLIENT_ERROR = "client_error"
    UNAUTHORIZED = "unauthorized"
    MODEL_NOT_FOUND = "model_not_found"
    OVERLOADED = "overloaded"
    HANDLER_ERROR = "handler_error"
    NOT_READY = "not_ready"
    SILENT = "silent"
    REFUSED = "refused"
    BAD_BODY = "bad_body"


class EventKind(StrEnum):
    """What an event is about; stable, machines match on it."""

    STATE = "state"
    MODEL_CHANGED = "model_changed"
    RESTARTED = "restarted"
    CONFIG = "config"
    COLLECTOR = "collector"
    OVERRUN = "overrun"
    STORE = "store"
    CLOCK = "clock"
    FLAPPING = "flapping"
    CERTIFICATE = "certificate"
    METRICS = "metrics"
    LIBRARY_CHANGED = "library_changed"
    PLATFORM = "platform"
    LOG = "log"
