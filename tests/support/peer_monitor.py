"""yolotop in front of a real server: what it finds, what it asks, what its lights say.

Owns the way a user goes, without a terminal: an address is recognised, what was found
and what a person adds make a table of the config file, and that is probed and judged.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import urlsplit

from peer_answers import NAMES, SIDE, Found
from peer_net import HOST
from peers import Peer

from yolotop.config.deployment import deployment_from_table
from yolotop.judge.health import advance
from yolotop.judge.reception import reception
from yolotop.judge.verdict import judge
from yolotop.model import (
    Answer,
    Deployment,
    Health,
    HealthState,
    ProbeKind,
    Sample,
    SecretRef,
)
from yolotop.probe import dialects
from yolotop.probe.dialects import Dialect
from yolotop.probe.dialects.protocol import RequestSpec
from yolotop.probe.frames import Frame
from yolotop.probe.prober import Prober
from yolotop.probe.recognise import Finding, recognise

REF = SecretRef("env", "PEER_KEY")

Table = Mapping[str, object]


def merged(under: Table, over: Table) -> dict[str, object]:
    """Two tables of the config file, the second going before."""
    both = dict(under)
    for key, value in over.items():
        was = both.get(key)
        if isinstance(was, dict) and isinstance(value, dict):
            both[key] = merged(was, value)
        else:
            both[key] = value
    return both


@dataclass
class Witness:
    """What went through to a server, by the first line of each request."""

    url: str
    lines: list[str] = field(default_factory=list)
    bodies: int = 0
    """Bytes that followed a head, which a GET has none of."""


@contextlib.asynccontextmanager
async def witnessed(url: str) -> AsyncIterator[Witness]:
    """Stand in front of a server and write down what it is asked."""
    port = urlsplit(url).port
    seen = Witness("")
    tasks: set[asyncio.Task[None]] = set()

    async def asks(reader: asyncio.StreamReader, on: asyncio.StreamWriter) -> None:
        kept = b""
        while data := await reader.read(65_536):
            kept += data
            while (end := kept.find(b"\r\n\r\n")) >= 0:
                seen.lines.append(kept.split(b"\r\n", 1)[0].decode())
                kept = kept[end + 4 :]
            on.write(data)
            await on.drain()
        seen.bodies += len(kept)
        on.close()

    async def answers(reader: asyncio.StreamReader, on: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            on.write(data)
            await on.drain()
        on.close()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to = await asyncio.open_connection(HOST, port)
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError):
                await asyncio.gather(asks(reader, to), answers(there, writer))
        finally:
            for one in (to, writer):
                one.close()
                with contextlib.suppress(ConnectionError):
                    await one.wait_closed()
            tasks.discard(task)

    server = await asyncio.start_server(lead, HOST, 0)
    seen.url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    try:
        yield seen
    finally:
        server.close()
        left = list(tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def looked_at(
    url: str, *, model: str | None = None, key: str | None = None
) -> Finding:
    """Recognise what is there, as ``add`` does, with ``--model`` where one is said."""
    api_key = None if key is None else REF
    deployment = Deployment("d", url, model=model, api_key=api_key)
    return await recognise(deployment, secret=lambda _: key or "")


def registered(finding: Finding, given: Table, at: Peer) -> Deployment:
    """The deployment whose table was found, and completed by a person."""
    base = urlsplit(finding.url)._replace(netloc=urlsplit(at.url).netloc).geturl()
    assert finding.dialect is not None
    found = {"name": "d", "url": base, "dialect": finding.dialect, **finding.settings}
    return deployment_from_table(merged(found, given), {}, "what was found")


@dataclass(frozen=True)
class Lights:
    """What both questions came to, and the lights after them."""

    ready: str | None
    """How the cheap question was received; ``None``: it could not be asked."""
    predict: str | None
    health: Health
    ready_light: Health
    predict_light: Health
    samples: tuple[Sample, ...] = ()

    @property
    def words(self) -> tuple[str | None, str | None]:
        """How both were received."""
        return self.ready, self.predict


class Monitor:
    """Probes one deployment, judges, and turns its lights: one failure is enough."""

    def __init__(
        self, deployment: Deployment, *, key: str = "", bad_picture: bool = False
    ) -> None:
        self.deployment = replace(deployment, fail_after=1, recover_after=1)
        self.state = HealthState()
        known = dialects.KNOWN
        if bad_picture:
            known = {name: _garbled(one) for name, one in known.items()}
        self._prober = Prober(secret=lambda _: key, known=known)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of its connections."""
        await self._prober.aclose()

    async def ask(self, kind: ProbeKind, *, seed: int = 3) -> Sample:
        """One probe, judged."""
        answer = await self._prober.probe(self.deployment, kind, seed=seed)
        sample = Sample(answer, judge(answer, self.deployment, self.state))
        self.state, _ = advance(self.state, sample, self.deployment)
        return sample

    async def look(self) -> Lights:
        """Ask both."""
        ready = await self.ask(ProbeKind.HEALTH)
        predict = await self.ask(ProbeKind.PREDICT)
        return Lights(
            received(ready),
            received(predict),
            self.state.health,
            self.state.liveness.health,
            self.state.predict.health,
            (ready, predict),
        )


