"""Peers of the measuring transport, as processes: a raw socket, and httpx.

Owns two ways to ask the same question in waves: once a second, from a set fraction of
it, so many requests within so many milliseconds. It must not know the monitor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final

IMAGE_BYTES: Final = 50_000
LATE_S: Final = 0.002


def request(size: int) -> bytes:
    """A predict probe as the monitor sends it, by size."""
    return (
        b"POST /raw/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % size
    ) + b"\0" * size


def wait_until(fraction: float) -> None:
    """Sleep until the monotonic clock's next second has got that far."""
    now = time.monotonic()
    at = int(now) + fraction
    time.sleep(at - now if at > now + LATE_S else at + 1 - now)


class _Wave:
    """Requests with nothing but sockets: the physical limit of a Python process."""

    def __init__(self, port: int, data: bytes) -> None:
        self._port = port
        self._data = data
        self._poll = selectors.DefaultSelector()
        self._begun: dict[int, float] = {}
        self._unsent: dict[int, memoryview] = {}
        self.latencies: list[float] = []

    def ask(self) -> None:
        """One more in flight."""
        begin = time.perf_counter()
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", self._port))
        self._begun[sock.fileno()] = begin
        self._unsent[sock.fileno()] = memoryview(self._data)
        self._poll.register(sock, selectors.EVENT_WRITE)

    def turn(self, timeout_s: float) -> None:
        """Do what can be done now, or within that time."""
        for key, _ in self._poll.select(timeout_s):
            peer, number = key.fileobj, key.fd
            assert isinstance(peer, socket.socket)
            left = self._unsent[number]
            if left:
                self._unsent[number] = left[peer.send(left) :]
                if not self._unsent[number]:
                    self._poll.modify(peer, selectors.EVENT_READ)
            elif not peer.recv(65_536):
                took_s = time.perf_counter() - self._begun[number]
                self.latencies.append(took_s * 1000)
                self._poll.unregister(peer)
                peer.close()


def raw(
    port: int, size: int, *, waves: int, count: int, fraction: float, within: float
) -> list[float]:
    """All waves, with sockets."""
    data, latencies = request(size), []
    for _ in range(waves):
        wait_until(fraction)
        wave = _Wave(port, data)
        begin = time.perf_counter()
        for number in range(count):
            due = begin + within * number / count
            while (left := due - time.perf_counter()) > 0:
                # Half a millisecond is the most that select() oversleeps.
                wave.turn(0 if left < 0.0005 else left - 0.0005)
            wave.ask()
            # What is ready goes out before the next begins: the best there is.
            wave.turn(0)
        while len(wave.latencies) < count:
            wave.turn(1.0)
        latencies += wave.latencies
    return latencies


async def httpx_waves(
    port: int, size: int, *, waves: int, count: int, fraction: float, within: float
) -> list[float]:
    """All waves, with an ``httpx.AsyncClient`` that opens a connection for each."""
    import httpx

    url, body, latencies = f"http://127.0.0.1:{port}/httpx/predict", b"\0" * size, []
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)

    async with httpx.AsyncClient(limits=limits, timeout=30) as client:

        async def ask(number: int) -> float:
            await asyncio.sleep(within * number / count)
            begin = time.perf_counter()
            await client.post(url, content=body, headers={"Content-Type": "image/jpeg"})
            return (time.perf_counter() - begin) * 1000

        for _ in range(waves):
            wait_until(fraction)
            latencies += await asyncio.gather(*(ask(number) for number in range(count)))
    return latencies


@dataclass(frozen=True, slots=True)
class Found:
    """What such a process found, and the CPU that asking took it."""

    latencies_ms: list[float]
    cpu_s: float


class Waves:
    """One of the two as a process."""

    def __init__(
        self,
        how: str,
        port: int,
        *,
        waves: int,
        count: int,
        fraction: float,
        within: float = 0.0,
    ) -> None:
        words = [sys.executable, "-m", "bench.waves", how, str(port), str(IMAGE_BYTES)]
        words += [str(waves), str(count), str(fraction), str(within)]
        self._child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    def found(self) -> Found:
        """Wait for its end."""
        out, _ = self._child.communicate(timeout=120)
        return Found(**json.loads(out))


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("how", choices=["raw", "httpx"])
    for name in ("port", "size", "waves", "count"):
        parser.add_argument(name, type=int)
    for name in ("fraction", "within"):
        parser.add_argument(name, type=float)
    args = parser.parse_args()
    asking = {
        name: vars(args)[name] for name in ("waves", "count", "fraction", "within")
    }
    begin = time.process_time()
    if args.how == "raw":
        latencies = raw(args.port, args.size, **asking)
    else:
        latencies = asyncio.run(httpx_waves(args.port, args.size, **asking))
    took = time.process_time() - begin
    print(json.dumps({"latencies_ms": latencies, "cpu_s": took}))


if __name__ == "__main__":
    _main()
