"""Whole numbers in as few bytes as they need: LEB128 varints and zigzag.

Owns the one integer format of the packed histograms and probes. It must not know
what the numbers mean.
"""

from __future__ import annotations


def zigzag(number: int) -> int:
    """A signed number as an unsigned one that is small when the number is."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def unzigzag(number: int) -> int:
    """The signed number that :func:`zigzag` folded."""
    return number >> 1 if not number & 1 else -(number + 1 >> 1)


def put(out: bytearray, number: int) -> None:
    """Append a number ≥ 0: seven bits a byte, low bits first, high bit "goes on"."""
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def take(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at`` and where the next one starts; IndexError past the end."""
    byte = data[at]
    at += 1
    number, shift = byte & 0x7F, 7
    while byte > 0x7F:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
    return number, at
