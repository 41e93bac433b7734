"""What a platform counted over a range, for one deployment and for all it hosts.

Owns which rows a range is made of, when they are read again, and the figures they come
to. It must not know SQL, a platform's API or any screen.

These are no figures of probes: they count all callers' requests, and their P95 is a
mean of the P95s of minutes or hours, weighted by requests. Whoever shows one marks it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from yolotop.model import Traffic
from yolotop.model.traffic import merged
from yolotop.store.protocol import COARSE_SLOT_S, TRAFFIC_S, Reader, Registered
from yolotop.view.snapshot import Figures, Range, Trend

STEPS: Final = 24
"""Of a trend: hours of a day, five minutes of two hours."""
_FINE: Final = frozenset({Range.H1, Range.H6})


@dataclass(frozen=True, slots=True)
class Count:
    """Figures of a range and their trends; ``at`` is where the count ends."""

    figures: Figures
    at: float
    requests: Trend
    errors: Trend
    p95: Trend


def is_counted(entry: Registered) -> bool:
    """Whether its figures are its platform's, because nobody else asks it."""
    return entry.hosting is not None and not entry.hosting.probed


class Counts:
    """Counts by deployment; :meth:`renew` them, then ask."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._rows: dict[str, tuple[tuple[object, ...], tuple[Traffic, ...]]] = {}
        self._found: dict[str, Count] = {}
        self._span: tuple[float, float] = (0.0, 0.0)

    async def renew(
        self,
        registered: Iterable[Registered],
        newest: Mapping[str, Traffic],
        range_: Range,
        now: float,
    ) -> None:
        """Read rows of what has counted more since, or is looked at otherwise."""
        width_s = TRAFFIC_S if range_ in _FINE else COARSE_SLOT_S
        step_s = range_.seconds / STEPS
        end_at = math.ceil(now / step_s) * step_s
        self._span = (end_at - range_.seconds, step_s)
        hosted = [entry.name for entry in registered if entry.hosting is not None]
        for name in self._rows.keys() - set(hosted):
            del self._rows[name]
        for name in hosted:
            row = newest.get(name)
            key = (range_, end_at, row)
            known = self._rows.get(name)
            if row is not None and (known is None or known[0] != key):
                self._rows[name] = key, await self._read(name, width_s, end_at)
        rows_of = self._rows.items()
        self._found = {name: self._count(rows) for name, (_, rows) in rows_of}

    def of(self, name: str) -> Count | None:
        """One deployment's; ``None`` where nobody counted."""
        return self._found.get(name)

    def fleet(self) -> Count | None:
        """All of them together."""
        rows = [row for _, found in self._rows.values() for row in found]
        return self._count(rows) if rows else None

    async def _read(
        self, name: str, width_s: int, end_at: float
    ) -> tuple[Traffic, ...]:
        start_at = self._span[0]
        rows = await self._reader.traffic(name, start_at, end_at, width_s=width_s)
        if width_s == COARSE_SLOT_S:
            # Hours are told every hour; minutes since the last one are at hand.
            since = max((row.end_at for row in rows), default=start_at)
            fine = await self._reader.traffic(name, since, end_at, width_s=TRAFFIC_S)
            rows = [*rows, *(row for row in fine if row.at >= since)]
        return tuple(row for row in rows if row.at + row.span_s / 2 >= start_at)

    def _count(self, rows: Sequence[Traffic]) -> Count:
        start_at, step_s = self._span
        shares: list[list[Traffic]] = [[] for _ in range(STEPS)]
        for row in rows:
            step = int((row.at + row.span_s / 2 - start_at) // step_s)
            shares[min(max(step, 0), STEPS - 1)].append(row)
        steps = [merged(share) for share in shares]

        def trend(values: Iterable[float | None]) -> Trend:
            return Trend(start_at, step_s, tuple(values))

        return Count(
            figures_of(merged(rows)),
            max((row.end_at for row in rows), default=0.0),
            trend(_pace(share) for share in shares),
            trend(None if one is None else one.error_rate for one in steps),
            trend(None if one is None else one.p95_ms for one in steps),
        )


def figures_of(total: Traffic | None) -> Figures:
    """Counts as figures; there is one latency only, and no sample of it."""
    if total is None:
        return Figures()
    requests = round(total.requests or 0.0)
    return Figures(
        requests=requests,
        failed=round(total.errors or 0.0),
        error_rate=total.error_rate,
        p95_ms=total.p95_ms,
        samples=requests,
    )


def _pace(rows: Sequence[Traffic]) -> float | None:
    """Requests a minute; spans of several deployments lie beside each other."""
    requests = sum(row.requests or 0.0 for row in rows)
    if not requests:
        return None
    spans: dict[str, float] = {}
    for row in rows:
        spans[row.deployment] = spans.get(row.deployment, 0.0) + row.span_s
    return requests / max(1.0, max(spans.values())) * 60
