"""The store as a contract: what a collector writes, what a reader asks.

Owns the two protocols every back end fulfils, and hands on the shapes they speak in
(:mod:`yolotop.store.shapes`). It must not know SQL. The one contract test suite in
``tests/store`` runs against every back end.

Sequence numbers: probes and events share one counter, ``seq``, that only grows; it is
the cursor of the log and, later, of shipping. A reader that has seen ``seq`` n asks
for what is after n.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

from yolotop.model import (
    Deployment,
    Event,
    HealthState,
    Hosting,
    Sample,
    Severity,
    Traffic,
)
from yolotop.store.shapes import (
    COARSE_SLOT_S,
    FINE_SLOT_S,
    TAIL_BEATS,
    TRAFFIC_S,
    Beat,
    Change,
    CollectorStatus,
    Extent,
    Found,
    LogLine,
    Registered,
    Request,
    RequestKind,
    SharedLine,
    Slot,
    SlotCounts,
    StoredProbe,
    Tail,
)

__all__ = [
    "COARSE_SLOT_S",
    "FINE_SLOT_S",
    "TAIL_BEATS",
    "TRAFFIC_S",
    "Beat",
    "Change",
    "CollectorStatus",
    "Extent",
    "Found",
    "LineQuery",
    "LogLine",
    "Reader",
    "Registered",
    "Request",
    "RequestKind",
    "SharedLine",
    "Slot",
    "SlotCounts",
    "StoredProbe",
    "Tail",
    "Writer",
]


NONE_RENAMED: Final[Mapping[str, str]] = MappingProxyType({})


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


class Writer(Protocol):
    """What the one collector of a data directory may do; calls come in turn."""

    async def register(
        self,
        deployments: Sequence[Deployment],
        at: float,
        *,
        renamed: Mapping[str, str] = NONE_RENAMED,
    ) -> None:
        """Make exactly these the registered deployments; history of others stays.

        ``renamed`` holds new names by old ones: their history goes with them, unless
        there has been one of the new name before.
        """

    async def load_hosted(self) -> dict[str, Hosting]:
        """What platforms last said of the registered deployments, by name."""

    async def load_states(self) -> dict[str, HealthState]:
        """The persisted state of every deployment that has one, by name."""

    async def append(
        self,
        samples: Sequence[Sample],
        events: Sequence[Event],
        states: Mapping[str, HealthState],
        traffic: Sequence[Traffic] = (),
    ) -> int:
        """Write a batch with its rollups and states in one transaction.

        A row of traffic replaces the one of its deployment and width that began in the
        same second. Returns the last sequence number given. Nothing of the batch is
        kept when it raises :class:`~yolotop.errors.StoreError`.
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

    async def traffic(
        self, deployment: str, since_at: float, until_at: float, *, width_s: int
    ) -> list[Traffic]:
        """Real traffic of one deployment in rows of a width (:data:`TRAFFIC_S` or

        :data:`COARSE_SLOT_S`) that end after ``since_at`` and start before
        ``until_at``, oldest first. Durations and counts are kept to a hundredth.
        """

    async def traffic_newest(self) -> list[Traffic]:
        """The newest row of :data:`TRAFFIC_S` of each registered deployment."""

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
