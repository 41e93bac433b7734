"""Reading the rollups: slots whole, or only their counters summed.

Owns those queries and how a row becomes a slot again. It must not know who asks, nor
how slots are filled: that is ``rollup``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from yolotop.judge.histogram import ExpHistogram
from yolotop.store.protocol import Slot
from yolotop.store.sqlite import spans

OF_ALL: Final = """
SELECT name, start_s, width_s, requests, failed, cold, health, health_failed, histogram,
       last_seq
FROM slot JOIN deployment ON id = dep
WHERE width_s = ? AND start_s > ? AND start_s < ? ORDER BY start_s, position, dep
"""
OF_ONE: Final = (
    spans.ONE.format(
        columns="?5, start_s, width_s, requests, failed, cold, health, health_failed, "
        "histogram, last_seq"
    )
    + " ORDER BY start_s"
)
REQUESTS: Final = """
SELECT name, sum(requests) FROM slot JOIN deployment ON id = dep
WHERE width_s = ? AND start_s >= ? AND start_s < ? GROUP BY dep HAVING sum(requests)
"""
COUNTS: Final = """
SELECT name, count(*) FILTER (WHERE requests), sum(requests), sum(failed)
FROM slot JOIN deployment ON id = dep
WHERE width_s = ? AND start_s >= ? AND start_s < ? GROUP BY dep HAVING sum(requests)
"""


def decode(rows: Iterable[Any]) -> list[Slot]:
    """Rows of :data:`OF_ALL` or :data:`OF_ONE`."""
    return [
        Slot(
            deployment=row[0],
            start_at=float(row[1]),
            width_s=row[2],
            requests=row[3],
            failed=row[4],
            cold=row[5],
            health=row[6],
            health_failed=row[7],
            histogram=ExpHistogram.decode(row[8]),
            last_seq=row[9],
        )
        for row in rows
    ]
