"""The first picture, drawn before Textual is loaded.

Owns the fleet as terminal sequences: header, panels and deployments as the dashboard
will draw them a moment later. Textual takes 0.2 s to load on a server, and longer on
a small box; who is up can be on the screen before. It must not load
Textual nor read the keyboard: what is typed meanwhile waits in the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Final

from rich.cells import cell_len

from yolotop.tui import palette
from yolotop.tui.ink import Look, Row, fit
from yolotop.tui.layout import Density, View, plan
from yolotop.tui.places import REGION_CELLS, region_text
from yolotop.tui.widgets.cards import Setting, card_rows, line_row
from yolotop.tui.widgets.compact import compact_row
from yolotop.tui.widgets.header_rows import header_row
from yolotop.tui.widgets.panel_rows import panel_rows
from yolotop.view.snapshot import Card, Snapshot

ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[H"
"""The other screen, no cursor, from the top; Textual enters it again by itself."""
LEAVE: Final = "\x1b[0m\x1b[?25h\x1b[?1049l"
"""What an app that never started would have left behind."""

_BY_ROLE: Final = {
    "unknown": "ink-paused",
    "maintenance": "ink-paused",
    "debug": "ink-hairline",
    "info": "ink-faint",
    "warning": "ink-degraded",
    "error": "ink-down",
    "critical": "ink-down",
    "phase-dns": "ink-phase-a",
    "phase-connect": "ink-phase-b",
    "phase-tls": "ink-phase-a",
    "phase-send": "ink-phase-b",
    "phase-wait": "ink-phase-a",
    "phase-server": "ink-trend",
    "phase-receive": "ink-phase-b",
}
_STYLES: Final = {"bold": "1", "reverse": "7", "underline": "4"}
_BACKGROUNDS: Final = {"cursor": "ink-cursor", "band": "ink-band"}
_ANSI: Final = {
    "ansi_default": "39",
    "ansi_bright_black": "90",
    "ansi_red": "31",
    "ansi_green": "32",
    "ansi_yellow": "33",
    "ansi_blue": "34",
    "ansi_magenta": "35",
    "ansi_cyan": "36",
}


def picture_rows(
    snapshot: Snapshot,
    width: int,
    height: int,
    look: Look,
    *,
    view: View,
    read_only: bool = False,
) -> list[Row]:
    """Header, panels and cards; nothing where the log, a table or the map will be."""
    shares = plan(width, height, len(snapshot.cards), view=view)
    rows: list[Row] = [
        header_row(snapshot, snapshot.range, None, width, look, read_only=read_only)
    ]
    if shares.panels:
        boxed = shares.boxed_panels
        rows += panel_rows(snapshot, width, shares.panels, look, boxed=boxed)
    if view in (View.CARDS, View.COMPACT):
        deck = _deck(
            snapshot,
            width,
            shares.density,
            shares.columns,
            look,
            compact=view is View.COMPACT,
        )
        rows += deck[: shares.deck]
    rows = rows[:height]
    rows += [()] * (height - len(rows))
    return [fit(row, width, look) for row in rows]


def _deck(
    snapshot: Snapshot,
    width: int,
    density: Density,
    columns: int,
    look: Look,
    *,
    compact: bool,
) -> list[Row]:
    cards = snapshot.cards
    edges = [width * column // columns for column in range(columns + 1)]
    name_width = max((cell_len(card.name) for card in cards), default=0)
    places = [region_text(card.region or "", REGION_CELLS, look) for card in cards]
    region_width = max(map(cell_len, places), default=0)

    def block(card: Card, room: int) -> list[Row]:
        setting = Setting(
            now=snapshot.at,
            look=look,
            selected=card is cards[0],
            name_width=min(20, name_width),
            region_width=region_width,
        )
        if density is Density.LINE:
            row = compact_row if compact else line_row
            return [row(card, room, setting)]
        return card_rows(card, room, density, setting)

    rows: list[Row] = []
    for line in range(ceil(len(cards) / columns)):
        some = cards[line * columns : (line + 1) * columns]
        blocks = [
            block(card, stop - start)
            for card, start, stop in zip(some, edges, edges[1:], strict=False)
        ]
        rows += [
            tuple(span for row in parts for span in row)
            for parts in zip(*blocks, strict=True)
        ]
    return rows


def inks_of(theme: str) -> Mapping[str, str] | None:
    """The colours of one of our themes or of the sixteen; ``None`` for any other."""
    own = {palette.DARK: palette.DARK_INKS, palette.LIGHT: palette.LIGHT_INKS}
    if theme in (palette.ANSI_DARK, palette.ANSI_LIGHT):
        return palette.ansi_inks(dark=theme == palette.ANSI_DARK)
    return own.get(theme)


def sequences(rows: Sequence[Row], theme: str, env: Mapping[str, str]) -> str:
    """The rows for a terminal; empty where only Textual knows how to colour them.

    That is for any theme but ours and the sixteen colours, and for ours on a terminal
    without all colours. ``NO_COLOR`` leaves bold, reverse and underline.
    """
    inks = inks_of(theme)
    own = theme in palette.PAPERS
    if inks is None or (own and not palette.truecolor(env)):
        return ""
    colour = "NO_COLOR" not in env
    paper = palette.PAPERS.get(theme)
    ground = _colour(paper[0], 48) if paper and colour else ""
    known: dict[str, str] = {}
    out: list[str] = []
    for row in rows:
        line = []
        for span in row:
            code = known.get(span.role)
            if code is None:
                code = known[span.role] = _code(span.role, inks, ground, colour=colour)
            line.append(f"\x1b[{code}m{span.text}")
        out.append("".join(line))
    return ENTER + "\r\n".join(out) + "\x1b[0m"


def _code(role: str, inks: Mapping[str, str], ground: str, *, colour: bool) -> str:
    codes = ["0", ground]
    for part in role.split("+"):
        if part in _STYLES:
            codes.append(_STYLES[part])
        elif colour and part in _BACKGROUNDS:
            codes.append(_colour(inks[_BACKGROUNDS[part]], 48))
        elif colour:
            codes.append(_colour(inks[_BY_ROLE.get(part, f"ink-{part}")], 38))
    return ";".join(code for code in codes if code)


def _colour(ink: str, layer: int) -> str:
    if ink in _ANSI:
        return _ANSI[ink] if layer == 38 else ""
    red, green, blue = (int(ink[at : at + 2], 16) for at in (1, 3, 5))
    return f"{layer};2;{red};{green};{blue}"
