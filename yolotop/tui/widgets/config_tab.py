"""The Config tab: every effective setting and where it comes from.

Owns the table's columns. It must not read the config file: the page brings settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from yolotop.config.origin import Setting
from yolotop.text import clean
from yolotop.tui.ink import Look, Row, Span, clip, cut, wrapped
from yolotop.tui.widgets.scrolled import Scrolled

BUILT_IN: Final = "built in"
_MOST_ORIGIN: Final = 36
_LEAST_VALUE: Final = 16


def setting_rows(settings: Sequence[Setting], width: int, look: Look) -> list[Row]:
    """Key, value, origin; what somebody set stands out from what is built in."""
    shown = [
        Setting(each.key, clean(each.value), clean(each.origin)) for each in settings
    ]
    keys = max((cell_len(each.key) for each in shown), default=0)
    origins = min(
        _MOST_ORIGIN, max((cell_len(each.origin) for each in shown), default=0)
    )
    values = width - keys - origins - 4
    if values < _LEAST_VALUE:
        # The origin gives way first; the value is why one looks.
        values = min(_LEAST_VALUE, max(0, width - keys - 2))
        origins = max(0, width - keys - values - 4)
    rows: list[Row] = []
    for each in shown:
        own = each.origin != BUILT_IN
        rows.append(
            (
                Span(_padded(each.key, keys, look), "text" if own else "dim"),
                Span("  "),
                Span(_padded(each.value, values, look), "bright" if own else "dim"),
                Span("  "),
                Span(_end(each.origin, origins, look), "accent" if own else "faint"),
            )
        )
    return [clip(row, width, look) for row in rows]


def _end(origin: str, width: int, look: Look) -> str:
    """Where an origin is cut, the line stays: the file is the same for all of them."""
    name, colon, line = origin.rpartition(":")
    if cell_len(origin) <= width or not (colon and line.isdecimal()):
        return cut(origin, width, look)
    room = width - len(line) - 1
    return f"{cut(name, room, look)}:{line}" if room > 0 else cut(line, width, look)


def _padded(text: str, width: int, look: Look) -> str:
    short = cut(text, width, look)
    return short + " " * (width - cell_len(short))


class ConfigTab(Scrolled):
    """The tab."""

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(look, name=name)
        self.settings: tuple[Setting, ...] = ()
        self.note = "reading what is set…"

    def show(self, settings: tuple[Setting, ...], note: str = "") -> None:
        """These settings; ``note`` says why there are none."""
        self.settings, self.note = settings, note
        self.repaint()

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """A head, then one line for each setting."""
        inner, look = width - 2, self.look
        if not self.settings:
            lines = wrapped(self.note, inner, height, look)
            return [(Span(f" {line}", "dim"),) for line in lines]
        own = sum(each.origin != BUILT_IN for each in self.settings)
        head = f" {own} of {len(self.settings)} settings are set; the rest is built in"
        rows = setting_rows(self.settings, inner - 1, look)
        body = [(Span(" "), *row) for row in rows]
        return [(Span(head, "dim"),), (), *self.shown(body, width, height - 2)]
