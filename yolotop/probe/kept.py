"""Connections kept for the next exchange, one per name.

Owns idle sockets and when they are given up. Must not know what travelled over them.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

IDLE_S: Final = 15 * 60.0
"""Seconds after which an idle connection is closed, at the latest."""

MOST_KEPT: Final = 1024

_NOTHING_TO_READ: Final = (
    BlockingIOError,
    InterruptedError,
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """An idle connection and what is known of it."""

    sock: socket.socket
    address: str | None
    tls_expires_at: float | None


class Shelf:
    """Idle connections. ``key`` says where one leads; another way there is no use."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._idle: dict[str, tuple[Hashable, Kept, float]] = {}

    def __len__(self) -> int:
        return len(self._idle)

    def take(self, name: str, key: Hashable) -> Kept | None:
        """The connection kept under ``name``, if it leads there and is still open."""
        if not self._idle or name not in self._idle:
            return None
        known, kept, _ = self._idle.pop(name)
        if known == key and _is_open(kept.sock):
            return kept
        kept.sock.close()
        return None

    def put(self, name: str, key: Hashable, kept: Kept) -> None:
        """Keep a connection; the one that was there is closed."""
        before = self._idle.pop(name, None)
        if before is not None:
            before[1].sock.close()
        now = self._clock()
        self._idle[name] = (key, kept, now)
        # In the order of their putting: the first is the oldest.
        while self._idle:
            oldest = next(iter(self._idle))
            _, kept, at = self._idle[oldest]
            if now - at < IDLE_S and len(self._idle) <= MOST_KEPT:
                break
            kept.sock.close()
            del self._idle[oldest]

    def close(self) -> None:
        """Close them all."""
        for _, kept, _ in self._idle.values():
            kept.sock.close()
        self._idle.clear()


def _is_open(sock: socket.socket) -> bool:
    try:
        # Anything to read, an end included, makes it useless. TLS session tickets are
        # taken in by this and are nothing to read.
        sock.recv(1)
    except _NOTHING_TO_READ:
        return True
    except OSError:
        return False
    return False
