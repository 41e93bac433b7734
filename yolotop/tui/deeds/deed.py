"""One action as data: what it is called, where its key counts, what it does.

Owns the shape of a row of the action table. It must not know Textual: the command
line checks a keymap against the table without loading a terminal.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing a person can do.

    ``keys`` are Textual's names, separated by commas; ``show`` is how they are
    written. ``call`` is the action's name with its arguments. ``where`` is the context
    in which the key counts (see :data:`yolotop.tui.keys.CONTEXTS`). ``group`` is its
    heading on the help page. ``hint`` is its rank in the footer from 1, 0 keeps it
    out. ``palette`` is how it reads in the palette, empty keeps it out. ``writes``
    marks what ``read_only`` forbids.
    """

    id: str
    keys: str
    show: str
    label: str
    help: str
    call: str
    where: str
    group: str
    hint: int = 0
    palette: str = ""
    writes: bool = False

    @property
    def action(self) -> str:
        """The action's name without its arguments."""
        return self.call.partition("(")[0]