def received(sample: Sample) -> str | None:
    """The word of the closed set."""
    error = sample.verdict.error
    return reception(sample.answer, None if error is None else error.kind)


def seen(answer: Answer) -> list[Found]:
    """What an answer says was seen, in the terms of ``peer_answers``."""
    assert answer.prediction is not None
    found = []
    for item in answer.prediction.detections:
        assert item.box is not None
        assert item.confidence is not None
        found.append(Found(item.label, item.confidence, item.box))
    return found


def _garbled(inner: Dialect) -> Dialect:
    """A dialect that sends something else than the picture: no probe would."""

    def predict_request(deployment: Deployment, frame: Frame) -> RequestSpec:
        bad = replace(frame, data=b"no picture", sha256="0" * 64)
        return type(inner).predict_request(inner, deployment, bad)

    changed = copy.copy(inner)
    vars(changed)["predict_request"] = predict_request
    return changed


# --- as they would stand in a config file --------------------------------------------

_TENSOR: Table = {
    "model": "shapes",
    "class_names": list(NAMES),
    "tensor": {"shape": [1, 3, SIDE, SIDE]},
}

TABLES: Mapping[str, Table] = {
    "fastapi": {"dialect": "fastapi"},
    "litserve": {"dialect": "litserve", "request": {"field": "image"}},
    "bentoml": {"dialect": "bentoml"},
    "mosec": {"dialect": "mosec"},
    "azureml": {"dialect": "azureml"},
    "kserve": {"dialect": "kserve", **_TENSOR},
    "kserve v1": {"dialect": "kserve-v1", "model": "shapes"},
    "triton": {"dialect": "triton", **_TENSOR},
    "triton picture": {
        "dialect": "triton",
        "model": "shapes_img",
        "tensor": {"input": "image", "datatype": "BYTES", "output": "detections"},
    },
    "mlserver": {"dialect": "mlserver", **_TENSOR},
    "torchserve": {"dialect": "torchserve", "model": "shapes"},
    "ray": {"dialect": "ray-serve"},
    "mlflow": {"dialect": "mlflow"},
}
"""By the server's name, and the way where there are several."""


def monitor(
    peer: Peer,
    name: str = "",
    *,
    timeout: str = "10s",
    key: str = "",
    bad_picture: bool = False,
) -> Monitor:
    """One that is registered already, with the table of that name."""
    table: dict[str, object] = {
        "name": "d",
        "url": peer.url,
        "timeout": timeout,
        "interval": "1m",
    }
    if key:
        table["api_key"] = "env:PEER_KEY"
    table = {**table, **TABLES[name or peer.name]}
    deployment = deployment_from_table(table, {}, "a test")
    return Monitor(deployment, key=key, bad_picture=bad_picture)
