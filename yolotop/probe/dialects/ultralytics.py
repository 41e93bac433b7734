"""The Ultralytics endpoint contract, and what home-made wrappers make of it.

Owns ``POST /predict`` (multipart ``file``), ``GET /health`` and the reading of their
answers. Must not know the transport, the key's value or verdicts. Read leniently
around the detections (new keys appear within weeks) and strictly inside them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from yolotop.model import Deployment, ErrorKind, Prediction, ProbeKind, ServerTimes
from yolotop.probe.dialects.asking import authorised, image_request, liveness_request
from yolotop.probe.dialects.decoding import decode
from yolotop.probe.dialects.detections import LABELS, read_all
from yolotop.probe.dialects.protocol import BadResponse, RequestSpec
from yolotop.probe.dialects.refusals import meaning
from yolotop.probe.frames import Frame
from yolotop.probe.messages import Reply
from yolotop.probe.refusal import said
from yolotop.text import clean

# Where wrappers put the list; "images" is the contract's own and is looked at first.
_LISTS: Final = ("results", "predictions", "detections", "data", "output", "outputs")
# What tells one model from another. Timings and counts must stay out.
_IDENTITY: Final = (
    "model",
    "version",
    "weights",
    "revision",
    "sha256",
    "task",
    "classNames",
)
_STEPS: Final = ("preprocess", "inference", "postprocess")
_LONGEST_NAME: Final = 48
_MOST_IDS: Final = 1024
_LARGEST_IDENTITY: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Answer:
    """The parts of an answer, wherever they were found."""

    items: Sequence[object]
    image: Mapping[str, object]
    metadata: Mapping[str, object]


class Ultralytics:
    """``dialect = "ultralytics"``."""

    @property
    def name(self) -> str:
        """What users write after ``dialect =``."""
        return "ultralytics"

    @property
    def slow_to_ask(self) -> bool:
        """A form around the image's bytes: 0.1 ms."""
        return False

    def authorise(
        self, spec: RequestSpec, key: str, deployment: Deployment
    ) -> RequestSpec:
        """Bearer, as the Platform takes it, or as the preset says."""
        return authorised(spec, key, deployment.preset.auth)

    def health_request(self, deployment: Deployment) -> RequestSpec:
        """``GET …/health`` beside ``…/predict``, or as the preset says."""
        return liveness_request(deployment)

    def predict_request(self, deployment: Deployment, frame: Frame) -> RequestSpec:
        """``POST …/predict`` with the image and the settings that were set."""
        return image_request(deployment, frame)

    def read_health(self, reply: Reply, deployment: Deployment) -> None:
        """Any 2xx will do: the field names of the body are unpublished."""

    def refused(
        self, reply: Reply, deployment: Deployment, kind: ProbeKind
    ) -> ErrorKind | None:
        """By the rules common to all."""
        return meaning(reply, deployment, kind)

    def read_predict(
        self,
        reply: Reply,
        deployment: Deployment,  # noqa: ARG002 - other dialects need it
        frame: Frame,  # noqa: ARG002 - other dialects need it
    ) -> Prediction:
        """Detections of the first image. Raises BadResponse."""
        answer = _take_apart(decode(reply.body))
        metadata = answer.metadata
        names = metadata.get("classNames")
        task = metadata.get("task")
        return Prediction(
            detections=read_all(answer.items, names if isinstance(names, list) else ()),
            server=_times(answer.image.get("speed"), metadata.get("functionTimeCall")),
            image_shape=_shape(answer.image.get("shape")),
            task=_task(task[:80]) if isinstance(task, str) else None,
            model_id=_model_id(metadata),
            alive_s=_positive(metadata.get("functionTimeAlive")),
        )


# --- the frame around the detections -------------------------------------------------


def _take_apart(payload: object) -> _Answer:
    if isinstance(payload, str):
        # FastAPI around ``results[0].to_json()``: JSON inside a JSON string.
        payload = decode(payload.encode("utf-8", errors="replace"))
    if isinstance(payload, dict):
        metadata = payload.get("metadata")
        if not isinstance(metadata, dict):
            metadata = payload
        return _from_object(payload, metadata)
    if isinstance(payload, list):
        return _from_list(payload, {}, {})
    raise BadResponse("the answer is JSON, but neither an object nor a list")


