"""The tabs of the detail screen, in one line.

Owns which tabs there are and how they read. It must not know what is on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from textual.reactive import var

from yolotop.tui.ink import Look, Row, Span, width_of
from yolotop.tui.widgets.painted import Painted


class Tab(StrEnum):
    """The tabs, from left to right."""

    OVERVIEW = "overview"
    LOGS = "logs"
    PREDICT = "predict"
    CODE = "code"
    CONFIG = "config"


def tabs_row(chosen: Tab, width: int, look: Look) -> Row:
    """``Overview · Logs · …`` with the chosen one marked; each can be clicked."""
    gap = Span(f" {look.dot} ", "hairline")
    row: list[Span] = [Span(" ")]
    for tab in Tab:
        role = "accent+bold+underline" if tab is chosen else "dim"
        row += (Span(tab.value.title(), role, f"screen.show_tab('{tab}')"), gap)
    row.pop()
    if width_of(row) <= width:
        return tuple(row)
    # Too narrow for all: the chosen one, between those beside it.
    left, right = ("<", ">") if look.plain else ("\u2039", "\u203a")
    return (
        Span(f" {left} ", "faint", "screen.turn_tab(-1)"),
        Span(chosen.value.title(), "accent+bold+underline"),
        Span(f" {right}", "faint", "screen.turn_tab(1)"),
    )


class Tabs(Painted):
    """The line."""

    chosen: var[Tab] = var(Tab.OVERVIEW)

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """One line."""
        return (tabs_row(self.chosen, width, self.look),)[:height]

    def watch_chosen(self) -> None:
        """Mark the other one."""
        self.repaint()
