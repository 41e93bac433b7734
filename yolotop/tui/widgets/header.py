"""The header line.

Owns the widget; its wording is :mod:`~yolotop.tui.widgets.header_rows`.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import var

from yolotop.tui.ink import Row
from yolotop.tui.widgets.header_rows import Freeze, header_row
from yolotop.tui.widgets.painted import Painted
from yolotop.view.snapshot import EMPTY, Range, Snapshot


class Header(Painted):
    """The header line."""

    snapshot: var[Snapshot] = var(EMPTY)
    range_: var[Range] = var(Range.H24)
    freeze: var[Freeze | None] = var[Freeze | None](None)
    read_only: var[bool] = var(False)
    """Whether keys that change something are off; said, since they do nothing."""

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """One line."""
        row = header_row(
            self.snapshot,
            self.range_,
            self.freeze,
            width,
            self.look,
            read_only=self.read_only,
        )
        return (row,)[:height]

    def watch_snapshot(self) -> None:
        """Show the new picture."""
        self.repaint()

    def watch_range_(self) -> None:
        """Mark the new range."""
        self.repaint()

    def watch_read_only(self) -> None:
        """Say that it is."""
        self.repaint()

    def watch_freeze(self) -> None:
        """Say that the picture is held."""
        self.repaint()
