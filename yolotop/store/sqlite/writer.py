"""The one writer of a database: batches in, each all or nothing.

Owns the order of a batch and what the writer remembers between two of them. It must
not know how rows are packed (``codec``), told apart (``lines``) or summed (``rollup``),
nor what retention keeps (``retention``).
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiosqlite

from yolotop.errors import StoreError
from yolotop.model import (
    Deployment,
    Event,
    EventKind,
    HealthState,
    Hosting,
    Sample,
    Severity,
    StoreSettings,
    Traffic,
)
from yolotop.store.disk import Disk
from yolotop.store.hosting import decode_hosting, encode_hosting
from yolotop.store.protocol import NONE_RENAMED, CollectorStatus, Request, RequestKind
from yolotop.store.sqlite import batch, retention
from yolotop.store.sqlite.connection import STATES, fetch, run, transaction
from yolotop.store.sqlite.failures import translated
from yolotop.store.state import decode_state
from yolotop.text import show_url

_SLICE: Final = 16
"""Samples packed between two looks at the event loop: about half a millisecond, so
that writing cannot delay the timestamps of probes in flight."""

_REGISTER: Final = """
INSERT INTO deployment (name, url, dialect, "group", region, tags, position, paused,
                        predict_interval_s, objective, objective_range_s, lat, lon,
                        hosting, first_seen_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET
  url = excluded.url, dialect = excluded.dialect, "group" = excluded."group",
  region = excluded.region, tags = excluded.tags, position = excluded.position,
  paused = excluded.paused, predict_interval_s = excluded.predict_interval_s,
  objective = excluded.objective, objective_range_s = excluded.objective_range_s,
  lat = excluded.lat, lon = excluded.lon, hosting = excluded.hosting,
  removed_at = NULL
"""
_RENAME: Final = """
UPDATE deployment SET name = ?2 WHERE name = ?1
AND NOT EXISTS (SELECT 1 FROM deployment WHERE name = ?2)
"""
"""History goes by ``id``. Where the name is taken by an earlier one, both stay."""
_HOSTED: Final = """
SELECT name, hosting FROM deployment WHERE removed_at IS NULL AND hosting IS NOT NULL
"""
_BEAT: Final = """
INSERT OR REPLACE INTO collector VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
TOO_OLD: Final = "this collector is older than the terminal: restart it"
"""The answer to a kind of request that is not known here."""
_KINDS: Final = frozenset(kind.value for kind in RequestKind)
_ORPHANS: Final = """
UPDATE request SET finished_at = at, result = 'the collector stopped before it answered'
WHERE taken AND finished_at IS NULL
"""


class SqliteWriter:
    """Fulfils :class:`yolotop.store.protocol.Writer`."""

    def __init__(
        self,
        connection: aiosqlite.Connection,
        path: Path,
        disk: Disk,
        settings: StoreSettings,
    ) -> None:
        self._connection = connection
        self._path = path
        self._disk = disk
        self._settings = settings
        self._capped_at = -math.inf
        self._turn = asyncio.Lock()
        self._memory: batch.Memory | None = None
        self._closed = False

    async def adopt(self) -> None:
        """Settle what a writer that died has left: requests it took, unanswered."""
        async with self._writing():
            await self._connection.execute_fetchall(_ORPHANS)

    async def register(
        self,
        deployments: Sequence[Deployment],
        at: float,
        *,
        renamed: Mapping[str, str] = NONE_RENAMED,
    ) -> None:
        """Make exactly these the registered deployments; history of others stays."""
        names = [deployment.name for deployment in deployments]
        rows = [_row(position, d, at) for position, d in enumerate(deployments)]
        async with self._writing():
            self._memory = None
            await run(self._connection, [(_RENAME, [*renamed.items()])])
            await self._connection.execute_fetchall(
                "UPDATE deployment SET removed_at = ? WHERE removed_at IS NULL "
                "AND name NOT IN (SELECT value FROM json_each(?))",
                (at, json.dumps(names)),
            )
            await run(self._connection, [(_REGISTER, rows)])

    async def load_hosted(self) -> dict[str, Hosting]:
        """What platforms last said of what is registered, by name."""
        self._check_open()
        with translated(self._path):
            rows = await fetch(self._connection, _HOSTED)
        found = {name: decode_hosting(body) for name, body in rows}
        return {name: one for name, one in found.items() if one is not None}

    async def load_states(self) -> dict[str, HealthState]:
        """The persisted state of every deployment that has one, by name."""
        self._check_open()
        with translated(self._path):
            rows = await fetch(self._connection, STATES)
        return {name: decode_state(body) for name, body in rows}

    async def append(
        self,
        samples: Sequence[Sample],
        events: Sequence[Event],
        states: Mapping[str, HealthState],
        traffic: Sequence[Traffic] = (),
    ) -> int:
        """Write a batch with its rollups and states in one transaction.

        A deployment that is not registered (removed meanwhile) is entered as removed:
        no sample is lost. Samples are numbered before events.
        """
        async with self._turn:
            try:
                self._disk.check_room()
                return await self._append(samples, events, states, traffic)
            except BaseException:
                # What the memory holds may not be in the file: read it again.
                self._memory = None
                raise

    async def _append(
        self,
        samples: Sequence[Sample],
        events: Sequence[Event],
        states: Mapping[str, HealthState],
        traffic: Sequence[Traffic] = (),
    ) -> int:
        self._check_open()
        with translated(self._path):
            memory = self._memory or await batch.load_memory(self._connection)
            await batch.load_slots(self._connection, memory.slots, samples)
            work = batch.Batch(memory)
            for number, sample in enumerate(samples):
                if number % _SLICE == _SLICE - 1:
                    await asyncio.sleep(0)
                work.add_sample(sample)
            for event in events:
                work.add_event(event)
            for name, state in states.items():
                work.add_state(name, state)
            work.add_traffic(traffic)
            async with transaction(self._connection):
                await run(self._connection, work.statements())
        memory.written()
        self._memory = memory
        return memory.seq

    async def beat(self, status: CollectorStatus) -> None:
        """Say that the collector lives, and what is wrong: below the floor, too."""
        row = (
            status.pid,
            status.started_at,
            status.beat_at,
            status.version,
            status.config_path,
            status.note,
            status.overruns,
            status.stopped_at,
            status.platform,
        )
        try:
            await self._execute(_BEAT, row)
        except StoreError:
            if not self._disk.drop_ballast():
                raise
            await self._execute(_BEAT, row)

    async def take_requests(self) -> list[Request]:
        """Requests not taken before, oldest first; each is handed out once.

        Those of a kind that only a newer terminal knows are answered here.
        """
        self._check_open()
        with translated(self._path):
            # Asked every second or so: look before taking the write lock.
            if not await fetch(self._connection, _OPEN + " LIMIT 1"):
                return []
        async with self._writing():
            rows = await fetch(self._connection, _OPEN)
            await self._connection.execute_fetchall(
                "UPDATE request SET taken = 1 WHERE NOT taken"
            )
            strange = [(TOO_OLD, row[0]) for row in rows if row[2] not in _KINDS]
            await self._connection.executemany(
                "UPDATE request SET finished_at = at, result = ? WHERE id = ?", strange
            )
        return [
            Request(id_, at, RequestKind(kind), deployment, body)
            for id_, at, kind, deployment, body in rows
            if kind in _KINDS
        ]

    async def finish_request(self, request_id: int, result: str, at: float) -> None:
        """Answer a request (JSON or a clean sentence)."""
        async with self._writing():
            await self._connection.execute_fetchall(
                "UPDATE request SET taken = 1, finished_at = ?, result = ? "
                "WHERE id = ?",
                (at, result, request_id),
            )

    async def sweep(self, now: float) -> int:
        """Delete a small chunk of what retention no longer keeps; returns the rows.

        Space that is given back without a row going counts as one.
        """
        async with self._turn:
            self._check_open()
            with translated(self._path):
                async with transaction(self._connection):
                    swept = await retention.sweep(self._connection, now, self._settings)
                given = await retention.give_back(self._connection, self._settings)
            if swept.lines:
                self._memory = None
            if swept.capped and abs(now - self._capped_at) >= retention.DAY_S:
                self._capped_at = now
                await self._append([], [self._capped(now)], {})
            return swept.rows or int(given)

    async def close(self) -> None:
        """Checkpoint and close; idempotent."""
        async with self._turn:
            if self._closed:
                return
            self._closed = True
            try:
                with translated(self._path):
                    await fetch(self._connection, "PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                await self._connection.close()

    def _capped(self, now: float) -> Event:
        size = (self._settings.max_bytes or 0) / 1_000_000
        return Event(
            now,
            Severity.WARNING,
            EventKind.STORE,
            f"the history has reached its {size:g} MB ([store] max_size): the oldest "
            "probes go first",
        )

    async def _execute(self, sql: str, row: Sequence[object]) -> None:
        async with self._writing():
            await self._connection.execute_fetchall(sql, row)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"{self._path} is closed")

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        async with self._turn:
            self._check_open()
            with translated(self._path):
                async with transaction(self._connection):
                    yield


_OPEN: Final = (
    "SELECT id, at, kind, deployment, body FROM request WHERE NOT taken ORDER BY id"
)


def _row(position: int, deployment: Deployment, at: float) -> tuple[object, ...]:
    lat, lon = deployment.location or (None, None)
    return (
        deployment.name,
        # Never the secrets that a URL may hold: the history is copied and shared.
        show_url(deployment.url),
        deployment.dialect,
        deployment.group,
        deployment.region,
        json.dumps(deployment.tags),
        position,
        deployment.paused,
        deployment.predict_interval_s,
        deployment.objective,
        deployment.objective_range_s,
        lat,
        lon,
        None if deployment.hosting is None else encode_hosting(deployment.hosting),
        at,
    )
