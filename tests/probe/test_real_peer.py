"""The probe against a real peer: our own endpoint on uvicorn, a real model inside."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

pytest.importorskip("onnxruntime", reason="needs the serve extra")
pytest.importorskip("fastapi", reason="needs the serve extra")

import uvicorn
from fastapi import FastAPI

from yolotop.model import Deployment, ErrorKind, ProbeKind, SecretRef
from yolotop.probe.prober import SCENES, Prober
from yolotop.serve.app import create_app
from yolotop.serve.run import listen, open_engine, url_of

KEY = "right-key"
REF = SecretRef("env", "KEY")


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Run an app in a thread with a loop of its own; yields its URL."""
    listener = listen("127.0.0.1", 0)
    server = _Server(
        uvicorn.Config(app, log_level="critical", ws="none", lifespan="off")
    )
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        assert server.ready.wait(10), "uvicorn did not start"
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def url() -> Iterator[str]:
    """The shipped model behind a key."""
    with serving(create_app(open_engine("shapes"), api_key=KEY)) as at:
        yield at


async def test_what_is_drawn_is_what_is_seen(url: str) -> None:
    prober = Prober(secret=lambda _: KEY)
    deployment = Deployment("d", url, api_key=REF, timeout_s=30, conf=0.5)
    ids = set()
    for seed in range(0, SCENES, 4):
        answer = await prober.probe(deployment, ProbeKind.PREDICT, seed=seed)
        assert answer.error is None
        assert answer.http_status == 200
        assert answer.prediction is not None
        assert answer.drawn is not None
        found = sorted(item.label for item in answer.prediction.detections)
        assert found == sorted(item.label for item in answer.drawn)
        assert answer.prediction.image_shape == (320, 320)
        assert answer.prediction.server is not None
        assert answer.prediction.server.inference is not None
        assert answer.phases.send is not None
        assert answer.phases.wait is not None
        # The model's own time is a part of the time we waited. Where cores are few, the
        # server has begun before this process is told that its last byte went out.
        waited = answer.phases.send + answer.phases.wait
        assert answer.prediction.server.inference <= waited
        assert answer.prediction.alive_s is not None
        ids.add(answer.prediction.model_id)
    assert len(ids) == 1
    assert None not in ids


async def test_health_and_a_wrong_key(url: str) -> None:
    prober = Prober(secret=lambda _: "wrong-key")
    deployment = Deployment("d", url, api_key=REF, timeout_s=30)
    health = await prober.probe(deployment, ProbeKind.HEALTH)
    assert (health.error, health.http_status) == (None, 200)
    refused = await prober.probe(deployment, ProbeKind.PREDICT)
    assert refused.error is not None
    assert refused.error.kind is ErrorKind.UNAUTHORIZED
    assert refused.http_status == 401
    assert refused.body_head
    assert "{" not in refused.body_head


async def test_two_models_have_two_ids(url: str) -> None:
    prober = Prober(secret=lambda _: KEY)
    first = await prober.probe(
        Deployment("d", url, api_key=REF, timeout_s=30), ProbeKind.PREDICT
    )
    with serving(create_app(open_engine("shapes2"))) as other:
        second = await prober.probe(
            Deployment("e", other, timeout_s=30), ProbeKind.PREDICT
        )
    assert first.prediction is not None
    assert second.prediction is not None
    assert first.prediction.model_id != second.prediction.model_id
