"""A screen as text: every line, what each stretch of it looks like, and a legend.

A picture that a diff can be read in, some tenth of the same screen as SVG: so there can
be one of every screen, at every size, in every theme.
"""

from __future__ import annotations

from itertools import groupby
from string import ascii_letters

from rich.segment import Segment
from rich.style import Style
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.app import App


class Portraits(SingleFileSnapshotExtension):
    """Each portrait in a text file of its own."""

    _write_mode = WriteMode.TEXT
    _file_extension = "txt"


def portrait(app: App[int]) -> str:
    """What is on the screen now.

    Under each line stand its styles: a letter of the legend and for how many cells. A
    line that looks like the one before it in all of its cells has none.
    """
    known: dict[str, str] = {}
    lines: list[str] = []
    before = ""
    for strip in app.screen._compositor.render_strips():
        lines.append(f"|{strip.text}|")
        runs = groupby(strip, key=lambda segment: _letter(segment, known))
        styles = " ".join(f"{letter}{_cells(list(run))}" for letter, run in runs)
        if styles != before:
            lines.append(f"  {styles}")
        before = styles
    legend = [f"{letter}: {look}" for look, letter in known.items()]
    return "\n".join((*lines, "", *legend, ""))


def _letter(segment: Segment, known: dict[str, str]) -> str:
    style = segment.style or Style()
    parts = str(style.without_color).replace("none", "").split()
    if style.color is not None:
        parts.append(style.color.name)
    if style.bgcolor is not None:
        parts.append(f"on {style.bgcolor.name}")
    text = " ".join(parts) or "plain"
    if text not in known:
        number = len(known)
        letters = len(ascii_letters)
        more = str(number // letters) if number >= letters else ""
        known[text] = ascii_letters[number % letters] + more
    return known[text]


def _cells(segments: list[Segment]) -> str:
    return f"·{sum(segment.cell_length for segment in segments)}"
