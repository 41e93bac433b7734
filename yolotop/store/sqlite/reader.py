"""A reader of the database: every question a face may ask.

Owns the queries and how rows become the vocabulary again. It must not know who asks,
and it holds no read transaction between two calls: one that is held keeps the
write-ahead log from being cut.
"""

from __future__ import annotations

import asyncio
import math
import os
from pathlib import Path
from typing import Final

import aiosqlite

from yolotop.errors import StoreError
from yolotop.model import HealthState, Severity, Traffic
from yolotop.store.protocol import (
    COARSE_SLOT_S,
    TRAFFIC_S,
    Change,
    CollectorStatus,
    Extent,
    Found,
    LineQuery,
    LogLine,
    Registered,
    RequestKind,
    Slot,
    SlotCounts,
    StoredProbe,
    Tail,
)
from yolotop.store.sqlite import (
    changes,
    probes,
    registered,
    slots,
    spans,
    tails,
    traffic,
)
from yolotop.store.sqlite.answers import read_answers, read_failures
from yolotop.store.sqlite.connection import (
    STATES,
    Rows,
    connect_reader,
    connect_writer,
    fetch,
    transaction,
)
from yolotop.store.sqlite.extent import read_extent, read_seq_at
from yolotop.store.sqlite.failures import translated
from yolotop.store.sqlite.log import read_log
from yolotop.store.sqlite.search import search
from yolotop.store.sqlite.shelf import LineShelf
from yolotop.store.state import decode_state

_COLLECTOR: Final = """
SELECT pid, started_at, beat_at, version, config_path, note, overruns, stopped_at,
       platform
FROM collector
"""


