"""A frame made small enough to travel through the store and to be drawn in a terminal.

Owns the picture a person gets to see of what was sent. Must not know who sent it, or
what came back.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from yolotop.probe.frames import Frame

if TYPE_CHECKING:
    from PIL import Image

MOST_SIDE: Final = 1_024
"""Pixels on the long side: more than any terminal has."""
MOST_BYTES: Final = 200_000
_QUALITIES: Final = (85, 70, 50, 35)
_SMALLER: Final = 0.7
"""Sides of the next try when even the least quality is too large (half the pixels)."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The frame upright, as JPEG of at most :data:`MOST_BYTES`."""

    width: int
    height: int
    jpeg: bytes = field(repr=False)


def preview(frame: Frame) -> Preview:
    """Blocks: some 5 ms for a drawn frame, half a second for 50 million pixels."""
    if frame.drawn is not None and _fits(frame):
        return Preview(frame.width, frame.height, frame.data)
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(frame.data)) as opened:
        # First smaller, then upright: a JPEG is decoded at an eighth where that does.
        opened.thumbnail((MOST_SIDE, MOST_SIDE))
        image = ImageOps.exif_transpose(opened).convert("RGB")
    while True:
        for quality in _QUALITIES:
            data = _encoded(image, quality)
            if len(data) <= MOST_BYTES:
                return Preview(image.width, image.height, data)
        size = (
            max(1, round(image.width * _SMALLER)),
            max(1, round(image.height * _SMALLER)),
        )
        image = image.resize(size)


def _fits(frame: Frame) -> bool:
    return (
        frame.media_type == "image/jpeg"
        and max(frame.width, frame.height) <= MOST_SIDE
        and len(frame.data) <= MOST_BYTES
    )


def _encoded(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
