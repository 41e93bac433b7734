"""What is kept for how long, and how the rest goes: in small chunks.

Owns the tiers and the order of deleting. It must not know who calls it or how often.

Raw probes go from the oldest on, by number and never by time: an anchor that is young
stops the sweep, so a clock that once stood wrong cannot take new rows with it.
"""

from __future__ import annotations

from typing import Final

import aiosqlite

from yolotop.store.protocol import COARSE_SLOT_S, FINE_SLOT_S
from yolotop.store.sqlite.connection import fetch
from yolotop.store.sqlite.lines import STAMP_EVERY

DAY_S: Final = 86_400
RAW_S: Final = 7 * DAY_S
FINE_S: Final = 3 * DAY_S
COARSE_S: Final = 400 * DAY_S
EVENTS_S: Final = 400 * DAY_S
REQUESTS_S: Final = DAY_S
CHUNK: Final = 5_000
"""Rows of one sweep: a few milliseconds under the write lock."""

_RAW_END: Final = """
SELECT coalesce((SELECT min(seq) FROM anchor WHERE at_ms > ?), 1 << 62)
"""
_SLOTS: Final = """
DELETE FROM slot WHERE (width_s, start_s, dep) IN (
  SELECT width_s, start_s, dep FROM slot WHERE width_s = ? AND start_s < ? LIMIT ?)
"""
_EVENTS: Final = """
DELETE FROM event WHERE seq IN (
  SELECT seq FROM (SELECT seq, at FROM event ORDER BY seq LIMIT ?) WHERE at < ?)
"""


async def sweep(connection: aiosqlite.Connection, now: float) -> int:
    """Delete at most about one chunk of what is too old at ``now``; the rows gone."""
    gone = await _sweep_raw(connection, round((now - RAW_S) * 1000))
    for width_s, kept_s in ((FINE_SLOT_S, FINE_S), (COARSE_SLOT_S, COARSE_S)):
        if gone < CHUNK:
            gone += await _delete(connection, _SLOTS, width_s, now - kept_s, CHUNK)
    if gone < CHUNK:
        gone += await _delete(connection, _EVENTS, CHUNK, now - EVENTS_S)
    if gone < CHUNK:
        gone += await _delete(
            connection, "DELETE FROM request WHERE at < ?", now - REQUESTS_S
        )
    if gone < CHUNK:
        gone += await _sweep_lines(connection)
    return gone


async def give_back(connection: aiosqlite.Connection) -> None:
    """Return some free pages to the file system, if a quarter of the file is free."""
    free = (await fetch(connection, "PRAGMA freelist_count"))[0][0]
    pages = (await fetch(connection, "PRAGMA page_count"))[0][0]
    if free * 4 > pages:
        await fetch(connection, "PRAGMA incremental_vacuum(256)")


async def _sweep_raw(connection: aiosqlite.Connection, before_ms: int) -> int:
    # An anchor says when its first probe was; those before the first young one are
    # old. It goes when the probes it dates are gone.
    first = (await fetch(connection, "SELECT min(seq) FROM probe"))[0][0]
    if first is None:
        return 0
    end = (await fetch(connection, _RAW_END, (before_ms,)))[0][0]
    if end == 1 << 62:
        # Even the newest anchor is old; what it dates may reach on for ten minutes.
        end = (await fetch(connection, "SELECT max(seq) FROM anchor"))[0][0]
    stop = min(end, first + CHUNK)
    gone = await _delete(connection, "DELETE FROM probe WHERE seq < ?", stop)
    await _delete(connection, "DELETE FROM failure WHERE seq < ?", stop)
    await _delete(
        connection,
        "DELETE FROM anchor WHERE seq < (SELECT max(seq) FROM anchor WHERE seq <= ?)",
        stop,
    )
    return gone


async def _sweep_lines(connection: aiosqlite.Connection) -> int:
    # No probe that is left can be of a line whose last use is before the oldest.
    return await _delete(
        connection,
        "DELETE FROM line WHERE used_seq + ? < (SELECT coalesce("
        "(SELECT min(seq) FROM probe), (SELECT value FROM meta WHERE key = 'seq')))",
        STAMP_EVERY,
    )


async def _delete(connection: aiosqlite.Connection, sql: str, *values: object) -> int:
    cursor = await connection.execute(sql, values)
    gone = max(cursor.rowcount, 0)
    await cursor.close()
    return gone
