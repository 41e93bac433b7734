"""The vocabulary of yolotop: what every room says to every other.

Owns the frozen values that travel down the one-way street *config → probe → judge →
store → view* and nothing else. It does no I/O, imports no other room and holds no
behaviour beyond what a value can say about itself.

Units: every duration ends in ``_ms`` or ``_s``; every instant is a Unix time in UTC
seconds as ``float`` and ends in ``_at`` (wall clock: for showing and storing, never
for measuring; measuring is monotonic and lives in ``probe``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final

from yolotop.preset import ULTRALYTICS, Preset


class Severity(IntEnum):
    """How much a line matters. The order is the filter order."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50


class Health(StrEnum):
    """A deployment's state after hysteresis."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    COLD = "cold"
    UNKNOWN = "unknown"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"


class ProbeKind(StrEnum):
    """The two questions."""

    HEALTH = "health"
    PREDICT = "predict"


class ErrorKind(StrEnum):
    """Why a probe is not simply fine: the closed set ``--json`` promises."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    HTTP = "http"
    BODY_TOO_LARGE = "body_too_large"
    BAD_RESPONSE = "bad_response"
    UNAUTHORIZED = "unauthorized"
    RATE_LIMITED = "rate_limited"
    COLD_START = "cold_start"
    WRONG_ANSWER = "wrong_answer"
    CANCELLED = "cancelled"
    INTERNAL = "internal"
    CLIENT_ERROR = "client_error"
    MODEL_NOT_FOUND = "model_not_found"
    OVERLOADED = "overloaded"
    HANDLER_ERROR = "handler_error"
    NOT_READY = "not_ready"
    MODEL_CHANGED = "model_changed"


class Outcome(StrEnum):
    """What one verdict comes to.

    ``FAILED`` and ``WRONG`` count as errors; ``SLOW`` is a right answer that took
    longer than the deployment's ``slow``; ``COLD`` is "starting up", neither;
    ``CHANGED`` is an answer of another model than the one the baseline was taken of.
    """

    OK = "ok"
    SLOW = "slow"
    COLD = "cold"
    WRONG = "wrong"
    FAILED = "failed"
    CHANGED = "changed"

    @property
    def is_error(self) -> bool:
        """Whether it counts in the error rate."""
        return self in (Outcome.FAILED, Outcome.WRONG)


class EventKind(StrEnum):
    """What an event is about; stable, machines match on it."""

    STATE = "state"
    MODEL_CHANGED = "model_changed"
    RESTARTED = "restarted"
    CONFIG = "config"
    COLLECTOR = "collector"
    OVERRUN = "overrun"
    STORE = "store"
    CLOCK = "clock"
    FLAPPING = "flapping"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is, never what it is: ``env:NAME`` or ``file:PATH``."""

    scheme: str
    target: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.target}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a right answer holds, beyond status and shape. Empty: nothing is expected.

    ``drawn`` asks that exactly the shapes drawn on the synthetic frame come back, each
    with its label and IoU ≥ 0.5. Counts are detections per image. ``counts`` are
    conditions on how many there are of a label, such as ``("person", ">=1")``, of which
    only those with at least ``min_confidence`` (0-1) count.
    """

    drawn: bool = False
    min_detections: int | None = None
    max_detections: int | None = None
    labels: tuple[str, ...] = ()
    counts: tuple[tuple[str, str], ...] = ()
    min_confidence: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether any answer of the right shape is right."""
        return self == Expectation()


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
class Tolerance:
    """How far an answer may be from its baseline and still be the same.

    Counts of detections; shares 0–1. ``keypoint`` is a mean distance as a share of the
    box's diagonal, ``depth`` a mean relative error, ``pixels`` a difference in the part
    of the image that a class covers.
    """

    missed: int = 0
    extra: int = 1
    confidence: float = 0.10
    iou: float = 0.80
    keypoint: float = 0.05
    depth: float = 0.10
    pixels: float = 0.05


@dataclass(frozen=True, slots=True)
class Baseline:
    """The answer that an image once got, pinned by a person.

    ``image_sha256`` is of the file's bytes. ``facts`` are of the model that answered
    (see :attr:`Prediction.facts`); ``pinned_at`` is Unix time in UTC seconds.
    """

    image_sha256: str
    pinned_at: float
    detections: tuple[Detection, ...]
    task: str | None = None
    facts: tuple[tuple[str, str], ...] = ()
    depth: Depth | None = None
    image_shape: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Planned work: from ``start_at`` for ``length_s`` seconds, UTC.

    With ``every_s`` it comes again and again (a day, a week), before ``start_at`` too.
    The windows are computed when they are asked for and never stored.
    """

    start_at: float
    length_s: float
    every_s: float = 0.0

    def until(self, at: float) -> float | None:
        """The end of the window that holds ``at``, or ``None`` outside of all."""
        start = self.start_at
        if self.every_s > 0:
            start += (at - start) // self.every_s * self.every_s
        end = start + self.length_s
        return end if start <= at < end else None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One registered endpoint with its effective settings (defaults already applied).

    ``image`` is ``"synthetic"`` or a path. ``slow_ms`` is the latency above which a
    right answer is *slow*; ``None`` switches that off. ``degraded_after`` bad answers
    among the last ``degraded_window`` make it degraded. ``recheck_s`` after a first
    failure it is asked again, 0 for never. ``objective`` is the share of good predict
    probes, 0-1, over ``objective_range_s``. ``connect_timeout_s`` bounds name, TCP,
    proxy and TLS together, ``first_byte_timeout_s`` from there to the first byte of the
    answer. ``proxy_auth`` refers to ``user:password``; ``ca``, ``client_cert`` and
    ``client_key`` are paths of PEM files. ``location`` is latitude and longitude in
    degrees, for a map. ``preset`` is what ``dialect`` comes to: how the server is asked
    and read. ``model`` and ``model_version`` are what the server calls the model,
    ``class_names`` its classes in their order, for servers that answer with numbers.
    ``headers`` go out with every request. ``golden`` is the pinned answer to ``image``,
    compared within ``tolerance``. ``metrics_url`` is where the server counts its real
    traffic (``""``: nowhere, ``None``: where the preset says).
    """

    name: str
    url: str
    dialect: str = "ultralytics"
    api_key: SecretRef | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()
    region: str | None = None
    interval_s: float = 15.0
    predict_interval_s: float = 60.0
    timeout_s: float = 10.0
    scale_to_zero: bool = False
    cold_start_s: float = 55.0
    image: str = "synthetic"
    expect: Expectation = field(default_factory=Expectation)
    slow_ms: float | None = None
    fail_after: int = 3
    recover_after: int = 2
    degraded_after: int = 2
    degraded_window: int = 5
    recheck_s: float = 2.0
    objective: float = 0.99
    objective_range_s: float = 604_800.0
    maintenance: tuple[Maintenance, ...] = ()
    conf: float | None = None
    iou: float | None = None
    imgsz: int | None = None
    paused: bool = False
    connect_timeout_s: float | None = None
    first_byte_timeout_s: float | None = None
    reuse: bool = False
    proxy: str | None = None
    proxy_auth: SecretRef | None = None
    ca: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    verify_tls: bool = True
    allow_link_local: bool = False
    location: tuple[float, float] | None = None
    preset: Preset = ULTRALYTICS
    model: str | None = None
    model_version: str | None = None
    class_names: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    golden: Baseline | None = None
    tolerance: Tolerance = Tolerance()
    metrics_url: str | None = None

    @property
    def questions(self) -> tuple[ProbeKind, ...]:
        """What can be asked of it at all, liveness first."""
        preset = self.preset
        asked = (
            (ProbeKind.HEALTH, preset.liveness),
            (ProbeKind.PREDICT, preset.question),
        )
        return tuple(kind for kind, how in asked if how is not None)


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What we think of an answer. ``cold`` marks an answer kept out of warm figures."""

    outcome: Outcome
    severity: Severity
    message: str
    error: ProbeError | None = None
    cold: bool = False

    @property
    def ok(self) -> bool:
        """Whether an answer came that is not wrong (slow and changed ones are not)."""
        return self.outcome in (Outcome.OK, Outcome.SLOW, Outcome.CHANGED)


