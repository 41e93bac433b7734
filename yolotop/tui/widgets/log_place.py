"""Where the log stands: lines in memory, which are in sight, the cursor, the tail.

Owns every move and when other lines are wanted. It must not fetch (it says what is
wanted, the screen brings it) nor draw; :class:`~yolotop.tui.widgets.log.LogPane` does,
and :class:`~yolotop.tui.widgets.log_window.LogWindow` bounds what is in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.reactive import var

from yolotop.store.protocol import LogLine
from yolotop.tui.ink import Look
from yolotop.tui.messages import NewerWanted, OlderWanted, PlaceWanted, TailWanted
from yolotop.tui.widgets.log_window import LogWindow
from yolotop.tui.widgets.painted import Painted
from yolotop.view.log import LogPage

KEPT_LINES: Final = 5_000
"""Lines in memory, 3 MB; those farthest from sight go, and can be had again."""


class LogPlace(Painted):
    """A place in the log, and the ways to another."""

    boxed: var[bool] = var(True)

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(look, name=name)
        self.window = LogWindow(KEPT_LINES)
        self.following = True
        self.unseen = 0
        self.cursor: int | None = None
        """The place of the line under the cursor, while there is one."""
        self._top = 0
        self._asked = False
        self._seeking = 0

    def to_match(self, by: int) -> None:
        """The next match (1) or the one before (-1), from the cursor on."""
        raise NotImplementedError

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

    def resized(self) -> None:
        """Keep the end in sight while following."""
        self._top = self._end if self.following else min(self._top, self._end)

    def watch_boxed(self) -> None:
        """Box or rule."""
        self.resized()
        self.repaint()
