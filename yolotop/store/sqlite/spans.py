"""The map of the probe table: where to look for what is rare.

Owns the runs of sequence numbers that hold something, read from the hour slots. It
must not know what is looked for in them. An index by deployment on every probe would
cost eleven bytes a row, a third of it, for questions that are asked now and then.
"""

from __future__ import annotations

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


_HOURS: Final = """
SELECT min(first_seq), max(last_seq) FROM slot
WHERE width_s = ?1 AND {holding} AND (?2 IS NULL OR dep = ?2)
  AND last_seq >= (SELECT coalesce(min(seq), 0) FROM probe)
GROUP BY start_s
"""


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
    sql = _HOURS.format(holding=holding.value)
    hours = sorted(await fetch(connection, sql, (COARSE_SLOT_S, dep)))
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
