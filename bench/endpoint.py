"""A server with a precise delay, as small as one can be: what all rows are run against.

Owns a raw asyncio protocol that reads a whole request, waits and answers like an
Ultralytics endpoint, and the handle that runs it as a process of its own. It must not
know who asks. ``GET /stats`` tells how many requests came, by path.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

_SHAPE: Final = {"name": "circle", "class": 0, "confidence": 0.91}
_ANSWER: Final = json.dumps(
    {
        "images": [
            {
                "shape": [320, 320],
                "results": [
                    {
                        **_SHAPE,
                        "box": {"x1": 20 * n, "y1": 9, "x2": 20 * n + 15, "y2": 60},
                    }
                    for n in range(5)
                ],
                "speed": {"preprocess": 1.1, "inference": 14.2, "postprocess": 0.6},
            }
        ],
        "metadata": {"model": "bench.pt", "task": "detect"},
    }
).encode()
_HEALTHY: Final = b'{"status":"healthy"}'


def _whole(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )


class _Answering(asyncio.Protocol):
    def __init__(self, delay_s: float, counts: Counter[str]) -> None:
        self._delay_s = delay_s
        self._counts = counts
        self._head = b""
        self._missing: int | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Some of its request; the answer is due once all of it is here."""
        if self._missing is None:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._missing = _length(head) - len(body)
        else:
            self._missing -= len(data)
        if self._missing <= 0:
            path = self._head.split(b" ", 2)[1].decode("latin-1")
            if path == "/stats":
                self._answer(json.dumps(self._counts).encode())
                return
            self._counts[path] += 1
            body = _ANSWER if path.endswith("/predict") else _HEALTHY
            loop = asyncio.get_running_loop()
            loop.call_later(self._delay_s, self._answer, body)

    def _answer(self, body: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_whole(body))
            self._transport.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def serve(delay_s: float) -> None:
    """Serve on a free port of 127.0.0.1, which is printed, until killed."""
    counts: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Answering(delay_s, counts), "127.0.0.1", 0, backlog=4096
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Endpoint:
    """A running server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def count(self, path: str = "/predict") -> int:
        """Requests of that path so far."""
        with urllib.request.urlopen(f"{self.url}/stats", timeout=10) as answer:  # noqa: S310 - our own
            counts: dict[str, int] = json.load(answer)
        return counts.get(path, 0)


@contextmanager
def endpoint(*, delay_ms: float) -> Iterator[Endpoint]:
    """A server in a process of its own, which ends with the block."""
    command = [sys.executable, "-m", "bench.endpoint", "--delay-ms", str(delay_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield Endpoint(int(child.stdout.readline()))
        finally:
            child.terminate()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay-ms", type=float, default=20.0)
    asyncio.run(serve(parser.parse_args().delay_ms / 1000))
