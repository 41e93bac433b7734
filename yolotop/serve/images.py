"""The gate for pictures from strangers: bytes to upright RGB pixels, or a clear no.

Owns which formats are decoded and how many pixels are too many. Must not know models
or HTTP.
"""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageOps, UnidentifiedImageError

from yolotop.serve.engine import BadImageError

MAX_PIXELS = 50_000_000
"""150 MB once decoded; Pillow itself only warns up to 179 million."""

# What the Platform takes, as far as Pillow decodes it. Naming them keeps the exotic
# plugins away from strangers' bytes: the one for EPS starts Ghostscript.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "MPO", "JPEG2000", "AVIF")


def decode(data: bytes) -> Image.Image:
    """Decode the first frame of a picture, turned upright, as RGB.

    Raises BadImageError when it is no picture, damaged, of a format not listed, or of
    more than 50 million pixels (which are never allocated).
    """
    if not data:
        raise BadImageError("the image is empty")
    try:
        with Image.open(io.BytesIO(data), formats=formats()) as image:
            # The header is read, the pixels are not yet.
            if image.width * image.height <= MAX_PIXELS:
                return ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, ImportError):
        # ultralytics replaces Image.open by one that looks for its HEIF plugin when
        # nothing else fits: without the plugin that is an ImportError.
        raise BadImageError(
            f"the bytes are not an image; decoded are {', '.join(formats())}"
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        pass  # Above 179 million pixels Pillow itself refuses; said below.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        # What Pillow's plugins raise for damaged files. The text is not passed on: it
        # may quote the file.
        raise BadImageError("the image is damaged and cannot be decoded") from error
    raise BadImageError(
        f"the image has too many pixels; at most {MAX_PIXELS:,} are decoded"
    )


@cache
def formats() -> tuple[str, ...]:
    """Name the formats this Pillow decodes; the first call takes about 40 ms."""
    # Builds of Pillow lack one or another, and Image.open raises KeyError for those.
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)
