"""Calls a minute, for each key and category, in a sliding window.

Owns the counting and the headers of a refusal. It must not know what a call does.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Final

WINDOW_S: Final = 60.0
PER_MINUTE: Final[Mapping[str, int]] = {"default": 100, "predict": 20, "mutation": 10}


class Limits:
    """``now`` are seconds since 1970."""

    def __init__(
        self, now: Callable[[], float], per_minute: Mapping[str, int] = PER_MINUTE
    ) -> None:
        self._now = now
        self._per_minute = dict(per_minute)
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self.refused = 0

    def check(
        self, key: str, category: str
    ) -> tuple[dict[str, str], dict[str, object]] | None:
        """Count a call; headers and body of a 429 where it is one too many."""
        now = self._now()
        calls = self._calls[key, category]
        while calls and calls[0] <= now - WINDOW_S:
            calls.popleft()
        if len(calls) < self._per_minute[category]:
            calls.append(now)
            return None
        self.refused += 1
        reset_at = calls[0] + WINDOW_S
        wait_s = max(1, ceil(reset_at - now))
        reset = iso(reset_at)
        headers = {"retry-after": str(wait_s), "x-ratelimit-reset": reset}
        error = "Rate limit exceeded"
        return headers, {"error": error, "retryAfter": wait_s, "resetAt": reset}


def iso(at: float, timespec: str = "milliseconds") -> str:
    """``2026-11-26T10:00:00.123Z``; lines of the log have microseconds."""
    told = datetime.fromtimestamp(at, UTC).isoformat(timespec=timespec)
    return told.replace("+00:00", "Z")
