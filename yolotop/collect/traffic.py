"""What the Platform counts, as rows that are worth writing.

Owns which rows are new since the last answer, and the recent ones. Pure. It must not
know how they are asked for or written.

An answer holds the whole last hour and comes every minute; of its sixty rows one or two
are new. Writing all of them would be 2,400 rows a minute of forty deployments.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

from yolotop.model import Traffic
from yolotop.platform.metrics import Metrics, traffic_of
from yolotop.store.protocol import COARSE_SLOT_S, TRAFFIC_S

LONGEST_FINE_S: Final = 1_200.0
"""Rows of a longer span go with the hours. Nobody tells the Platform's steps."""


@dataclass(slots=True)
class TrafficBook:
    """The newest rows by deployment and width."""

    _rows: dict[str, dict[int, dict[float, Traffic]]] = field(default_factory=dict)

    def fresh(self, name: str, metrics: Metrics) -> tuple[Traffic, ...]:
        """Rows of this answer that are not as they were in the one before."""
        rows = [_placed(row) for row in traffic_of(metrics, name)]
        books = self._rows.setdefault(name, {})
        fresh = []
        for width_s in {row.width_s for row in rows}:
            known = books.get(width_s, {})
            now = {row.at: row for row in rows if row.width_s == width_s}
            fresh += [row for at, row in now.items() if known.get(at) != row]
            books[width_s] = now
        return tuple(fresh)

    def minutes(self, name: str) -> tuple[Traffic, ...]:
        """The finer rows of the last answer."""
        return tuple(self._rows.get(name, {}).get(TRAFFIC_S, {}).values())

    def keep(self, names: Collection[str]) -> None:
        """Forget all others: followed no longer, or under another name."""
        for gone in self._rows.keys() - set(names):
            del self._rows[gone]


def _placed(row: Traffic) -> Traffic:
    fine = row.span_s <= LONGEST_FINE_S and row.width_s <= LONGEST_FINE_S
    return replace(row, width_s=TRAFFIC_S if fine else COARSE_SLOT_S)
