"""Every action in one table, and which keys count at the same time.

Owns what can be done and what it is called. Bindings, footer hints, palette, help and
the keymap are made from it, so that none can disagree with another. It must not do
anything, and it must not know Textual. Only keys that every terminal sends: letters,
digits, punctuation, arrows, enter, escape, tab and control with a letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from yolotop.tui.deeds import detail, fleet, log, predict, program, time
from yolotop.tui.deeds.deed import Deed

__all__ = ["CONTEXTS", "DEEDS", "Deed", "deed_of", "deeds_in"]

DEEDS: Final[tuple[Deed, ...]] = (
    *fleet.DEEDS,
    *detail.DEEDS,
    *predict.DEEDS,
    *time.DEEDS,
    *log.DEEDS,
    *program.DEEDS,
)
"""The table, in the order of the help page."""

CONTEXTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "the list": ("app", "time", "dashboard", "deployment", "log", "list"),
        # Of the dashboard's keys only `add` does anything there.
        "an empty list": ("app", "empty"),
        "the log": ("app", "time", "dashboard", "deployment", "log", "lines"),
        "the overview": ("app", "time", "deployment", "detail", "log", "overview"),
        "the detail's log": ("app", "time", "deployment", "detail", "log", "lines"),
        "predict": ("app", "time", "deployment", "detail", "predict", "page"),
        "code": ("app", "time", "deployment", "detail", "code", "page"),
        "config": ("app", "time", "deployment", "detail", "page"),
    }
)
"""Which values of ``where`` count together, by what has the focus.

Two deeds may share a key only where no context holds both.
"""


def deeds_in(*where: str) -> tuple[Deed, ...]:
    """The deeds of these contexts, in the table's order."""
    return tuple(deed for deed in DEEDS if deed.where in where)


def deed_of(deed_id: str) -> Deed:
    """The deed of that id. Raises KeyError for one that does not exist."""
    for deed in DEEDS:
        if deed.id == deed_id:
            return deed
    raise KeyError(deed_id)
