"""What is registered: one endpoint with its effective settings, and the history's.

Owns the values the config file comes to. They know nothing of files, nor of what is
measured with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from yolotop.model.golden import Baseline, Tolerance
from yolotop.model.hosting import Hosting, PlatformAddress
from yolotop.model.preset import ULTRALYTICS, Preset, Tensor
from yolotop.model.words import ProbeKind


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
    traffic (``""``: nowhere, ``None``: where the preset says). ``tensor`` is what goes
    in and comes out, for servers of tensors (``None``: as ultralytics exports).
    ``platform`` is its address on Ultralytics Platform, for one that runs there; then
    ``probe`` tells whether its endpoint is asked at all, and ``hosting`` what the
    Platform last said of it, which is no part of its settings.
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
    tolerance: Tolerance = Tolerance()  # noqa: RUF009 - frozen, so sharing it is safe
    metrics_url: str | None = None
    tensor: Tensor | None = None
    platform: PlatformAddress | None = None
    probe: bool = True
    hosting: Hosting | None = field(default=None, compare=False)

    @property
    def questions(self) -> tuple[ProbeKind, ...]:
        """What can be asked of it at all, liveness first."""
        if not self.probe:
            return ()
        preset = self.preset
        asked = (
            (ProbeKind.HEALTH, preset.liveness),
            (ProbeKind.PREDICT, preset.question),
        )
        return tuple(kind for kind, how in asked if how is not None)


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
