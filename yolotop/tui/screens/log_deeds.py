"""What can be done with the log: filter, scroll.

Owns the actions behind those keys. It must not know where lines come from.
"""

from __future__ import annotations

from textual import on

from yolotop.model import Severity
from yolotop.tui.screens.watching import Watching
from yolotop.tui.widgets.prompt import FILTER, Prompt


class LogDeeds(Watching):
    """Actions on the log."""

    def action_severity(self, level: int) -> None:
        """Lines of a severity and above; 0 is every line."""
        self.log_pane.everything = level == 0
        self.requery(min_severity=Severity(level) if level else Severity.DEBUG)

    def action_filter(self) -> None:
        """Open the filter line where the hints are."""
        self.prompt.open(FILTER, self.log_query.text)
        self.share_out()

    @on(Prompt.Typed)
    def _filter_typed(self, event: Prompt.Typed) -> None:
        # The feed asks in turn: what is typed meanwhile collapses into one query.
        if event.purpose is FILTER:
            self.requery(text=event.text)

    @on(Prompt.Kept)
    def _filter_kept(self, event: Prompt.Kept) -> None:
        if event.purpose is FILTER:
            self.close_prompt()

    def close_prompt(self) -> None:
        """Close whatever was being typed."""
        self.prompt.close()
        self.share_out()
        self.focus_home()

    def action_clear_filters(self) -> None:
        """Close the filter line, clear text and deployment; severity stays."""
        if self.prompt.is_open:
            self.close_prompt()
        self.requery(text="", deployment=None)

    def action_filter_none(self) -> None:
        """Clear the text."""
        self.requery(text="")

    def action_only_none(self) -> None:
        """Every deployment's log."""
        self.requery(deployment=None)

    def action_log_page(self, by: int) -> None:
        """Scroll by what is in sight."""
        self.log_pane.scroll_pages(by)

    def action_log_home(self) -> None:
        """To the oldest line in memory."""
        self.log_pane.to_first()

    def action_log_tail(self) -> None:
        """To the newest line, and follow."""
        self.log_pane.to_tail()
