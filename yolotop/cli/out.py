"""What commands print: data on stdout, narration on stderr.

Owns JSON, tables and sentences as they leave the program. It must not know where the
data came from. Rich is imported when a table is printed, not before: a box that runs
``yolotop check --json`` from cron has no use for it.
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from yolotop.crash import guarded

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

CHART_WIDTH = 80
"""Columns of a chart that goes into a pipe."""
PIPE_WIDTH = 400
"""Columns of a table that nobody looks at directly: lines must not be folded."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One text of a table with Rich's name of its style."""

    text: str
    style: str = ""


def data(text: str) -> None:
    """A line of data."""
    typer.echo(text)


def narrate(text: str) -> None:
    """A line for the person at the keyboard; paths and names in it are made safe."""
    typer.echo(guarded(text, lines=True), err=True)


def as_json(value: object, *, indent: int | None = 2) -> str:
    """``value`` as JSON that can be encoded for this stdout."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    return json.dumps(
        value,
        indent=indent,
        ensure_ascii=encoding.replace("-", "") != "utf8",
        allow_nan=False,
    )


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Cell]],
    *,
    right: frozenset[str] = frozenset(),
) -> None:
    """A table on stdout. Columns in ``right`` are numbers. Text is never markup."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        is_last = column == columns[-1]
        shown.add_column(
            Text(column),
            justify="right" if column in right else "left",
            no_wrap=not is_last,
            overflow="fold" if is_last else "ellipsis",
        )
    for row in rows:
        cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in row]
        shown.add_row(*(Text(cell.text, style=cell.style) for cell in cells))
    _print(shown)


def lines(rows: Sequence[Sequence[Cell]]) -> None:
    """Lines of styled text on stdout, never folded: a chart, say."""
    from rich.text import Text

    for row in rows:
        line = Text(no_wrap=True, overflow="crop")
        for cell in row:
            line.append(cell.text, style=cell.style)
        _print(line)


def is_seen() -> bool:
    """Whether stdout is a terminal, and not a pipe that has no edge."""
    return sys.stdout.isatty()


def width() -> int:
    """Columns there are for a chart: the terminal's, or eighty in a pipe."""
    return shutil.get_terminal_size().columns if is_seen() else CHART_WIDTH


def folded(sentence: str) -> list[str]:
    """``sentence`` in lines that fit the terminal; as it is in a pipe."""
    return textwrap.wrap(sentence, width()) if is_seen() else [sentence]


def _print(shown: ConsoleRenderable) -> None:
    from rich.console import Console

    console = Console(
        file=sys.stdout,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if is_seen() else PIPE_WIDTH,
    )
    with console.capture() as capture:
        console.print(shown)
    # Rich pads every row to the table's width; nobody wants that in a pipe.
    for line in capture.get().splitlines():
        typer.echo(line.rstrip())
