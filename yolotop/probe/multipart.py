"""``multipart/form-data`` bodies, built once per image and settings.

Owns the encoding and a bounded memory of bodies: the same 45 KB go to every endpoint
with the same settings, every minute, so they are not put together again. Must not
know dialects or endpoints.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from yolotop.probe.frames import Frame

MOST_REMEMBERED: Final = 32 * 1024 * 1024
"""Bytes of bodies kept. Sixteen drawn scenes are 0.7 MB; large files push out old."""

Fields = tuple[tuple[str, str], ...]

_EXTENSIONS: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Form:
    """An encoded form and the ``Content-Type`` that goes with it."""

    content_type: str
    body: bytes = field(repr=False)


_remembered: OrderedDict[tuple[str, str, Fields], Form] = OrderedDict()


def form(file_field: str, frame: Frame, fields: Fields = ()) -> Form:
    """Encode ``frame`` as ``file_field`` after the plain ``fields``, in order."""
    key = (frame.sha256, file_field, fields)
    known = _remembered.get(key)
    if known is not None:
        _remembered.move_to_end(key)
        return known
    fresh = _encode(file_field, frame, fields)
    _remembered[key] = fresh
    while len(_remembered) > 1 and _remembered_bytes() > MOST_REMEMBERED:
        _remembered.popitem(last=False)
    return fresh


def _remembered_bytes() -> int:
    return sum(len(form.body) for form in _remembered.values())


def _encode(file_field: str, frame: Frame, fields: Fields) -> Form:
    # A digest of the content cannot occur in the content by accident, and is the same
    # for the same image, which keeps a request reproducible.
    boundary = "yolotop-" + hashlib.sha256(frame.sha256.encode()).hexdigest()[:32]
    # Some servers choose their decoder by the name's ending.
    name = "probe." + _EXTENSIONS.get(frame.media_type, "bin")
    parts = [
        (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        ).encode()
        for key, value in fields
    ]
    parts.append(
        (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{file_field}"; '
            f'filename="{name}"\r\n'
            f"Content-Type: {frame.media_type}\r\n\r\n"
        ).encode()
    )
    parts += [frame.data, f"\r\n--{boundary}--\r\n".encode()]
    return Form(f"multipart/form-data; boundary={boundary}", b"".join(parts))
