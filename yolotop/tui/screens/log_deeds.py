"""What can be done with the log: filter, mark, scroll, look closely, take away.

Owns the actions behind those keys. It must not know where lines come from.
"""

from __future__ import annotations

import time
from typing import Final

from textual import on

from yolotop.errors import YolotopError
from yolotop.model import Severity
from yolotop.store.protocol import LogLine
from yolotop.tui.messages import (
    LineOpened,
    MatchWanted,
    NewerWanted,
    PlaceWanted,
    TailWanted,
)
from yolotop.tui.screens.line import LineSheet, line_text
from yolotop.tui.screens.watching import Watching
from yolotop.tui.widgets.prompt import FILTER, Prompt
from yolotop.view.filter import parse

WRITTEN_LINES: Final = 20_000
"""Lines written to a file at most: 2 MB, read in two seconds."""
_PAGE: Final = 1_000


class LogDeeds(Watching):
    """Actions on the log."""

    # -- which lines -----------------------------------------------------------------

    def action_severity(self, level: int) -> None:
        """Lines of a severity and above; 0 is every line."""
        self.log_pane.everything = level == 0
        self.requery(min_severity=Severity(level) if level else Severity.DEBUG)

    def action_troubles(self) -> None:
        """Warnings and errors only, or INFO and above again."""
        only = self.log_query.min_severity is Severity.WARNING
        self.action_severity(Severity.INFO if only else Severity.WARNING)

    def action_filter(self) -> None:
        """Open the filter line where the hints are."""
        self.prompt.open(FILTER, self.log_query.text)
        self._tell_problems(self.log_query.text)
        self.share_out()

    @on(Prompt.Typed)
    def _filter_typed(self, event: Prompt.Typed) -> None:
        # The feed asks in turn: what is typed meanwhile collapses into one query.
        if event.purpose is FILTER:
            self._tell_problems(event.text)
            self.requery(text=event.text)

    @on(Prompt.Kept)
    def _filter_kept(self, event: Prompt.Kept) -> None:
        if event.purpose is FILTER:
            self.close_prompt()

    def _tell_problems(self, text: str) -> None:
        self.prompt.note = "; ".join(parse(text).problems)

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

    def action_mark_only(self) -> None:
        """Show all lines and only mark matches, or only the matches again."""
        pane = self.log_pane
        pane.marking = not pane.marking
        self.watch_log_query(self.log_query)

    # -- where it stands -------------------------------------------------------------

    def action_match(self, by: int) -> None:
        """The next match or the one before."""
        # What enter does next belongs to the line that is found.
        if self.log_pane.display:
            self.set_focus(self.log_pane)
        self.log_pane.to_match(by)

    def action_log_page(self, by: int) -> None:
        """Scroll by what is in sight."""
        self.log_pane.scroll_pages(by)

    def action_log_home(self) -> None:
        """To the oldest line of all."""
        self.log_pane.to_first()

    def action_log_tail(self) -> None:
        """To the newest line, and follow."""
        self.log_pane.to_tail()

    @on(NewerWanted)
    def _newer(self, event: NewerWanted) -> None:
        self.feed.want_newer(event.after)

    @on(PlaceWanted)
    def _place(self, event: PlaceWanted) -> None:
        self.feed.want_place(event.at)

    @on(TailWanted)
    def _tail(self) -> None:
        self.feed.want_tail()

    @on(MatchWanted)
    def _match(self, event: MatchWanted) -> None:
        self.feed.want_match(self.log_query, event.seq, forward=event.forward)

    def on_descendant_focus(self) -> None:
        """What enter does depends on where the focus is."""
        self.show_hints()

    # -- what is in it ---------------------------------------------------------------

    @on(LineOpened)
    def _opened_line(self, event: LineOpened) -> None:
        self.run_worker(self._look_closely(event.line), group="act", exclusive=True)

    async def _look_closely(self, line: LogLine) -> None:
        probe = None
        if line.probe is not None:
            try:
                probe = await self.means.source.probe(line.seq)
            except YolotopError as error:
                self.notify(error.message, title=error.title, markup=False)
                return
        self.app.push_screen(LineSheet(line, probe, self.look))

    def action_copy_line(self) -> None:
        """The line under the cursor, to the clipboard."""
        if (line := self.log_pane.line) is not None:
            self.copy(line_text(line), "1 line")

    def action_write_log(self) -> None:
        """The lines that pass the filters, into a file."""
        self.run_worker(self._write(), group="act", exclusive=True)

    async def _write(self) -> None:
        query = self.feed.query
        source = self.means.source
        lines: list[LogLine] = []
        before: int | None = None
        more = True
        try:
            while more and len(lines) < WRITTEN_LINES:
                page = await source.log(query, before=before, limit=_PAGE)
                lines[:0] = page.lines
                before, more = page.first, page.more_before
        except YolotopError as error:
            self.notify(error.message, title=error.title, markup=False)
            return
        if more:
            lines = lines[-WRITTEN_LINES:]
            note = f"# the newest {len(lines)} lines; there are more before them\n"
        else:
            note = ""
        text = note + "".join(f"{line_text(line)}\n" for line in lines)
        at = time.localtime(self.means.now())
        self.save(text, time.strftime("yolotop-%Y%m%d-%H%M%S.log", at))
