"""Where in an answer the detections are: the contract's frame, and home-made ones.

Owns finding them. Must not know what a detection is made of. Read leniently: what
FastAPI, LitServe, BentoML, Ray, KServe and MLflow apps return around ``Results`` is
their authors', and is one of these few shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from yolotop.probe.dialects.decoding import decode
from yolotop.probe.dialects.detections import LABELS
from yolotop.probe.dialects.protocol import BadResponse
from yolotop.probe.refusal import said

# Where wrappers put the list; "images" is the contract's own and is looked at first.
_LISTS: Final = ("results", "predictions", "detections", "data", "output", "outputs")
_DEEPEST: Final = 4
"""Frames around frames: MLflow's predictions of an app's images of results."""


@dataclass(frozen=True, slots=True)
class Found:
    """The parts of an answer, wherever they were found."""

    items: Sequence[object]
    image: Mapping[str, object]
    metadata: Mapping[str, object]


def take_apart(payload: object) -> Found:
    """The parts of a decoded answer, wherever they are. Raises BadResponse."""
    payload = _unwrapped(payload)
    if isinstance(payload, dict):
        metadata = payload.get("metadata")
        if not isinstance(metadata, dict):
            metadata = payload
        return _from_object(payload, metadata, _DEEPEST)
    if isinstance(payload, list):
        return _from_list(payload, {}, {}, _DEEPEST)
    raise BadResponse("the answer is JSON, but neither an object nor a list")


def _unwrapped(value: object) -> object:
    """JSON inside a JSON string: FastAPI around ``results[0].to_json()``."""
    if not isinstance(value, str):
        return value
    return decode(value.encode("utf-8", errors="replace"))


def _from_object(
    payload: Mapping[str, object], metadata: Mapping[str, object], deep: int
) -> Found:
    images = payload.get("images")
    if isinstance(images, list):
        return _from_images(images, metadata)
    for key in _LISTS:
        found = payload.get(key)
        if isinstance(found, str) and found.lstrip()[:1] in ("[", "{"):
            found = _unwrapped(found)
        if isinstance(found, list):
            return _from_list(found, payload, metadata, deep)
        if isinstance(found, dict) and deep:
            return _from_object(found, metadata, deep - 1)
        if found is not None:
            raise BadResponse(f'"{key}" in the answer is not a list')
    if (items := _from_columns(payload)) is not None:
        return Found(items, payload, metadata)
    what = said(payload)
    raise BadResponse(
        f"the answer is an error: {what}" if what else "the answer holds no detections"
    )


def _from_images(images: list[object], metadata: Mapping[str, object]) -> Found:
    """The contract's own."""
    if not images:
        raise BadResponse("the answer holds no image")
    first = images[0]
    if not isinstance(first, dict):
        raise BadResponse("the first image of the answer is not an object")
    results = first.get("results")
    if not isinstance(results, list):
        raise BadResponse("the first image of the answer has no list of results")
    return Found(results, first, metadata)


def _from_list(
    items: list[object],
    image: Mapping[str, object],
    metadata: Mapping[str, object],
    deep: int,
) -> Found:
    """A list is of detections, of images, or of lists of detections, one per image."""
    first = items[0] if items else None
    if isinstance(first, str) and first.lstrip()[:1] in ("[", "{"):
        # An image's detections as text, one for each.
        first = _unwrapped(first)
        items = [first]
    if isinstance(first, list) and not (first and _is_number(first[0])):
        return _from_list(first, image, metadata, deep - 1) if deep else _none()
    if isinstance(first, dict) and not any(key in first for key in LABELS):
        inner = any(isinstance(first.get(key), list) for key in ("images", *_LISTS))
        if inner and deep:
            found = _from_object(first, metadata, deep - 1)
            return found if found.image else Found(found.items, first, metadata)
    return Found(items, image, metadata)


def _none() -> NoReturn:
    raise BadResponse("the answer is lists in lists, without detections")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _from_columns(payload: Mapping[str, object]) -> list[object] | None:
    """``{"boxes": […], "scores": […], "classes": […]}``, as tensors are written out."""
    names, scores, boxes = (
        next((payload[key] for key in keys if isinstance(payload.get(key), list)), None)
        for keys in _COLUMNS
    )
    if not isinstance(names, list) or not isinstance(boxes, list):
        return None
    scores = scores if isinstance(scores, list) else [None] * len(boxes)
    if not len(names) == len(boxes) == len(scores):
        raise BadResponse("the answer has not as many classes as boxes and scores")
    # ``cls.tolist()`` writes 5.0 for class 5.
    return [
        {
            "label": int(name)
            if isinstance(name, float) and name.is_integer()
            else name,
            "confidence": score,
            "box": box,
        }
        for name, score, box in zip(names, scores, boxes, strict=True)
    ]


_COLUMNS: Final = (
    ("labels", "names", "class_names", "classes", "class_ids", "cls"),
    ("scores", "confidences", "conf"),
    ("boxes", "bboxes", "xyxy"),
)
