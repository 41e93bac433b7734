"""The overview of one deployment: charts, where the time goes, budget, failures.

Owns how its blocks are laid out and where the cursor stands. What a block looks like
is the block's. It must not know the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.reactive import var

from yolotop.tui.bindings import bindings_in
from yolotop.tui.ink import Row, Span, centred
from yolotop.tui.widgets.painted import Painted
from yolotop.view.detail import Detail


@dataclass
class CursorMoved(Message):
    """The cursor stands at another instant; ``None``: it is gone."""

    at: float | None


class Overview(Painted, can_focus=True):
    """The page."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_in("overview")

    detail: var[Detail | None] = var[Detail | None](None)
    cursor_at: var[float | None] = var[float | None](None)

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """The blocks."""
        if self.detail is None:
            blank: list[Row] = [()] * (height // 2)
            return [*blank, centred((Span("reading…", "faint"),), width, self.look)]
        return []

    def watch_detail(self) -> None:
        """Show the new picture."""
        self.repaint()

    def watch_cursor_at(self, at: float | None) -> None:
        """Show it, and tell who listens."""
        self.repaint()
        self.post_message(CursorMoved(at))

    def point_at(self, at: float | None) -> None:
        """Put the cursor at an instant, or take it away."""
        self.cursor_at = at

    def action_cursor(self, by: int) -> None:
        """A step back or on; past the newest one it is gone."""
