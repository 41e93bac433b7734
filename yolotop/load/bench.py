"""The load itself: levels one after the other, each until it has settled.

Owns pace, windows, the bound on requests, and stopping. Must not know what a question
is: ``ask`` asks one and never raises for what a server does. The clock is the event
loop's, so that a loop with another clock plays hours in no time.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, TypeAlias

from yolotop.load.arrivals import Arrivals
from yolotop.load.plan import Level, Plan
from yolotop.load.tally import Asked, Ending, Figures, Tally
from yolotop.load.windows import Window, settled

Ask: TypeAlias = Callable[[int], Awaitable[Asked]]
"""Asks once. The number is that of the asker: no two with one number ask at once."""
Told: TypeAlias = Callable[[Level, int, Window], None]
"""Hears of each window that has ended, with its number from 1 on."""

_MS: Final = 1_000.0
_SLACK_S: Final = 1e-6
_HARDLY_S: Final = 0.02
"""Who should have begun so shortly before the end had no time to: an event loop with 64
answers to read is that late, and one such question made every percentile a bound."""
"""Six windows of a sixth are not the whole, in floats."""


class Bench:
    """Runs a plan. :meth:`stop` ends it at once, with what it has."""

    def __init__(
        self, ask: Ask, plan: Plan, *, told: Told, done: Callable[[Figures], None]
    ) -> None:
        self._ask = ask
        self._plan = plan
        self._told = told
        self._done = done
        self._left = plan.most_requests
        self._stopped = False
        self._run: _Run | None = None

    async def run(self) -> tuple[Figures, ...]:
        """The figures of every level that was begun."""
        found: list[Figures] = []
        for level in self._plan.levels:
            if self._stopped:
                break
            self._run = _Run(level, self._plan, self._left, self._ask, self._told)
            figures = await self._run.measure()
            self._left -= figures.requests
            found.append(figures)
            self._done(figures)
            if figures.ending.is_last:
                break
        return tuple(found)

    def stop(self) -> None:
        """No more questions; those under way are dropped."""
        self._stopped = True
        if self._run is not None:
            self._run.end(Ending.INTERRUPTED)


class _Run:
    """One level."""

    def __init__(
        self, level: Level, plan: Plan, most_requests: int, ask: Ask, told: Told
    ) -> None:
        self._level = level
        self._plan = plan
        self._most = most_requests
        self._ask = ask
        self._told = told
        self._clock = asyncio.get_running_loop().time
        self._tally = Tally()
        self._requests = 0
        self._windows: list[Window] = []
        self._window = Window()
        self._ending: Ending | None = None
        self._over = asyncio.Event()
        self._broken_off = asyncio.Event()
        self._asking: set[asyncio.Task[None]] = set()
        self._places = list(reversed(range(level.concurrency)))
        self._room = asyncio.Event()

    async def measure(self) -> Figures:
        started, cpu = self._clock(), time.process_time()
        until = started + self._plan.duration_s
        arrivals: Arrivals | None = None
        async with asyncio.TaskGroup() as group:
            if self._level.rate_per_s is None:
                for place in self._places:
                    self._begin(group, self._go_on_asking(place))
                feeder = None
            else:
                arrivals = Arrivals(self._level.rate_per_s, started, until)
                feeder = group.create_task(self._keep_the_rate(group, arrivals))
            await self._watch(started, until)
            # Whoever should have begun until now counts, sent or not.
            ended = min(self._clock(), until) - _HARDLY_S
            if feeder is not None:
                feeder.cancel()
            await self._drain()
        finished = self._clock()
        if arrivals is not None:
            for waited_s in arrivals.waited(self._requests, until=ended, now=finished):
                self._tally.leave_unsent(waited_s * _MS)
        seconds = finished - started
        assert self._ending is not None
        return self._tally.figures(
            self._level,
            self._ending,
            seconds=seconds,
            requests=self._requests,
            own_cpu=(time.process_time() - cpu) / seconds if seconds > 0 else 0.0,
            windows=len(self._windows),
        )

    def end(self, ending: Ending) -> None:
        """Ask no more. The first reason stands, but an interruption always acts."""
        if self._ending is None or ending is Ending.INTERRUPTED:
            self._ending = ending
        self._over.set()
        # A server that refuses is left alone at once; else answers are waited for.
        if ending in (Ending.INTERRUPTED, Ending.REFUSING):
            self._broken_off.set()

    # --- asking ----------------------------------------------------------------------

    async def _go_on_asking(self, place: int) -> None:
        """A closed loop: the next question waits for the last answer."""
        while self._may_ask():
            await self._one(place, None)

    async def _keep_the_rate(
        self, group: asyncio.TaskGroup, arrivals: Arrivals
    ) -> None:
        """An open loop: the next question waits for its moment, and for room only."""
        while arrivals.at(self._requests) < arrivals.end:
            meant = arrivals.at(self._requests)
            await asyncio.sleep(max(0.0, meant - self._clock()))
            if self._places:
                self._tally.late.add(max(0.0, self._clock() - meant) * _MS)
            while not self._places:
                self._room.clear()
                await self._room.wait()
            if not self._may_ask():
                return
            self._begin(group, self._one_of_many(self._places.pop(), meant))

    async def _one_of_many(self, place: int, meant: float) -> None:
        try:
            await self._one(place, meant)
        finally:
            self._places.append(place)
            self._room.set()

    async def _one(self, place: int, meant: float | None) -> None:
        begun = self._clock()
        try:
            asked = await self._ask(place)
        except asyncio.CancelledError:
            now = self._clock()
            since = begun if meant is None else meant
            self._tally.drop((now - since) * _MS, (now - begun) * _MS)
            raise
        waited_ms = 0.0 if meant is None else (begun - meant) * _MS
        latency_ms = self._tally.add(asked, waited_ms=waited_ms)
        window = self._window
        window.answers += 1
        window.errors += asked.error is not None
        if latency_ms is not None:
            window.latencies.add(latency_ms)
        if window.refuses(whole=False):
            self.end(Ending.REFUSING)

    def _may_ask(self) -> bool:
        """Whether one more may be sent; it is counted then."""
        if self._over.is_set():
            return False
        if self._requests >= self._most:
            self.end(Ending.CAPPED)
            return False
        self._requests += 1
        return True

    # --- ending ----------------------------------------------------------------------

    async def _watch(self, started: float, until: float) -> None:
        """Window after window, until the level is over."""
        number = 1
        while not self._over.is_set():
            full = started + number * self._plan.window_s
            at = min(full, until)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(at):
                    await self._over.wait()
            if self._over.is_set():
                return
            # The rest of a level that its windows do not divide agrees with nothing.
            if full <= until + _SLACK_S:
                self._close_window(number)
            if self._clock() >= until:
                self.end(Ending.TIME)
            number += 1

    def _close_window(self, number: int) -> None:
        window, self._window = self._window, Window()
        self._windows.append(window)
        self._told(self._level, number, window)
        if window.refuses(whole=True):
            self.end(Ending.REFUSING)
        elif settled(self._windows):
            self.end(Ending.SETTLED)

    async def _drain(self) -> None:
        """Wait for the answers under way, unless the level is broken off."""
        broken = asyncio.ensure_future(self._broken_off.wait())
        try:
            while self._asking and not self._broken_off.is_set():
                await asyncio.wait(
                    {*self._asking, broken}, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            broken.cancel()
            for task in tuple(self._asking):
                task.cancel()

    def _begin(
        self, group: asyncio.TaskGroup, question: Coroutine[None, None, None]
    ) -> None:
        task = group.create_task(question)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
