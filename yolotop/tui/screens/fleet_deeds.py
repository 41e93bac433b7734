"""What can be done with the list: another view of it, and the way to the log.

Owns the actions behind those keys. It must not act on a deployment.
"""

from __future__ import annotations

from yolotop.tui.layout import View
from yolotop.tui.screens.parts import Parts


class FleetDeeds(Parts):
    """Actions on the list."""

    def action_view(self) -> None:
        """The next view."""
        views = list(self.views)
        self.view = views[(views.index(self.view) + 1) % len(views)]

    def action_view_as(self, value: str) -> None:
        """This view."""
        self.view = View(value)

    def action_switch_pane(self) -> None:
        """From the list to the log and back."""
        if self.prompt.is_open:
            self.prompt.close()
            self.share_out()
            self.focus_home()
        elif self.log_pane.has_focus or not self.log_pane.display:
            self.focus_home()
        else:
            self.set_focus(self.log_pane)
