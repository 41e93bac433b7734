"""The demo's blind and swapped characters, caught by a pinned answer: real sockets, the
model that ships, a clock moved by hand.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("onnxruntime", reason="needs the demo extra")

import uvicorn

from yolotop.config.secrets import resolve
from yolotop.demo import characters
from yolotop.demo.workshop import Workshop
from yolotop.judge.canary import baseline_of
from yolotop.judge.health import advance
from yolotop.judge.verdict import STUCK, judge
from yolotop.model import (
    Deployment,
    Event,
    EventKind,
    Health,
    HealthState,
    Outcome,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.probe.frames import synthetic
from yolotop.probe.prober import Prober
from yolotop.serve.run import listen, open_engine, url_of

if TYPE_CHECKING:
    from tests.demo.conftest import HandClock
    from yolotop.model import Baseline


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.contextmanager
def serving(app: Any) -> Iterator[str]:
    """The app in a uvicorn on a free port; yields its URL."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, log_level="critical", ws="none", lifespan="off")
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    assert server.ready.wait(10), "uvicorn did not start"
    try:
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


class Watch:
    """Asks like the collector: one predict probe after the other, judged in turn."""

    def __init__(self, prober: Prober, deployment: Deployment) -> None:
        self.prober = prober
        self.deployment = deployment
        self.state = HealthState()
        self.events: list[Event] = []
        self.seed = 0

    async def ask(self) -> Verdict:
        self.seed += 1
        answer = await self.prober.probe(
            self.deployment, ProbeKind.PREDICT, seed=self.seed
        )
        verdict = judge(answer, self.deployment, self.state)
        sample = Sample(answer, verdict)
        self.state, events = advance(self.state, sample, self.deployment)
        self.events += events
        return verdict


async def pinned(prober: Prober, deployment: Deployment) -> Baseline:
    """What a person would pin now."""
    shown = await prober.show(deployment, deployment.image)
    prediction = shown.answer.prediction
    assert prediction is not None
    assert prediction.detections
    return baseline_of(
        prediction, image_sha256=shown.frame.sha256, pinned_at=shown.answer.started_at
    )


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    opened = Prober(secret=resolve)
    yield opened
    await opened.aclose()


@pytest.fixture
def real(clock: HandClock) -> Workshop:
    return Workshop(open_engine, seed=3, now=clock.now, sleep=clock.sleep)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Five shapes, two of them triangles."""
    path = tmp_path / "yard.jpg"
    path.write_bytes(synthetic(0).data)
    return path


async def test_the_blind_one_is_caught_at_once(
    real: Workshop, clock: HandClock, prober: Prober, picture: Path
) -> None:
    blind = characters.Blind("yard-7", real)
    with serving(blind) as url:
        plain = Deployment("yard-7", url, image=str(picture))
        golden = replace(plain, golden=await pinned(prober, plain))
        watch = Watch(prober, golden)
        clock.move(1.0)  # or it would have been born for this question
        for _ in range(3):
            assert (await watch.ask()).message == "5 detections, as pinned"
        clock.move(characters.Blind.FIRST_S)
        blind.tick()
        caught = await watch.ask()
        assert (caught.outcome, caught.severity) == (Outcome.WRONG, Severity.ERROR)
        assert caught.message.startswith("wrong answer: got none, pinned circle ×1")
        assert watch.state.health is Health.DEGRADED
        clock.move(characters.Blind.BLIND_S)
        blind.tick()
        assert (await watch.ask()).outcome is Outcome.OK


async def test_the_swapped_one_is_caught_at_once_and_asks_for_a_new_baseline(
    real: Workshop, clock: HandClock, prober: Prober, picture: Path
) -> None:
    swapped = characters.Swapped("lane-6", real)
    with serving(swapped) as url:
        plain = Deployment("lane-6", url, image=str(picture))
        baseline = await pinned(prober, plain)
        assert dict(baseline.facts)["model"] == "shapes"
        watch = Watch(prober, replace(plain, golden=baseline))
        # Where a server tells nothing of its model, the answer itself tells.
        silent = Watch(prober, replace(plain, golden=replace(baseline, facts=())))
        assert (await watch.ask()).outcome is Outcome.OK
        assert (await silent.ask()).outcome is Outcome.OK
        clock.move(characters.Swapped.FIRST_S)
        swapped.tick()
        caught = await watch.ask()
        assert caught.outcome is Outcome.CHANGED
        assert caught.message.startswith("changed: model shapes → shapes2; pin a new")
        assert watch.state.health is Health.DEGRADED
        told = [e.message for e in watch.events if e.kind is EventKind.MODEL_CHANGED]
        assert len(told) == 1
        assert told[0].startswith("model replaced: shapes → shapes2; classes changed:")
        assert (await silent.ask()).outcome is Outcome.WRONG
        # The new baseline that it asked for is the cure.
        again = await pinned(prober, plain)
        watch.deployment = replace(plain, golden=again)
        assert (await watch.ask()).outcome is Outcome.OK
        assert (await watch.ask()).outcome is Outcome.OK
        assert watch.state.health is Health.UP


class Cached(characters.Healthy):
    """Somebody put a cache before it that looks at the path only."""

    def __init__(self, name: str, workshop: Workshop) -> None:
        super().__init__(name, workshop)
        self._kept: list[Any] = []

    async def predict(self, scope: Any, receive: Any, send: Any) -> None:
        if self._kept:
            while (await receive()).get("more_body"):
                pass
            for message in self._kept:
                await send(message)
            return

        async def keep(message: Any) -> None:
            self._kept.append(message)
            await send(message)

        await self.serve(scope, receive, keep)


async def test_a_cached_answer_is_caught_with_the_second_image(
    real: Workshop, prober: Prober
) -> None:
    with serving(Cached("hall-1", real)) as url:
        watch = Watch(prober, Deployment("hall-1", url))
        assert (await watch.ask()).outcome is Outcome.OK
        verdict = await watch.ask()
        assert (verdict.outcome, verdict.message) == (Outcome.WRONG, STUCK)


async def test_a_healthy_one_is_never_stuck(real: Workshop, prober: Prober) -> None:
    with serving(characters.Healthy("dock-cam", real)) as url:
        watch = Watch(prober, Deployment("dock-cam", url))
        for _ in range(5):
            assert (await watch.ask()).outcome is Outcome.OK
