"""What goes out and what comes back, as plain values.

Owns the request, its bytes, and the reply of one exchange, and the caps on the latter.
Must not know sockets, dialects or httpx.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from typing import Final

from yolotop.model import Phases
from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.target import Target, target

__all__ = ["Limits", "RawHeaders", "Reply", "Request", "Target", "target"]

RawHeaders = tuple[tuple[bytes, bytes], ...]

# RFC 9110: a method and a field name are tokens; a field value is visible characters
# with blanks between; a request target has no blanks at all.
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE: Final = rb"(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?"
_HEAD: Final = re.compile(
    rb"%b [!-~]+ HTTP/1\.1\r\n(?:%b: %b\r\n)*\r\n" % (_TOKEN, _TOKEN, _VALUE)
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps in bytes. ``body`` is counted after unpacking, ``raw`` before."""

    head: int = 64 * 1024
    raw: int = 8 * 1024 * 1024
    body: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request, complete. ``tls`` and ``limits`` override the transport's own."""

    method: bytes
    target: Target
    headers: RawHeaders = ()
    body: bytes = field(default=b"", repr=False)
    tls: ssl.SSLContext | None = None
    limits: Limits | None = None

    def serialise(self, *, absolute: bool = False) -> bytes:
        """The bytes on the wire; ``absolute`` puts the whole URL in the first line.

        Raises UnsendableRequest for what would not be one valid HTTP/1.1 request, so
        that a line break in a key cannot add a header.
        """
        where = self.target.absolute if absolute else self.target.path
        lines = [b"%b %b HTTP/1.1" % (self.method, where)]
        lines += [b"%b: %b" % pair for pair in self.headers]
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        # The pattern alone would take an injected line for a header: count them too.
        if head.count(b"\n") != len(lines) + 1 or not _HEAD.fullmatch(head):
            # Not quoted: the header that is wrong may hold the key.
            raise UnsendableRequest(
                "the request is not valid HTTP (a line break in a key or in the URL?)"
            )
        return head + self.body


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole HTTP answer of any status, unpacked, with its timing.

    Header names are lower case; values are the server's own and not cleaned. ``tried``
    names the addresses that did not take the connection before ``address`` did.
    ``tls_expires_at`` is when the first certificate of the peer's chain ends, UTC
    seconds; ``reused`` says that the connection had been used before.
    """

    status: int
    reason: bytes
    http_version: bytes
    headers: RawHeaders
    body: bytes = field(repr=False)
    phases: Phases
    latency_ms: float
    address: str | None
    tried: tuple[str, ...] = ()
    tls_expires_at: float | None = None
    reused: bool = False

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or ``None``. Not cleaned."""
        wanted = name.lower().encode("ascii")
        for key, value in self.headers:
            if key == wanted:
                return value.decode("latin-1")
        return None

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; may be empty."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()
