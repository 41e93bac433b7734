"""Sums over slots of time: the arithmetic behind panels, cards and trends.

Owns windows, tallies and trends. Pure and in memory: it must not know the store, the
clock or any screen. All counts are integers and histograms merge exactly, so a figure
is the same whichever way its slots were added up.

Windows are aligned: a range is its newest ``seconds / width`` slots, the one that is
still filling included. "24h" over 300 s slots therefore covers between 23 h 55 min and
24 h, and every probe is in or out with its whole slot.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from yolotop.judge.histogram import ExpHistogram
from yolotop.model import Outcome
from yolotop.store.protocol import StoredProbe
from yolotop.view.snapshot import Figures, Trend

BLOCK: Final = 12
"""Slots that are summed once and kept: an hour of fine slots, half a day of coarse."""
MAX_STEPS: Final = 72
KNOWN_FIGURES: Final = 256
"""Windows of one series whose figures are kept: a trend's steps, several ranges."""

_STEPS_S: Final = (
    *(5, 10, 15, 20, 30, 60),
    *(300, 600, 900, 1_800),
    *(3_600, 7_200, 10_800, 14_400, 21_600, 43_200),
)


@dataclass(frozen=True, slots=True)
class Window:
    """The span ``[start_at, end_at)``, both on the grid of ``width_s`` slots."""

    start_at: int
    end_at: int
    width_s: int

    @classmethod
    def ending_now(cls, now: float, *, seconds: int, width_s: int) -> Window:
        """The newest ``seconds`` of whole slots, the current slot included."""
        end = (math.floor(now / width_s) + 1) * width_s
        return cls(end - seconds, end, width_s)

    @property
    def seconds(self) -> int:
        """Its length in seconds."""
        return self.end_at - self.start_at

    def starts(self) -> range:
        """The start of each of its slots, oldest first."""
        return range(self.start_at, self.end_at, self.width_s)


@dataclass(slots=True)
class Tally:
    """Counters and warm latencies of some set of predict probes.

    ``last_seq`` is set where it is one stored slot: probes up to it are in.
    """

    requests: int = 0
    failed: int = 0
    cold: int = 0
    histogram: ExpHistogram = field(default_factory=ExpHistogram)
    last_seq: int = 0

    def counts(self) -> tuple[int, int, int, int]:
        """Its four counters: they tell a slot from what it was before."""
        return self.requests, self.failed, self.cold, self.histogram.count

    def add(self, other: Tally) -> None:
        """Count all of ``other`` too; ``other`` stays as it is."""
        self.requests += other.requests
        self.failed += other.failed
        self.cold += other.cold
        if other.histogram.count:
            self.histogram.merge(other.histogram)

    def count(self, probe: StoredProbe) -> None:
        """Count one predict probe, as the store's slots do."""
        self.requests += 1
        self.failed += probe.outcome.is_error
        self.cold += is_cold(probe)
        latency_ms = warm_ms(probe)
        if latency_ms is not None:
            self.histogram.add(latency_ms)

    def figures(self) -> Figures:
        """What a card or panel shows of it."""
        p50_ms, p95_ms, p99_ms = self.histogram.quantiles((0.50, 0.95, 0.99))
        return Figures(
            requests=self.requests,
            failed=self.failed,
            cold=self.cold,
            error_rate=self.failed / self.requests if self.requests else None,
            p50_ms=p50_ms,
            p95_ms=p95_ms,
            p99_ms=p99_ms,
            samples=self.histogram.count,
        )


def is_cold(probe: StoredProbe) -> bool:
    """Whether it is "starting up", or an answer of an instance that just did."""
    return probe.cold or probe.outcome is Outcome.COLD


def warm_ms(probe: StoredProbe) -> float | None:
    """The latency that counts in percentiles: of a warm answer that arrived."""
    if is_cold(probe) or probe.outcome is Outcome.FAILED:
        return None
    return probe.latency_ms


def summed(tallies: Iterable[Tally]) -> Tally:
    """A new tally of all of them."""
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


