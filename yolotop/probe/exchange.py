"""One HTTP/1.1 request and its answer on a connected socket.

Owns the two directions and their instants: bytes out, bytes in. Must not know names,
addresses, deadlines (cancellation ends it), the protocol (``incoming`` does) or what
the answer means. Reads while it writes, because a server may answer early.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final

from yolotop.probe.dial import tls_sentence
from yolotop.probe.failures import ProbeFailure, ProtocolFailure, TlsFailure
from yolotop.probe.incoming import HEAD_READ, Incoming
from yolotop.probe.messages import Limits, RawHeaders, Reply
from yolotop.probe.timeline import Timeline
from yolotop.text import clean

_BODY_READ: Final = 256 * 1024
_BLOCKED: Final = (
    BlockingIOError,
    InterruptedError,
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
)
_Step = Callable[[], None]


class Exchange:
    """Runs once, over a socket that stays the caller's.

    Made before the clock of any phase runs. ``out`` is the whole request; ``peer`` is
    what the other side is called in sentences.
    """

    def __init__(
        self,
        method: bytes,
        out: bytes,
        timeline: Timeline,
        limits: Limits,
        *,
        host: str,
        peer: str = "the server",
    ) -> None:
        self._timeline = timeline
        self._host = host
        self._peer = peer
        self._in = Incoming(method, limits, peer=peer)
        self._out = memoryview(out)
        timeline.request_bytes = len(out)
        self._writing = False
        self._sock: socket.socket
        self._descriptor: int
        self._loop: asyncio.AbstractEventLoop
        self._done: asyncio.Future[Reply]

    async def run(self, sock: socket.socket) -> Reply:
        """Send, receive, and return the whole answer. Raises ProbeFailure."""
        self._sock, self._descriptor = sock, sock.fileno()
        self._loop = loop = asyncio.get_running_loop()
        self._done = loop.create_future()
        loop.add_reader(self._descriptor, self._guarded, self._receive)
        try:
            self._guarded(self._send)
            return await self._done
        finally:
            loop.remove_reader(self._descriptor)
            self._stop_writing()

    def fail(self, failure: ProbeFailure) -> None:
        """End it with ``failure`` unless it has ended."""
        if not self._done.done():
            self._done.set_exception(failure)

    @property
    def reusable(self) -> bool:
        """Whether the connection is open and clean for another request."""
        return not self._out and self._in.reusable

    @property
    def status(self) -> int | None:
        """HTTP status, as soon as the head of the answer is there."""
        return None if self._in.head is None else self._in.head.status

    @property
    def headers(self) -> RawHeaders:
        """Of the answer, as soon as its head is there."""
        return () if self._in.head is None else self._in.head.headers

    def _guarded(self, step: _Step) -> None:
        # In a callback: what is not handed to the waiter would leave it waiting.
        if self._done.done():
            return
        try:
            step()
        except Exception as error:  # noqa: BLE001 - raised again where run() waits
            if not self._done.done():
                self._done.set_exception(error)

    # --- out -------------------------------------------------------------------------

    def _send(self) -> None:
        while self._out:
            try:
                count = self._sock.send(self._out)
            except _BLOCKED:
                if not self._writing:
                    self._writing = True
                    self._loop.add_writer(self._descriptor, self._guarded, self._send)
                return
            except OSError:
                # The server hung up on the request; it may have said why. What it
                # said is still in the socket, so the reading goes on, and ends with
                # this error again if it said nothing.
                self._stop_writing()
                return
            self._out = self._out[count:]
            self._timeline.sent_bytes += count
        self._timeline.sent = self._timeline.clock()
        self._stop_writing()

    def _stop_writing(self) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._descriptor)

    # --- in --------------------------------------------------------------------------

    def _receive(self) -> None:
        while not self._done.done():
            size = HEAD_READ if self._in.head is None else _BODY_READ
            try:
                data = self._sock.recv(size)
            except _BLOCKED:
                return
            except OSError as error:
                raise self._lost(error) from error
            self._take(data, self._timeline.clock())
            # TLS may hold decrypted bytes that no readiness event will announce.
            if not (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
                return

    def _take(self, data: bytes, at: float) -> None:
        timeline, incoming = self._timeline, self._in
        if data and timeline.first is None:
            timeline.first = at
        timeline.received_bytes += len(data)
        incoming.feed(data)
        if incoming.interim:
            timeline.first = None
        elif incoming.whole:
            timeline.done = at
            self._done.set_result(self._reply())
            return
        if not data:
            raise self._cut_short()

    def _reply(self) -> Reply:
        head, timeline = self._in.head, self._timeline
        assert head is not None
        content = self._in.body()
        timeline.end()
        return Reply(
            status=head.status,
            reason=head.reason,
            http_version=head.version,
            headers=head.headers,
            body=content,
            phases=timeline.phases(),
            latency_ms=timeline.latency_ms,
            address=timeline.address,
            tried=tuple(timeline.tried),
            reused=timeline.reused,
        )

    # --- what can be wrong -----------------------------------------------------------

    def _lost(self, error: OSError) -> ProbeFailure:
        if isinstance(error, ssl.SSLError):
            return TlsFailure(tls_sentence(error, self._host))
        if isinstance(error, ConnectionError):
            return self._cut_short(how="reset")
        why = clean(error.strerror or str(error), limit=100).lower()
        return ProtocolFailure(f"the connection broke: {why}")

    def _cut_short(self, how: str = "closed") -> ProtocolFailure:
        timeline, head, got = self._timeline, self._in.head, self._in.raw_bytes
        if head is not None:
            where = f"after {got:,} body bytes"
            length = dict(head.headers).get(b"content-length")
            if length is not None and length.isdigit():
                where = f"after {got:,} of {int(length[:18]):,} body bytes"
        elif timeline.first is not None:
            where = "in the middle of the headers"
        elif timeline.sent is None:
            where = (
                f"after {timeline.sent_bytes:,} of {timeline.request_bytes:,} "
                f"request bytes, without an answer"
            )
        else:
            where = "without an answer"
        return ProtocolFailure(f"{self._peer} {how} the connection {where}")
