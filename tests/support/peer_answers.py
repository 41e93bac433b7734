"""What real servers are asked, and what their answers say, without yolotop's dialects.

Owns the forms in which a picture travels, how each form of answer is read, and what the
model says when it is run directly. Must not know how a server is started.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import numpy as np

from yolotop.probe.frames import Frame
from yolotop.serve import images, nms
from yolotop.serve.onnx_engine import letterbox
from yolotop.serve.run import open_engine

CONF, IOU = 0.25, 0.7
NAMES = ("circle", "square", "triangle")
SIDE = 160

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Found:
    """One thing, in pixels of the picture that was sent."""

    label: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Question:
    """One request: its path, and what httpx shall make the body of."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask a server what it sees, and to read what it says."""

    ask: Callable[[Frame], Question]
    read: Callable[[httpx.Response, Frame], list[Found]]


# --- the truth -----------------------------------------------------------------------


def expected(frame: Frame, model: str = "shapes") -> list[Found]:
    """What the model sees when it is run directly, best first."""
    seen = _engine(model).predict(frame.data, conf=CONF, iou=IOU, imgsz=None)
    return [
        Found(item.name, item.confidence or 0.0, _box(item.box or {}))
        for item in seen.detections
    ]


@cache
def _engine(model: str) -> Any:
    return open_engine(model, "onnx")


def differences(
    got: Sequence[Found],
    want: Sequence[Found],
    *,
    least_iou: float = 0.9,
    conf_shift: float = 0.02,
) -> list[str]:
    """Say how two answers differ; nothing when each box has its equal."""
    told = []
    left = list(got)
    for one in want:
        same = [f for f in left if f.label == one.label]
        best = max(same, key=lambda f: overlap(f.box, one.box), default=None)
        if best is None:
            told.append(f"missed: {one}")
            continue
        left.remove(best)
        shift = abs(best.confidence - one.confidence)
        if overlap(best.box, one.box) < least_iou or shift > conf_shift:
            told.append(f"moved: {best} for {one}")
    return told + [f"extra: {one}" for one in left]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return wide * high / (sum(areas) - wide * high)


# --- pictures out --------------------------------------------------------------------


def multipart(path: str, name: str) -> Callable[[Frame], Question]:
    """The picture as a file of a form."""
    return lambda f: Question(
        path, {"files": {name: (f"{f.name}.jpg", f.data, f.media_type)}}
    )


def raw(path: str) -> Callable[[Frame], Question]:
    """The picture as the body."""
    return lambda f: Question(
        path, {"content": f.data}, {"content-type": "application/octet-stream"}
    )


def as_json(
    path: str, make: Callable[[str], Mapping[str, object]]
) -> Callable[[Frame], Question]:
    """The picture as base64 inside a document."""
    return lambda f: Question(
        path, {"json": make(base64.b64encode(f.data).decode("ascii"))}
    )


def tensor(frame: Frame) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The model's input, ``[1, 3, 160, 160]`` of 0 to 1."""
    return letterbox(images.decode(frame.data), (SIDE, SIDE))[0]


def tensor_json(model: str) -> Callable[[Frame], Question]:
    """Open Inference Protocol, all numbers as text: 0.5 MB with three decimals."""

    def ask(frame: Frame) -> Question:
        given = tensor(frame)
        data = [round(value, 3) for value in given.reshape(-1).tolist()]
        entry = {"name": "images", "datatype": "FP32", "shape": list(given.shape)}
        document = {"id": "probe", "inputs": [{**entry, "data": data}]}
        return Question(f"/v2/models/{model}/infer", {"json": document})

    return ask


def tensor_binary(model: str) -> Callable[[Frame], Question]:
    """Open Inference Protocol with its binary extension: 0.3 MB."""

    def ask(frame: Frame) -> Question:
        given = tensor(frame)
        entry = {"name": "images", "datatype": "FP32", "shape": list(given.shape)}
        return _binary(model, entry, given.astype("<f4").tobytes(), "output0")

    return ask


def picture_binary(model: str) -> Callable[[Frame], Question]:
    """Open Inference Protocol, the encoded picture as one element of BYTES."""

    def ask(frame: Frame) -> Question:
        entry = {"name": "image", "datatype": "BYTES", "shape": [1, 1]}
        sent = struct.pack("<I", len(frame.data)) + frame.data
        return _binary(model, entry, sent, "detections", answer_binary=False)

    return ask


def _binary(
    model: str,
    entry: Mapping[str, object],
    data: bytes,
    output: str,
    *,
    answer_binary: bool = True,
) -> Question:
    size = {"parameters": {"binary_data_size": len(data)}}
    wish = {"name": output, "parameters": {"binary_data": answer_binary}}
    document = {"id": "probe", "inputs": [{**entry, **size}], "outputs": [wish]}
    head = json.dumps(document).encode()
    return Question(
        f"/v2/models/{model}/infer",
        {"content": head + data},
        {
            "content-type": "application/octet-stream",
            "inference-header-content-length": str(len(head)),
        },
    )


# --- answers in ----------------------------------------------------------------------


def results(*at: str | int) -> Callable[[httpx.Response, Frame], list[Found]]:
    """``[{name, confidence, box: {x1 ...}}]`` at a path in the document."""

    def read(answer: httpx.Response, _: Frame) -> list[Found]:
        document = answer.json()
        for step in at:
            document = document[step]
        return [
            Found(item["name"], item["confidence"], _box(item["box"]))
            for item in document
        ]

    return read


def labelled(answer: httpx.Response, _: Frame) -> list[Found]:
    """``detections: [{label, score, bbox: [x1, y1, x2, y2]}]``."""
    return [
        Found(item["label"], item["score"], tuple(item["bbox"]))
        for item in answer.json()["detections"]
    ]


def head(answer: httpx.Response, frame: Frame) -> list[Found]:
    """An output tensor of either head, as JSON or binary."""
    output = _tensor(answer)
    image = images.decode(frame.data)
    _, fit = letterbox(image, (SIDE, SIDE))
    if output.shape[-1] == 6:
        rows = nms.end_to_end_head(output[0], conf=CONF)
    else:
        rows = nms.raw_head(output[0], conf=CONF, iou=IOU)
    boxes = (rows[:, :4] - [fit.left, fit.top] * 2) / fit.scale
    boxes = boxes.clip(0, [*image.size, *image.size])
    return [
        Found(NAMES[int(row[5])], float(row[4]), _box_of(box.tolist()))
        for row, box in zip(rows, boxes, strict=True)
    ]


def _tensor(answer: httpx.Response) -> np.ndarray[Any, np.dtype[np.float32]]:
    length = answer.headers.get("inference-header-content-length")
    if length is None:
        output = answer.json()["outputs"][0]
        return np.array(output["data"], np.float32).reshape(output["shape"])
    output = json.loads(answer.content[: int(length)])["outputs"][0]
    data = np.frombuffer(answer.content[int(length) :], "<f4")
    return data.reshape(output["shape"])


def picture_text(answer: httpx.Response, _: Frame) -> list[Found]:
    """A JSON text inside a BYTES tensor."""
    document = json.loads(answer.json()["outputs"][0]["data"][0])
    return [
        Found(item["name"], item["confidence"], _box(item["box"]))
        for item in document["results"]
    ]


def _box(box: Mapping[str, float]) -> Box:
    return (box["x1"], box["y1"], box["x2"], box["y2"])


def _box_of(edges: Sequence[float]) -> Box:
    left, top, right, bottom = edges
    return (left, top, right, bottom)
