"""How a screen of any size is shared out: header, panels, cards, log, hints.

Owns the arithmetic of the dashboard: a pure function from a terminal's size and the
number of deployments to a :class:`Plan`. It must not know Textual. Nothing is ever
refused: what does not fit folds, then goes, the log and the panels before the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from math import ceil
from typing import Final

CARD_WIDTH: Final = 38
"""Cells that a boxed card wants at least."""
LINE_WIDTH: Final = 76
"""Cells that a deployment on one line wants at least."""
COMPACT_WIDTH: Final = 40
"""Cells that a deployment in the compact grid wants at least."""
COMPACT_WIDEST: Final = 100
"""Cells over which the eye loses its line between a name and its figures."""
COMPACT_COLUMNS: Final = 4
"""The most columns of the compact grid."""
LOG_LINES: Final = 8
"""Lines that the log keeps from 24 rows up."""


class View(StrEnum):
    """The ways to look at the deployments."""

    CARDS = "cards"
    COMPACT = "compact"
    TABLE = "table"
    MAP = "map"


class Density(IntEnum):
    """How tall a deployment is drawn, in rows."""

    ROOMY = 7
    FULL = 6
    SHORT = 4
    LINE = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows for each part, 0 where it is not shown; ``columns`` of deployments.

    ``found`` is the line that says what is looked for among them.
    """

    banner: int
    panels: int
    boxed_panels: bool
    deck: int
    density: Density
    columns: int
    log: int
    boxed_log: bool
    hints: int
    found: int = 0


def _panels(width: int, height: int) -> tuple[int, bool]:
    if width >= 96 and height >= 30:
        return (5 if height >= 46 else 4), True
    if height < 7:
        return 0, False
    return (2 if width < 72 and height >= 18 else 1), False


def _deck(width: int, room: int, cards: int, spare: int) -> tuple[Density, int, int]:
    """Density, columns and rows wanted for ``cards`` in ``room`` rows."""
    fit = max(1, width // CARD_WIDTH)
    for density in (Density.ROOMY, Density.FULL, Density.SHORT):
        if width < CARD_WIDTH:
            break
        lines = ceil(cards / min(fit, cards))
        columns = ceil(cards / lines)
        needed = lines * density
        if needed <= room - (spare if density is Density.ROOMY else 0):
            return density, columns, needed
    columns = min(max(1, width // LINE_WIDTH), cards)
    return Density.LINE, columns, ceil(cards / columns)


def _compact(width: int, room: int, cards: int) -> int:
    """Columns of the compact grid: the fewest that leave two thirds to the log.

    A message of which eleven cells are shown says nothing, so a cell is as wide as
    the number of deployments allows.
    """
    most = min(COMPACT_COLUMNS, max(1, width // COMPACT_WIDTH), cards)
    least = min(most, ceil(width / COMPACT_WIDEST))
    return next(
        (n for n in range(least, most) if ceil(cards / n) <= max(1, room // 3)), most
    )


def plan(
    width: int,
    height: int,
    cards: int,
    *,
    banner: bool = False,
    view: View = View.CARDS,
    found: bool = False,
) -> Plan:
    """Share ``width`` × ``height`` cells out among the parts.

    Cards are as tall as there is room for; the other views have lines, the table one
    more for its head, and the map takes what it is given. ``found`` asks for the line
    that says what is looked for.
    """
    hints = 1 if height >= 10 else 0
    flag = 1 if banner and height >= 4 else 0
    panels, boxed_panels = _panels(width, height)
    look_for = 1 if found and cards and height >= 5 else 0
    rest = max(0, height - 1 - hints - flag - panels - look_for)
    boxed_log = height >= 30 and width >= 60
    frame = 2 if boxed_log else 1
    if height >= 24:
        log = LOG_LINES + frame
    elif rest >= 5:
        log = max(3, rest * 2 // 5)
    else:
        log = 0
    room = max(0, rest - log)
    if cards == 0:
        # The empty state takes what there is: there is nothing to sum up or log.
        rest += panels
        return Plan(flag, 0, False, rest, Density.LINE, 1, 0, boxed_log, hints)
    if view is View.CARDS:
        density, columns, needed = _deck(width, room, cards, spare=6)
    else:
        density, columns, needed = Density.LINE, 1, room
        if view is View.COMPACT:
            columns = _compact(width, room, cards)
            needed = ceil(cards / columns)
        elif view is View.TABLE:
            needed = cards + 1
    # Without a log nothing else wants the rows that the list leaves.
    deck = min(needed, room) if log else room
    return Plan(
        banner=flag,
        panels=panels,
        boxed_panels=boxed_panels,
        deck=deck,
        density=density,
        columns=columns,
        log=rest - deck if log else 0,
        boxed_log=boxed_log,
        hints=hints,
        found=look_for,
    )
