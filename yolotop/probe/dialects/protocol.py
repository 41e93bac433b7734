"""What a dialect is: how one family of servers is asked, and read.

Owns the seam between the prober and the serving protocols. A new protocol is a new
file with a class of this shape and a line in the registry; nothing else changes. A
dialect is stateless and does no I/O; it must not know secrets, timing or verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from yolotop.model import Deployment, ErrorKind, Prediction, ProbeKind
from yolotop.probe.frames import Frame
from yolotop.probe.messages import Limits, Reply

Headers = tuple[tuple[str, str], ...]


class BadResponse(Exception):  # noqa: N818 - reads as what happened
    """The server answered 2xx, but not with what was asked for.

    ``message`` is one clean sentence about the body; ``kind`` says more than that it is
    bad, where the body does.
    """

    def __init__(self, message: str, kind: ErrorKind = ErrorKind.BAD_RESPONSE) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


@dataclass(frozen=True, slots=True)
class RequestSpec:
    """One question, without the key. ``headers`` leave out the ones every request has.

    Those are Host, User-Agent, Accept, Accept-Encoding, Connection, Content-Length.
    ``limits`` are the answer's, where the usual ones would not do.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    limits: Limits | None = None


class Dialect(Protocol):
    """One family of servers."""

    @property
    def name(self) -> str:
        """What users write after ``dialect =``."""
        ...

    @property
    def slow_to_ask(self) -> bool:
        """Whether to build a question takes longer than to have a thread do it."""
        ...

    def authorise(
        self, spec: RequestSpec, key: str, deployment: Deployment
    ) -> RequestSpec:
        """The question with the key in it: a header, a parameter, a field."""
        ...

    def health_request(self, deployment: Deployment) -> RequestSpec:
        """Ask whether it is alive. Asked only where the preset has such a question."""
        ...

    def predict_request(self, deployment: Deployment, frame: Frame) -> RequestSpec:
        """Ask what it sees on ``frame``; the same restriction."""
        ...

    def read_health(self, reply: Reply, deployment: Deployment) -> None:
        """Check a 2xx answer to the first. Raises BadResponse."""
        ...

    def read_predict(
        self, reply: Reply, deployment: Deployment, frame: Frame
    ) -> Prediction:
        """Read a 2xx answer to the second; raises BadResponse and nothing else.

        All text in the prediction is cleaned.
        """
        ...

    def refused(
        self, reply: Reply, deployment: Deployment, kind: ProbeKind
    ) -> ErrorKind | None:
        """What an answer that is not 2xx means; ``None``: no more than its status."""
        ...
