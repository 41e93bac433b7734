"""How many there may be: ``">=1"``, ``"2..4"``, ``"0"``.

Owns the grammar of a count. It must not know what is counted. A count is read when the
configuration is; what it does not understand is refused there, so that no typing
mistake can come to mean "any".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MOST_COUNTED: Final = 1_000_000
_COUNT: Final = re.compile(
    r"(==|<=|>=|<|>)?\s*(\d{1,7})(?:\s*\.\.\s*(\d{1,7}))?", re.ASCII
)
_FORM: Final = 'write one such as ">=1", "2..4" or "0"'


@dataclass(frozen=True, slots=True)
class Count:
    """From ``low`` to ``high`` (``None``: without end), both ends included."""

    low: int = 0
    high: int | None = None

    def __str__(self) -> str:
        if self.high is None:
            return f"at least {self.low}"
        if self.low == self.high:
            return f"{self.low}"
        return f"at most {self.high}" if not self.low else f"{self.low} to {self.high}"

    def holds(self, count: int) -> bool:
        """Whether that many are right."""
        return self.low <= count and (self.high is None or count <= self.high)


@lru_cache(maxsize=512)
def parse_count(text: str) -> Count:
    """Read ``>=1``, ``<3``, ``==2``, ``2`` or ``2..4``. Raises ValueError."""
    match = _COUNT.fullmatch(text.strip()) if len(text) <= 40 else None
    if match is None or (match[1] and match[3]):
        raise ValueError(f"is not a count; {_FORM}")
    sign, number, end = match[1] or "==", int(match[2]), match[3]
    low, high = number, int(end) if end is not None else number
    if sign == ">=":
        found = Count(number)
    elif sign == ">":
        found = Count(number + 1)
    elif sign == "<=":
        found = Count(0, number)
    elif sign == "<":
        found = Count(0, number - 1)
    else:
        found = Count(low, high)
    if found.high is not None and found.high < found.low:
        raise ValueError(f"holds for no number; {_FORM}")
    if max(found.low, found.high or 0) > MOST_COUNTED:
        raise ValueError(f"is above {MOST_COUNTED:,}, which no answer holds")
    return found
