"""The first line of the detail screen: which deployment, its state and since when.

Owns the line's wording. It must not know where the detail comes from.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import var

from yolotop.tui.ink import Look, Row, Span, cut, health_role, spread, width_of
from yolotop.tui.widgets.header_rows import Freeze, paused, picker
from yolotop.tui.widgets.painted import Painted
from yolotop.view import format as fmt
from yolotop.view.detail import Detail
from yolotop.view.snapshot import Range


def title_row(
    name: str,
    detail: Detail | None,
    range_: Range,
    freeze: Freeze | None,
    width: int,
    look: Look,
) -> Row:
    """The line for ``width`` cells; from wide to narrow it says less."""
    gap = Span("   ")
    clock = fmt.clock(detail.at, seconds=False) if detail is not None else ""
    back = Span(" < " if look.plain else " \u2039 ", "faint", "screen.back")
    now = Span(range_.value, "accent", "screen.range(1)")
    held = (gap, *paused(freeze, look)) if freeze else ()
    long: Row = (*picker(range_, look), gap, Span(f"{clock} ", "dim"))
    short: Row = (now, Span(" "))
    named: list[Span] = [back, Span(name, "bright+bold")]
    state: tuple[Span, ...] = ()
    region: tuple[Span, ...] = ()
    what: tuple[Span, ...] = ()
    if detail is not None:
        card = detail.card
        role = health_role(card.health)
        sign = Span(fmt.symbol(card.health, plain=look.plain) + " ", role)
        named = [back, sign, Span(name, "bright+bold")]
        age = fmt.age(max(0.0, detail.at - card.since_at), plain=look.plain)
        if card.until_at is not None:
            age = fmt.until(card.until_at, since=card.since_at)
        state = (gap, Span(f"{card.health} {age}", role))
        if card.region:
            region = (gap, Span(card.region, "dim"))
        every = fmt.age(card.every_s, plain=look.plain)
        what = (gap, Span(f"{card.dialect} {look.dot} every {every}", "faint"))
    for left, right in (
        ((*named, *state, *region, *what, *held), long),
        ((*named, *state, *region, *held), long),
        ((*named, *state, *held), long),
        ((*named, *state, *held), short),
        ((*named, *held), short),
    ):
        if width_of(left) + width_of(right) + 2 <= width:
            return spread(left, right, width, look)
    return (*held, *named[:-1], Span(cut(name, width // 2, look), "bright+bold"))


class Title(Painted):
    """The line."""

    detail: var[Detail | None] = var[Detail | None](None)
    range_: var[Range] = var(Range.H24)
    freeze: var[Freeze | None] = var[Freeze | None](None)

    def __init__(self, look: Look, *, name: str, deployment: str) -> None:
        super().__init__(look, name=name)
        self.deployment = deployment

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """One line."""
        row = title_row(
            self.deployment, self.detail, self.range_, self.freeze, width, self.look
        )
        return (row,)[:height]

    def watch_detail(self) -> None:
        """Show the new state."""
        self.repaint()

    def watch_range_(self) -> None:
        """Mark the new range."""
        self.repaint()

    def watch_freeze(self) -> None:
        """Say that the picture is held."""
        self.repaint()
