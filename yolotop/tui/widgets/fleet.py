"""What every view of the deployments shares: the picture, and which one is selected.

Owns the selection. It keeps the selected *name*, never an index: when the list changes
under the cursor, a key must not act on another deployment. It must not know how the
deployments are drawn; a view says what its rows are and where a step leads.
"""

from __future__ import annotations

from typing import ClassVar, Final

from textual.binding import BindingType
from textual.reactive import var
from textual.timer import Timer

from yolotop.tui.bindings import bindings_in
from yolotop.tui.ink import Look, Row, Span, centred
from yolotop.tui.messages import DeploymentChosen, DeploymentOpened
from yolotop.tui.widgets.painted import Painted
from yolotop.view.snapshot import EMPTY, Card, Snapshot

SPIN_S: Final = 0.25
"""Four frames a second, and only while something is being checked."""


def thumb(total: int, height: int, top: int, look: Look) -> list[Span]:
    """The mark at the right edge of each line: where one is in ``total`` lines."""
    size = max(1, height * height // total)
    start = (height - size) * top // max(1, total - height)
    return [
        Span(look.thumb, "trend")
        if start <= y < start + size
        else Span(look.down, "hairline")
        for y in range(height)
    ]


class Fleet(Painted, can_focus=True):
    """The deployments, some way or other. Subclasses draw them and find neighbours."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_in("list")

    snapshot: var[Snapshot] = var(EMPTY)
    selected: var[str | None] = var[str | None](None)

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(look, name=name)
        self._frame = 0
        self._index = 0
        self._spin: Timer | None = None

    def on_mount(self) -> None:
        """Make the spinner's timer; it sleeps until something is checked."""
        self._spin = self.set_interval(SPIN_S, self._turn, pause=True)

    @property
    def cards(self) -> tuple[Card, ...]:
        """The deployments in the order in which this view shows them."""
        return self.snapshot.cards

    @property
    def card(self) -> Card | None:
        """The selected deployment, if it is still there."""
        return next((c for c in self.snapshot.cards if c.name == self.selected), None)

    def neighbour(self, across: int, down: int) -> int:
        """The index in :attr:`cards` that a step leads to; outside of it: nowhere."""
        raise NotImplementedError

    def show_selected(self) -> None:
        """Bring the selected one in sight."""

    def nothing(self, width: int, height: int) -> list[Row]:
        """What stands where no deployment is found."""
        if not self.snapshot.at:
            return []
        text = Span("nothing is found; esc shows all again", "faint")
        return [*[()] * min(2, height // 2), centred((text,), width, self.look)]

    # -- what changes it -----------------------------------------------------------

    def watch_snapshot(self) -> None:
        """Show the new picture; keep the selection, or what is now in its place."""
        names = [card.name for card in self.cards]
        if self.selected in names:
            self._index = names.index(self.selected)
        else:
            self._index = min(self._index, max(0, len(names) - 1))
            self.selected = names[self._index] if names else None
        self._spin_or_rest()
        self.repaint()

    def watch_selected(self, name: str | None) -> None:
        """Tell who listens, and keep it in sight."""
        names = [card.name for card in self.cards]
        if name in names:
            self._index = names.index(name)
        if self.display:
            self.post_message(DeploymentChosen(name))
        self.show_selected()
        self.repaint()

    def _spin_or_rest(self) -> None:
        if self._spin is None:
            return
        checking = any(card.checking for card in self.snapshot.cards)
        if self.display and checking and not self.look.still:
            self._spin.resume()
        else:
            self._spin.pause()

    def on_show(self) -> None:
        """On the screen again: turn what is being checked."""
        self._spin_or_rest()

    def on_hide(self) -> None:
        """Another view is shown: nothing turns."""
        self._spin_or_rest()

    def _turn(self) -> None:
        self._frame += 1
        self.repaint()

    def action_move(self, across: int, down: int) -> None:
        """Select a neighbour; at an edge nothing happens."""
        target = self.neighbour(across, down)
        if 0 <= target < len(self.cards):
            self._index = target
            self.selected = self.cards[target].name

    def action_open(self) -> None:
        """Everything about the selected one."""
        if self.selected is not None:
            self.post_message(DeploymentOpened(self.selected))
