"""The questions of a load test: real predict probes, judged as the collector would.

Owns what is sent, how much it weighs, and what one answer counts as. Must not know
pace or levels.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from yolotop.errors import UsageError
from yolotop.judge.verdict import judge
from yolotop.load.tally import Asked
from yolotop.model import (
    Answer,
    Deployment,
    ErrorKind,
    HealthState,
    Outcome,
    ProbeKind,
    SecretRef,
    ServerTimes,
)
from yolotop.probe import dialects, frames
from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.frames import Frame, FrameError
from yolotop.probe.pictures import SCENES, Pictures
from yolotop.probe.prober import Prober

HEADERS_BYTES: Final = 512
"""What headers come to, about; the body is counted exactly."""
_FRESH: Final = HealthState()


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one question sends: where, which image, and how many bytes at most."""

    method: str
    url: str
    image: str
    most_bytes: int


async def parcel(deployment: Deployment) -> Parcel:
    """Weigh a question, without sending it. Raises UsageError where none can be.

    Every drawn scene is drawn for it, so that none is drawn while time is taken.
    """
    dialect = dialects.lookup(deployment.preset.dialect)
    weights: list[int] = []
    try:
        for frame in await _frames(deployment):
            spec = dialect.predict_request(deployment, frame)
            weights.append(len(spec.body) + HEADERS_BYTES)
            method, url, image = spec.method, spec.url, _words(frame)
    except (FrameError, UnsendableRequest) as error:
        raise UsageError(
            f"{deployment.name} cannot be asked: {error}",
            hint=f"Try `yolotop check {deployment.name}` first",
        ) from error
    return Parcel(method, url, image, max(weights))


async def _frames(deployment: Deployment) -> list[Frame]:
    if deployment.image != "synthetic":
        return [await Pictures().frame(deployment.image, 0)]

    def draw() -> list[Frame]:
        return [frames.synthetic(scene) for scene in range(SCENES)]

    return await asyncio.to_thread(draw)


def _words(frame: Frame) -> str:
    kind = frame.media_type.rpartition("/")[2].upper()
    return f"{frame.width}×{frame.height} {kind}"


class Asker:
    """Asks one deployment. Each number is an asker with a connection of its own.

    ``reuse`` keeps connections open between questions. Drawn scenes take turns, so
    that no cache of answers is measured; a file is always the same.
    """

    def __init__(
        self,
        deployment: Deployment,
        *,
        secret: Callable[[SecretRef], str],
        reuse: bool,
    ) -> None:
        self._deployment = replace(deployment, reuse=reuse)
        self._prober = Prober(secret=secret)
        self._places: dict[int, Deployment] = {}
        self._scene = 0

    async def ask(self, place: int) -> Asked:
        """One predict probe; never raises for what a server does."""
        deployment = self._places.get(place)
        if deployment is None:
            # A connection is kept under a deployment's name, one for each.
            name = f"{self._deployment.name} ({place})"
            deployment = replace(self._deployment, name=name)
            self._places[place] = deployment
        self._scene = (self._scene + 1) % SCENES
        answer = await self._prober.probe(
            deployment, ProbeKind.PREDICT, seed=self._scene
        )
        return outcome(answer, deployment)

    async def aclose(self) -> None:
        """Close the kept connections."""
        await self._prober.aclose()


def outcome(answer: Answer, deployment: Deployment) -> Asked:
    """What an answer counts as; an instance that is only starting up is no answer."""
    verdict = judge(answer, deployment, _FRESH)
    error: str | None = None
    if not verdict.ok:
        error = verdict.outcome.value
        if verdict.error is not None:
            error = verdict.error.kind.value
        elif verdict.outcome is Outcome.COLD:
            error = ErrorKind.COLD_START.value
    told = answer.prediction.server if answer.prediction else None
    return Asked(
        answer.latency_ms,
        error,
        "" if error is None else verdict.message,
        _server_ms(told),
        timed_out=answer.error is not None and answer.error.kind is ErrorKind.TIMEOUT,
    )


def _server_ms(told: ServerTimes | None) -> float | None:
    """The server's own time: of the whole call, or of the steps that it tells."""
    if told is None:
        return None
    if told.call is not None:
        return told.call
    steps = (told.queue, told.preprocess, told.inference, told.postprocess)
    known = [step for step in steps if step is not None]
    return sum(known) if known else None
