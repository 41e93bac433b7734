"""The picture every face shows: frozen, complete, computed once per refresh.

Owns the shapes between the history and the screens. It must not know SQL, Textual or
the network. ``status --json`` is a projection of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from yolotop.model import Health, Hosting, Phases, ServerTimes, Severity, Traffic
from yolotop.store.protocol import Beat as Beat


class Range(StrEnum):
    """The spans of time a face can look at."""

    H1 = "1h"
    H6 = "6h"
    H24 = "24h"
    D7 = "7d"
    D30 = "30d"

    @property
    def seconds(self) -> int:
        """Its length in seconds."""
        return _SECONDS[self]


_SECONDS = {
    Range.H1: 3_600,
    Range.H6: 21_600,
    Range.H24: 86_400,
    Range.D7: 604_800,
    Range.D30: 2_592_000,
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Requests, errors and warm latency of something over the range.

    ``known`` is false while nothing was summed yet: a face shows no number then.

    ``error_rate`` is failed ÷ requests, 0–1, ``None`` without requests. Percentiles
    are nearest rank over ``samples`` warm answers (relative error ≤ 1.083 %), in
    milliseconds; ``None`` without samples. Under 20 samples a face greys them.
    """

    requests: int = 0
    failed: int = 0
    cold: int = 0
    error_rate: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    samples: int = 0
    known: bool = True

    @property
    def asked(self) -> int | None:
        """Requests, or ``None`` while they are not known."""
        return self.requests if self.known else None


UNKNOWN: Final = Figures(known=False)
"""Figures of a first glance."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Equal steps of time, oldest first; ``None`` where nothing was measured."""

    start_at: float = 0.0
    step_s: float = 0.0
    values: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """One deployment as every view shows it.

    ``message`` is the last predict answer's line, or the reason for the state where
    there is one. ``last_at`` is the last probe of either kind. ``phases`` and
    ``server`` are of the last predict answer. ``slo_left`` is what is left of the error
    budget, 1 for all of it and below 0 where it is overdrawn; ``None`` without a probe.
    ``location`` is latitude and longitude in degrees. ``until_at`` is when maintenance
    ends; ``None`` where it is in none. ``traffic`` is the newest that was counted of
    its real traffic, however old. ``hosting`` is what its platform last said. Where
    nobody else asks it, it is ``counted``: its figures are the platform's count of all
    its requests, ``pace`` requests a minute in place of ``beats``, and ``last_at`` is
    where the count ends.
    """

    name: str
    url: str
    dialect: str
    health: Health
    since_at: float
    region: str | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()
    checking: bool = False
    every_s: float = 60.0
    figures: Figures = field(default_factory=Figures)
    beats: tuple[Beat, ...] = ()
    last_at: float | None = None
    message: str = ""
    severity: Severity = Severity.INFO
    http_status: int | None = None
    latency_ms: float | None = None
    phases: Phases = field(default_factory=Phases)
    server: ServerTimes | None = None
    slo_left: float | None = None
    location: tuple[float, float] | None = None
    until_at: float | None = None
    traffic: Traffic | None = None
    hosting: Hosting | None = None
    counted: bool = False
    pace: tuple[float | None, ...] = ()


class CollectorHealth(StrEnum):
    """Whether anyone is measuring."""

    RUNNING = "running"
    STALE = "stale"
    STOPPED = "stopped"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CollectorView:
    """The collector as a face shows it; ``age_s`` since its last sign of life.

    ``platform`` says whose deployments of Ultralytics Platform it follows, and how many
    calls are left.
    """

    health: CollectorHealth = CollectorHealth.NONE
    age_s: float | None = None
    pid: int | None = None
    note: str = ""
    overruns: int = 0
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything on the dashboard but the log, at one instant.

    ``change`` is the pace of requests in this range ÷ the pace in the range before it
    − 1, or ``None`` where there was no full range before. ``since_at`` is the start of
    what the trends cover: the range, or the young history's own start. Trends are
    requests a minute, errors as a share 0-1 and P95 in milliseconds. ``counts`` leaves
    out states nobody is in. ``real`` is what platforms counted of all that they host
    (``None`` where they host nothing), with its ``real_`` trends.
    """

    at: float
    range: Range = Range.H24
    totals: Figures = field(default_factory=Figures)
    change: float | None = None
    active: int = 0
    counts: tuple[tuple[Health, int], ...] = ()
    requests_trend: Trend = field(default_factory=Trend)
    errors_trend: Trend = field(default_factory=Trend)
    p95_trend: Trend = field(default_factory=Trend)
    cards: tuple[Card, ...] = ()
    collector: CollectorView = field(default_factory=CollectorView)
    since_at: float | None = None
    first_at: float | None = None
    real: Figures | None = None
    real_requests: Trend = field(default_factory=Trend)
    real_errors: Trend = field(default_factory=Trend)
    real_p95: Trend = field(default_factory=Trend)


EMPTY = Snapshot(at=0.0)
