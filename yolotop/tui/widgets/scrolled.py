"""A tab that may be longer than its room: rows, an offset, a thumb.

Owns scrolling by keys and wheel. It must not know what the rows say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.binding import BindingType

from yolotop.tui.bindings import bindings_in
from yolotop.tui.ink import Look, Row, Span, fit
from yolotop.tui.widgets.painted import Painted

_WHEEL: Final = 3


def window(
    rows: Sequence[Row], top: int, width: int, height: int, look: Look
) -> list[Row]:
    """``height`` rows from ``top`` on; a thumb at the right where there are more."""
    if len(rows) <= height:
        return list(rows)
    inner = width - 1
    size = max(1, height * height // len(rows))
    start = (height - size) * top // max(1, len(rows) - height)
    out: list[Row] = []
    for y, row in enumerate(rows[top : top + height]):
        here = start <= y < start + size
        mark = Span(look.thumb, "trend") if here else Span(look.down, "hairline")
        out.append((*fit(row, inner, look), mark))
    return out


class Scrolled(Painted, can_focus=True):
    """Subclasses say what the rows are and how many of them are in sight."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_in("page")

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(look, name=name)
        self.top = 0
        self._total = 0
        self._room = 0

    def shown(self, rows: Sequence[Row], width: int, height: int) -> list[Row]:
        """The part of the rows that is in sight."""
        self._total, self._room = len(rows), height
        self.top = max(0, min(self.top, self._total - height))
        return window(rows, self.top, width, height, self.look)

    def action_scroll_lines(self, by: int) -> None:
        """Move by lines."""
        top = max(0, min(self.top + by, self._total - self._room))
        if top != self.top:
            self.top = top
            self.repaint()

    def action_scroll_pages(self, by: int) -> None:
        """Move by what is in sight, less one line to hold on to."""
        self.action_scroll_lines(by * max(1, self._room - 1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """By the wheel."""
        event.stop()
        self.action_scroll_lines(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """By the wheel."""
        event.stop()
        self.action_scroll_lines(-_WHEEL)
