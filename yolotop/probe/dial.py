"""A connected, and where asked encrypted, non-blocking socket.

Owns TCP connect and the TLS handshake, and the words for how each fails. Must not
know HTTP. The caller owns the socket and closes it, whatever happens.

Plain sockets with ``loop.add_reader`` instead of streams or ``asyncio.Protocol``: the
time stamp is taken right after the system call, with no transport buffer in between,
and a connection costs no transport, protocol or TLS pipe objects.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Sequence
from typing import Final

from yolotop.probe.failures import ConnectFailure, TlsFailure, UnsendableRequest
from yolotop.probe.resolve import Address
from yolotop.probe.timeline import Timeline
from yolotop.text import clean

_OURS: Final = frozenset({errno.EMFILE, errno.ENFILE})
_IN_PROGRESS: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK})
# What OpenSSL says when the other side answers in plain text.
_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")


async def connect(
    host: str,
    addresses: Sequence[Address],
    timeline: Timeline,
    *,
    budget_s: float | None,
) -> socket.socket:
    """Connect to the first address that takes it, in the given order.

    An address gets its share of ``budget_s`` (seconds left), so that a family that
    swallows packets cannot hide a working one; there is no racing, which would hide
    the broken one. Raises ConnectFailure naming every address that failed.
    """
    loop = asyncio.get_running_loop()
    give_up_at = None if budget_s is None else loop.time() + budget_s
    for index, address in enumerate(addresses):
        timeline.address = str(address)
        left = len(addresses) - index
        share = None
        if give_up_at is not None and left > 1:
            share = max(0.0, give_up_at - loop.time()) / left
        try:
            async with asyncio.timeout(share):
                return await _connect(loop, address)
        except OSError as error:
            if error.errno in _OURS:
                raise UnsendableRequest(
                    f"this machine cannot open a socket: {_reason(error)}"
                ) from error
            timeline.tried.append(f"{address} {_reason(error)}")
    raise ConnectFailure(_nowhere(host, timeline.tried))


def _nowhere(host: str, tried: Sequence[str]) -> str:
    """What came of every address; the reason first, since a card shows its head."""
    if len(tried) > 1:
        return f"cannot connect to {clean(host, limit=100)}: {', '.join(tried)}"
    address, _, reason = tried[0].partition(" ")
    if reason == "connection refused":
        return f"connection refused by {address}"
    return f"cannot connect to {address}: {reason}"


async def _connect(loop: asyncio.AbstractEventLoop, address: Address) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await _reach(loop, sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _reach(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, address: Address
) -> None:
    code = sock.connect_ex(address.sockaddr)
    if code in _IN_PROGRESS:
        await _ready(loop, sock.fileno(), writing=True)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def wrap(sock: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """Take ``sock`` over for TLS with ``host`` as SNI and as the name to verify."""
    try:
        return context.wrap_socket(
            sock, server_hostname=host, do_handshake_on_connect=False
        )
    except (OSError, ValueError) as error:
        raise TlsFailure(f"TLS cannot start: {clean(str(error), limit=160)}") from error


async def handshake(sock: ssl.SSLSocket, host: str) -> None:
    """Complete the handshake, certificate check included. Raises TlsFailure."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(loop, sock.fileno(), writing=False)
        except ssl.SSLWantWriteError:
            await _ready(loop, sock.fileno(), writing=True)
        except (OSError, ValueError) as error:
            raise TlsFailure(tls_sentence(error, host)) from error
        else:
            return


def tls_sentence(error: Exception, host: str) -> str:
    """Say in one clean sentence why TLS with ``host`` failed."""
    name = clean(host, limit=100)
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = clean(error.verify_message or str(error), limit=160)
        return f"the certificate of {name} is not trusted: {reason}"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError)):
        return f"{name} closed the connection during the TLS handshake"
    reason = str(getattr(error, "reason", None) or error)
    if any(mark in reason for mark in _NOT_TLS):
        return f"{name} does not speak TLS on this port (is it plain http://?)"
    return (
        f"TLS with {name} failed: {clean(reason.replace('_', ' ').lower(), limit=160)}"
    )


def _reason(error: OSError) -> str:
    if error.errno is None and isinstance(error, TimeoutError):
        return "no answer in its share of the time"
    return clean(error.strerror or str(error), limit=100).lower()


async def _ready(
    loop: asyncio.AbstractEventLoop, descriptor: int, *, writing: bool
) -> None:
    """Wait until the socket can be written to (or read from)."""
    ready: asyncio.Future[None] = loop.create_future()
    add, remove = (
        (loop.add_writer, loop.remove_writer)
        if writing
        else (loop.add_reader, loop.remove_reader)
    )
    add(descriptor, _wake, ready)
    try:
        await ready
    finally:
        remove(descriptor)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
