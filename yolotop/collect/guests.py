"""Who waits for a turn to ask a deployment by hand, beside the grid.

Owns the queue of each deployment, giving a turn to the first who still waits, and
giving up. It must not know what is asked in a turn, nor the history.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from typing import Final

from yolotop.collect.clock import Clock
from yolotop.collect.schedule import Due, Schedule
from yolotop.errors import UsageError
from yolotop.text import clean

TURN_S: Final = 15.0
"""How long a question by hand waits for its turn: somebody looks at the screen, which
waits 75 s in all, a cold start of 55 s included."""


class Guests:
    """Those who wait, by deployment, in the order in which they came."""

    def __init__(self, schedule: Schedule, clock: Clock, wake: asyncio.Event) -> None:
        self._schedule = schedule
        self._clock = clock
        self._wake = wake
        self._waiting: defaultdict[str, deque[asyncio.Future[Due]]]
        self._waiting = defaultdict(deque)

    async def turn(self, name: str) -> Due:
        """The right to ask ``name``, once whoever has it is done.

        Raises UsageError where none came within :data:`TURN_S`, and what
        :meth:`refuse` is given.
        """
        future: asyncio.Future[Due] = asyncio.get_running_loop().create_future()
        guests = self._waiting[name]
        guests.append(future)
        self._schedule.invite(name)
        self._wake.set()

        def give_up() -> None:
            if not future.done():
                future.set_exception(_busy(name))

        timer = self._clock.call_later(TURN_S, give_up)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and not future.exception():
                self._schedule.done(future.result())
            raise
        finally:
            timer.cancel()
            if future in guests:
                guests.remove(future)
                self._schedule.uninvite(name)

    def seat(self, due: Due) -> None:
        """Give a turn to the first, unless all have just given up."""
        guests = self._waiting[due.name]
        future = next((one for one in guests if not one.done()), None)
        if future is None:
            self._schedule.done(due)
        else:
            guests.remove(future)
            future.set_result(due)

    def refuse(self, name: str, error: UsageError) -> None:
        """Send all who wait for ``name`` away."""
        for guest in self._waiting.pop(name, ()):
            if not guest.done():
                guest.set_exception(error)


def _busy(name: str) -> UsageError:
    why = f"it or its host is still busy with earlier probes after {TURN_S:.0f} s"
    return UsageError(f"{clean(name)} was not asked: {why}", hint="Try again")
