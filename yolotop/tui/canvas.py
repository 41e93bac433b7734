"""A surface of dots, several to a cell: what charts and the map draw on.

Owns how dots become characters (braille 2x4 to a cell, quadrant blocks 2x2, ASCII
1x2) and how roles and text lie over them. It must not know what is drawn.

Dots count from the top left corner and may lie outside: they are clipped there, never
an error. What is drawn later lies over what was drawn before: dots of one cell add up
and the cell takes the newest role, text replaces the dots of its cells.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import Final, NamedTuple, Self

from rich.cells import cell_len

from yolotop.tui.ink import Look, Row, Span


class _Grain(NamedTuple):
    """Dots in a cell, the bit of each (left to right, top to bottom), a sign a mask."""

    across: int
    down: int
    bits: tuple[int, ...]
    signs: dict[int, str]


_BRAILLE: Final = _Grain(
    2,
    4,
    (0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80),
    # Nothing is a blank, not U+2800: some fonts draw that as eight empty rings.
    {mask: chr(0x2800 + mask) if mask else " " for mask in range(256)},
)
_QUADRANTS: Final = _Grain(2, 2, (1, 2, 4, 8), dict(enumerate(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")))
_ASCII: Final = _Grain(1, 2, (1, 2), dict(enumerate(" '.:")))
"""Two dots a cell, so that a gentle slope still reads as one: ``..''``."""


class DotCanvas:
    """``width`` × ``height`` cells of dots, then rows.

    ``dots_x`` and ``dots_y`` are the dots of one cell, ``dots_wide`` and ``dots_high``
    those of the whole. Cells are taken to be twice as high as wide.
    """

    __slots__ = (
        "_grain",
        "_inks",
        "_masks",
        "_texts",
        "dots_high",
        "dots_wide",
        "dots_x",
        "dots_y",
        "height",
        "width",
    )

    def __init__(self, width: int, height: int, look: Look) -> None:
        if look.plain:
            self._grain = _ASCII
        else:
            self._grain = _QUADRANTS if look.braille is False else _BRAILLE
        self.width, self.height = max(0, width), max(0, height)
        self.dots_x, self.dots_y = self._grain.across, self._grain.down
        self.dots_wide = self.width * self.dots_x
        self.dots_high = self.height * self.dots_y
        cells = self.width * self.height
        self._masks = bytearray(cells)
        self._inks: list[str] = [""] * cells
        self._texts: dict[int, str] = {}

    @property
    def squash(self) -> float:
        """Height of a dot ÷ its width: 1 in braille and ASCII, 2 in quadrants."""
        return 2 * self.dots_x / self.dots_y

    def copy(self) -> Self:
        """The same picture, to be drawn over: a layer that is made only once."""
        twin = object.__new__(type(self))
        twin._grain = self._grain
        twin.width, twin.height = self.width, self.height
        twin.dots_x, twin.dots_y = self.dots_x, self.dots_y
        twin.dots_wide, twin.dots_high = self.dots_wide, self.dots_high
        twin._masks = self._masks[:]
        twin._inks = self._inks[:]
        twin._texts = self._texts.copy()
        return twin

    def set(self, x: int, y: int, role: str) -> None:
        """One dot."""
        if 0 <= x < self.dots_wide and 0 <= y < self.dots_high:
            across, down = self.dots_x, self.dots_y
            cell = y // down * self.width + x // across
            self._masks[cell] |= self._grain.bits[y % down * across + x % across]
            self._inks[cell] = role

    def line(self, x0: int, y0: int, x1: int, y1: int, role: str) -> None:
        """From dot to dot, both included (Bresenham)."""
        wide, high = self.dots_wide, self.dots_high
        if max(x0, x1) < 0 or min(x0, x1) >= wide:
            return
        if max(y0, y1) < 0 or min(y0, y1) >= high:
            return
        run, rise = abs(x1 - x0), -abs(y1 - y0)
        step_x = 1 if x0 < x1 else -1
        step_y = 1 if y0 < y1 else -1
        error = run + rise
        while True:
            self.set(x0, y0, role)
            if x0 == x1 and y0 == y1:
                return
            twice = 2 * error
            if twice >= rise:
                error += rise
                x0 += step_x
            if twice <= run:
                error += run
                y0 += step_y

    def column(self, x: int, top: int, bottom: int, role: str) -> None:
        """All dots of one column from ``top`` down to ``bottom``, both included."""
        for y in range(max(0, top), min(self.dots_high - 1, bottom) + 1):
            self.set(x, y, role)

    def circle(self, x: int, y: int, radius: float, role: str) -> None:
        """A ring around a dot; ``radius`` in dots across, round on the screen."""
        if radius < 0.5:
            self.set(x, y, role)
            return
        squash = self.squash
        for along in range(-ceil(radius), ceil(radius) + 1):
            if abs(along) <= radius:
                away = round(sqrt(radius**2 - along**2) / squash)
                self.set(x + along, y + away, role)
                self.set(x + along, y - away, role)
            tall = along * squash
            if abs(tall) <= radius:
                away = round(sqrt(radius**2 - tall**2))
                self.set(x + away, y + along, role)
                self.set(x - away, y + along, role)

    def text(self, x: int, y: int, text: str, role: str) -> None:
        """Characters in cells from ``x``, ``y`` (cells, not dots) on, over the dots."""
        if not 0 <= y < self.height:
            return
        for char in text:
            size = cell_len(char)
            if not size:
                self._mark(x - 1, y, char)
                continue
            if x >= 0 and x + size <= self.width:
                self._put(x, y, char, size, role)
            x += size

    def rows(self) -> list[Row]:
        """The picture: rows of exactly ``width`` cells, equal neighbours in one span.

        An empty cell takes the role of the dots before it, so that a broken line is
        not a span a dot: nothing shows in it, and over ssh each change of role costs.
        Combined roles may have a background, so they end with their last dot.
        """
        chars = list(self._masks.decode("latin-1").translate(self._grain.signs))
        for cell, char in self._texts.items():
            chars[cell] = char
        width = self.width
        return [
            self._row(chars[start : start + width], start)
            for start in range(0, width * self.height, width or 1)
        ]

    def _row(self, chars: list[str], start: int) -> Row:
        spans: list[Span] = []
        ink, first, open_ended = "", 0, True
        for x, role in enumerate(self._inks[start : start + self.width]):
            if not role and open_ended:
                continue
            wanted = role or "text"
            if wanted == ink:
                continue
            if x > first:
                spans.append(Span("".join(chars[first:x]), ink or "text"))
                first = x
            ink = wanted
            open_ended = "+" not in role and start + x not in self._texts
        if first < len(chars):
            spans.append(Span("".join(chars[first:]), ink or "text"))
        return tuple(spans)

    def _put(self, x: int, y: int, char: str, size: int, role: str) -> None:
        cell = y * self.width + x
        # Half of a wide character cannot be shown: the other half becomes a blank.
        if self._texts.get(cell) == "":
            self._texts[cell - 1] = " "
        after = cell + size
        if x + size < self.width and self._texts.get(after) == "":
            self._texts[after] = " "
        self._texts[cell] = char
        self._inks[cell] = role
        if size == 2:
            self._texts[cell + 1] = ""
            self._inks[cell + 1] = role

    def _mark(self, x: int, y: int, char: str) -> None:
        cell = y * self.width + x
        if not 0 <= x < self.width or cell not in self._texts:
            return
        if self._texts[cell] == "":
            cell -= 1
        self._texts[cell] += char
