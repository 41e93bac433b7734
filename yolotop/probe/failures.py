"""How a probe fails before there is an answer to judge.

Owns one exception per :class:`~yolotop.model.ErrorKind` the transport can run into,
each with one clean sentence and the phases up to the failure. Must not know dialects,
verdicts, what the sentence is shown on, or httpx (whose import costs 7 MB and, where
rich is installed, brings its command line; ``httpx_seam`` translates at the border).
"""

from __future__ import annotations

from typing import ClassVar

from yolotop.model import ErrorKind, Phases, ProbeError


class ProbeFailure(Exception):  # noqa: N818 - reads as what happened
    """Base: no usable HTTP answer. The transport fills in where it happened.

    ``phases`` and ``latency_ms`` run to the instant of the failure; ``address`` is the
    peer last dialled; ``status`` and ``headers`` (raw) are those of the answer where
    its head had already come; ``tls_expires_at`` is when the peer's certificate ends,
    where it was seen.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.phases = Phases()
        self.latency_ms: float | None = None
        self.address: str | None = None
        self.status: int | None = None
        self.headers: tuple[tuple[bytes, bytes], ...] = ()
        self.tls_expires_at: float | None = None

    @property
    def error(self) -> ProbeError:
        """The failure as the value that is stored and shown."""
        return ProbeError(self.kind, self.message)


class NameFailure(ProbeFailure):
    """The host name did not resolve."""

    kind = ErrorKind.DNS


class ConnectFailure(ProbeFailure):
    """No address took the connection, or a proxy did not pass it on."""

    kind = ErrorKind.CONNECT


class AddressRefused(ConnectFailure):
    """We do not dial that address: credentials of a cloud machine are served there."""


class TlsFailure(ProbeFailure):
    """The handshake failed or the certificate is not to be trusted."""

    kind = ErrorKind.TLS


class DeadlinePassed(ProbeFailure):
    """The exchange, or a step with a budget of its own, took longer than allowed."""

    kind = ErrorKind.TIMEOUT


class ProtocolFailure(ProbeFailure):
    """The peer broke HTTP/1.1, or the connection, before the answer was whole."""

    kind = ErrorKind.PROTOCOL


class BodyTooLarge(ProbeFailure):
    """The body, as sent or as unpacked, is over its cap."""

    kind = ErrorKind.BODY_TOO_LARGE


class UndecodableBody(ProbeFailure):
    """The body is not what its ``Content-Encoding`` says."""

    kind = ErrorKind.BAD_RESPONSE


class UnsendableRequest(ProbeFailure):
    """Our own request is not valid HTTP, or this machine cannot send it."""

    kind = ErrorKind.INTERNAL
