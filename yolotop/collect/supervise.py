"""Keeps the collector's loops going: restarts what crashes, names what stands still.

Owns the tasks of the loops, their back-off and the watchdog. It must not know what a
loop does: a loop is a coroutine function that runs until it is cancelled and stamps
its progress.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from yolotop.collect.clock import Clock, sleep
from yolotop.judge.words import span
from yolotop.model import Event, EventKind, Severity
from yolotop.text import clean, redact

BACKOFF_S: Final = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
STEADY_S: Final = 60.0
"""A loop that ran this long before it crashed starts its back-off anew."""
STALL_S: Final = 30.0
"""A loop that stamps nothing for this long is reported."""
LOOK_S: Final = 5.0

_log = logging.getLogger("yolotop.collect")


@dataclass(slots=True)
class _Loop:
    name: str
    run: Callable[[], Awaitable[None]]
    stamped: float
    restart_stalled: bool
    stalled: bool = False
    crashes: int = 0
    inner: asyncio.Future[None] | None = field(default=None, repr=False)


class Supervisor:
    """The loops of one collector. ``report`` takes the events about them."""

    def __init__(self, clock: Clock, report: Callable[[Event], None]) -> None:
        self._clock = clock
        self._report = report
        self._loops: dict[str, _Loop] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def note(self) -> str:
        """Which loops stand still, for the screen."""
        names = [loop.name for loop in self._loops.values() if loop.stalled]
        return f"standing still: {', '.join(names)}" if names else ""

    def start(
        self,
        name: str,
        run: Callable[[], Awaitable[None]],
        *,
        restart_stalled: bool = False,
    ) -> None:
        """Run ``run`` for good; ``restart_stalled`` also when it stands still."""
        loop = _Loop(name, run, self._clock.monotonic(), restart_stalled)
        self._loops[name] = loop
        self._tasks.append(asyncio.create_task(self._keep(loop), name=f"keep {name}"))

    def watch(self) -> None:
        """Start the watchdog."""
        self._tasks.append(asyncio.create_task(self._look(), name="watchdog"))

    def stamp(self, name: str) -> None:
        """The loop called ``name`` has got somewhere."""
        loop = self._loops.get(name)
        if loop is not None:
            loop.stamped = self._clock.monotonic()

    async def stop(self) -> None:
        """Cancel every loop and return when all have ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, loop: _Loop) -> None:
        while True:
            started = self._clock.monotonic()
            loop.stamped, loop.stalled = started, False
            loop.inner = asyncio.ensure_future(loop.run())
            try:
                await asyncio.wait({loop.inner})
            finally:
                if not loop.inner.done():
                    loop.inner.cancel()
                    # Whatever it still raises on its way out, it is being ended.
                    with contextlib.suppress(asyncio.CancelledError, Exception):
                        await loop.inner
            reason = _why(loop.inner)
            if reason is None:
                return
            ran = self._clock.monotonic() - started
            loop.crashes = 1 if ran >= STEADY_S else loop.crashes + 1
            pause = BACKOFF_S[min(loop.crashes, len(BACKOFF_S)) - 1]
            self._say(
                Severity.ERROR,
                f"the {loop.name} loop stopped ({reason}); restarting in {pause:g} s",
            )
            await sleep(self._clock, pause)

    async def _look(self) -> None:
        while True:
            before = self._clock.monotonic()
            await sleep(self._clock, LOOK_S)
            now = self._clock.monotonic()
            if now - before > 3 * LOOK_S:
                # It was this whole process that stood still, and so did the loops.
                for loop in self._loops.values():
                    loop.stamped = now
            for loop in self._loops.values():
                self._look_at(loop, now)

    def _look_at(self, loop: _Loop, now: float) -> None:
        still = now - loop.stamped
        if loop.inner is None or loop.inner.done():
            return  # between a crash and the restart
        if still < STALL_S:
            if loop.stalled:
                loop.stalled = False
                self._say(Severity.INFO, f"the {loop.name} loop goes on")
            return
        if not loop.stalled:
            loop.stalled = True
            self._say(
                Severity.ERROR,
                f"the {loop.name} loop has stood still for {span(still)}",
            )
        if loop.restart_stalled:
            loop.inner.cancel()

    def _say(self, severity: Severity, message: str) -> None:
        self._report(Event(self._clock.now(), severity, EventKind.COLLECTOR, message))


def _why(inner: asyncio.Future[None]) -> str | None:
    """Why a loop ended; ``None`` where it simply returned."""
    if inner.cancelled():
        return "it was cancelled"
    error = inner.exception()
    if error is None:
        return None
    _log.error("a loop crashed", exc_info=error)
    return redact(clean(f"{type(error).__name__}: {error}", limit=300))
