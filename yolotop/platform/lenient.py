"""Values out of JSON that somebody else's contract describes, and may change.

Owns reading one value: of another type it is as good as missing, foreign text is clean.
It must not know what a value means.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from yolotop.text import clean, redact

Json: TypeAlias = Mapping[str, object]

LONGEST = 300
"""Characters of a name or a message that are kept."""


def table(value: object) -> Json:
    """``value`` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def tables(value: object) -> Iterator[Json]:
    """The objects of a list; what else is in it is passed over."""
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, Mapping))


def text(of: Json, key: str, *, limit: int = LONGEST, lines: bool = False) -> str:
    """A text, clean and without secrets; empty where there is none."""
    value = of.get(key)
    if not isinstance(value, str):
        return ""
    return redact(clean(value, limit=limit, lines=lines))


def number(of: Json, key: str) -> float | None:
    """A finite number; a truth value is none."""
    value = of.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def count(of: Json, key: str) -> int | None:
    """A whole number that is not negative."""
    found = number(of, key)
    return int(found) if found is not None and found >= 0 else None


def flag(of: Json, key: str) -> bool | None:
    """A truth value."""
    value = of.get(key)
    return value if isinstance(value, bool) else None


def instant(of: Json, key: str) -> float | None:
    """An ISO 8601 instant as seconds since 1970; without a zone it is UTC."""
    value = of.get(key)
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return found.timestamp()
    except (ValueError, OverflowError):
        return None
