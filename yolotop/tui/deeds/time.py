"""What is done with time, on every screen that shows a range."""

from __future__ import annotations

from typing import Final

from yolotop.tui.deeds.deed import Deed

DEEDS: Final = (
    Deed(
        "range.shorter", "left_square_bracket", "[", "shorter", "A shorter range.",
        "range(-1)", "time", "Time",
    ),
    Deed(
        "range.longer", "right_square_bracket", "]", "longer", "A longer range.",
        "range(1)", "time", "Time",
    ),
    Deed(
        "incident.before", "comma", ",", "incident before", "To the incident before:"
        " cursor and log go there.",
        "incident(-1)", "time", "Time", palette="incident: the one before",
    ),
    Deed(
        "incident.next", "full_stop", ".", "next incident", "To the next incident.",
        "incident(1)", "time", "Time", palette="incident: the next one",
    ),
    Deed(
        "freeze", "space", "space", "freeze", "Hold the picture still (PAUSED);"
        " measuring goes on.",
        "freeze", "time", "Time", hint=7, palette="freeze the picture, or go on",
    ),
)  # fmt: skip
