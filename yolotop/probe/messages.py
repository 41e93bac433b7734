"""What goes out and what comes back, as plain values.

Owns the request and the reply of one exchange and the caps on the latter. Must not
know sockets, dialects or httpx clients; httpx is here for its URL parser only.
"""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

import httpx

from yolotop.model import Phases
from yolotop.probe.failures import UnsendableRequest

RawHeaders = tuple[tuple[bytes, bytes], ...]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps in bytes. ``body`` is counted after unpacking, ``raw`` before."""

    head: int = 64 * 1024
    raw: int = 8 * 1024 * 1024
    body: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes.

    ``path`` carries the query, ``authority`` is ``Host``, ``basic`` is what the URL's
    ``user:password@`` means as an ``Authorization`` header (empty without).
    """

    scheme: str
    host: str
    port: int
    path: bytes
    authority: bytes
    basic: bytes = field(default=b"", repr=False)

    @property
    def encrypted(self) -> bool:
        """Whether a TLS handshake comes before the request."""
        return self.scheme == "https"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, complete. ``tls`` overrides the transport's own context."""

    method: bytes
    target: Target
    headers: RawHeaders = ()
    body: bytes = field(default=b"", repr=False)
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole HTTP answer of any status, unpacked, with its timing.

    Header names are lower case; values are the server's own and not cleaned. ``tried``
    names the addresses that did not take the connection before ``address`` did.
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


@lru_cache(maxsize=4096)
def target(url: str) -> Target:
    """Take a URL apart; its fragment is dropped.

    Raises UnsendableRequest for anything but ``http`` and ``https`` with a host.
    """
    try:
        urlsplit(url)  # stricter about brackets
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise UnsendableRequest("the URL cannot be parsed") from error
    return target_of(parsed)


def target_of(url: httpx.URL) -> Target:
    """Like :func:`target`, for a URL that httpx has already parsed."""
    if url.scheme not in _DEFAULT_PORTS:
        raise UnsendableRequest("only http:// and https:// URLs can be probed")
    host = url.raw_host.decode("ascii")
    if not host:
        raise UnsendableRequest("the URL names no host")
    return Target(
        scheme=url.scheme,
        host=host,
        port=url.port or _DEFAULT_PORTS[url.scheme],
        path=url.raw_path,
        authority=url.netloc,
        basic=b"Basic " + base64.b64encode(unquote_to_bytes(url.userinfo))
        if url.userinfo
        else b"",
    )
