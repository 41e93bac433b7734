"""``dialect = "generic"``: asked and read as a preset says, whatever server it is.

Owns the order in which a preset's reading is done: success first, then detections,
then what stands beside them. Must not know any server; all that differs is data.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from yolotop.model import Deployment, ErrorKind, Prediction, ProbeKind
from yolotop.model.preset import Encoding
from yolotop.probe.dialects import pointed
from yolotop.probe.dialects.asking import authorised, image_request, liveness_request
from yolotop.probe.dialects.decoding import decode
from yolotop.probe.dialects.holding import check_alive, check_success
from yolotop.probe.dialects.pointers import MISSING
from yolotop.probe.dialects.protocol import BadResponse, RequestSpec
from yolotop.probe.dialects.refusals import meaning
from yolotop.probe.dialects.ultralytics import prediction
from yolotop.probe.frames import Frame
from yolotop.probe.messages import Reply


class Generic:
    """``dialect = "generic"``."""

    @property
    def name(self) -> str:
        """What presets write after ``dialect =``."""
        return "generic"

    @property
    def slow_to_ask(self) -> bool:
        """Forms and base64 are built once and kept."""
        return False

    def authorise(
        self, spec: RequestSpec, key: str, deployment: Deployment
    ) -> RequestSpec:
        """Where the preset says."""
        return authorised(spec, key, deployment.preset.auth)

    def health_request(self, deployment: Deployment) -> RequestSpec:
        """The preset's liveness question."""
        return liveness_request(deployment)

    def predict_request(self, deployment: Deployment, frame: Frame) -> RequestSpec:
        """The preset's question, with the image where it takes one."""
        return image_request(deployment, frame)

    def read_health(self, reply: Reply, deployment: Deployment) -> None:
        """By the preset's conditions. Raises BadResponse."""
        check_alive(reply, deployment)

    def refused(
        self, reply: Reply, deployment: Deployment, kind: ProbeKind
    ) -> ErrorKind | None:
        """By the preset's rules, then those common to all."""
        return meaning(reply, deployment, kind)

    def read_predict(
        self, reply: Reply, deployment: Deployment, frame: Frame
    ) -> Prediction:
        """Raises BadResponse."""
        preset = deployment.preset
        reading = preset.reading
        try:
            payload = decode(reply.body)
        except BadResponse:
            # What the text says may be the better sentence: "no data provided".
            check_success(reply, preset, MISSING)
            raise
        check_success(reply, preset, payload)
        if preset.question is not None and preset.question.encoding is Encoding.NONE:
            # Without an image there is nothing to be seen.
            seen = Prediction(())
        elif reading.detections is None:
            seen = prediction(payload, deployment.class_names)
        else:
            items = pointed.detections(payload, reading, frame, deployment.class_names)
            seen = Prediction(items)
        return _completed(seen, payload, reply, deployment)


def _completed(
    seen: Prediction, payload: object, reply: Reply, deployment: Deployment
) -> Prediction:
    reading = deployment.preset.reading
    if not (reading.times or reading.facts or reading.alive):
        return seen
    facts = dict(seen.facts) | dict(pointed.facts(payload, reply, reading))
    ordered = tuple(sorted(facts.items()))
    return replace(
        seen,
        server=pointed.times(payload, reply, reading, seen.server),
        facts=ordered,
        model_id=seen.model_id or _model_id(facts),
        alive_s=seen.alive_s
        if seen.alive_s is not None
        else pointed.alive_s(payload, reply, reading),
    )


def _model_id(facts: dict[str, str]) -> str | None:
    """``shapes #1a2b3c4d``; a new library is not another model."""
    own = {
        name: text for name, text in facts.items() if not name.startswith("library ")
    }
    if not own:
        return None
    digest = hashlib.blake2s(repr(sorted(own.items())).encode(), digest_size=4)
    return f"{own.get('model', 'model')} #{digest.hexdigest()}"
