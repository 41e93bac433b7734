"""What is shown while no deployment is registered: what this is, how to begin.

Owns the empty state's words. Not a blank: three ways to begin and where was looked.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import var

from yolotop.tui.ink import Row, Span, centred, cut
from yolotop.tui.widgets.painted import Painted

_LINE = "Watches deployed YOLO models: up, fast, right, and since when not."


class Empty(Painted):
    """The empty state."""

    searched: var[tuple[str, ...]] = var(())
    read_only: var[bool] = var(False)

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """Everything in the middle; what does not fit goes from the bottom."""
        look = self.look
        sign = "+" if look.plain else "♥"
        ways: list[tuple[str, str, str]] = [
            ("a", "add an endpoint (it is tested first)", "screen.add"),
            ("?", "all keys and signs", "app.help"),
            ("q", "quit, then: yolotop demo", "app.quit"),
        ]
        if self.read_only:
            del ways[0]
        text: list[Row] = [
            (Span(f"{sign} ", "up"), Span("yolotop", "bright+bold")),
            (),
            (Span(cut(_LINE, width - 2, look), "text"),),
            (Span("No deployment is registered yet.", "dim"),),
            (),
            *(
                (Span(f"{key}  ", "accent+bold", call), Span(label.ljust(38), "text"))
                for key, label, call in ways
            ),
            (),
        ]
        if self.searched:
            text.append((Span("The configuration was looked for in", "faint"),))
            text += [((Span(cut(p, width - 4, look), "faint"),)) for p in self.searched]
        above = max(0, (height - len(text)) // 2)
        return [()] * above + [centred(row, width, look) for row in text]

    def watch_searched(self) -> None:
        """Where was looked."""
        self.repaint()

    def watch_read_only(self) -> None:
        """Whether anything may be added."""
        self.repaint()
