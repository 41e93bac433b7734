"""Textual's themes: two of our own and what any other theme lends our roles.

Owns how a palette becomes a theme. It must not know widgets: a role gets its colour
through the variables below, so that a user's Textual theme works as well as ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

from yolotop.tui import palette


def _theme(name: str, inks: Mapping[str, str], *, dark: bool) -> Theme:
    paper, raised, high = palette.PAPERS[name]
    return Theme(
        name=name,
        dark=dark,
        primary=inks["ink-accent"],
        secondary=inks["ink-trend"],
        accent=inks["ink-accent"],
        foreground=inks["ink-text"],
        background=paper,
        surface=raised,
        panel=high,
        success=inks["ink-up"],
        warning=inks["ink-degraded"],
        error=inks["ink-down"],
        variables={
            **inks,
            **palette.CLASS_INKS,
            "block-cursor-background": inks["ink-accent"],
            "block-cursor-foreground": paper,
            "block-cursor-text-style": "none",
            "input-cursor-background": inks["ink-accent"],
            "input-selection-background": f"{inks['ink-accent']} 30%",
            "border": inks["ink-accent"],
            "border-blurred": inks["ink-hairline"],
            "scrollbar": inks["ink-hairline"],
            "scrollbar-background": paper,
        },
    )


OWN_THEMES: Final = (
    _theme(palette.DARK, palette.DARK_INKS, dark=True),
    _theme(palette.LIGHT, palette.LIGHT_INKS, dark=False),
)

NAMES: Final = (
    "auto",
    *palette.CYCLE,
    *(name for name in BUILTIN_THEMES if name not in palette.CYCLE),
)
"""What ``theme`` may be: our own first, then Textual's."""


def inks(theme: Theme, variables: Mapping[str, str]) -> dict[str, str]:
    """Colours for our roles, taken from a theme that does not know them."""
    if theme.ansi:
        return palette.ansi_inks(dark=theme.dark)
    pick = variables.__getitem__
    return {
        "ink-text": pick("foreground"),
        "ink-bright": pick("foreground-lighten-3" if theme.dark else "foreground"),
        "ink-dim": f"{pick('foreground')} 65%",
        "ink-faint": f"{pick('foreground')} 40%",
        "ink-hairline": f"{pick('foreground')} 20%",
        "ink-accent": pick("accent"),
        "ink-trend": f"{pick('foreground')} 50%",
        "ink-up": pick("success"),
        "ink-degraded": pick("warning"),
        "ink-down": pick("error"),
        "ink-cold": pick("primary"),
        "ink-paused": f"{pick('foreground')} 60%",
        "ink-cursor": pick("surface"),
        "ink-band": pick("surface"),
        "ink-phase-a": f"{pick('foreground')} 30%",
        "ink-phase-b": f"{pick('foreground')} 55%",
        **palette.CLASS_INKS,
    }
