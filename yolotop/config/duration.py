"""Durations as people write them: ``"15s"``, ``"500ms"``, ``"1m30s"``.

Owns the text form of a duration, both ways. It must not know which key a duration
belongs to or what length is sensible there.
"""

from __future__ import annotations

import re
from typing import Final

_UNITS_MS: Final = {
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(ms|d|h|m|s)", re.ASCII)
LONGEST_S: Final = 400 * 86_400.0
"""Nothing is kept longer than 400 days, so nothing longer can be meant."""
FORM: Final = 'a duration such as "500ms", "15s", "2m", "1m30s" or "1h"'


def parse_duration(text: str) -> float:
    """Seconds in ``text``, to the millisecond and beyond.

    Units are ``d h m s ms``, largest first, each at most once; a decimal fraction is
    fine (``"1.5s"``). Raises :class:`ValueError` whose text says what is wrong.
    """
    rest = text.strip()
    if not rest:
        raise ValueError("is empty")
    if re.fullmatch(r"[\d.]+", rest, re.ASCII):
        raise ValueError("has no unit")
    total_ms, last = 0.0, None
    order = list(_UNITS_MS)
    while rest:
        match = _PART.match(rest)
        if match is None:
            raise ValueError("is not a duration")
        number, unit = match.groups()
        if last is not None and order.index(unit) <= order.index(last):
            raise ValueError("has its units out of order")
        total_ms += float(number) * _UNITS_MS[unit]
        last, rest = unit, rest[match.end() :].lstrip()
    seconds = total_ms / 1_000
    if seconds > LONGEST_S:
        raise ValueError("is longer than 400 days")
    return seconds


def format_duration(seconds: float) -> str:
    """``seconds`` as the shortest text that :func:`parse_duration` reads back.

    Rounded to the microsecond, the finest that the history keeps.
    """
    micros = round(seconds * 1_000_000)
    parts: list[str] = []
    for unit in ("d", "h", "m", "s"):
        size = _UNITS_MS[unit] * 1_000
        whole, micros = divmod(micros, size)
        if whole:
            parts.append(f"{whole}{unit}")
    if micros or not parts:
        millis = f"{micros / 1_000:.3f}".rstrip("0").rstrip(".")
        parts.append(f"{millis}ms" if micros else "0s")
    return "".join(parts)
