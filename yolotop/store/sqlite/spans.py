"""The map of the probe table: where to look for what is rare.

Owns the runs of sequence numbers that hold something, read from the hour slots. It
must not know what is looked for in them. An index by deployment on every probe would
cost eleven bytes a row, a third of it, for questions that are asked now and then.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final

import aiosqlite

from yolotop.store.protocol import COARSE_SLOT_S
from yolotop.store.sqlite.connection import fetch

Span = tuple[int, int]
"""First and last sequence number, both included."""


class Holding(StrEnum):
    """What a span must hold to be worth a look."""

    ANYTHING = "1"
    SHOWN = "shown"
    PREDICT = "requests"
    FAILED = "(failed OR health_failed)"


ONE: Final = """
WITH RECURSIVE start (at_s) AS (
  SELECT min(start_s) FROM slot WHERE width_s = ?1 AND start_s > ?2
  UNION ALL
  SELECT (SELECT min(start_s) FROM slot WHERE width_s = ?1 AND start_s > at_s)
  FROM start WHERE at_s < ?3)
SELECT {columns} FROM start CROSS JOIN slot
ON width_s = ?1 AND start_s = at_s AND start_s < ?3 AND dep = ?4
"""
"""Slots of one deployment that start in (?2, ?3), oldest first: from start to start
through the key, so that the histograms of all others are not read. A week of hours of
one among a hundred takes 3 ms, histograms included; that of all takes 290."""

# An anchor dates its probes to ten minutes, so a slot that ended before the oldest of
# them sums none that is left: of 400 days of hours, a week is looked at.
_OLDEST: Final = "SELECT coalesce(min(at_ms), 0) / 1000 - 600 - ? FROM anchor"
_KEPT: Final = "last_seq >= (SELECT min(seq) FROM probe)"
_HOURS: Final = """
SELECT min(first_seq), max(last_seq) FROM slot
WHERE width_s = ?1 AND start_s > ?2 AND {holding} AND {kept} GROUP BY start_s
"""
_HOURS_OF_ONE: Final = ONE.format(columns="first_seq, last_seq") + (
    " WHERE {holding} AND {kept}"
)


async def dep_of(connection: aiosqlite.Connection, name: str) -> int | None:
    """The id of a deployment, or ``None`` for a name never seen."""
    rows = await fetch(connection, "SELECT id FROM deployment WHERE name = ?", (name,))
    return int(rows[0][0]) if rows else None


async def read(
    connection: aiosqlite.Connection, holding: Holding, *, dep: int | None
) -> list[Span]:
    """Spans, newest first, that do not overlap and hold all there is to be found.

    Hours of a fleet overlap at their edges (a slow answer is numbered after the next
    hour's first), and much more after a clock step; what overlaps becomes one span.
    """
    oldest = (await fetch(connection, _OLDEST, (COARSE_SLOT_S,)))[0][0]
    values: tuple[object, ...] = (COARSE_SLOT_S, oldest)
    sql = _HOURS
    if dep is not None:
        sql, values = _HOURS_OF_ONE, (*values, math.inf, dep)
    sql = sql.format(holding=holding.value, kept=_KEPT)
    hours = sorted(await fetch(connection, sql, values))
    spans: list[Span] = []
    for first, last in hours:
        if spans and first <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
        else:
            spans.append((first, last))
    return spans[::-1]


def within(spans: list[Span], first: int, last: int) -> list[Span]:
    """The parts of the spans that lie in ``first``…``last``, in the same order."""
    cut = ((max(low, first), min(high, last)) for low, high in spans)
    return [(low, high) for low, high in cut if low <= high]
