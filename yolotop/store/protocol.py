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
    Health,
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


class LineQuery(Protocol):
    """Which lines are wanted, asked in a way that lets a store skip most of them.

    The first two may be asked for anything, stored or not, and must never say no to
    what :meth:`matches` says yes to.
    """

    def matches(self, line: LogLine) -> bool:
        """Whether this line is wanted."""

    def of_shared(self, line: SharedLine) -> bool | None:
        """Whether all lines that share this are wanted, or none of them.

        ``None``: it depends on the line. A latency that matters always does.
        """

    def of_latency(self, span_ms: tuple[float, float] | None) -> bool:
        """Whether a line with a latency inside the span can be wanted at all.

        ``None``: one without a latency.
        """


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
        self,
        since_at: float,
        *,
        width_s: int,
        until_at: float = math.inf,
        deployment: str | None = None,
    ) -> list[Slot]:
        """Rollup slots that end after ``since_at`` and start before ``until_at``,

        oldest first; of one deployment, or of all.
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

    async def probe(self, seq: int) -> StoredProbe | None:
        """One probe by its number; ``None`` for an event's, or once it is gone."""

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

    async def answers(
        self, deployment: str, since_at: float, until_at: float, *, limit: int
    ) -> list[StoredProbe]:
        """The newest ``limit`` predict probes of one deployment taken in

        [since, until), oldest first.
        """

    async def failures(
        self, deployment: str, *, limit: int, until_at: float = math.inf
    ) -> list[StoredProbe]:
        """The newest ``limit`` failed or wrong probes of either kind taken before

        ``until_at``, oldest first.
        """

    async def changes(
        self,
        since_at: float,
        until_at: float,
        *,
        deployment: str | None = None,
        limit: int,
    ) -> list[Change]:
        """The newest ``limit`` events of every kind in [since, until), in the order of

        their times; of one deployment, or of all and of the collector.
        """

    async def change_before(self, deployment: str, at: float) -> Change | None:
        """The last STATE change of one deployment before ``at``, or ``None``."""

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

    async def search(
        self,
        wanted: LineQuery,
        *,
        min_severity: Severity = Severity.DEBUG,
        deployment: str | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 200,
    ) -> Found:
        """Log lines that are wanted, in the direction and order of :meth:`log`.

        Takes tens of milliseconds at most, whatever there is to look through.
        """

    async def extent(self) -> Extent:
        """How far the whole log reaches."""

    async def seq_at(self, at: float) -> int:
        """The number of about the first line since ``at``, one more than the newest

        where there is none. Exact but for the order in which answers came.
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
