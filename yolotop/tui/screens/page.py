"""A page: what one tab of the detail screen shows.

Owns the seam between the detail screen and its tabs. A page is given the newest
detail while it is in sight, and says in which contexts its keys count. It must not
know the screen it is on.
"""

from __future__ import annotations

from typing import ClassVar

from textual.containers import Vertical
from textual.widget import Widget

from yolotop.tui.screens.watching import Means
from yolotop.tui.widgets.tabs import Tab
from yolotop.view.detail import Detail


class Page(Vertical):
    """One tab's page. Subclasses compose it, and take details.

    ``where`` are the contexts of the action table that count here. What they do is on
    the screen, so that the footer, the palette and a key call the same action.
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

    def back(self) -> bool:
        """Leave what is going on on the page; whether there was something to leave."""
        return False

    @property
    def home(self) -> Widget | None:
        """What gets the focus; by default what can have it first."""
        return next((each for each in self.query("*") if each.focusable), None)
