"""Handing things out: to the clipboard, into a file.

Owns what is said about it. A terminal does not answer, so a copy is *sent*, never
*copied*; a file is named with its whole path. In a browser a file is a download.
"""

from __future__ import annotations

import asyncio
import io
import os
from typing import Any

from textual.app import App
from textual.screen import Screen

from yolotop.errors import YolotopError
from yolotop.text import clean
from yolotop.tui import clipboard, files


def hand_copy(app: App[Any], text: str, what: str) -> None:
    """Send ``text`` to the clipboard; ``what`` names it: "3 lines", "the command"."""
    if not clipboard.fits(text):
        size = len(text.encode("utf-8", "replace")) // 1024
        app.notify(
            f"{what}: {size} KiB are more than terminals take; w writes a file",
            title="Too much for the clipboard",
            severity="warning",
            markup=False,
        )
        return
    app.copy_to_clipboard(text)
    condition = "" if app.is_web else clipboard.condition(os.environ)
    app.notify(
        f"{what}: sent to the terminal's clipboard"
        + (f" ({condition})" if condition else ""),
        markup=False,
        timeout=3,
    )


async def hand_file(app: App[Any], text: str, name: str) -> None:
    """Write ``text`` into a new file, or let the browser do so; say where it is."""
    name = files.safe_name(name)
    if app.is_web:
        # The file belongs on the machine of whoever looks, not on this one.
        app.deliver_text(io.StringIO(text), save_filename=name)
        app.notify(f"{name}: handed to the browser", markup=False, timeout=5)
        return
    try:
        path = await asyncio.to_thread(files.write_new, text, name, files.folders())
    except YolotopError as error:
        app.notify(str(error), title=error.title, severity="error", markup=False)
    else:
        app.notify(f"Written: {clean(str(path))}", markup=False, timeout=8)


class Handing(Screen[None]):
    """A screen that things can be taken away from."""

    def copy(self, text: str, what: str) -> None:
        """Send ``text`` to the clipboard; ``what`` names it for the message."""
        hand_copy(self.app, text, what)

    def save(self, text: str, name: str) -> None:
        """Write ``text`` into a new file called ``name``, ``name-2``, …"""
        self.run_worker(hand_file(self.app, text, name), group="act")
