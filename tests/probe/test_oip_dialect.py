"""The Open Inference Protocol against a fake with the real model inside."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

pytest.importorskip("onnxruntime", reason="needs the serve extra")
pytest.importorskip("fastapi", reason="needs the serve extra")

import numpy as np
import uvicorn
from fake_oip import FakeOip, Floats

from yolotop.config.presets import shipped
from yolotop.model import Answer, Deployment, Detection, ErrorKind, ProbeKind
from yolotop.model.preset import Head, Tensor
from yolotop.probe.dialects.oip import MOST_KEPT, OpenInference
from yolotop.probe.frames import Frame, synthetic
from yolotop.probe.prober import Prober
from yolotop.serve.onnx_engine import OnnxEngine
from yolotop.serve.run import listen, open_engine, url_of

NAMES = ("circle", "square", "triangle")
OIP = shipped("oip")
SMALL = (1, 3, 160, 160)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.contextmanager
def serving(fake: FakeOip) -> Iterator[str]:
    """Run it in a thread with a loop of its own; yields its URL."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(fake.app(), log_level="critical", ws="none", lifespan="off")
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        assert server.ready.wait(10), "uvicorn did not start"
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@cache
def engine() -> OnnxEngine:
    found = open_engine("shapes")
    assert isinstance(found, OnnxEngine)
    return found


def raw_head(x: Floats) -> Floats:
    """What the model itself gives: [1, 7, 525]."""
    session = engine()._session
    output: Any = session.run(None, {session.get_inputs()[0].name: x})[0]
    return np.asarray(output)


def turned_head(x: Floats) -> Floats:
    return np.ascontiguousarray(raw_head(x).transpose(0, 2, 1))


def rows_head(x: Floats) -> Floats:
    """As an end-to-end export of it, each box there twice: [1, 300, 6]."""
    from yolotop.serve import nms

    found = nms.raw_head(raw_head(x)[0], conf=0.02, iou=0.7)
    again = found - np.array([0.1, 0.1, 0.1, 0.1, 0.01, 0.0], found.dtype)
    rows = np.zeros((1, 300, 6), "<f4")
    both = np.concatenate([found, again])[:300]
    rows[0, : len(both)] = both
    return rows


def deployment(url: str, **more: Any) -> Deployment:
    told: dict[str, Any] = {
        "model": "shapes",
        "class_names": NAMES,
        "tensor": Tensor(shape=SMALL),
    }
    return Deployment("oip", url, "oip", preset=OIP, **{**told, **more})


async def ask(
    asked: Deployment, kind: ProbeKind = ProbeKind.PREDICT, seed: int = 0
) -> Answer:
    prober = Prober(secret=str)
    try:
        return await prober.probe(asked, kind, seed=seed)
    finally:
        await prober.aclose()


def overlap(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    sizes = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(sizes) - width * height)


def agree(found: tuple[Detection, ...], frame: Frame) -> None:
    """The same detections, one to one, as the engine has for the same image."""
    own = engine().predict(frame.data, conf=0.25, iou=0.7, imgsz=None)
    assert len(found) == len(own.detections) > 0
    for ours, theirs in zip(found, own.detections, strict=True):
        corners = theirs.box
        assert corners is not None
        box = (corners["x1"], corners["y1"], corners["x2"], corners["y2"])
        assert ours.label == theirs.name
        assert ours.confidence == pytest.approx(theirs.confidence, abs=0.01)
        assert ours.box is not None
        assert overlap(ours.box, box) >= 0.98


WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "json": ({}, {}),
    "json, nested": ({"nested": True}, {}),
    "json, packed": ({"packed": True}, {}),
    "json of bytes 0-255": ({}, {"datatype": "UINT8"}),
    "binary": ({}, {"binary": True}),
    "binary, packed": ({"packed": True}, {"binary": True}),
    "binary there, JSON back": ({"binary": True}, {"binary": True}),
    "FP16 there and back": ({"reply": "FP16"}, {"binary": True, "datatype": "FP16"}),
    "UINT8 there, FP64 back": (
        {"reply": "FP64"},
        {"binary": True, "datatype": "UINT8"},
    ),
    "NHWC": (
        {"shape": (1, 160, 160, 3)},
        {"binary": True, "shape": (1, -1, -1, 3)},
    ),
    "without a batch": ({"shape": (3, 160, 160)}, {"shape": (3, 160, 160)}),
}
HEADS = {"raw": raw_head, "turned": turned_head, "end to end": rows_head}


