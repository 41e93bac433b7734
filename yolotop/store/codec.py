"""How one probe becomes a few bytes: durations in a blob, messages in templates.

Owns the packed form of what differs from probe to probe (latency, phases, the
server's own times, detections, the numbers in a message). It must not know SQL; any
back end may keep the bytes.

A blob is a varint mask of what is there, then one varint for each:

====  ==========================================================================
bit   value
====  ==========================================================================
0–5   phases dns … receive, in units of 10 µs
6     number of detections
7–9   the server's preprocess, inference, postprocess, in units of 10 µs
10    there is no latency; otherwise one follows here: zigzag µs, less the phases
11    what is left is the message itself (UTF-8); otherwise the numbers of its template
12    the server's queue, in units of 10 µs, after its steps
====  ==========================================================================

The latency is told as the difference from its phases because it is nearly their sum:
one byte instead of three. Phases are kept to 10 µs, which is below what one wake-up
of an event loop costs and saves four bytes a probe.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yolotop.judge.varint import put, take, unzigzag, zigzag
from yolotop.model import PHASE_NAMES, Phases, ServerTimes

HOLE: Final = "\x1f"
"""Stands in a template where a number was. ``clean()`` lets no such character in."""

_SERVER_NAMES: Final = ("preprocess", "inference", "postprocess", "queue")
_DETECTIONS: Final = 1 << 6
_SERVER: Final = 1 << 7
_NO_LATENCY: Final = 1 << 10
_PHASE_BITS: Final = tuple(1 << bit for bit in range(6))
_SERVER_BITS: Final = (*(_SERVER << bit for bit in range(3)), 1 << 12)
_SERVER_TIMES: Final = sum(_SERVER_BITS)
_DURATIONS: Final = sum(_PHASE_BITS) | _DETECTIONS | _SERVER_TIMES
_INLINE: Final = 1 << 11
_US_PER_TICK: Final = 10

# No leading zero and at most 15 digits: such a run is its own number and back again.
_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")


@dataclass(frozen=True, slots=True)
class Packed:
    """The blob of one probe, unpacked. ``inline`` is its message if that is inside."""

    latency_ms: float | None
    phases: Phases
    server: ServerTimes | None
    detections: int | None
    inline: str | None
    numbers: tuple[int, ...]


def split_numbers(message: str) -> tuple[str, tuple[int, ...]]:
    """A message as a template with holes and the numbers that fill them."""
    numbers = tuple(int(found) for found in _NUMBER.findall(message))
    return _NUMBER.sub(HOLE, message), numbers


def fill_numbers(template: str, numbers: Sequence[int]) -> str:
    """The message that :func:`split_numbers` took apart."""
    if not numbers:
        return template
    pieces = template.split(HOLE)
    out = [pieces[0]]
    for number, piece in zip(numbers, pieces[1:], strict=False):
        out += (str(number), piece)
    return "".join(out)


def whole_us(duration_ms: float | None) -> int | None:
    """A duration in whole microseconds; ``None`` for what cannot be one."""
    if duration_ms is None or not 0.0 <= duration_ms < math.inf:
        return None
    return round(duration_ms * 1000)


def stored_ms(duration_ms: float | None) -> float | None:
    """A latency as it will read back: rounded to 1 µs."""
    micros = whole_us(duration_ms)
    return None if micros is None else micros / 1000


def pack(
    *,
    latency_ms: float | None,
    phases: Phases,
    server: ServerTimes | None = None,
    detections: int | None = None,
    inline: str | None = None,
    numbers: Sequence[int] = (),
) -> bytes:
    """The blob of one probe. Durations that are none (negative, NaN) are left out."""
    mask, ticks, known = 0, 0, bytearray()
    for bit, name in enumerate(PHASE_NAMES):
        if (tick := _ticks(getattr(phases, name))) is not None:
            mask |= 1 << bit
            ticks += tick
            put(known, tick)
    if detections is not None:
        mask |= _DETECTIONS
        put(known, detections)
    for bit, name in zip(_SERVER_BITS, _SERVER_NAMES, strict=True):
        if server and (tick := _ticks(getattr(server, name))) is not None:
            mask |= bit
            put(known, tick)
    if (micros := whole_us(latency_ms)) is None:
        mask |= _NO_LATENCY
    else:
        put(known, zigzag(micros - ticks * _US_PER_TICK))
    if inline is not None:
        mask |= _INLINE
        known += inline.encode("utf-8", "replace")
    else:
        for number in numbers:
            put(known, number)
    head = bytearray()
    put(head, mask)
    return bytes(head + known)


def unpack(blob: bytes) -> Packed:
    """What :func:`pack` packed. Raises ValueError for a blob that ends too early."""
    try:
        return _unpack(blob)
    except IndexError as error:
        raise ValueError("a stored probe ends too early") from error


def _unpack(blob: bytes) -> Packed:
    mask, at = take(blob, 0)
    known = (mask & _DURATIONS).bit_count() + (not mask & _NO_LATENCY)
    values, at = _numbers(blob, at, known)
    told = iter(values)
    spent = [next(told) if mask & bit else None for bit in _PHASE_BITS]
    detections = next(told) if mask & _DETECTIONS else None
    server = [next(told) / 100 if mask & bit else None for bit in _SERVER_BITS]
    latency_ms: float | None = None
    if not mask & _NO_LATENCY:
        ticks = sum(tick for tick in spent if tick)
        latency_ms = (unzigzag(next(told)) + ticks * _US_PER_TICK) / 1000
    numbers: list[int] = []
    if at < len(blob) and not mask & _INLINE:
        numbers, at = _numbers(blob, at, None)
    return Packed(
        latency_ms=latency_ms,
        phases=Phases(*[None if tick is None else tick / 100 for tick in spent]),
        server=_server_times(*server) if mask & _SERVER_TIMES else None,
        detections=detections,
        inline=blob[at:].decode() if mask & _INLINE else None,
        numbers=tuple(numbers),
    )


def _server_times(
    before: float | None, inside: float | None, after: float | None, queue: float | None
) -> ServerTimes:
    """The whole call is its parts, so it is not stored."""
    if queue is None or before is None or inside is None or after is None:
        return ServerTimes(before, inside, after, queue)
    return ServerTimes(before, inside, after, queue, before + inside + after + queue)


def _numbers(blob: bytes, at: int, n: int | None) -> tuple[list[int], int]:
    """``n`` varints, or all there are, and where they end; IndexError if they are cut.

    take() in a loop, without its calls: a terminal decodes every probe there is.
    """
    values: list[int] = []
    size = len(blob)
    while at < size if n is None else len(values) < n:
        byte = blob[at]
        at += 1
        number, shift = byte & 0x7F, 7
        while byte > 0x7F:
            byte = blob[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
        values.append(number)
    return values, at


def _ticks(duration_ms: float | None) -> int | None:
    micros = whole_us(duration_ms)
    return None if micros is None else round(micros / _US_PER_TICK)
