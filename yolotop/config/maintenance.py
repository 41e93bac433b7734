"""Planned work as people write it: once, every day, or every week; in UTC.

Owns the text form of a maintenance window. It must not know what happens in one.

- ``"2026-11-24T02:00Z/2026-11-24T04:30Z"``: once;
- ``"daily 02:00-04:00"``: every day;
- ``"sun 22:00-02:00"``: every week; an end before the beginning is on the next day.

Times without ``Z`` or an offset are UTC too: a monitor must not skip or repeat an hour
twice a year.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from yolotop.config.problems import quoted
from yolotop.model import Maintenance

FORMS: Final = (
    '"daily 02:00-04:00", "sun 02:00-04:00" or '
    '"2026-11-24T02:00Z/2026-11-24T04:00Z" (UTC)'
)
_MOST: Final = 50
_DAY_S: Final = 86_400
_WEEK_S: Final = 7 * _DAY_S
# The first of January 1970, where the count of seconds begins, was a Thursday.
_DAYS: Final = ("thu", "fri", "sat", "sun", "mon", "tue", "wed")
_RECURRING: Final = re.compile(
    r"(daily|mon|tue|wed|thu|fri|sat|sun) +(\d\d?):(\d\d) *- *(\d\d?):(\d\d)",
    re.ASCII | re.IGNORECASE,
)


def parse_maintenance(text: str) -> Maintenance:
    """The window in ``text``. Raises ValueError with the rest of a sentence."""
    text = text.strip()
    recurring = _RECURRING.fullmatch(text)
    if recurring is not None:
        day, *clock = recurring.groups()
        return _recurring(day.lower(), [int(part) for part in clock], text)
    begin, slash, end = text.partition("/")
    if not slash:
        raise ValueError(f"{quoted(text)} is not a window; write {FORMS}")
    start_at, end_at = parse_instant(begin), parse_instant(end)
    if end_at <= start_at:
        raise ValueError(f"{quoted(text)} ends before it begins")
    return Maintenance(start_at, end_at - start_at)


def parse_instant(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 time; UTC where it has no offset."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{quoted(text)} is not a time; write it as 2026-11-24T02:00Z"
        ) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return found.timestamp()


def as_maintenance(value: object) -> tuple[Maintenance, ...]:
    """The windows of a config file: an array of texts."""
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise ValueError(f"must be an array of windows such as [{FORMS}]")  # noqa: TRY004 - a rule has one way to say no
    if len(value) > _MOST:
        raise ValueError(f"holds {len(value)} windows; {_MOST} are the most")
    found = []
    for text in value:
        if not isinstance(text, str):
            raise ValueError(f"must hold texts such as {FORMS}")  # noqa: TRY004 - a rule has one way to say no
        found.append(parse_maintenance(text))
    return tuple(found)


def _recurring(day: str, clock: list[int], text: str) -> Maintenance:
    from_hour, from_minute, to_hour, to_minute = clock
    if max(from_hour, to_hour) > 24 or max(from_minute, to_minute) > 59:
        raise ValueError(f"{quoted(text)} holds a time that no clock shows")
    start = (from_hour * 60 + from_minute) * 60
    end = (to_hour * 60 + to_minute) * 60
    if max(start, end) > _DAY_S:
        raise ValueError(f"{quoted(text)} holds a time that no clock shows")
    if end == start:
        raise ValueError(f"{quoted(text)} has no length")
    length = float(end - start if end > start else end - start + _DAY_S)
    if day == "daily":
        return Maintenance(float(start), length, float(_DAY_S))
    return Maintenance(float(_DAYS.index(day) * _DAY_S + start), length, float(_WEEK_S))
