"""Tensors on their way in: answers of the Open Inference Protocol, JSON or bytes.

Owns taking an answer apart into numbers and texts, and what of a stranger's sizes is
believed: nothing that does not add up. Must not know what the numbers mean.
"""

from __future__ import annotations

import math
import re
import struct
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from yolotop.probe.dialects.decoding import decode
from yolotop.probe.dialects.protocol import BadResponse
from yolotop.probe.dialects.tensors import LENGTH_HEADER
from yolotop.probe.messages import Reply
from yolotop.probe.refusal import said
from yolotop.text import clean

MOST_NUMBERS: Final = 8_000_000
"""Numbers in one tensor: 32 MiB of FP32."""

_LONG: Final = 16 * 1024
"""Bytes of a list of numbers from which it is read piece by piece, and of a piece. To
read the numbers of [1,84,8400] at once takes 60 ms and more in which, thread or not,
nothing else runs in this process: 60 ms in the figures of every other probe."""

_MOST_SIDES: Final = 8
_LONGEST_LENGTH: Final = 12
_LONGEST_NAME: Final = 80
_LARGEST_SIDE: Final = 2**31

_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "FP16": "e",
        "FP32": "f",
        "FP64": "d",
        "INT8": "b",
        "UINT8": "B",
        "INT16": "h",
        "UINT16": "H",
        "INT32": "i",
        "UINT32": "I",
        "INT64": "q",
        "UINT64": "Q",
    }
)


