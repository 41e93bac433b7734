"""What the dashboard is made of: its widgets, its state, its share of the screen.

Owns composition and layout, so that what is *done* on the dashboard (see
:mod:`~yolotop.tui.screens.log_deeds` and the modules beside it) is apart from what is
*on* it. It must not know the store.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.getters import query_one
from textual.reactive import var

from yolotop.tui.layout import Plan, View, plan
from yolotop.tui.screens.watching import Means, Watching
from yolotop.tui.widgets.banner import Banner
from yolotop.tui.widgets.deck import Deck
from yolotop.tui.widgets.empty import Empty
from yolotop.tui.widgets.fleet import Fleet
from yolotop.tui.widgets.fleet_table import FleetTable
from yolotop.tui.widgets.found import FoundLine
from yolotop.tui.widgets.header import Header
from yolotop.tui.widgets.hints import Hints
from yolotop.tui.widgets.log import LogPane
from yolotop.tui.widgets.panels import Panels
from yolotop.tui.widgets.prompt import FIND, Prompt
from yolotop.tui.widgets.world_map import WorldMap
from yolotop.view.find import Found, find
from yolotop.view.snapshot import EMPTY, Card, Snapshot


class Parts(Watching):
    """Widgets and state of the dashboard."""

    AUTO_FOCUS = "#deck"

    snapshot: var[Snapshot] = var(EMPTY, init=False)
    view: var[View] = var(View.CARDS, init=False)
    looked_for: var[str] = var("", init=False)
    """What narrows the list, empty while nothing does."""

    header = query_one("#header", Header)
    banner = query_one("#banner", Banner)
    panels = query_one("#panels", Panels)
    found_line = query_one("#found", FoundLine)
    deck = query_one("#deck", Deck)
    table = query_one("#table", FleetTable)
    empty = query_one("#empty", Empty)
    log_pane = query_one("#log", LogPane)
    hints = query_one("#hints", Hints)
    prompt = query_one("#prompt", Prompt)

    views: Final = {
        View.CARDS: "deck",
        View.COMPACT: "deck",
        View.TABLE: "table",
        View.MAP: "map",
    }
    """The widget's id for each view there is, in the order of the view key."""

    def __init__(self, means: Means) -> None:
        super().__init__(means)
        self._shown: tuple[Plan, View, bool] | None = None
        self._latest = EMPTY
        self._seen = False
        self._found = Found()
        self._sized_for = 0
        wished = View(means.settings.view)
        self.set_reactive(Parts.view, wished if wished in self.views else View.CARDS)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        look = self.look
        yield Header(look, name="header")
        yield Banner(look, name="banner")
        yield Panels(look, name="panels")
        yield FoundLine(look, name="found")
        yield Deck(look, name="deck")
        yield FleetTable(look, name="table")
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

    # -- what is looked for --------------------------------------------------------

    @property
    def finding(self) -> bool:
        """Whether someone is typing what to look for."""
        return self.prompt.is_open and self.prompt.purpose is FIND

    def show_fleet(self) -> None:
        """Hand the list what is found in the picture: all of it, as a rule.

        Header and panels go on counting the whole fleet.
        """
        self._found = find(self.snapshot.cards, self.looked_for)
        self.share_out()
        self.found_line.found = self._found
        self.fleet.snapshot = self._narrowed

    @property
    def _narrowed(self) -> Snapshot:
        if not self._found:
            return self.snapshot
        return replace(self.snapshot, cards=self._found.cards)

    def watch_looked_for(self, text: str) -> None:
        """Narrow the list, and go to the first that is found."""
        self.show_fleet()
        if text and self.fleet.cards:
            self.fleet.selected = self.fleet.cards[0].name
        self.show_hints()

    # -- layout --------------------------------------------------------------------

    def on_resize(self, _event: events.Resize) -> None:
        """Share the new size out."""
        self.share_out()

    def watch_view(self, before: View, _now: View) -> None:
        """Show the list the other way; the selection goes along."""
        old = self.query_one(f"#{self.views[before]}", Fleet)
        new = self.fleet
        if new is not old:
            new.snapshot = self._narrowed
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
        if not (self.finding and self._sized_for and number):
            # While someone types, the screen does not jump with each letter.
            found = max(1, len(self._found.cards)) if self._found else number
            self._sized_for = min(found, number)
        shares = plan(
            width,
            height,
            self._sized_for,
            banner=bool(self.banner.text),
            view=self.view,
            found=self.finding or bool(self.looked_for),
        )
        self.app.set_class(height < 26, "-tight")
        shown = (shares, self.view, self._seen)
        if shown != self._shown:
            self._shown = shown
            self._apply(shares, empty=number == 0)
        self.hints.give_rows(0 if self.prompt.is_open else shares.hints)

    def _apply(self, shares: Plan, *, empty: bool) -> None:
        fleet = self.fleet
        appeared = not (any(each.display for each in self.fleets) or empty)
        # Rows first: what is laid out anew draws itself then, and once.
        self.banner.give_rows(shares.banner)
        self.panels.give_rows(shares.panels)
        if empty and fleet.has_focus:
            # A hidden widget hands the focus on, to the log, until the list is back.
            self.set_focus(None)
        self.found_line.give_rows(shares.found)
        for each in self.fleets:
            each.give_rows(shares.deck if each is fleet and not empty else 0)
        self.empty.give_rows(shares.deck if empty and self._seen else 0)
        self.log_pane.give_rows(shares.log)
        self.panels.boxed = shares.boxed_panels
        self.log_pane.boxed = shares.boxed_log
        self.deck.lay_out(
            shares.density, shares.columns, compact=self.view is View.COMPACT
        )
        if appeared and not self.prompt.is_open:
            # While the list was empty the focus went to the next thing that takes it.
            self.call_after_refresh(self.focus_home)
