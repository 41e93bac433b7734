"""How the overview is shared out among its blocks, from 40 cells to 300.

Owns the arithmetic: pure, from a size to rows for each block. It must not know
Textual, nor what a block says. What does not fit folds, then goes: the numbers before
the bars, the failures before the latency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SIDE_FROM: Final = 96
"""Cells from which the numbers stand beside the charts."""
_SIDE_LEAST: Final = 36
_SIDE_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Share:
    """Rows for each block, 0 where it is left out; their headings are not in them.

    ``side`` is the width of the blocks beside the charts, 0 where they stand below.
    ``headed`` tells whether blocks have a heading of their own.
    """

    side: int
    latency: int
    traffic: int
    axis: int
    ribbon: int
    note: int
    waterfall: int
    budget: int
    failures: int
    headed: bool
    real: int = 0

    @property
    def chart_rows(self) -> int:
        """Rows of everything that has the time axis."""
        heads = 1 + (1 if self.traffic and (self.side or self.headed) else 0)
        return heads + self.latency + self.traffic + self.axis + self.ribbon


def share_out(width: int, height: int, *, parts: int, real: int = 0) -> Share:
    """The blocks' shares; ``parts`` is how many parts the waterfall could list, and

    ``real`` how many rows of real traffic there could be.
    """
    if width >= SIDE_FROM and height >= 12:
        return _beside(width, height, parts, real)
    return _below(height, parts, real)


def _beside(width: int, height: int, parts: int, real: int) -> Share:
    side = min(_SIDE_MOST, max(_SIDE_LEAST, width // 3))
    room = height - 6
    traffic = max(2, room // 5)
    # Three headings and two blank rows between.
    rest = height - 5
    if real:
        # Its heading and a blank row, and never more than a third.
        real = min(real, max(1, (rest - 2) // 3))
        rest -= real + 2
    budget = 4 if rest >= 14 else 2 if rest >= 9 else 1
    failures = min(6, max(1, (rest - budget) // 4))
    waterfall = min(rest - budget - failures, parts + 6)
    failures = min(10, rest - budget - waterfall)
    return Share(
        side=side,
        latency=room - traffic,
        traffic=traffic,
        axis=2,
        ribbon=1,
        note=1,
        waterfall=waterfall,
        budget=budget,
        failures=failures,
        headed=True,
        real=real,
    )


_WISHES: Final = (
    *(("ribbon", 1), ("waterfall", 2), ("budget", 1), ("failures", 1), ("note", 1)),
    *(("traffic", 2), ("latency", 3), ("failures", 1), ("latency", 1)),
    *(("budget", 1), ("failures", 1), ("latency", 2)),
)
"""What is given in turn, while there are rows."""


_REAL_FROM: Final = 9
"""Rows from which a page has one for real traffic: it is what the callers see."""


def _below(height: int, parts: int, real: int) -> Share:
    headed = height >= 44
    given = {
        "latency": 3,
        "traffic": 0,
        "ribbon": 0,
        "note": 0,
        "waterfall": 0,
        "budget": 0,
        "failures": 0,
    }
    axis = 2 if height >= 6 else 1
    # The latency's heading; the traffic's stands in its own rows' gutter.
    rest = height - 1 - axis - given["latency"] - (5 if headed else 0)
    shown = 0
    if real and height >= _REAL_FROM:
        shown = min(real, 5) if headed else 1
        rest -= shown + (2 if headed else 0)
    for name, rows in _WISHES:
        if rest >= rows:
            given[name] += rows
            rest -= rows
    if headed:
        for name, rows in (("waterfall", parts + 4), ("budget", 2), ("failures", 3)):
            more = min(rest, rows)
            given[name] += more
            rest -= more
    rest = max(0, rest)
    given["traffic"] += rest // 6
    given["latency"] += rest - rest // 6
    if height < 5:
        given["latency"] = max(0, height - 1 - axis)
    return Share(side=0, axis=axis, headed=headed, real=shown, **given)