@dataclass(frozen=True, slots=True)
class Output:
    """One tensor of an answer: ``raw`` little-endian bytes, or ``data`` from JSON."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    raw: memoryview | None = field(default=None, repr=False)
    data: object = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """How many elements the shape holds."""
        return math.prod(self.shape)

    def floats(self) -> array[float]:
        """All numbers as FP32, row by row; each is finite. Raises BadResponse."""
        if self.datatype not in _CODES:
            raise BadResponse(f'{self.name} is of "{self.datatype}", not of numbers')
        if self.raw is not None:
            found = _floats(self.raw, _CODES[self.datatype])
        else:
            found = self._from_json()
        if not _finite(found):
            raise BadResponse(f"{self.name} holds numbers that are not finite")
        return found

    def _from_json(self) -> array[float]:
        data = self.data
        if not isinstance(data, array):
            data = _as_floats(_flat(data, self.name), self.name)
        if len(data) != self.size:
            raise BadResponse(
                f"{self.name} is of the shape {list(self.shape)} "
                f"but holds {len(data):,} values"
            )
        return data

    def text(self) -> bytes:
        """The first element of a BYTES tensor. Raises BadResponse."""
        if self.raw is None:
            values = _flat(self.data, self.name)
            if values and isinstance(values[0], str):
                return values[0].encode("utf-8", errors="replace")
        elif len(self.raw) >= 4:
            (length,) = struct.unpack_from("<I", self.raw)
            if length <= len(self.raw) - 4:
                return bytes(self.raw[4 : 4 + length])
        raise BadResponse(f"{self.name} holds no text where one is announced")


def top_bytes(numbers: array[float]) -> bytes:
    """The byte with the sign and seven bits of the exponent, of each number of FP32.

    Numbers that are not negative are in the order of these bytes, as far as they go.
    """
    first = 3 if sys.byteorder == "little" else 0
    return numbers.tobytes()[first::4]


def _finite(numbers: array[float]) -> bool:
    tops = top_bytes(numbers)
    if not tops.count(0x7F) and not tops.count(0xFF):
        return True  # nothing above 1.7e38, in a tenth of the time
    # No finite number of FP32 reaches 1e39, and 8 million of them no infinity.
    return math.isfinite(sum(numbers))


def _floats(raw: memoryview, code: str) -> array[float]:
    if code == "e":  # an array has no half numbers
        return array("f", struct.unpack(f"<{len(raw) // 2}e", raw))
    numbers: array[float] = array(code)
    numbers.frombytes(raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers if code == "f" else array("f", numbers)


def _flat(data: object, name: str) -> list[Any]:
    """``data`` may be nested as the shape is, or flat."""
    if not isinstance(data, list):
        raise BadResponse(f"{name} holds no list of values")
    for _ in range(_MOST_SIDES):
        if not data or not isinstance(data[0], list):
            break
        if not all(type(row) is list for row in data):
            raise BadResponse(f"{name} holds lists and values side by side")
        data = list(chain.from_iterable(data))
    return data


@dataclass(frozen=True, slots=True)
class Inference:
    """A decoded answer: who gave it, and its tensors in order."""

    model: str | None
    version: str | None
    outputs: tuple[Output, ...]

    def output(self, name: str) -> Output:
        """The tensor of that name, or the only one there is. Raises BadResponse."""
        for one in self.outputs:
            if one.name == name:
                return one
        if len(self.outputs) == 1:
            return self.outputs[0]
        names = ", ".join(one.name for one in self.outputs[:8])
        raise BadResponse(
            f'the answer holds no output "{name}" but {names}: set tensor.output'
        )


def inference(reply: Reply) -> Inference:
    """Read a 2xx answer, JSON or with tensors behind it. Raises BadResponse."""
    head, rest = _parts(reply)
    head, lists = _lifted(head)
    payload = decode(head)
    if not isinstance(payload, dict):
        raise BadResponse("the answer is JSON, but not an object")
    listed = payload.get("outputs")
    if not isinstance(listed, list):
        what = said(payload)
        raise BadResponse(
            f"the answer is an error: {what}"
            if what
            else "the answer holds no list of outputs"
        )
    if not listed:
        raise BadResponse("the answer holds no output")
    return Inference(
        _word(payload.get("model_name")),
        _word(payload.get("model_version")),
        _outputs(listed, rest, lists),
    )


_DATA: Final = b'"data"'
_OPENS: Final = re.compile(rb"[ \t\r\n]*+:[ \t\r\n]*+\[")
_NOT_FLAT: Final = (b"[", b"{", b'"')


def _lifted(body: bytes) -> tuple[bytes, Mapping[str, array[float]]]:
    """``body`` without its long flat lists of numbers, and those by what stands there.

    Between two quotes that are not escaped, ``data`` is a name and nothing else, or the
    body is no JSON and what is left of it neither.
    """
    kept: list[bytes] = []
    lists: dict[str, array[float]] = {}
    at = done = 0
    while (at := body.find(_DATA, at)) >= 0:
        escaped = body[at - 1 : at] == b"\\"
        at += len(_DATA)
        opens = None if escaped else _OPENS.match(body, at)
        if opens is None:
            continue
        start, end = opens.end(), body.find(b"]", opens.end())
        if end - start < _LONG or any(
            body.find(sign, start, end) >= 0 for sign in _NOT_FLAT
        ):
            continue
        # A text that asks for another's list gets what its sender sent anyway.
        name = f"list {len(lists)}"
        lists[name] = _numbers(body, start, end)
        kept += (body[done : start - 1], b'"%b"' % name.encode())
        at = done = end + 1
    return b"".join((*kept, body[done:])), lists


def _numbers(body: bytes, start: int, end: int) -> array[float]:
    found: array[float] = array("f")
    while start < end:
        stop = body.find(b",", start + _LONG, end)
        stop = end if stop < 0 else stop
        piece = decode(b"[%b]" % body[start:stop])
        assert isinstance(piece, list)
        found.extend(_as_floats(piece, "the answer"))
        if len(found) > MOST_NUMBERS:
            raise BadResponse(f"the answer holds more than {MOST_NUMBERS:,} numbers")
        start = stop + 1
        if start == end:
            raise BadResponse("the answer is not JSON: a list of it ends in a comma")
    return found


def _as_floats(values: list[Any], name: str) -> array[float]:
    try:
        return array("f", values)
    except (TypeError, OverflowError):
        raise BadResponse(f"{name} holds values that are no numbers") from None


def _parts(reply: Reply) -> tuple[bytes, memoryview]:
    # Views: each copy of 3 MB costs a millisecond in fresh pages.
    told = reply.header(LENGTH_HEADER)
    if told is None:
        return reply.body, memoryview(b"")
    told = told.strip()
    if not (told.isascii() and told.isdigit() and len(told) <= _LONGEST_LENGTH):
        raise BadResponse(f"{LENGTH_HEADER} is no number")
    length = int(told)
    if length > len(reply.body):
        raise BadResponse(
            f"{LENGTH_HEADER} tells {length:,} bytes of a body of {len(reply.body):,}"
        )
    return reply.body[:length], memoryview(reply.body)[length:]


def _outputs(
    listed: list[object], rest: memoryview, lists: Mapping[str, array[float]]
) -> tuple[Output, ...]:
    found: list[Output] = []
    at = 0
    for number, item in enumerate(listed[:64], start=1):
        if not isinstance(item, dict):
            raise BadResponse(f"output {number} of the answer is not an object")
        name = _word(item.get("name")) or f"output {number}"
        datatype = _word(item.get("datatype")) or ""
        shape = _shape(item.get("shape"), name)
        parameters = item.get("parameters")
        size = (
            parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        )
        if size is None:
            data = item.get("data")
            if isinstance(data, str):
                data = lists.get(data)
            found.append(Output(name, datatype, shape, None, data))
            continue
        if type(size) is not int or not 0 <= size <= len(rest) - at:
            raise BadResponse(
                f"{name} tells a size of its bytes that the answer does not have"
            )
        raw, at = rest[at : at + size], at + size
        _check_size(name, datatype, shape, size)
        found.append(Output(name, datatype, shape, raw))
    if at != len(rest):
        raise BadResponse(f"{len(rest) - at:,} bytes follow the last output")
    return tuple(found)


def _check_size(name: str, datatype: str, shape: tuple[int, ...], size: int) -> None:
    code = _CODES.get(datatype)
    if code is None:
        return  # BYTES have lengths of their own; nobody reads the rest
    wanted = math.prod(shape) * struct.calcsize(f"<{code}")
    if size != wanted:
        raise BadResponse(
            f"{name} is {datatype} of the shape {list(shape)}, which are "
            f"{wanted:,} bytes, but {size:,} came"
        )


def _shape(value: object, name: str) -> tuple[int, ...]:
    if (
        not isinstance(value, list)
        or len(value) > _MOST_SIDES
        or not all(type(side) is int and 0 <= side < _LARGEST_SIDE for side in value)
    ):
        raise BadResponse(f"{name} has no shape, or none that is possible")
    if math.prod(value) > MOST_NUMBERS:
        raise BadResponse(f"{name} claims more than {MOST_NUMBERS:,} numbers")
    return tuple(value)


def _word(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    if isinstance(value, int):
        # More than 4,300 digits have no text in Python.
        return str(value) if abs(value) < 10**18 else None
    return clean(value[: _LONGEST_NAME * 4], limit=_LONGEST_NAME) or None
