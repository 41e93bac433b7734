"""Search: the lines that a query wants, among ten million, a bounded look at a time.

Owns which parts of the history are looked through, and when one call has done enough.
It must not know what is wanted: that is a :class:`~yolotop.store.protocol.LineQuery`.

The query is asked about each of the few thousand rows of ``line`` first. Probes of
lines it never wants are not read; those of lines it always wants are not asked about;
the others (a latency, a number in a message) are. The map of ``presence`` tells which
blocks of the history hold any of them, so that ten matches among ten million cost ten
blocks, and a word that nothing says costs none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import aiosqlite

from yolotop.model import EventKind, Severity
from yolotop.store.codec import unpack
from yolotop.store.protocol import Extent, Found, LineQuery, LogLine
from yolotop.store.sqlite.connection import Rows, fetch
from yolotop.store.sqlite.presence import BLOCK, BLOCKS, OCTAVES, STRETCH, span_of
from yolotop.store.sqlite.probes import AT_MS, message_of
from yolotop.store.sqlite.shelf import LineShelf

LOOKS: Final = 40
"""Blocks that one call looks through: some 20 ms."""
ASKED: Final = 2_500
"""Probes and events that one call reads to ask about each: some 20 ms."""
_NEAR: Final = 512
"""So few numbers are read whole: what a follower asks for every second."""
_LISTED: Final = 4_000
"""More lines than this are not listed in a statement: nearly all are wanted then."""

_BOUNDS: Final = """
SELECT (SELECT value FROM meta WHERE key = 'seen_from'),
       (SELECT value FROM meta WHERE key = 'seen_until')
"""
_PROBES: Final = f"""
SELECT p.seq, {AT_MS}, p.line, p.data FROM probe p
WHERE p.seq BETWEEN ? AND ? {{of}} ORDER BY p.seq {{order}} LIMIT ?
"""  # noqa: S608 - constants of this room
_SEEN: Final = """
SELECT stretch, line, blocks FROM seen
WHERE stretch BETWEEN ? AND ? AND octave IN ({octaves}) {of} ORDER BY stretch {order}
"""
_EVENTS: Final = """
SELECT e.seq, e.at, e.severity, d.name, e.message, e.kind
FROM event e LEFT JOIN deployment d ON d.id = e.dep
WHERE e.seq BETWEEN ?1 AND ?2 AND e.severity >= ?3 AND (?4 IS NULL OR d.name = ?4)
ORDER BY e.seq {order} LIMIT ?5
"""

_Part = tuple[int, int, tuple[int, ...] | None]
"""Numbers to look through and the lines that may be there; ``None``: any."""


@dataclass(slots=True)
class _Look:
    """One call: what is asked for, what was found, how much of it is done."""

    wanted: LineQuery
    first: int
    last: int
    min_severity: Severity
    deployment: str | None
    limit: int
    newest: bool
    lines: list[LogLine] = field(default_factory=list)
    looks: int = field(default_factory=lambda: LOOKS)
    asked: int = field(default_factory=lambda: ASKED)
    reached: int = 0
    """The last number that was looked at, in the direction of the search."""

    @property
    def order(self) -> str:
        return "DESC" if self.newest else "ASC"

    @property
    def enough(self) -> bool:
        return len(self.lines) >= self.limit or self.looks <= 0 or self.asked <= 0

    @property
    def done(self) -> bool:
        return self.reached == (self.first if self.newest else self.last)

    def within(self, low: int, high: int) -> tuple[int, int]:
        return max(low, self.first), min(high, self.last)

    def in_turn(self, numbers: range) -> Iterator[int]:
        return reversed(numbers) if self.newest else iter(numbers)

    def wants(self, line: LogLine) -> bool:
        return (
            line.severity >= self.min_severity
            and (self.deployment is None or line.deployment == self.deployment)
            and self.wanted.matches(line)
        )


async def search(
    connection: aiosqlite.Connection,
    shelf: LineShelf,
    wanted: LineQuery,
    extent: Extent,
    *,
    min_severity: Severity,
    deployment: str | None,
    before: int | None,
    after: int | None,
    limit: int,
) -> Found:
    """One look; see ``protocol.Reader.search``."""
    look = _Look(
        wanted,
        first=extent.oldest if after is None else max(after + 1, extent.oldest),
        last=extent.newest if before is None else min(before - 1, extent.newest),
        min_severity=min_severity,
        deployment=deployment,
        limit=limit,
        newest=after is None,
    )
    if not extent.newest or look.first > look.last:
        return Found([], look.first, look.last, more=False)
    await shelf.renew(connection)
    if look.last - look.first < _NEAR:
        await _read(connection, shelf, look, (look.first, look.last, None), {})
    else:
        await _read_all(connection, shelf, look)
    await _read_events(connection, look)
    return _found(look)


def _found(look: _Look) -> Found:
    """What was found inside of what was looked through, no more than the limit."""
    low, high = look.first, look.last
    if look.newest:
        low = look.reached
    else:
        high = look.reached
    lines = sorted(
        (line for line in look.lines if low <= line.seq <= high),
        key=lambda line: line.seq,
    )
    cut = len(lines) > look.limit
    if cut and look.newest:
        lines = lines[-look.limit :]
        low = lines[0].seq
    elif cut:
        lines = lines[: look.limit]
        high = lines[-1].seq
    return Found(lines, low, high, more=cut or not look.done)


async def _read_all(
    connection: aiosqlite.Connection, shelf: LineShelf, look: _Look
) -> None:
    sure = shelf.candidates(look.wanted, look.min_severity, look.deployment)
    if sure:
        async for part in _parts(connection, look, sure):
            await _read(connection, shelf, look, part, sure)
            if look.enough:
                return
    # No more probes to look through, whatever the last part was.
    look.reached = look.first if look.newest else look.last


async def _parts(
    connection: aiosqlite.Connection, look: _Look, sure: dict[int, bool]
) -> AsyncIterator[_Part]:
    """Parts of the history that may hold something, in the direction of the search."""
    known_from, known_until = (await fetch(connection, _BOUNDS))[0]
    every = tuple(sure) if len(sure) <= _LISTED else None
    before = (look.first, min(known_from - 1, look.last))
    behind = (max(known_until, look.first), look.last)
    inside = look.within(known_from, known_until - 1)
    parts = (behind, inside, before)
    for low, high in parts if look.newest else reversed(parts):
        if low > high:
            continue
        if (low, high) == inside:
            async for part in _mapped(connection, look, low, high, sure):
                yield part
            continue
        for block in look.in_turn(range(low // BLOCK, high // BLOCK + 1)):
            start = block * BLOCK
            yield max(low, start), min(high, start + BLOCK - 1), every


async def _mapped(
    connection: aiosqlite.Connection,
    look: _Look,
    low: int,
    high: int,
    sure: dict[int, bool],
) -> AsyncIterator[_Part]:
    octaves = [o for o in OCTAVES if look.wanted.of_latency(span_of(o))]
    listed = len(sure) <= _LISTED
    sql = _SEEN.format(
        octaves=",".join(map(str, octaves)),
        of=f"AND line IN ({','.join(map(str, sure))})" if listed else "",
        order=look.order,
    )
    stretches = range(low // STRETCH, high // STRETCH + 1)
    at, step = 0, 1
    in_turn = list(look.in_turn(stretches))
    while at < len(in_turn):
        # Common things are found in the first stretch, rare ones in none of many.
        these = in_turn[at : at + step]
        at, step = at + step, step * 4
        rows = await fetch(connection, sql, (min(these), max(these)))
        for block, lines in _blocks(rows, sure, newest=look.newest):
            start, end = look.within(block * BLOCK, block * BLOCK + BLOCK - 1)
            if start <= end:
                yield start, end, lines


def _blocks(
    rows: Rows, sure: dict[int, bool], *, newest: bool
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Blocks that hold any of the lines, and which, in the direction of the search."""
    holds: dict[int, set[int]] = {}
    for stretch, line, blocks in rows:
        if line not in sure:
            continue
        while blocks:
            bit = blocks & -blocks
            block = stretch * BLOCKS + bit.bit_length() - 1
            holds.setdefault(block, set()).add(line)
            blocks ^= bit
    for block in sorted(holds, reverse=newest):
        yield block, tuple(holds[block])


