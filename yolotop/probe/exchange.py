"""One HTTP/1.1 request and its answer on a connected socket.

Owns the two directions and their instants: bytes out, bytes in, h11 for the protocol,
caps on what is read. Must not know names, addresses, deadlines (cancellation ends it)
or what the answer means. Reads while it writes, because a server may answer early.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final

import h11

from yolotop.probe.dial import tls_sentence
from yolotop.probe.failures import (
    ProbeFailure,
    ProtocolFailure,
    TlsFailure,
    UnsendableRequest,
)
from yolotop.probe.messages import Limits, Reply, Request
from yolotop.probe.timeline import Timeline
from yolotop.probe.unpack import Collector, too_large
from yolotop.text import clean

# Small reads while the head is not whole: h11 looks at its own cap between reads, so
# a read is what the cap can be exceeded by.
_HEAD_READ: Final = 16 * 1024
_BODY_READ: Final = 256 * 1024
_BLOCKED: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError)
_Step = Callable[[], None]
_H11Event = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]
_TLS_RECORDS: Final = (b"\x15\x03", b"\x16\x03")


class Exchange:
    """Runs once. The socket stays the caller's; it must not be used afterwards."""

    def __init__(
        self,
        sock: socket.socket,
        request: Request,
        timeline: Timeline,
        limits: Limits,
    ) -> None:
        self._sock = sock
        self._timeline = timeline
        self._limits = limits
        self._host = request.target.host
        self._http = h11.Connection(
            h11.CLIENT, max_incomplete_event_size=limits.head + _HEAD_READ
        )
        self._out = memoryview(_serialise(self._http, request))
        timeline.request_bytes = len(self._out)
        self._response: h11.Response | None = None
        self._body: Collector | None = None
        self._raw_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._descriptor = sock.fileno()
        self._writing = False
        self._done: asyncio.Future[Reply] = self._loop.create_future()

    async def run(self) -> Reply:
        """Send, receive, and return the whole answer. Raises ProbeFailure."""
        self._loop.add_reader(self._descriptor, self._guarded, self._receive)
        try:
            self._guarded(self._send)
            return await self._done
        finally:
            self._loop.remove_reader(self._descriptor)
            self._stop_writing()

    @property
    def status(self) -> int | None:
        """HTTP status, as soon as the head of the answer is there."""
        return None if self._response is None else self._response.status_code

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
            except (*_BLOCKED, ssl.SSLWantWriteError):
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
            size = _HEAD_READ if self._response is None else _BODY_READ
            try:
                data = self._sock.recv(size)
            except (*_BLOCKED, ssl.SSLWantWriteError):
                return
            except OSError as error:
                raise self._lost(error) from error
            self._take(data, self._timeline.clock())
            # TLS may hold decrypted bytes that no readiness event will announce.
            if not (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
                return

    def _take(self, data: bytes, at: float) -> None:
        timeline = self._timeline
        if data and timeline.received_bytes == 0 and not b"HTTP/".startswith(data[:5]):
            raise _stranger(data)
        if data and timeline.first is None:
            timeline.first = at
        timeline.received_bytes += len(data)
        try:
            self._http.receive_data(data)
            while not self._done.done():
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    break
                self._handle(event, at)
        except h11.RemoteProtocolError as error:
            raise self._violation(data, error) from error
        if not data and not self._done.done():
            raise self._cut_short()
        if self._response is None and timeline.received_bytes > self._limits.head:
            raise ProtocolFailure(
                f"the headers are longer than {self._limits.head // 1024} KiB"
            )

    def _handle(self, event: _H11Event, at: float) -> None:
        if isinstance(event, h11.Data):
            self._raw_bytes += len(event.data)
            if self._raw_bytes > self._limits.raw:
                raise too_large(self._limits.raw, packed=False)
            assert self._body is not None
            self._body.feed(bytes(event.data))
        elif isinstance(event, h11.Response):
            self._response = event
            encoding = b", ".join(
                value for name, value in event.headers if name == b"content-encoding"
            )
            self._body = Collector(encoding.decode("latin-1"), limit=self._limits.body)
        elif isinstance(event, h11.InformationalResponse):
            # "100 Continue", "103 Early Hints": not the answer, so go back to waiting,
            # unless the first bytes of the next head came in the same read.
            rest, _ = self._http.trailing_data
            self._timeline.first = at if rest else None
        elif isinstance(event, h11.EndOfMessage):
            self._timeline.done = at
            self._done.set_result(self._reply())
        else:  # ConnectionClosed or PAUSED: h11 has nothing more for us
            raise self._cut_short()

    def _reply(self) -> Reply:
        response, body, timeline = self._response, self._body, self._timeline
        assert response is not None
        assert body is not None
        content = body.finish()
        timeline.end()
        return Reply(
            status=response.status_code,
            reason=bytes(response.reason),
            http_version=bytes(response.http_version),
            headers=tuple((bytes(name), bytes(v)) for name, v in response.headers),
            body=content,
            phases=timeline.phases(),
            latency_ms=timeline.latency_ms,
            address=timeline.address,
            tried=tuple(timeline.tried),
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
        timeline = self._timeline
        if self._response is not None:
            where = f"after {self._raw_bytes:,} body bytes"
            length = dict(self._response.headers).get(b"content-length")
            if length is not None and length.isdigit():
                where = f"after {self._raw_bytes:,} of {int(length[:18]):,} body bytes"
        elif timeline.first is not None:
            where = "in the middle of the headers"
        elif timeline.sent is None:
            where = (
                f"after {timeline.sent_bytes:,} of {timeline.request_bytes:,} "
                f"request bytes, without an answer"
            )
        else:
            where = "without an answer"
        return ProtocolFailure(f"the server {how} the connection {where}")

    def _violation(
        self, data: bytes, error: h11.RemoteProtocolError
    ) -> ProtocolFailure:
        if not data:
            return self._cut_short()
        said = clean(str(error).replace("bytearray(b", "(b"), limit=160)
        return ProtocolFailure(f"the answer is not valid HTTP/1.1: {said}")


def _stranger(data: bytes) -> ProtocolFailure:
    # Said at once: h11 would wait for an empty line that will not come.
    if data.startswith(_TLS_RECORDS):
        return ProtocolFailure("the server answers in TLS (is it https://?)")
    begins = clean(data[:160].decode("utf-8", errors="replace"), limit=40)
    return ProtocolFailure(f"the server does not speak HTTP/1.1: it says {begins!r}")


def _serialise(http: h11.Connection, request: Request) -> bytes:
    try:
        head = http.send(
            h11.Request(
                method=request.method,
                target=request.target.path,
                headers=list(request.headers),
            )
        )
        body = http.send(h11.Data(data=request.body)) if request.body else b""
        end = http.send(h11.EndOfMessage())
    except h11.LocalProtocolError as error:
        # Its text may quote the header, and the header may hold the key.
        raise UnsendableRequest(
            "the request is not valid HTTP (a line break in a key or in the URL?)"
        ) from error
    return b"".join(part for part in (head, body, end) if part)
