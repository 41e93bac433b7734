"""The Ultralytics endpoint contract, and what home-made wrappers make of it.

Owns ``POST /predict`` (multipart ``file``), ``GET /health`` and the reading of their
answers. Must not know the transport, the key's value or verdicts. Read leniently
around the detections (new keys appear within weeks) and strictly inside them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from yolotop.model import (
    Deployment,
    Depth,
    Detection,
    ErrorKind,
    Prediction,
    ProbeKind,
    ServerTimes,
)
from yolotop.probe.dialects.asking import authorised, image_request, liveness_request
from yolotop.probe.dialects.decoding import decode
from yolotop.probe.dialects.depth import read_depth
from yolotop.probe.dialects.detections import read_all
from yolotop.probe.dialects.holding import check_alive
from yolotop.probe.dialects.identity import identify
from yolotop.probe.dialects.protocol import RequestSpec
from yolotop.probe.dialects.refusals import meaning
from yolotop.probe.dialects.wrappings import take_apart
from yolotop.probe.frames import Frame
from yolotop.probe.messages import Reply
from yolotop.text import clean

_STEPS: Final = ("preprocess", "inference", "postprocess")


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
        """Any 2xx will do where the preset has no conditions."""
        check_alive(reply, deployment)

    def refused(
        self, reply: Reply, deployment: Deployment, kind: ProbeKind
    ) -> ErrorKind | None:
        """By the rules common to all."""
        return meaning(reply, deployment, kind)

    def read_predict(
        self,
        reply: Reply,
        deployment: Deployment,
        frame: Frame,  # noqa: ARG002 - other dialects need it
    ) -> Prediction:
        """What is on the first image. Raises BadResponse."""
        return prediction(decode(reply.body), deployment.class_names)


def prediction(payload: object, class_names: Sequence[object] = ()) -> Prediction:
    """What a decoded answer holds, wherever in it that is. Raises BadResponse.

    ``class_names`` count where the answer has numbers and no names of its own.
    """
    answer = take_apart(payload)
    image, metadata = answer.image, answer.metadata
    names = metadata.get("classNames")
    if not isinstance(names, list):
        names = class_names
    detections = read_all(answer.items, names)
    depth = read_depth(image.get("depth"))
    task = metadata.get("task")
    model_id, facts = identify(metadata)
    return Prediction(
        detections=detections,
        server=_times(image.get("speed"), metadata.get("functionTimeCall")),
        image_shape=_shape(image.get("shape")),
        task=_task(task[:80]) if isinstance(task, str) else _shown(detections, depth),
        model_id=model_id,
        alive_s=_positive(metadata.get("functionTimeAlive")),
        facts=facts,
        depth=depth,
    )


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


def _shown(detections: Sequence[Detection], depth: Depth | None) -> str | None:
    """The task, where nobody names it but the answer shows it."""
    if depth is not None:
        return "depth"
    first = detections[0] if detections else None
    if first is None:
        return None
    if first.keypoints:
        return "pose"
    if first.outline:
        return "obb" if len(first.outline) == 4 else "segment"
    if first.box is None:
        return "classify" if first.share is None else "semantic"
    return None


@lru_cache(maxsize=64)
def _task(task: str) -> str:
    return clean(task, limit=20)


def _shape(value: object) -> tuple[int, int] | None:
    if not isinstance(value, list) or len(value) < 2:
        return None
    height, width = value[0], value[1]
    sound = all(type(side) is int and 0 < side < 1_000_000 for side in (height, width))
    return (height, width) if sound else None
