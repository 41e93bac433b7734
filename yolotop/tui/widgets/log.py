"""The log pane: a window over the whole history, filtered, following the newest.

Owns what is in sight, where the cursor stands and when other lines are wanted. It must
not fetch: it says what is wanted, the screen brings it. Only lines in sight are drawn,
and :class:`~yolotop.tui.widgets.log_window.LogWindow` bounds those in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.reactive import var

from yolotop.model import Severity
from yolotop.store.protocol import LogLine
from yolotop.tui.bindings import bindings_in
from yolotop.tui.ink import Look, Row, Span, centred, fit
from yolotop.tui.messages import (
    LineOpened,
    MatchWanted,
    NewerWanted,
    OlderWanted,
    PlaceWanted,
    TailWanted,
)
from yolotop.tui.widgets.log_rows import columns, line_row
from yolotop.tui.widgets.log_title import Standing, title_row
from yolotop.tui.widgets.log_window import LogWindow
from yolotop.tui.widgets.painted import Painted
from yolotop.view.filter import Filter, LineFilter, parse
from yolotop.view.log import LogPage, LogQuery
from yolotop.view.snapshot import Card

KEPT_LINES: Final = 5_000
"""Lines in memory, 3 MB; those farthest from sight go, and can be had again."""
_WHEEL: Final = 3


class LogPane(Painted, can_focus=True):
    """The log."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_in("lines")

    query_: var[LogQuery] = var(LogQuery())
    everything: var[bool] = var(True)
    marking: var[bool] = var(False)
    """Whether all lines are shown and matches only marked."""
    boxed: var[bool] = var(True)
    now: var[float] = var(0.0, init=False)
    measured: var[bool] = var(False, init=False)
    """Whether anything was ever measured: an empty page is then the filters' doing."""

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(look, name=name)
        self.window = LogWindow(KEPT_LINES)
        self.cards: tuple[Card, ...] = ()
        """What a filter knows of deployments while matches are only marked."""
        self.following = True
        self.unseen = 0
        self.cursor: int | None = None
        """The place of the line under the cursor, while there is one."""
        self._top = 0
        self._asked = False
        self._seeking = 0
        self._filter = Filter()

    # -- what is in memory ---------------------------------------------------------

    @property
    def lines(self) -> list[LogLine]:
        """The lines in memory, oldest first."""
        return self.window.lines

    @property
    def line(self) -> LogLine | None:
        """The line under the cursor, else the last one in sight."""
        if not self.lines:
            return None
        if self.cursor is not None:
            return self.lines[self.cursor]
        return self.lines[min(self._top + self._room, len(self.lines)) - 1]

    def show_page(self, page: LogPage) -> None:
        """Start over with the newest page of a query."""
        self.window.start(page)
        self._asked, self._seeking = False, 0
        self.following, self.unseen, self.cursor = True, 0, None
        self._top = self._end
        self.repaint()
        if not self.lines:
            self._want_older()

    def show_place(
        self, page: LogPage, *, seq: int | None = None, at: float | None = None
    ) -> None:
        """Start over elsewhere: with a line, an instant, or the first of the page."""
        self.window.start(page)
        self._asked, self._seeking = False, 0
        self.following = False
        if not self.lines:
            self.cursor, self._top = None, 0
            self._want_newer()
        elif seq is not None:
            self.select(self.window.index_of(seq))
        else:
            self.select(0 if at is None else self.window.index_at(at))
        self.repaint()

    def append(self, lines: Sequence[LogLine], *, scanned: int = 0) -> None:
        """Newer lines; the view moves along only while it follows."""
        if not lines and not scanned:
            return
        looked = max(scanned, len(lines))
        self._moved(self.window.add_news(lines, looked, following=self.following))
        if self.following:
            self._top = self._end
        else:
            self.unseen += len(lines)
        self.repaint()

    def prepend(self, page: LogPage) -> None:
        """Older lines; what is in sight stays where it is."""
        self._moved(self.window.add_older(page))
        self._came(page, older=True)

    def extend(self, page: LogPage) -> None:
        """Newer lines, up to the tail; what is in sight stays where it is."""
        self._moved(self.window.add_newer(page))
        if not self.window.more_after:
            self.unseen = 0
        self._came(page, older=False)

    def _moved(self, by: int) -> None:
        self._top = max(0, self._top + by)
        if self.cursor is not None:
            self.cursor = max(0, self.cursor + by)

    def _came(self, page: LogPage, *, older: bool) -> None:
        self._asked = False
        seeking, self._seeking = self._seeking, 0
        if not page.lines and (page.more_before if older else page.more_after):
            self._seeking = seeking
            (self._want_older if older else self._want_newer)()
        elif seeking:
            self.to_match(seeking)
        self.repaint()

    def lines_failed(self) -> None:
        """What was wanted could not be had; it may be asked for again."""
        self._asked, self._seeking = False, 0

    def _want_older(self) -> None:
        if self.window.more_before and not self._asked:
            self._asked = True
            self.post_message(OlderWanted(self.window.first))

    def _want_newer(self) -> None:
        if self.window.more_after and not self._asked:
            self._asked = True
            self.post_message(NewerWanted(self.window.last))

    # -- where it stands -----------------------------------------------------------

    @property
    def _room(self) -> int:
        return max(0, self.size.height - (2 if self.boxed else 1))

    @property
    def _end(self) -> int:
        return max(0, len(self.lines) - self._room)

    def scroll_lines(self, by: int) -> None:
        """Move by lines; arriving at the tail follows again."""
        self._top = max(0, min(self._top + by, self._end))
        if self.cursor is not None:
            bottom = max(self._top, self._top + self._room - 1)
            self.cursor = min(max(self.cursor, self._top), bottom)
        self._arrived(by)

    def _arrived(self, by: int) -> None:
        """Follow at the tail; want more where the window ends."""
        at_end = self._top >= self._end and not self.window.more_after
        last = self.cursor is None or self.cursor >= len(self.lines) - 1
        self.following = at_end and last
        if self.following:
            self.unseen = 0
            self.cursor = None
        if by < 0 and self._top == 0:
            self._want_older()
        if by > 0 and self._top >= self._end:
            self._want_newer()
        self.repaint()

    def scroll_pages(self, by: int) -> None:
        """Move by what is in sight, less one line to hold on to."""
        self.scroll_lines(by * max(1, self._room - 1))

    def to_first(self) -> None:
        """To the oldest line of the whole history."""
        if self.window.more_before:
            self.post_message(PlaceWanted(None))
        else:
            self.scroll_lines(-len(self.lines) - 1)

    def to_tail(self) -> None:
        """To the newest line, and follow."""
        if self.window.more_after:
            self.post_message(TailWanted())
            return
        self.cursor = None
        self.scroll_lines(len(self.lines) + 1)

    def follow(self, at: float | None) -> None:
        """Show the lines of an instant; ``None``: the tail again."""
        if at is None:
            self.to_tail()
        elif self.window.holds(at):
            self.following = False
            self.select(self.window.index_at(at))
        else:
            self.post_message(PlaceWanted(at))

    def select(self, index: int) -> None:
        """Put the cursor on a line and bring it in sight, in the middle if need be."""
        index = max(0, min(index, len(self.lines) - 1))
        self.cursor = index
        if not self._top <= index < self._top + self._room:
            self._top = max(0, min(index - self._room // 2, self._end))
        self.repaint()

    def move_cursor(self, by: int) -> None:
        """The cursor up or down; below the last line it is gone and the log follows."""
        if not self.lines:
            return
        start = self.cursor
        if start is None:
            start = min(self._top + self._room, len(self.lines)) - (by < 0)
        index = max(0, start + by)
        if index >= len(self.lines):
            self.cursor = None
            self._top = self._end
        else:
            self.cursor = index
            low = index - max(0, self._room - 1)
            self._top = max(0, min(max(self._top, low), index, self._end))
        self._arrived(by)
        if self.cursor is None and index < len(self.lines):
            # The last line can be under the cursor, too, and then nothing follows.
            self.cursor, self.following = index, False
            self.repaint()

    def to_match(self, by: int) -> None:
        """The next match (1) or the one before (-1), from the cursor on."""
        if not self._filter or not self.lines:
            return
        wanted = self.wanted
        start = self.cursor
        if start is None:
            start = min(self._top + self._room, len(self.lines))
        places = range(start + by, len(self.lines) if by > 0 else -1, by)
        for index in places:
            if not self.marking or wanted.matches(self.lines[index]):
                self.following = False
                self.select(index)
                return
        more = self.window.more_after if by > 0 else self.window.more_before
        if self.marking and more:
            window = self.window
            seq = window.last if by > 0 else window.first
            self.post_message(MatchWanted(seq, forward=by > 0))
        elif more:
            self._seeking = by
            (self._want_newer if by > 0 else self._want_older)()

    @property
    def wanted(self) -> LineFilter:
        """The filter as it is asked here."""
        return self._filter.among(self.cards)

    def action_cursor(self, by: int) -> None:
        """By key."""
        self.move_cursor(by)

    def action_open_line(self) -> None:
        """By key."""
        if (line := self.line) is not None:
            self.post_message(LineOpened(line))

    def on_click(self, event: events.Click) -> None:
        """The cursor to the line that was clicked; twice: look closely."""
        index = self._top + event.y - 1
        if not 0 < event.y <= self._room or index >= len(self.lines):
            return
        self.following = False
        self.select(index)
        if event.chain == 2:
            self.action_open_line()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """By wheel."""
        event.stop()
        self.scroll_lines(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """By wheel."""
        event.stop()
        self.scroll_lines(-_WHEEL)

    def resized(self) -> None:
        """Keep the end in sight while following."""
        self._top = self._end if self.following else min(self._top, self._end)

    def on_focus(self, _event: events.Focus) -> None:
        """Show that keys go here."""
        self.repaint()

    def on_blur(self, _event: events.Blur) -> None:
        """Show that they go elsewhere."""
        self.repaint()

    def watch_query_(self, query: LogQuery) -> None:
        """Show the filters at once; the lines follow."""
        self._filter = parse(query.text)
        self.repaint()

    def watch_marking(self) -> None:
        """Say so."""
        self.repaint()

    def watch_everything(self) -> None:
        """Mark the chosen severity."""
        self.repaint()

    def watch_measured(self) -> None:
        """The history has begun."""
        self.repaint()

    def watch_boxed(self) -> None:
        """Box or rule."""
        self._top = self._end if self.following else min(self._top, self._end)
        self.repaint()

    # -- what it looks like --------------------------------------------------------

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """Title, lines in sight, and the box around them."""
        if height < 1:
            return []
        role = "accent" if self.has_focus else "hairline"
        inner = width - 2 if self.boxed else width
        room = self._room
        body = self._body(inner, room)
        title = title_row(self._standing(), width, role, self.look)
        if not self.boxed:
            return [title, *body]
        thumb = self._thumb(room)
        left = Span(self.look.down, role)
        return [
            title,
            *(
                (left, *fit(row, inner, self.look), mark or left)
                for row, mark in zip(body, thumb, strict=True)
            ),
            self._bottom(width, role),
        ]

    def _body(self, width: int, room: int) -> list[Row]:
        if not self.lines:
            blank: list[Row] = [()] * room
            if room:
                text = Span(self._nothing(), "faint")
                blank[(room - 1) // 2] = centred((text,), width, self.look)
            return blank
        seen = self.lines[self._top : self._top + room]
        longest = max(cell_len(line.deployment or "") for line in self.lines[-500:])
        cols = columns(width, max(9, longest))
        marks = self._filter.words
        keys = self._filter.keys
        wanted = self.wanted if self.marking and self._filter else None
        rows: list[Row] = [
            line_row(
                line,
                width,
                cols,
                self.look,
                now=self.now,
                words=marks,
                keys=keys if wanted is None or wanted.matches(line) else frozenset(),
                chosen=self._top + place == self.cursor,
                hit=wanted is not None and wanted.matches(line),
            )
            for place, line in enumerate(seen)
        ]
        return rows + [()] * (room - len(rows))

    def _nothing(self) -> str:
        query, window = self.query_, self.window
        if window.more_before:
            return "nothing yet; looking further back…"
        filters = query.text or query.deployment or query.min_severity > Severity.INFO
        if filters or window.extent.total or self.measured:
            return "no line passes the filters"
        return "nothing has been logged yet"

    def _thumb(self, room: int) -> list[Span | None]:
        """Where what is in sight stands in the whole history."""
        window = self.window
        beyond = window.more_before or window.more_after
        if not room or (len(self.lines) <= room and not beyond):
            return [None] * room
        if beyond:
            total = max(window.extent.total, len(self.lines))
            first = self.lines[self._top].seq if self.lines else window.last
            place = window.extent.position(first)
        else:
            total, place = len(self.lines), self._top
        size = max(1, room * room // max(1, total))
        at_end = self._top >= self._end and not window.more_after
        start = (room - size) * place // max(1, total - room)
        start = room - size if at_end else min(start, room - size)
        mark = Span(self.look.thumb, "accent" if self.has_focus else "trend")
        return [mark if start <= y < start + size else None for y in range(room)]

    def _standing(self) -> Standing:
        window = self.window
        marking = self.marking and bool(self._filter)
        count = len(self.lines)
        if marking:
            wanted = self.wanted
            count = sum(map(wanted.matches, self.lines))
        return Standing(
            query=self.query_,
            everything=self.everything,
            boxed=self.boxed,
            count=count,
            # The extent is as old as the last page; lines were appended since.
            total=max(window.extent.total, count),
            partial=window.more_before or window.more_after,
            marking=marking,
            problems=self._filter.problems,
            following=self.following,
            unseen=self.unseen,
        )

    def _bottom(self, width: int, role: str) -> Row:
        _, _, left, right = self.look.corners
        return (Span(left + self.look.across * (width - 2) + right, role),)
