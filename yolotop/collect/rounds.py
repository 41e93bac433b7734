"""The rounds: who is due is asked, the answer judged, the verdict queued.

Owns the schedule in motion, the probes in flight, and what becomes of them when time
does not pass as it should. One task plans, one task per probe asks; nothing here waits
for the store, the config file or a face. It must not know HTTP or SQL.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from yolotop.collect.asking import Asker, ask_again_s, ask_once
from yolotop.collect.clock import Clock, sleep, wait
from yolotop.collect.conditions import Conditions
from yolotop.collect.guests import Guests
from yolotop.collect.journal import Journal
from yolotop.collect.meters import Meters
from yolotop.collect.punctuality import Punctuality
from yolotop.collect.schedule import Due, Schedule
from yolotop.collect.timekeeper import LOOK_S, Timekeeper
from yolotop.collect.waiting import Waiting
from yolotop.config.schema import CollectorSettings
from yolotop.errors import UsageError
from yolotop.judge.hosted import Word
from yolotop.judge.verdict import light_of
from yolotop.model import (
    Deployment,
    Event,
    EventKind,
    HealthState,
    Outcome,
    Sample,
    Severity,
)
from yolotop.text import clean, redact

SCENES: Final = 8
"""Synthetic images a deployment is asked about in turn."""
AFTER_SLEEP_S: Final = 5.0
"""A machine that wakes needs a moment until its network is there."""
IDLE_S: Final = 5.0

_log = logging.getLogger("yolotop.collect")
_T = TypeVar("_T")


class Rounds:
    """Every followed deployment, asked in time. ``stamp`` is told of each step."""

    def __init__(
        self,
        asker: Asker,
        journal: Journal,
        clock: Clock,
        *,
        states: dict[str, HealthState] | None = None,
        settings: CollectorSettings | None = None,
        meters: Meters | None = None,
        stamp: Callable[[], None] = lambda: None,
    ) -> None:
        self._asker = asker
        self._journal = journal
        self._clock = clock
        self._stamp = stamp
        self._meters = meters or Meters(None, journal, clock)
        self._conditions = Conditions(journal, clock, states or {})
        self._timekeeper = Timekeeper(clock)
        self._punctuality = Punctuality()
        self._schedule = Schedule()
        self._most_in_flight = 0
        self._deployments: dict[str, Deployment] = {}
        self._tasks: dict[Due, asyncio.Task[object]] = {}
        self._waiting = Waiting()
        self._wake = asyncio.Event()
        self._guests = Guests(self._schedule, clock, self._wake)
        self.limit(settings or CollectorSettings())

    @property
    def overruns(self) -> int:
        """Slots missed since the start."""
        return self._schedule.overruns

    @property
    def punctuality(self) -> Punctuality:
        """How late probes have started."""
        return self._punctuality

    def effective(self) -> list[Deployment]:
        """The followed deployments in order, with ``paused`` as it really is."""
        return [
            replace(deployment, paused=self._conditions.is_paused(name))
            for name, deployment in self._deployments.items()
        ]

    def deployment(self, name: str) -> Deployment:
        """A followed deployment. UsageError: unknown name."""
        self._know(name)
        return self._deployments[name]

    def state(self, name: str) -> HealthState:
        """The state of a followed deployment."""
        return self._conditions[name]

    def limit(self, settings: CollectorSettings) -> None:
        """Ask so many at once, so punctually, from now on."""
        self._most_in_flight = settings.in_flight
        self._schedule.limit(
            jitter=settings.jitter, per_host=settings.in_flight_per_host
        )
        self._wake.set()

    # --- who is followed -----------------------------------------------------------

    def follow(self, deployment: Deployment, *, anew: bool = False) -> None:
        """Ask ``deployment`` from now on, in place of one of that name.

        ``anew`` forgets the state: it was another endpoint's.
        """
        name = deployment.name
        before = self._deployments.get(name)
        self._end_probes(name, "it was changed meanwhile")
        self._meters.forget(name)
        self._deployments[name] = deployment
        self._conditions.follow(deployment, before, anew=anew)
        self._plan(name)

    def update(self, deployment: Deployment) -> None:
        """Take what is no setting of a followed deployment: what its platform says."""
        known = self._deployments[deployment.name]
        # Equal settings stay the same object: by that a meter knows its own reading.
        if known == deployment and known.hosting != deployment.hosting:
            self._deployments[deployment.name] = deployment

    def arrange(self, names: Sequence[str]) -> None:
        """Take the order of the config file."""
        self._deployments = {name: self._deployments[name] for name in names}

    def drop(self, name: str) -> None:
        """Ask ``name`` no longer."""
        self._schedule.remove(name)
        self._deployments.pop(name, None)
        self._conditions.forget(name)
        self._punctuality.forget(name)
        self._meters.forget(name)
        self._end_probes(name, "it was removed")

    def rename(self, before: str, deployment: Deployment) -> None:
        """Go on with ``before`` under the name of ``deployment``."""
        self._conditions.rename(before, deployment.name)
        self.follow(deployment)
        self.drop(before)

    def tell(self, name: str, word: Word) -> bool:
        """Take a platform's word; whether the state is another one now."""
        if name not in self._deployments:
            return False
        silent = self._conditions.is_silent(name)
        moved = self._conditions.tell(name, word)
        if self._conditions.is_silent(name) is not silent:
            self._plan(name)
        return moved

    def pause(self, name: str) -> None:
        """Ask ``name`` only by hand, also after a restart. UsageError: unknown."""
        self._know(name)
        self._conditions.pause(name)
        self._plan(name)

    def resume(self, name: str) -> None:
        """Ask ``name`` again, beginning at *unknown*. UsageError: unknown name."""
        self._know(name)
        self._conditions.resume(name)
        self._plan(name)

    def maintain(self, name: str, until_at: float | None) -> None:
        """Begin maintenance until then; ``None`` ends it. UsageError: cannot be."""
        self._know(name)
        if until_at is None:
            self._conditions.end_maintenance(name)
        else:
            self._conditions.maintain(name, until_at)
        self._plan(name)

    async def ask(self, name: str) -> list[Sample]:
        """Ask its questions now, paused or not; the samples once all are judged.

        Raises UsageError for an unknown name, or one that changes meanwhile.
        """
        self._know(name)
        futures: list[asyncio.Future[Sample]] = []
        questions = self._deployments[name].questions
        if not questions:
            raise UsageError(
                f"{clean(name)} is not asked by ourselves, only by its platform",
                hint="probe = true in its table asks its endpoint, which wakes it",
            )
        for kind in questions:
            futures.append(self._waiting.join(name, kind))
            self._schedule.soon(name, kind, self._clock.monotonic())
        self._wake.set()
        results = await asyncio.gather(*futures, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if isinstance(result, Sample)]

    async def lend(self, name: str, work: Coroutine[None, None, _T]) -> _T:
        """What ``work`` gives, done in a turn of this deployment: nobody else asks it.

        For a question beside the history. Raises UsageError for an unknown name, and
        where no turn came in time, or the deployment changed meanwhile.
        """
        try:
            self._know(name)
            due = await self._guests.turn(name)
        except BaseException:
            work.close()
            raise
        task = asyncio.create_task(work)
        self._tasks[due] = task
        task.add_done_callback(lambda _: self._left(due))
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.cancelled():
            raise UsageError(f"{clean(name)} was not asked: it was changed meanwhile")
        return task.result()

    def _left(self, due: Due) -> None:
        del self._tasks[due]
        self._schedule.done(due)
        self._wake.set()

    def _know(self, name: str) -> None:
        if name not in self._deployments:
            raise UsageError(
                f"no deployment is called {clean(name)}",
                hint="See `yolotop list` for those there are",
            )

    def _plan(self, name: str, *, after_s: float = 0.0) -> None:
        deployment = self._deployments[name]
        if self._conditions.is_silent(name):
            # Without intervals it is never due, and can still be asked by hand.
            deployment = replace(deployment, interval_s=0.0, predict_interval_s=0.0)
        self._end_probes(name, "it was paused or resumed meanwhile")
        self._punctuality.forget(name)
        self._schedule.put(deployment, self._clock.monotonic() + after_s)
        self._wake.set()

    def _end_probes(self, name: str, why: str) -> None:
        for due, task in self._tasks.items():
            if due.name == name:
                task.cancel()
        self._waiting.refuse(name, why)
        self._guests.refuse(name, UsageError(f"{clean(name)} was not asked: {why}"))

    # --- as time goes by -----------------------------------------------------------

    async def mind_time(self, stamp: Callable[[], None]) -> None:
        """Watch the clocks and the calendar, for ever."""
        self._timekeeper.begin()
        while True:
            stamp()
            self._look_at_clocks()
            for name in self._conditions.mind_calendar():
                self._plan(name)
            await sleep(self._clock, LOOK_S)

    def _look_at_clocks(self) -> bool:
        """Whether time passed as it should since the last look.

        Where it did not, what is in flight is forgotten: an answer that took three
        hours because this machine slept for them says nothing of its server.
        """
        jump = self._timekeeper.look()
        if jump is None:
            return True
        if jump.stepped_s:
            self._conditions.rebase(jump.stepped_s)
        said = str(jump)
        if jump.blind:
            said += "; what happened meanwhile is unknown"
            self._conditions.unseen(str(jump))
            for name in self._deployments:
                self._plan(name, after_s=AFTER_SLEEP_S)
        else:
            # Their answers are stamped with the time as it was called before.
            for due, task in self._tasks.items():
                if due.is_guest:
                    continue  # Nothing of it is stored.
                task.cancel()
                self._schedule.soon(due.name, due.kind, self._clock.monotonic())
        self._journal.add(
            Event(self._clock.now(), Severity.WARNING, EventKind.CLOCK, said)
        )
        return False

    # --- asking --------------------------------------------------------------------

    async def run(self) -> None:
        """Start what is due, for ever."""
        while True:
            self._stamp()
            self._wake.clear()
            now = self._clock.monotonic()
            free = self._most_in_flight - len(self._tasks)
            for due in self._schedule.take(now, limit=free):
                self._start(due, now)
            await wait(self._clock, self._wake, self._rest())

    def _rest(self) -> float:
        """Seconds until there may be something to do; a finished probe wakes us too."""
        next_at = self._schedule.next_at()
        if next_at is None or len(self._tasks) >= self._most_in_flight:
            return IDLE_S
        return min(IDLE_S, max(0.0, next_at - self._clock.monotonic()))

    def _start(self, due: Due, now: float) -> None:
        self._meters.asking(due.name)
        if due.is_guest:
            self._guests.seat(due)
            return
        deployment = self._deployments[due.name]
        waiters = self._waiting.take(due.name, due.kind)
        task = asyncio.create_task(self._probe(due, deployment, waiters))
        self._tasks[due] = task
        task.add_done_callback(lambda task: self._ended(due, waiters, task))
        told = self._punctuality.started(
            due, late_s=now - due.due, at=self._clock.now()
        )
        if told is not None:
            self._journal.add(told)

    def _ended(
        self, due: Due, waiters: list[asyncio.Future[Sample]], task: asyncio.Task[None]
    ) -> None:
        full = len(self._tasks) >= self._most_in_flight
        del self._tasks[due]
        self._schedule.done(due)
        if full or self._schedule.has_ready:
            self._wake.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("judging an answer of %s failed", due.name, exc_info=error)
            said = redact(clean(f"{type(error).__name__}: {error}", limit=300))
            self._say(
                Severity.ERROR, f"an answer could not be judged: {said}", due.name
            )
        for future in waiters:
            if not future.done():
                why = "the probe was ended before it had an answer"
                future.set_exception(UsageError(f"{clean(due.name)}: {why}"))

    async def _probe(
        self,
        due: Due,
        deployment: Deployment,
        waiters: list[asyncio.Future[Sample]],
    ) -> None:
        answer = await ask_once(
            self._asker, self._clock, deployment, due.kind, seed=due.number % SCENES
        )
        # Before the timer of the next look: a timeout that ended in our sleep is here.
        if not self._look_at_clocks():
            return
        sample = self._conditions.judge(answer, deployment)
        for future in waiters:
            if not future.done():
                future.set_result(sample)
        self._meters.asked(deployment, answer)
        self._ask_again(due, deployment, sample)

    def _ask_again(self, due: Due, deployment: Deployment, sample: Sample) -> None:
        """Soon after "starting up"; and once after the first failure of a run.

        The first failure stands: the second look is a sample of its own, and tells a
        lost packet from an outage in seconds.
        """
        if self._conditions.is_silent(due.name):
            return
        wait_s = 0.0
        if sample.verdict.outcome is Outcome.COLD:
            wait_s = ask_again_s(sample.answer)
        elif sample.verdict.outcome is Outcome.FAILED:
            light = light_of(self._conditions[due.name], due.kind)
            wait_s = deployment.recheck_s if light.failures == 1 else 0.0
        if wait_s > 0:
            again = self._clock.monotonic() + wait_s
            self._schedule.soon(due.name, due.kind, again)
            self._wake.set()

    def _say(self, severity: Severity, message: str, name: str | None) -> None:
        at = self._clock.now()
        self._journal.add(Event(at, severity, EventKind.COLLECTOR, message, name))

    async def aclose(self) -> None:
        """End what is in flight, of which nothing is stored; keep every state."""
        for name in list(self._deployments):
            self._end_probes(name, "the collector is stopping")
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._meters.aclose()
        self._conditions.keep_all()
