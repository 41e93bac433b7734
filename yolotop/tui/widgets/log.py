"""The log pane: lines of probes and events, filtered, following the newest.

Owns which lines are in memory and which of them are in sight. It must not fetch: it
says when older lines are wanted, the screen brings them. Only lines in sight are
drawn, whatever is in memory.
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
from yolotop.tui.ink import Look, Row, Span, centred, clip, cut, fit, width_of
from yolotop.tui.messages import OlderWanted
from yolotop.tui.widgets.log_rows import (
    columns,
    line_row,
    severity_picker,
    words_of,
)
from yolotop.tui.widgets.painted import Painted
from yolotop.view import format as fmt
from yolotop.view.log import LogPage, LogQuery

KEPT_LINES: Final = 10_000
"""Lines in memory while following; the oldest go, and can be paged in again."""
_WHEEL: Final = 3


class LogPane(Painted, can_focus=True):
    """The log."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_in("lines")

    query_: var[LogQuery] = var(LogQuery())
    everything: var[bool] = var(True)
    boxed: var[bool] = var(True)
    now: var[float] = var(0.0, init=False)
    measured: var[bool] = var(False, init=False)
    """Whether anything was ever measured: an empty page is then the filters' doing."""

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(look, name=name)
        self.lines: list[LogLine] = []
        self.following = True
        self.unseen = 0
        self._top = 0
        self._more = False
        self._asked = False
        self._cursor: int | None = None
        self._matched = 0
        self._scanned = 0

    # -- what is in memory ---------------------------------------------------------

    @property
    def newest(self) -> int:
        """The sequence number to go on after, 0 in an empty log."""
        return self.lines[-1].seq if self.lines else 0

    def show_page(self, page: LogPage) -> None:
        """Start over with the newest page of a query."""
        self.lines = list(page.lines)
        self._more, self._cursor, self._asked = page.more, page.cursor, False
        self._matched, self._scanned = page.matched, page.scanned
        self.following, self.unseen = True, 0
        self._top = self._end
        self.repaint()
        if not self.lines:
            self._want_older()

    def append(self, lines: Sequence[LogLine], *, scanned: int = 0) -> None:
        """Newer lines; the view moves along only while it follows."""
        if not lines and not (scanned and self.query_.text):
            return
        self.lines += lines
        self._matched += len(lines)
        self._scanned += max(scanned, len(lines))
        if self.following:
            surplus = len(self.lines) - KEPT_LINES
            if surplus > 0:
                del self.lines[:surplus]
                self._cursor, self._more = self.lines[0].seq, True
            self._top = self._end
        else:
            self.unseen += len(lines)
        self.repaint()

    def prepend(self, page: LogPage) -> None:
        """Older lines; what is in sight stays where it is."""
        self.lines[:0] = page.lines
        self._more, self._cursor, self._asked = page.more, page.cursor, False
        self._matched += page.matched
        self._scanned += page.scanned
        self._top += len(page.lines)
        self.repaint()
        if not page.lines and page.more:
            self._want_older()

    def older_failed(self) -> None:
        """Older lines could not be had; they may be asked for again."""
        self._asked = False

    # -- where it stands -----------------------------------------------------------

    @property
    def _room(self) -> int:
        return max(0, self.size.height - (2 if self.boxed else 1))

    @property
    def _end(self) -> int:
        return max(0, len(self.lines) - self._room)

    def scroll_lines(self, by: int) -> None:
        """Move by lines; arriving at the end follows again."""
        self._top = max(0, min(self._top + by, self._end))
        at_end = self._top >= self._end
        if at_end and not self.following:
            self.unseen = 0
        self.following = at_end
        if by < 0 and self._top == 0:
            self._want_older()
        self.repaint()

    def _want_older(self) -> None:
        if self._more and not self._asked and self._cursor is not None:
            self._asked = True
            self.post_message(OlderWanted(self._cursor))

    def scroll_pages(self, by: int) -> None:
        """Move by what is in sight, less one line to hold on to."""
        self.scroll_lines(by * max(1, self._room - 1))

    def to_first(self) -> None:
        """To the oldest line in memory."""
        self.scroll_lines(-len(self.lines) - 1)

    def to_tail(self) -> None:
        """To the newest line, and follow."""
        self.scroll_lines(len(self.lines) + 1)

    def action_scroll_lines(self, by: int) -> None:
        """By key."""
        self.scroll_lines(by)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """By wheel."""
        event.stop()
        self.scroll_lines(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """By wheel."""
        event.stop()
        self.scroll_lines(-_WHEEL)

    def on_resize(self, event: events.Resize) -> None:
        """Keep the end in sight while following."""
        self._top = self._end if self.following else min(self._top, self._end)
        super().on_resize(event)

    def on_focus(self) -> None:
        """Show that keys go here."""
        self.repaint()

    def on_blur(self) -> None:
        """Show that they go elsewhere."""
        self.repaint()

    def watch_query_(self) -> None:
        """Show the filters at once; the lines follow."""
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
        if not self.boxed:
            return [self._title(width, role), *body]
        thumb = self._thumb(room)
        left = Span(self.look.down, role)
        return [
            self._title(width, role),
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
        words = words_of(self.query_.text)
        rows: list[Row] = [
            line_row(line, width, cols, self.look, now=self.now, words=words)
            for line in seen
        ]
        return rows + [()] * (room - len(rows))

    def _nothing(self) -> str:
        query = self.query_
        if self._more:
            return "nothing yet; looking further back…"
        filters = query.text or query.deployment or query.min_severity > Severity.INFO
        if filters or self._scanned or self.measured:
            return "no line passes the filters"
        return "nothing has been logged yet"

    def _thumb(self, room: int) -> list[Span | None]:
        total = len(self.lines)
        if total <= room or not room:
            return [None] * room
        size = max(1, room * room // total)
        start = (room - size) * self._top // max(1, total - room)
        mark = Span(self.look.thumb, "accent" if self.has_focus else "trend")
        return [mark if start <= y < start + size else None for y in range(room)]

    def _count(self) -> str:
        plain = self.look.plain
        total = fmt.count(self._scanned, plain=plain) + ("+" if self._more else "")
        if self.query_.text:
            return f"{fmt.count(self._matched, plain=plain)} of {total}"
        return f"{total} lines" if self._scanned != 1 else "1 line"

    def _title(self, width: int, role: str) -> Row:
        look, query = self.look, self.query_
        line = Span(look.across, role)
        start = Span((look.corners[0] if self.boxed else "") + look.across, role)
        corner = Span(look.across + (look.corners[1] if self.boxed else ""), role)
        left: list[Span] = [start, Span(" Log ", "dim"), line, Span(" ")]
        left += severity_picker(query, look, everything=self.everything)
        left.append(Span(" "))
        cross = "x" if look.plain else "✕"
        if query.deployment:
            name = f"@{cut(query.deployment, 20, look)} {cross}"
            left += (line, Span(f" {name} ", "accent", "screen.only_none"))
        if query.text:
            text = f"/ {cut(query.text, max(8, width // 4), look)} {cross}"
            left += (line, Span(f" {text} ", "accent", "screen.filter_none"))
        pill = self._pill()
        right: list[Span] = [Span(f" {self._count()} ", "dim"), line]
        if not self.boxed or pill.role != "faint":
            right = [pill, line] if pill.role != "faint" else right[:1]
        elif width >= 70:
            right += (pill, line)
        right[-1:] = [corner] if self.boxed else right[-1:]
        if width_of(left) + width_of(right) + 2 > width:
            right = [corner] if self.boxed else []
        kept = clip(left, width - width_of(right), look)
        gap = width - width_of(kept) - width_of(right)
        return (*kept, line._replace(text=look.across * gap), *right)

    def _pill(self) -> Span:
        arrow = "v" if self.look.plain else "↓"
        if self.following:
            return Span(f" tail {'v' if self.look.plain else '▼'} ", "faint")
        news = fmt.count(self.unseen, plain=self.look.plain)
        label = f" {arrow} {news} new " if self.unseen else f" {arrow} newest "
        return Span(label, "accent+reverse+bold", "screen.log_tail")

    def _bottom(self, width: int, role: str) -> Row:
        _, _, left, right = self.look.corners
        return (Span(left + self.look.across * (width - 2) + right, role),)
