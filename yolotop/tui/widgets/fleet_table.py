"""The list of deployments as a table: sortable columns, one row each.

Owns the sort and which rows are in sight. The selected deployment keeps its name when
the order moves it, and is kept in sight if it was. It must not know how a cell is
drawn (:mod:`~yolotop.tui.widgets.table_rows`) nor when rows may move
(:mod:`~yolotop.tui.widgets.table_order`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual import events
from textual.reactive import var

from yolotop.tui.ink import Look, Row, fit
from yolotop.tui.messages import DeploymentOpened
from yolotop.tui.widgets.cards import Setting
from yolotop.tui.widgets.fleet import Fleet, thumb
from yolotop.tui.widgets.table_order import By, Order, Sort
from yolotop.tui.widgets.table_rows import grid_of, head_row, table_row
from yolotop.view.snapshot import Card

_HEAD: Final = 1
_WHEEL: Final = 3


class FleetTable(Fleet):
    """The deployments as a table."""

    sort: var[Sort] = var(Sort())

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(look, name=name)
        self.top = 0
        self._order = Order()
        self._arranged: tuple[Card, ...] = ()

    @property
    def cards(self) -> tuple[Card, ...]:
        """The rows as they stand."""
        return self._arranged

    @property
    def sorts(self) -> tuple[By, ...]:
        """What can be sorted by at this width."""
        return grid_of(self.cards, self._inner(self.size.width), self.look).sorts

    @property
    def _room(self) -> int:
        return max(0, self.size.height - _HEAD)

    def _inner(self, width: int) -> int:
        return width - 1 if len(self.cards) > self._room else width

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """The head, and the rows in sight."""
        cards, look = self.cards, self.look
        if not cards:
            return self.nothing(width, height)
        room = height - _HEAD
        overflow = len(cards) > room
        inner = width - 1 if overflow else width
        self.top = max(0, min(self.top, len(cards) - room))
        grid = grid_of(cards, inner, look)
        head = head_row(grid, self.sort, width, look)
        out = [
            table_row(card, grid, inner, self._setting(card))
            for card in cards[self.top : self.top + room]
        ]
        if overflow:
            marks = thumb(len(cards), room, self.top, look)
            out = [
                (*fit(row, inner, look), mark)
                for row, mark in zip(out, marks, strict=False)
            ]
        return [head, *out]

    def _setting(self, card: Card) -> Setting:
        return Setting(
            now=self.snapshot.at,
            look=self.look,
            frame=self._frame,
            selected=card.name == self.selected,
            focused=self.has_focus,
        )

    # -- what changes it -----------------------------------------------------------

    def watch_snapshot(self) -> None:
        """Show the new picture in the order that stands, or in a new one."""
        self._arrange()
        super().watch_snapshot()

    def watch_sort(self) -> None:
        """Sort at once."""
        self._arrange()
        self.show_selected()
        self.repaint()

    def _arrange(self) -> None:
        in_sight = self.top <= self._index < self.top + self._room
        snapshot = self.snapshot
        self._arranged = self._order.arrange(snapshot.cards, self.sort, snapshot.at)
        names = [card.name for card in self._arranged]
        if self.selected in names:
            self._index = names.index(self.selected)
            if in_sight:
                self.show_selected()

    def resized(self) -> None:
        """Keep the selected one in sight."""
        self.show_selected()

    def neighbour(self, across: int, down: int) -> int:
        """A row up or down; there is nothing beside a row."""
        return -1 if across else self._index + down

    def show_selected(self) -> None:
        """Scroll to it."""
        room = self._room
        if self._index < self.top:
            self.top = self._index
        elif self._index >= self.top + room > 0:
            self.top = self._index + 1 - room

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by the wheel."""
        event.stop()
        self.top += _WHEEL
        self.repaint()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll by the wheel."""
        event.stop()
        self.top -= _WHEEL
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        """Select what was clicked; open it when it was clicked twice."""
        index = self.top + event.y - _HEAD
        if event.y < _HEAD or index >= len(self.cards):
            return
        self.selected = self.cards[index].name
        if event.chain == 2:
            self.post_message(DeploymentOpened(self.cards[index].name))
