"""Which lines occur where: what a search skips the history by.

Owns the ``seen`` table: of every *block* of :data:`BLOCK` numbers, which lines it holds
and with latencies of which octave. It must not know what is searched for.

A row is one line with one octave of latency in one *stretch* of 32 blocks; the blocks
that hold it are bits of an integer. A fleet of a hundred (1,100 lines, 3,800 with their
octaves) costs 0.25 bytes a probe so. A block is written once, in the transaction of the
probe that ends it; until then it is in the writer's memory and simply looked through.
So it costs no batch anything but one in some minutes.

``meta`` says for which numbers the table speaks: from ``seen_from`` up to, not with,
``seen_until``. A history of an older yolotop is not indexed afterwards: that would hold
up a start for a minute, and retention lets it go within days.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable
from typing import Final

import aiosqlite

from yolotop.store.codec import unpack
from yolotop.store.sqlite.connection import Statement, fetch

BLOCK: Final = 8_192
"""Numbers of one block: half a millisecond to look through."""
BLOCKS: Final = 32
"""Blocks of a stretch. Not 64: the sign of SQLite's integers would be one of them."""
STRETCH: Final = BLOCK * BLOCKS

NO_LATENCY: Final = -1
_LAST_OCTAVE: Final = 20

CREATE: Final = """
CREATE TABLE seen (
  stretch INTEGER NOT NULL,
  line INTEGER NOT NULL REFERENCES line,
  octave INTEGER NOT NULL,
  blocks INTEGER NOT NULL,
  PRIMARY KEY (stretch, line, octave)
) WITHOUT ROWID
"""
PUT: Final = """
INSERT INTO seen VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET blocks = blocks | excluded.blocks
"""
FORGET: Final = "DELETE FROM seen WHERE stretch < ?"
_BOUND: Final = "INSERT OR REPLACE INTO meta VALUES (?, ?)"


def start(db: sqlite3.Connection) -> None:
    """Begin with the next whole block of what is there."""
    seq = db.execute("SELECT value FROM meta WHERE key = 'seq'").fetchone()[0]
    first = math.ceil((seq + 1) / BLOCK) * BLOCK if seq else 0
    db.executemany(_BOUND, [("seen_from", first), ("seen_until", first)])


def octave_of(latency_ms: float | None) -> int:
    """0 below 1 ms, then one more for each doubling; −1 without a latency."""
    if latency_ms is None:
        return NO_LATENCY
    return min(max(math.frexp(latency_ms)[1], 0), _LAST_OCTAVE)


def span_of(octave: int) -> tuple[float, float] | None:
    """The latencies of an octave, in ms; its upper end belongs to the next one."""
    if octave == NO_LATENCY:
        return None
    low = 2.0 ** (octave - 1) if octave else 0.0
    return low, 2.0**octave if octave < _LAST_OCTAVE else math.inf


OCTAVES: Final = range(NO_LATENCY, _LAST_OCTAVE + 1)


class PresenceBook:
    """The block being filled, and those that are full and not yet written."""

    def __init__(self, until: int = 0) -> None:
        self._block = until // BLOCK
        self._open: set[tuple[int, int]] = set()
        self._full: list[tuple[int, int, int, int]] = []
        self._told = until

    def add(self, seq: int, line: int, latency_ms: float | None) -> None:
        """One probe; numbers only grow."""
        block = seq // BLOCK
        if block > self._block:
            stretch, bit = divmod(self._block, BLOCKS)
            self._full += [(stretch, *pair, 1 << bit) for pair in sorted(self._open)]
            self._open = set()
            self._block = block
        # What comes before the first whole block of an older history is left out.
        if block == self._block:
            self._open.add((line, octave_of(latency_ms)))

    def statements(self) -> Iterable[Statement]:
        """What the next batch must write: mostly nothing."""
        until = self._block * BLOCK
        if until != self._told:
            yield PUT, self._full
            yield _BOUND, [("seen_until", until)]

    def written(self) -> None:
        """The batch is committed."""
        self._full = []
        self._told = self._block * BLOCK


async def load(connection: aiosqlite.Connection) -> PresenceBook:
    """The book as it was: the open block is read again, 10 ms at most."""
    rows = await fetch(connection, "SELECT value FROM meta WHERE key = 'seen_until'")
    until = int(rows[0][0])
    book = PresenceBook(until)
    for seq, line, data in await fetch(
        connection, "SELECT seq, line, data FROM probe WHERE seq >= ?", (until,)
    ):
        book.add(seq, line, unpack(data).latency_ms)
    return book
