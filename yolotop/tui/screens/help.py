"""The keys of a screen and all signs on one page, made from the table of deeds.

Owns the page's order. It must not list a key that does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from yolotop.model import Health
from yolotop.tui.ink import Look, Row, Span, fit, health_role
from yolotop.tui.keys import DEEDS, Deed
from yolotop.view import format as fmt

_MEANINGS = {
    Health.UP: "up: answers, and rightly",
    Health.DEGRADED: "degraded: slow, wrong, or failing now and then",
    Health.DOWN: "down: failed several times in a row",
    Health.COLD: "cold: starting up, not counted as an error",
    Health.UNKNOWN: "unknown: not asked yet, or not for too long",
    Health.PAUSED: "paused: not asked, by wish",
    Health.MAINTENANCE: "maintenance: planned, not counted",
}
_FAMILIES = {
    "severity.debug": ("1 - 5", "DEBUG, INFO, WARNING, ERROR, CRITICAL and above."),
    "list.up": ("arrows", "To the deployment beside, above or below; h j k l too."),
    "log.up": ("up down", "A line back, a line forward; k j too."),
}
"""How a family is told in one row, under its first member."""
_FOLDED = {
    "severity.info": "severity.debug",
    "severity.warning": "severity.debug",
    "severity.error": "severity.debug",
    "severity.critical": "severity.debug",
    "list.down": "list.up",
    "list.left": "list.up",
    "list.right": "list.up",
    "log.down": "log.up",
}
"""The first member of its family, for each other one."""
_INDENT = 10
_WIDEST = 68
"""Cells of a line on the widest page."""
_AROUND = 8
"""Cells that border, padding and scroll bar take."""


def help_rows(look: Look, deeds: Sequence[Deed], *, width: int = _WIDEST) -> list[Row]:
    """Keys by group, then the signs."""
    rows: list[Row] = []
    groups: dict[str, list[Deed]] = {}
    for deed in deeds:
        if deed.keys and deed.id != "interrupt":
            groups.setdefault(deed.group, []).append(deed)
    moved = {_FOLDED.get(deed.id, deed.id) for deed in deeds if deed not in DEEDS}
    for group, members in groups.items():
        rows += [(Span(group, "accent"),)]
        for deed in members:
            head = _FOLDED.get(deed.id, deed.id)
            told = head in _FAMILIES and head not in moved
            if not told:
                rows += _key_rows(deed.show, deed.help, look, width)
            elif deed.id == head:
                rows += _key_rows(*_FAMILIES[head], look, width)
        rows.append(())
    rows.append((Span("Signs", "accent"),))
    for health, meaning in _MEANINGS.items():
        sign = fmt.symbol(health, plain=look.plain)
        rows.append(
            (*fit((Span(f"  {sign}", health_role(health)),), 10, look), Span(meaning))
        )
    failed, wrong, cold = ("x", "!", "*") if look.plain else ("×", "≠", "❄")
    rows += [
        (),
        (Span("A card's trend", "accent"),),
        *_prose(
            "one sign an answer, the newest at the right; the higher, the slower", width
        ),
        (
            Span(f"  {failed}", "down"),
            Span(" failed   "),
            Span(wrong, "down"),
            Span(" wrong answer   "),
            Span(cold, "cold"),
            Span(" cold start   "),
            Span("amber", "degraded"),
            Span(" slow"),
        ),
        *_prose(
            "The bar below it is the last answer's time: name, connection, TLS,"
            " sending, waiting (inference by the server's word), receiving.",
            width,
        ),
        (),
        (Span("Mouse", "accent"),),
        *_prose("Click anything; the wheel scrolls; shift-drag selects text.", width),
    ]
    return rows


def _prose(text: str, width: int) -> list[Row]:
    return [(Span(f"  {line}"),) for line in wrap(text, max(20, width - 2))]


def _key_rows(key: str, text: str, look: Look, width: int) -> list[Row]:
    head = fit((Span(f"  {key}", "bright"),), _INDENT, look)
    first, *more = wrap(text, max(20, width - _INDENT))
    return [
        (*head, Span(first)),
        *((Span(" " * _INDENT), Span(line)) for line in more),
    ]


class Help(ModalScreen[None]):
    """The page."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", "close"),
    ]

    def __init__(self, look: Look, deeds: Sequence[Deed]) -> None:
        """``deeds`` are what works on the screen below, on the keys that count."""
        super().__init__()
        self._look = look
        self._deeds = tuple(deeds)

    def compose(self) -> ComposeResult:
        """A sheet that scrolls where it does not fit."""
        with VerticalScroll(classes="sheet") as sheet:
            sheet.border_title = "yolotop: keys and signs"
            keys = "up down" if self._look.plain else "↑↓"
            sheet.border_subtitle = f"{keys} scroll · esc closes"
            yield Static(id="help-text")

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines for the width there is."""
        width = max(1, min(_WIDEST, event.size.width - _AROUND))
        rows = help_rows(self._look, self._deeds, width=width)
        text = Content("\n").join(content_of(row) for row in rows)
        self.query_one("#help-text", Static).update(text)


def content_of(row: Row) -> Content:
    """A row for widgets that take content; roles become theme colours."""
    return Content.assemble(
        *((span.text, _STYLES.get(span.role, "$ink-text")) for span in row)
    )


_STYLES = {
    role: f"$ink-{role}"
    for role in ("bright", "dim", "faint", "accent", "up", "degraded", "down", "cold")
} | {"paused": "$ink-paused", "unknown": "$ink-paused", "maintenance": "$ink-paused"}
