"""Body bytes as sent into body bytes as meant, never more than a cap.

Owns ``Content-Encoding``. Must not know sockets or HTTP framing. 194 KB of gzip can
become 200 MB, so the cap is on the output and is checked before it exists.
"""

from __future__ import annotations

import zlib
from typing import Final

from yolotop.probe.failures import BodyTooLarge, UndecodableBody
from yolotop.text import clean

ACCEPTED: Final = b"gzip, deflate"
"""What we tell servers we take."""

_GZIP: Final = 31  # zlib window bits: 15, plus 16 for a gzip header
_ZLIB: Final = 15
_RAW: Final = -15
_MOST_LAYERS: Final = 2


class Collector:
    """Takes raw chunks in order and keeps the unpacked body under ``limit`` bytes.

    Raises UndecodableBody for an encoding that was not asked for.
    """

    def __init__(self, encoding: str, *, limit: int) -> None:
        names = [
            name
            for part in encoding.lower().split(",")
            if (name := part.strip()) and name != "identity"
        ]
        if len(names) > _MOST_LAYERS:
            raise UndecodableBody(f"the body is packed {len(names)} times over")
        self._layers = [_layer(name, limit) for name in reversed(names)]
        self._limit = limit
        self._chunks: list[bytes] = []
        self._size = 0
        self._fed = False

    def feed(self, chunk: bytes) -> None:
        """Add a chunk. Raises BodyTooLarge or UndecodableBody."""
        self._fed = True
        for layer in self._layers:
            chunk = layer.feed(chunk)
        self._size += len(chunk)
        if self._size > self._limit:
            raise too_large(self._limit, packed=bool(self._layers))
        self._chunks.append(chunk)

    def finish(self) -> bytes:
        """Return the whole body. Raises UndecodableBody when it stops too early."""
        # No body at all is fine whatever the header says: HEAD, 204, 304, empty.
        if self._fed and not all(layer.complete for layer in self._layers):
            raise UndecodableBody("the packed body ends before its end")
        return b"".join(self._chunks)


def too_large(limit: int, *, packed: bool) -> BodyTooLarge:
    """Build the failure for a body over ``limit`` bytes."""
    size = f"{limit / 2**20:g} MiB" if limit >= 2**20 else f"{limit:,} bytes"
    return BodyTooLarge(
        f"the body {'unpacks to' if packed else 'is'} more than {size}; reading stopped"
    )


def _layer(name: str, limit: int) -> _Inflate:
    if name in ("gzip", "x-gzip"):
        return _Inflate("gzip", _GZIP, limit)
    if name == "deflate":
        return _Inflate("deflate", _ZLIB, limit)
    raise UndecodableBody(
        f"the body is encoded as {clean(name, limit=20)!r}, which was not asked for"
    )


class _Inflate:
    def __init__(self, name: str, window: int, limit: int) -> None:
        self._name = name
        self._window = window
        self._limit = limit
        self._inflate = zlib.decompressobj(window)
        self._produced = 0
        self._untouched = True

    @property
    def complete(self) -> bool:
        return self._inflate.eof

    def feed(self, data: bytes) -> bytes:
        out: list[bytes] = []
        while data:
            if self._inflate.eof:
                # gzip members may follow each other; anything else is padding.
                if self._window != _GZIP or not data.startswith(b"\x1f\x8b"):
                    break
                self._inflate = zlib.decompressobj(_GZIP)
            piece = self._step(data)
            self._produced += len(piece)
            if self._produced > self._limit:
                raise too_large(self._limit, packed=True)
            out.append(piece)
            data = self._inflate.unused_data
        return b"".join(out)

    def _step(self, data: bytes) -> bytes:
        # One byte over the cap is enough to know; max_length 0 would mean no limit.
        room = self._limit - self._produced + 1
        try:
            piece = self._inflate.decompress(data, room)
        except zlib.error as error:
            if not (self._untouched and self._window == _ZLIB):
                raise UndecodableBody(
                    f"the body is not the {self._name} it claims to be"
                ) from error
            # "deflate" is zlib by the standard and raw deflate by habit.
            self._window, self._untouched = _RAW, False
            self._inflate = zlib.decompressobj(_RAW)
            return self._step(data)
        self._untouched = False
        return piece
