"""The Open Inference Protocol v2: Triton, MLServer, KServe, OpenVINO Model Server.

Owns what is asked at ``/v2/models/{model}`` and what of an answer is taken. Must not
know the transport, the key's value or verdicts; tensors, pictures and heads have
modules of their own.

The protocol tells neither classes nor heads, and its servers differ in what they take.
All of that is in :class:`~yolotop.model.preset.Tensor`, which ``yolotop add`` fills in
from ``GET /v2`` and ``GET /v2/models/{model}``: a dialect asks nothing itself.

What servers answer was measured on Triton 2.51.0, MLServer 1.7.1 and the KServe SDK
0.21.0. With a dead worker or an unloaded model all of them go on to call themselves
ready, so liveness is asked of the model, and is never taken for more than it is.
"""

from __future__ import annotations

import base64
import re
import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from yolotop.model import Deployment, ErrorKind, Prediction, ProbeKind
from yolotop.model.preset import Head, Refusal, Tensor
from yolotop.probe.dialects import heads, inference, letterbox, tensors
from yolotop.probe.dialects.asking import authorised, liveness_request, url_of
from yolotop.probe.dialects.decoding import decode
from yolotop.probe.dialects.protocol import BadResponse, RequestSpec
from yolotop.probe.dialects.refusals import meaning
from yolotop.probe.dialects.ultralytics import Ultralytics
from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.frames import Frame
from yolotop.probe.messages import Limits, Reply

_BYTES: Final = "BYTES"
_USUAL: Final = Tensor()

_REFUSALS: Final = (
    # Triton, after a model was unloaded or while it loads.
    Refusal("not_ready", 400, ("no available versions",)),
    Refusal("not_ready", 400, ("is not ready",)),
    Refusal("not_ready", None, ("not loaded yet",)),  # OpenVINO Model Server
    Refusal("not_ready", 503, ("stopped accepting",)),
    # Triton's queue, with a limit on its length or on the wait.
    Refusal("overloaded", 503, ("exceeds maximum queue size",)),
    Refusal("overloaded", 503, ("request timeout expired",)),
    # The model's process is gone, and ready is still 200.
    Refusal("handler_error", 500, ("stub process", "not healthy")),
    # What is wrong with the question is a 500 to some.
    Refusal("client_error", 500, ("failed to parse the request",)),
    Refusal("client_error", 500, ("unable to parse",)),
    Refusal("client_error", 500, ("invalidargument",)),
)
"""What their refusals mean, whichever of these servers it is."""

LIMITS: Final = Limits(raw=32 * 1024 * 1024, body=32 * 1024 * 1024)
"""The 705,600 numbers of [1,84,8400] are 8 to 14 MB as JSON, 2.8 MB as bytes."""

MOST_KEPT: Final = 16 * 1024 * 1024
"""Bytes of questions kept between probes. One at 640 pixels is 4.9 MB as FP32 and 7.4
as JSON; to build it anew takes 12 and 26 ms of a thread."""

_LONGEST_HEALTH: Final = 4_096
_ULTRALYTICS: Final = Ultralytics()
_MODEL_IN_URL: Final = re.compile(
    r"(?P<base>.*?)/v2/models/(?P<model>[^/]+)"
    r"(?:/versions/(?P<version>[^/]+))?(?:/(?:infer|ready|stats))?/?"
)


class OpenInference:
    """``dialect = "oip"``."""

    def __init__(self) -> None:
        self._questions = _Questions()

    @property
    def name(self) -> str:
        """What users write after ``dialect =``."""
        return "oip"

    @property
    def slow_to_ask(self) -> bool:
        """A picture becomes a tensor in some 15 ms."""
        return True

    def authorise(
        self, spec: RequestSpec, key: str, deployment: Deployment
    ) -> RequestSpec:
        """A gateway's business; bearer unless the preset says otherwise."""
        return authorised(spec, key, deployment.preset.auth)

    def health_request(self, deployment: Deployment) -> RequestSpec:
        """Whether the model, not the server, calls itself ready."""
        return liveness_request(named(deployment))

    def predict_request(self, deployment: Deployment, frame: Frame) -> RequestSpec:
        """The image as a tensor. Raises UnsendableRequest for an impossible one."""
        deployment = named(deployment)
        how = deployment.preset.question
        if how is None:
            raise UnsendableRequest(f"{deployment.preset.title} answers no prediction")
        asked = self._questions.question(
            frame, deployment.tensor or _USUAL, deployment.imgsz
        )
        kind = ("Content-Type", "application/json")
        lengths: tuple[tuple[str, str], ...] = ()
        if asked.head is not None:
            kind = ("Content-Type", "application/octet-stream")
            lengths = ((tensors.LENGTH_HEADER, str(asked.head)),)
        url = url_of(deployment, how.path)
        headers = (kind, *lengths, *how.headers)
        return RequestSpec(how.method, url, headers, asked.body, LIMITS)

    def read_health(self, reply: Reply, deployment: Deployment) -> None:  # noqa: ARG002 - other dialects need it
        """KServe tells in the body, the others by 200 alone."""
        try:
            told = decode(reply.body[:_LONGEST_HEALTH])
        except BadResponse:
            return
        if isinstance(told, dict) and told.get("ready") is False:
            raise BadResponse(
                "the model says that it is not ready", ErrorKind.NOT_READY
            )

    def refused(
        self, reply: Reply, deployment: Deployment, kind: ProbeKind
    ) -> ErrorKind | None:
        """By the preset's rules, then those of the protocol, then those of all."""
        preset = deployment.preset
        known = replace(preset, refusals=(*preset.refusals, *_REFUSALS))
        return meaning(reply, replace(deployment, preset=known), kind)

    def read_predict(
        self, reply: Reply, deployment: Deployment, frame: Frame
    ) -> Prediction:
        """Detections of the one image. Raises BadResponse."""
        tensor = deployment.tensor or _USUAL
        answer = inference.inference(reply)
        output = answer.output(tensor.output)
        if tensor.head is Head.NONE:
            if output.datatype != _BYTES:
                output.floats()
            found = Prediction(())
        elif output.datatype == _BYTES:
            # A model that draws its own conclusions: JSON, as ultralytics writes it.
            told = replace(reply, body=output.text())
            found = _ULTRALYTICS.read_predict(told, deployment, frame)
        else:
            found = _decoded(output, deployment, frame)
        return _signed(found, answer)


