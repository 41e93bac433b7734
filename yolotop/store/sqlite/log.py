"""The log: lines of probes and of events, by severity and deployment.

Owns how a page of the log is found among millions of rows. It must not know how a
line is shown.

- WARNING and above: from the two indexes that hold only such probes.
- Everything, of all deployments: straight from the table.
- What may be rare (INFO in a fleet of liveness checks, one deployment of a thousand):
  first in the nearest rows, then only in the hours that hold some (``spans``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import aiosqlite

from yolotop.model import EventKind, ProbeKind, Severity
from yolotop.store.codec import unpack
from yolotop.store.protocol import LogLine
from yolotop.store.sqlite import spans
from yolotop.store.sqlite.batch import alert_of
from yolotop.store.sqlite.connection import Rows, fetch
from yolotop.store.sqlite.probes import AT_MS, message_of

_NEAR: Final = 20_000
"""Rows looked through before the map is asked: a few milliseconds."""
_END: Final = 1 << 62
_ALERTS: Final = (Severity.WARNING, Severity.ERROR, Severity.CRITICAL)

_PROBES: Final = f"""
SELECT p.seq, {AT_MS}, l.severity, d.name, l.message, p.data, l.http_status, l.kind
FROM probe p CROSS JOIN line l ON l.id = p.line
             CROSS JOIN deployment d ON d.id = l.dep
"""  # noqa: S608 - constants of this room
_SCAN: Final = """
WHERE p.seq BETWEEN ? AND ? AND l.severity >= ? AND l.dep = coalesce(?, l.dep)
ORDER BY p.seq {order} LIMIT ?
"""
_ALERT: Final = """
SELECT * FROM (
  SELECT seq FROM probe WHERE alert IS NOT NULL AND {which} = ? AND seq BETWEEN ? AND ?
  ORDER BY seq {order} LIMIT ?)
"""
_EVENTS: Final = """
SELECT e.seq, e.at, e.severity, d.name, e.message, e.kind
FROM event e LEFT JOIN deployment d ON d.id = e.dep
WHERE e.seq BETWEEN ? AND ? AND e.severity >= ? AND (?4 IS NULL OR e.dep = ?4)
ORDER BY e.seq {order} LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class _Page:
    """What is asked for: numbers ``first``…``last``, from one end or the other."""

    first: int
    last: int
    min_severity: Severity
    dep: int | None
    limit: int
    newest: bool

    @property
    def order(self) -> str:
        return "DESC" if self.newest else "ASC"


async def read_log(
    connection: aiosqlite.Connection,
    *,
    min_severity: Severity,
    deployment: str | None,
    before: int | None,
    after: int | None,
    limit: int,
) -> list[LogLine]:
    """One page, oldest first; see ``protocol.Reader.log``."""
    dep = None
    if deployment is not None:
        dep = await spans.dep_of(connection, deployment)
        if dep is None:
            return []
    page = _Page(
        first=0 if after is None else after + 1,
        last=_END if before is None else before - 1,
        min_severity=min_severity,
        dep=dep,
        limit=limit,
        newest=after is None,
    )
    lines = _probe_lines(await _read_probes(connection, page))
    lines += _event_lines(await _read_events(connection, page))
    lines.sort(key=lambda line: line.seq)
    return lines[-limit:] if page.newest else lines[:limit]


async def _read_probes(connection: aiosqlite.Connection, page: _Page) -> Rows:
    if page.min_severity > Severity.INFO:
        return await _read_alerts(connection, page)
    if page.min_severity == Severity.DEBUG and page.dep is None:
        return await _scan(connection, page, page.first, page.last, page.limit)
    return await _read_rare(connection, page)


async def _read_alerts(connection: aiosqlite.Connection, page: _Page) -> Rows:
    which = "(alert & 7)" if page.dep is None else "alert"
    one = _ALERT.format(which=which, order=page.order)
    values: list[object] = []
    levels = [level for level in _ALERTS if level >= page.min_severity]
    for level in levels:
        values += (alert_of(page.dep or 0, level), page.first, page.last, page.limit)
    found = " UNION ALL ".join([one] * len(levels))
    sql = f"{_PROBES} WHERE p.seq IN ({found}) ORDER BY p.seq {page.order} LIMIT ?"
    return await fetch(connection, sql, (*values, page.limit))


async def _read_rare(connection: aiosqlite.Connection, page: _Page) -> Rows:
    newest = await fetch(connection, "SELECT coalesce(max(seq), 0) FROM probe")
    last = min(page.last, newest[0][0])
    near_first, near_last = page.first, last
    if page.newest:
        near_first = max(page.first, last - _NEAR + 1)
        rest = (page.first, near_first - 1)
    else:
        near_last = min(last, page.first + _NEAR - 1)
        rest = (near_last + 1, last)
    rows = await _scan(connection, page, near_first, near_last, page.limit)
    if len(rows) == page.limit or rest[0] > rest[1]:
        return rows
    holding = spans.Holding.ANYTHING
    if page.min_severity > Severity.DEBUG:
        holding = spans.Holding.SHOWN
    held = await spans.read(connection, holding, dep=page.dep)
    for low, high in spans.within(held if page.newest else held[::-1], *rest):
        rows += await _scan(connection, page, low, high, page.limit - len(rows))
        if len(rows) == page.limit:
            break
    return rows


async def _scan(
    connection: aiosqlite.Connection, page: _Page, first: int, last: int, limit: int
) -> Rows:
    return await fetch(
        connection,
        _PROBES + _SCAN.format(order=page.order),
        (first, last, int(page.min_severity), page.dep, limit),
    )


async def _read_events(connection: aiosqlite.Connection, page: _Page) -> Rows:
    return await fetch(
        connection,
        _EVENTS.format(order=page.order),
        (page.first, page.last, int(page.min_severity), page.dep, page.limit),
    )


def _probe_lines(rows: Iterable[tuple[Any, ...]]) -> list[LogLine]:
    lines = []
    for seq, at_ms, severity, name, template, data, http_status, kind in rows:
        packed = unpack(data)
        lines.append(
            LogLine(
                seq=seq,
                # When it was known: lines stand in the order of their answers, and a
                # slow answer must not look out of order.
                at=(at_ms + (packed.latency_ms or 0.0)) / 1000,
                severity=Severity(severity),
                deployment=name,
                message=message_of(template, packed),
                http_status=http_status,
                latency_ms=packed.latency_ms,
                probe=ProbeKind(kind),
            )
        )
    return lines


def _event_lines(rows: Iterable[tuple[Any, ...]]) -> list[LogLine]:
    return [
        LogLine(
            seq=seq,
            at=at,
            severity=Severity(severity),
            deployment=name,
            message=message,
            event=EventKind(kind),
        )
        for seq, at, severity, name, message, kind in rows
    ]
