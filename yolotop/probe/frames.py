"""Pictures to ask about: drawn ones whose truth is known, and the user's own files.

Owns how a synthetic scene is drawn (the training script draws its data set with the
very same code) and how a file becomes a frame. Must not know HTTP, dialects, verdicts
or any model: a frame is bytes, a size and, when we drew it, what is in it.

Pillow is imported inside the functions: its import costs about 25 ms and the command
line loads this module for commands which never draw.
"""

from __future__ import annotations

import colorsys
import hashlib
import io
import math
import random
import stat
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image, ImageDraw

SHAPES = ("circle", "square", "triangle")

MAX_FILE_BYTES = 20 * 1024 * 1024
"""Largest picture a probe carries: above it the upload is measured, not the model."""

MAX_PIXELS = 50_000_000
"""150 MB once decoded; a small file can claim billions."""

MIN_SIDE, MAX_SIDE = 64, 4096

# Shapes are drawn this many times larger and scaled down: smooth edges without a
# drawing library, at about 12 ms for 320 pixels.
_SUPERSAMPLE = 2
# JPEG keeps a textured 320x320 scene at 20 to 45 KB; PNG would need about 150 KB.
_JPEG_QUALITY = 90
# EXIF tag 274; its values 5 to 8 mean that width and height swap when shown upright.
_EXIF_ORIENTATION = 0x0112
_SWAPPING_ORIENTATIONS = frozenset({5, 6, 7, 8})

Box = tuple[float, float, float, float]
Colour = tuple[int, int, int]


class FrameError(ValueError):
    """A picture that cannot be used; the text names the file and says why."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One thing that is certainly in a frame."""

    label: str
    box: Box
    """x1, y1, x2, y2 in pixels of the frame, origin at the top left."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An encoded picture, ready to be sent."""

    name: str
    data: bytes
    media_type: str
    width: int
    height: int
    sha256: str
    """Hex digest of ``data``. Encoders differ between Pillow releases, so a drawn
    frame is only byte-identical as long as Pillow stays the same."""
    drawn: tuple[Drawn, ...] | None
    """What is in it, or None when nobody knows (a file)."""


@dataclass(frozen=True, slots=True)
class _Shape:
    label: str
    centre: tuple[float, float]
    radius: float
    angle: float
    colour: Colour


@lru_cache(maxsize=16)
def synthetic(seed: int, *, size: int = 320) -> Frame:
    """Draw the scene of ``seed``: three to five well separated shapes, as JPEG.

    The same seed gives the same scene for ever; ``size`` is the side in pixels and
    scales the scene. Raises ValueError for a size outside 64 to 4096.
    """
    image, drawn = draw(seed, size)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    data = buffer.getvalue()
    return Frame(
        name=f"synthetic-{seed}",
        data=data,
        media_type="image/jpeg",
        width=size,
        height=size,
        sha256=hashlib.sha256(data).hexdigest(),
        drawn=drawn,
    )


