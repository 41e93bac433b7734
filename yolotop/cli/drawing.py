"""A picture with what was seen in it, for a terminal that no screen has taken over.

Owns the way from inked rows to escape sequences on the command line. It must not know
what the picture is of. The drawing itself is the terminal's own
(:mod:`yolotop.tui.picture`), which is pure; Textual is never loaded here.
"""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from yolotop.tui.ink import Row

WIDEST: Final = 72
_LITERAL: Final = re.compile(r"#([0-9a-f]{6})?/([0-9a-f]{6})?")
_STYLES: Final = {"bold": "1", "dim": "2", "reverse": "7"}
_CUBE: Final = (0, 95, 135, 175, 215, 255)


def drawn(
    result: Mapping[str, object], jpeg: bytes, *, lines: int | None = None
) -> str:
    """The picture as lines of text; ``result`` is what ``collect.showing`` makes."""
    from PIL import Image

    from yolotop.tui.ink import look_of
    from yolotop.tui.marks import marks_of
    from yolotop.tui.picture import fitted, manner_of, picture_rows

    room = shutil.get_terminal_size()
    look = look_of("auto", os.environ, images="blocks")
    with Image.open(io.BytesIO(jpeg)) as picture:
        size = fitted(
            picture.size,
            min(WIDEST, room.columns),
            lines or max(8, min(30, room.lines - 12)),
        )
        rows = picture_rows(picture, marks_of(result), size, look, manner_of(look))
    return coloured(rows, os.environ)


def coloured(rows: Sequence[Row], env: Mapping[str, str]) -> str:
    """Rows with their colours: all of them, the nearest of 256, or none."""
    from yolotop.tui.palette import many_colours, truecolor

    deep, some = truecolor(env), many_colours(env)
    if not some:
        return "\n".join("".join(span.text for span in row) for row in rows)
    return "\n".join(
        "".join(f"\x1b[0;{_code(span.role, deep=deep)}m{span.text}" for span in row)
        + "\x1b[0m"
        for row in rows
    )


def _code(role: str, *, deep: bool) -> str:
    codes: list[str] = []
    for part in role.split("+"):
        if part in _STYLES:
            codes.append(_STYLES[part])
        elif match := _LITERAL.fullmatch(part):
            codes += [
                _colour(colour, layer, deep=deep)
                for colour, layer in ((match[1], 38), (match[2], 48))
                if colour
            ]
    return ";".join(codes)


def _colour(colour: str, layer: int, *, deep: bool) -> str:
    channels = [int(colour[at : at + 2], 16) for at in (0, 2, 4)]
    if deep:
        return f"{layer};2;{channels[0]};{channels[1]};{channels[2]}"
    red, green, blue = (
        min(range(6), key=lambda step: abs(_CUBE[step] - value)) for value in channels
    )
    return f"{layer};5;{16 + 36 * red + 6 * green + blue}"
