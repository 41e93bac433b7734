"""What is shown while no deployment is registered: what this is, how to begin.

Owns the empty state's words. Not a blank: three ways to begin and where was looked.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import var

from yolotop.tui.deeds.deed import Deed
from yolotop.tui.ink import Row, Span, centred, cut, wrapped
from yolotop.tui.widgets.painted import Painted

_WORDS = {
    "add": "add an endpoint (it is tested first)",
    "begin": "write a config file to start from",
    "demo": "see the demo: ten endpoints with faults",
    "help": "all keys and signs",
    "quit": "quit; `yolotop demo` shows how it looks",
}
_WIDEST = max(map(len, _WORDS.values()))
_LINE = "Watches deployed YOLO models: up, fast, right, and since when not."


class Empty(Painted):
    """The empty state."""

    searched: var[tuple[str, ...]] = var(())
    ways: var[tuple[Deed, ...]] = var(())
    """How to begin, on the keys that count."""

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """Everything in the middle; what does not fit goes from the bottom."""
        look = self.look
        sign = "+" if look.plain else "♥"
        text: list[Row] = [
            (Span(f"{sign} ", "up"), Span("yolotop", "bright+bold")),
            (),
            *((Span(line, "text"),) for line in wrapped(_LINE, width - 2, 2, look)),
            (Span("No deployment is registered yet.", "dim"),),
            (),
            *(
                (
                    Span(f"{deed.show}  ", "accent+bold", _call(deed)),
                    Span(_WORDS.get(deed.id, deed.help).ljust(_WIDEST), "text"),
                )
                for deed in self.ways
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

    def watch_ways(self) -> None:
        """What can be done here."""
        self.repaint()


def _call(deed: Deed) -> str:
    return f"{'app' if deed.where == 'app' else 'screen'}.{deed.call}"
