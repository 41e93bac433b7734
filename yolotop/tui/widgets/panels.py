"""The four panels in one strip.

Owns the widget; what the panels say is :mod:`~yolotop.tui.widgets.panel_rows`.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import var

from yolotop.tui.ink import Row
from yolotop.tui.widgets.painted import Painted
from yolotop.tui.widgets.panel_rows import panel_rows
from yolotop.view.snapshot import EMPTY, Snapshot


class Panels(Painted):
    """The four panels in one strip."""

    snapshot: var[Snapshot] = var(EMPTY)
    boxed: var[bool] = var(True)

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """Boxes where the plan gave room for them."""
        return panel_rows(self.snapshot, width, height, self.look, boxed=self.boxed)

    def watch_snapshot(self) -> None:
        """Show the new picture."""
        self.repaint()

    def watch_boxed(self) -> None:
        """Fold or unfold."""
        self.repaint()
