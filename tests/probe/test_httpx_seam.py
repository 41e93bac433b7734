"""The transport inside ``httpx.AsyncClient``: what httpx users get."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Awaitable, Callable

import httpx
import pytest

from yolotop.probe.failures import ProbeFailure
from yolotop.probe.httpx_seam import HttpxTransport, Measured

Script = Callable[..., Awaitable[int]]
Play = Callable[..., Awaitable[int]]

HELLO = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def assert_phases_add_up(reply: Measured) -> None:
    parts = [
        getattr(reply.phases, name)
        for name in ("dns", "connect", "tls", "send", "wait", "receive")
    ]
    assert sum(part for part in parts if part is not None) == pytest.approx(
        reply.latency_ms
    )


async def test_in_an_httpx_client(play: Play) -> None:
    seen: list[bytes] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        seen.append(head + await reader.readexactly(length))
        packed = gzip.compress(b'{"a": 1}')
        writer.write(
            b"HTTP/1.1 201 Made\r\ncontent-encoding: gzip\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
            % len(packed)
            + packed
        )

    url = f"http://127.0.0.1:{await play(echo)}/predict?a=b"
    async with httpx.AsyncClient(transport=HttpxTransport()) as client:
        response = await client.post(
            url, files={"file": b"12345"}, data={"conf": "0.5"}
        )
    assert response.status_code == 201
    assert response.reason_phrase == "Made"
    assert response.http_version == "HTTP/1.1"
    assert response.json() == {"a": 1}
    measured = response.extensions["yolotop"]
    assert isinstance(measured, Measured)
    assert_phases_add_up(measured)
    assert seen[0].startswith(b"POST /predict?a=b HTTP/1.1\r\n")
    assert seen[0].lower().count(b"connection: ") == 1
    assert b"connection: close" in seen[0].lower()
    assert b"12345" in seen[0]


async def test_head_over_httpx_has_headers_and_no_body(script: Script) -> None:
    port = await script(HELLO.removesuffix(b"hello"))
    async with httpx.AsyncClient(transport=HttpxTransport()) as client:
        response = await client.head(f"http://127.0.0.1:{port}/")
    assert response.headers["content-length"] == "5"
    assert response.content == b""


async def test_failures_are_httpx_failures(script: Script) -> None:
    silent = f"http://127.0.0.1:{await script(b'', end='stall')}/"
    torn = f"http://127.0.0.1:{await script(b'')}/"
    nobody = f"http://127.0.0.1:{free_port()}/"
    async with httpx.AsyncClient(transport=HttpxTransport(), timeout=0.2) as client:
        with pytest.raises(httpx.TimeoutException) as late:
            await client.get(silent)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(torn)
        with pytest.raises(httpx.ConnectError) as refused:
            await client.get(nobody)
        with pytest.raises(httpx.TimeoutException, match=r"after 0\.1 s"):
            await client.get(silent, extensions={"deadline_s": 0.1})
    assert str(late.value.request.url) == silent
    assert isinstance(refused.value.__cause__, ProbeFailure)