@dataclass(frozen=True, slots=True)
class Sample:
    """One judged probe: what the collector enqueues and the store keeps."""

    answer: Answer
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Event:
    """A change worth a log line. ``deployment`` is ``None`` for the collector's own.

    ``health`` is the state entered, of an event of kind STATE only.
    """

    at: float
    severity: Severity
    kind: EventKind
    message: str
    deployment: str | None = None
    health: Health | None = None


@dataclass(frozen=True, slots=True)
class Light:
    """The state of one of the two questions, with the streaks that led to it.

    A deployment whose liveness path answers while every prediction is refused must
    not look healthy, so each question counts for itself. ``recent`` holds at most
    ``degraded_window`` outcomes, newest last; ``failures`` runs of *failed* and
    ``successes`` runs of answers that came (ok, slow, wrong). ``cold_since`` is when
    the endpoint first said "starting up" since it last answered.
    """

    health: Health = Health.UNKNOWN
    recent: tuple[Outcome, ...] = ()
    failures: int = 0
    successes: int = 0
    message: str = ""
    cold_since: float | None = None


@dataclass(frozen=True, slots=True)
class HealthState:
    """A deployment's state with the streaks that led to it; survives restarts.

    ``health`` is the worse of the two lights. ``recent``, ``failures`` and
    ``successes`` are of both questions together. ``last_answer_at`` is when the last
    prediction arrived, ``alive_s`` how long its instance had lived by then.
    ``changes`` are the instants of recent changes between up, degraded and down;
    ``until_at`` is when maintenance ends; ``told_expiry_at`` is when the end of the
    TLS certificate was last told.
    """

    health: Health = Health.UNKNOWN
    since: float = 0.0
    message: str = ""
    recent: tuple[Outcome, ...] = ()
    failures: int = 0
    successes: int = 0
    model_id: str | None = None
    alive_s: float | None = None
    last_answer_at: float | None = None
    liveness: Light = Light()
    predict: Light = Light()
    changes: tuple[float, ...] = ()
    flapping: bool = False
    until_at: float | None = None
    told_expiry_at: float | None = None


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """``[store]``: what the history keeps, and where it may be.

    Raw probes are kept for ``raw_s``, rollups of five minutes for ``slots_s``, of an
    hour for ``hours_s``, events for ``events_s``; all of it within ``max_bytes``
    (``None``: without bound), where the oldest raw probes go first. Below
    ``min_free_bytes`` of free disk (``None``: 2 % of it, at most 200 MB) nothing is
    written.
    """

    raw_s: float = 604_800.0
    slots_s: float = 259_200.0
    hours_s: float = 34_560_000.0
    events_s: float = 34_560_000.0
    max_bytes: int | None = 512_000_000
    min_free_bytes: int | None = None
    allow_network: bool = False
