"""The clocks of the collector: wall time to stamp with, monotonic time to measure by.

Owns the protocol that everything timed in this room is written against, so that a
test can let hours pass in milliseconds. It must not know what is timed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

_BOOTTIME: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


class Handle(Protocol):
    """A planned call that can be called off."""

    def cancel(self) -> None:
        """Do not call any more; harmless when it has been called."""


class Clock(Protocol):
    """Three times and a timer."""

    def now(self) -> float:
        """Wall clock, UTC seconds: for stamping only."""

    def monotonic(self) -> float:
        """Seconds that only grow: for everything measured or planned."""

    def boottime(self) -> float:
        """As :meth:`monotonic`, but it goes on while the machine sleeps."""

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Handle:
        """Call ``callback`` in the running event loop after ``delay_s`` seconds."""


class SystemClock:
    """The machine's clocks and the running event loop's timer."""

    def now(self) -> float:
        """See :class:`Clock`."""
        return time.time()

    def monotonic(self) -> float:
        """See :class:`Clock`."""
        return time.monotonic()

    def boottime(self) -> float:
        """See :class:`Clock`. Where there is none a sleep looks like a set clock."""
        return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Handle:
        """See :class:`Clock`."""
        return asyncio.get_running_loop().call_later(max(0.0, delay_s), callback)


async def sleep(clock: Clock, seconds: float) -> None:
    """Return after ``seconds`` of ``clock``."""
    await wait(clock, asyncio.Event(), seconds)


async def wait(clock: Clock, wake: asyncio.Event, seconds: float) -> None:
    """Return once ``wake`` is set, which happens after ``seconds`` at the latest.

    One timer and no task: the scheduling loop passes here for every probe.
    """
    handle = clock.call_later(seconds, wake.set)
    try:
        await wake.wait()
    finally:
        handle.cancel()