@pytest.mark.parametrize("way", WAYS)
async def test_detections_are_those_of_the_model_run_directly(way: str) -> None:
    server, tensor = WAYS[way]
    fake = FakeOip(raw_head, **server)
    told = Tensor(**{"shape": SMALL, **tensor})
    with serving(fake) as url:
        for seed in range(8):
            asked = deployment(url, tensor=told, imgsz=160)
            answer = await ask(asked, seed=seed)
            assert answer.error is None, answer.error
            assert answer.prediction is not None
            agree(answer.prediction.detections, synthetic(seed))
    assert all(isinstance(head["id"], str) for head in fake.asked)
    assert all(
        ("parameters" in head["inputs"][0]) is told.binary for head in fake.asked
    )


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("binary", [False, True])
async def test_every_head_gives_the_same(head: str, *, binary: bool) -> None:
    fake = FakeOip(HEADS[head])
    with serving(fake) as url:
        for seed in range(8):
            tensor = Tensor(shape=SMALL, binary=binary)
            answer = await ask(deployment(url, tensor=tensor), seed=seed)
            assert answer.error is None, answer.error
            assert answer.prediction is not None
            agree(answer.prediction.detections, synthetic(seed))


async def test_who_answered_is_told() -> None:
    with serving(FakeOip(raw_head)) as url:
        answer = await ask(deployment(url, model_version="7", class_names=()))
    found = answer.prediction
    assert found is not None
    assert found.model_id == "shapes, version 7"
    assert found.facts == (("model", "shapes"), ("version", "7"))
    assert found.image_shape == (320, 320)
    assert {one.label for one in found.detections} <= {"class 0", "class 1", "class 2"}


@pytest.mark.parametrize("binary", [False, True])
async def test_an_image_as_bytes_and_detections_as_json(*, binary: bool) -> None:
    frame = synthetic(3)
    seen: list[bytes] = []

    def say(image: bytes) -> object:
        seen.append(image)
        own = engine().predict(image, conf=0.25, iou=0.7, imgsz=None)
        results = [
            {"name": one.name, "confidence": one.confidence, "box": one.box}
            for one in own.detections
        ]
        return {"images": [{"results": results, "speed": {"inference": 2.0}}]}

    tensor = Tensor("image", datatype="BYTES", output="out", binary=binary)
    with serving(FakeOip(raw_head, say=say)) as url:
        answer = await ask(deployment(url, tensor=tensor), seed=3)
    assert answer.error is None, answer.error
    assert seen == [frame.data]
    assert answer.prediction is not None
    agree(answer.prediction.detections, frame)
    assert answer.prediction.model_id == "shapes, version 1"
    assert answer.prediction.server is not None
    assert answer.prediction.server.inference == 2.0


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v2/models/shapes",
        "/v2/models/shapes/infer",
        "/v2/models/shapes/versions/1/infer",
        "/v2/models/shapes/ready",
    ],
)
async def test_whatever_url_people_have_at_hand(path: str) -> None:
    with serving(FakeOip(raw_head)) as url:
        # A model in the URL needs no setting beside it.
        for model in ("shapes", None) if "shapes" in path else ("shapes",):
            asked = deployment(url + path, model=model)
            assert (await ask(asked)).error is None
            assert (await ask(asked, ProbeKind.HEALTH)).error is None


async def test_without_a_model_it_says_what_to_set() -> None:
    answer = await ask(deployment("http://127.0.0.1:9", model=None))
    assert answer.error is not None
    assert 'set model = "..."' in answer.error.message


