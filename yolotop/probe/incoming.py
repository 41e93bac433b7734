"""From bytes to one HTTP/1.1 answer.

Owns the protocol and the caps on what is read. Must not know sockets or clocks.

The common answer (one whole head in the first read, one ``Content-Length``, no other
framing) is read by one regular expression; everything else goes to h11 from its first
byte. h11 took 0.05 ms of CPU for each answer, where a whole probe takes 0.3. The
expression accepts less than h11 does and gives the same for it, which a property test
holds them to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import h11

from yolotop.probe.failures import ProtocolFailure, UnsendableRequest
from yolotop.probe.messages import Limits, RawHeaders
from yolotop.probe.unpack import Collector, too_large
from yolotop.text import clean

HEAD_READ: Final = 16 * 1024
"""Bytes of a read while the head is not whole: what its cap can be exceeded by."""

_TLS_RECORDS: Final = (b"\x15\x03", b"\x16\x03")
_WITHOUT_A_BODY: Final = frozenset({204, 304})
_LONGEST_LENGTH: Final = 18

# As in RFC 9110, a little stricter than h11: no obsolete folding, no bare line feeds.
_FIELD: Final = (
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*+"
    rb"((?:[!-~\x80-\xff]++(?:[ \t]++(?=[!-~\x80-\xff]))?+)*+)[ \t]*+\r\n"
)
_HEAD: Final = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9]) ([ \t!-~\x80-\xff]*+)\r\n((?:%b)*+)\r\n" % _FIELD
)
_FIELDS: Final = re.compile(_FIELD)

# h11 is told of a request without a body, whatever is sent: it needs the method only,
# to know how the answer is framed.
_ASKED: Final = MappingProxyType(
    {
        method: h11.Request(method=method, target=b"/", headers=[(b"Host", b"-")])
        for method in (b"GET", b"POST", b"HEAD", b"PUT", b"PATCH", b"DELETE")
    }
)
_END: Final = h11.EndOfMessage()


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and fields. Field names are lower case."""

    status: int
    reason: bytes
    version: bytes
    headers: RawHeaders


def common_head(data: bytes) -> tuple[Head, int, int] | None:
    """The head at the beginning of ``data``, where it ends, and the body's length.

    None for whatever is not the common case; h11 is asked then.
    """
    found = _HEAD.match(data)
    if found is None:
        return None
    status = int(found[1])
    fields = _FIELDS.findall(found[3])
    headers = tuple([(name.lower(), value) for name, value in fields])
    length = -1
    for name, value in headers:
        if name == b"content-length":
            if length >= 0 or not value.isdigit() or len(value) > _LONGEST_LENGTH:
                return None
            length = int(value)
        elif name == b"transfer-encoding":
            return None
    if length < 0 or status in _WITHOUT_A_BODY:
        return None
    return Head(status, found[2], b"1.1", headers), found.end(), length


