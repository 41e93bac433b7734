"""What is done on the tabs that ask, tell how to ask, and tell what is set."""

from __future__ import annotations

from typing import Final

from yolotop.tui.deeds.deed import Deed

DEEDS: Final = (
    Deed(
        "predict.send", "r", "r", "send", "Send the chosen picture to this deployment"
        " now, or once more.",
        "predict_send", "predict", "Predict", hint=1, palette="predict: send now",
    ),
    Deed(
        "predict.next", "i", "i", "next picture", "Choose the next picture: drawn,"
        " golden, the file that was opened.",
        "predict_next", "predict", "Predict", hint=2,
        palette="predict: choose the next picture",
    ),
    Deed(
        "predict.open", "o", "o", "open file", "Send a picture from a file.",
        "predict_open", "predict", "Predict", hint=3, palette="predict: open a file…",
    ),
    Deed(
        "predict.pin", "g", "g", "pin as golden", "Ask with this picture from now on,"
        " and compare with what was seen now (asks first).",
        "predict_pin", "predict", "Predict", hint=5,
        palette="predict: pin the picture as golden…", writes=True,
    ),
    Deed(
        "predict.raw", "R", "R", "raw JSON", "The server's own answer, and back.",
        "predict_raw", "predict", "Predict", hint=4, palette="predict: raw JSON",
    ),
    Deed(
        "code.next", "right,l", "right", "next language", "The next language.",
        "code_turn(1)", "code", "Code", hint=1,
    ),
    Deed(
        "code.before", "left,h", "left", "language before", "The language before.",
        "code_turn(-1)", "code", "Code",
    ),
    Deed(
        "code.copy", "y", "y", "copy", "Send the code to the clipboard.",
        "code_copy", "code", "Code", hint=2, palette="code: copy",
    ),
    Deed(
        "code.write", "w", "w", "write to file", "Write the code into a new file.",
        "code_write", "code", "Code", hint=3, palette="code: write to a file",
    ),
    Deed(
        "page.up", "up,k", "up", "up", "A line back on the tab.",
        "scroll_lines(-1)", "page", "Detail",
    ),
    Deed(
        "page.down", "down,j", "down", "down", "A line forward on the tab.",
        "scroll_lines(1)", "page", "Detail",
    ),
    Deed(
        "page.back", "pageup", "pgup", "page back", "A page back on the tab.",
        "scroll_pages(-1)", "page", "Detail",
    ),
    Deed(
        "page.on", "pagedown", "pgdn", "page on", "A page forward on the tab.",
        "scroll_pages(1)", "page", "Detail",
    ),
    Deed(
        "page.top", "home", "home", "top", "To the top of the tab.",
        "scroll_lines(-100000)", "page", "Detail",
    ),
    Deed(
        "page.bottom", "end", "end", "bottom", "To the bottom of the tab.",
        "scroll_lines(100000)", "page", "Detail",
    ),
)  # fmt: skip
