"""The rounds: who is due is asked, the answer judged, the verdict queued.

Owns the schedule in motion, the probes in flight and the health states. One task
plans, one task per probe asks; nothing here waits for the store, the config file or a
face. It must not know HTTP or SQL.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

from yolotop.collect.clock import Clock, wait
from yolotop.collect.journal import Journal
from yolotop.collect.schedule import Due, Schedule
from yolotop.errors import UsageError
from yolotop.judge.health import advance, pause, resume
from yolotop.judge.verdict import judge
from yolotop.model import (
    Answer,
    Deployment,
    ErrorKind,
    Event,
    EventKind,
    Health,
    HealthState,
    Outcome,
    ProbeError,
    ProbeKind,
    Sample,
    Severity,
)
from yolotop.probe.prober import deadline_s
from yolotop.text import clean, redact

MOST_IN_FLIGHT: Final = 64
SCENES: Final = 8
"""Synthetic images a deployment is asked about in turn."""
GRACE_S: Final = 5.0
"""A probe that is still running this long after its own deadline is ended."""
ASK_AGAIN_S: Final = 2.0
"""When to ask again after "starting up" where the server has no wish of its own."""
ASK_AGAIN_AT_LEAST_S: Final = 1.0
ASK_AGAIN_AT_MOST_S: Final = 30.0
SAY_MISSED_S: Final = 600.0
"""Missed slots of one deployment are told at most this often."""
IDLE_S: Final = 5.0
PAUSED_BY_FILE: Final = "paused in the configuration"
PAUSED_BY_HAND: Final = "paused"

_log = logging.getLogger("yolotop.collect")
_Key: TypeAlias = tuple[str, ProbeKind]


class Asker(Protocol):
    """Whoever asks a deployment: the prober."""

    async def probe(
        self, deployment: Deployment, kind: ProbeKind, *, seed: int = 0
    ) -> Answer:
        """Ask once; what goes wrong is in the answer."""


class Rounds:
    """Every followed deployment, asked in time. ``stamp`` is told of each step."""

    def __init__(
        self,
        asker: Asker,
        journal: Journal,
        clock: Clock,
        *,
        states: dict[str, HealthState] | None = None,
        most_in_flight: int = MOST_IN_FLIGHT,
        stamp: Callable[[], None] = lambda: None,
    ) -> None:
        self._asker = asker
        self._journal = journal
        self._clock = clock
        self._states = dict(states or {})
        self._most_in_flight = most_in_flight
        self._stamp = stamp
        self._schedule = Schedule()
        self._deployments: dict[str, Deployment] = {}
        self._tasks: dict[Due, asyncio.Task[None]] = {}
        self._waiters: defaultdict[_Key, list[asyncio.Future[Sample]]]
        self._waiters = defaultdict(list)
        self._wake = asyncio.Event()
        self._missed: dict[str, int] = {}
        self._said_missed: dict[str, float] = {}

    @property
    def overruns(self) -> int:
        """Slots missed since the start."""
        return self._schedule.overruns

    @property
    def in_flight(self) -> int:
        """Probes that are running."""
        return len(self._tasks)

    def effective(self) -> list[Deployment]:
        """The followed deployments in order, with ``paused`` as it really is."""
        return [
            replace(deployment, paused=self._is_paused(name))
            for name, deployment in self._deployments.items()
        ]

    def state(self, name: str) -> HealthState:
        """The state of a followed deployment."""
        return self._states[name]

    # --- who is followed -----------------------------------------------------------

    def follow(self, deployment: Deployment, *, anew: bool = False) -> None:
        """Ask ``deployment`` from now on, in place of one of that name.

        ``anew`` forgets the state: it was another endpoint's.
        """
        name, at = deployment.name, self._clock.now()
        before = self._deployments.get(name)
        self._end_probes(name, "it was changed meanwhile")
        self._deployments[name] = deployment
        state = self._states.get(name, HealthState(since=at))
        if anew and state.health is not Health.PAUSED:
            state = HealthState(since=at)
        self._states[name] = state
        switched_on = before is not None and before.paused and not deployment.paused
        by_file = state.message == PAUSED_BY_FILE and not deployment.paused
        if deployment.paused:
            self._change(name, *pause(state, name, at=at, reason=PAUSED_BY_FILE))
        elif switched_on or by_file:
            self._change(name, *resume(state, name, at=at))
        self._plan(name)

    def arrange(self, names: Sequence[str]) -> None:
        """Take the order of the config file."""
        self._deployments = {name: self._deployments[name] for name in names}

    def drop(self, name: str) -> None:
        """Ask ``name`` no longer."""
        self._schedule.remove(name)
        self._deployments.pop(name, None)
        self._states.pop(name, None)
        self._missed.pop(name, None)
        self._said_missed.pop(name, None)
        self._end_probes(name, "it was removed")

    def pause(self, name: str) -> None:
        """Ask ``name`` only by hand, also after a restart. UsageError: unknown."""
        state = self._known(name)
        at = self._clock.now()
        self._change(name, *pause(state, name, at=at, reason=PAUSED_BY_HAND))
        self._plan(name)

    def resume(self, name: str) -> None:
        """Ask ``name`` again, beginning at *unknown*. UsageError: unknown name."""
        state = self._known(name)
        self._change(name, *resume(state, name, at=self._clock.now()))
        self._plan(name)

    async def ask(self, name: str) -> list[Sample]:
        """Ask both questions now, paused or not; the samples once both are judged.

        Raises UsageError for an unknown name, or one that changes meanwhile.
        """
        self._known(name)
        now, loop = self._clock.monotonic(), asyncio.get_running_loop()
        futures: list[asyncio.Future[Sample]] = []
        for kind in (ProbeKind.HEALTH, ProbeKind.PREDICT):
            future = loop.create_future()
            self._waiters[name, kind].append(future)
            futures.append(future)
            self._schedule.soon(name, kind, now)
        self._wake.set()
        results = await asyncio.gather(*futures, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if isinstance(result, Sample)]

    def _known(self, name: str) -> HealthState:
        if name not in self._deployments:
            raise UsageError(
                f"no deployment is called {clean(name)}",
                hint="See `yolotop list` for those there are",
            )
        return self._states[name]

    def _is_paused(self, name: str) -> bool:
        return self._states[name].health is Health.PAUSED

    def _plan(self, name: str) -> None:
        deployment = self._deployments[name]
        if self._is_paused(name):
            # Without intervals it is never due, and can still be asked by hand.
            deployment = replace(deployment, interval_s=0.0, predict_interval_s=0.0)
        self._end_probes(name, "it was paused or resumed meanwhile")
        self._schedule.put(deployment, self._clock.monotonic())
        self._wake.set()

    def _change(self, name: str, state: HealthState, events: tuple[Event, ...]) -> None:
        self._states[name] = state
        self._journal.add(*events, state=(name, state))

    def _end_probes(self, name: str, why: str) -> None:
        for due, task in self._tasks.items():
            if due.name == name:
                task.cancel()
        for kind in ProbeKind:
            for future in self._waiters.pop((name, kind), ()):
                if not future.done():
                    error = UsageError(f"{clean(name)} was not asked: {why}")
                    future.set_exception(error)

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
        deployment = self._deployments[due.name]
        waiters = self._waiters.pop((due.name, due.kind), [])
        task = asyncio.create_task(self._probe(due, deployment, waiters))
        self._tasks[due] = task
        task.add_done_callback(lambda task: self._ended(due, waiters, task))
        if due.missed:
            self._say_missed(due, now)

    def _ended(
        self, due: Due, waiters: list[asyncio.Future[Sample]], task: asyncio.Task[None]
    ) -> None:
        del self._tasks[due]
        self._schedule.done(due)
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
        before = self._states[due.name]
        sample = Sample(answer, judge(answer, deployment, before))
        after, events = advance(before, sample, deployment)
        self._states[due.name] = after
        self._journal.add(*events, sample=sample, state=(due.name, after))
        for future in waiters:
            if not future.done():
                future.set_result(sample)
        if sample.verdict.outcome is Outcome.COLD and not self._is_paused(due.name):
            again = self._clock.monotonic() + _ask_again_s(answer)
            self._schedule.soon(due.name, due.kind, again)

    def _say_missed(self, due: Due, now: float) -> None:
        missed = self._missed.get(due.name, 0) + due.missed
        self._missed[due.name] = missed
        if now - self._said_missed.get(due.name, -math.inf) < SAY_MISSED_S:
            return
        self._said_missed[due.name], self._missed[due.name] = now, 0
        slots = "1 probe was" if missed == 1 else f"{missed} probes were"
        message = f"{slots} not sent: the one before, or the machine, took too long"
        event = Event(
            self._clock.now(), Severity.WARNING, EventKind.OVERRUN, message, due.name
        )
        self._journal.add(event)

    def _say(self, severity: Severity, message: str, name: str | None) -> None:
        at = self._clock.now()
        self._journal.add(Event(at, severity, EventKind.COLLECTOR, message, name))

    async def aclose(self) -> None:
        """End what is in flight; nothing of it is stored."""
        for name in list(self._deployments):
            self._end_probes(name, "the collector is stopping")
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def ask_once(
    asker: Asker,
    clock: Clock,
    deployment: Deployment,
    kind: ProbeKind,
    *,
    seed: int = 0,
) -> Answer:
    """An answer whatever happens, in bounded time: the prober is not trusted here."""
    at, started = clock.now(), clock.monotonic()
    try:
        async with asyncio.timeout(deadline_s(deployment) + GRACE_S):
            return await asker.probe(deployment, kind, seed=seed)
    except TimeoutError:
        why = "the probe did not end within its deadline"
    except Exception as error:  # noqa: BLE001 - becomes a recorded verdict
        _log.exception("the prober failed on %s", deployment.name)
        why = redact(clean(f"{type(error).__name__}: {error}", limit=300))
    return Answer(
        deployment=deployment.name,
        kind=kind,
        started_at=at,
        latency_ms=(clock.monotonic() - started) * 1000,
        error=ProbeError(ErrorKind.INTERNAL, why),
    )


def _ask_again_s(answer: Answer) -> float:
    wish = answer.retry_after_s
    if wish is None or not math.isfinite(wish):
        return ASK_AGAIN_S
    return min(ASK_AGAIN_AT_MOST_S, max(ASK_AGAIN_AT_LEAST_S, wish))
