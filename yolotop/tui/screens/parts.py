"""What the dashboard is made of: its widgets, its state, its share of the screen.

Owns composition and layout, so that what is *done* on the dashboard (see
:mod:`~yolotop.tui.screens.log_deeds` and the modules beside it) is apart from what is
*on* it. It must not know the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.getters import query_one
from textual.reactive import var
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from yolotop.config.schema import UiSettings
from yolotop.model import Severity
from yolotop.store.protocol import LogLine
from yolotop.tui.actions import Actions
from yolotop.tui.frugal import FrugalCompositor
from yolotop.tui.ink import Look
from yolotop.tui.layout import Plan, plan
from yolotop.tui.widgets.banner import Banner
from yolotop.tui.widgets.deck import Deck
from yolotop.tui.widgets.empty import Empty
from yolotop.tui.widgets.header import Freeze, Header
from yolotop.tui.widgets.hints import Hints
from yolotop.tui.widgets.log import LogPane
from yolotop.tui.widgets.panels import Panels
from yolotop.view.log import LogQuery
from yolotop.view.snapshot import EMPTY, Card, Range, Snapshot

_FILTER_HINT = 'words, !not, "a phrase"; enter keeps, esc clears'


class Parts(Screen[None]):
    """Widgets and state of the dashboard."""

    AUTO_FOCUS = "#deck"

    snapshot: var[Snapshot] = var(EMPTY, init=False)
    range_: var[Range] = var(Range.H24, init=False)
    log_query: var[LogQuery] = var(LogQuery(min_severity=Severity.INFO), init=False)

    header = query_one("#header", Header)
    banner = query_one("#banner", Banner)
    panels = query_one("#panels", Panels)
    deck = query_one("#deck", Deck)
    empty = query_one("#empty", Empty)
    log_pane = query_one("#log", LogPane)
    hints = query_one("#hints", Hints)
    filter_bar = query_one("#filter-bar", Horizontal)
    filter_input = query_one("#filter-input", Input)

    def __init__(
        self,
        actions: Actions,
        *,
        settings: UiSettings,
        look: Look,
        now: Callable[[], float],
        searched: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()
        self._actions = actions
        self._settings = settings
        self._look = look
        self._now = now
        self._searched = tuple(searched)
        self._shown: tuple[Plan, bool] | None = None
        self._latest = EMPTY
        self._seen = False
        self._frozen_at: float | None = None
        self._held: list[LogLine] = []
        self.set_reactive(Parts.range_, Range(settings.range))

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        look = self._look
        yield Header(look, name="header")
        yield Banner(look, name="banner")
        yield Panels(look, name="panels")
        yield Deck(look, name="deck")
        yield Empty(look, name="empty")
        yield LogPane(look, name="log")
        with Horizontal(id="filter-bar"):
            yield Static(" / ", id="filter-sign")
            field = Input(placeholder=_FILTER_HINT, id="filter-input", classes="-quiet")
            field.cursor_blink = False
            yield field
        yield Hints(look, name="hints")

    @property
    def writable(self) -> bool:
        """Whether this terminal may change anything."""
        return not self._settings.read_only

    @property
    def frozen(self) -> bool:
        """Whether the picture is held still."""
        return self._frozen_at is not None

    def ask_now(self) -> None:
        """Have the source asked at once."""
        raise NotImplementedError

    def card_of(self, name: str) -> Card | None:
        """A deployment as it is now, whatever picture is shown."""
        return next((card for card in self._latest.cards if card.name == name), None)

    def requery(
        self,
        *,
        min_severity: Severity | None = None,
        text: str | None = None,
        deployment: str | None = "",
    ) -> None:
        """Change parts of the log's query; an empty ``deployment`` leaves that part."""
        old = self.log_query
        self.log_query = replace(
            old,
            min_severity=old.min_severity if min_severity is None else min_severity,
            text=old.text if text is None else text,
            deployment=old.deployment if deployment == "" else deployment,
        )

    def show_freeze(self) -> None:
        """For how long the picture has been held, and what it misses."""
        if self._frozen_at is None:
            self.header.freeze = None
        else:
            seconds = float(int(self._now() - self._frozen_at))
            self.header.freeze = Freeze(seconds, len(self._held))

    # -- layout --------------------------------------------------------------------

    def on_resize(self, _event: events.Resize) -> None:
        """Share the new size out."""
        self.share_out()

    def share_out(self) -> None:
        """Share the size out; nothing happens where nothing changes."""
        width, height = self.size
        if not self.is_mounted or not width:
            return
        number = len(self.snapshot.cards)
        shares = plan(width, height, number, banner=bool(self.banner.text))
        self.app.set_class(height < 26, "-tight")
        if (shares, self._seen) != self._shown:
            self._shown = (shares, self._seen)
            self._apply(shares, empty=number == 0)
        _rows(self.hints, 0 if self.filter_bar.display else shares.hints)

    def _apply(self, shares: Plan, *, empty: bool) -> None:
        self.panels.boxed = shares.boxed_panels
        self.log_pane.boxed = shares.boxed_log
        self.deck.density = shares.density
        self.deck.columns = shares.columns
        appeared = not (self.deck.display or empty)
        _rows(self.banner, shares.banner)
        _rows(self.panels, shares.panels)
        _rows(self.deck, 0 if empty else shares.deck)
        _rows(self.empty, shares.deck if empty and self._seen else 0)
        _rows(self.log_pane, shares.log)
        if appeared and not self.filter_bar.display:
            # While the list was empty the focus went to the next thing that takes it.
            self.call_after_refresh(self.deck.focus)


def _rows(widget: Widget, rows: int) -> None:
    """Give a widget so many rows, or take it off the screen."""
    widget.display = rows > 0
    if rows:
        widget.styles.height = rows