def named(deployment: Deployment) -> Deployment:
    """The same without a model's path in its URL, which may be all that names it."""
    if "/v2/models/" not in deployment.url:
        return deployment
    base, model, version = _in_url(deployment.url)
    return replace(
        deployment,
        url=base,
        model=deployment.model or model or None,
        model_version=deployment.model_version or version or None,
    )


@lru_cache(maxsize=1024)
def _in_url(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    found = _MODEL_IN_URL.fullmatch(parts.path)
    if found is None:
        return url, "", ""
    base = urlunsplit((parts.scheme, parts.netloc, found["base"], parts.query, ""))
    return base, unquote(found["model"]), unquote(found["version"] or "")


def _decoded(
    output: inference.Output, deployment: Deployment, frame: Frame
) -> Prediction:
    tensor = deployment.tensor or _USUAL
    if tensor.datatype == _BYTES:
        raise BadResponse(
            f"{output.name} holds numbers for an image that the server decoded "
            'itself: set head = "none"'
        )
    try:
        into = letterbox.canvas(tensor.shape, deployment.imgsz)
    except UnsendableRequest as error:  # the question was sent, so this cannot be
        raise BadResponse(error.message) from None
    wanted = heads.Wanted(
        tensor,
        deployment.class_names,
        heads.CONF if deployment.conf is None else deployment.conf,
        heads.IOU if deployment.iou is None else deployment.iou,
        into.anchors,
    )
    fit = letterbox.fit((frame.width, frame.height), into)
    found = heads.detections(output.floats(), output.shape, wanted, fit)
    return Prediction(
        found,
        image_shape=(frame.height, frame.width),
        task=str(tensor.task),
    )


def _signed(found: Prediction, answer: inference.Inference) -> Prediction:
    """With who gave it; what the model itself told goes first."""
    told = [("model", answer.model), ("version", answer.version)]
    ours = {name: value for name, value in told if value is not None}
    facts = tuple(sorted({**ours, **dict(found.facts)}.items()))
    front = answer.model
    if front is not None and answer.version is not None:
        front = f"{front}, version {answer.version}"
    return replace(found, facts=facts, model_id=found.model_id or front)


# --- questions -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    """A body, and how much of it is JSON where tensors follow."""

    body: bytes
    head: int | None = None


_Key = tuple[str, Tensor, int | None]


class _Questions:
    """Bodies by frame and tensor, the last used, within :data:`MOST_KEPT` bytes."""

    def __init__(self) -> None:
        self._kept: dict[_Key, _Asked] = {}
        self._size = 0
        self._lock = threading.Lock()  # probes build theirs in threads

    def question(self, frame: Frame, tensor: Tensor, imgsz: int | None) -> _Asked:
        """The same object for the same question, as long as it is kept."""
        key = (frame.sha256, tensor, imgsz)
        with self._lock:
            asked = self._kept.pop(key, None)
            if asked is not None:
                self._kept[key] = asked
                return asked
        asked = _build(frame, tensor, imgsz)
        with self._lock:
            if key not in self._kept and len(asked.body) <= MOST_KEPT:
                self._kept[key] = asked
                self._size += len(asked.body)
            while self._size > MOST_KEPT:
                oldest = self._kept.pop(next(iter(self._kept)))
                self._size -= len(oldest.body)
        return asked


def _build(frame: Frame, tensor: Tensor, imgsz: int | None) -> _Asked:
    datatype = tensor.datatype
    shape: tuple[int, ...]
    if datatype == _BYTES:
        shape = tuple(abs(side) for side in tensor.shape) or (1, 1)
        if set(shape) != {1}:
            raise UnsendableRequest(
                f"an input of BYTES of the shape {list(tensor.shape)} takes more than "
                "one image: set tensor.shape to [1] or [1, 1]"
            )
        data = tensors.counted(frame.data)
    else:
        into = letterbox.canvas(tensor.shape, imgsz)
        shape = into.shape
        pixels = letterbox.laid(frame, into)
        if tensor.binary:
            data = tensors.binary(pixels, datatype)
    if tensor.binary:
        head = tensors.compact(
            tensors.head(tensor.input, shape, datatype, tensor.output, size=len(data))
        )
        return _Asked(head + data, len(head))
    question = tensors.head(tensor.input, shape, datatype, tensor.output, size=None)
    if datatype == _BYTES:
        text = b'"%b"' % base64.b64encode(frame.data)
        return _Asked(tensors.with_data(question, text))
    return _Asked(tensors.with_data(question, tensors.written(pixels, datatype)))
