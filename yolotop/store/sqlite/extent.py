"""How far the log reaches, and where in it an instant is.

Owns the ends of both tables and the search for a time among rows that have no index
on it. It must not know what a line says.
"""

from __future__ import annotations

from typing import Final

import aiosqlite

from yolotop.store.protocol import Extent
from yolotop.store.sqlite.connection import fetch
from yolotop.store.sqlite.probes import AT_MS

_ENDS: Final = """
SELECT (SELECT value FROM meta WHERE key = 'seq'), (SELECT min(seq) FROM probe),
       (SELECT min(seq) FROM event)
"""
_BEFORE: Final = "SELECT count(*) FROM event WHERE seq < ?"
_AT: Final = f"""
SELECT p.seq, {AT_MS} FROM probe p WHERE p.seq >= ? ORDER BY p.seq LIMIT 1
"""  # noqa: S608 - constants of this room
_EVENT_AT: Final = "SELECT min(seq) FROM event WHERE at >= ?"


async def read_extent(connection: aiosqlite.Connection) -> Extent:
    """See ``protocol.Reader.extent``."""
    newest, probe, event = (await fetch(connection, _ENDS))[0]
    if probe is None and event is None:
        return Extent()
    dense = newest + 1 if probe is None else probe
    oldest = dense if event is None else min(dense, event)
    sparse = 0
    if oldest < dense:
        sparse = (await fetch(connection, _BEFORE, (dense,)))[0][0]
    return Extent(oldest, newest, dense, sparse)


async def read_seq_at(connection: aiosqlite.Connection, at: float) -> int:
    """See ``protocol.Reader.seq_at``: some twenty rows are read."""
    extent = await read_extent(connection)
    low, high = extent.dense, extent.newest + 1
    at_ms = round(at * 1000)
    while low < high:
        middle = (low + high) // 2
        rows = await fetch(connection, _AT, (middle,))
        if not rows or rows[0][1] >= at_ms:
            high = middle
        else:
            low = int(rows[0][0]) + 1
    if low == extent.dense and extent.oldest < extent.dense:
        # Before the oldest probe there may be older events.
        event = (await fetch(connection, _EVENT_AT, (at,)))[0][0]
        return low if event is None else min(low, int(event))
    return low