class SqliteReader:
    """Fulfils :class:`yolotop.store.protocol.Reader`."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._file = _identity(path)
        self._generation = 0
        self._registered: dict[bool, tuple[Rows, list[Registered]]] = {}
        self._states: dict[str, tuple[str, HealthState]] = {}
        self._shelf = LineShelf()
        self._turn = asyncio.Lock()
        self._closed = False

    async def data_version(self) -> int:
        """A number that changes whenever another connection has committed.

        It also changes when the file was replaced (a ruined one is moved aside), and
        then all further answers come from the new one.
        """
        await self._follow()
        rows = await self._fetch("PRAGMA data_version")
        return (self._generation << 32) + int(rows[0][0])

    async def last_seq(self) -> int:
        """The newest sequence number, 0 in an empty store."""
        rows = await self._fetch("SELECT value FROM meta WHERE key = 'seq'")
        return int(rows[0][0])

    async def deployments(self, *, removed: bool = False) -> list[Registered]:
        """Registered deployments in config order; ``removed`` adds the gone ones."""
        rows = await self._fetch(registered.REGISTERED, removed)
        known = self._registered.get(removed)
        # Asked every second, changed once a day.
        if known is None or known[0] != rows:
            known = self._registered[removed] = rows, registered.decode(rows)
        return list(known[1])

    async def states(self) -> dict[str, HealthState]:
        """Current state by deployment name."""
        rows = await self._fetch(STATES)
        known = self._states
        self._states = {
            name: known[name]
            if name in known and known[name][0] == body
            else (body, decode_state(body))
            for name, body in rows
        }
        return {name: state for name, (_, state) in self._states.items()}

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
        values = (width_s, since_at - width_s, until_at)
        if deployment is None:
            rows = await self._fetch(slots.OF_ALL, *values)
        else:
            dep = await self._dep(deployment)
            rows = await self._fetch(slots.OF_ONE, *values, dep, deployment)
        return slots.decode(rows)

    async def requests(
        self, since_at: float, until_at: float, *, width_s: int
    ) -> dict[str, int]:
        """Predict probes by deployment in the slots that start in [since, until)."""
        return dict(await self._fetch(slots.REQUESTS, width_s, since_at, until_at))

    async def counts(
        self, since_at: float, until_at: float, *, width_s: int
    ) -> dict[str, SlotCounts]:
        """Predict probes by deployment in the slots that start in [since, until)."""
        rows = await self._fetch(slots.COUNTS, width_s, since_at, until_at)
        return {name: SlotCounts(*found) for name, *found in rows}

    async def probe(self, seq: int) -> StoredProbe | None:
        """One probe by its number; ``None`` for an event's, or once it is gone."""
        with translated(self._path):
            found = probes.decode(await probes.read_these(self._connection, [seq]))
        return found[0] if found else None

    async def probes_after(self, seq: int, *, limit: int) -> list[StoredProbe]:
        """Probes with a greater sequence number, oldest first."""
        return probes.decode(await self._fetch(probes.AFTER, seq, limit))

    async def probes_since(self, at: float, *, limit: int) -> list[StoredProbe]:
        """The newest ``limit`` probes not older than ``at``, oldest first."""
        rows = await self._fetch(probes.SINCE, round(at * 1000), limit)
        return probes.decode(reversed(rows))

    async def tails(self) -> list[Tail]:
        """The newest of each deployment that was ever asked."""
        with translated(self._path):
            return await tails.read(self._connection)

    async def seq_before(self, at: float) -> int:
        """A number below those of all probes taken since ``at``, 0 if need be."""
        return int((await self._fetch(probes.BEFORE, round(at * 1000)))[0][0])

    async def last_probes(self, deployment: str, *, limit: int) -> list[StoredProbe]:
        """The newest ``limit`` predict probes of one deployment, oldest first."""
        with translated(self._path):
            rows = await read_answers(self._connection, deployment, limit)
        return probes.decode(reversed(rows))

    async def answers(
        self, deployment: str, since_at: float, until_at: float, *, limit: int
    ) -> list[StoredProbe]:
        """The newest ``limit`` predict probes of one deployment taken in

        [since, until), oldest first.
        """
        with translated(self._path):
            rows = await read_answers(
                self._connection,
                deployment,
                limit,
                since_at=since_at,
                until_at=until_at,
            )
        return probes.decode(reversed(rows))

    async def failures(
        self, deployment: str, *, limit: int, until_at: float = math.inf
    ) -> list[StoredProbe]:
        """The newest ``limit`` failed or wrong probes of either kind taken before

        ``until_at``, oldest first.
        """
        with translated(self._path):
            rows = await read_failures(self._connection, deployment, limit, until_at)
        return probes.decode(reversed(rows))

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
        with translated(self._path):
            return await changes.read(
                self._connection,
                since_at,
                until_at,
                deployment=deployment,
                limit=limit,
            )

    async def change_before(self, deployment: str, at: float) -> Change | None:
        """The last STATE change of one deployment before ``at``, or ``None``."""
        with translated(self._path):
            return await changes.read_before(self._connection, deployment, at)

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
        with translated(self._path):
            return await read_log(
                self._connection,
                min_severity=min_severity,
                deployment=deployment,
                before=before,
                after=after,
                limit=limit,
            )

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
        """Log lines that are wanted, in the direction and order of :meth:`log`."""
        with translated(self._path):
            return await search(
                self._connection,
                self._shelf,
                wanted,
                await read_extent(self._connection),
                min_severity=min_severity,
                deployment=deployment,
                before=before,
                after=after,
                limit=limit,
            )

    async def extent(self) -> Extent:
        """How far the whole log reaches."""
        with translated(self._path):
            return await read_extent(self._connection)

    async def seq_at(self, at: float) -> int:
        """The number of about the first line since ``at``."""
        with translated(self._path):
            return await read_seq_at(self._connection, at)

    async def traffic(
        self, deployment: str, since_at: float, until_at: float, *, width_s: int
    ) -> list[Traffic]:
        """Real traffic of one deployment in rows of a width, oldest first."""
        # Where a page is read every half hour a minute is as long: look back that far.
        since_s = math.floor(max(since_at, 0.0)) - COARSE_SLOT_S - width_s
        values = (deployment, width_s, since_s, until_at)
        found = traffic.decode(await self._fetch(traffic.OF_ONE, *values))
        return [row for row in found if row.end_at > since_at]

    async def traffic_newest(self) -> list[Traffic]:
        """The newest row of a minute of each registered deployment."""
        return traffic.decode(await self._fetch(traffic.NEWEST, TRAFFIC_S))

    async def first_at(self) -> float | None:
        """When the oldest kept probe was taken, or ``None``."""
        rows = await self._fetch(probes.FIRST)
        return rows[0][0] / 1000 if rows else None

    async def collector(self) -> CollectorStatus | None:
        """The last status a collector left, or ``None``."""
        rows = await self._fetch(_COLLECTOR)
        return CollectorStatus(*rows[0]) if rows else None

    async def leave_request(
        self, kind: RequestKind, *, deployment: str | None, body: str, at: float
    ) -> int:
        """Leave a wish for the collector; returns its id. A reader's only write."""
        # A connection of its own, for as long as it takes: the reader's cannot write.
        connection = await connect_writer(self._path)
        try:
            with translated(self._path):
                async with transaction(connection):
                    await connection.execute_fetchall(
                        "INSERT INTO request (at, kind, deployment, body) "
                        "VALUES (?, ?, ?, ?)",
                        (at, kind.value, deployment, body),
                    )
                    rows = await fetch(connection, "SELECT last_insert_rowid()")
        finally:
            await connection.close()
        return int(rows[0][0])

    async def request_result(self, request_id: int) -> str | None:
        """The answer to a request, or ``None`` while it is open."""
        rows = await self._fetch("SELECT result FROM request WHERE id = ?", request_id)
        return rows[0][0] if rows else None

    async def pending(self) -> set[str]:
        """Names of deployments with an open *probe* request (they show as checking)."""
        rows = await self._fetch(
            "SELECT DISTINCT deployment FROM request WHERE kind = ? "
            "AND finished_at IS NULL AND deployment IS NOT NULL",
            RequestKind.PROBE.value,
        )
        return {row[0] for row in rows}

    async def close(self) -> None:
        """Close; idempotent."""
        if not self._closed:
            self._closed = True
            await self._connection.close()

    async def _dep(self, name: str) -> int | None:
        with translated(self._path):
            return await spans.dep_of(self._connection, name)

    async def _fetch(self, sql: str, *values: object) -> Rows:
        if self._closed:
            raise StoreError(f"{self._path} is closed")
        with translated(self._path):
            return await fetch(self._connection, sql, values)

    async def _follow(self) -> None:
        """Go over to the file that is now at the path, if it is another one."""
        async with self._turn:
            found = _identity(self._path)
            if self._closed or found is None or found == self._file:
                return
            fresh = await connect_reader(self._path)
            try:
                with translated(self._path):
                    version = (await fetch(fresh, "PRAGMA user_version"))[0][0]
            except BaseException:
                await fresh.close()
                raise
            if not version:
                # Whoever replaces it is not done yet; look again next time.
                await fresh.close()
                return
            old, self._connection = self._connection, fresh
            self._file = found
            self._generation += 1
            self._shelf = LineShelf()
            await old.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - the two fields of one call
    except OSError:
        return None
    return status.st_dev, status.st_ino
