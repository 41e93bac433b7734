"""The least a Textual program can be: the peer of the *opening* row."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Blank(App[None]):
    """One word."""

    def compose(self) -> ComposeResult:
        """The word that is waited for."""
        yield Static("blank-is-there")


if __name__ == "__main__":
    Blank().run()