class Series:
    """One tally per slot of time, with blocks of :data:`BLOCK` slots summed ahead.

    The total of a day is then some 24 blocks and the slots at either end, not 288
    slots. A block may also be *put* where its slots are not known: the store keeps sums
    of that width itself. A probe that arrives is counted in its slot, its block and the
    totals that hold it; nothing is summed again for it.
    """

    __slots__ = ("_block_s", "_blocks", "_figures", "_rows", "_totals", "_width_s")

    def __init__(self, width_s: int) -> None:
        self._width_s = width_s
        self._block_s = width_s * BLOCK
        self._rows: dict[int, Tally] = {}
        self._blocks: dict[int, Tally] = {}
        self._totals: dict[tuple[int, int], Tally] = {}
        self._figures: dict[tuple[int, int], Figures] = {}

    def put(self, start_at: int, tally: Tally) -> None:
        """Make ``tally`` the one of the slot; an older one is replaced."""
        self._rows[start_at] = tally
        self._blocks.pop(start_at - start_at % self._block_s, None)
        self._spoil(start_at, start_at + self._width_s)

    def put_block(self, start_at: int, tally: Tally) -> None:
        """Make ``tally`` the sum of the block that starts then."""
        self._blocks[start_at] = tally
        self._spoil(start_at, start_at + self._block_s)

    def count(self, start_at: int, probe: StoredProbe) -> bool:
        """Count a predict probe in its slot, unless that was read with it in."""
        row = self._rows.get(start_at)
        if row is None:
            row = self._rows[start_at] = Tally()
        elif probe.seq <= row.last_seq:
            return False
        row.count(probe)
        row.last_seq = probe.seq
        block = self._blocks.get(start_at - start_at % self._block_s)
        if block is not None:
            block.count(probe)
        for (start, end), total in self._totals.items():
            if start <= start_at < end:
                total.count(probe)
        self._forget_figures(start_at, start_at + self._width_s)
        return True

    def seal(self, since_at: int, until_at: int) -> None:
        """Keep only the blocks, not the slots, between two borders of blocks."""
        old = [start for start in self._rows if since_at <= start < until_at]
        for start in {start - start % self._block_s for start in old}:
            self.block(start)
        for start in old:
            del self._rows[start]

    def get(self, start_at: int) -> Tally | None:
        """The tally of the slot that starts then."""
        return self._rows.get(start_at)

    def forget_before(self, at: int) -> None:
        """Drop the slots that start before ``at``."""
        self._rows = {start: row for start, row in self._rows.items() if start >= at}
        self._blocks = {
            start: block for start, block in self._blocks.items() if start >= at
        }
        self._figures = {
            key: known for key, known in self._figures.items() if key[0] >= at
        }
        self._totals = {
            key: total for key, total in self._totals.items() if key[0] >= at
        }

    def figures(self, window: Window) -> Figures:
        """The window's figures; the same object while nothing in them changed."""
        key = window.start_at, window.end_at
        known = self._figures.get(key)
        if known is None:
            if len(self._figures) >= KNOWN_FIGURES:
                self._figures.clear()
            known = self._figures[key] = self.total(window).figures()
        return known

    def total(self, window: Window) -> Tally:
        """The sum over the window; to be read only."""
        key = window.start_at, window.end_at
        total = self._totals.get(key)
        if total is None:
            total = summed(self._parts(window))
            if window.seconds > self._block_s:
                # One for each range: the window of before has moved on.
                for old in [k for k in self._totals if k[1] - k[0] == window.seconds]:
                    del self._totals[old]
                self._totals[key] = total
        return total

    def _spoil(self, start_at: int, end_at: int) -> None:
        self._forget_figures(start_at, end_at)
        for key in [k for k in self._totals if k[0] < end_at and start_at < k[1]]:
            del self._totals[key]

    def _forget_figures(self, start_at: int, end_at: int) -> None:
        for key in [k for k in self._figures if k[0] < end_at and start_at < k[1]]:
            del self._figures[key]

    def _parts(self, window: Window) -> Iterator[Tally]:
        at = window.start_at
        while at < window.end_at:
            if at % self._block_s == 0 and at + self._block_s <= window.end_at:
                yield self.block(at)
                at += self._block_s
                continue
            row = self._rows.get(at)
            if row is not None:
                yield row
            at += self._width_s

    def block(self, start_at: int) -> Tally:
        """The sum of the block that starts then."""
        block = self._blocks.get(start_at)
        if block is None:
            starts = range(start_at, start_at + self._block_s, self._width_s)
            rows = [self._rows[at] for at in starts if at in self._rows]
            block = self._blocks[start_at] = summed(rows)
        return block


