"""The measuring transport: one exchange from name to last byte, timed and bounded.

Owns the order of the steps, the deadline over all of them, the budgets of some, and
the closing (or keeping) of the socket. Must not know deployments, dialects, verdicts
or httpx; ``httpx_seam`` puts it into an ``httpx.AsyncClient``.

One new connection per exchange unless the route keeps it, never a redirect, never a
retry but one: a kept connection that broke before the first byte of an answer is
replaced by a fresh one, as every client does.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from yolotop.probe import dial, offlimits
from yolotop.probe.certificates import Contexts, expires_at
from yolotop.probe.exchange import Exchange
from yolotop.probe.failures import (
    AddressRefused,
    ConnectFailure,
    DeadlinePassed,
    NameFailure,
    ProbeFailure,
    ProtocolFailure,
    TlsFailure,
)
from yolotop.probe.kept import Kept, Shelf
from yolotop.probe.messages import Limits, Reply, Request
from yolotop.probe.resolve import Address, Resolver, unix_address
from yolotop.probe.route import DIRECT, Route
from yolotop.probe.timeline import Timeline
from yolotop.probe.tunnel import tunnel, wants_a_key

_F = TypeVar("_F", bound=ProbeFailure)
_WANTS_A_KEY: Final = 407


class MeasuringTransport:
    """Runs exchanges.

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
        self._contexts = Contexts()
        self._resolver = resolver or Resolver()
        self._clock = clock
        self._shelf = Shelf()

    async def exchange(
        self,
        request: Request,
        *,
        deadline_s: float | None = None,
        route: Route = DIRECT,
    ) -> Reply:
        """Send ``request`` and return the whole answer, whatever its status.

        ``deadline_s`` covers everything, name resolution included. Raises ProbeFailure
        with phases; cancellation closes the socket and passes.
        """
        within = self._deadline_s if deadline_s is None else deadline_s
        context = None
        if request.target.encrypted:
            context = request.tls or self._tls or await self._contexts.context()
        limits = request.limits or self._limits
        journey = _Journey(request, route, context, limits, self._resolver, self._shelf)
        journey.start(self._clock)
        try:
            async with asyncio.timeout(within) as scope:
                return await journey.run(scope.when())
        except TimeoutError as error:
            journey.timeline.end()
            late = DeadlinePassed(journey.overdue(within or 0.0, ""))
            raise journey.explain(late) from error
        except ProbeFailure as failure:
            journey.timeline.end()
            journey.explain(failure)
            raise
        finally:
            journey.close()

    async def aclose(self) -> None:
        """Close the kept connections."""
        self._shelf.close()