def draw(
    seed: int, size: int, *, variety: float = 0.0
) -> tuple[Image.Image, tuple[Drawn, ...]]:
    """Draw a scene and say what is in it, in drawing order.

    ``variety`` 0 is what probes send. Towards 1 the scene gets harder than any probe,
    which is what a model is trained on: one to seven shapes, smaller, more rotated,
    closer in colour to the ground, among lines that are nothing.
    Raises ValueError for a size outside 64 to 4096 or a variety outside 0 to 1.
    """
    if not MIN_SIDE <= size <= MAX_SIDE:
        raise ValueError(f"size must be {MIN_SIDE} to {MAX_SIDE} pixels, got {size}")
    if not 0.0 <= variety <= 1.0:
        raise ValueError(f"variety must be 0 to 1, got {variety}")
    from PIL import Image, ImageDraw

    # One generator per scene, so that a seed is a scene.
    rng = random.Random(seed)  # noqa: S311 - pictures, not secrets
    # The grain has one of its own: how much it draws depends on the size, and the
    # same seed shall be the same scene at every size.
    grain_rng = random.Random(rng.getrandbits(32))  # noqa: S311 - as above
    ground_colour = _colour(rng, 0.15, 0.85, 0.45)
    ground = _ground(grain_rng, size, variety, ground_colour)
    shapes = _arrange(rng, size, variety, ground_colour)
    big = size * _SUPERSAMPLE
    canvas = ground.resize((big, big), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(canvas)
    _litter(rng, pen, big, variety)
    for shape in shapes:
        _stamp(pen, shape, _SUPERSAMPLE)
    image = canvas.resize((size, size), Image.Resampling.BOX)
    return image, tuple(Drawn(s.label, _box(s)) for s in shapes)


def from_file(path: Path) -> Frame:
    """Read a picture, check that it decodes, and send its bytes untouched.

    Raises FrameError, naming the file, when it is missing, unreadable, larger than
    20 MB, not an image, damaged, or so many pixels that decoding it would be an attack.
    """
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise FrameError(f"{path}: is a directory, not an image")
        if not stat.S_ISREG(found.st_mode):
            # A pipe would never end, and neither would /dev/zero.
            raise FrameError(f"{path}: is not a regular file")
        length = found.st_size
        if length > MAX_FILE_BYTES:
            raise FrameError(
                f"{path}: {length / 1e6:.1f} MB is too large for a probe "
                f"(at most {MAX_FILE_BYTES // 2**20} MiB)"
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise FrameError(f"{path}: no such file") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FrameError(f"{path}: cannot be read: {reason}") from error
    try:
        width, height, media_type = _inspect(data)
    except ValueError as error:
        raise FrameError(f"{path}: {error}") from error
    return Frame(
        name=path.name,
        data=data,
        media_type=media_type,
        width=width,
        height=height,
        sha256=hashlib.sha256(data).hexdigest(),
        drawn=None,
    )


def _inspect(data: bytes) -> tuple[int, int, str]:
    """Width and height as shown upright, and the media type. Raises ValueError."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            if width * height <= MAX_PIXELS:
                image.load()
            orientation = image.getexif().get(_EXIF_ORIENTATION)
            kind = image.format or ""
    except UnidentifiedImageError:
        raise ValueError("not an image that Pillow can read") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        # Above 179 million pixels Pillow itself refuses.
        raise ValueError(f"more than {MAX_PIXELS:,} pixels") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # Pillow's plugins raise all four for damaged files.
        raise ValueError(f"a damaged image ({error})") from error
    if width * height > MAX_PIXELS:
        raise ValueError(f"more than {MAX_PIXELS:,} pixels")
    if orientation in _SWAPPING_ORIENTATIONS:
        width, height = height, width
    return width, height, Image.MIME.get(kind, "application/octet-stream")


# --- the scene -----------------------------------------------------------------------


def _ground(
    rng: random.Random, size: int, variety: float, colour: Colour
) -> Image.Image:
    """Draw the textured ground: noise of three coarsenesses around one colour.

    The bytes come from ``rng``: Pillow's own noise uses the C library's generator,
    which cannot be seeded.
    """
    from PIL import Image, ImageChops

    ground = Image.new("RGB", (size, size), colour)
    grain = rng.uniform(0.06, 0.12) * (1.0 + variety)
    for cells, strength in ((5, 0.30), (size // 8, 0.16), (size // 2, grain)):
        noise = Image.frombytes("L", (cells, cells), rng.randbytes(cells * cells))
        noise = noise.resize((size, size), Image.Resampling.BICUBIC)
        layer = noise.point([round((v - 127.5) * strength) + 128 for v in range(256)])
        ground = ImageChops.add(
            ground, Image.merge("RGB", (layer, layer, layer)), offset=-128
        )
    return ground


def _arrange(
    rng: random.Random, size: int, variety: float, ground: Colour
) -> list[_Shape]:
    """Place shapes so that no two of their boxes come near each other."""
    count = rng.randint(3, 5)
    if rng.random() < variety:
        count = rng.randint(1, 7)
    smallest = 0.095 - 0.035 * variety
    largest = 0.155 + 0.075 * variety
    gap = size * (0.03 - 0.015 * variety)
    shapes: list[_Shape] = []
    for _ in range(count):
        label = rng.choice(SHAPES)
        radius = size * rng.uniform(smallest, largest)
        tilt = _TILT[label] * (1.0 + variety)
        angle = rng.uniform(-tilt, tilt)
        colour = _distinct_colour(rng, ground, 120.0 - 45.0 * variety)
        while True:
            margin = radius + size * 0.01
            x, y = (rng.uniform(margin, size - margin) for _ in range(2))
            shape = _Shape(label, (x, y), radius, angle, colour)
            if all(_apart(_box(shape), _box(other), gap) for other in shapes):
                break
            # Shrinking slowly ends every search: a full scene takes small shapes.
            radius *= 0.99
        shapes.append(shape)
    return shapes


# Degrees either way. A square turned by 45 is a diamond and a triangle turned by 60 is
# upside down; neither is needed to ask whether a model works.
_TILT = {"circle": 0.0, "square": 12.0, "triangle": 18.0}


def _litter(
    rng: random.Random, pen: ImageDraw.ImageDraw, side: int, variety: float
) -> None:
    """Strew thin lines which are nothing: a model must not answer to any edge."""
    for _ in range(rng.randint(1, 3) + round(5 * variety * rng.random())):
        ends = [(rng.uniform(0, side), rng.uniform(0, side)) for _ in range(2)]
        width = max(1, round(side * rng.uniform(0.002, 0.004 + 0.006 * variety)))
        pen.line(ends, fill=_colour(rng, 0.1, 0.9, 0.5), width=width)


def _stamp(pen: ImageDraw.ImageDraw, shape: _Shape, scale: int) -> None:
    """Paint one shape, with a thin darker rim, ``scale`` times larger."""
    rim: Colour = (
        int(shape.colour[0] * 0.7),
        int(shape.colour[1] * 0.7),
        int(shape.colour[2] * 0.7),
    )
    width = max(1, round(shape.radius * scale * 0.06))
    if shape.label == "circle":
        x1, y1, x2, y2 = (edge * scale for edge in _box(shape))
        pen.ellipse((x1, y1, x2, y2), fill=shape.colour, outline=rim, width=width)
        return
    points = [(x * scale, y * scale) for x, y in _corners(shape)]
    pen.polygon(points, fill=shape.colour, outline=rim, width=width)


def _corners(shape: _Shape) -> list[tuple[float, float]]:
    """Corners of a square (first at upper right) or of a triangle (apex on top)."""
    count, first = (4, -45.0) if shape.label == "square" else (3, -90.0)
    x, y = shape.centre
    turns = [
        math.radians(first + shape.angle + step * 360.0 / count)
        for step in range(count)
    ]
    return [
        (x + shape.radius * math.cos(t), y + shape.radius * math.sin(t)) for t in turns
    ]


def _box(shape: _Shape) -> Box:
    x, y = shape.centre
    if shape.label == "circle":
        r = shape.radius
        return (x - r, y - r, x + r, y + r)
    xs, ys = zip(*_corners(shape), strict=True)
    return (min(xs), min(ys), max(xs), max(ys))


def _apart(one: Box, other: Box, gap: float) -> bool:
    """Whether the boxes are at least ``gap`` pixels apart, side by side or stacked."""
    return (
        one[0] - other[2] >= gap
        or other[0] - one[2] >= gap
        or one[1] - other[3] >= gap
        or other[1] - one[3] >= gap
    )


def _colour(
    rng: random.Random, darkest: float, lightest: float, saturation: float
) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(
        rng.random(), rng.uniform(0.0, saturation), rng.uniform(darkest, lightest)
    )
    return (round(red * 255), round(green * 255), round(blue * 255))


def _distinct_colour(rng: random.Random, ground: Colour, distance: float) -> Colour:
    """Return a colour at least ``distance`` away from the ground, in RGB units."""
    while True:
        colour = _colour(rng, 0.05, 1.0, 1.0)
        if math.dist(colour, ground) >= distance:
            return colour
