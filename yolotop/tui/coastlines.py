"""The world's coastlines, as they ship with the package.

Owns reading ``world.txt`` (18 KB, 7 000 points; ``tools/make_coastlines.py`` makes it
and tells the format), which happens when a map is first drawn. It must not know how the
earth is projected.
"""

from __future__ import annotations

from array import array
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import Final, NamedTuple

PER_DEGREE: Final = 10
"""Coordinates are whole tenths of a degree."""
_ZERO: Final = ord("O")
_STEP_OF: Final = bytes((code - _ZERO) % 256 for code in range(256))
"""A character to its step, as a signed byte."""


class Coast(NamedTuple):
    """One stretch of coast: how far east and north each point is, and its extent."""

    easts: tuple[int, ...]
    norths: tuple[int, ...]
    extent: int


def _coast(line: str) -> Coast:
    east, north, steps = line.split(" ", 2)
    moves = array("b", steps.encode("ascii").translate(_STEP_OF))
    xs = tuple(accumulate(moves[0::2], initial=int(east)))
    ys = tuple(accumulate(moves[1::2], initial=int(north)))
    return Coast(xs, ys, max(max(xs) - min(xs), max(ys) - min(ys)))


@cache
def coastlines() -> tuple[Coast, ...]:
    """Every stretch of coast there is."""
    data = resources.files("yolotop.tui").joinpath("world.txt").read_text("ascii")
    return tuple(
        _coast(line) for line in data.splitlines() if line and not line.startswith("#")
    )