class Incoming:
    """One answer to a request of ``method``, fed as it comes."""

    def __init__(self, method: bytes, limits: Limits, *, peer: str) -> None:
        self._method = method
        self._limits = limits
        self._peer = peer
        self._http: h11.Connection | None = None
        self._body: Collector | None = None
        self._left = -1
        self._surplus = False
        self._received = 0
        self.head: Head | None = None
        self.raw_bytes = 0
        self.whole = False
        self.interim = False
        """Whether what was fed last ended with nothing but 1xx answers."""

    def feed(self, data: bytes) -> None:
        """Take what was read; empty at the end of the connection.

        Raises ProtocolFailure, BodyTooLarge or UndecodableBody. An end that comes too
        early is not an error here: ``whole`` stays False.
        """
        if self._left >= 0:
            self._take(data)
            return
        if self._http is None and not self._begin(data):
            return
        self._received += len(data)
        self._ask_h11(data)
        if self.head is None and self._received > self._limits.head:
            raise ProtocolFailure(
                f"the headers are longer than {self._limits.head // 1024} KiB"
            )

    @property
    def reusable(self) -> bool:
        """Whether the server left the connection open and clean for another request."""
        if not self.whole or self._surplus or self.head is None:
            return False
        if self._http is not None:
            open_ = self._http.their_state is h11.DONE
            return open_ and not self._http.trailing_data[0]
        return not any(
            name == b"connection" and b"close" in value.lower()
            for name, value in self.head.headers
        )

    def body(self) -> bytes:
        """The unpacked body of a ``whole`` answer. Raises UndecodableBody."""
        assert self._body is not None
        return self._body.finish()

    # --- the common case -------------------------------------------------------------

    def _begin(self, data: bytes) -> bool:
        """Whether h11 is to be asked."""
        if data and not b"HTTP/".startswith(data[:5]):
            raise self._stranger(data)
        found = None if self._method == b"HEAD" else common_head(data)
        if found is None:
            self._http = self._open_h11()
            return True
        self.head, end, self._left = found
        self._expect(self.head)
        if self._left > self._limits.raw:
            raise too_large(self._limits.raw, packed=False)
        self._take(data[end:])
        return False

    def _take(self, data: bytes) -> None:
        left = self._left
        if len(data) > left:
            data, self._surplus = data[:left], True
        if data:
            self._keep(data)
        self._left = left - len(data)
        self.whole = self._left == 0

    def _expect(self, head: Head) -> None:
        encoding = b", ".join(
            [value for name, value in head.headers if name == b"content-encoding"]
        )
        self._body = Collector(encoding.decode("latin-1"), limit=self._limits.body)

    def _keep(self, data: bytes) -> None:
        self.raw_bytes += len(data)
        if self.raw_bytes > self._limits.raw:
            raise too_large(self._limits.raw, packed=False)
        assert self._body is not None
        self._body.feed(data)

    # --- all other cases -------------------------------------------------------------

    def _open_h11(self) -> h11.Connection:
        http = h11.Connection(
            h11.CLIENT, max_incomplete_event_size=self._limits.head + HEAD_READ
        )
        asked = _ASKED.get(self._method)
        try:
            if asked is None:
                asked = h11.Request(
                    method=self._method, target=b"/", headers=[(b"Host", b"-")]
                )
        except h11.LocalProtocolError as error:
            raise UnsendableRequest("the request is not valid HTTP") from error
        http.send(asked)
        http.send(_END)
        return http

    def _ask_h11(self, data: bytes) -> None:
        http = self._http
        assert http is not None
        try:
            http.receive_data(data)
            while not self.whole:
                event = http.next_event()
                if event is h11.NEED_DATA:
                    return
                if isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                    return
                self._handle(event)
        except h11.RemoteProtocolError as error:
            if not data:
                return  # an end that comes too early
            said = clean(str(error).replace("bytearray(b", "(b"), limit=160)
            raise ProtocolFailure(
                f"the answer is not valid HTTP/1.1: {said}"
            ) from error

    def _handle(self, event: type[h11.PAUSED | h11.NEED_DATA] | h11.Event) -> None:
        if isinstance(event, h11.Data):
            self._keep(bytes(event.data))
        elif isinstance(event, h11.Response):
            self.interim = False
            self.head = Head(
                event.status_code,
                bytes(event.reason),
                bytes(event.http_version),
                tuple((bytes(name), bytes(value)) for name, value in event.headers),
            )
            self._expect(self.head)
        elif isinstance(event, h11.InformationalResponse):
            # "100 Continue", "103 Early Hints": not the answer; it may have begun
            # in the same read.
            assert self._http is not None
            self.interim = not self._http.trailing_data[0]
        elif isinstance(event, h11.EndOfMessage):
            self.whole = True

    def _stranger(self, data: bytes) -> ProtocolFailure:
        # Said at once: h11 would wait for an empty line that will not come.
        if data.startswith(_TLS_RECORDS):
            return ProtocolFailure(f"{self._peer} answers in TLS (is it https://?)")
        begins = clean(data[:160].decode("utf-8", errors="replace"), limit=40)
        return ProtocolFailure(
            f"{self._peer} does not speak HTTP/1.1: it says {begins!r}"
        )
