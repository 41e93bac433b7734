"""Run a server in a network namespace of its own, and lead its ports to loopback.

For servers that bind every address whatever they are told. Started as a program inside
``unshare --net``: ``peer_relay.py FD:PORT,... COMMAND...``. Each FD is a socket that
listens on 127.0.0.1 outside (a socket stays in the namespace it was made in), each
PORT is the server's own. Ends with the server and takes the listening sockets with it,
so that a dead server is refused; while it lives but does not listen, connections are
reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import signal
import socket
import struct
import sys

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1


def raise_loopback() -> None:
    """A new namespace has its ``lo`` down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14s", b"lo", _IFF_UP, b"")
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction, its end included."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST."""
    linger = struct.pack("ii", 1, 0)
    peer = writer.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def lead(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
) -> None:
    """Lead one connection to the server."""
    try:
        inner_reader, inner = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        reset(writer)
        return
    await asyncio.gather(pump(reader, inner), pump(inner_reader, writer))
    for side in (writer, inner):
        side.close()


async def run(leads: list[tuple[int, int]], command: list[str]) -> int:
    """Run the command to its end."""
    raise_loopback()
    servers = []
    for number, port in leads:

        async def serve(
            reader: asyncio.StreamReader,
            writer: asyncio.StreamWriter,
            port: int = port,
        ) -> None:
            await lead(reader, writer, port)

        outer = socket.socket(fileno=number)
        servers.append(await asyncio.start_server(serve, sock=outer))
    child = await asyncio.create_subprocess_exec(*command)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, child.send_signal, number)
    code = await child.wait()
    for server in servers:
        server.close()
    return code


if __name__ == "__main__":
    pairs = [pair.split(":") for pair in sys.argv[1].split(",")]
    numbers = [(int(fd), int(port)) for fd, port in pairs]
    sys.exit(asyncio.run(run(numbers, sys.argv[2:])) & 0xFF)
