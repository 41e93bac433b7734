"""From one decoded JSON item to a :class:`~yolotop.model.Detection`.

Owns the shapes in which servers write a label, a confidence and a box, and the words
for what is wrong with one. Must not know frames around the items, or HTTP. The items
are those of ``ultralytics``' ``Results.summary()`` and what people make of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isfinite
from typing import Final

from yolotop.model import Detection
from yolotop.probe.dialects.outlines import four_corners, keypoints, outline
from yolotop.probe.dialects.protocol import BadResponse
from yolotop.text import clean

MOST_KEPT: Final = 1_000
"""Detections kept of one answer; YOLO heads give 300 at most."""

LONGEST_LABEL: Final = 80

LABELS: Final = ("name", "label", "class_name", "class")
_CONFIDENCES: Final = ("confidence", "conf", "score")
_BOXES: Final = ("box", "bbox", "xyxy")
_OUTLINES: Final = ("segments", "polygon", "mask")
_RATIOS: Final = ("pixel_ratio",)
_BEYOND: Final = frozenset(("segments", "keypoints", "polygon", "mask"))
"""What an item of a plain detector has not."""

Box = tuple[float, float, float, float]


def read_all(
    items: Sequence[object], class_names: Sequence[object] = ()
) -> tuple[Detection, ...]:
    """Read items in order, at most :data:`MOST_KEPT`. Raises BadResponse."""
    return tuple(
        [
            _common(item) or _read(item, index, class_names)
            for index, item in enumerate(items[:MOST_KEPT])
        ]
    )


def _common(item: object) -> Detection | None:
    """One of ``Results.summary()``, as nearly all are; None for any other shape.

    The same as :func:`_read` for what it takes, at a quarter of the time.
    """
    if type(item) is not dict or (len(item) > 4 and not _BEYOND.isdisjoint(item)):
        return None
    name, sure, box = item.get("name"), item.get("confidence"), item.get("box")
    if (
        type(name) is not str
        or len(name) > LONGEST_LABEL
        or type(sure) is not float
        or not 0.0 <= sure <= 1.0
        or type(box) is not dict
        or len(box) != 4
    ):
        return None
    x1, y1, x2, y2 = box.get("x1"), box.get("y1"), box.get("x2"), box.get("y2")
    if (
        isinstance(x1, float)
        and isinstance(y1, float)
        and isinstance(x2, float)
        and isinstance(y2, float)
        and isfinite(x1 + y1 + x2 + y2)
    ):
        return Detection(label(name), sure, (x1, y1, x2, y2))
    return None


def _read(item: object, index: int, class_names: Sequence[object]) -> Detection:
    where = f"result {index + 1}"
    if isinstance(item, list):
        return _row(item, where, class_names)
    if not isinstance(item, dict):
        raise BadResponse(f"{where} is {_kind(item)}, not an object")
    if not any(item.get(key) is not None for key in LABELS):
        item = _keyed(item)
    confidence = _first(item, _CONFIDENCES)
    box = _first(item, _BOXES)
    ratio = _first(item, _RATIOS)
    outlined = _first(item, _OUTLINES)
    return Detection(
        label=named(_first(item, LABELS), where, class_names),
        confidence=None
        if confidence is None
        else share(number(confidence, where, "confidence"), where),
        box=None if box is None else _box(box, where),
        outline=four_corners(box) if outlined is None else outline(outlined),
        keypoints=keypoints(item.get("keypoints")),
        share=None
        if ratio is None
        else share(number(ratio, where, "pixel ratio"), where),
    )


def _row(row: list[object], where: str, class_names: Sequence[object]) -> Detection:
    """``boxes.data.tolist()``: corners, perhaps a track, confidence and class."""
    if len(row) not in (6, 7):
        raise BadResponse(f"{where} is a list of {len(row)}, not an object")
    x1, y1, x2, y2 = (number(edge, where, "box") for edge in row[:4])
    sure, kind = number(row[-2], where, "confidence"), number(row[-1], where, "class")
    if not kind.is_integer():
        raise BadResponse(f"{where} has {kind:g} where its class should be")
    return Detection(
        named(int(kind), where, class_names), share(sure, where), (x1, y1, x2, y2)
    )


def _keyed(item: Mapping[str, object]) -> Mapping[str, object]:
    """TorchServe's own detector: ``{"person": [x1, y1, x2, y2], "score": 0.9}``."""
    boxes = [
        key
        for key, value in item.items()
        if key not in _BOXES and isinstance(value, list) and len(value) == 4
    ]
    if len(item) != 2 or len(boxes) != 1 or not any(k in item for k in _CONFIDENCES):
        return item
    return {**item, "label": boxes[0], "box": item[boxes[0]]}


def _first(item: Mapping[str, object], keys: tuple[str, ...]) -> object:
    return next((item[key] for key in keys if item.get(key) is not None), None)


def named(value: object, where: str, class_names: Sequence[object]) -> str:
    """A class by its name or its number; ``None`` is none. Raises BadResponse."""
    if isinstance(value, str):
        return label(value[: LONGEST_LABEL * 4])
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value < len(class_names) and isinstance(class_names[value], str):
            return label(str(class_names[value])[: LONGEST_LABEL * 4])
        return f"class {number(value, where, 'class'):g}"
    raise BadResponse(
        f"{where} names no class"
        if value is None
        else f"{where} has {_kind(value)} where its class should be"
    )


@lru_cache(maxsize=1024)
def label(text: str) -> str:
    """Clean a class name: the same few come in every answer."""
    return clean(text, limit=LONGEST_LABEL)


def share(value: float, where: str) -> float:
    """A confidence from 0 to 1. Raises BadResponse."""
    # float32 sums in a server may end a hair above one.
    if not -1e-3 <= value <= 1.001:
        raise BadResponse(f"{where} has a confidence of {value:g}, which is not 0 to 1")
    return min(max(value, 0.0), 1.0)


def _box(value: object, where: str) -> Box:
    """Corner boxes, and the upright hull of oriented ones (x1…x4, y1…y4)."""
    if isinstance(value, dict):
        xs = _coordinates(value, "x", where)
        ys = _coordinates(value, "y", where)
        if len(xs) == 2:
            return (xs[0], ys[0], xs[1], ys[1])
        return (min(xs), min(ys), max(xs), max(ys))
    if corners := four_corners(value):
        ends = list(zip(*corners, strict=True))
        return (min(ends[0]), min(ends[1]), max(ends[0]), max(ends[1]))
    if isinstance(value, list) and len(value) == 4:
        x1, y1, x2, y2 = (number(edge, where, "box") for edge in value)
        return (x1, y1, x2, y2)
    raise BadResponse(f"{where} has a box that is not x1, y1, x2, y2")


def _coordinates(box: Mapping[str, object], axis: str, where: str) -> list[float]:
    count = 4 if f"{axis}3" in box else 2
    return [
        number(box.get(f"{axis}{corner}"), where, f"box {axis}{corner}")
        for corner in range(1, count + 1)
    ]


def number(value: object, where: str, what: str) -> float:
    """Return a finite number as float. Raises BadResponse naming where and what."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadResponse(f"{where} has {_kind(value)} where its {what} should be")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise BadResponse(f"{where} has a {what} that is not finite")
    return result


def _kind(value: object) -> str:
    names: dict[type, str] = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "nothing")
