"""The detail screen: one deployment, its tabs, its log.

Owns which tab is in sight, the newest detail (or the one held still) and how the
screen is shared out. It must not know the store: details come through its
:class:`~yolotop.tui.feed.Feed`, what is on a tab is the tab's.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.getters import query_one
from textual.reactive import var

from yolotop.model import Severity
from yolotop.tui.bindings import bindings_in
from yolotop.tui.feed import Feed
from yolotop.tui.keys import Deed, deeds_in
from yolotop.tui.messages import OlderWanted
from yolotop.tui.screens.code_page import CodePage, ConfigPage
from yolotop.tui.screens.deployment_deeds import DeploymentDeeds
from yolotop.tui.screens.detail_deeds import DetailDeeds
from yolotop.tui.screens.log_deeds import LogDeeds
from yolotop.tui.screens.page import Page
from yolotop.tui.screens.predict_deeds import PredictDeeds
from yolotop.tui.screens.predict_page import PredictPage
from yolotop.tui.screens.time_deeds import TimeDeeds
from yolotop.tui.screens.watching import Means
from yolotop.tui.widgets.banner import Banner
from yolotop.tui.widgets.header_rows import Freeze
from yolotop.tui.widgets.hints import Hints
from yolotop.tui.widgets.log import LogPane
from yolotop.tui.widgets.overview import CursorMoved, Overview
from yolotop.tui.widgets.prompt import Prompt
from yolotop.tui.widgets.tabs import Tab, Tabs
from yolotop.tui.widgets.title import Title
from yolotop.view.detail import Detail
from yolotop.view.log import LogQuery
from yolotop.view.snapshot import Card, Range

PAGES: dict[Tab, type[Page]] = {
    Tab.PREDICT: PredictPage,
    Tab.CODE: CodePage,
    Tab.CONFIG: ConfigPage,
}
"""The page of each tab that is one; overview and logs belong to the screen itself."""
_WHERE = ("detail", "deployment", "time", "log")
_ON_PAGES = ("predict", "code")
_PAGE_ACTIONS = frozenset(deed.action for deed in deeds_in(*_ON_PAGES))
_STRIP = 8
"""Rows of log under the overview, its title included."""


class DetailScreen(DetailDeeds, PredictDeeds, DeploymentDeeds, LogDeeds, TimeDeeds):
    """One deployment."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_in(*_WHERE, *_ON_PAGES)
    AUTO_FOCUS = "#overview"

    detail: var[Detail | None] = var[Detail | None](None, init=False)

    title_line = query_one("#title", Title)
    tabs = query_one("#tabs", Tabs)
    banner = query_one("#banner", Banner)
    overview = query_one("#overview", Overview)
    log_pane = query_one("#log", LogPane)
    prompt = query_one("#prompt", Prompt)
    hints = query_one("#hints", Hints)

    def __init__(self, means: Means, name: str, range_: Range) -> None:
        super().__init__(means)
        self.deployment = name
        self._latest: Detail | None = None
        self._gone = False
        self.set_reactive(DetailScreen.range_, range_)
        only = LogQuery(min_severity=Severity.INFO, deployment=name)
        self.set_reactive(DetailScreen.log_query, only)
        source = means.source
        self.feed = Feed(
            source,
            lambda wanted: source.detail(name, wanted),
            self,
            refresh_s=means.refresh_s,
            watched=lambda: self.in_sight,
        )

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        look = self.look
        yield Title(look, name="title", deployment=self.deployment)
        yield Tabs(look, name="tabs")
        yield Banner(look, name="banner")
        yield Overview(look, name="overview")
        for tab, page in PAGES.items():
            yield page(self.means, self.deployment, tab)
        yield LogPane(look, name="log")
        yield Prompt(name="prompt")
        yield Hints(look, name="hints")

    def on_mount(self) -> None:
        """Hand out what is known and start asking."""
        self.title_line.range_ = self.range_
        self.log_pane.query_ = self.log_query
        self.feed.range_ = self.range_
        self.feed.query = self.log_query
        self.share_out()
        self.show_hints()
        self.run_worker(self.keep_asking(), group="feed")

    @property
    def page(self) -> Page | None:
        """The page in sight, if the tab has one."""
        if self.tab not in PAGES:
            return None
        return self.query_one(f"#page-{self.tab}", Page)

    # -- what comes from the feed --------------------------------------------------

    def take_picture(self, picture: Detail | None) -> None:
        """Show it, unless the picture is held still."""
        self._gone = picture is None
        if picture is None:
            return
        self._latest = picture
        if self._frozen_at is None:
            with self.app.batch_update():
                self.detail = picture
        else:
            self.show_freeze()

    def note(self) -> tuple[str, bool]:
        """What must be known while the source answers, and whether it is grave."""
        if self._gone:
            return f"{self.deployment} is not registered any more", True
        if self._latest is None:
            return "", False
        return self.note_about(self._latest.collector)

    # -- down to the widgets -------------------------------------------------------

    def watch_detail(self, detail: Detail | None) -> None:
        """Fan the new picture out, to what is in sight."""
        if detail is None:
            return
        self.title_line.detail = detail
        self.log_pane.cards = (detail.card,)
        self.log_pane.now = detail.at
        self.log_pane.measured = True
        if self.tab is Tab.OVERVIEW:
            self.overview.detail = detail
        elif (page := self.page) is not None:
            page.take(detail)
        self.show_hints()

    def watch_range_(self, range_: Range) -> None:
        """Mark it, and ask for it."""
        self.title_line.range_ = range_
        super().watch_range_(range_)

    def watch_freeze(self, freeze: Freeze | None) -> None:
        """Say that the picture is held."""
        self.title_line.freeze = freeze

    def watch_tab(self, tab: Tab) -> None:
        """Another tab: its page, its keys, the focus on it."""
        self.tabs.chosen = tab
        self.share_out()
        page = self.page
        if self.detail is not None:
            if tab is Tab.OVERVIEW:
                self.overview.detail = self.detail
            elif page is not None:
                page.take(self.detail)
        if page is not None:
            page.enter()
        self.focus_home()
        self.show_hints()

    @property
    def measured_since(self) -> float | None:
        """When the deployment's history begins, if that is in the range."""
        latest = self._latest
        return latest.start_at if latest is not None and latest.young else None

    def show_newest(self) -> None:
        """The picture is no longer held."""
        self.detail = self._latest

    def show_hints(self) -> None:
        """Offer what makes sense now."""
        labels: dict[str, str | None] = {
            deed.id: None for deed in self.deeds if not self.can(deed)
        }
        for deed_id, label, wanted in (
            ("pause", "resume", self.paused_of(self.deployment)),
            ("freeze", "go on", self.frozen),
        ):
            if wanted:
                labels.setdefault(deed_id, label)
        self.hints.deeds = self.offered()
        self.hints.labels = labels

    # -- up from the widgets -------------------------------------------------------

    @on(OlderWanted)
    def _older(self, event: OlderWanted) -> None:
        self.feed.want_older(event.before)

    @on(CursorMoved)
    def _cursor_moved(self, event: CursorMoved) -> None:
        self.follow(event.at)

    # -- what may be done ----------------------------------------------------------

    @property
    def deeds(self) -> tuple[Deed, ...]:
        """What works here, on this tab."""
        page = self.page
        if self.tab is Tab.OVERVIEW:
            own: tuple[str, ...] = ("overview",)
        else:
            own = ("lines",) if page is None else page.where
        return deeds_in(*_WHERE, *own)

    def can(self, deed: Deed) -> bool:
        """Whether a deed makes sense now."""
        if deed.where == "log" and not self.log_pane.display:
            return False
        return super().can(deed)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is done on a page is done only while it is in sight."""
        absent = all(deed.action != action for deed in self.deeds)
        if absent and action in _PAGE_ACTIONS:
            return False
        return super().check_action(action, parameters)

    @property
    def chosen(self) -> str | None:
        """The deployment of this screen."""
        return self.deployment

    def card_of(self, name: str) -> Card | None:
        """It as it is now, if it is the one of this screen."""
        card = None if self._latest is None else self._latest.card
        return card if card is not None and card.name == name else None

    # -- layout --------------------------------------------------------------------

    def focus_home(self) -> None:
        """To what the tab is about."""
        page = self.page
        if self.tab is Tab.OVERVIEW:
            self.set_focus(self.overview)
        elif page is None:
            self.set_focus(self.log_pane)
        else:
            self.set_focus(page.home)

    def on_resize(self, _event: events.Resize) -> None:
        """Share the new size out."""
        self.share_out()

    def share_out(self) -> None:
        """Title, tabs, banner, then the tab; a strip of log under the overview."""
        width, height = self.size
        if not self.is_mounted or not width:
            return
        self.app.set_class(height < 26, "-tight")
        banner = 1 if self.banner.text and height >= 6 else 0
        hints = 1 if height >= 10 and not self.prompt.is_open else 0
        tabs = 1 if height >= 6 else 0
        typing = 1 if self.prompt.is_open else 0
        rest = max(1, height - 1 - tabs - banner - hints - typing)
        strip = 0
        if self.tab is Tab.OVERVIEW and rest >= 32:
            strip = _STRIP + max(0, (rest - 44) // 2)
        overview = self.tab is Tab.OVERVIEW
        self.tabs.give_rows(tabs)
        self.banner.give_rows(banner)
        self.hints.give_rows(hints)
        self.overview.give_rows(rest - strip if overview else 0)
        for page in self.query(Page):
            page.display = page is self.page
            if page.display:
                page.styles.height = rest
        self.log_pane.give_rows(rest if self.tab is Tab.LOGS else strip)
        self.log_pane.boxed = height >= 30 and width >= 60
