"""The base of everything drawn by hand: rows in, only changed cells out.

Owns the difference between two pictures. Textual repaints a widget whole even when
its content is the same (2.9 KiB/s for four unchanged cards, measured); here rows are
compared and only the columns that differ are sent. Over ssh that is the budget.
State of such widgets is ``var``, never ``reactive``: that one repaints them whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from yolotop.tui.ink import ROLES, Look, Row, fit, width_of

_NO_ROW: Row = ()
_JOIN: Final = 8
_MOST_STYLES: Final = 8_192
"""Styles kept: a photograph has thousands of colours, the next one has others."""


class Painted(Widget):
    """A widget made of rows. Subclasses say what the rows are, and call ``repaint``."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"ink--{role}" for role in ROLES}

    def __init__(self, look: Look, *, name: str) -> None:
        super().__init__(id=name)
        self.look = look
        self._rows: list[Row] = []
        self._drawn_for: Size | None = None
        self._given = 0
        self._waits = False
        """Whether a layout is to come: what is drawn before it is drawn for nothing."""
        self._missed = False
        self._styles_by_role: dict[tuple[str, str], Style] = {}
        self._base: Style | None = None

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """The picture for this size; rows may be shorter than ``width``."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Draw again, sending only what differs; what is not in sight waits."""
        width, height = self.size
        if not (width and height):
            return
        if self._waits or not self.display:
            self._missed = True
            return
        self._missed = False
        fresh = self._picture(width, height)
        dirty = [
            Region(start, y, stop - start, 1)
            for y, (old, new) in enumerate(
                zip_longest(self._rows, fresh, fillvalue=_NO_ROW)
            )
            if old != new
            for start, stop in changed_cells(old, new, width)
        ]
        self._rows = fresh
        if dirty:
            self.refresh(*dirty)

    def _picture(self, width: int, height: int) -> list[Row]:
        rows = list(self.rows(width, height))[:height]
        rows += [_NO_ROW] * (height - len(rows))
        return [fit(row, width, self.look) for row in rows]

    # -- its size ------------------------------------------------------------------

    def give_rows(self, rows: int) -> None:
        """So many rows from the next layout on; none takes it off the screen."""
        if self.display != (rows > 0):
            self.display = rows > 0
            self._waits = True
        if rows and rows != self._given:
            self._given = rows
            self.styles.height = rows
            self._waits = True

    def resized(self) -> None:
        """Fit to a new size what the picture depends on; it is drawn after this."""

    def _size_updated(
        self,
        size: Size,
        virtual_size: Size,
        container_size: Size,
        layout: bool = True,  # noqa: ARG002 - as Textual calls it
    ) -> bool:
        """Draw for a size as it is laid out: the first paint is the right one.

        Textual paints at once, tells of the new size afterwards, and lays out and
        paints a second time, for scroll bars that a painted widget has not. Changing
        the view of a hundred cards at 200x50 was three paints, 125 KB; now it is one.
        """
        changed = super()._size_updated(size, virtual_size, container_size, False)
        self._waits = False
        if self.size != self._drawn_for:
            self._drawn_for = self.size
            self._missed = False
            self.resized()
            width, height = self.size
            self._rows = self._picture(width, height) if width and height else []
            # The compositor knows that this place is to be painted, and does it next.
            self._set_dirty()
            self._exchange_repaint_regions()
        elif self._missed:
            self.repaint()
        return changed

    def on_hide(self) -> None:
        """Off the screen: when it is back it is painted whole."""
        self._drawn_for = None

    def on_focus(self, event: events.Focus) -> None:
        """Take the focus without being painted whole, as Textual's own handler would.

        No rule of the style sheet asks who has the focus, so nothing is styled anew
        either: 25 ms less from the tab key to the screen, and 8 KiB at 200x50.
        """
        event.prevent_default()
        self.has_focus = True
        if self.parent is not None:
            self.parent.post_message(events.DescendantFocus(self))

    def on_blur(self, event: events.Blur) -> None:
        """Give it up, in the same way."""
        event.prevent_default()
        self.has_focus = False
        if self.parent is not None:
            self.parent.post_message(events.DescendantBlur(self))

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show where keys go."""
        self.repaint()

    def notify_style_update(self) -> None:
        """Forget styles: the theme changed."""
        super().notify_style_update()
        self._styles_by_role.clear()
        self._base = None

    def render_line(self, y: int) -> Strip:
        """One row as styled segments."""
        if self._base is None:
            self._base = self.rich_style
        width = self.size.width
        if not 0 <= y < len(self._rows):
            return Strip.blank(width, self._base)
        segments = [
            Segment(span.text, self._style(span.role, span.action))
            for span in self._rows[y]
            if span.text
        ]
        return Strip(segments).adjust_cell_length(width, self._base)

    def _style(self, role: str, action: str) -> Style:
        style = self._styles_by_role.get((role, action))
        if style is None:
            style = self._base or Style()
            for part in role.split("+"):
                if part.startswith("#"):
                    style += _literal(part)
                    continue
                style += self.get_component_rich_style(f"ink--{part}", partial=True)
            if action:
                style += Style.from_meta({"@click": action})
            if len(self._styles_by_role) > _MOST_STYLES:
                self._styles_by_role.clear()
            self._styles_by_role[role, action] = style
        return style


def changed_cells(old: Row, new: Row, width: int) -> list[tuple[int, int]]:
    """Column ranges, start and stop, in which two rows of ``width`` cells differ.

    Differences fewer than :data:`_JOIN` cells apart are one range: moving the
    terminal's cursor and setting its colours again costs more than a few equal cells.
    """
    # Most of a row is as it was: comparing spans is a tenth of comparing cells.
    same = 0
    for was, now in zip(old, new, strict=False):
        if was != now:
            break
        same += 1
    begin = width_of(old[:same])
    before, after = _cells(old[same:]), _cells(new[same:])
    if len(before) != len(after):
        return [(0, width)]
    ranges: list[tuple[int, int]] = []
    for x, (one, other) in enumerate(zip(before, after, strict=True), begin):
        if one == other:
            continue
        if ranges and x - ranges[-1][1] < _JOIN:
            ranges[-1] = (ranges[-1][0], x + 1)
        else:
            ranges.append((x, x + 1))
    # Rows that differ in no cell differ in a combining mark.
    return ranges or [(0, width)]


def _literal(role: str) -> Style:
    """The style of a role that :func:`~yolotop.tui.ink.literal` made."""
    fore, _, back = role[1:].partition("/")
    return Style.from_color(
        Color.from_rgb(*bytes.fromhex(fore)) if fore else None,
        Color.from_rgb(*bytes.fromhex(back)) if back else None,
    )


def _cells(row: Row) -> list[tuple[str, str, str]]:
    """One entry a cell; both halves of a wide character carry the character."""
    cells: list[tuple[str, str, str]] = []
    for text, role, action in row:
        if text.isascii():
            cells += [(char, role, action) for char in text]
            continue
        for char in text:
            cells += [(char, role, action)] * cell_len(char)
    return cells
