"""Sums over slots of time, kept up to date: one deployment's, and the fleet's.

Owns which sums are kept so that none is made twice. Pure and in memory: it must not
know the store's questions, the clock or any screen. What one sum is, is
:mod:`yolotop.view.tally`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Final

from yolotop.store.protocol import StoredProbe
from yolotop.view.snapshot import Figures
from yolotop.view.tally import Tally, Window, summed

BLOCK: Final = 12
"""Slots that are summed once and kept: an hour of fine slots, half a day of coarse."""
KNOWN_FIGURES: Final = 256
"""Windows of one series whose figures are kept: a trend's steps, several ranges."""


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
