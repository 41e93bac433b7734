"""The end of something as a person types it: ``14:30``, ``2h``, ``2026-11-26 08:00``.

Owns reading it in local time, which is what a face shows. It must not know what ends.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from yolotop.config.duration import parse_duration
from yolotop.config.problems import quoted

FORMS: Final = "14:30, 2h or 2026-11-26 08:00"
_CLOCK: Final = re.compile(r"(\d\d?):(\d\d)", re.ASCII)


def parse_until(text: str, now: float) -> float:
    """The instant in ``text``, in seconds since 1970: after ``now``.

    A time of day is the next one there is. Times are local unless they say otherwise.
    Raises ValueError with a sentence.
    """
    text = text.strip()
    at = _instant(text, now)
    if at is None:
        raise ValueError(f"{quoted(text)} is no time; write {FORMS}")
    if at <= now:
        raise ValueError(f"{quoted(text)} is over; write a time to come")
    return at


def as_instant(at: float) -> str:
    """An instant as the collector takes it: ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(text: str, now: float) -> float | None:
    try:
        if clock := _CLOCK.fullmatch(text):
            return _next(int(clock[1]), int(clock[2]), now)
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        return now + parse_duration(text)
    except ValueError:
        return None


def _next(hour: int, minute: int, now: float) -> float:
    # Naive on purpose: local time, with whatever the clocks do in between.
    today = datetime.fromtimestamp(now)  # noqa: DTZ006
    at = today.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if at <= today:
        at += timedelta(days=1)
    return at.timestamp()
