"""The Code tab: how to ask this deployment from a program, in three languages.

Owns which language is in sight and its colours. It must not know how the texts are
made, see :mod:`yolotop.view.snippets`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from yolotop.tui.ink import Look, Row, Span, spread, wrapped
from yolotop.tui.widgets.scrolled import Scrolled
from yolotop.view.snippets import Snippet

_TOKENS: Final = re.compile(
    r"""(?P<faint>(?:\#|//)\s.*$)
    |(?P<bright>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<accent>\b(?:import|from|with|open|as|for|in|of|if|throw|new|const|await|curl)\b)
    """,
    re.VERBOSE,
)


def code_row(line: str) -> Row:
    """One line of code: words of the language, texts and comments told apart."""
    spans: list[Span] = []
    at = 0
    for found in _TOKENS.finditer(line):
        spans += (
            Span(line[at : found.start()], "text"),
            Span(found.group(), found.lastgroup or "text"),
        )
        at = found.end()
    spans.append(Span(line[at:], "text"))
    return tuple(span for span in spans if span.text)


class CodeTab(Scrolled):
    """The tab."""

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(look, name=name)
        self.snippets: tuple[Snippet, ...] = ()
        self.note = "reading what is set…"
        self.chosen = 0

    @property
    def snippet(self) -> Snippet | None:
        """The text in sight."""
        return self.snippets[self.chosen] if self.snippets else None

    def show(self, snippets: tuple[Snippet, ...], note: str = "") -> None:
        """These texts; ``note`` says why there are none."""
        self.snippets, self.note = snippets, note
        self.chosen = min(self.chosen, max(0, len(snippets) - 1))
        self.repaint()

    def turn(self, by: int) -> None:
        """The next language, or the one before."""
        if self.snippets:
            self.chosen = (self.chosen + by) % len(self.snippets)
            self.top = 0
            self.repaint()

    def choose(self, index: int) -> None:
        """This language."""
        self.turn(index - self.chosen)

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """The languages, then the text of one."""
        inner, look = width - 2, self.look
        snippet = self.snippet
        if snippet is None:
            lines = wrapped(self.note, inner, height, look)
            return [(Span(f" {line}", "dim"),) for line in lines]
        head: list[Span] = [Span(" ")]
        for index, each in enumerate(self.snippets):
            here = index == self.chosen
            role = "bright+bold+underline" if here else "dim"
            call = f"screen.code_choose({index})"
            head += (Span(each.title, role, call), Span("   "))
        top = spread(head, (Span(f"{snippet.needs} ", "faint"),), width, look)
        code = snippet.text.rstrip().split("\n")
        body: list[Row] = [(Span("  "), *code_row(line)) for line in code]
        return [top, (), *self.shown(body, width, height - 2)]
