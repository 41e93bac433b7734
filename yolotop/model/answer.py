"""What came back: where the time went, what was seen, what went wrong.

Owns one probe's answer in the one shape every dialect gives, before anyone judges it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from yolotop.model.words import ErrorKind, ProbeKind


@dataclass(frozen=True, slots=True)
class Phases:
    """Where the time went, in milliseconds; ``None`` where the probe never got to.

    ``wait`` runs from the last request byte handed to the kernel to the first
    response byte; ``receive`` from there to the last body byte.
    """

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    send: float | None = None
    wait: float | None = None
    receive: float | None = None

    @property
    def service_ms(self) -> float | None:
        """Send + wait + receive: what a kept-alive client would feel."""
        parts = (self.send, self.wait, self.receive)
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    def split_wait(self, server: ServerTimes | None) -> WaitParts | None:
        """What ``wait`` was made of, as far as the server says; None without a wait.

        A server whose times are longer than the wait is not believed in that part:
        what it cannot have spent stays in ``rest``. The parts add up to ``wait``.
        """
        if self.wait is None:
            return None
        told = server or ServerTimes()
        steps = (told.preprocess, told.inference, told.postprocess)
        inside = sum(step for step in steps if step is not None)
        if inside > self.wait:
            return WaitParts(rest=self.wait)
        if told.call is None or not inside <= told.call <= self.wait:
            return WaitParts(None, None, *steps, rest=self.wait - inside)
        # Without its steps, all of the call is work of an unknown kind.
        queue = told.call - inside if inside else None
        rest = 0.0 if inside else told.call
        return WaitParts(self.wait - told.call, queue, *steps, rest=rest)


PHASE_NAMES: Final = ("dns", "connect", "tls", "send", "wait", "receive")


@dataclass(frozen=True, slots=True)
class ServerTimes:
    """What the server says it spent, in milliseconds.

    ``call`` is its whole time for the request; ``queue`` what is left of that without
    the three steps: decoding, waiting for a worker, writing the answer.
    """

    preprocess: float | None = None
    inference: float | None = None
    postprocess: float | None = None
    queue: float | None = None
    call: float | None = None


@dataclass(frozen=True, slots=True)
class WaitParts:
    """What ``wait`` was made of, in milliseconds; ``None`` for what nobody told.

    ``network`` is the way there and back, ``queue`` the server's time outside of the
    three steps. ``rest`` is what cannot be told apart: all of both where the server
    does not say how long the whole call took.
    """

    network: float | None = None
    queue: float | None = None
    preprocess: float | None = None
    inference: float | None = None
    postprocess: float | None = None
    rest: float = 0.0


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing seen: corner box in pixels of the probe image, confidence 0–1.

    ``outline`` are the corners of an oriented box, or the polygon of a mask, in pixels;
    ``keypoints`` are x, y in pixels and visibility or confidence where it is told.
    ``share`` is the part of the image, 0–1, that a class of a semantic mask covers.
    A classifier gives labels with confidences and no boxes, the likeliest first.
    """

    label: str
    confidence: float | None = None
    box: tuple[float, float, float, float] | None = None
    outline: tuple[tuple[float, float], ...] = ()
    keypoints: tuple[tuple[float, float, float | None], ...] = ()
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Depth:
    """A depth map cut to a grid: ``rows`` times ``columns`` values in metres, row by

    row from the top left; 0 where the server knows none.
    """

    rows: int
    columns: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer's content in the one shape every dialect gives.

    ``model_id`` is a short text naming model, version and classes where the server
    tells them: it changes when the model behind the URL changes. ``alive_s`` is how
    long the instance says it has lived, in seconds. ``facts`` are what the server tells
    of model and libraries, by name in alphabetical order: ``("model", "shapes.onnx")``,
    ``("library ultralytics", "8.4.190")``.
    """

    detections: tuple[Detection, ...]
    server: ServerTimes | None = None
    image_shape: tuple[int, int] | None = None
    task: str | None = None
    model_id: str | None = None
    alive_s: float | None = None
    facts: tuple[tuple[str, str], ...] = ()
    depth: Depth | None = None


@dataclass(frozen=True, slots=True)
class ProbeError:
    """What went wrong: a kind of the closed set and one clean sentence for a person."""

    kind: ErrorKind
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from one probe, before anyone judges it.

    ``latency_ms`` is from before the name is resolved to the last body byte (or to
    the failure). ``body_head`` is cleaned text, at most 2,048 characters, kept only
    for answers that are not a prediction. ``headers`` are the few response headers that
    help to find out why, names in lower case, values cleaned and without secrets, at
    most 16 of 200 characters. ``retry_after_s`` is the server's own wish.
    ``frame`` names the image sent; ``drawn`` is what that image is known to hold
    (``None``: nobody knows). ``tls_expires_at`` is when the first certificate of the
    peer's chain ends, UTC seconds. ``frame_sha256`` is of the image's bytes;
    ``body_digest`` tells whether two predictions came in the same bytes.
    """

    deployment: str
    kind: ProbeKind
    started_at: float
    latency_ms: float | None = None
    phases: Phases = field(default_factory=Phases)
    http_status: int | None = None
    prediction: Prediction | None = None
    error: ProbeError | None = None
    address: str | None = None
    body_head: str = ""
    retry_after_s: float | None = None
    frame: str | None = None
    drawn: tuple[Detection, ...] | None = None
    tls_expires_at: float | None = None
    headers: tuple[tuple[str, str], ...] = ()
    frame_sha256: str | None = None
    body_digest: str | None = None
