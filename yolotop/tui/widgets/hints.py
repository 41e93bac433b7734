"""The last line: the keys that matter here, from the one table of deeds.

Owns which hints fit. It must not know what they do: a click runs the same action.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual.reactive import var

from yolotop.tui.ink import Look, Row, Span, width_of
from yolotop.tui.keys import Deed
from yolotop.tui.widgets.painted import Painted

_TARGETS: Final = {"app": "app", "list": "focused", "lines": "focused"}
"""Who carries a deed out, by where its key counts; else the screen."""


def hint_row(
    deeds: Sequence[Deed], width: int, labels: Callable[[Deed], str | None]
) -> Row:
    """As many hints as fit, the most important first, whole ones only."""
    row: list[Span] = [Span(" ")]
    used = 1
    for deed in sorted(deeds, key=lambda each: each.hint):
        label = labels(deed)
        if not deed.hint or label is None:
            continue
        call = f"{_TARGETS.get(deed.where, 'screen')}.{deed.call}"
        hint = (
            Span(deed.show, "accent", call),
            Span(f" {label}", "dim", call),
            Span("  "),
        )
        size = width_of(hint)
        if used + size - 2 > width:
            break
        row += hint
        used += size
    return tuple(row)


class Hints(Painted):
    """The footer."""

    deeds: var[tuple[Deed, ...]] = var(())
    """What works where the focus is."""
    labels: var[dict[str, str | None]] = var(dict)
    """Label by id where it differs from the table's; ``None`` hides the hint."""

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(look, name=name)

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """One line."""
        return (
            hint_row(
                self.deeds, width, lambda deed: self.labels.get(deed.id, deed.label)
            ),
        )[:height]

    def watch_deeds(self) -> None:
        """Other keys count."""
        self.repaint()

    def watch_labels(self) -> None:
        """Something can be done now that could not, or the other way round."""
        self.repaint()
