"""The shapes that cross the border of the store: what is written, what is read back.

Owns plain values and the widths of the slots. It must not know SQL, nor who may ask for
what: that is :mod:`yolotop.store.protocol`, from where everybody imports these.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from yolotop.judge.histogram import ExpHistogram
from yolotop.model import (
    ErrorKind,
    EventKind,
    Health,
    Hosting,
    Outcome,
    Phases,
    ProbeKind,
    ServerTimes,
    Severity,
)

FINE_SLOT_S: Final = 300
"""Width of a fine rollup slot in seconds; kept for three days."""
COARSE_SLOT_S: Final = 3600
"""Width of a coarse rollup slot in seconds; kept for 400 days."""
TRAFFIC_S: Final = 60
"""Width of the finer rows of real traffic in seconds, kept for a day; the coarser
ones are :data:`COARSE_SLOT_S` wide."""
TAIL_BEATS: Final = 60
"""Newest predict answers of each deployment that are kept ready to be shown."""


class RequestKind(StrEnum):
    """What a face may ask of the collector."""

    PROBE = "probe"
    PAUSE = "pause"
    RESUME = "resume"
    MAINTENANCE = "maintenance"
    TRIAL = "trial"
    PREDICT = "predict"
    RECOGNISE = "recognise"
    PLATFORM_LIST = "platform_list"
    PLATFORM_LOG = "platform_log"
    PLATFORM_START = "platform_start"
    PLATFORM_STOP = "platform_stop"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Request:
    """A face's wish: ``deployment`` is a name; ``body`` is what each kind says.

    A *trial* probes an endpoint that is not registered: ``body`` holds a deployment
    table as in the config file, the result is a JSON list as ``check --json`` prints.
    *Maintenance* has its end in ``body``: a duration ("2h"), an ISO 8601 time (UTC
    where it has no offset), or nothing to end it now. *Predict* sends one image to a
    registered deployment, beside the history: ``body`` is ``{"image": ...}`` with
    ``synthetic``, ``golden`` (its own ``image``) or an absolute path; the result is a
    JSON object with what came back, see :mod:`yolotop.collect.showing`. *Recognise*
    finds out what a server is, with GETs alone: ``body`` is a table as for a trial,
    the result a JSON object with ``dialect`` (or ``null``), ``sure``, ``why``,
    ``settings`` for that table, ``models``, ``unsaid``, ``wants_key`` and ``asked``.
    *Platform_list* tells what there is on Ultralytics Platform: ``body`` is an owner or
    nothing, the result ``{"owner", "cut", "deployments": [...]}``. *Platform_log*
    fetches the newest lines of a deployment's log there into the history,
    *platform_start* and *platform_stop* start and stop it; each result is a sentence.
    """

    id: int
    at: float
    kind: RequestKind
    deployment: str | None = None
    body: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """A deployment as the store knows it. ``removed_at`` is set once it left the file.

    ``position`` is its place in the config file, from 0. ``objective`` is the share of
    good predict probes, 0-1, over ``objective_range_s``. ``location`` is latitude and
    longitude in degrees. ``hosting`` is what the platform that runs it last said.
    """

    name: str
    url: str
    dialect: str
    group: str | None
    region: str | None
    tags: tuple[str, ...]
    position: int
    paused: bool
    predict_interval_s: float
    first_seen_at: float
    removed_at: float | None = None
    objective: float = 0.99
    objective_range_s: float = 604_800.0
    location: tuple[float, float] | None = None
    hosting: Hosting | None = None


@dataclass(frozen=True, slots=True)
class StoredProbe:
    """One probe read back; durations in milliseconds as stored.

    ``latency_ms`` is kept to 1 µs, ``phases`` and ``server`` to 10 µs. ``body_head``
    and ``headers`` are those of a bad answer, as long as it is one of the newest of
    its deployment; empty otherwise.
    """

    seq: int
    at: float
    deployment: str
    kind: ProbeKind
    outcome: Outcome
    severity: Severity
    message: str
    cold: bool = False
    http_status: int | None = None
    latency_ms: float | None = None
    phases: Phases = Phases()  # noqa: RUF009 - frozen, so sharing it is safe
    server: ServerTimes | None = None
    detections: int | None = None
    error_kind: ErrorKind | None = None
    body_head: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One event read back: what changed, and with STATE into which ``health``.

    ``health`` is ``None`` for other kinds, and for a STATE written before states were
    kept with their events whose message does not say it. ``deployment`` is ``None``
    for what the collector tells of itself.
    """

    seq: int
    at: float
    deployment: str | None
    kind: EventKind
    severity: Severity
    health: Health | None
    message: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log pane, of a probe or of an event, ready to be shown.

    ``at`` is when it was known: for a probe, when its answer was complete.
    """

    seq: int
    at: float
    severity: Severity
    deployment: str | None
    message: str
    http_status: int | None = None
    latency_ms: float | None = None
    probe: ProbeKind | None = None
    event: EventKind | None = None


@dataclass(frozen=True, slots=True)
class SharedLine:
    """What many lines of probes have in common; they differ in time and latency.

    ``pieces`` is the message cut where a number stands that differs (ASCII digits, at
    least one), so a message without one is a single piece; ``None``: any message.
    """

    severity: Severity
    deployment: str | None
    pieces: tuple[str, ...] | None
    http_status: int | None = None
    probe: ProbeKind | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Lines found by a search, oldest first, and how far one call looked.

    All that is wanted in ``first``…``last`` is in ``lines``. ``more`` tells whether
    anything is left beyond, in the direction of the search; then ``lines`` may be
    short of the limit, even empty: looking is bounded, and the next call goes on.
    """

    lines: list[LogLine]
    first: int
    last: int
    more: bool


