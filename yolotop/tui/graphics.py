"""Real pixels where the terminal has them: kitty's graphics, placed as text.

Owns the escape sequences. It must not know widgets, or which terminals take them.

The picture is sent once and then *written*: each cell is a placeholder character whose
colour is the picture's id and whose marks are its row and column. So it scrolls, is
covered and goes like any other text, and nothing of it stays behind on another tab.
Sixel has no such thing: its pixels lie on the screen until someone paints over them,
and a compositor that sends only changed cells never does. Terminals with nothing but
sixel are drawn on with half blocks.

Nothing is asked of the terminal. Libraries that do (textual-image asks three times at
import, 0.1 s each) read the keyboard meanwhile and eat the first key, and over a slow
line the answer comes too late. The environment tells, over ssh too, or the user does.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from yolotop.tui.ink import Row, Span, literal
from yolotop.tui.marks import Mark, missed
from yolotop.tui.palette import CLASS_COLOURS, Rgb

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

CELL_PIXELS: Final = (10, 20)
"""What a cell is taken for; the terminal scales to what it is."""
MOST_SIDE: Final = 1_600
"""Pixels of the longer side that are sent: 1 MB at worst."""
_PLACEHOLDER: Final = "\U0010eeee"
_CHUNK: Final = 4_096
"""Bytes of base64 in one sequence, as the protocol demands."""
_MARKS: Final = (
    "\u0305\u030d\u030e\u0310\u0312\u033d\u033e\u033f\u0346\u034a\u034b\u034c"
    "\u0350\u0351\u0352\u0357\u035b\u0363\u0364\u0365\u0366\u0367\u0368\u0369"
    "\u036a\u036b\u036c\u036d\u036e\u036f\u0483\u0484\u0485\u0486\u0487\u0592"
    "\u0593\u0594\u0595\u0597\u0598\u0599\u059c\u059d\u059e\u059f\u05a0\u05a1"
    "\u05a8\u05a9\u05ab\u05ac\u05af\u05c4\u0610\u0611\u0612\u0613\u0614\u0615"
    "\u0616\u0617\u0657\u0658\u0659\u065a\u065b\u065d\u065e\u06d6\u06d7\u06d8"
    "\u06d9\u06da\u06db\u06dc\u06df\u06e0\u06e1\u06e2\u06e4\u06e7\u06e8\u06eb"
    "\u06ec\u0730\u0732\u0733\u0735\u0736\u073a\u073d\u073f\u0740\u0741\u0743"
    "\u0745\u0747\u0749\u074a\u07eb\u07ec\u07ed\u07ee\u07ef\u07f0\u07f1\u07f3"
    "\u0816\u0817\u0818\u0819\u081b\u081c\u081d\u081e\u081f\u0820\u0821\u0822"
    "\u0823\u0825\u0826\u0827\u0829\u082a\u082b\u082c\u082d\u0951\u0953\u0954"
    "\u0f82\u0f83\u0f86\u0f87\u135d\u135e\u135f\u17dd\u193a\u1a17\u1a75\u1a76"
    "\u1a77\u1a78\u1a79\u1a7a\u1a7b\u1a7c\u1b6b\u1b6d\u1b6e\u1b6f\u1b70\u1b71"
    "\u1b72\u1b73\u1cd0\u1cd1\u1cd2\u1cda\u1cdb\u1ce0\u1dc0\u1dc1\u1dc3\u1dc4"
    "\u1dc5\u1dc6\u1dc7\u1dc8\u1dc9\u1dcb\u1dcc\u1dd1\u1dd2\u1dd3\u1dd4\u1dd5"
    "\u1dd6\u1dd7\u1dd8\u1dd9\u1dda\u1ddb\u1ddc\u1ddd\u1dde\u1ddf\u1de0\u1de1"
    "\u1de2\u1de3\u1de4\u1de5\u1de6\u1dfe\u20d0\u20d1\u20d4\u20d5\u20d6\u20d7"
    "\u20db\u20dc\u20e1\u20e7\u20e9\u20f0\u2cef\u2cf0\u2cf1\u2de0\u2de1\u2de2"
    "\u2de3\u2de4\u2de5\u2de6\u2de7\u2de8\u2de9\u2dea"
)
"""The combining marks that stand for 0, 1, 2, …: the protocol's own table."""


