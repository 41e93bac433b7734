"""The line above the list while something is looked for in it: what, and how many.

Owns its wording. It must not know the grammar, nor narrow anything itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.reactive import var

from yolotop.tui.ink import Look, Row, Span, cut, spread, width_of
from yolotop.tui.widgets.painted import Painted
from yolotop.view import format as fmt
from yolotop.view.find import Found

_LEAST_PROBLEM: Final = 16


def found_row(found: Found, width: int, look: Look) -> Row:
    """``find  region:eu ✕            4 of 100``; in between what was not understood."""
    plain = look.plain
    total = fmt.count(found.total, plain=plain)
    number = fmt.count(len(found.cards), plain=plain)
    tally: Row = (
        (Span("none", "degraded+bold"), Span(f" of {total} ", "dim"))
        if not found.cards
        else (Span(number, "bright+bold"), Span(f" of {total} ", "dim"))
    )
    text = cut(found.text, max(8, width // 2), look)
    left: Row = (
        Span(" find ", "dim", "screen.find"),
        Span(text, "accent", "screen.find"),
    )
    if found:
        left = (*left, Span(f" {'x' if plain else '✕'}", "faint", "screen.find_none"))
    room = width - width_of(left) - width_of(tally) - 4
    if found.problems and room >= _LEAST_PROBLEM:
        told = Span(cut(found.problems[0], room, look), "warning")
        left = (*left, Span("  "), told)
    return spread(left, tally, width, look)


class FoundLine(Painted):
    """The line; it is there only while something is looked for."""

    found: var[Found] = var(Found())

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """One line."""
        return (found_row(self.found, width, self.look),)[:height]

    def watch_found(self) -> None:
        """Other deployments, or another text."""
        self.repaint()
