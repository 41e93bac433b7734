"""What is done on the detail screen, and with the cursor on its charts."""

from __future__ import annotations

from typing import Final

from yolotop.tui.deeds.deed import Deed

DEEDS: Final = (
    Deed(
        "back", "escape", "esc", "back", "Back to all deployments; first out of a"
        " filter, or off the cursor.",
        "back", "detail", "Detail", hint=2,
    ),
    Deed(
        "tab.next", "tab", "tab", "next tab", "The next tab.",
        "turn_tab(1)", "detail", "Detail", hint=5,
    ),
    Deed(
        "tab.before", "shift+tab", "shift+tab", "tab before", "The tab before.",
        "turn_tab(-1)", "detail", "Detail",
    ),
    Deed(
        "cursor.back", "left,h", "left", "back in time", "The cursor back; the log"
        " follows it.",
        "cursor(-1)", "overview", "Detail",
    ),
    Deed(
        "cursor.forward", "right,l", "right", "on in time", "The cursor on; past the"
        " newest step it is gone.",
        "cursor(1)", "overview", "Detail",
    ),
)  # fmt: skip
