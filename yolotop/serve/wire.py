"""The dedicated endpoint's words: form fields in, response document out.

Owns names, ranges, defaults and rounding of the Ultralytics Platform's contract. Must
not know the web framework, and nothing about how a picture is answered.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from yolotop.serve.engine import Detection, Engine, Prediction

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class FieldError(ValueError):
    """A form field that cannot be accepted; the text is for the client."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The parameters of one request, checked."""

    conf: float
    iou: float
    imgsz: int | None
    """Pixels of the longer side, None for the model's own size."""
    normalize: bool
    decimals: int


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a request that says nothing gets; the Platform's own values."""

    conf: float = 0.25
    iou: float = 0.7
    imgsz: int | None = None

    def __post_init__(self) -> None:
        """Refuse with FieldError what a request could not ask for either."""
        given = {"conf": self.conf, "iou": self.iou, "imgsz": self.imgsz}
        read_ask({key: str(v) for key, v in given.items() if v is not None}, None)


def read_ask(fields: Mapping[str, str], defaults: Defaults | None) -> Ask:
    """Check the form's parameters. Raises FieldError naming the field and its range.

    Unknown fields are ignored, as are ``vid_stride`` and ``bits``: the Platform takes
    them for tasks which are not served here.
    """
    conf, iou, imgsz = 0.25, 0.7, None
    if defaults is not None:
        conf, iou, imgsz = defaults.conf, defaults.iou, defaults.imgsz
    asked = _whole(fields, "imgsz", 32, 1280)
    decimals = _whole(fields, "decimals", 0, 10)
    return Ask(
        conf=_number(fields, "conf", conf, 0.01, 1.0),
        iou=_number(fields, "iou", iou, 0.0, 0.95),
        imgsz=imgsz if asked is None else asked,
        normalize=_flag(fields, "normalize"),
        decimals=5 if decimals is None else decimals,
    )


def read_source(source: str) -> bytes:
    """Decode an image given as base64, with or without ``data:...;base64,``.

    Raises FieldError for anything else. URLs are refused: a server that fetches what
    strangers name can be made to ask hosts which only it reaches.
    """
    text = source.strip()
    if _SCHEME.match(text):
        raise FieldError(
            "source is a URL: this server does not fetch; send the image itself as "
            "file, or as base64 in source"
        )
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise FieldError("source is a data: URL without ;base64")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise FieldError("source is not valid base64") from None


def response(
    engine: Engine, ask: Ask, answer: Prediction, *, alive_s: float, call_s: float
) -> dict[str, object]:
    """Build the PredictResponse document for one picture."""
    speed = answer.speed
    image = {
        "shape": list(answer.shape),
        "speed": {
            "preprocess": round(speed.preprocess, 3),
            "inference": round(speed.inference, 3),
            "postprocess": round(speed.postprocess, 3),
        },
        "results": [_result(d, answer.shape, ask) for d in answer.detections],
    }
    metadata = {
        "imageCount": 1,
        "functionTimeAlive": round(alive_s, 3),
        "functionTimeCall": round(call_s, 6),
        "task": engine.task,
        "classNames": list(engine.class_names),
        "version": dict(engine.version),
        "model": engine.name,
    }
    return {"images": [image], "metadata": metadata}


def _result(
    detection: Detection, shape: tuple[int, int], ask: Ask
) -> dict[str, object]:
    item: dict[str, object] = {"name": detection.name, "class": detection.class_id}
    if detection.confidence is not None:
        item["confidence"] = round(detection.confidence, ask.decimals)
    places = dict(detection.extra)
    if detection.box is not None:
        places = {"box": detection.box, **places}
    for key, value in places.items():
        item[key] = _rounded(value, "", shape, ask)
    return item


def _rounded(value: object, key: str, shape: tuple[int, int], ask: Ask) -> object:
    """Round numbers at any depth; x and y become fractions when asked for.

    Every coordinate in the contract is named x, y, or those with a corner's number.
    """
    if isinstance(value, Mapping):
        return {k: _rounded(v, str(k), shape, ask) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v, key, shape, ask) for v in value]
    if not isinstance(value, float):
        return value
    if ask.normalize and key[:1] in {"x", "y"}:
        value /= shape[1] if key[0] == "x" else shape[0]
    return round(value, ask.decimals)


def _number(
    fields: Mapping[str, str], name: str, default: float, low: float, high: float
) -> float:
    if name not in fields:
        return default
    try:
        value = float(fields[name])
    except ValueError:
        value = math.nan
    # Written so that NaN fails too.
    if not low <= value <= high:
        raise FieldError(f"{name} must be a number from {low} to {high}")
    return value


def _whole(fields: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    if name not in fields:
        return None
    text = fields[name].strip()
    # Checked as text first: int() takes "1_0", and refuses 5000 digits with an essay.
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise FieldError(f"{name} must be a whole number from {low} to {high}")
    value = int(text)
    if not low <= value <= high:
        raise FieldError(f"{name} must be a whole number from {low} to {high}")
    return value


def _flag(fields: Mapping[str, str], name: str) -> bool:
    text = fields.get(name, "false").strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise FieldError(f"{name} must be true or false")
