"""The overview of one deployment: charts, where the time goes, budget, failures.

Owns which blocks there are and where the cursor stands. What a block looks like is
the block's, how much room it gets :mod:`~yolotop.tui.widgets.overview_plan`'s. It must
not know the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import var

from yolotop.tui.bindings import bindings_in
from yolotop.tui.charts import GUTTER, TimeAxis
from yolotop.tui.ink import Look, Row, Span, centred, clip, fit, spread
from yolotop.tui.widgets.budget import budget_rows
from yolotop.tui.widgets.failures import failure_rows
from yolotop.tui.widgets.overview_charts import (
    axis_of,
    latency_block,
    note_row,
    traffic_block,
)
from yolotop.tui.widgets.overview_plan import Share, share_out
from yolotop.tui.widgets.painted import Painted
from yolotop.tui.widgets.real_rows import real_rows, rows_wanted
from yolotop.tui.widgets.waterfall import waterfall_rows
from yolotop.view.detail import Detail


@dataclass
class CursorMoved(Message):
    """The cursor stands at another instant; ``None``: it is gone."""

    at: float | None


def overview_rows(
    detail: Detail, cursor: int | None, width: int, height: int, look: Look
) -> list[Row]:
    """The whole page; ``cursor`` is the step that is pointed at."""
    parts = detail.waterfall.told if detail.waterfall is not None else 0
    share = share_out(width, height, parts=parts, real=_real_rows(detail, look))
    axis = axis_of(detail, cursor, look)
    wide = width - share.side - (3 if share.side else 0)
    # A blank column at either edge: a chart should not touch the terminal's frame.
    charts = _charts(detail, axis, wide - 1, share, look)
    if share.side:
        side = _side(detail, cursor, share, height, look)
        return [
            (*fit(left, wide, look), Span("   "), *clip(right, share.side - 1, look))
            for left, right in zip(
                _padded(charts, height), _padded(side, height), strict=True
            )
        ]
    rows = [*charts, *_under(detail, cursor, share, width - 1, look)][:height]
    return [clip(row, width, look) for row in rows]


def _real_rows(detail: Detail, look: Look) -> int:
    return 0 if detail.real is None else rows_wanted(detail.real, look)


def _padded(rows: Sequence[Row], height: int) -> list[Row]:
    return [*rows[:height], *[()] * (height - len(rows))]


def _charts(
    detail: Detail, axis: TimeAxis, width: int, share: Share, look: Look
) -> list[Row]:
    rows = latency_block(detail, axis, width, share.latency, look)
    if share.traffic:
        head = bool(share.side) or share.headed
        rows += traffic_block(detail, axis, width, share.traffic, look, headed=head)
    rows += note_row(detail, axis, width, share, look)
    return rows


def heading(text: str, width: int, look: Look, right: Row = ()) -> Row:
    """A word, a hairline, and what belongs to it at the right."""
    line = Span(look.across, "hairline")
    gap = (Span(" "),) if right else ()
    return spread(
        (Span(f"{text} ", "dim"), line), (*gap, *right), width, look, filler=line
    )


def _side(
    detail: Detail, cursor: int | None, share: Share, height: int, look: Look
) -> list[Row]:
    """The blocks beside the charts, a blank row between two."""
    width, rows = share.side - 1, list[Row]()
    if detail.real is not None and share.real:
        rows.append(heading("Real traffic", width, look))
        rows += real_rows(detail.real, cursor, width, share.real, look, now=detail.at)
        rows.append(())
    rows += [heading("Where the time goes", width, look)]
    rows += waterfall_rows(detail.waterfall, width, share.waterfall, look)
    rows += [(), heading("Error budget", width, look)]
    rows += budget_rows(detail.budget, width, share.budget, look)
    rows += [(), heading("Last failures", width, look)]
    room = max(0, height - len(rows))
    rows += failure_rows(
        detail.failures, width, min(room, share.failures), look, now=detail.at
    )
    return rows


def _under(
    detail: Detail, cursor: int | None, share: Share, width: int, look: Look
) -> list[Row]:
    """The same blocks below the charts; without headings, words in the gutter."""
    gutter = 0 if share.headed else GUTTER
    real: list[Row] = []
    if detail.real is not None:
        real = real_rows(
            detail.real, cursor, width - gutter, share.real, look, now=detail.at
        )
    blocks = (
        ("Real traffic", "real", share.real, real),
        ("Where the time goes", "", share.waterfall, waterfall_rows(
            detail.waterfall, width - (0 if share.headed else 3), share.waterfall, look
        )),
        ("Error budget", "budget", share.budget, budget_rows(
            detail.budget, width - (0 if share.headed else GUTTER), share.budget, look
        )),
        ("Last failures", "failed", share.failures, failure_rows(
            detail.failures,
            width - (0 if share.headed else GUTTER),
            share.failures,
            look,
            now=detail.at,
        )),
    )  # fmt: skip
    rows: list[Row] = []
    for title, word, room, block in blocks:
        if not room:
            continue
        if share.headed:
            gap: list[Row] = [()] if rows else []
            rows += [*gap, heading(title, width, look), *block]
            continue
        for index, row in enumerate(block):
            label = word if index == 0 else ""
            pad = "   " if not word else f"{label.rjust(GUTTER - 1)} "
            rows.append((Span(pad, "faint"), *row))
    return rows


class Overview(Painted, can_focus=True):
    """The page."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_in("overview")

    detail: var[Detail | None] = var[Detail | None](None)
    cursor_at: var[float | None] = var[float | None](None)

    @property
    def cursor(self) -> int | None:
        """The step that is pointed at."""
        detail, at = self.detail, self.cursor_at
        if detail is None or at is None:
            return None
        # What began before the range is shown at its edge.
        return detail.index_of(max(at, detail.start_at))

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """The blocks."""
        if self.detail is None:
            blank: list[Row] = [()] * (height // 2)
            return [*blank, centred((Span("reading…", "faint"),), width, self.look)]
        return overview_rows(self.detail, self.cursor, width, height, self.look)

    def watch_detail(self) -> None:
        """Show the new picture."""
        self.repaint()

    def watch_cursor_at(self, at: float | None) -> None:
        """Show it, and tell who listens."""
        self.repaint()
        self.post_message(CursorMoved(at))

    def point_at(self, at: float | None) -> None:
        """Put the cursor at an instant, or take it away."""
        self.cursor_at = at

    def action_cursor(self, by: int) -> None:
        """A step back or on; past the newest one it is gone."""
        detail, here = self.detail, self.cursor
        if detail is None or not detail.steps:
            return
        newest = len(detail.steps)
        target = (newest if here is None else here) + by
        if target >= newest:
            self.point_at(None)
        else:
            self.point_at(detail.step_at(max(0, target)))

    def on_click(self, event: events.Click) -> None:
        """The cursor where a chart was clicked."""
        detail = self.detail
        if detail is None or not detail.steps:
            return
        width, height = self.size
        real = _real_rows(detail, self.look)
        share = share_out(width, height, parts=0, real=real)
        wide = width - share.side - (3 if share.side else 0) - 1 - GUTTER
        cell = event.x - GUTTER
        if 0 <= cell < wide and event.y < share.chart_rows:
            axis = axis_of(detail, None, self.look)
            self.point_at(detail.step_at(axis.step(cell, wide)))
