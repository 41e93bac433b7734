"""The line in which a person types: a filter, a search, a path.

Owns the line's look and what it was opened for. It must not know what is done with
the text: it says what was typed and what was kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


@dataclass(frozen=True, slots=True)
class Purpose:
    """What is asked: its id, the sign before the line, the hint inside it."""

    id: str
    sign: str
    hint: str


_GAP: Final = 3
"""Cells between text and note: the cursor, and some air."""
_LEAST_NOTE: Final = 16

FILTER: Final = Purpose(
    "filter", " / ", 'words, !not, "a phrase", sev>=warn, status:5xx, ms>80; esc clears'
)
FIND: Final = Purpose(
    "find", " f ", "words, region:eu, state:down, p95>80; enter keeps, esc clears"
)


class Prompt(Horizontal):
    """The line; it is there only while it is open."""

    @dataclass
    class Typed(Message):
        """The text changed."""

        purpose: Purpose
        text: str

    @dataclass
    class Kept(Message):
        """Enter was pressed; the line is closed."""

        purpose: Purpose
        text: str

    def __init__(self, *, name: str) -> None:
        super().__init__(id=name)
        self.display = False
        self.purpose = FILTER
        self._note = ""

    def compose(self) -> ComposeResult:
        """Sign and field."""
        yield Static("", id="prompt-sign", markup=False)
        field = Input(id="prompt-input", classes="-quiet")
        field.cursor_blink = False
        yield field
        yield Static("", id="prompt-note", markup=False)

    @property
    def note(self) -> str:
        """What is to be said about the text: what is wrong with it."""
        return self._note

    @note.setter
    def note(self, text: str) -> None:
        if text != self._note:
            self._note = text
            self.query_one("#prompt-note", Static).update(text)
            self._make_room()

    @property
    def is_open(self) -> bool:
        """Whether someone is typing."""
        return bool(self.display)

    @property
    def text(self) -> str:
        """What is in the line."""
        return self.query_one("#prompt-input", Input).value.strip()

    def open(self, purpose: Purpose, text: str = "") -> None:
        """Ask for something; ``text`` is what stands there already."""
        self.purpose = purpose
        field = self.query_one("#prompt-input", Input)
        self.query_one("#prompt-sign", Static).update(purpose.sign)
        with self.prevent(Input.Changed):
            field.value = text
        field.placeholder = purpose.hint
        self.display = True
        self.screen.set_focus(field)

    def close(self) -> None:
        """Be gone; the text stays for whoever wants it."""
        self.note = ""
        self.display = False

    def on_resize(self) -> None:
        """Another width, another room."""
        self._make_room()

    def _make_room(self) -> None:
        """The note has what the text leaves: what is typed stays in sight."""
        typed = cell_len(self.query_one("#prompt-input", Input).value)
        room = self.size.width - len(self.purpose.sign) - typed - _GAP
        note = self.query_one("#prompt-note", Static)
        note.display = bool(self._note) and room >= _LEAST_NOTE
        note.styles.max_width = max(1, room)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._make_room()
        if self.is_open:
            self.post_message(self.Typed(self.purpose, event.value.strip()))

    @on(Input.Submitted)
    def _kept(self, event: Input.Submitted) -> None:
        event.stop()
        self.close()
        self.post_message(self.Kept(self.purpose, event.value.strip()))
