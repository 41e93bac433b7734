"""The map view: the world with a pin for each place, and a table of the places.

Owns what fits where, which deployment a step leads to and what a click hits. How a pin
and a line look is in :mod:`~yolotop.tui.widgets.world` and
:mod:`~yolotop.tui.widgets.region_table`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual import events

from yolotop.tui.ink import Row, Span, fit
from yolotop.tui.messages import DeploymentOpened
from yolotop.tui.widgets.cards import Setting, line_row
from yolotop.tui.widgets.fleet import Fleet
from yolotop.tui.widgets.region_table import table_lines
from yolotop.tui.widgets.sites import Site, sites_of
from yolotop.tui.widgets.steps import step_from
from yolotop.tui.widgets.world import Lighting, Pin, pins_of, world_rows
from yolotop.view.snapshot import EMPTY, Snapshot

_WIDE: Final = 72
"""From so many cells on the table is beside the map."""
_TALL: Final = 16
"""From so many rows on it is below the map, where it is not beside it."""
_GAP: Final = 2
"""Blanks between the map and the table; one less is right of that."""
_REACH: Final = 3
"""A click so many cells from a pin still hits it."""


@dataclass(frozen=True, slots=True)
class Split:
    """Cells of the map; the table's are 0 × 0 where there is none.

    ``line`` is whether the last row says how the selected deployment is.
    """

    map_width: int
    map_height: int
    table_width: int = 0
    table_height: int = 0
    beside: bool = False
    line: bool = False


def split(width: int, height: int) -> Split:
    """The pane shared out: a table beside the map, below it, or one line for it."""
    if width >= _WIDE and height >= 5:
        table = min(54, max(29, width // 3))
        return Split(width - table - 2 * _GAP + 1, height, table, height, beside=True)
    if height >= _TALL:
        table = height // 3
        return Split(width, height - table - 1, width, table)
    return Split(width, height - 1, line=True) if height > 4 else Split(width, height)


class WorldMap(Fleet):
    """The deployments on the map."""

    _sites: tuple[Site, ...] = ()
    _of: Snapshot = EMPTY
    _pins: tuple[Pin, ...] = ()
    _for: tuple[tuple[Site, ...], int, int] = ((), 0, 0)
    _names: tuple[str | None, ...] = ()
    """What a click on each of the table's lines selects."""

    @property
    def sites(self) -> tuple[Site, ...]:
        """The deployments by place."""
        if self._of is not self.snapshot:
            self._of = self.snapshot
            self._sites = sites_of(self.snapshot.cards)
        return self._sites

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The pins of the map at its size."""
        shares = split(*self.size)
        wanted = (self.sites, shares.map_width, shares.map_height)
        if self._for != wanted:
            self._for = wanted
            self._pins = pins_of(*wanted)
        return self._pins

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """The map and what is beside or below it."""
        card = self.card
        if not self.snapshot.cards:
            self._names = ()
            return self.nothing(width, height)
        shares = split(width, height)
        world = world_rows(
            self.sites,
            self.pins,
            shares.map_width,
            shares.map_height,
            Lighting(self.look, self.selected, self.has_focus, self._frame),
        )
        setting = Setting(
            now=self.snapshot.at,
            look=self.look,
            frame=self._frame,
            focused=self.has_focus,
        )
        if shares.line:
            self._names = ()
            return [*world, line_row(card, width, setting)] if card else world
        if not shares.table_width:
            self._names = ()
            return world
        lines = table_lines(
            self.sites, self.selected, shares.table_width, shares.table_height, setting
        )
        self._names = tuple(line.name for line in lines)
        if not shares.beside:
            return [*world, (), *(line.row for line in lines)]
        blank: Row = ()
        table = [line.row for line in lines] + [blank] * (height - len(lines))
        return [
            (*left, Span(" " * _GAP), *fit(right, shares.table_width, self.look))
            for left, right in zip(world, table, strict=False)
        ]

    def neighbour(self, across: int, down: int) -> int:
        """The nearest pin that way; at one with several, up and down walk through."""
        nowhere = [card for site in self.sites if not site.place for card in site.cards]
        name = step_from(self.selected, across, down, self.pins, nowhere)
        names = [card.name for card in self.cards]
        return names.index(name) if name in names else -1

    def on_click(self, event: events.Click) -> None:
        """Select what was clicked; open it when it was clicked twice."""
        names = self._at(event.x, event.y)
        if not names:
            return
        if self.selected not in names:
            self.selected = names[0]
        if event.chain == 2 and self.selected is not None:
            self.post_message(DeploymentOpened(self.selected))

    def _at(self, x: int, y: int) -> list[str]:
        """The deployments at a cell: of a pin, or of a line of the table."""
        shares = split(*self.size)
        row = y if shares.beside else y - shares.map_height - 1
        if x >= shares.map_width if shares.beside else row >= 0:
            name = self._names[row] if row < len(self._names) else None
            return [name] if name else []
        near = [
            (max(pin.x - x, x - pin.x - pin.width + 1, 0) + 2 * abs(pin.y - y), n)
            for n, pin in enumerate(self.pins)
        ]
        away, at = min(near, default=(_REACH + 1, 0))
        return [card.name for card in self.pins[at].cards] if away <= _REACH else []
