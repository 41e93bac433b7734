"""The measuring transport: one exchange from name to last byte, timed and bounded.

Owns the order of the steps, the deadline over all of them and the closing of the
socket. It is an ``httpx.AsyncBaseTransport``, so it fits into any
``httpx.AsyncClient``; :meth:`MeasuringTransport.exchange` is the same without httpx's
request and response objects. Must not know deployments, dialects or verdicts.

One new connection per exchange, never a redirect, never a retry: each would measure
something else than was asked.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import httpx

from yolotop.model import Phases
from yolotop.probe import dial
from yolotop.probe.exchange import Exchange
from yolotop.probe.failures import DeadlinePassed, ProbeFailure
from yolotop.probe.messages import Limits, Reply, Request, target_of
from yolotop.probe.resolve import Resolver
from yolotop.probe.timeline import Timeline

_F = TypeVar("_F", bound=ProbeFailure)

EXTENSION: Final = "yolotop"
"""Key of the :class:`Measured` in ``httpx.Response.extensions``."""

DEADLINE: Final = "deadline_s"
"""Key in ``httpx.Request.extensions`` for the whole exchange's seconds."""

# Ours to decide (the connection is ours, the body is whole) or no longer true of the
# unpacked body that httpx is given.
_NOT_FORWARDED: Final = frozenset({b"connection", b"transfer-encoding", b"expect"})
_NOT_RETURNED: Final = frozenset(
    {b"content-encoding", b"content-length", b"transfer-encoding"}
)


@dataclass(frozen=True, slots=True)
class Measured:
    """Timing of one exchange, as found in a response's extensions."""

    phases: Phases
    latency_ms: float
    address: str | None
    tried: tuple[str, ...]


class MeasuringTransport(httpx.AsyncBaseTransport):
    """Runs exchanges. Holds no connection, so there is nothing to close.

    ``deadline_s`` bounds an exchange that brings no deadline of its own. ``tls`` is the
    context for https; by default it verifies against the usual authorities.
    """

    def __init__(
        self,
        *,
        deadline_s: float | None = 30.0,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._deadline_s = deadline_s
        self._limits = limits or Limits()
        self._tls = tls
        self._resolver = resolver or Resolver()
        self._clock = clock

    async def exchange(
        self, request: Request, *, deadline_s: float | None = None
    ) -> Reply:
        """Send ``request`` and return the whole answer, whatever its status.

        ``deadline_s`` covers everything, name resolution included. Raises ProbeFailure
        with phases; cancellation closes the socket and passes.
        """
        within = self._deadline_s if deadline_s is None else deadline_s
        context = self._context(request) if request.target.encrypted else None
        timeline = Timeline(encrypted=context is not None, clock=self._clock)
        journey = _Journey(request, timeline, self._limits, context)
        scope = asyncio.timeout(within)
        try:
            async with scope:
                return await journey.run(self._resolver, scope.when())
        except TimeoutError as error:
            timeline.end()
            raise journey.explain(
                DeadlinePassed(_overdue(within or 0.0, timeline))
            ) from error
        except ProbeFailure as failure:
            timeline.end()
            journey.explain(failure)
            raise
        finally:
            journey.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Serve httpx. The response is whole and unpacked; see :data:`EXTENSION`."""
        body = await request.aread()
        wanted = [
            (name, value)
            for name, value in request.headers.raw
            if (lower := name.lower()) not in _NOT_FORWARDED
            and lower != b"content-length"
        ]
        wanted.append((b"connection", b"close"))
        if body or request.method in ("POST", "PUT", "PATCH"):
            wanted.append((b"content-length", b"%d" % len(body)))
        reply = await self.exchange(
            Request(
                method=request.method.encode("ascii"),
                target=target_of(request.url),
                headers=tuple(wanted),
                body=body,
            ),
            deadline_s=_httpx_deadline(request.extensions),
        )
        keep_framing = request.method == "HEAD"
        return httpx.Response(
            reply.status,
            headers=[
                pair
                for pair in reply.headers
                if keep_framing or pair[0] not in _NOT_RETURNED
            ],
            stream=httpx.ByteStream(reply.body),
            extensions={
                "http_version": b"HTTP/" + reply.http_version,
                "reason_phrase": reply.reason,
                EXTENSION: Measured(
                    reply.phases, reply.latency_ms, reply.address, reply.tried
                ),
            },
        )

    def _context(self, request: Request) -> ssl.SSLContext:
        if request.tls is not None:
            return request.tls
        if self._tls is None:
            # Reading the authorities takes some 20 ms: once, and only for https.
            self._tls = httpx.create_ssl_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


class _Journey:
    """The steps of one exchange and the socket they share."""

    def __init__(
        self,
        request: Request,
        timeline: Timeline,
        limits: Limits,
        context: ssl.SSLContext | None,
    ) -> None:
        self._request = request
        self._timeline = timeline
        self._limits = limits
        self._context = context
        self._sock: socket.socket | None = None
        self._exchange: Exchange | None = None

    async def run(self, resolver: Resolver, give_up_at: float | None) -> Reply:
        timeline, target = self._timeline, self._request.target
        addresses = await resolver.resolve(target.host, target.port)
        timeline.resolved = timeline.clock()
        budget_s = None
        if give_up_at is not None:
            budget_s = give_up_at - asyncio.get_running_loop().time()
        self._sock = await dial.connect(
            target.host, addresses, timeline, budget_s=budget_s
        )
        timeline.connected = timeline.clock()
        if self._context is not None:
            # The wrapped socket takes the descriptor over; the plain one is empty then.
            secured = dial.wrap(self._sock, self._context, target.host)
            self._sock = secured
            await dial.handshake(secured, target.host)
            timeline.secured = timeline.clock()
        self._exchange = Exchange(self._sock, self._request, timeline, self._limits)
        return await self._exchange.run()

    def explain(self, failure: _F) -> _F:
        failure.phases = self._timeline.phases()
        failure.latency_ms = self._timeline.latency_ms
        failure.address = self._timeline.address
        failure.status = None if self._exchange is None else self._exchange.status
        return failure

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()


def _overdue(within_s: float, timeline: Timeline) -> str:
    doing = {
        "dns": "resolving the name",
        "connect": f"connecting to {timeline.address}",
        "tls": "shaking hands for TLS",
        "send": (
            f"sending the request ({timeline.sent_bytes:,} of "
            f"{timeline.request_bytes:,} bytes gone)"
        ),
        "wait": "waiting for the first byte of the answer",
        "receive": f"receiving the answer ({timeline.received_bytes:,} bytes so far)",
    }[timeline.phase]
    return f"timed out after {within_s:g} s while {doing}"


def _httpx_deadline(extensions: Mapping[str, object]) -> float | None:
    """Our own key, else the longest of httpx's per-operation timeouts, else none."""
    own = extensions.get(DEADLINE)
    if isinstance(own, (int, float)):
        return float(own)
    parts = extensions.get("timeout")
    if not isinstance(parts, Mapping):
        return None
    known = [float(part) for part in parts.values() if isinstance(part, (int, float))]
    return max(known, default=None)
