"""A picture in cells, with boxes and labels drawn over it.

Owns how pixels become characters: two to a cell where the terminal has colours, grey
ramps where it has none. Pure: a Pillow image and marks in, rows of inked text out. It
must not know Textual, where the picture came from or whether an answer was right.

A mark is told by its line (solid: found, dashed: expected), its label and its
confidence; its colour is the class's, and never the only sign. Terminals that draw
real pixels get them from :mod:`~yolotop.tui.graphics`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from yolotop.tui.ink import Look, Row, Span, cut, literal
from yolotop.tui.marks import Mark, missed
from yolotop.tui.palette import CLASS_COLOURS, Rgb

if TYPE_CHECKING:
    from PIL import Image

CELL_ASPECT: Final = 2.0
"""Height of a cell over its width: what terminals are near to, and what two pixels
to a cell make square."""
_RAMP: Final = " ░▒▓█"
_PLAIN_RAMP: Final = " .:-=+*#%@"
_SOLID: Final = "━┃┏┓┗┛"
_DASHED: Final = "╌╎┌┐└┘"
_PLAIN_SOLID: Final = "=|++++"
_PLAIN_DASHED: Final = "-:...."
_GRAIN: Final = 0xF8
"""Colours are rounded to 32 steps a channel, so that more neighbours are equal: a photo
in 61x36 cells is 60 KB instead of 80 (measured), and the eye hardly sees it."""


class Manner(StrEnum):
    """How pixels are drawn."""

    BLOCKS = "blocks"
    """Two pixels to a cell, as an upper half block over a background."""
    BLANKS = "blanks"
    """One pixel to a cell, as the background of a blank: colours without Unicode."""
    SHADES = "shades"
    """One pixel to a cell, as a character that is more or less filled."""


def manner_of(look: Look) -> Manner:
    """How to draw on this terminal."""
    if not look.colours:
        return Manner.SHADES
    return Manner.BLANKS if look.plain else Manner.BLOCKS


def fitted(
    size: tuple[int, int], width: int, height: int, *, aspect: float = CELL_ASPECT
) -> tuple[int, int]:
    """Columns and rows that show ``size`` undistorted in the room there is."""
    across, down = size
    if min(across, down, width, height) <= 0:
        return 0, 0
    scale = min(width / across, height * aspect / down)
    columns = min(width, max(1, round(across * scale)))
    rows = min(height, max(1, round(down * scale / aspect)))
    return columns, rows


@dataclass(slots=True)
class _Cell:
    """One cell while it is being drawn; ``role`` stands for colours in shades."""

    char: str
    role: str = "dim"
    fore: Rgb | None = None
    back: Rgb | None = None

    @property
    def ink(self) -> str:
        if self.fore is None and self.back is None:
            return self.role
        return literal(self.fore, self.back) + ("+bold" if self.role == "bold" else "")


def picture_rows(
    image: Image.Image,
    marks: Sequence[Mark],
    size: tuple[int, int],
    look: Look,
    manner: Manner,
    *,
    light: bool = False,
) -> list[Row]:
    """The picture in exactly ``size`` columns and rows, see :func:`fitted`.

    ``light`` says that the paper is light: shades are then filled where it is dark.
    """
    columns, rows = size
    if not (columns and rows):
        return []
    if manner is Manner.SHADES:
        canvas = _shades(image, columns, rows, look, light=light)
    else:
        canvas = _pixels(image, columns, rows, halves=manner is Manner.BLOCKS)
    pen = _Pen(canvas, look, coloured=manner is not Manner.SHADES)
    lost = missed(marks)
    # Small ones over large ones, found ones over expected ones.
    found = [mark for mark in marks if not mark.expected]
    for mark in sorted(lost, key=lambda each: -each.area):
        pen.frame(mark)
    for mark in sorted(found, key=lambda each: -each.area):
        pen.frame(mark)
    for mark in sorted(found, key=lambda each: -(each.confidence or 0)):
        pen.caption(mark)
    for mark in lost:
        pen.caption(mark)
    return [_joined(line) for line in canvas]


def _joined(line: Sequence[_Cell]) -> Row:
    spans: list[Span] = []
    for cell in line:
        ink = cell.ink
        if spans and spans[-1].role == ink:
            spans[-1] = Span(spans[-1].text + cell.char, ink)
        else:
            spans.append(Span(cell.char, ink))
    return tuple(spans)


# --- pixels --------------------------------------------------------------------------


def _pixels(
    image: Image.Image, columns: int, rows: int, *, halves: bool
) -> list[list[_Cell]]:
    lines = rows * 2 if halves else rows
    data = _scaled(image, columns, lines).tobytes()
    steps = bytes(value & _GRAIN for value in range(256))
    data = data.translate(steps)
    across = columns * 3
    canvas: list[list[_Cell]] = []
    for y in range(0, lines, 2 if halves else 1):
        upper = data[y * across : (y + 1) * across]
        lower = data[(y + 1) * across : (y + 2) * across] if halves else upper
        line = []
        for x in range(0, across, 3):
            over = (upper[x], upper[x + 1], upper[x + 2])
            under = (lower[x], lower[x + 1], lower[x + 2])
            if over == under:
                line.append(_Cell(" ", "", None, under))
            else:
                line.append(_Cell("▀", "", over, under))
        canvas.append(line)
    return canvas


def _shades(
    image: Image.Image, columns: int, rows: int, look: Look, *, light: bool
) -> list[list[_Cell]]:
    from PIL import ImageOps

    grey = ImageOps.autocontrast(_scaled(image, columns, rows).convert("L"), cutoff=1)
    ramp = _PLAIN_RAMP if look.plain else _RAMP
    if light:
        ramp = ramp[::-1]
    last = len(ramp) - 1
    table = [ramp[round(value / 255 * last)] for value in range(256)]
    data = grey.tobytes()
    return [
        [_Cell(table[value]) for value in data[y * columns : (y + 1) * columns]]
        for y in range(rows)
    ]


def _scaled(image: Image.Image, width: int, height: int) -> Image.Image:
    from PIL import Image as Pillow

    # The gap skips most of a large picture's pixels before the filter sees them.
    return image.convert("RGB").resize(
        (width, height), Pillow.Resampling.LANCZOS, reducing_gap=2.0
    )


# --- marks ---------------------------------------------------------------------------


class _Pen:
    """Draws marks onto a canvas of cells, and keeps captions off each other."""

    def __init__(
        self, canvas: list[list[_Cell]], look: Look, *, coloured: bool
    ) -> None:
        self._canvas = canvas
        self._look = look
        self._coloured = coloured
        self._captions: list[tuple[int, int, int]] = []

    def frame(self, mark: Mark) -> None:
        """The four lines of a mark."""
        edges = self._edges(mark)
        if edges is None:
            return
        left, top, right, bottom = edges
        signs = self._signs(mark)
        across, down, corners = signs[0], signs[1], signs[2:]
        for x in range(left + 1, right):
            self._put(x, top, across, mark)
            self._put(x, bottom, across, mark)
        for y in range(top + 1, bottom):
            self._put(left, y, down, mark)
            self._put(right, y, down, mark)
        if top == bottom:
            # Too flat for corners.
            corners = across * 4
        elif left == right:
            corners = down * 4
        for (x, y), sign in zip(
            ((left, top), (right, top), (left, bottom), (right, bottom)),
            corners,
            strict=True,
        ):
            self._put(x, y, sign, mark)

    def caption(self, mark: Mark) -> None:
        """Name and confidence on an edge, or beside it, inside the picture."""
        edges = self._edges(mark)
        if edges is None:
            return
        width = len(self._canvas[0])
        left, top, right, bottom = edges
        text = mark.caption
        if len(text) + 2 > max(right - left + 1, width // 3):
            # The table beside the picture has the confidence too.
            text = mark.label
        text = f" {cut(text, width - 2, self._look)} "
        size = cell_len(text)
        if size > width or size != len(text):
            # Wide characters would shift what is right of them.
            text = "".join(char for char in text if cell_len(char) == 1)[:width]
            size = len(text)
        x = max(0, min(left, width - size))
        for y, start in (
            (top, x),
            (bottom, x),
            (top - 1, x),
            (bottom + 1, x),
            (top, max(0, right - size + 1)),
            ((top + bottom) // 2, x),
        ):
            if 0 <= y < len(self._canvas) and self._free(y, start, start + size):
                self._captions.append((y, start, start + size))
                self._write(text, start, y, mark)
                return

    def _free(self, y: int, start: int, stop: int) -> bool:
        return not any(
            row == y and start < end and begin < stop
            for row, begin, end in self._captions
        )

    def _write(self, text: str, x: int, y: int, mark: Mark) -> None:
        colour = CLASS_COLOURS[mark.colour]
        for offset, char in enumerate(text):
            cell = self._canvas[y][x + offset]
            cell.char = char
            if not self._coloured:
                cell.role = f"class-{mark.colour}+reverse+bold"
            elif mark.expected:
                cell.role, cell.fore, cell.back = "bold", colour, (0, 0, 0)
            else:
                cell.role, cell.fore, cell.back = "bold", (0, 0, 0), colour

    def _put(self, x: int, y: int, sign: str, mark: Mark) -> None:
        cell = self._canvas[y][x]
        if self._coloured:
            cell.back = _ground(cell)
            cell.fore = CLASS_COLOURS[mark.colour]
            cell.role = ""
        else:
            cell.role = f"class-{mark.colour}+bold"
        cell.char = sign

    def _signs(self, mark: Mark) -> str:
        if self._look.plain:
            return _PLAIN_DASHED if mark.expected else _PLAIN_SOLID
        return _DASHED if mark.expected else _SOLID

    def _edges(self, mark: Mark) -> tuple[int, int, int, int] | None:
        """First and last column and row of a mark, ``None`` where nothing shows."""
        if mark.box is None:
            return None
        left, top, right, bottom = mark.box
        if not (left < 1 and top < 1 and right > 0 and bottom > 0):
            return None
        width, height = len(self._canvas[0]), len(self._canvas)
        return (
            _index(left, width, math.floor),
            _index(top, height, math.floor),
            _index(right, width, lambda value: math.ceil(value) - 1),
            _index(bottom, height, lambda value: math.ceil(value) - 1),
        )


def _index(share: float, size: int, rounded: object) -> int:
    assert callable(rounded)
    return max(0, min(size - 1, int(rounded(share * size))))


def _ground(cell: _Cell) -> Rgb:
    """What is left of a cell's picture behind a line: its mean at half the light."""
    under = cell.back or (0, 0, 0)
    over = cell.fore if cell.char == "▀" and cell.fore else under
    mixed = tuple((a + b) // 4 for a, b in zip(over, under, strict=True))
    return (mixed[0], mixed[1], mixed[2])
