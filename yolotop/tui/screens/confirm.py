"""One question before something is destroyed.

Owns the question's look and its keys. What is destroyed was chosen when the key was
pressed and is named in the text: a list that moves meanwhile cannot change it.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class Confirm(ModalScreen[bool]):
    """Yes or no. No has the focus."""

    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
        Binding("left,right,up,down", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, text: str, *, yes: str) -> None:
        super().__init__()
        self._title_text = title
        self._text = text
        self._yes = yes

    def compose(self) -> ComposeResult:
        """A sheet with the text and two buttons."""
        with Vertical(classes="sheet -grave") as sheet:
            sheet.border_title = Content(self._title_text)
            yield Static(Content(self._text))
            with Horizontal(classes="buttons"):
                yield Button(Content(f"{self._yes} (y)"), id="yes", compact=True)
                yield Button("keep (n)", id="no", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse or enter."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """By key."""
        self.dismiss(answer)
