"""From a host name to addresses, timed by the caller.

Owns name resolution: off the loop, isolated and bounded. Must not know what the
addresses are for. The addresses returned are the ones dialled, so a check on them
holds (no second look-up that could answer differently).

Not ``loop.getaddrinfo``: that runs on the loop's default executor, which has 6 threads
on 2 cores, so six names behind a dead name server would stop every other look-up; and
leaving the loop waits for those threads, so quitting would wait for the name server.
"""

from __future__ import annotations

import asyncio
import queue
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from yolotop.probe.failures import NameFailure
from yolotop.text import clean

MOST_LOOKUPS: Final = 256
"""Look-ups running at once; one that its probe gave up on still counts."""

IDLE_S: Final = 30.0
"""Seconds after which a look-up thread without work ends."""

MOST_ADDRESSES: Final = 8
"""Addresses of one name that are tried."""

SockAddr = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
AddrInfo = tuple[int, int, int, str, SockAddr]
Lookup = Callable[[str, int], Sequence[AddrInfo]]


@dataclass(frozen=True, slots=True)
class Address:
    """One socket address; ``str()``: ``127.0.0.1:80``, ``[::1]:80``, ``unix:/path``."""

    family: int
    sockaddr: SockAddr | str

    @property
    def host(self) -> str:
        """The address without its port."""
        return str(self.sockaddr[0])

    def __str__(self) -> str:
        if isinstance(self.sockaddr, str):
            return f"unix:{clean(self.sockaddr, limit=110)}"
        host, port = self.sockaddr[0], self.sockaddr[1]
        if self.family == socket.AF_INET6:
            return f"[{host!s}]:{port!s}"
        return f"{host!s}:{port!s}"


def system_lookup(host: str, port: int) -> Sequence[AddrInfo]:
    """Ask the system's resolver (hosts file, DNS, mDNS, ...); blocks."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Resolver:
    """Resolves names, each look-up in a daemon thread that does nothing else then."""

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self._lookup = lookup
        self._crew = _Crew()
        # No more jobs than the crew may have threads: none waits behind another.
        self._slots = asyncio.Semaphore(MOST_LOOKUPS)

    async def resolve(self, host: str, port: int) -> tuple[Address, ...]:
        """Addresses of ``host`` in the system's order, without repeats, at least one.

        A literal address needs no look-up and returns at once. Raises NameFailure.
        """
        literal = _literal(host, port)
        if literal is not None:
            return literal
        try:
            found = await self._ask(host, port)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise NameFailure(
                f"the name {clean(host, limit=100)} does not resolve: "
                f"{clean(reason, limit=100)}"
            ) from error
        if not found:
            raise NameFailure(f"the name {clean(host, limit=100)} has no address")
        return found

    async def _ask(self, host: str, port: int) -> tuple[Address, ...]:
        await self._slots.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[Address, ...]] = loop.create_future()

        def settle(found: tuple[Address, ...], error: Exception | None) -> None:
            self._slots.release()
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(found)

        def work() -> None:
            found: tuple[Address, ...] = ()
            failure: Exception | None = None
            try:
                found = _addresses(self._lookup(host, port))
            except Exception as error:  # noqa: BLE001 - carried over to the waiter
                failure = error
            try:
                loop.call_soon_threadsafe(settle, found, failure)
            except RuntimeError:
                return  # the loop closed while the name server was thinking

        self._crew.submit(work)
        return await answer


class _Crew:
    """Daemon threads, as many as there are jobs, kept for the next jobs.

    A new thread for each look-up cost 0.37 ms of CPU, a kept one about half.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0

    def submit(self, job: Callable[[], None]) -> None:
        with self._lock:
            engaged = self._idle > 0
            if engaged:
                self._idle -= 1
        self._jobs.put(job)
        if not engaged:
            threading.Thread(target=self._work, name="lookup", daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=IDLE_S)
            except queue.Empty:
                with self._lock:
                    # Otherwise a job has just been counted on this thread.
                    if self._idle > 0:
                        self._idle -= 1
                        return
                continue
            job()
            with self._lock:
                self._idle += 1


def unix_address(path: str) -> Address:
    """The address of a Unix socket."""
    return Address(socket.AF_UNIX, path)


@lru_cache(maxsize=4096)
def _literal(host: str, port: int) -> tuple[Address, ...] | None:
    # Remembered also for names, as None: the question is the spelling, not the address.
    try:
        return _addresses(
            socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        )
    except (OSError, UnicodeError):
        return None


def _addresses(found: Sequence[AddrInfo]) -> tuple[Address, ...]:
    unique = dict.fromkeys(Address(family, sockaddr) for family, *_, sockaddr in found)
    return tuple(unique)[:MOST_ADDRESSES]
