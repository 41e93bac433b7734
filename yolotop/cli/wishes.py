"""How the terminal is to start, as far as the command line says so.

Owns the options of the screen. It must not know a command, nor what the screen does
with them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from yolotop.cli.options import RangeWord
from yolotop.cli.wish import Wishes


class ViewWord(StrEnum):
    """What ``--view`` takes."""

    CARDS = "cards"
    COMPACT = "compact"
    TABLE = "table"
    MAP = "map"


class SymbolsWord(StrEnum):
    """What ``--symbols`` takes."""

    AUTO = "auto"
    BRAILLE = "braille"
    BLOCK = "block"
    ASCII = "ascii"


RangeOption = Annotated[
    RangeWord | None,
    typer.Option("--range", help="The span of time that the terminal opens with."),
]


def _known_theme(name: str | None) -> str | None:
    if name is None:
        return None
    from yolotop.config.problems import nearest, quoted
    from yolotop.tui.themes import NAMES

    if name not in NAMES:
        raise typer.BadParameter(f"{quoted(name)} is no theme; {nearest(name, NAMES)}")
    return name


ThemeOption = Annotated[
    str | None,
    typer.Option(
        "--theme", help="The terminal's theme.", metavar="NAME", callback=_known_theme
    ),
]
ViewOption = Annotated[
    ViewWord | None, typer.Option("--view", help="How the deployments are shown first.")
]
SymbolsOption = Annotated[
    SymbolsWord | None, typer.Option("--symbols", help="What the terminal can draw.")
]
NoMouseOption = Annotated[
    bool,
    typer.Option("--no-mouse", help="Leave the mouse to the terminal: plain dragging "
    "selects text."),
]  # fmt: skip
ReadOnlyOption = Annotated[
    bool,
    typer.Option("--read-only", help="Turn off every key that changes something."),
]
RefreshOption = Annotated[
    float | None,
    typer.Option("--refresh", min=0.2, max=3_600.0, metavar="SECONDS",
    help="Time between two pictures.", show_default=False),
]  # fmt: skip
LowBandwidthOption = Annotated[
    bool,
    typer.Option("--low-bandwidth", help="For slow lines: a picture every 5 s, sixteen "
    "colours, nothing that turns."),
]  # fmt: skip


def wishes(
    *,
    range_: RangeWord | None,
    theme: str | None,
    view: ViewWord | None,
    symbols: SymbolsWord | None,
    no_mouse: bool,
    read_only: bool,
    refresh: float | None,
    low_bandwidth: bool,
) -> Wishes:
    """From the options as Typer gives them."""
    return Wishes(
        range=range_ and range_.value,
        theme=theme,
        view=view and view.value,
        symbols=symbols and symbols.value,
        no_mouse=no_mouse,
        read_only=read_only,
        refresh_s=refresh,
        low_bandwidth=low_bandwidth,
    )