REFUSED = [
    # state, model, shape: health, predict
    ("loading", "shapes", SMALL, ErrorKind.NOT_READY, ErrorKind.NOT_READY),
    ("ready", "nope", SMALL, ErrorKind.NOT_READY, ErrorKind.MODEL_NOT_FOUND),
    ("stub", "shapes", SMALL, None, ErrorKind.HANDLER_ERROR),
    ("restricted", "shapes", SMALL, *[ErrorKind.UNAUTHORIZED] * 2),
    ("ready", "shapes", (1, 3, 64, 64), None, ErrorKind.CLIENT_ERROR),
]


@pytest.mark.parametrize(("state", "model", "shape", "health", "predict"), REFUSED)
async def test_what_a_refusal_means(
    state: str,
    model: str,
    shape: tuple[int, ...],
    health: ErrorKind | None,
    predict: ErrorKind | None,
) -> None:
    with serving(FakeOip(raw_head, state=state)) as url:
        asked = deployment(url, model=model, tensor=Tensor(shape=shape))
        for kind, meant in (
            (ProbeKind.HEALTH, health),
            (ProbeKind.PREDICT, predict),
        ):
            answer = await ask(asked, kind)
            assert (answer.error and answer.error.kind) == meant


async def test_binary_where_it_is_not_announced_breaks_the_server() -> None:
    """MLServer: which is why it is asked for only where it is."""
    with serving(FakeOip(raw_head, binary=False)) as url:
        wrong = await ask(deployment(url, tensor=Tensor(shape=SMALL, binary=True)))
        right = await ask(deployment(url))
    assert wrong.error is not None
    assert wrong.error.kind is ErrorKind.HANDLER_ERROR
    assert right.error is None


async def test_without_a_head_only_that_numbers_came_is_looked_at() -> None:
    with serving(FakeOip(raw_head)) as url:
        tensor = Tensor(shape=SMALL, head=Head.NONE)
        answer = await ask(deployment(url, tensor=tensor))
    assert answer.error is None
    assert answer.prediction is not None
    assert answer.prediction.detections == ()
    assert answer.prediction.model_id == "shapes, version 1"


async def test_an_answer_of_ten_megabytes_is_read() -> None:
    """[1,84,8400] as JSON, as MLServer and KServe send it for 640 pixels."""

    def large(x: Floats) -> Floats:
        assert x.shape == (1, 3, 640, 640)
        y = np.random.default_rng(1).uniform(0.001, 0.01, (1, 84, 8400))
        y[0, :4, 7] = 320, 320, 64, 32
        y[0, 4 + 16, 7] = 0.9
        return y

    with serving(FakeOip(large, shape=(1, 3, 640, 640))) as url:
        answer = await ask(deployment(url, tensor=None, class_names=()))
    assert answer.error is None, answer.error
    assert answer.prediction is not None
    (one,) = answer.prediction.detections
    assert one.label == "class 16"
    assert one.box == pytest.approx((144, 152, 176, 168), abs=1e-3)
    assert answer.body_digest is not None


def test_a_question_is_built_once_and_little_is_kept() -> None:
    dialect = OpenInference()
    asked = deployment("http://h", tensor=None)
    first = dialect.predict_request(asked, synthetic(1))
    assert dialect.predict_request(asked, synthetic(1)).body is first.body
    other = dialect.predict_request(deployment("http://h"), synthetic(1))
    assert other.body != first.body
    for seed in range(6):
        dialect.predict_request(asked, synthetic(seed))
    kept = sum(len(one.body) for one in dialect._questions._kept.values())
    assert 0 < kept == dialect._questions._size <= MOST_KEPT


def test_json_is_rounded_and_valid() -> None:
    question = OpenInference().predict_request(deployment("http://h"), synthetic(1))
    head = json.loads(question.body)
    assert head["id"]
    assert len(head["inputs"][0]["data"]) == 3 * 160 * 160
    # 1.57 MB with all digits.
    assert len(question.body) < 470_000
