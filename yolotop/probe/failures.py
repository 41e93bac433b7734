"""How a probe fails before there is an answer to judge.

Owns one exception per :class:`~yolotop.model.ErrorKind` the transport can run into,
each with one clean sentence and the phases up to the failure. They are httpx
exceptions too, so that the transport behaves inside an ``httpx.AsyncClient``. Must
not know dialects, verdicts or what the sentence is shown on.
"""

from __future__ import annotations

from typing import ClassVar

import httpx

from yolotop.model import ErrorKind, Phases, ProbeError


class ProbeFailure(httpx.RequestError):
    """Base: no usable HTTP answer. The transport fills in where it happened.

    ``phases`` and ``latency_ms`` run to the instant of the failure; ``address`` is the
    peer last dialled; ``status`` is the HTTP status where one had already come.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.phases = Phases()
        self.latency_ms: float | None = None
        self.address: str | None = None
        self.status: int | None = None

    @property
    def error(self) -> ProbeError:
        """The failure as the value that is stored and shown."""
        return ProbeError(self.kind, self.message)


class NameFailure(ProbeFailure, httpx.ConnectError):
    """The host name did not resolve."""

    kind = ErrorKind.DNS


class ConnectFailure(ProbeFailure, httpx.ConnectError):
    """No address took the connection."""

    kind = ErrorKind.CONNECT


class TlsFailure(ProbeFailure, httpx.ConnectError):
    """The handshake failed or the certificate is not to be trusted."""

    kind = ErrorKind.TLS


class DeadlinePassed(ProbeFailure, httpx.TimeoutException):
    """The whole exchange took longer than it was allowed to."""

    kind = ErrorKind.TIMEOUT


class ProtocolFailure(ProbeFailure, httpx.RemoteProtocolError):
    """The peer broke HTTP/1.1, or the connection, before the answer was whole."""

    kind = ErrorKind.PROTOCOL


class BodyTooLarge(ProbeFailure, httpx.TransportError):
    """The body, as sent or as unpacked, is over its cap."""

    kind = ErrorKind.BODY_TOO_LARGE


class UndecodableBody(ProbeFailure, httpx.DecodingError):
    """The body is not what its ``Content-Encoding`` says."""

    kind = ErrorKind.BAD_RESPONSE


class UnsendableRequest(ProbeFailure, httpx.LocalProtocolError):
    """Our own request is not valid HTTP, or this machine cannot send it."""

    kind = ErrorKind.INTERNAL
