"""Ask endpoints now, outside of any schedule, and judge what they say.

Owns the order of the two questions, how many endpoints are asked at once, and asking
again while a scale-to-zero endpoint starts. It must not know who prints the result.
The probes and verdicts are the collector's own, so that both agree.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from yolotop.config.secrets import resolve
from yolotop.judge.health import advance
from yolotop.judge.verdict import judge
from yolotop.model import (
    Deployment,
    HealthState,
    Outcome,
    ProbeKind,
    Sample,
)
from yolotop.probe.prober import Prober, Shown

AT_ONCE: Final = 16
"""Endpoints asked at the same time: more would measure this machine's own queue."""
AGAIN_S: Final = 2.0
"""Pause before a starting endpoint is asked again when it names no time itself."""
SHORTEST_S: Final = 0.25
"""The least pause, whatever the server wishes: no hammering."""

Sleep = Callable[[float], Awaitable[None]]
Waiting = Callable[[Sample, float], None]


async def ask(
    deployments: Sequence[Deployment],
    *,
    waiting: Waiting,
    at_once: int = AT_ONCE,
    sleep: Sleep = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[Sample]:
    """A sample of each question of each deployment, in the order given.

    ``waiting`` is told of each answer that only says *starting up*, with the seconds
    until the question is repeated. A deployment is asked one question at a time.
    """
    gate = asyncio.Semaphore(at_once)
    prober = Prober(secret=resolve)

    async def one(deployment: Deployment) -> list[Sample]:
        async with gate:
            asker = _Asker(
                deployment, prober, waiting=waiting, sleep=sleep, clock=clock
            )
            return [await asker.ask(kind) for kind in deployment.questions]

    try:
        pairs = await asyncio.gather(*(one(deployment) for deployment in deployments))
    finally:
        await prober.aclose()
    return [sample for pair in pairs for sample in pair]


async def show_image(
    deployment: Deployment,
    *,
    waiting: Waiting,
    sleep: Sleep = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Shown, Sample]:
    """Send its own image and keep what came back whole; again while it starts.

    Raises FrameError for a file that cannot be used.
    """
    prober = Prober(secret=resolve)
    until = clock() + deployment.cold_start_s
    state = HealthState()
    try:
        while True:
            shown = await prober.show(deployment, deployment.image)
            sample = Sample(shown.answer, judge(shown.answer, deployment, state))
            state, _ = advance(state, sample, deployment)
            pause = _pause(sample)
            if sample.verdict.outcome is not Outcome.COLD or clock() + pause > until:
                return shown, sample
            waiting(sample, pause)
            await sleep(pause)
    finally:
        await prober.aclose()


def _pause(sample: Sample) -> float:
    wish = sample.answer.retry_after_s
    return max(AGAIN_S if wish is None else wish, SHORTEST_S)


class _Asker:
    """One deployment with its state between the questions and one allowance."""

    def __init__(
        self,
        deployment: Deployment,
        prober: Prober,
        *,
        waiting: Waiting,
        sleep: Sleep,
        clock: Callable[[], float],
    ) -> None:
        self._deployment = deployment
        self._prober = prober
        self._waiting = waiting
        self._sleep = sleep
        self._clock = clock
        self._state = HealthState()
        self._until = clock() + deployment.cold_start_s

    async def ask(self, kind: ProbeKind) -> Sample:
        seed = 0
        while True:
            answer = await self._prober.probe(self._deployment, kind, seed=seed)
            verdict = judge(answer, self._deployment, self._state)
            sample = Sample(answer, verdict)
            self._state, _ = advance(self._state, sample, self._deployment)
            if verdict.outcome is not Outcome.COLD:
                return sample
            pause = _pause(sample)
            if self._clock() + pause > self._until:
                return sample
            self._waiting(sample, pause)
            await self._sleep(pause)
            seed += 1