class _Journey:
    """The steps of one exchange and the socket they share."""

    timeline: Timeline

    def __init__(
        self,
        request: Request,
        route: Route,
        context: ssl.SSLContext | None,
        limits: Limits,
        resolver: Resolver,
        shelf: Shelf,
    ) -> None:
        self._request = request
        self._route = route
        self._context = context
        self._limits = limits
        self._resolver = resolver
        self._shelf = shelf
        self._sock: socket.socket | None = None
        self._exchange: Exchange | None = None
        self._tls_expires_at: float | None = None
        # An http proxy is sent the whole URL; through a tunnel it sees nothing.
        self._forwarded = route.proxy is not None and context is None
        self._out = request.serialise(absolute=self._forwarded)

    def start(self, clock: Callable[[], float]) -> None:
        """Start the clock: all that could be prepared has been."""
        self.timeline = Timeline(encrypted=self._context is not None, clock=clock)
        self._prepare()
        self.timeline.began = self.timeline.started = clock()

    async def run(self, give_up_at: float | None) -> Reply:
        kept = self._take()
        if kept is not None:
            try:
                return await self._again(kept)
            except (ProtocolFailure, TlsFailure):
                if self.timeline.received_bytes:
                    raise
            kept.sock.close()
            self._prepare()
            self.timeline.start_over()
        await self._reach(give_up_at)
        return await self._ask()

    async def _reach(self, give_up_at: float | None) -> None:
        budget_s = self._route.connect_timeout_s
        if budget_s is None:
            await self._open(give_up_at)
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + budget_s
        scope = asyncio.timeout(budget_s)
        try:
            async with scope:
                await self._open(
                    until if give_up_at is None else min(until, give_up_at)
                )
        except TimeoutError as error:
            if not scope.expired():
                raise
            late = self.overdue(budget_s, " (connect_timeout)")
            raise DeadlinePassed(late) from error

    async def _open(self, give_up_at: float | None) -> None:
        timeline, target, proxy = self.timeline, self._request.target, self._route.proxy
        host = proxy.host if proxy else target.host
        try:
            addresses = await self._resolve()
            timeline.resolved = timeline.clock()
            budget_s = None
            if give_up_at is not None:
                budget_s = give_up_at - asyncio.get_running_loop().time()
            sock = await dial.connect(host, addresses, timeline, budget_s=budget_s)
        except (NameFailure, ConnectFailure) as failure:
            if proxy is not None and not isinstance(failure, AddressRefused):
                raise type(failure)(f"at the proxy: {failure.message}") from failure
            raise
        self._sock = sock
        if self._context is None:
            return
        if proxy is not None:
            timeline.connected = None
            timeline.step = f"waiting for the proxy {proxy} to connect"
            await tunnel(sock, proxy, target)
            timeline.connected = timeline.clock()
        # The wrapped socket takes the descriptor over; the plain one is empty then.
        secured = dial.wrap(sock, self._context, target.host)
        self._sock = secured
        await dial.handshake(secured, target.host)
        timeline.secured = timeline.clock()

    async def _resolve(self) -> Sequence[Address]:
        target, proxy = self._request.target, self._route.proxy
        if target.socket:
            return (unix_address(target.socket),)
        if not self._route.allow_link_local:
            offlimits.check_name(target.host)
            offlimits.check_literal(target.host)
        host, port = (proxy.host, proxy.port) if proxy else (target.host, target.port)
        addresses = await self._resolver.resolve(host, port)
        if self._route.allow_link_local:
            return addresses
        allowed = [one for one in addresses if not offlimits.off_limits(one.host)]
        if not allowed:
            offlimits.check_literal(addresses[0].host)
        return allowed

    async def _ask(self) -> Reply:
        exchange, sock = self._exchange, self._sock
        assert exchange is not None
        assert sock is not None
        alarm = None
        budget_s = self._route.first_byte_timeout_s
        if budget_s is not None:
            loop = asyncio.get_running_loop()
            alarm = loop.call_later(budget_s, self._check_first_byte, budget_s)
        try:
            reply = await exchange.run(sock)
        finally:
            if alarm is not None:
                alarm.cancel()
        proxy = self._route.proxy
        if self._forwarded and proxy and reply.status == _WANTS_A_KEY:
            raise ConnectFailure(wants_a_key(proxy))
        return self._note(reply)

    def _check_first_byte(self, budget_s: float) -> None:
        if self.timeline.first is None and self._exchange is not None:
            late = self.overdue(budget_s, " (first_byte_timeout)")
            self._exchange.fail(DeadlinePassed(late))

    def _note(self, reply: Reply) -> Reply:
        self._read_certificate()
        exchange, sock = self._exchange, self._sock
        if self._route.keep and exchange and sock and exchange.reusable:
            kept = Kept(sock, self.timeline.address, self._tls_expires_at)
            self._shelf.put(self._route.keep, self._key(), kept)
            self._sock = None
        if self._tls_expires_at is None:
            return reply
        return replace(reply, tls_expires_at=self._tls_expires_at)

    # --- a kept connection -----------------------------------------------------------

    def _key(self) -> tuple[object, ...]:
        """Where a connection leads; the context stands for what was trusted."""
        target = self._request.target
        place = (target.scheme, target.host, target.port, target.socket)
        return (*place, self._route.proxy, self._context)

    def _take(self) -> Kept | None:
        if not self._route.keep:
            return None
        kept = self._shelf.take(self._route.keep, self._key())
        if kept is not None:
            self.timeline.reused = True
        return kept

    async def _again(self, kept: Kept) -> Reply:
        self._sock = kept.sock
        self.timeline.address = kept.address
        self._tls_expires_at = kept.tls_expires_at
        return await self._ask()

    def _prepare(self) -> None:
        self._exchange = Exchange(
            self._request.method,
            self._out,
            self.timeline,
            self._limits,
            host=self._request.target.host,
            peer="the proxy" if self._forwarded else "the server",
        )

    # --- the end ---------------------------------------------------------------------

    def _read_certificate(self) -> None:
        # After the answer: what this costs belongs to no phase.
        if self._tls_expires_at is None and isinstance(self._sock, ssl.SSLSocket):
            self._tls_expires_at = expires_at(self._sock)

    def explain(self, failure: _F) -> _F:
        """Fill in where and when it happened."""
        self._read_certificate()
        failure.phases = self.timeline.phases()
        failure.latency_ms = self.timeline.latency_ms
        failure.address = self.timeline.address
        if self._exchange is not None:
            failure.status = self._exchange.status
            failure.headers = self._exchange.headers
        failure.tls_expires_at = self._tls_expires_at
        return failure

    def overdue(self, within_s: float, budget: str) -> str:
        """The sentence for a time-out: which budget, and what was going on."""
        return f"timed out after {within_s:g} s{budget} while {self._doing()}"

    def _doing(self) -> str:
        timeline, proxy = self.timeline, self._route.proxy
        if timeline.step and timeline.connected is None:
            return timeline.step
        whose = "proxy's " if proxy else ""
        which = "the proxy " if proxy else ""
        return {
            "dns": f"resolving the {whose}name",
            "connect": f"connecting to {which}{timeline.address}",
            "tls": "shaking hands for TLS",
            "send": (
                f"sending the request ({timeline.sent_bytes:,} of "
                f"{timeline.request_bytes:,} bytes gone)"
            ),
            "wait": "waiting for the first byte of the answer",
            "receive": (
                f"receiving the answer ({timeline.received_bytes:,} bytes so far)"
            ),
        }[timeline.phase]

    def close(self) -> None:
        """Let go of the socket, unless it is kept."""
        if self._sock is not None:
            self._sock.close()
