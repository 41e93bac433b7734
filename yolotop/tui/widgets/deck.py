"""The list of deployments: a grid of cards, lines or cells, with one of them selected.

Owns scrolling and the grid. One widget draws all cards and only those in sight, so
that a hundred cost no more than what is on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil
from typing import Final

from rich.cells import cell_len
from textual import events

from yolotop.tui.ink import Look, Row, fit
from yolotop.tui.layout import Density
from yolotop.tui.messages import DeploymentOpened
from yolotop.tui.places import REGION_CELLS, region_text
from yolotop.tui.widgets.cards import Setting, card_rows, line_row
from yolotop.tui.widgets.compact import compact_row
from yolotop.tui.widgets.fleet import Fleet, thumb
from yolotop.view.snapshot import Card

_WIDEST: Final = 84
"""A lone card on a wide terminal is not stretched further than this."""
_WHEEL: Final = 3


class Deck(Fleet):
    """The deployments as cards or lines."""

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(look, name=name)
        self.top = 0
        self.density = Density.LINE
        self.columns = 1
        self.compact = False
        """Whether a line is a cell of the compact grid, or has the figures' names."""
        self._drawn: dict[str, tuple[Card, tuple[object, ...], list[Row]]] = {}
        """What each card looked like last, and for which card and surroundings."""

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """The grid rows in sight."""
        cards = self.snapshot.cards
        if not cards:
            return self.nothing(width, height)
        lines = ceil(len(cards) / self.columns)
        overflow = lines * self.density > height
        inner = width - 1 if overflow else width
        self._clamp(lines, height)
        edges = self._edges(inner, len(cards))
        setting = self._setting()
        out: list[Row] = []
        for line in range(lines):
            if len(out) >= height + self.top % self.density:
                break
            if (line + 1) * self.density <= self.top:
                continue
            some = cards[line * self.columns : (line + 1) * self.columns]
            out += self._line(some, edges, setting)
        out = out[self.top % self.density :][:height]
        if overflow:
            marks = thumb(lines * self.density, height, self.top, self.look)
            out = [
                (*fit(row, inner, self.look), mark)
                for row, mark in zip(out, marks, strict=False)
            ]
        return out

    def _edges(self, width: int, number: int) -> list[int]:
        columns = self.columns
        if self.density is not Density.LINE and number <= columns:
            width = min(width, _WIDEST * columns)
        return [width * column // columns for column in range(columns + 1)]

    def _line(
        self, cards: Sequence[Card], edges: list[int], setting: Setting
    ) -> list[Row]:
        blocks = [
            self._block(card, stop - start, setting)
            for card, start, stop in zip(cards, edges, edges[1:], strict=False)
        ]
        return [
            tuple(span for row in rows for span in row)
            for rows in zip(*blocks, strict=True)
        ]

    def _setting(self) -> Setting:
        """What all of them share: measured once for a picture, not once for a card."""
        return Setting(
            now=self.snapshot.at,
            look=self.look,
            frame=self._frame,
            focused=self.has_focus,
            name_width=self._longest(lambda each: each.name, 20),
            region_width=self._longest(self._place, REGION_CELLS),
        )

    def _block(self, card: Card, width: int, shared: Setting) -> list[Row]:
        selected = card.name == self.selected
        setting = replace(
            shared,
            selected=selected,
            # What only the selected card or a turning one shows must not make the
            # others look new: a cursor that moves draws two cards, not sixty.
            focused=shared.focused or not selected,
            frame=shared.frame if card.checking else 0,
        )
        shape = (width, self.density, self.compact, setting)
        known = self._drawn.get(card.name)
        if known is not None and known[0] is card and known[1] == shape:
            return known[2]
        rows = self._draw(card, width, setting)
        self._drawn[card.name] = (card, shape, rows)
        return rows

    def _draw(self, card: Card, width: int, setting: Setting) -> list[Row]:
        if self.compact and self.density is Density.LINE:
            return [compact_row(card, width, setting)]
        if self.density is Density.LINE:
            return [line_row(card, width, setting)]
        return card_rows(card, width, self.density, setting)

    def _place(self, card: Card) -> str:
        return region_text(card.region or "", REGION_CELLS, self.look)

    def _longest(self, text: Callable[[Card], str], most: int) -> int:
        return min(
            most, max((cell_len(text(card)) for card in self.snapshot.cards), default=0)
        )

    def _clamp(self, lines: int, height: int) -> None:
        self.top = max(0, min(self.top, lines * self.density - height))

    # -- what changes it -----------------------------------------------------------

    def lay_out(self, density: Density, columns: int, *, compact: bool) -> None:
        """How tall, how many beside each other, and which kind of line: all at once."""
        if (density, columns, compact) == (self.density, self.columns, self.compact):
            return
        self.density, self.columns, self.compact = density, columns, compact
        self.show_selected()
        self.repaint()

    def resized(self) -> None:
        """Keep the selected one in sight."""
        self.show_selected()

    def neighbour(self, across: int, down: int) -> int:
        """A step on the grid."""
        number = len(self.cards)
        target = self._index + across + down * self.columns
        if down > 0 and target >= number > self.columns:
            # From the last full row into a shorter one: the nearest there is.
            return number - 1 if self._line_of(self._index) < self._last else -1
        return target

    def _line_of(self, index: int) -> int:
        return index // self.columns

    @property
    def _last(self) -> int:
        return self._line_of(len(self.snapshot.cards) - 1)

    def show_selected(self) -> None:
        """Scroll to it."""
        height = self.size.height
        start = self._line_of(self._index) * self.density
        if start < self.top:
            self.top = start
        elif start + self.density > self.top + height > 0:
            self.top = start + self.density - height

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by the wheel."""
        event.stop()
        self.top += _WHEEL if self.density is Density.LINE else self.density
        self.repaint()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll by the wheel."""
        event.stop()
        self.top -= _WHEEL if self.density is Density.LINE else self.density
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        """Select what was clicked; open it when it was clicked twice."""
        name = self._at(event.x, event.y)
        if name is None:
            return
        self.selected = name
        if event.chain == 2:
            self.post_message(DeploymentOpened(name))

    def _at(self, x: int, y: int) -> str | None:
        cards = self.snapshot.cards
        if not cards:
            return None
        edges = self._edges(self.size.width, len(cards))
        column = next(
            (n for n, stop in enumerate(edges[1:]) if x < stop), self.columns - 1
        )
        index = (self.top + y) // self.density * self.columns + column
        return cards[index].name if index < len(cards) else None
