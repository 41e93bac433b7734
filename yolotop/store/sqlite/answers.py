"""What one deployment answered, and what it failed at, among the rows of all others.

Owns how they are found without an index by deployment. It must not know what a row
holds (``probes``) nor what is made of the answers.
"""

from __future__ import annotations

import json
import math
from typing import Final

import aiosqlite

from yolotop.model import Severity
from yolotop.store.sqlite import spans
from yolotop.store.sqlite.batch import alert_of
from yolotop.store.sqlite.connection import Rows, fetch
from yolotop.store.sqlite.probes import AT_MS, COLUMNS, JOINED

_ALERTS: Final = (Severity.WARNING, Severity.ERROR, Severity.CRITICAL)
_NEVER_MS: Final = 1 << 61

# An anchor dates the probes from its own number up to the next one's.
_BETWEEN: Final = """
SELECT coalesce(min(seq), 1 << 62), coalesce((
  SELECT min(seq) FROM anchor WHERE seq > (
    SELECT max(seq) FROM anchor WHERE at_ms < ?2 + 600000)) - 1, 1 << 62)
FROM anchor WHERE at_ms >= ?1 - 600000
"""
_ASKED: Final = "SELECT id FROM line WHERE dep = ? AND kind = 'predict'"
# By the lines' numbers, which stand in the probe's own row: twice as fast as a look
# into the lines for each row, and again a quarter with the bounds ahead of the list.
_ANSWERS: Final = f"""
{COLUMNS} {JOINED}
WHERE p.seq BETWEEN ? AND ? AND p.line BETWEEN ? AND ?
  AND p.line IN (SELECT value FROM json_each(?))
  AND {AT_MS} >= ? AND {AT_MS} < ?
ORDER BY p.seq DESC LIMIT ?
"""  # noqa: S608 - constants of this module
_FAILED: Final = f"""
SELECT * FROM (
  SELECT p.seq FROM probe p CROSS JOIN line l ON l.id = p.line
  WHERE p.alert IS NOT NULL AND p.alert = ? AND p.seq BETWEEN ? AND ?
    AND l.outcome IN ('failed', 'wrong') AND {AT_MS} < ?
  ORDER BY p.seq DESC LIMIT ?)
"""  # noqa: S608 - constants of this module
_FAILURES: Final = f"""
{COLUMNS} {JOINED}
WHERE p.seq IN ({" UNION ALL ".join([_FAILED] * 3)}) ORDER BY p.seq DESC LIMIT ?
"""


async def read_answers(
    connection: aiosqlite.Connection,
    deployment: str,
    limit: int,
    *,
    since_at: float = -math.inf,
    until_at: float = math.inf,
) -> Rows:
    """The newest predict probes of one deployment in [since, until), newest first.

    Without an index by deployment: its hour slots say between which numbers to look,
    and one hour of a whole fleet is looked through at a time. The newest 500 of one
    among a hundred, of 17 M in seven days, lie in 250,000 rows and take 28 ms:
    14 to go through those, 6 to find its own, 7 to decode them; the newest 60 take 4.
    """
    dep = await spans.dep_of(connection, deployment)
    if dep is None:
        return []
    lines = [row[0] for row in await fetch(connection, _ASKED, (dep,))]
    if not lines:
        return []
    since_ms, until_ms = _whole_ms(since_at), _whole_ms(until_at)
    which = (min(lines), max(lines), json.dumps(lines), since_ms, until_ms)
    bounds = (await fetch(connection, _BETWEEN, (since_ms, until_ms)))[0]
    held = await spans.read(connection, spans.Holding.PREDICT, dep=dep)
    found: Rows = []
    for span in spans.within(held, *bounds):
        wanted = limit - len(found)
        found += await fetch(connection, _ANSWERS, (*span, *which, wanted))
        if len(found) >= limit:
            break
    return found


async def read_failures(
    connection: aiosqlite.Connection, deployment: str, limit: int, until_at: float
) -> Rows:
    """The newest failed or wrong probes of one deployment, newest first.

    From the index of alerts, which also holds the slow ones; so only in the hours that
    counted a failure, each of which gives at least one. The newest 20 of 17 M probes
    take 1 ms.
    """
    dep = await spans.dep_of(connection, deployment)
    if dep is None:
        return []
    until_ms = _whole_ms(until_at)
    bounds = (await fetch(connection, _BETWEEN, (_whole_ms(-math.inf), until_ms)))[0]
    held = await spans.read(connection, spans.Holding.FAILED, dep=dep)
    found: Rows = []
    for span in spans.within(held, *bounds):
        wanted = limit - len(found)
        values: list[object] = []
        for level in _ALERTS:
            values += (alert_of(dep, level), *span, until_ms, wanted)
        found += await fetch(connection, _FAILURES, (*values, wanted))
        if len(found) >= limit:
            break
    return found


def _whole_ms(at: float) -> int:
    """Stored times from here on are not before ``at``; all others are."""
    if math.isinf(at):
        return _NEVER_MS if at > 0 else -_NEVER_MS
    # A float of this size is exact to 0.2 µs: what is closer to a whole one is it.
    return math.ceil(round(at * 1000, 2))
