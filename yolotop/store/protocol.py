"""The store as a contract: what a collector writes, what a reader asks.

Owns the shapes that cross the border of the store and the two protocols every back
end fulfils. It must not know SQL. The one contract test suite in ``tests/store`` runs
against every back end.

Sequence numbers: probes and events share one counter, ``seq``, that only grows; it is
the cursor of the log and, later, of shipping. A reader that has seen ``seq`` n asks
for what is after n.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from yolotop.judge.histogram import ExpHistogram
from yolotop.model import (
    Deployment,
    ErrorKind,
    Event,
    EventKind,
    HealthState,
    Outcome,
    Phases,
    ProbeKind,
    Sample,
    ServerTimes,
    Severity,
)

FINE_SLOT_S: Final = 300
"""Width of a fine rollup slot in seconds; kept for three days."""
COARSE_SLOT_S: Final = 3600
"""Width of a coarse rollup slot in seconds; kept for 400 days."""
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
    JSON object with what came back, see :mod:`yolotop.collect.showing`.
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
    longitude in degrees.
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


@dataclass(frozen=True, slots=True)
class StoredProbe:
    """One probe read back; durations in milliseconds as stored.

    ``latency_ms`` is kept to 1 µs, ``phases`` and ``server`` to 10 µs.
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
    the screen. ``overruns`` counts missed grid slots since start.
    """

    pid: int
    started_at: float
    beat_at: float
    version: str
    config_path: str | None = None
    note: str = ""
    overruns: int = 0
    stopped_at: float | None = None


class Writer(Protocol):
    """What the one collector of a data directory may do; calls come in turn."""

    async def register(self, deployments: Sequence[Deployment], at: float) -> None:
        """Make exactly these the registered deployments; history of others stays."""

    async def load_states(self) -> dict[str, HealthState]:
        """The persisted state of every deployment that has one, by name."""

    async def append(
        self,
        samples: Sequence[Sample],
        events: Sequence[Event],
        states: Mapping[str, HealthState],
    ) -> int:
        """Write a batch with its rollups and states in one transaction.

        Returns the last sequence number given. Nothing of the batch is kept when it
        raises :class:`~yolotop.errors.StoreError`.
        """

    async def beat(self, status: CollectorStatus) -> None:
        """Say that the collector lives."""

    async def take_requests(self) -> list[Request]:
        """Requests not taken before, oldest first; each is handed out once."""

    async def finish_request(self, request_id: int, result: str, at: float) -> None:
        """Answer a request (JSON or a clean sentence)."""

    async def sweep(self, now: float) -> int:
        """Delete a small chunk of what retention no longer keeps; returns the rows.

        0 when there is nothing more to do for now.
        """

    async def close(self) -> None:
        """Checkpoint and close; idempotent."""


class Reader(Protocol):
    """What any number of faces may ask. No read transaction outlives a call."""

    async def data_version(self) -> int:
        """A number that changes whenever another connection has committed."""

    async def last_seq(self) -> int:
        """The newest sequence number, 0 in an empty store."""

    async def deployments(self, *, removed: bool = False) -> list[Registered]:
        """Registered deployments in config order; ``removed`` adds the gone ones."""

    async def states(self) -> dict[str, HealthState]:
        """Current state by deployment name."""

    async def slots(
        self, since_at: float, *, width_s: int, until_at: float = math.inf
    ) -> list[Slot]:
        """Rollup slots that end after ``since_at`` and start before ``until_at``,

        oldest first.
        """

    async def requests(
        self, since_at: float, until_at: float, *, width_s: int
    ) -> dict[str, int]:
        """Predict probes by deployment in the slots that start in [since, until).

        A sum in the database: no histogram is read. Deployments without any are left
        out.
        """

    async def counts(
        self, since_at: float, until_at: float, *, width_s: int
    ) -> dict[str, SlotCounts]:
        """As :meth:`requests`, with the failed ones and how many slots hold any."""

    async def probes_after(self, seq: int, *, limit: int) -> list[StoredProbe]:
        """Probes with a greater sequence number, oldest first."""

    async def probes_since(self, at: float, *, limit: int) -> list[StoredProbe]:
        """The newest ``limit`` probes not older than ``at``, oldest first.

        Looks through no more than four times as many; see :meth:`seq_before`.
        """

    async def tails(self) -> list[Tail]:
        """The newest of each deployment that was ever asked."""

    async def seq_before(self, at: float) -> int:
        """A number below those of all probes taken since ``at``, 0 if need be.

        Cheap and not exact: probes of up to twenty minutes before may follow it.
        """

    async def last_probes(self, deployment: str, *, limit: int) -> list[StoredProbe]:
        """The newest ``limit`` predict probes of one deployment, oldest first."""

    async def log(
        self,
        *,
        min_severity: Severity = Severity.DEBUG,
        deployment: str | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 200,
    ) -> list[LogLine]:
        """Log lines, oldest first: the newest ``limit`` before ``before`` (or of all),

        or with ``after`` the oldest ``limit`` after it.
        """

    async def first_at(self) -> float | None:
        """When the oldest kept probe was taken, or ``None``."""

    async def collector(self) -> CollectorStatus | None:
        """The last status a collector left, or ``None``."""

    async def leave_request(
        self, kind: RequestKind, *, deployment: str | None, body: str, at: float
    ) -> int:
        """Leave a wish for the collector; returns its id. A reader's only write."""

    async def request_result(self, request_id: int) -> str | None:
        """The answer to a request, or ``None`` while it is open."""

    async def pending(self) -> set[str]:
        """Names of deployments with an open *probe* request (they show as checking)."""

    async def close(self) -> None:
        """Close; idempotent."""
