"""What the dashboard is made of: its widgets, its state, its share of the screen.

Owns composition and layout, so that what is *done* on the dashboard (see
:mod:`~yolotop.tui.screens.log_deeds` and the modules beside it) is apart from what is
*on* it. It must not know the store.
"""

from __future__ import annotations

from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.getters import query_one
from textual.reactive import var
from textual.widget import Widget

from yolotop.model import Health
from yolotop.tui.layout import Plan, View, plan
from yolotop.tui.screens.watching import Means, Watching
from yolotop.tui.widgets.banner import Banner
from yolotop.tui.widgets.deck import Deck
from yolotop.tui.widgets.empty import Empty
from yolotop.tui.widgets.fleet import Fleet
from yolotop.tui.widgets.header import Header
from yolotop.tui.widgets.hints import Hints
from yolotop.tui.widgets.log import LogPane
from yolotop.tui.widgets.panels import Panels
from yolotop.tui.widgets.prompt import Prompt
from yolotop.tui.widgets.world_map import WorldMap
from yolotop.view.snapshot import EMPTY, Card, Snapshot


class Parts(Watching):
    """Widgets and state of the dashboard."""

    AUTO_FOCUS = "#deck"

    snapshot: var[Snapshot] = var(EMPTY, init=False)
    view: var[View] = var(View.CARDS, init=False)

    header = query_one("#header", Header)
    banner = query_one("#banner", Banner)
    panels = query_one("#panels", Panels)
    deck = query_one("#deck", Deck)
    empty = query_one("#empty", Empty)
    log_pane = query_one("#log", LogPane)
    hints = query_one("#hints", Hints)
    prompt = query_one("#prompt", Prompt)

    views: Final = {View.CARDS: "deck", View.COMPACT: "deck", View.MAP: "map"}
    """The widget's id for each view there is, in the order of the view key."""

    def __init__(self, means: Means) -> None:
        super().__init__(means)
        self._shown: tuple[Plan, View, bool] | None = None
        self._latest = EMPTY
        self._seen = False

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        look = self.look
        yield Header(look, name="header")
        yield Banner(look, name="banner")
        yield Panels(look, name="panels")
        yield Deck(look, name="deck")
        yield WorldMap(look, name="map")
        yield Empty(look, name="empty")
        yield LogPane(look, name="log")
        yield Prompt(name="prompt")
        yield Hints(look, name="hints")

    @property
    def fleet(self) -> Fleet:
        """The list as it is shown now."""
        return self.query_one(f"#{self.views[self.view]}", Fleet)

    @property
    def fleets(self) -> tuple[Fleet, ...]:
        """Every view's widget, the hidden ones too."""
        return tuple(self.query(Fleet))

    @property
    def chosen(self) -> str | None:
        """The selected deployment."""
        return self.fleet.selected

    def focus_home(self) -> None:
        """To the list."""
        self.set_focus(self.fleet)

    def card_of(self, name: str) -> Card | None:
        """A deployment as it is now, whatever picture is shown."""
        return next((card for card in self._latest.cards if card.name == name), None)

    def paused_of(self, name: str) -> bool:
        """Whether a deployment is paused, by the newest picture."""
        card = self.card_of(name)
        return card is not None and card.health is Health.PAUSED

    # -- layout --------------------------------------------------------------------

    def on_resize(self, _event: events.Resize) -> None:
        """Share the new size out."""
        self.share_out()

    def watch_view(self, before: View, _after: View) -> None:
        """Show the list the other way; the selection goes along."""
        old = self.query_one(f"#{self.views[before]}", Fleet)
        new = self.fleet
        if new is not old:
            new.snapshot = self.snapshot
            new.selected = old.selected
        focused = old.has_focus
        self.share_out()
        if focused:
            self.focus_home()
        self.show_hints()

    def share_out(self) -> None:
        """Share the size out; nothing happens where nothing changes."""
        width, height = self.size
        if not self.is_mounted or not width:
            return
        number = len(self.snapshot.cards)
        shares = plan(
            width, height, number, banner=bool(self.banner.text), view=self.view
        )
        self.app.set_class(height < 26, "-tight")
        shown = (shares, self.view, self._seen)
        if shown != self._shown:
            self._shown = shown
            self._apply(shares, empty=number == 0)
        _rows(self.hints, 0 if self.prompt.is_open else shares.hints)

    def _apply(self, shares: Plan, *, empty: bool) -> None:
        self.panels.boxed = shares.boxed_panels
        self.log_pane.boxed = shares.boxed_log
        self.deck.density = shares.density
        self.deck.columns = shares.columns
        fleet = self.fleet
        appeared = not (any(each.display for each in self.fleets) or empty)
        _rows(self.banner, shares.banner)
        _rows(self.panels, shares.panels)
        for each in self.fleets:
            _rows(each, shares.deck if each is fleet and not empty else 0)
        _rows(self.empty, shares.deck if empty and self._seen else 0)
        _rows(self.log_pane, shares.log)
        if appeared and not self.prompt.is_open:
            # While the list was empty the focus went to the next thing that takes it.
            self.call_after_refresh(self.focus_home)


def _rows(widget: Widget, rows: int) -> None:
    """Give a widget so many rows, or take it off the screen."""
    widget.display = rows > 0
    if rows:
        widget.styles.height = rows
