"""Tensors on their way out: questions of the Open Inference Protocol.

Owns how pixels are written as numbers, in JSON and in bytes, and the object around
them. Must not know how pixels come about, what comes back, or any server.

Without numpy, which the collector does not depend on. A pixel has 256 values, so each
byte of each number is a translation of the pixels, and planes of bytes are laid into
each other: 1.2 million numbers become JSON in 10 ms and FP32 in 5.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Final

from yolotop.probe.failures import UnsendableRequest

LENGTH_HEADER: Final = "Inference-Header-Content-Length"
"""Bytes of JSON in front of the tensors, counted before any gzip."""

_CODES: Final[Mapping[str, str]] = MappingProxyType({"FP16": "<e", "FP32": "<f"})


def binary(pixels: bytes, datatype: str) -> bytes:
    """Pixels as little-endian numbers: 0-255 as UINT8, 0-1 as FP32 or FP16.

    Raises UnsendableRequest for any other datatype.
    """
    if datatype == "UINT8":
        return pixels
    return _woven(pixels, _tables(datatype))


def written(pixels: bytes, datatype: str) -> bytes:
    """Pixels as the inside of a JSON array, 0-1 with three decimals or 0-255.

    Three decimals miss a pixel by an eighth of its step at most, and are a third of the
    bytes of all sixteen. Raises UnsendableRequest.
    """
    if datatype == "UINT8":
        return _woven(pixels, _WHOLE)[:-1]
    _tables(datatype)
    return _woven(pixels, _DECIMALS)[:-1]


def counted(data: bytes) -> bytes:
    """One BYTES element: its length, then itself."""
    return struct.pack("<I", len(data)) + data


def _planes(texts: Sequence[bytes]) -> tuple[bytes, ...]:
    """A translation for each byte of what the 256 values are written as."""
    return tuple(bytes(column) for column in zip(*texts, strict=True))


# All of one width, so that they can be woven: "0.498," and "  7,".
_DECIMALS: Final = _planes([b"%.3f," % (value / 255) for value in range(256)])
_WHOLE: Final = _planes([b"%3d," % value for value in range(256)])


@cache
def _tables(datatype: str) -> tuple[bytes, ...]:
    code = _CODES.get(datatype)
    if code is None:
        raise UnsendableRequest(
            f"no image is written as {datatype}: tensor.datatype can be FP32, FP16, "
            "UINT8 or BYTES"
        )
    return _planes([struct.pack(code, value / 255) for value in range(256)])


def _woven(pixels: bytes, tables: tuple[bytes, ...]) -> bytes:
    width = len(tables)
    woven = bytearray(len(pixels) * width)
    for place, table in enumerate(tables):
        woven[place::width] = pixels.translate(table)
    return bytes(woven)


def head(
    name: str, shape: Sequence[int], datatype: str, output: str, *, size: int | None
) -> dict[str, object]:
    """A request without its data. ``size`` is of the bytes behind it, if they are.

    The id is always the same: a server must get one (a KServe app that hands it on
    answers 500 without), and the same question may be sent as the same bytes.
    """
    given: dict[str, object] = {
        "name": name,
        "shape": list(shape),
        "datatype": datatype,
    }
    wanted: dict[str, object] = {"name": output}
    if size is not None:
        given["parameters"] = {"binary_data_size": size}
        wanted["parameters"] = {"binary_data": True}
    return {"id": "yolotop", "inputs": [given], "outputs": [wanted]}


def with_data(question: Mapping[str, object], data: bytes) -> bytes:
    """The JSON of a request with ``data``, the inside of a JSON array, in its input."""
    inputs = question["inputs"]
    assert isinstance(inputs, list)
    # Last of all, so that it is known where it goes without looking for it.
    before = {key: value for key, value in question.items() if key != "inputs"}
    hollow = compact({**before, "inputs": [{**inputs[0], "data": []}]})
    return hollow.removesuffix(_END) + data + _END


_END: Final = b"]}]}"


def compact(value: object) -> bytes:
    """JSON without blanks."""
    return json.dumps(value, separators=(",", ":")).encode()