def _from_object(
    payload: Mapping[str, object], metadata: Mapping[str, object]
) -> _Answer:
    images = payload.get("images")
    if isinstance(images, list):
        if not images:
            raise BadResponse("the answer holds no image")
        if not isinstance(images[0], dict):
            raise BadResponse("the first image of the answer is not an object")
        if not isinstance(images[0].get("results"), list):
            raise BadResponse("the first image of the answer has no list of results")
        return _Answer(images[0]["results"], images[0], metadata)
    for key in _LISTS:
        found = payload.get(key)
        if isinstance(found, list):
            return _from_list(found, payload, metadata)
        if found is not None:
            raise BadResponse(f'"{key}" in the answer is not a list')
    what = said(payload)
    raise BadResponse(
        f"the answer is an error: {what}" if what else "the answer holds no detections"
    )


def _from_list(
    items: list[object], image: Mapping[str, object], metadata: Mapping[str, object]
) -> _Answer:
    """A list is of detections, of images, or of lists of detections, one per image."""
    first = items[0] if items else None
    if isinstance(first, list):
        return _Answer(first, image, metadata)
    if isinstance(first, dict) and not any(key in first for key in LABELS):
        for key in _LISTS:
            inner = first.get(key)
            if isinstance(inner, list):
                return _Answer(inner, first, metadata)
    return _Answer(items, image, metadata)


# --- beside the detections: taken where right, left out where not --------------------


def _times(speed: object, call_s: object) -> ServerTimes | None:
    """``speed`` is in milliseconds, ``functionTimeCall`` in seconds."""
    told = speed if isinstance(speed, dict) else {}
    before, inside, after = (_positive(told.get(step)) for step in _STEPS)
    call = _positive(call_s)
    call = None if call is None else call * 1000.0
    queue = None
    if not (call is None or before is None or inside is None or after is None):
        rest = call - before - inside - after
        queue = rest if rest >= 0 else None
    times = ServerTimes(before, inside, after, queue, call)
    return None if times == ServerTimes() else times


def _positive(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # An int of 400 digits compares like any other, but has no float.
    if not 0 <= value < 1e15:
        return None
    return float(value) if math.isfinite(value) else None


@lru_cache(maxsize=64)
def _task(task: str) -> str:
    return clean(task, limit=20)


def _shape(value: object) -> tuple[int, int] | None:
    if not isinstance(value, list) or len(value) < 2:
        return None
    height, width = value[0], value[1]
    sound = all(type(side) is int and 0 < side < 1_000_000 for side in (height, width))
    return (height, width) if sound else None


def _model_id(metadata: Mapping[str, object]) -> str | None:
    """``shapes.onnx, 3 classes #1a2b3c4d``: people read the front, the end decides."""
    facts = {key: metadata[key] for key in _IDENTITY if metadata.get(key) is not None}
    if not facts:
        return None
    # The same in nearly every answer, and 20 us to put together anew.
    spelled = repr(facts)
    if len(spelled) > _LARGEST_IDENTITY:
        return _identify(facts)
    known = _known_ids.get(spelled)
    if known is None:
        while len(_known_ids) >= _MOST_IDS:
            del _known_ids[next(iter(_known_ids))]
        known = _known_ids[spelled] = _identify(facts)
    return known


_known_ids: dict[str, str] = {}


def _identify(facts: Mapping[str, object]) -> str:
    canonical = json.dumps(facts, sort_keys=True)
    digest = hashlib.blake2s(canonical.encode(), digest_size=4).hexdigest()
    front: list[str] = []
    model = facts.get("model")
    if isinstance(model, str):
        # A path tells no more than its last part, and tells it to everyone.
        front.append(
            clean(model.replace("\\", "/").rpartition("/")[2], limit=_LONGEST_NAME)
        )
    names = facts.get("classNames")
    if isinstance(names, (list, dict)):
        front.append(f"{len(names)} class{'' if len(names) == 1 else 'es'}")
    return f"{', '.join(part for part in front if part) or 'model'} #{digest}"
