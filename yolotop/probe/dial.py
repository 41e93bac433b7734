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
_IN_PROGRESS: Final = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK})
# What OpenSSL says when the other side answers in plain text.
_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")
_TOO_OLD: Final = ("UNSUPPORTED_PROTOCOL", "ALERT_PROTOCOL_VERSION")
_WANTS_OURS: Final = (
    "CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNKNOWN_CA",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_HANDSHAKE_FAILURE",
)


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
        try:
            # The last one has all that is left, which the caller sees to.
            if give_up_at is None or left == 1:
                return await _connect(loop, address, timeline)
            async with asyncio.timeout(max(0.0, give_up_at - loop.time()) / left):
                return await _connect(loop, address, timeline)
        except OSError as error:
            if error.errno in _OURS:
                raise UnsendableRequest(
                    f"this machine cannot open a socket: {_reason(error)}"
                ) from error
            timeline.tried.append(f"{address} {_reason(error)}")
    raise ConnectFailure(_nowhere(host, addresses, timeline.tried))


def _nowhere(host: str, addresses: Sequence[Address], tried: Sequence[str]) -> str:
    """What came of every address; the reason first, since a card shows its head."""
    if len(tried) > 1:
        return f"cannot connect to {clean(host, limit=100)}: {', '.join(tried)}"
    address = str(addresses[0])
    reason = tried[0].removeprefix(address).strip()
    if reason == "connection refused":
        return f"connection refused by {address}"
    return f"cannot connect to {address}: {reason}"


async def _connect(
    loop: asyncio.AbstractEventLoop, address: Address, timeline: Timeline
) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if address.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await _reach(loop, sock, address, timeline)
    except BaseException:
        timeline.connected = None
        sock.close()
        raise
    return sock


async def _reach(
    loop: asyncio.AbstractEventLoop,
    sock: socket.socket,
    address: Address,
    timeline: Timeline,
) -> None:
    code = sock.connect_ex(address.sockaddr)
    if code in _IN_PROGRESS and address.family == socket.AF_UNIX:
        raise OSError(code, "its queue of connections is full")
    if code in _IN_PROGRESS:
        # A peer on this machine has answered by now; asking again costs 1 us, waiting
        # for the loop to say so 40 us.
        code = sock.connect_ex(address.sockaddr)
    if code == errno.EISCONN:
        code = 0
    if code in _IN_PROGRESS:
        await _ready(loop, sock.fileno(), writing=True, timeline=timeline)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    else:
        timeline.connected = timeline.clock()
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
    if any(mark in reason for mark in _TOO_OLD):
        return f"{name} offers only an old version of TLS; 1.2 is the oldest we take"
    if any(mark in reason for mark in _WANTS_OURS):
        said = clean(reason.rpartition("ALERT_")[2].replace("_", " ").lower(), limit=60)
        return f"{name} refused the handshake or our certificate: {said}"
    return (
        f"TLS with {name} failed: {clean(reason.replace('_', ' ').lower(), limit=160)}"
    )


def _reason(error: OSError) -> str:
    if error.errno is None and isinstance(error, TimeoutError):
        return "no answer in its share of the time"
    return clean(error.strerror or str(error), limit=100).lower()


async def readable(sock: socket.socket) -> None:
    """Wait until there is something to read."""
    await _ready(asyncio.get_running_loop(), sock.fileno(), writing=False)


async def _ready(
    loop: asyncio.AbstractEventLoop,
    descriptor: int,
    *,
    writing: bool,
    timeline: Timeline | None = None,
) -> None:
    """Wait until the socket can be written to (or read from).

    ``timeline`` has its ``connected`` set in the very callback, before the loop turns
    to the other tasks that became ready meanwhile.
    """
    ready: asyncio.Future[None] = loop.create_future()
    add, remove = (
        (loop.add_writer, loop.remove_writer)
        if writing
        else (loop.add_reader, loop.remove_reader)
    )
    add(descriptor, _wake, ready, timeline)
    try:
        await ready
    finally:
        remove(descriptor)


def _wake(ready: asyncio.Future[None], timeline: Timeline | None) -> None:
    if not ready.done():
        if timeline is not None:
            timeline.connected = timeline.clock()
        ready.set_result(None)
