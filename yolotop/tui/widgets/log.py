"""The log pane: a window over the whole history, filtered, following the newest.

Owns its filter, its keys and what it looks like; only lines in sight are drawn. Where
it stands and how it moves is :mod:`~yolotop.tui.widgets.log_place`. It must not fetch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.reactive import var

from yolotop.model import Severity
from yolotop.tui.bindings import bindings_in
from yolotop.tui.ink import Look, Row, Span, centred, fit
from yolotop.tui.messages import LineOpened, MatchWanted
from yolotop.tui.widgets.log_place import LogPlace
from yolotop.tui.widgets.log_rows import columns, line_row
from yolotop.tui.widgets.log_title import Standing, title_row
from yolotop.view.filter import Filter, LineFilter, parse
from yolotop.view.log import LogQuery
from yolotop.view.snapshot import Card

_WHEEL: Final = 3


class LogPane(LogPlace, can_focus=True):
    """The log."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_in("lines")

    query_: var[LogQuery] = var(LogQuery())
    everything: var[bool] = var(True)
    marking: var[bool] = var(False)
    """Whether all lines are shown and matches only marked."""
    now: var[float] = var(0.0, init=False)
    measured: var[bool] = var(False, init=False)
    """Whether anything was ever measured: an empty page is then the filters' doing."""

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(look, name=name)
        self.cards: tuple[Card, ...] = ()
        """What a filter knows of deployments while matches are only marked."""
        self._filter = Filter()

    # -- what is looked for --------------------------------------------------------

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

    # -- keys and mouse ------------------------------------------------------------

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
