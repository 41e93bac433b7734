"""What a measurement comes to: a row with its mark, and the statistics behind it.

Owns percentiles and the shape of a row. It must not know how anything is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Progress = Callable[[float], None]
"""Is told the share of a row that is done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How the rows are to be measured. ``quick`` is shorter and proves less."""

    work: Path
    quick: bool = False

    def pick(self, full: int, quick: int) -> int:
        """A number of repetitions, seconds or rows."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    ``value`` is what is held against ``mark`` (``met`` says with what result; ``None``
    where a peer was missing, which ``note`` names). ``figures`` is all that was
    measured, with the unit at the end of each name.
    """

    name: str
    what: str
    ours: str
    mark: str
    value: float | None
    met: bool | None
    peers: str = "–"
    limit: str = "–"
    ratio: str = "–"
    note: str = ""
    figures: dict[str, float] = field(default_factory=dict)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest value that ``share`` of all do not exceed."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return percentile(values, 0.5)
