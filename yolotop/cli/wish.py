"""What the command line says of the screen, and what it makes of the config's ``[ui]``.

Owns which of the two wins. It must not know Typer: the terminal opens without it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yolotop.config.schema import UiSettings


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
