"""From a URL to where a request goes.

Owns the parsing of ``http``, ``https`` and ``http+unix`` URLs, with the standard
library alone. Must not know sockets, headers beyond ``Host``, or dialects.

A Unix socket is written as ``http+unix://%2Frun%2Fyolo.sock/predict``, the form that
requests-unixsocket and httpx-unixsocket made common: its path, percent-encoded, stands
where a host would.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import SplitResult, quote, unquote, unquote_to_bytes, urlsplit

from yolotop.probe.failures import UnsendableRequest

UNIX: Final = "http+unix"
LONGEST_SOCKET_PATH: Final = 107
"""Bytes of ``sockaddr_un.sun_path`` on Linux, less the closing zero."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443, UNIX: 0}
# Kept as written: what RFC 3986 allows in a path or query, and escapes already made.
_PATH_SAFE: Final = "/:@!$&'()*+,;=-._~%[]|"
_QUERY_SAFE: Final = _PATH_SAFE + "?"
_LOOSE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NAME: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?", re.ASCII)
_ZONE: Final = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes.

    ``path`` carries the query, ``authority`` is ``Host``, ``basic`` is what the URL's
    ``user:password@`` means as an ``Authorization`` header (empty without). For
    ``http+unix`` the host is ``localhost`` and ``socket`` the path of the socket.
    """

    scheme: str
    host: str
    port: int
    path: bytes
    authority: bytes
    basic: bytes = field(default=b"", repr=False)
    socket: str = ""

    @property
    def encrypted(self) -> bool:
        """Whether a TLS handshake comes before the request."""
        return self.scheme == "https"

    @property
    def absolute(self) -> bytes:
        """The whole URL, as a proxy wants it in the request line."""
        return self.scheme.encode() + b"://" + self.authority + self.path


@lru_cache(maxsize=4096)
def target(url: str) -> Target:
    """Take a URL apart; its fragment is dropped.

    Raises UnsendableRequest for anything but ``http``, ``https`` and ``http+unix``
    with a host.
    """
    try:
        parts = urlsplit(url)
        port = parts.port if parts.scheme != UNIX else None
    except ValueError as error:
        raise UnsendableRequest("the URL cannot be parsed") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise UnsendableRequest(
            "only http://, https:// and http+unix:// URLs can be probed"
        )
    userinfo, _, place = parts.netloc.rpartition("@")
    if not place:
        raise UnsendableRequest("the URL names no host")
    if parts.scheme == UNIX:
        path = _socket_path(place)
        return Target(UNIX, "localhost", 0, _path(parts), b"localhost", socket=path)
    host = _host(parts.hostname or "")
    default = _DEFAULT_PORTS[parts.scheme]
    shown = f"[{host.partition('%')[0]}]" if ":" in host else host
    if port not in (None, default):
        shown += f":{port}"
    return Target(
        scheme=parts.scheme,
        host=host,
        port=default if port is None else port,
        path=_path(parts),
        authority=shown.encode("ascii"),
        basic=_basic(unquote_to_bytes(userinfo)) if userinfo else b"",
    )


def _socket_path(place: str) -> str:
    path = unquote(place, errors="surrogateescape")
    if not path.startswith("/") or "\0" in path:
        raise UnsendableRequest(
            "the URL names no socket; write http+unix://%2Frun%2Fyolo.sock/predict"
        )
    size = len(path.encode("utf-8", "surrogateescape"))
    if size > LONGEST_SOCKET_PATH:
        raise UnsendableRequest(
            f"the socket's path has {size} bytes; {LONGEST_SOCKET_PATH} are the most"
        )
    return path


def _host(host: str) -> str:
    """An ASCII host: a literal as it is, a name in lower case and in punycode."""
    if not host:
        raise UnsendableRequest("the URL names no host")
    if ":" in host:
        address, percent, zone = host.partition("%")
        try:
            IPv6Address(address)
        except ValueError as error:
            raise UnsendableRequest("the URL cannot be parsed") from error
        if percent and not _ZONE.fullmatch(zone.removeprefix("25")):
            raise UnsendableRequest("the URL cannot be parsed")
        return f"{address}%{zone.removeprefix('25')}" if percent else address
    if not host.isascii():
        host = _punycode(host)
    if not _NAME.fullmatch(host):
        raise UnsendableRequest("the URL's host holds characters no name may hold")
    return host


def _punycode(host: str) -> str:
    import idna  # 2 MB of tables for the few who need them

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise UnsendableRequest(
            "the URL's host holds characters no name may hold"
        ) from error


def _path(parts: SplitResult) -> bytes:
    path = _LOOSE_PERCENT.sub("%25", parts.path)
    line = quote(path, safe=_PATH_SAFE) or "/"
    if parts.query:
        query = _LOOSE_PERCENT.sub("%25", parts.query)
        line += "?" + quote(query, safe=_QUERY_SAFE)
    return line.encode("ascii")


def _basic(userinfo: bytes) -> bytes:
    return b"Basic " + base64.b64encode(userinfo)
