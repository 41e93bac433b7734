"""Probes read back.

Owns the join that makes a whole probe of its row, its line and its anchor. It must
not know which question it is part of; ``log`` builds on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import aiosqlite

from yolotop.model import ErrorKind, Outcome, ProbeKind, Severity
from yolotop.store.codec import Packed, fill_numbers, unpack
from yolotop.store.protocol import StoredProbe
from yolotop.store.sqlite.connection import Rows, fetch

AT_MS: Final = """
p.at + (SELECT at_ms FROM anchor WHERE anchor.seq <= p.seq
        ORDER BY anchor.seq DESC LIMIT 1)
"""
COLUMNS: Final = f"""
SELECT p.seq, {AT_MS} AS at_ms, d.name, l.kind, l.outcome, l.severity, l.message,
       l.cold, l.http_status, l.error_kind, p.data, coalesce(f.body_head, ''), f.headers
"""
# CROSS JOIN keeps the order: SQLite may not start from the short tables.
JOINED: Final = """
FROM probe p CROSS JOIN line l ON l.id = p.line
             CROSS JOIN deployment d ON d.id = l.dep
             LEFT JOIN failure f ON f.seq = p.seq
"""
AFTER: Final = f"{COLUMNS} {JOINED} WHERE p.seq > ? ORDER BY p.seq LIMIT ?"
# A probe is at most ten minutes younger or older than its anchor, so none that is as
# young as a time comes before the last anchor ahead of the first one that is at most
# twenty minutes older. (The *last* old anchor would not do: after a clock step back
# there are young rows before it.)
_FROM: Final = """
coalesce((SELECT max(seq) FROM anchor WHERE seq < coalesce(
  (SELECT min(seq) FROM anchor WHERE at_ms >= ?1 - 1200000), 1 << 62)), 1)
"""
SINCE: Final = f"""
SELECT * FROM ({COLUMNS} {JOINED}
  WHERE p.seq >= {_FROM} ORDER BY p.seq DESC LIMIT ?2 * 4)
WHERE at_ms >= ?1 LIMIT ?2
"""  # noqa: S608 - constants of this module
BEFORE: Final = f"SELECT {_FROM} - 1"
FIRST: Final = "SELECT" + AT_MS + "FROM probe p ORDER BY p.seq LIMIT 1"
_THESE: Final = f"""
{COLUMNS} {JOINED} WHERE p.seq IN (SELECT value FROM json_each(?))
"""  # noqa: S608 - constants of this module


# Three times as fast as calling an enumeration, and this is done for every probe.
_KINDS: Final = {kind.value: kind for kind in ProbeKind}
_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}
_SEVERITIES: Final = {severity.value: severity for severity in Severity}


def message_of(template: str | None, packed: Packed) -> str:
    """The message of a probe: of its line, of its line's template, or its own."""
    if template is None:
        return packed.inline or ""
    return fill_numbers(template, packed.numbers)


def decode(rows: Iterable[tuple[Any, ...]]) -> list[StoredProbe]:
    """Rows of the queries above as probes."""
    return [_decode(row) for row in rows]


def _decode(row: tuple[Any, ...]) -> StoredProbe:
    packed = unpack(row[10])
    return StoredProbe(
        seq=row[0],
        at=row[1] / 1000,
        deployment=row[2],
        kind=_KINDS[row[3]],
        outcome=_OUTCOMES[row[4]],
        severity=_SEVERITIES[row[5]],
        message=message_of(row[6], packed),
        cold=bool(row[7]),
        http_status=row[8],
        latency_ms=packed.latency_ms,
        phases=packed.phases,
        server=packed.server,
        detections=packed.detections,
        error_kind=ErrorKind(row[9]) if row[9] else None,
        body_head=row[11],
        headers=_headers(row[12]) if row[12] else (),
    )


def _headers(stored: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(stored))


async def read_these(connection: aiosqlite.Connection, wanted: Iterable[int]) -> Rows:
    """The probes of these numbers that are still there."""
    return await fetch(connection, _THESE, (json.dumps(list(wanted)),))
