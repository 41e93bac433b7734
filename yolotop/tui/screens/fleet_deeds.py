"""What can be done with the list: another view, another order, fewer of them.

Owns the actions behind those keys. It must not act on a deployment.
"""

from __future__ import annotations

from textual import on

from yolotop.tui.layout import View
from yolotop.tui.screens.parts import Parts
from yolotop.tui.widgets.prompt import FIND, Prompt
from yolotop.tui.widgets.table_order import (
    By,
    Sort,
    first_way,
    next_sort,
    reversed_sort,
)


class FleetDeeds(Parts):
    """Actions on the list."""

    def action_view(self) -> None:
        """The next view."""
        views = list(self.views)
        self.view = views[(views.index(self.view) + 1) % len(views)]

    def action_view_as(self, value: str) -> None:
        """This view."""
        self.view = View(value)

    # -- the table's order ---------------------------------------------------------

    def action_sort(self) -> None:
        """By the next column that is shown, after the last one as in the config."""
        self._sort(next_sort(self.table.sort, self.table.sorts))

    def action_reverse(self) -> None:
        """The other way round."""
        self._sort(reversed_sort(self.table.sort))

    def action_sort_by(self, value: str) -> None:
        """By this column; once more, the other way round."""
        by, old = By(value), self.table.sort
        again = self.view is View.TABLE and old.by is by
        self.view = View.TABLE
        self._sort(reversed_sort(old) if again else first_way(by))

    def action_sort_none(self) -> None:
        """As in the config file."""
        self._sort(Sort())

    def _sort(self, sort: Sort) -> None:
        self.table.sort = sort
        self.show_hints()

    # -- what is looked for --------------------------------------------------------

    def action_find(self) -> None:
        """Open the line in which one types what to look for."""
        self.prompt.open(FIND, self.looked_for)
        self.share_out()

    def action_find_none(self) -> None:
        """Show all again."""
        self.looked_for = ""

    def clear_find(self) -> bool:
        """Show all again; says whether that is what was meant, here and now."""
        typing, in_log = self.finding, self.log_pane.has_focus
        if not typing and (in_log or self.prompt.is_open or not self.looked_for):
            return False
        if typing:
            self._end_find()
        self.looked_for = ""
        return True

    @on(Prompt.Typed)
    def _find_typed(self, event: Prompt.Typed) -> None:
        if event.purpose is FIND:
            self.looked_for = event.text

    @on(Prompt.Kept)
    def _find_kept(self, event: Prompt.Kept) -> None:
        if event.purpose is FIND:
            self.looked_for = event.text
            self._end_find()

    def _end_find(self) -> None:
        self.prompt.close()
        self.share_out()
        self.focus_home()

    # -- the way to the log --------------------------------------------------------

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
