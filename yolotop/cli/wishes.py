"""How the terminal is to start, as far as the command line says so.

Owns the options of the screen and what they make of the config's ``[ui]``. It must not
know a command, nor what the screen does with them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from yolotop.cli.options import RangeWord

if TYPE_CHECKING:
    from yolotop.config.schema import UiSettings


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
ThemeOption = Annotated[
    str | None, typer.Option("--theme", help="The terminal's theme.", metavar="NAME")
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


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says; ``None`` and ``False`` leave it to the config.

    A flag can forbid what the config allows, never allow what it forbids.
    """

    range: str | None = None
    theme: str | None = None
    view: str | None = None
    symbols: str | None = None
    no_mouse: bool = False
    read_only: bool = False
    refresh_s: float | None = None
    low_bandwidth: bool = False

    def applied(self, ui: UiSettings) -> UiSettings:
        """The settings with these wishes in them."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        no_mouse = said.pop("no_mouse")
        changed = {name: value for name, value in said.items() if value}
        if no_mouse:
            changed["mouse"] = False
        return replace(ui, **changed)


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
