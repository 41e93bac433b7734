"""Changes: the events, asked for by their time.

Owns these queries, and what an event's words once said of the state entered. It must
not know what a state is made of. A page of 500 among 200,000 events takes 2 ms, one
deployment's last change before some time 0.1 ms.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import aiosqlite

from yolotop.model import EventKind, Health, Severity
from yolotop.store.protocol import Change
from yolotop.store.sqlite import spans
from yolotop.store.sqlite.connection import fetch

# What schema 3 wrote: the sentences of the health machine and of who paused. A cold
# start may be told in any words of another question's; those stay unknown.
DERIVE: Final = """
UPDATE event SET health = CASE
  WHEN message GLOB 'down after [0-9]* failure*: *' THEN 'down'
  WHEN message GLOB 'degraded: *' OR message GLOB 'degraded after * down: *'
    THEN 'degraded'
  WHEN message = 'up' OR message GLOB 'up again after *'
    OR message GLOB 'up after a cold start of *' THEN 'up'
  WHEN message GLOB 'starting up (*' THEN 'cold'
  WHEN message = 'unknown' OR message GLOB 'resumed after * paused'
    OR message GLOB 'maintenance ended after *' THEN 'unknown'
  WHEN message GLOB 'maintenance until *' THEN 'maintenance'
  WHEN message IN ('paused', 'paused in the configuration') THEN 'paused'
END
WHERE kind = 'state'
"""

_COLUMNS: Final = """
SELECT e.seq, e.at, d.name, e.kind, e.severity, e.health, e.message
FROM event e LEFT JOIN deployment d ON d.id = e.dep
"""
_ALL: Final = f"""
{_COLUMNS} WHERE e.at >= ? AND e.at < ? ORDER BY e.at DESC, e.seq DESC LIMIT ?
"""
_OF_ONE: Final = f"""
{_COLUMNS} WHERE e.at >= ? AND e.at < ? AND e.dep = ?
ORDER BY e.at DESC, e.seq DESC LIMIT ?
"""
_BEFORE: Final = f"""
{_COLUMNS} WHERE e.dep = ? AND e.at < ? AND e.kind = 'state'
ORDER BY e.at DESC, e.seq DESC LIMIT 1
"""


async def read(
    connection: aiosqlite.Connection,
    since_at: float,
    until_at: float,
    *,
    deployment: str | None,
    limit: int,
) -> list[Change]:
    """The newest ``limit`` events in [since, until), by their times, oldest first."""
    if deployment is None:
        rows = await fetch(connection, _ALL, (since_at, until_at, limit))
    else:
        dep = await spans.dep_of(connection, deployment)
        if dep is None:
            return []
        rows = await fetch(connection, _OF_ONE, (since_at, until_at, dep, limit))
    return _changes(reversed(rows))


async def read_before(
    connection: aiosqlite.Connection, deployment: str, at: float
) -> Change | None:
    """The last STATE event of a deployment before ``at``."""
    dep = await spans.dep_of(connection, deployment)
    if dep is None:
        return None
    rows = await fetch(connection, _BEFORE, (dep, at))
    return _changes(rows)[0] if rows else None


def _changes(rows: Iterable[tuple[Any, ...]]) -> list[Change]:
    return [
        Change(
            seq=seq,
            at=at,
            deployment=name,
            kind=EventKind(kind),
            severity=Severity(severity),
            health=Health(health) if health else None,
            message=message,
        )
        for seq, at, name, kind, severity, health, message in rows
    ]
