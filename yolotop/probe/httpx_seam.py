"""The measuring transport inside ``httpx.AsyncClient``.

Owns the translation between httpx's requests, responses and exceptions and ours. It is
the only module here that imports httpx, and nothing of the collector imports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from yolotop.model import ErrorKind, Phases
from yolotop.probe.failures import ProbeFailure
from yolotop.probe.messages import Reply, Request, target
from yolotop.probe.route import DIRECT, Route
from yolotop.probe.transport import MeasuringTransport

EXTENSION: Final = "yolotop"
"""Key of the :class:`Measured` in ``httpx.Response.extensions``."""

DEADLINE: Final = "deadline_s"
"""Key in ``httpx.Request.extensions`` for the whole exchange's seconds."""

# Ours to decide (the connection is ours, the body is whole) or no longer true of the
# unpacked body that httpx is given.
_NOT_FORWARDED: Final = frozenset(
    {b"connection", b"transfer-encoding", b"expect", b"content-length"}
)
_NOT_RETURNED: Final = frozenset(
    {b"content-encoding", b"content-length", b"transfer-encoding"}
)
_EXCEPTIONS: Final[Mapping[ErrorKind, type[httpx.RequestError]]] = {
    ErrorKind.DNS: httpx.ConnectError,
    ErrorKind.CONNECT: httpx.ConnectError,
    ErrorKind.TLS: httpx.ConnectError,
    ErrorKind.TIMEOUT: httpx.TimeoutException,
    ErrorKind.PROTOCOL: httpx.RemoteProtocolError,
    ErrorKind.BODY_TOO_LARGE: httpx.TransportError,
    ErrorKind.BAD_RESPONSE: httpx.DecodingError,
    ErrorKind.INTERNAL: httpx.LocalProtocolError,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """Timing of one exchange, as found in a response's extensions."""

    phases: Phases
    latency_ms: float
    address: str | None
    tried: tuple[str, ...]
    tls_expires_at: float | None = None


class HttpxTransport(httpx.AsyncBaseTransport):
    """``httpx.AsyncClient(transport=HttpxTransport())``.

    Responses are whole and unpacked, with a :class:`Measured` under
    :data:`EXTENSION`. Failures are httpx's own exceptions, with our failure as their
    ``__cause__``.
    """

    def __init__(
        self, measuring: MeasuringTransport | None = None, *, route: Route = DIRECT
    ) -> None:
        self._measuring = measuring or MeasuringTransport()
        self._route = route

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Serve httpx."""
        try:
            reply = await self._measuring.exchange(
                await _request(request),
                deadline_s=_deadline_s(request.extensions),
                route=self._route,
            )
        except ProbeFailure as failure:
            raised = _EXCEPTIONS[failure.kind](failure.message, request=request)
            raise raised from failure
        return _response(reply, whole_head=request.method == "HEAD")

    async def aclose(self) -> None:
        """Close the kept connections."""
        await self._measuring.aclose()


async def _request(request: httpx.Request) -> Request:
    body = await request.aread()
    wanted = [
        pair for pair in request.headers.raw if pair[0].lower() not in _NOT_FORWARDED
    ]
    wanted.append((b"connection", b"close"))
    if body or request.method in ("POST", "PUT", "PATCH"):
        wanted.append((b"content-length", b"%d" % len(body)))
    return Request(
        method=request.method.encode("ascii"),
        target=target(str(request.url)),
        headers=tuple(wanted),
        body=body,
    )


def _response(reply: Reply, *, whole_head: bool) -> httpx.Response:
    return httpx.Response(
        reply.status,
        headers=[
            pair for pair in reply.headers if whole_head or pair[0] not in _NOT_RETURNED
        ],
        stream=httpx.ByteStream(reply.body),
        extensions={
            "http_version": b"HTTP/" + reply.http_version,
            "reason_phrase": reply.reason,
            EXTENSION: Measured(
                reply.phases,
                reply.latency_ms,
                reply.address,
                reply.tried,
                reply.tls_expires_at,
            ),
        },
    )


def _deadline_s(extensions: Mapping[str, object]) -> float | None:
    """Our own key, else the longest of httpx's per-operation timeouts, else none."""
    own = extensions.get(DEADLINE)
    if isinstance(own, (int, float)):
        return float(own)
    parts = extensions.get("timeout")
    if not isinstance(parts, Mapping):
        return None
    known = [float(part) for part in parts.values() if isinstance(part, (int, float))]
    return max(known, default=None)
