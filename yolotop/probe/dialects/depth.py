"""Depth maps: from a PNG in an answer to a small grid of metres.

Owns that. Must not know where in an answer the map stood. A map of 640 by 640 pixels is
cut to 16 by 16 cells: enough to see that the near is near, and to compare.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
from typing import Final

from PIL import Image

from yolotop.model import Depth
from yolotop.probe.dialects.protocol import BadResponse

MOST_CELLS: Final = 16
"""Rows, and columns, of the grid."""
SAMPLES: Final = 8
"""Pixels looked at along each side of a cell: 16,384 of a map take 4 ms."""
MOST_PIXELS: Final = 4096 * 4096
"""A PNG of a few KB may claim to be gigabytes."""
_HIGHEST: Final = {8: 255, 12: 65_535, 16: 65_535}
"""What a pixel of the farthest is; 12 bits are spread over 16."""


def read_depth(value: object) -> Depth | None:
    """``{"encoding": "png", "data": base64, "max": metres, "bits": 8}`` as a grid.

    ``None`` where there is none. Raises BadResponse for one that cannot be read.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadResponse("the depth map is not an object")
    bits, most, data = value.get("bits", 8), value.get("max"), value.get("data")
    if type(bits) is not int or bits not in _HIGHEST:
        raise BadResponse("the depth map does not have 8, 12 or 16 bits")
    if (
        isinstance(most, bool)
        or not isinstance(most, (int, float))
        or not 0 <= most < 1e9
        or not math.isfinite(most)
    ):
        raise BadResponse("the depth map does not say how far it goes (max)")
    if value.get("encoding", "png") != "png" or not isinstance(data, str):
        raise BadResponse("the depth map is not a PNG")
    pixels, width, height = _pixels(data)
    return _grid(pixels, width, height, float(most) / _HIGHEST[bits])


def _pixels(data: str) -> tuple[memoryview, int, int]:
    try:
        raw = base64.b64decode(data, validate=True)
        with Image.open(io.BytesIO(raw), formats=("PNG",)) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise BadResponse("the depth map has more pixels than can be meant")
            if image.mode == "L":
                return memoryview(image.tobytes()), width, height
            if image.mode.startswith("I"):
                # Native integers of 32 bits, whatever Pillow makes of 16-bit greys.
                whole = image.convert("I").tobytes()
                return memoryview(whole).cast("i"), width, height
    except (
        binascii.Error,
        ValueError,
        OSError,
        SyntaxError,
        Image.DecompressionBombError,
    ):
        pass
    raise BadResponse("the depth map cannot be read: it is no PNG of grey")


def _grid(pixels: memoryview, width: int, height: int, metres: float) -> Depth:
    rows, columns = min(height, MOST_CELLS), min(width, MOST_CELLS)
    ys = [_spread(height, rows, row) for row in range(rows)]
    xs = [_spread(width, columns, column) for column in range(columns)]
    values: list[float] = []
    for band in ys:
        for span in xs:
            known = [
                pixel
                for y in band
                for x in span
                # 0: no depth is known there.
                if (pixel := pixels[y * width + x]) > 0
            ]
            mean = sum(known) / len(known) if known else 0.0
            values.append(round(mean * metres, 4))
    return Depth(rows, columns, tuple(values))


def _spread(length: int, cells: int, cell: int) -> tuple[int, ...]:
    """Indices of a cell, evenly taken from its middle part."""
    start, end = cell * length // cells, (cell + 1) * length // cells
    count = min(end - start, SAMPLES)
    return tuple(
        start + (2 * i + 1) * (end - start) // (2 * count) for i in range(count)
    )
