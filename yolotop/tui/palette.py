"""Which colour every role has, as data: our two palettes and the sixteen.

Owns every colour on the screen, and which theme a terminal gets. Pure: it must not
know Textual, so that a first picture can be drawn before Textual is loaded. State
colours are meant for state only; a healthy fleet is nearly grey.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DARK: Final = "yolotop"
LIGHT: Final = "yolotop-light"
ANSI_DARK: Final = "ansi-dark"
ANSI_LIGHT: Final = "ansi-light"

PAPERS: Final = {
    DARK: ("#0f1317", "#151a20", "#1b2229"),
    LIGHT: ("#fbfbfa", "#f3f4f6", "#e9ebef"),
}
"""Backgrounds of our own themes: paper, raised, high."""

Rgb = tuple[int, int, int]

CLASS_COLOURS: Final[tuple[Rgb, ...]] = (
    (0x4C, 0xC9, 0xF0),
    (0xFF, 0x9F, 0x43),
    (0xF2, 0x6F, 0xD6),
    (0xA3, 0xE0, 0x48),
    (0xA5, 0x8B, 0xFF),
    (0xFF, 0xD9, 0x3D),
    (0x2E, 0xE6, 0xB6),
    (0xFF, 0x7A, 0x8C),
)
"""What a model sees, by class. Drawn over photographs, so they are bright in every
theme; black is legible on each of them."""
CLASS_INKS: Final = {
    f"ink-class-{index}": "#{:02x}{:02x}{:02x}".format(*colour)
    for index, colour in enumerate(CLASS_COLOURS)
}
_ANSI_CLASSES: Final = (
    "cyan", "yellow", "magenta", "green", "blue", "bright_yellow", "bright_cyan", "red",
)  # fmt: skip

CYCLE: Final = (DARK, LIGHT, ANSI_DARK, ANSI_LIGHT)
"""What the theme key walks through; the palette offers every theme."""

DARK_INKS: Final = {
    "ink-text": "#b9c2cc",
    "ink-bright": "#eef2f6",
    "ink-dim": "#8793a0",
    "ink-faint": "#5a6673",
    "ink-hairline": "#2e3842",
    "ink-accent": "#a99bf5",
    "ink-trend": "#5f7387",
    "ink-up": "#62b384",
    "ink-degraded": "#e3b04b",
    "ink-down": "#f2646e",
    "ink-cold": "#72bce6",
    "ink-paused": "#9aa5b1",
    "ink-cursor": "#1d242c",
    "ink-band": "#161c22",
    "ink-phase-a": "#44515e",
    "ink-phase-b": "#6a7b8c",
}

LIGHT_INKS: Final = {
    "ink-text": "#3a434d",
    "ink-bright": "#11161b",
    "ink-dim": "#66707b",
    "ink-faint": "#98a1ab",
    "ink-hairline": "#d5dae0",
    "ink-accent": "#5b47c9",
    "ink-trend": "#8497aa",
    "ink-up": "#23834e",
    "ink-degraded": "#a86a00",
    "ink-down": "#c8232f",
    "ink-cold": "#16709f",
    "ink-paused": "#66707b",
    "ink-cursor": "#eceef3",
    "ink-band": "#f2f3f6",
    "ink-phase-a": "#b4bec8",
    "ink-phase-b": "#8997a5",
}


def ansi_inks(*, dark: bool) -> dict[str, str]:
    # Sixteen colours are the user's own; bright black is the only quiet one that is
    # legible on both backgrounds in the common palettes.
    quiet = "ansi_bright_black"
    return {
        "ink-text": "ansi_default",
        "ink-bright": "ansi_default",
        "ink-dim": "ansi_default",
        "ink-faint": quiet,
        "ink-hairline": quiet,
        "ink-accent": "ansi_magenta",
        "ink-trend": quiet if dark else "ansi_blue",
        "ink-up": "ansi_green",
        "ink-degraded": "ansi_yellow",
        "ink-down": "ansi_red",
        "ink-cold": "ansi_cyan",
        "ink-paused": quiet,
        "ink-cursor": "ansi_default",
        "ink-band": "ansi_default",
        "ink-phase-a": quiet,
        "ink-phase-b": "ansi_default",
        **{f"ink-class-{n}": f"ansi_{name}" for n, name in enumerate(_ANSI_CLASSES)},
    }


def choose(wish: str, env: Mapping[str, str]) -> str:
    """The theme to start with; ``wish`` is ``auto`` or a name.

    ``auto`` is ours where the terminal has all colours, else the user's own sixteen;
    ``NO_COLOR`` always means those, since any other theme would come out grey.
    """
    light = _light_background(env)
    ansi = ANSI_LIGHT if light else ANSI_DARK
    if "NO_COLOR" in env:
        return ansi
    if wish != "auto":
        return wish
    if not truecolor(env):
        return ansi
    return LIGHT if light else DARK


def truecolor(env: Mapping[str, str]) -> bool:
    """Whether the terminal says that it has all colours."""
    return env.get("COLORTERM", "").lower() in ("truecolor", "24bit")


def many_colours(env: Mapping[str, str]) -> bool:
    """Whether the terminal shows 256 colours or more, and its user wants any."""
    if "NO_COLOR" in env:
        return False
    term = env.get("TERM", "")
    return truecolor(env) or any(word in term for word in ("256color", "direct"))


def _light_background(env: Mapping[str, str]) -> bool:
    # "15;0" or "0;default;15": foreground first, background last.
    background = env.get("COLORFGBG", "").rpartition(";")[2]
    return background in ("7", "15")
