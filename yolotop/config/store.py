"""``[store]``: how long and how large the history may be.

Owns its keys and the text form of a size. It must not know how any of it is done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from yolotop.config.duration import LONGEST_S
from yolotop.config.problems import Findings, quoted
from yolotop.config.table import Table, as_text
from yolotop.model import StoreSettings

STORE_KINDS: Final[Mapping[str, str]] = {
    "max_size": "text",
    "min_free": "text",
    "raw": "text",
    "slots": "text",
    "hours": "text",
    "events": "text",
    "allow_network": "boolean",
}
SMALLEST: Final = 8_000_000
"""Under 8 MB there is no room for a day of rollups of a small fleet."""
FORM: Final = 'a size such as "512MB" or "2GB"'

_DAY_S: Final = 86_400.0
_UNITS: Final = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE: Final = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([KMGT]B)", re.ASCII)


def parse_size(text: str) -> int:
    """Bytes in ``text``: decimal units, ``"512MB"`` is 512,000,000.

    Raises :class:`ValueError` whose text says what is wrong.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("is not a size")
    # A float would lose bytes from 9 PB on.
    return round(Fraction(match[1]) * _UNITS[match[2]])


def read_store(
    values: Mapping[str, object], override: Mapping[str, object], findings: Findings
) -> StoreSettings:
    """The settings; each source is read alone first, so that a problem has a place."""
    scope = findings.scope("[store]", "store")
    Table(values, scope, {}).only(tuple(STORE_KINDS))
    _settings(Table(values, scope, {}))
    outer = scope.child("YOLOTOP_STORE_…", source="environment")
    _settings(Table(override, outer, {}))
    return _settings(Table({}, scope, {**values, **override}))


def _settings(table: Table) -> StoreSettings:
    plain = StoreSettings()

    def kept(key: str, fallback: float) -> float:
        return table.duration(key, fallback, low=_DAY_S / 24, high=LONGEST_S)

    return StoreSettings(
        raw_s=kept("raw", plain.raw_s),
        # A day of them, or the range of 24 h would begin in nothing.
        slots_s=table.duration("slots", plain.slots_s, low=_DAY_S, high=LONGEST_S),
        hours_s=table.duration("hours", plain.hours_s, low=_DAY_S, high=LONGEST_S),
        events_s=kept("events", plain.events_s),
        max_bytes=table.read("max_size", plain.max_bytes, _as_most),
        min_free_bytes=table.read("min_free", plain.min_free_bytes, _as_size),
        allow_network=table.boolean("allow_network", fallback=plain.allow_network),
    )


def _as_most(value: object) -> int | None:
    if value == "none":
        return None
    size = _as_size(value)
    if size < SMALLEST:
        raise ValueError(f"{quoted(value)} is too small; 8MB is the least")
    return size


def _as_size(value: object) -> int:
    text = as_text(value)
    try:
        return parse_size(text)
    except ValueError as error:
        raise ValueError(f"{quoted(text)} {error}; write {FORM}") from None
