"""How a family of servers is asked and read, as data: the shape of a *preset*.

Owns the frozen values that a dialect works from: paths, encodings, where the key goes,
conditions, pointers into answers. Must not know TOML (``config`` reads presets), HTTP
or any server: those that ship are files in ``probe/presets/``.

Words of the values:

- a **path** is appended to the deployment's base URL; one that begins with ``:`` counts
  from the root of the host instead, with a port or without (``:8081/models``,
  ``:/-/healthz``). ``{model}`` and ``{version}`` stand for the deployment's own.
- a **pointer** is a JSON pointer (RFC 6901) such as ``/predictions/0``, or
  ``header:NAME`` for a response header where a value may stand in one.
- a **condition** is a text such as ``/success == true``, see ``judge.conditions``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Encoding(StrEnum):
    """How the image travels: a part of a form, the body, base64 in JSON, or not."""

    MULTIPART = "multipart"
    RAW = "raw"
    JSON = "json"
    NONE = "none"


class Carrier(StrEnum):
    """Where the key goes."""

    BEARER = "bearer"
    HEADER = "header"
    QUERY = "query"
    FORM = "form"


class BoxForm(StrEnum):
    """The order of a box's four numbers."""

    XYXY = "xyxy"
    XYWH = "xywh"
    CXCYWH = "cxcywh"
    YXYX = "yxyx"


@dataclass(frozen=True, slots=True)
class Auth:
    """``name`` is the header's, parameter's or field's; of no use to a bearer."""

    carrier: Carrier = Carrier.BEARER
    name: str = "Authorization"


@dataclass(frozen=True, slots=True)
class Liveness:
    """The cheap question.

    ``holds`` are conditions on a 2xx body; an answer that breaks one is *not ready*.
    ``not_ready`` are statuses by which this server says so (Triton: 400).
    """

    method: str = "GET"
    path: str = "/health"
    holds: tuple[str, ...] = ()
    not_ready: tuple[int, ...] = (503,)


@dataclass(frozen=True, slots=True)
class Question:
    """The question with an image.

    ``field`` names the part of a form, or is the pointer at which the base64 text is
    put into ``template``, a JSON text. ``settings`` tells what the server calls our
    ``conf``, ``iou``, ``imgsz`` and ``model``: pairs of ours and a form field, or the
    pointer in the template; ``scale`` is what a confidence of 1 is to it.
    """

    method: str = "POST"
    path: str = "/predict"
    encoding: Encoding = Encoding.MULTIPART
    field: str = "file"
    template: str = "{}"
    settings: tuple[tuple[str, str], ...] = (
        ("conf", "conf"),
        ("iou", "iou"),
        ("imgsz", "imgsz"),
    )
    scale: float = 1.0
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Time:
    """A duration the server tells: which part, at which pointer, times ``factor`` ms.

    ``part`` is a field of :class:`~yolotop.model.ServerTimes`.
    """

    part: str
    at: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the answer holds what.

    ``holds`` are conditions for success, checked first. ``detections`` points at the
    list; ``None`` leaves it to the dialect to find it. ``label``, ``confidence`` and
    ``box`` point into one item; ``box`` may be four pointers separated by blanks.
    ``unit`` is ``pixel`` or ``share`` (0-1 of the image's side); ``scale`` is what a
    confidence of 1 is written as (100 for per cent). ``facts`` are pointers at what
    tells one model from another, by the name they are shown under.
    """

    holds: tuple[str, ...] = ()
    detections: str | None = None
    label: str = "/label"
    confidence: str = "/confidence"
    box: str = "/box"
    form: BoxForm = BoxForm.XYXY
    unit: str = "pixel"
    scale: float = 1.0
    times: tuple[Time, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    alive: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a status, or a body that says something, means; the first that fits counts.

    ``kind`` is the value of an :class:`~yolotop.model.ErrorKind`. All of ``says`` must
    stand in the body, upper and lower case alike.
    """

    kind: str
    status: int | None = None
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where the server counts its real traffic, and what it calls it.

    ``path`` as above. ``profile`` names one of the readings in ``probe/metrics``;
    empty: none is known for this server.
    """

    path: str = ""
    profile: str = ""


class Head(StrEnum):
    """What the numbers of a YOLO output stand for.

    ``raw`` is ``[1, 4 + classes, N]`` or its transpose, with overlaps still in it;
    ``end2end`` rows of x1, y1, x2, y2, score, class; ``auto`` goes by the shape, and
    ``none`` leaves the numbers alone: only that they came is looked at.
    """

    AUTO = "auto"
    RAW = "raw"
    END2END = "end2end"
    NONE = "none"


class Task(StrEnum):
    """What follows the classes in a YOLO output: nothing, or 32 mask coefficients, or

    keypoints, or an angle.
    """

    DETECT = "detect"
    SEGMENT = "segment"
    POSE = "pose"
    OBB = "obb"


@dataclass(frozen=True, slots=True)
class Tensor:
    """What goes into a server of tensors and comes out of it (``dialect = "oip"``).

    ``shape`` is the input's as the server tells it: NCHW or NHWC, with or without the
    batch, ``-1`` where any will do; empty: ``[1, 3, imgsz, imgsz]``. ``datatype`` is
    the protocol's word; with ``BYTES`` the encoded image travels and the server
    decodes it. ``keypoints`` are how many there are, and numbers of each (``17, 3``).
    ``binary`` says that the server announces ``binary_tensor_data``.
    """

    input: str = "images"
    shape: tuple[int, ...] = ()
    datatype: str = "FP32"
    output: str = "output0"
    head: Head = Head.AUTO
    task: Task = Task.DETECT
    keypoints: tuple[int, int] | None = None
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Preset:
    """One way to speak to servers. ``dialect`` names the code that does it.

    ``liveness`` or ``question`` is ``None`` where there is no such question: then it is
    never asked.
    """

    name: str = "ultralytics"
    dialect: str = "ultralytics"
    title: str = "Ultralytics endpoint"
    auth: Auth = Auth()
    liveness: Liveness | None = Liveness()
    question: Question | None = Question()
    reading: Reading = Reading()
    refusals: tuple[Refusal, ...] = ()
    metrics: Metrics | None = None


ULTRALYTICS: Final = Preset()
"""What a deployment speaks when nothing else is said."""
