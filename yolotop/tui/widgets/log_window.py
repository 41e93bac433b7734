"""The part of the log that is in memory: a bounded window over the whole history.

Owns which lines are there, what lies beyond them on either side, and what leaves when
others come. It must not draw or fetch. Every change says by how many places the lines
that stayed have moved, so that what is in sight can stay where it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from yolotop.store.protocol import Extent, LogLine
from yolotop.view.log import LogPage


class LogWindow:
    """Lines, oldest first, and the numbers that were looked through for them."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self.lines: list[LogLine] = []
        self.first = 0
        self.last = 0
        self.more_before = False
        self.more_after = False
        self.extent = Extent()

    def __len__(self) -> int:
        return len(self.lines)

    def start(self, page: LogPage) -> None:
        """These lines, and no others."""
        self.lines = list(page.lines)
        self.first, self.last = page.first, page.last
        self.more_before, self.more_after = page.more_before, page.more_after
        self.extent = page.extent

    def add_older(self, page: LogPage) -> int:
        """The page before; too many newest ones go. Returns places moved."""
        self.lines[:0] = page.lines
        self.first, self.more_before = page.first, page.more_before
        if len(self.lines) > self._kept:
            del self.lines[self._kept :]
            self.last, self.more_after = self.lines[-1].seq, True
        return len(page.lines)

    def add_newer(self, page: LogPage) -> int:
        """The page after; too many oldest ones go. Returns places moved."""
        self.lines += page.lines
        self.last = max(self.last, page.last)
        self.more_after, self.extent = page.more_after, page.extent
        return self._drop_oldest()

    def add_news(
        self, lines: Sequence[LogLine], looked: int, *, following: bool
    ) -> int:
        """What was written since. Returns places moved.

        While the newest lines are not in memory, it only grows the history; while
        nobody follows, what is too much at the end is left for later.
        """
        self._grow(lines, looked)
        if self.more_after:
            return 0
        self.lines += lines
        self.last = self.extent.newest
        if following:
            return self._drop_oldest()
        if len(self.lines) > self._kept:
            del self.lines[self._kept :]
            self.last, self.more_after = self.lines[-1].seq, True
        return 0

    def index_of(self, seq: int) -> int:
        """The place of the first line with this number or a greater one."""
        return bisect_left(self.lines, seq, key=lambda line: line.seq)

    def index_at(self, at: float) -> int:
        """The place of the first line known at or after an instant."""
        return next(
            (n for n, line in enumerate(self.lines) if line.at >= at), len(self.lines)
        )

    def holds(self, at: float) -> bool:
        """Whether the lines around an instant are in memory."""
        if not self.lines:
            return False
        return (self.lines[0].at <= at or not self.more_before) and (
            at <= self.lines[-1].at or not self.more_after
        )

    def _grow(self, lines: Sequence[LogLine], looked: int) -> None:
        old = self.extent
        newest = old.newest + looked
        if lines:
            newest = max(newest, lines[-1].seq)
        if not old.newest and lines:
            old = Extent(lines[0].seq, 0, lines[0].seq)
        self.extent = replace(old, newest=newest)

    def _drop_oldest(self) -> int:
        surplus = len(self.lines) - self._kept
        if surplus <= 0:
            return 0
        del self.lines[:surplus]
        self.first, self.more_before = self.lines[0].seq, True
        return -surplus