class Ledger:
    """The slots of all deployments, of one width, and their sum over the fleet.

    ``names`` is the fleet: slots of others (removed ones) are kept out of its sums.
    """

    __slots__ = ("_blocks", "_fleet", "_names", "_rows", "_series", "width_s")

    def __init__(self, width_s: int, names: Collection[str]) -> None:
        self.width_s = width_s
        self._names = frozenset(names)
        self._series: dict[str, Series] = {}
        self._fleet = Series(width_s)
        self._rows: set[int] = set()
        self._blocks: set[int] = set()

    def put(self, deployment: str, start_at: int, tally: Tally) -> None:
        """Make ``tally`` what is known of the deployment's slot."""
        if deployment not in self._names:
            return
        series = self._of(deployment)
        known = series.get(start_at)
        # Slots only grow: the same counts are the same slot, read once more.
        if known is not None and known.counts() == tally.counts():
            return
        series.put(start_at, tally)
        self._rows.add(start_at)

    def count(self, probe: StoredProbe) -> None:
        """Count a new predict probe of a slot that is known, or that none was in."""
        if probe.deployment not in self._names:
            return
        start = math.floor(probe.at / self.width_s) * self.width_s
        counted = self._of(probe.deployment).count(start, probe)
        # A slot that came from the store is summed over the fleet when that is asked.
        if counted and start not in self._rows:
            self._fleet.count(start, probe)

    def seal(self, since_at: int, until_at: int) -> None:
        """Keep only the blocks of deployments, not their slots, between two borders.

        The fleet's slots stay: they are the trend.
        """
        self.fleet()
        for series in self._series.values():
            series.seal(since_at, until_at)

    def put_block(self, deployment: str, start_at: int, tally: Tally) -> None:
        """Make ``tally`` the sum of the deployment's block of slots."""
        if deployment in self._names:
            self._of(deployment).put_block(start_at, tally)
            self._blocks.add(start_at)

    def forget_before(self, at: int) -> None:
        """Drop what no window will ask for again."""
        for series in (*self._series.values(), self._fleet):
            series.forget_before(at)
        self._rows = {start for start in self._rows if start >= at}
        self._blocks = {start for start in self._blocks if start >= at}

    def figures(self, deployment: str, window: Window) -> Figures:
        """One deployment's figures; the same object while nothing in them changed."""
        series = self._series.get(deployment)
        return Figures() if series is None else series.figures(window)

    def fleet(self) -> Series:
        """The sum over the fleet, slot by slot, up to date."""
        for start in self._rows:
            rows = (series.get(start) for series in self._series.values())
            self._fleet.put(start, summed(row for row in rows if row is not None))
        # After the rows: a block whose slots are not known cannot be summed from them.
        for start in self._blocks:
            blocks = (series.block(start) for series in self._series.values())
            self._fleet.put_block(start, summed(blocks))
        self._rows.clear()
        self._blocks.clear()
        return self._fleet

    def _of(self, deployment: str) -> Series:
        return self._series.setdefault(deployment, Series(self.width_s))


def step_s(span_s: float, *, width_s: int) -> int:
    """The finest step of whole slots that shows ``span_s`` in :data:`MAX_STEPS`."""
    for step in _STEPS_S:
        if step % width_s == 0 and span_s <= step * MAX_STEPS:
            return step
    return width_s * math.ceil(span_s / (width_s * MAX_STEPS))


@dataclass(frozen=True, slots=True)
class Trends:
    """The three panels' trends: requests a minute, error rate 0-1, P95 in ms."""

    requests: Trend = field(default_factory=Trend)
    errors: Trend = field(default_factory=Trend)
    p95: Trend = field(default_factory=Trend)


def trends(
    series: Series, window: Window, *, step_s: int, since_at: float, now: float
) -> Trends:
    """Trends over the window in steps on the clock's grid (so bars stand still).

    ``since_at`` is when the history begins, inside the first step or before it.

    A step without a request is a gap: nobody asked. Requests are a pace: the first and
    the newest step are not full, and counts would show a dip there that never was.
    """
    first = window.start_at - window.start_at % step_s
    steps: list[Figures] = []
    paces: list[float | None] = []
    before = (0, 0.0)
    for at in range(first, window.end_at, step_s):
        inside = Window(
            max(at, window.start_at), min(at + step_s, window.end_at), window.width_s
        )
        step = series.figures(inside)
        covered_s = min(inside.end_at, now) - max(inside.start_at, since_at)
        steps.append(step)
        paces.append(_pace(step.requests, covered_s, step_s, before))
        before = (step.requests, covered_s)

    def trend(values: Iterable[float | None]) -> Trend:
        return Trend(float(first), float(step_s), tuple(values))

    return Trends(
        requests=trend(paces),
        errors=trend(step.error_rate for step in steps),
        p95=trend(step.p95_ms for step in steps),
    )


def _pace(
    requests: int, covered_s: float, step_s: int, before: tuple[int, float]
) -> float | None:
    """Requests a minute; a step younger than half borrows from the one before.

    Without that, one request in the first second of a step reads as sixty a minute.
    """
    if not requests:
        return None
    if covered_s < step_s / 2:
        requests += before[0]
        covered_s += before[1]
    return requests / max(covered_s, 1.0) * 60


def change(
    requests: int, before: Mapping[str, int], window: Window, *, now: float
) -> float | None:
    """This range's pace ÷ the pace of the full range before it, − 1."""
    earlier = sum(before.values())
    covered_s = min(window.end_at, now) - window.start_at
    if not earlier or covered_s <= 0:
        return None
    return (requests / covered_s) / (earlier / window.seconds) - 1