@dataclass(frozen=True, slots=True)
class Extent:
    """The whole log: numbers of its oldest and newest line, 0 in an empty one.

    Before ``dense`` there are only ``sparse`` events, whose probes are gone; from
    there on every number is a line.
    """

    oldest: int = 0
    newest: int = 0
    dense: int = 0
    sparse: int = 0

    @property
    def total(self) -> int:
        """How many lines there are."""
        return self.sparse + (self.newest - self.dense + 1 if self.newest else 0)

    def position(self, seq: int) -> int:
        """How many lines come before the one with this number; a guess before dense."""
        if seq >= self.dense:
            return self.sparse + min(seq, self.newest + 1) - self.dense
        span = max(1, self.dense - self.oldest)
        return self.sparse * max(0, seq - self.oldest) // span


@dataclass(frozen=True, slots=True)
class Slot:
    """Counters and warm latency histogram of one deployment in one slot of time.

    ``requests`` counts predict probes; ``failed`` those with an error (wrong answers
    included, cold starts not); ``cold`` those kept out of ``histogram``; ``health``
    and ``health_failed`` count liveness probes apart. ``histogram`` holds predict
    latencies in milliseconds of warm answers that arrived. ``last_seq`` is the newest
    probe summed here: of this deployment and slot, those up to it are in, later ones
    are not.
    """

    deployment: str
    start_at: float
    width_s: int
    requests: int
    failed: int
    cold: int
    health: int
    health_failed: int
    histogram: ExpHistogram
    last_seq: int = 0


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """Predict probes of some slots; ``slots`` are those with at least one."""

    slots: int
    requests: int
    failed: int


@dataclass(frozen=True, slots=True)
class Beat:
    """One predict answer, cut to what a trend of them shows."""

    outcome: Outcome
    latency_ms: float | None
    cold: bool = False


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest of one deployment: what a starting face shows of it at once.

    ``last_at`` and ``last_seq`` are of its newest probe of either kind, ``beats`` its
    newest :data:`TAIL_BEATS` predict answers, oldest first, and ``last`` the newest of
    them whole (``None`` without any, or once retention took it).
    """

    deployment: str
    last_at: float
    last_seq: int
    beats: tuple[Beat, ...]
    last: StoredProbe | None


@dataclass(frozen=True, slots=True)
class CollectorStatus:
    """What the collector says of itself; ``beat_at`` is renewed at least every 5 s.

    ``note`` is what is wrong, if anything (a broken config edit, a full disk), for
    the screen. ``overruns`` counts missed grid slots since start. ``platform`` says
    whose deployments on Ultralytics Platform are followed, and what is left of the
    calls that it allows.
    """

    pid: int
    started_at: float
    beat_at: float
    version: str
    config_path: str | None = None
    note: str = ""
    overruns: int = 0
    stopped_at: float | None = None
    platform: str = ""
