"""One image sent by hand, and what came back, as the JSON that a face draws.

Owns that object and its bounds: it travels through the store, and is built from what
a stranger's server says. It must not know how an image is sent or how it is drawn.

The object has all keys of ``check --json`` for one probe, and:

- ``image``: ``source`` (as it was asked for), ``name``, ``width`` and ``height`` in
  pixels, and ``jpeg`` in base64, at most 1,024 pixels on its long side;
- ``boxes``: at most 300 of ``{"label", "confidence", "box"}``, with ``box`` as
  ``[x1, y1, x2, y2]`` in pixels of that picture, cut at its edges (``null`` where the
  model gives no boxes); ``detections`` counts all;
- ``expected``: the same of what is known to be on it; empty where nobody knows;
- ``raw``: the answer's body as clean text, at most 64 KiB; JSON is indented;
- ``baseline``: what would be pinned of this answer to a file, as
  :mod:`yolotop.config.baseline` writes it; ``null`` where nothing can be.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Final, TypedDict

from yolotop.config.baseline import document_of
from yolotop.judge.canary import baseline_of
from yolotop.judge.report import SampleJson, sample_json
from yolotop.model import Answer, Detection, Prediction, Sample
from yolotop.probe.dialects import BadResponse
from yolotop.probe.dialects.decoding import decode
from yolotop.probe.frames import Frame
from yolotop.probe.preview import Preview, preview
from yolotop.probe.prober import Shown
from yolotop.text import clean, redact

MOST_BOXES: Final = 300
"""What YOLO heads give at most."""
MOST_RAW: Final = 64 * 1024
_CUT: Final = "…"
_SAME_SHAPE: Final = 0.02
"""By how much the server's proportions may differ from the image's: it rounds."""

_INDENTED: Final = json.JSONEncoder(indent=2, ensure_ascii=False)


class BoxJson(TypedDict):
    """One thing seen or known to be there."""

    label: str
    confidence: float | None
    box: list[float] | None


class ImageJson(TypedDict):
    """The picture that was sent."""

    source: str
    name: str
    width: int
    height: int
    jpeg: str


class ShowingJson(SampleJson):
    """See the module."""

    image: ImageJson
    boxes: list[BoxJson]
    expected: list[BoxJson]
    raw: str
    baseline: dict[str, object] | None


def showing(shown: Shown, sample: Sample, *, source: str) -> ShowingJson:
    """Blocks for as long as the picture and the body are large: not for the loop."""
    frame, answer = shown.frame, sample.answer
    picture = preview(frame)
    prediction = answer.prediction
    seen = prediction.detections if prediction is not None else ()
    drawn = [Detection(shape.label, None, shape.box) for shape in frame.drawn or ()]
    row = sample_json(sample)
    # What the answer says may repeat the key that was sent with the question.
    row["message"] = redact(row["message"])
    return {
        **row,
        "image": {
            "source": source,
            "name": clean(frame.name, limit=200),
            "width": picture.width,
            "height": picture.height,
            "jpeg": base64.b64encode(picture.jpeg).decode("ascii"),
        },
        "boxes": _boxes(seen, _asked_about(prediction, frame), picture),
        "expected": _boxes(drawn, (frame.width, frame.height), picture),
        "raw": raw_text(shown.body),
        "baseline": _baseline(prediction, frame, answer),
    }


def _baseline(
    prediction: Prediction | None, frame: Frame, answer: Answer
) -> dict[str, object] | None:
    if prediction is None or frame.drawn is not None:
        return None
    pinned = baseline_of(
        prediction, image_sha256=frame.sha256, pinned_at=answer.started_at
    )
    return document_of(pinned, answer.deployment)


def _asked_about(prediction: Prediction | None, frame: Frame) -> tuple[int, int]:
    """Width and height that boxes are in: the server's, if it is the same picture."""
    sent = frame.width, frame.height
    if prediction is None or prediction.image_shape is None:
        return sent
    height, width = prediction.image_shape
    told, real = width / height, frame.width / frame.height
    return (width, height) if abs(told / real - 1) <= _SAME_SHAPE else sent


def _boxes(
    found: Sequence[Detection], size: tuple[int, int], picture: Preview
) -> list[BoxJson]:
    across, down = picture.width / size[0], picture.height / size[1]

    def scaled(detection: Detection) -> list[float] | None:
        if detection.box is None:
            return None
        x1, y1, x2, y2 = detection.box
        left, right = sorted(_within(x * across, picture.width) for x in (x1, x2))
        top, bottom = sorted(_within(y * down, picture.height) for y in (y1, y2))
        return [left, top, right, bottom]

    return [
        {
            "label": redact(detection.label),
            "confidence": detection.confidence,
            "box": scaled(detection),
        }
        for detection in found[:MOST_BOXES]
    ]


def _within(at: float, most: int) -> float:
    return round(min(max(at, 0.0), float(most)), 1)


def raw_text(body: bytes) -> str:
    """A body for a person to read; what is not text says so by its signs."""
    try:
        text = _indented(decode(body))
    except BadResponse:
        text = body[: MOST_RAW * 2].decode("utf-8", errors="replace")
    text = redact(clean(text, limit=MOST_RAW, lines=True))
    encoded = text.encode()
    if len(encoded) <= MOST_RAW:
        return text
    room = MOST_RAW - len(_CUT.encode())
    return encoded[:room].decode("utf-8", errors="ignore") + _CUT


def _indented(value: object) -> str:
    parts: list[str] = []
    length = 0
    # Piece by piece: a million values would be 20 MB of text to throw away.
    for part in _INDENTED.iterencode(value):
        parts.append(part)
        length += len(part)
        if length > 2 * MOST_RAW:
            break
    return "".join(parts)