async def _read(
    connection: aiosqlite.Connection,
    shelf: LineShelf,
    look: _Look,
    part: _Part,
    sure: dict[int, bool],
) -> None:
    """Look through one part, or as much of it as is enough."""
    low, high, lines = part
    look.looks -= 1
    of = "" if lines is None else f"AND p.line IN ({','.join(map(str, lines))})"
    sql = _PROBES.format(of=of, order=look.order)
    certain = lines is not None and all(sure[line] for line in lines)
    while low <= high:
        chunk = look.limit - len(look.lines) if certain else min(1_000, look.asked)
        rows = await fetch(connection, sql, (low, high, chunk))
        for row in rows:
            if _keep(shelf, look, row, sure=sure.get(row[2], False)):
                look.reached = row[0]
                return
        look.asked -= 0 if certain else len(rows)
        if len(rows) < chunk:
            break
        look.reached = rows[-1][0]
        if look.enough:
            return
        low, high = (low, rows[-1][0] - 1) if look.newest else (rows[-1][0] + 1, high)
    look.reached = part[0] if look.newest else part[1]


def _keep(shelf: LineShelf, look: _Look, row: tuple[Any, ...], *, sure: bool) -> bool:
    """Keep one probe if it is wanted; whether that was the last one."""
    seq, at_ms, id_, data = row
    known = shelf.lines.get(id_)
    if known is None:
        # Of a line that came after we began, so it is not asked for.
        return False
    shared, template = known
    packed = unpack(data)
    late = packed.latency_ms
    # Half of what asking costs is to make a line of it.
    if not sure and not look.wanted.of_latency(None if late is None else (late, late)):
        return False
    line = LogLine(
        seq=seq,
        at=(at_ms + (late or 0.0)) / 1000,
        severity=shared.severity,
        deployment=shared.deployment,
        message=message_of(template, packed),
        http_status=shared.http_status,
        latency_ms=late,
        probe=shared.probe,
    )
    if sure or look.wants(line):
        look.lines.append(line)
    return len(look.lines) >= look.limit


async def _read_events(connection: aiosqlite.Connection, look: _Look) -> None:
    """Events among what was looked through; many of them cut that short."""
    low, high = look.first, look.last
    if look.newest:
        low = look.reached
    else:
        high = look.reached
    rows = await fetch(
        connection,
        _EVENTS.format(order=look.order),
        (low, high, int(look.min_severity), look.deployment, ASKED),
    )
    for seq, at, severity, name, message, kind in rows:
        line = LogLine(
            seq, at, Severity(severity), name, message, event=EventKind(kind)
        )
        if look.wanted.matches(line):
            look.lines.append(line)
    if len(rows) == ASKED:
        look.reached = rows[-1][0]
