"""What works on every screen."""

from __future__ import annotations

from typing import Final

from yolotop.tui.deeds.deed import Deed

DEEDS: Final = (
    Deed(
        "quit", "q", "q", "quit", "Leave. A collector started here stops too.",
        "quit", "app", "Program", hint=1, palette="quit",
    ),
    Deed(
        "help", "question_mark,f1", "?", "help", "All keys and signs on one page.",
        "help", "app", "Program", hint=2, palette="help: keys and signs",
    ),
    Deed(
        "palette", "ctrl+p", "ctrl+p", "palette", "Everything by name.",
        "command_palette", "app", "Program", hint=3,
    ),
    Deed(
        "theme", "t", "t", "theme", "The next theme: dark, light, your own colours.",
        "next_theme", "app", "Program", palette="theme: next",
    ),
    Deed(
        "screenshot", "ctrl+g", "ctrl+g", "screenshot", "A picture of the screen, as an"
        " SVG file in the current directory.",
        "keep_picture", "app", "Program", palette="screenshot: SVG file",
    ),
    Deed(
        "interrupt", "ctrl+c", "ctrl+c", "quit", "Leave, as q does.",
        "quit", "app", "Program",
    ),
)  # fmt: skip
