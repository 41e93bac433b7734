"""What is kept for how long, and how the rest goes: in small chunks.

Owns the tiers and the order of deleting. It must not know who calls it or how often.

Two reasons to go: age, each kind by its own, and the size of the whole, where the
oldest probes go first, then traffic, five-minute slots, events and hours.
The file shrinks by giving back free pages a few at a time: a VACUUM would hold up the
collector for seconds and needs as much room again.

Raw probes go from the oldest on, by number and never by time: an anchor that is young
stops the sweep, so a clock that once stood wrong cannot take new rows with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import aiosqlite

from yolotop.model import StoreSettings
from yolotop.store.protocol import COARSE_SLOT_S, FINE_SLOT_S, TRAFFIC_S
from yolotop.store.sqlite import presence, traffic
from yolotop.store.sqlite.connection import fetch
from yolotop.store.sqlite.lines import STAMP_EVERY

REQUESTS_S: Final = 86_400
"""How long a face may look for the answer to its request."""
PICTURES_S: Final = 600
"""The same for an image: 300 KB each, and whoever asked looks at once."""
DAY_S: Final = 86_400
CHUNK: Final = 5_000
"""Rows of one sweep: a few milliseconds under the write lock."""
GIVEN_BACK: Final = 1_024
"""Pages that one sweep gives back to the file system: 4 MB, some 10 ms."""

_RAW_END: Final = """
SELECT coalesce((SELECT min(seq) FROM anchor WHERE at_ms > ?), 1 << 62)
"""
_SLOTS: Final = """
DELETE FROM slot WHERE (width_s, start_s, dep) IN (
  SELECT width_s, start_s, dep FROM slot WHERE width_s = ? AND start_s < ? LIMIT ?)
"""
_REQUESTS: Final = """
DELETE FROM request WHERE at < ? OR (kind = 'predict' AND at < ?)
"""
_EVENTS: Final = """
DELETE FROM event WHERE seq IN (
  SELECT seq FROM (SELECT seq, at FROM event ORDER BY seq LIMIT ?) WHERE at < ?)
"""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep has taken. ``lines``: log lines that a writer may remember.

    ``capped`` says that something young had to go because of the size.
    """

    rows: int
    lines: int = 0
    capped: bool = False


async def sweep(
    connection: aiosqlite.Connection, now: float, settings: StoreSettings
) -> Swept:
    """Delete at most about one chunk of what is too old at ``now``, or too much."""
    gone = await _sweep_raw(connection, round((now - settings.raw_s) * 1000))
    for width_s, kept_s in (
        (FINE_SLOT_S, settings.slots_s),
        (COARSE_SLOT_S, settings.hours_s),
    ):
        if gone < CHUNK:
            gone += await _delete(connection, _SLOTS, width_s, now - kept_s, CHUNK)
    for width_s, kept_s in (
        (TRAFFIC_S, min(traffic.MINUTES_KEPT_S, settings.slots_s)),
        (COARSE_SLOT_S, settings.hours_s),
    ):
        if gone < CHUNK:
            before = now - kept_s
            gone += await _delete(connection, traffic.FORGET, width_s, before, CHUNK)
    if gone < CHUNK:
        gone += await _delete(connection, _EVENTS, CHUNK, now - settings.events_s)
    if gone < CHUNK:
        gone += await _delete(connection, _REQUESTS, now - REQUESTS_S, now - PICTURES_S)
    young = 0
    if gone < CHUNK and await _is_too_large(connection, settings):
        young = await _sweep_young(connection, now)
    lines = 0
    if gone + young < CHUNK:
        lines = await _sweep_lines(connection)
    return Swept(gone + young + lines, lines, capped=young > 0)


async def give_back(connection: aiosqlite.Connection, settings: StoreSettings) -> bool:
    """Return free pages to the file system: when a quarter of the file is free, or

    when the file is larger than it may be. Whether there were any to return.
    """
    page_bytes, pages, free = await _pages(connection)
    above = settings.max_bytes is not None and pages * page_bytes > settings.max_bytes
    if not (free * 4 > pages or (free and above)):
        return False
    # A script: this pragma frees one page a step, and only a script takes all steps.
    cursor = await connection.executescript(f"PRAGMA incremental_vacuum({GIVEN_BACK})")
    await cursor.close()
    return True


async def _is_too_large(
    connection: aiosqlite.Connection, settings: StoreSettings
) -> bool:
    if settings.max_bytes is None:
        return False
    page_bytes, pages, free = await _pages(connection)
    return (pages - free) * page_bytes > settings.max_bytes


async def _pages(connection: aiosqlite.Connection) -> tuple[int, int, int]:
    """Bytes of a page, pages of the file, and how many of them are free."""
    names = ("page_size", "page_count", "freelist_count")
    found = [(await fetch(connection, f"PRAGMA {name}"))[0][0] for name in names]
    return found[0], found[1], found[2]


async def _sweep_young(connection: aiosqlite.Connection, now: float) -> int:
    """The oldest of what is worth least: probes, traffic, slots, events, hours.

    Each but the hours leaves what the screens of the last day are made of.
    """
    ends = await fetch(connection, "SELECT min(seq), max(seq) FROM probe")
    first, last = ends[0]
    if first is not None and last - first >= CHUNK:
        return await _delete_raw(connection, first + CHUNK)
    day_ago = now - DAY_S
    gone = await _delete(connection, traffic.FORGET, TRAFFIC_S, day_ago, CHUNK)
    gone = gone or await _delete(connection, _SLOTS, FINE_SLOT_S, day_ago, CHUNK)
    gone = gone or await _delete(connection, _EVENTS, CHUNK, day_ago)
    return gone or await _delete(connection, _SLOTS, COARSE_SLOT_S, day_ago, CHUNK)


async def _sweep_raw(connection: aiosqlite.Connection, before_ms: int) -> int:
    # An anchor says when its first probe was; those before the first young one are
    # old.
    first = (await fetch(connection, "SELECT min(seq) FROM probe"))[0][0]
    if first is None:
        return 0
    end = (await fetch(connection, _RAW_END, (before_ms,)))[0][0]
    if end == 1 << 62:
        # Even the newest anchor is old; what it dates may reach on for ten minutes.
        end = (await fetch(connection, "SELECT max(seq) FROM anchor"))[0][0]
    return await _delete_raw(connection, min(end, first + CHUNK))


async def _delete_raw(connection: aiosqlite.Connection, stop: int) -> int:
    """The probes below ``stop`` and what belongs to them.

    An anchor goes when the probes it dates are gone, a stretch of the map with its
    last probe.
    """
    gone = await _delete(connection, "DELETE FROM probe WHERE seq < ?", stop)
    await _delete(connection, "DELETE FROM failure WHERE seq < ?", stop)
    await _delete(
        connection,
        "DELETE FROM anchor WHERE seq < (SELECT max(seq) FROM anchor WHERE seq <= ?)",
        stop,
    )
    await _delete(connection, presence.FORGET, stop // presence.STRETCH)
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
