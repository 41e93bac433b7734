"""What can be done with the log and with time: filter, scroll, range, hold still.

Owns the actions behind those keys. It must not know where lines come from.
"""

from __future__ import annotations

from textual import on
from textual.widgets import Input

from yolotop.model import Severity
from yolotop.tui.screens.parts import Parts
from yolotop.view.snapshot import Range


class LogDeeds(Parts):
    """Actions on the log and on time."""

    def action_severity(self, level: int) -> None:
        """Lines of a severity and above; 0 is every line."""
        self.log_pane.everything = level == 0
        self.requery(min_severity=Severity(level) if level else Severity.DEBUG)

    def action_filter(self) -> None:
        """Open the filter line where the hints are."""
        self.filter_bar.display = True
        self.filter_input.value = self.log_query.text
        self.share_out()
        self.set_focus(self.filter_input)

    @on(Input.Changed, "#filter-input")
    def _typed(self, event: Input.Changed) -> None:
        # The feed asks in turn: what is typed meanwhile collapses into one query.
        if self.filter_bar.display:
            self.requery(text=event.value.strip())

    @on(Input.Submitted, "#filter-input")
    def _kept(self) -> None:
        self._close_filter()

    def _close_filter(self) -> None:
        self.filter_bar.display = False
        self.share_out()
        self.set_focus(self.deck)

    def action_clear_filters(self) -> None:
        """Close the filter line, clear text and deployment; severity stays."""
        if self.filter_bar.display:
            self._close_filter()
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

    def action_switch_pane(self) -> None:
        """From the cards to the log and back."""
        if self.filter_bar.display:
            self._close_filter()
        elif self.log_pane.has_focus or not self.log_pane.display:
            self.set_focus(self.deck)
        else:
            self.set_focus(self.log_pane)

    def action_range(self, step: int) -> None:
        """A shorter or longer range; at either end nothing happens."""
        ranges = list(Range)
        index = ranges.index(self.range_) + step
        if 0 <= index < len(ranges):
            self.range_ = ranges[index]

    def action_range_to(self, value: str) -> None:
        """This range."""
        self.range_ = Range(value)

    def action_freeze(self) -> None:
        """Hold the picture still, or go on with the newest one."""
        if self._frozen_at is None:
            self._frozen_at = self._now()
        else:
            self._frozen_at = None
            self.snapshot = self._latest
            self.log_pane.append(self._held)
            self._held = []
        self.show_freeze()
        self.show_hints()

    def show_hints(self) -> None:
        """Renew the footer."""
        raise NotImplementedError
