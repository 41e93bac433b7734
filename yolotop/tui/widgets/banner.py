"""One line across the screen for what must be known: no store, no collector, a note.

Owns its wording from what it is given. It is there only when something is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import var

from yolotop.tui.ink import Row, Span, cut
from yolotop.tui.widgets.painted import Painted


class Banner(Painted):
    """The line; ``text`` empty means that all is well."""

    text: var[str] = var("")
    grave: var[bool] = var(True)

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """One line, red or amber."""
        sign = "!" if self.look.plain or not self.grave else "✖"
        role = "down" if self.grave else "degraded"
        text = cut(f" {sign} {self.text}", width, self.look)
        return ((Span(text, f"{role}+bold"),),)[:height]

    def watch_text(self) -> None:
        """Something went wrong, or right again."""
        self.repaint()

    def watch_grave(self) -> None:
        """Worse or better."""
        self.repaint()
