"""A picture laid into a model's input, and boxes back out of it.

Owns scaling, the grey around, the order of the bytes and the way back to the picture's
pixels. Must not know datatypes, heads or HTTP. It rounds as ultralytics does, so that
boxes agree with its own runs.

The way back is arithmetic on the two sizes, so nothing has to be remembered between
the question and the answer.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.frames import Frame

# The grey of ultralytics' letterbox; models were trained with it around pictures.
_PAD: Final = 114
_USUAL_SIDE: Final = 640
_LONGEST_SIDE: Final = 8_192
_COLOURS: Final = (3, 1)

Box = tuple[float, float, float, float]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Canvas:
    """A model's input. ``shape`` is what is sent, each side known.

    ``planar`` is colour by colour (NCHW), not pixel by pixel.
    """

    shape: tuple[int, ...]
    channels: int
    height: int
    width: int
    planar: bool

    @property
    def anchors(self) -> int:
        """How many places a YOLO head looks at: strides 8, 16 and 32."""
        return sum(
            -(-self.height // step) * -(-self.width // step) for step in (8, 16, 32)
        )


def canvas(shape: Sequence[int], imgsz: int | None) -> Canvas:
    """The input that ``shape`` (``-1``: any, empty: the usual) comes to.

    Raises UnsendableRequest for what is not one image of one or three colours.
    """
    side = imgsz or _USUAL_SIDE
    sides = tuple(shape) or (1, 3, -1, -1)
    batched = len(sides) == 4 and sides[0] in (1, -1)
    batch, image = ((1,), sides[1:]) if batched else ((), sides)
    if len(image) == 3:
        planar = image[0] in _COLOURS
        if planar or image[2] in _COLOURS:
            channels = image[0] if planar else image[2]
            lengths = image[1:] if planar else image[:2]
            height, width = (side if length < 0 else length for length in lengths)
            if min(height, width) > 0 and max(height, width) <= _LONGEST_SIDE:
                inner = (
                    (channels, height, width) if planar else (height, width, channels)
                )
                return Canvas((*batch, *inner), channels, height, width, planar)
    raise UnsendableRequest(
        f"an input of the shape {list(shape)} does not take one image: "
        "set tensor.shape to such as [1, 3, 640, 640]"
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture of ``size`` (width, height) lies in an input, as ``inner``."""

    size: tuple[int, int]
    inner: tuple[int, int]
    scale: float
    left: int
    top: int

    def point(self, x: float, y: float) -> Point:
        """From the input's pixels to the picture's."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    def box(self, x1: float, y1: float, x2: float, y2: float) -> Box:
        """The same for two corners, clipped to the picture."""
        width, height = self.size
        (left, top), (right, bottom) = self.point(x1, y1), self.point(x2, y2)
        return (
            min(max(left, 0.0), width),
            min(max(top, 0.0), height),
            min(max(right, 0.0), width),
            min(max(bottom, 0.0), height),
        )


def fit(size: tuple[int, int], into: Canvas) -> Fit:
    """Scale a picture of ``size`` (width, height) into the input, centred."""
    scale = min(into.height / size[1], into.width / size[0])
    inner = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return Fit(
        size,
        inner,
        scale,
        left=round((into.width - inner[0]) / 2 - 0.1),
        top=round((into.height - inner[1]) / 2 - 0.1),
    )


def laid(frame: Frame, into: Canvas) -> bytes:
    """The picture in the input: a byte for each number, in the input's order.

    Some 10 ms for 320 pixels into 640.
    """
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(frame.data)) as opened:
        upright = ImageOps.exif_transpose(opened)
        image = upright.convert("RGB" if into.channels == 3 else "L")
    where = fit(image.size, into)
    if where.inner != image.size:
        image = image.resize(where.inner, Image.Resampling.BILINEAR)
    grey = _PAD if into.channels == 1 else (_PAD, _PAD, _PAD)
    ground = Image.new(image.mode, (into.width, into.height), grey)
    ground.paste(image, (where.left, where.top))
    if into.planar:
        return b"".join(plane.tobytes() for plane in ground.split())
    return ground.tobytes()
