"""A deployment's states over a range, one character a slot of time.

Owns the shapes of states in a ribbon: the worse, the heavier, so that the trouble is
found without colour too. Pure; it must not know where the states come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from yolotop.model import Health
from yolotop.tui.charts import GUTTER, TimeAxis
from yolotop.tui.ink import Look, Row, Span, health_role
from yolotop.tui.trends import merged
from yolotop.view import format as fmt
from yolotop.view.incidents import Stretch

_SHAPES: Final[Mapping[Health, str]] = {
    Health.UP: "▀",
    Health.DEGRADED: "▓",
    Health.DOWN: "█",
    Health.COLD: "░",
    Health.UNKNOWN: "·",
    Health.PAUSED: "╌",
    Health.MAINTENANCE: "▬",
}
_WORST: Final = (
    Health.DOWN,
    Health.DEGRADED,
    Health.COLD,
    Health.MAINTENANCE,
    Health.PAUSED,
    Health.UNKNOWN,
    Health.UP,
)
"""Of several states in one slot the first of these is shown: a short outage counts."""


def shape(health: Health | None, look: Look) -> tuple[str, str]:
    """The character and the role of a state; a dot where nobody knows it."""
    if health is None:
        return (" " if look.plain else "·"), "hairline"
    if look.plain:
        return fmt.PLAIN_SYMBOLS[health], health_role(health)
    return _SHAPES[health], health_role(health)


def state_between(
    ribbon: Sequence[Stretch], start_at: float, end_at: float
) -> Health | None:
    """The worst state of a span; ``None`` where nothing else is known of it."""
    found = {
        part.health
        for part in ribbon
        if part.start_at < end_at and start_at < part.end_at
    }
    return next((health for health in _WORST if health in found), None)


def ribbon_row(
    ribbon: Sequence[Stretch], axis: TimeAxis, width: int, look: Look
) -> Row:
    """The states under a chart of the same width."""
    wide = width - GUTTER
    if wide < 1 or not axis.steps:
        return ()
    slot_s = (axis.end_at - axis.start_at) / wide
    now = ribbon[-1].end_at if ribbon else axis.start_at
    cells: list[tuple[str, str]] = []
    for cell in range(wide):
        start_at = axis.start_at + cell * slot_s
        if start_at > now:
            cells.append((" ", "hairline"))
        else:
            cells.append(
                shape(state_between(ribbon, start_at, start_at + slot_s), look)
            )
    return (Span("state".rjust(GUTTER - 1) + " ", "faint"), *merged(cells))
