"""Through an HTTP proxy to the peer behind it: ``CONNECT``.

Owns the proxy's half of the way and the words for how it fails. Must not know TLS or
what travels through the tunnel afterwards.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Final

import h11

from yolotop.probe.dial import readable
from yolotop.probe.failures import ConnectFailure
from yolotop.probe.route import Proxy
from yolotop.probe.target import Target
from yolotop.text import clean

MOST_HEAD: Final = 16 * 1024
"""Bytes of a proxy's answer that are read."""


async def tunnel(sock: socket.socket, proxy: Proxy, target: Target) -> None:
    """Make ``sock``, connected to ``proxy``, lead to ``target``.

    Raises ConnectFailure that names the proxy.
    """
    place = _place(target)
    headers = [(b"Host", place)]
    if proxy.basic:
        headers.append((b"Proxy-Authorization", proxy.basic))
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD)
    ask = http.send(h11.Request(method=b"CONNECT", target=place, headers=headers))
    assert ask is not None
    http.send(h11.EndOfMessage())
    try:
        await asyncio.get_running_loop().sock_sendall(sock, ask)
        response = await _answer(sock, http)
    except OSError as error:
        why = clean(error.strerror or str(error), limit=100).lower()
        raise ConnectFailure(
            f"the proxy {proxy} broke the connection: {why}"
        ) from error
    except h11.RemoteProtocolError as error:
        raise ConnectFailure(f"the proxy {proxy} does not speak HTTP/1.1") from error
    if response is None:
        raise ConnectFailure(f"the proxy {proxy} closed the connection")
    if not 200 <= response.status_code < 300:
        raise ConnectFailure(_refused(proxy, target, response))
    if http.trailing_data[0]:
        raise ConnectFailure(f"the proxy {proxy} says more than that it is connected")


def wants_a_key(proxy: Proxy) -> str:
    """The sentence for status 407."""
    if proxy.basic:
        return f"the proxy {proxy} refused the name and password of proxy_auth (407)"
    return f"the proxy {proxy} wants a name and a password; set proxy_auth (407)"


async def _answer(sock: socket.socket, http: h11.Connection) -> h11.Response | None:
    while True:
        event = http.next_event()
        if isinstance(event, h11.Response):
            return event
        if event is h11.NEED_DATA:
            data = await _receive(sock)
            if not data:
                return None
            http.receive_data(data)
        elif not isinstance(event, h11.InformationalResponse):
            return None


async def _receive(sock: socket.socket) -> bytes:
    while True:
        try:
            return sock.recv(4096)
        except (BlockingIOError, InterruptedError):
            await readable(sock)


def _place(target: Target) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{host}:{target.port}".encode("ascii")


def _refused(proxy: Proxy, target: Target, response: h11.Response) -> str:
    if response.status_code == 407:
        return wants_a_key(proxy)
    where = clean(_place(target).decode(), limit=100)
    said = clean(bytes(response.reason).decode("latin-1"), limit=80)
    status = f"{response.status_code} {said}".rstrip()
    return f"the proxy {proxy} does not connect to {where}: {status}"
