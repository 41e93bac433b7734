"""Triton, KServe and MLServer asked by the probe itself, in every way they take."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from peer_recipes import case
from peers import Peer

from yolotop.config.presets import shipped
from yolotop.model import Answer, Deployment, Detection, ErrorKind, ProbeKind
from yolotop.model.preset import Tensor
from yolotop.probe.frames import Frame, synthetic
from yolotop.probe.prober import Prober
from yolotop.serve.engine import Engine
from yolotop.serve.run import open_engine

StartPeer = Callable[..., Peer]

NAMES = ("circle", "square", "triangle")
SMALL = (1, 3, 160, 160)
JSON = Tensor(shape=SMALL)
BINARY = Tensor(shape=SMALL, binary=True)
PICTURE = Tensor("image", datatype="BYTES", output="detections", binary=True)

WAYS: dict[str, tuple[tuple[str, Tensor], ...]] = {
    "triton": (
        ("shapes", JSON),
        ("shapes", BINARY),
        ("shapes_e2e", BINARY),
        ("shapes_img", PICTURE),
    ),
    # Takes bytes without announcing them, and answers in JSON.
    "kserve": (("shapes", JSON), ("shapes", BINARY)),
    "mlserver": (("shapes", JSON),),
}
OIP = [case(name) for name in WAYS]


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The shipped model, in this process."""
    return open_engine("shapes")


async def ask(
    peer: Peer,
    model: str = "shapes",
    tensor: Tensor = JSON,
    *,
    kind: ProbeKind = ProbeKind.PREDICT,
    seed: int = 0,
) -> Answer:
    """Ask as a deployment with that server's own preset."""
    asked = Deployment(
        peer.name,
        peer.url,
        peer.name,
        preset=shipped(peer.name),
        model=model,
        tensor=tensor,
        class_names=NAMES,
    )
    prober = Prober(secret=str)
    try:
        return await prober.probe(asked, kind, seed=seed)
    finally:
        await prober.aclose()


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    sizes = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(sizes) - width * height)


def agree(found: tuple[Detection, ...], engine: Engine, frame: Frame) -> None:
    """One to one with the model run directly."""
    own = engine.predict(frame.data, conf=0.25, iou=0.7, imgsz=None).detections
    assert len(found) == len(own) > 0
    for ours, theirs in zip(found, own, strict=True):
        assert theirs.box is not None
        assert ours.box is not None
        assert ours.label == theirs.name
        assert ours.confidence == pytest.approx(theirs.confidence, abs=0.01)
        box = tuple(theirs.box[edge] for edge in ("x1", "y1", "x2", "y2"))
        assert overlap(ours.box, box) >= 0.98


@pytest.mark.parametrize("peer", OIP, indirect=True)
async def test_what_is_seen_is_what_the_model_sees(peer: Peer, engine: Engine) -> None:
    for model, tensor in WAYS[peer.name]:
        ready = await ask(peer, model, tensor, kind=ProbeKind.HEALTH)
        assert ready.error is None, ready.error
        for seed in range(8):
            answer = await ask(peer, model, tensor, seed=seed)
            assert answer.error is None, (model, tensor, answer.error)
            assert answer.prediction is not None
            assert dict(answer.prediction.facts)["model"] == model
            agree(answer.prediction.detections, engine, synthetic(seed))


@pytest.mark.parametrize("peer", OIP, indirect=True)
async def test_what_they_refuse(peer: Peer) -> None:
    unknown = await ask(peer, "nope")
    assert unknown.error is not None
    assert unknown.error.kind is ErrorKind.MODEL_NOT_FOUND
    light = await ask(peer, "nope", kind=ProbeKind.HEALTH)
    assert light.error is not None
    assert light.error.kind in (ErrorKind.NOT_READY, ErrorKind.MODEL_NOT_FOUND)
    small = await ask(peer, tensor=Tensor(shape=(1, 3, 64, 64)))
    assert small.error is not None
    # MLServer has the author's exception for it, as text.
    assert small.error.kind in (ErrorKind.CLIENT_ERROR, ErrorKind.HANDLER_ERROR)


@pytest.mark.peers
async def test_a_dead_worker_is_ready_and_cannot_predict(
    start_peer: StartPeer,
) -> None:
    peer = start_peer("triton")
    assert peer.kill_worker()
    assert (await ask(peer, kind=ProbeKind.HEALTH)).error is None
    answer = await ask(peer, tensor=BINARY)
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.HANDLER_ERROR
    assert "not healthy" in answer.error.message