def fits(size: tuple[int, int]) -> bool:
    """Whether there are marks for so many columns and rows."""
    return max(size) <= len(_MARKS)


def sending(image: Image.Image, number: int, size: tuple[int, int]) -> str:
    """What sends a picture as ``number`` (24 bits), to fill ``size`` cells."""
    from PIL import Image as Pillow

    columns, rows = size
    buffer = io.BytesIO()
    # 256 colours: a photo in 80x40 cells is 259 KiB in 22 ms, else 888 KiB in 73 ms.
    few = image.quantize(256, method=Pillow.Quantize.FASTOCTREE)
    few.save(buffer, "PNG", compress_level=3)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    parts = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
    head = f"a=T,U=1,f=100,q=2,i={number},c={columns},r={rows},"
    return "".join(
        f"\x1b_G{head if not index else 'q=2,'}m={int(index + 1 < len(parts))};"
        f"{part}\x1b\\"
        for index, part in enumerate(parts)
    )


def forgetting(number: int) -> str:
    """What frees a picture."""
    return f"\x1b_Ga=d,d=I,q=2,i={number}\x1b\\"


def placed(number: int, size: tuple[int, int]) -> list[Row]:
    """The cells that show a picture that was sent as ``number``."""
    columns, rows = size
    role = literal((number >> 16 & 255, number >> 8 & 255, number & 255), None)
    return [
        (
            Span(
                "".join(
                    f"{_PLACEHOLDER}{_MARKS[y]}{_MARKS[x]}" for x in range(columns)
                ),
                role,
            ),
        )
        for y in range(rows)
    ]


# --- marks in pixels -----------------------------------------------------------------


def annotated(
    image: Image.Image, marks: Sequence[Mark], size: tuple[int, int]
) -> Image.Image:
    """The picture scaled to ``size`` cells of pixels, with its marks drawn into it."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    wide, high = size[0] * CELL_PIXELS[0], size[1] * CELL_PIXELS[1]
    scale = min(1.0, MOST_SIDE / max(wide, high))
    wide, high = max(1, round(wide * scale)), max(1, round(high * scale))
    canvas = image.convert("RGB").resize(
        (wide, high), Pillow.Resampling.LANCZOS, reducing_gap=2.0
    )
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(CELL_PIXELS[1] * scale * 0.7)
    lost = missed(marks)
    found = [mark for mark in marks if not mark.expected]
    for mark in sorted(
        [*lost, *found], key=lambda each: (not each.expected, -each.area)
    ):
        _draw(pen, mark, (wide, high), font, line=max(2, round(3 * scale)))
    return canvas


def _draw(
    pen: ImageDraw.ImageDraw,
    mark: Mark,
    size: tuple[int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    *,
    line: int,
) -> None:
    if mark.box is None:
        return
    left, top, right, bottom = (
        min(max(share, 0.0), 1.0) * side
        for share, side in zip(mark.box, (*size, *size), strict=True)
    )
    if right - left < 1 or bottom - top < 1:
        return
    colour = CLASS_COLOURS[mark.colour]
    if mark.expected:
        for start, stop in (
            ((left, top), (right, top)),
            ((right, top), (right, bottom)),
            ((right, bottom), (left, bottom)),
            ((left, bottom), (left, top)),
        ):
            _dash(pen, start, stop, colour, line)
    else:
        pen.rectangle((left, top, right, bottom), outline=colour, width=line)
    text = f" {mark.caption} "
    _, _, wide, high = pen.textbbox((0, 0), text, font=font)
    x = max(0.0, min(left, size[0] - wide))
    y = top - high - line if top - high - line >= 0 else top
    black: Rgb = (0, 0, 0)
    fore, back = (colour, black) if mark.expected else (black, colour)
    pen.rectangle((x, y, x + wide, y + high + line), fill=back)
    pen.text((x, y), text, fill=fore, font=font)


def _dash(
    pen: ImageDraw.ImageDraw,
    start: tuple[float, float],
    stop: tuple[float, float],
    colour: Rgb,
    line: int,
) -> None:
    """A dashed line along an axis."""
    length = abs(stop[0] - start[0]) + abs(stop[1] - start[1])
    step = line * 4
    for at in range(0, int(length), step):
        until = min(at + step / 2, length)
        points = [
            (a + (b - a) * part / length)
            for part in (at, until)
            for a, b in zip(start, stop, strict=True)
        ]
        pen.line(points, fill=colour, width=line)
