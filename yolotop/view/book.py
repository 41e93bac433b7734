"""The slots of one width as one face has read them, and what must be read again.

Owns how far back slots are known and how they are read in bounded pieces. It must not
know ranges, panels or screens.

A day of 300 s slots of 100 deployments is 28,800 histograms: 220 ms to read. Their
hours are 2,400 and hold the same sums, so beyond :data:`START_SLOTS` slots a book
reads hours, as blocks, and single slots only for the hour a window begins in and for
the newest. A face that stays open gathers the single slots as they come.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from yolotop.store.protocol import COARSE_SLOT_S, FINE_SLOT_S, Reader, Slot
from yolotop.view.aggregate import BLOCK, Ledger, Tally, Window

START_SLOTS: Final = 10_000
"""Slots read one by one to reach back: 75 ms. Above that, hours are read."""
CHUNK_SLOTS: Final = 2_500
"""Slots read in one go: 20 ms, so that a terminal still answers keys meanwhile."""

_BLOCK_WIDTH_S: Final = {FINE_SLOT_S: COARSE_SLOT_S}
"""Widths whose blocks the store keeps as slots of their own."""


class Book:
    """A ledger with its reach: :meth:`turn_to` a window, then ask ``ledger``.

    ``since_at``: single slots are known from here on. ``blocks_at``: before that,
    blocks are known from here on.
    """

    def __init__(self, reader: Reader, ledger: Ledger, *, deployments: int) -> None:
        self.ledger = ledger
        self._reader = reader
        self._deployments = max(1, deployments)
        self._width_s = ledger.width_s
        self._block_s = ledger.width_s * BLOCK
        self._since_at: int | None = None
        self._blocks_at = 0
        self._lead_at: int | None = None
        self._stale_at: float | None = None

    def grain_s(self, window: Window) -> int:
        """The finest steps this window can be cut into: slots, or blocks of them."""
        known = self._since_at is not None and self._since_at <= window.start_at
        return self._width_s if known else self._block_s

    def spoil(self, at: float) -> None:
        """A probe of that time has come: slots from there on must be read again."""
        self._stale_at = at if self._stale_at is None else min(self._stale_at, at)

    def spoilt(self) -> bool:
        """Whether a late probe fell into a block that cannot be read again alone."""
        if self._since_at is None or self._stale_at is None:
            return False
        return self._blocks_at - self._block_s <= self._stale_at < self._since_at

    def forget_before(self, at: int) -> None:
        """Drop what no window will ask for again."""
        if self._since_at is not None and min(self._since_at, self._blocks_at) < at:
            self.ledger.forget_before(at)
            self._since_at = max(self._since_at, at)
            self._blocks_at = max(self._blocks_at, at)

    async def turn_to(self, window: Window) -> None:
        """Read what is new, and what is missing of the window."""
        if self._since_at is None:
            # The first read has no upper end: rows dated in the future are in it.
            start = self._floor(window.end_at - 1)
            self._enter(await self._slots(start, math.inf))
            self._since_at = self._blocks_at = start
            self._stale_at = None
        elif self._stale_at is not None:
            at = max(self._stale_at, float(self._since_at))
            self._enter(await self._slots(at, math.inf))
            self._stale_at = None
        if window.start_at < self._since_at:
            await self._reach(window.start_at, self._since_at)

    async def _reach(self, start_at: int, known_at: int) -> None:
        first = self._floor(start_at)
        slots = (known_at - first) // self._width_s * self._deployments
        if slots > START_SLOTS and self._width_s in _BLOCK_WIDTH_S:
            await self._reach_in_blocks(start_at)
            return
        span_s = self._block_s * max(1, CHUNK_SLOTS // (BLOCK * self._deployments))
        for until in range(known_at, first, -span_s):
            since = max(first, until - span_s)
            self._enter(await self._slots(since, until))
            self._since_at = since
        self._blocks_at = min(self._blocks_at, first)

    async def _reach_in_blocks(self, start_at: int) -> None:
        lead_at = self._floor(start_at)
        first = lead_at if lead_at == start_at else lead_at + self._block_s
        if first < self._blocks_at:
            width_s = _BLOCK_WIDTH_S[self._width_s]
            blocks = await self._reader.slots(
                first, width_s=width_s, until_at=self._blocks_at
            )
            for slot in blocks:
                start = int(slot.start_at)
                self.ledger.put_block(slot.deployment, start, tally_of(slot))
            self._blocks_at = first
        if lead_at < first and lead_at != self._lead_at:
            self._enter(await self._slots(lead_at, first))
            self._lead_at = lead_at

    async def _slots(self, since_at: float, until_at: float) -> list[Slot]:
        return await self._reader.slots(
            since_at, width_s=self._width_s, until_at=until_at
        )

    def _enter(self, slots: Iterable[Slot]) -> None:
        for slot in slots:
            self.ledger.put(slot.deployment, int(slot.start_at), tally_of(slot))

    def _floor(self, at: int) -> int:
        return at - at % self._block_s


def tally_of(slot: Slot) -> Tally:
    """What a stored slot adds up to."""
    return Tally(slot.requests, slot.failed, slot.cold, slot.histogram)
