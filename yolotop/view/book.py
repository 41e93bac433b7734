"""The slots of one width as one face has read them, and what must be read again.

Owns how far back slots are known and how they are read in bounded pieces. It must not
know ranges, panels or screens.

A day of 300 s slots of 100 deployments is 28,800 histograms, a month of hours 72,000.
So beyond :data:`START_SLOTS` slots a book keeps *blocks* of twelve: hours of the day
straight from the store, which has them, half days of the month summed as they are read.
Single slots are then known only from :attr:`Book._since_at` on, and in the block that
the window begins in. What arrives later is counted, not read again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from yolotop.model import ProbeKind
from yolotop.store.protocol import (
    COARSE_SLOT_S,
    FINE_SLOT_S,
    Reader,
    Slot,
    StoredProbe,
)
from yolotop.view.aggregate import BLOCK, Ledger
from yolotop.view.tally import Tally, Window

START_SLOTS: Final = 10_000
"""Slots of deployments that are kept one by one: 15 MB. Above that, blocks are."""
CHUNK_SLOTS: Final = 1_500
"""Slots read in one go: 20 ms, so that a terminal still answers keys meanwhile."""
KEPT_BLOCKS: Final = 7
"""Newest blocks whose slots a large fleet keeps: what the range of 6 h needs."""

_BLOCK_WIDTH_S: Final = {FINE_SLOT_S: COARSE_SLOT_S}
"""Widths whose blocks the store keeps as slots of their own."""


class Book:
    """A ledger with its reach: :meth:`turn_to` a window, then ask ``ledger``.

    ``since_at``: single slots are known from here on. ``blocks_at``: before that,
    blocks are known from here on. ``fleet_at``: the fleet's single slots are.
    """

    def __init__(self, reader: Reader, ledger: Ledger, *, deployments: int) -> None:
        self.ledger = ledger
        self.spoilt = False
        self._reader = reader
        self._deployments = max(1, deployments)
        self._width_s = ledger.width_s
        self._block_s = ledger.width_s * BLOCK
        self._since_at: int | None = None
        self._blocks_at = 0
        self._fleet_at = 0
        self._lead_at: int | None = None

    def grain_s(self, window: Window) -> int:
        """The finest steps this window can be cut into: slots, or blocks of them."""
        known = self._since_at is not None and self._fleet_at <= window.start_at
        return self._width_s if known else self._block_s

    def count(self, probe: StoredProbe) -> None:
        """Count a probe that has just come.

        One that is dated back into a block spoils the book: a block cannot tell
        whether it was read with the probe in.
        """
        if self._since_at is None or probe.kind is not ProbeKind.PREDICT:
            return
        if probe.at >= self._since_at:
            self.ledger.count(probe)
        elif probe.at >= self._blocks_at - self._block_s:
            self.spoilt = True

    def forget_before(self, at: int) -> None:
        """Drop what no window will ask for again."""
        if self._since_at is not None and min(self._since_at, self._blocks_at) < at:
            self.ledger.forget_before(at)
            self._since_at = max(self._since_at, at)
            self._blocks_at = max(self._blocks_at, at)

    def seal(self, now: float) -> None:
        """Keep only blocks of what has become many slots."""
        if self._since_at is None or self._fits(self._since_at, now):
            return
        kept = KEPT_BLOCKS
        if not self._fits(now - kept * self._block_s, now):
            kept = 1
        until = self._floor(now) - kept * self._block_s
        # The block that the reach begins in may be cut; it stays as it is.
        since = -(-self._since_at // self._block_s) * self._block_s
        if since < until:
            self.ledger.seal(since, until)
            self._since_at = until

    async def turn_to(self, window: Window) -> None:
        """Read what is missing of the window."""
        if self._since_at is None:
            # The first read has no upper end: rows dated in the future are in it.
            start = self._floor(window.end_at - 1)
            self._enter(await self._slots(start, math.inf))
            self._since_at = self._blocks_at = self._fleet_at = start
        if window.start_at < self._since_at:
            await self._reach(window.start_at, self._since_at)

    async def _reach(self, start_at: int, known_at: int) -> None:
        lead_at = self._floor(start_at)
        if self._fits(lead_at, known_at) and self._blocks_at >= known_at:
            for since, until in self._pieces(lead_at, known_at, self._width_s):
                self._enter(await self._slots(since, until))
                self._since_at = self._blocks_at = self._fleet_at = since
            return
        first = lead_at if lead_at == start_at else lead_at + self._block_s
        if first < self._blocks_at:
            await self._reach_in_blocks(first, self._blocks_at)
        if lead_at < first and lead_at != self._lead_at:
            self._enter(await self._slots(lead_at, first))
            self._lead_at = lead_at
            if self._fleet_at == first:
                self._fleet_at = lead_at

    async def _reach_in_blocks(self, first: int, known_at: int) -> None:
        stored_s = _BLOCK_WIDTH_S.get(self._width_s)
        for since, until in self._pieces(first, known_at, stored_s or self._width_s):
            if stored_s is None:
                self._enter(await self._slots(since, until))
                self.ledger.seal(since, until)
                self._fleet_at = min(self._fleet_at, since)
            else:
                for slot in await self._reader.slots(
                    since, width_s=stored_s, until_at=until
                ):
                    start = int(slot.start_at)
                    self.ledger.put_block(slot.deployment, start, tally_of(slot))
            self._blocks_at = since

    def _pieces(
        self, first: int, known_at: int, width_s: int
    ) -> Iterable[tuple[int, int]]:
        """The span in whole blocks of bounded size, the newest first."""
        block_slots = self._block_s // width_s * self._deployments
        span_s = self._block_s * max(1, CHUNK_SLOTS // block_slots)
        for until in range(known_at, first, -span_s):
            yield max(first, until - span_s), until

    async def _slots(self, since_at: float, until_at: float) -> list[Slot]:
        return await self._reader.slots(
            since_at, width_s=self._width_s, until_at=until_at
        )

    def _enter(self, slots: Iterable[Slot]) -> None:
        for slot in slots:
            self.ledger.put(slot.deployment, int(slot.start_at), tally_of(slot))

    def _fits(self, since_at: float, until_at: float) -> bool:
        slots = (until_at - since_at) / self._width_s * self._deployments
        return slots <= START_SLOTS

    def _floor(self, at: float) -> int:
        return math.floor(at / self._block_s) * self._block_s


def tally_of(slot: Slot) -> Tally:
    """What a stored slot adds up to."""
    return Tally(slot.requests, slot.failed, slot.cold, slot.histogram, slot.last_seq)
