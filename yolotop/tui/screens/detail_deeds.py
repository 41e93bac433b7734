"""What can be done on the detail screen: back, tabs, the cursor, incidents.

Owns the actions behind those keys. It must not know how a tab is drawn.
"""

from __future__ import annotations

from textual.reactive import var

from yolotop.tui.screens.page import Page
from yolotop.tui.screens.watching import Watching
from yolotop.tui.widgets.overview import Overview
from yolotop.tui.widgets.tabs import Tab
from yolotop.view.detail import Detail
from yolotop.view.incidents import neighbour


class DetailDeeds(Watching):
    """Actions of the detail screen."""

    tab: var[Tab] = var(Tab.OVERVIEW, init=False)
    detail: var[Detail | None]
    overview: Overview

    @property
    def page(self) -> Page | None:
        """The page in sight, if the tab has one."""
        raise NotImplementedError

    def action_back(self) -> None:
        """Out of what is being typed, off the cursor, out of a filter, then back."""
        if self.prompt.is_open:
            self.prompt.close()
            self.share_out()
            self.focus_home()
            self.requery(text="")
        elif (page := self.page) is not None and page.back():
            pass
        elif self.overview.cursor_at is not None:
            self.overview.point_at(None)
        elif self.log_pane.display and self.log_query.text:
            self.requery(text="")
        else:
            self.dismiss()

    def action_only_none(self) -> None:
        """Here the log is always of this deployment."""

    def action_turn_tab(self, by: int) -> None:
        """The next tab, or the one before; round and round."""
        tabs = list(Tab)
        self.tab = tabs[(tabs.index(self.tab) + by) % len(tabs)]

    def action_show_tab(self, value: str) -> None:
        """This tab."""
        self.tab = Tab(value)

    def action_incident(self, by: int) -> None:
        """To the next incident, or the one before; the cursor goes there."""
        detail = self.detail
        if detail is None:
            return
        here = self.overview.cursor_at
        found = neighbour(detail.incidents, here if here is not None else detail.at, by)
        if found is None:
            way = "later" if by > 0 else "earlier"
            self.notify(f"no {way} incident in the last {self.range_}", timeout=3)
            return
        self.overview.point_at(found.start_at)

    def follow(self, at: float | None) -> None:
        """Have the log show what was then; ``None``: the newest again."""
        self.log_pane.follow(at)
