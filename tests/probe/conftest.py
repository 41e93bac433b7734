"""A raw server that plays scripted bytes, and what else the probe tests share."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
import trustme

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Play = Callable[..., Awaitable[int]]


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read a whole request, body included."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class RawServer:
    """Listens on 127.0.0.1 and lets a behaviour speak to each connection.

    A behaviour that returns gets its connection closed; one that is still talking when
    the peer has gone, or the test ended, is stopped.
    """

    def __init__(self) -> None:
        self.connections = 0
        self._servers: list[asyncio.Server] = []
        self._talking: set[asyncio.Task[None]] = set()

    async def play(
        self, behaviour: Behaviour, *, tls: ssl.SSLContext | None = None
    ) -> int:
        """Start listening; returns the port."""

        async def speak(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            try:
                await behaviour(reader, writer)
                await writer.drain()
            except (OSError, asyncio.IncompleteReadError):
                pass  # the peer had enough: what half of these tests are about
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = asyncio.get_running_loop().create_task(speak(reader, writer))
            self._talking.add(task)
            task.add_done_callback(self._talking.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def aclose(self) -> None:
        """Stop listening and talking."""
        for server in self._servers:
            server.close()
        talking = tuple(self._talking)
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


@pytest_asyncio.fixture
async def raw_server() -> AsyncIterator[RawServer]:
    """A raw server with nothing on it yet."""
    server = RawServer()
    yield server
    await server.aclose()


@pytest_asyncio.fixture
async def play(raw_server: RawServer) -> Play:
    """``port = await play(behaviour)``."""
    return raw_server.play


@pytest.fixture
def script(raw_server: RawServer) -> Callable[..., Awaitable[int]]:
    """``port = await script(b"HTTP/1.1 ...")``: those bytes after any request.

    ``end``: ``"close"`` (FIN), ``"reset"`` (RST) or ``"stall"`` (say no more).
    """

    async def start(answer: bytes, *, end: str = "close") -> int:
        async def behave(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await read_request(reader)
            writer.write(answer)
            await writer.drain()
            if end == "reset":
                reset(writer)
            elif end == "stall":
                await reader.read()

        return await raw_server.play(behave)

    return start


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority nobody trusts yet."""
    return trustme.CA()
