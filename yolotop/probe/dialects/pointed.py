"""Reading an answer by the pointers of a preset.

Owns where label, confidence, box, times and facts come from, and the forms in which
boxes are written. Must not know any server. Strict with the detections, for which
somebody wrote down where they are; what is told beside them is left out where it is not
as expected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from yolotop.model import Detection, ServerTimes
from yolotop.model.preset import BoxForm, Reading
from yolotop.probe.dialects.decoding import decode
from yolotop.probe.dialects.detections import (
    MOST_KEPT,
    Box,
    named,
    number,
    share,
)
from yolotop.probe.dialects.pointers import MISSING, every, found
from yolotop.probe.dialects.protocol import BadResponse
from yolotop.probe.frames import Frame
from yolotop.probe.messages import Reply
from yolotop.text import clean

HEADER: Final = "header:"
LONGEST_FACT: Final = 80
LONGEST_MS: Final = 1e12

_CORNERS: Final = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("left", "top", "right", "bottom"),
)
_SIZES: Final = (
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
    ("cx", "cy", "w", "h"),
)


# --- detections ----------------------------------------------------------------------


def detections(
    payload: object, reading: Reading, frame: Frame, class_names: Sequence[object]
) -> tuple[Detection, ...]:
    """What stands where ``reading`` says; raises BadResponse."""
    where = reading.detections or ""
    items = found(payload, where)
    if isinstance(items, str):
        items = decode(items.encode("utf-8", errors="replace"))
    if items is None:
        # How Go writes a list of nothing.
        items = []
    if not isinstance(items, list):
        what = "nothing" if items is MISSING else "no list"
        raise BadResponse(f"the answer has {what} at {where or 'its top'}")
    return tuple(
        _detection(item, f"result {index + 1}", reading, frame, class_names)
        for index, item in enumerate(items[:MOST_KEPT])
    )


def _detection(
    item: object,
    where: str,
    reading: Reading,
    frame: Frame,
    class_names: Sequence[object],
) -> Detection:
    label = found(item, reading.label)
    if label is MISSING:
        raise BadResponse(f"{where} has nothing at {reading.label}, its label")
    confidence = None
    if reading.confidence:
        told = found(item, reading.confidence)
        if told is MISSING:
            raise BadResponse(
                f"{where} has nothing at {reading.confidence}, its confidence"
            )
        value = number(told, where, "confidence")
        confidence = share(value / reading.scale, where)
    box = _box(item, where, reading, frame) if reading.box else None
    return Detection(named(label, where, class_names), confidence, box)


def _box(item: object, where: str, reading: Reading, frame: Frame) -> Box:
    pointers = reading.box.split(" ")
    values = [found(item, pointer) for pointer in pointers]
    for pointer, value in zip(pointers, values, strict=True):
        if value is MISSING:
            raise BadResponse(f"{where} has nothing at {pointer}, its box")
    if len(values) == 1:
        values = _four(values[0], where, reading.form)
    a, b, c, d = (number(value, where, "box") for value in values)
    box = corners((a, b, c, d), reading.form)
    if reading.unit == "share":
        wide, high = frame.width, frame.height
        box = (box[0] * wide, box[1] * high, box[2] * wide, box[3] * high)
    if not all(map(math.isfinite, box)):
        raise BadResponse(f"{where} has a box that is not finite")
    return box


def _four(value: object, where: str, form: BoxForm) -> list[object]:
    if isinstance(value, list) and len(value) == 4:
        return value
    if isinstance(value, Mapping):
        sized = form in (BoxForm.XYWH, BoxForm.CXCYWH)
        for keys in _SIZES if sized else _CORNERS:
            if all(key in value for key in keys):
                four = [value[key] for key in keys]
                swapped = form is BoxForm.YXYX
                return [four[1], four[0], four[3], four[2]] if swapped else four
    raise BadResponse(f"{where} has a box that is not four numbers")


def corners(four: Box, form: BoxForm) -> Box:
    """x1, y1, x2, y2 of four numbers in the order of ``form``."""
    a, b, c, d = four
    match form:
        case BoxForm.XYXY:
            return four
        case BoxForm.XYWH:
            return (a, b, a + c, b + d)
        case BoxForm.CXCYWH:
            return (a - c / 2, b - d / 2, a + c / 2, b + d / 2)
        case BoxForm.YXYX:
            return (b, a, d, c)


# --- beside them ---------------------------------------------------------------------


def times(
    payload: object, reply: Reply, reading: Reading, told: ServerTimes | None
) -> ServerTimes | None:
    """``told`` with what the preset's pointers lead to, in milliseconds."""
    parts: dict[str, float] = {}
    for one in reading.times:
        value = _number(payload, reply, one.at)
        if value is not None and value * one.factor <= LONGEST_MS:
            parts[one.part] = value * one.factor
    return replace(told or ServerTimes(), **parts) if parts else told


def alive_s(payload: object, reply: Reply, reading: Reading) -> float | None:
    """How long the instance says it has lived."""
    return _number(payload, reply, reading.alive) if reading.alive else None


def facts(
    payload: object, reply: Reply, reading: Reading
) -> tuple[tuple[str, str], ...]:
    """What tells one model from another, by name."""
    known: dict[str, str] = {}
    for name, at in reading.facts:
        value = _value(payload, reply, at)
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            continue
        text = clean(str(value)[: LONGEST_FACT * 4], limit=LONGEST_FACT)
        if text:
            known[name] = text
    return tuple(sorted(known.items()))


def _value(payload: object, reply: Reply, at: str) -> object:
    if at.startswith(HEADER):
        return reply.header(at.removeprefix(HEADER))
    return found(payload, at)


def _number(payload: object, reply: Reply, at: str) -> float | None:
    """A finite number from 0 up; of many the largest, the slowest of all detectors."""
    if at.startswith(HEADER):
        return _from_text(reply.header(at.removeprefix(HEADER)))
    values = (_positive(value) for value in every(payload, at))
    return max((value for value in values if value is not None), default=None)


def _from_text(text: str | None) -> float | None:
    try:
        return _positive(float(text)) if text and len(text) < 40 else None
    except ValueError:
        return None


def _positive(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value < 1e15 else None
