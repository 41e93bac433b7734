"""A page: what one tab of the detail screen shows; and which page stands on which tab.

Owns the seam between the detail screen and its tabs. A page is given the newest
detail while it is in sight, and says in which contexts its keys count. It must not
know the screen it is on.
"""

from __future__ import annotations

from typing import ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from yolotop.tui.screens.watching import Means
from yolotop.tui.widgets.tabs import Tab
from yolotop.view.detail import Detail


class Page(Vertical):
    """One tab's page. Subclasses compose it, and take details.

    ``where`` are the contexts of the action table that count here. Their bindings and
    actions belong to the page: ``BINDINGS = bindings_in(*where)``, ``action_…``.
    """

    where: ClassVar[tuple[str, ...]] = ()

    def __init__(self, means: Means, deployment: str, tab: Tab) -> None:
        super().__init__(id=f"page-{tab}", classes="page")
        self.means = means
        self.deployment = deployment

    def take(self, detail: Detail) -> None:
        """A new picture; called while the page is in sight, and when it comes there."""

    def enter(self) -> None:
        """The page came in sight: ask for what it needs, if it has not yet."""

    @property
    def home(self) -> Widget | None:
        """What gets the focus; by default what can have it first."""
        return next((each for each in self.query("*") if each.focusable), None)


class Unwritten(Page):
    """A tab that has nothing on it yet."""

    def compose(self) -> list[Widget]:
        """A word."""
        return [Static(Content(" nothing here yet"), classes="dim")]


PAGES: dict[Tab, type[Page]] = {
    Tab.PREDICT: Unwritten,
    Tab.CODE: Unwritten,
    Tab.CONFIG: Unwritten,
}
"""The page of each tab that is one; overview and logs belong to the screen itself."""
