"""TLS contexts, and when a peer's certificate ends.

Owns what is trusted, our own certificate, and reading ``notAfter``. Must not know
connections or how soon is too soon.
"""

from __future__ import annotations

import asyncio
import ssl
from calendar import timegm
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from yolotop.probe.failures import UnsendableRequest
from yolotop.text import clean

_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_MOST_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class Trust:
    """Paths of PEM files: who is believed, and who we are. ``verify`` off: anybody."""

    ca: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    verify: bool = True

    @property
    def files(self) -> tuple[str, ...]:
        """The files that are read."""
        named = (self.ca, self.client_cert, self.client_key)
        return tuple(path for path in named if path is not None)


_USUAL: Final = Trust()
_Stamps = tuple[tuple[int, int], ...]


class Contexts:
    """Contexts by what they trust, made once, and again when a file changes."""

    def __init__(self) -> None:
        self._known: dict[Trust, tuple[_Stamps, ssl.SSLContext]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def context(self, trust: Trust = _USUAL) -> ssl.SSLContext:
        """Raises UnsendableRequest naming the file that cannot be used."""
        if not trust.files and trust in self._known:
            return self._known[trust][1]
        # In a thread: reading the authorities takes some 20 ms, a dead file server
        # for ever. One at a time, or a hundred deployments would do it at once.
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._fresh, trust)

    def _fresh(self, trust: Trust) -> ssl.SSLContext:
        stamps = tuple(_stamp(path) for path in trust.files)
        known = self._known.get(trust)
        if known is not None and known[0] == stamps:
            return known[1]
        while len(self._known) >= _MOST_KEPT:
            self._known.pop(next(iter(self._known)))
        context = make_context(trust)
        self._known[trust] = (stamps, context)
        return context


def make_context(trust: Trust = _USUAL) -> ssl.SSLContext:
    """A client context for HTTP/1.1: TLS 1.2 or newer; blocks on files.

    Without ``ca`` the authorities are the system's (``SSL_CERT_FILE`` and
    ``SSL_CERT_DIR`` choose others), or certifi's where the system has none. Raises
    UnsendableRequest.
    """
    try:
        context = ssl.create_default_context(cafile=trust.ca)
    except (OSError, ValueError) as error:
        raise _unusable("ca", trust.ca, error) from error
    if trust.ca is None and not _system_has_authorities(context):
        _take_certifi(context)
    context.set_alpn_protocols(["http/1.1"])
    if not trust.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if trust.client_cert is not None:
        try:
            # An encrypted key would make OpenSSL ask on the terminal: answer "".
            context.load_cert_chain(trust.client_cert, trust.client_key, password="")
        except (OSError, ValueError) as error:
            raise _unusable("client_cert", trust.client_cert, error) from error
    return context


def _system_has_authorities(context: ssl.SSLContext) -> bool:
    # A folder of authorities is read on demand, so it does not count as loaded.
    if context.cert_store_stats()["x509_ca"]:
        return True
    folder = ssl.get_default_verify_paths().capath
    return any(Path(folder).iterdir()) if folder else False


def _take_certifi(context: ssl.SSLContext) -> None:
    import certifi  # for systems without authorities of their own

    context.load_verify_locations(certifi.where())


def _unusable(key: str, path: str | None, error: Exception) -> UnsendableRequest:
    why = getattr(error, "strerror", None) or str(error)
    if isinstance(error, ssl.SSLError):
        why = "not the certificate (and key) in PEM that it should be"
    shown = clean(path or "the system's authorities", limit=200)
    return UnsendableRequest(f"{key} {shown}: {clean(why, limit=120).lower()}")


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = Path(path).stat()
    except OSError:
        return (0, 0)  # loading will say what is wrong
    return (found.st_mtime_ns, found.st_size)


# --- when it ends --------------------------------------------------------------------


def expires_at(sock: ssl.SSLSocket) -> float | None:
    """The earliest end of the peer's certificates, UTC seconds; None when unknown.

    The whole chain from Python 3.13 on, before that the peer's own certificate.
    """
    try:
        chain = _chain(sock)
    except (OSError, ValueError):
        return None  # no handshake, no certificate
    ends = [end for der in chain if (end := not_after(der)) is not None]
    return min(ends, default=None)


def _chain(sock: ssl.SSLSocket) -> Iterable[bytes]:
    if hasattr(sock, "get_unverified_chain"):
        return sock.get_unverified_chain() or ()
    own = sock.getpeercert(binary_form=True)
    return (own,) if own else ()


@lru_cache(maxsize=1024)
def not_after(der: bytes) -> float | None:
    """``notAfter`` of one X.509 certificate in DER, UTC seconds; None when unreadable.

    Read by hand: ``getpeercert()`` says nothing of a certificate that was not
    verified, and the standard library has no other reader.
    """
    try:
        _, inner, _ = _element(der, 0)  # Certificate
        tag, at, _ = _element(der, inner)  # TBSCertificate
        if tag != _SEQUENCE:
            return None
        if der[at] == _VERSION:
            at = _element(der, at)[2]
        for _ in ("serial number", "signature algorithm", "issuer"):
            at = _element(der, at)[2]
        _, before, _ = _element(der, at)  # Validity
        kind, start, end = _element(der, _element(der, before)[2])
        text = der[start:end].decode("ascii")
        form = "%y%m%d%H%M%SZ" if kind == _UTC_TIME else "%Y%m%d%H%M%SZ"
        moment = datetime.strptime(text, form)  # noqa: DTZ007 - Z is UTC, by the standard
    except (IndexError, ValueError):
        return None
    return float(timegm(moment.timetuple()))


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag of the element at ``at``, where its content begins, and where it ends."""
    tag, size, begin = der[at], der[at + 1], at + 2
    if size & 0x80:
        width = size & 0x7F
        size = int.from_bytes(der[begin : begin + width], "big")
        begin += width
    if begin + size > len(der):
        raise IndexError("an element is longer than what holds it")
    return tag, begin, begin + size
