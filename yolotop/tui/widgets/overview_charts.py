"""The overview's charts: latency, requests, states, and what happened when.

Owns which series there are, what their headings read, and the line of words below
them. Pure; it must not know where a detail comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yolotop.model import EventKind
from yolotop.tui.charts import (
    GUTTER,
    Line,
    TimeAxis,
    Traffic,
    axis_rows,
    column_chart,
    legend,
    line_chart,
)
from yolotop.tui.ink import Look, Row, Span, cut, health_role, spread, width_of
from yolotop.tui.widgets.overview_plan import Share
from yolotop.tui.widgets.ribbon import ribbon_row, state_between
from yolotop.view import format as fmt
from yolotop.view.detail import Detail
from yolotop.view.incidents import Incident, words
from yolotop.view.snapshot import Figures

_MARKS: Final[Mapping[EventKind, tuple[str, str, str]]] = {
    EventKind.MODEL_CHANGED: ("◆", "M", "accent"),
    EventKind.RESTARTED: ("↻", "R", "bright"),
    EventKind.CERTIFICATE: ("!", "!", "degraded"),
    EventKind.COLLECTOR: ("▪", "c", "dim"),
    EventKind.CLOCK: ("◷", "k", "degraded"),
}
"""What is marked on the time axis: sign, letter, role."""


def axis_of(detail: Detail, cursor: int | None, look: Look) -> TimeAxis:
    """The time axis that all charts of a detail share."""
    marks = []
    for mark in detail.marks:
        sign, letter, role = _MARKS[mark.kind]
        if detail.start_at <= mark.at < detail.end_at:
            marks.append((mark.at, letter if look.plain else sign, role))
    return TimeAxis(
        detail.start_at, detail.step_s, len(detail.steps), tuple(marks), cursor
    )


def lines_of(detail: Detail) -> tuple[Line, ...]:
    """P99 first: what is drawn later lies on top, and P95 is what matters most."""
    steps = detail.steps
    p99 = tuple(step.p99_ms if step else None for step in steps)
    p50 = tuple(step.p50_ms if step else None for step in steps)
    p95 = tuple(step.p95_ms if step else None for step in steps)
    return (
        Line("p99", p99, "faint", (1, 2), "."),
        Line("p50", p50, "trend", (1, 0), "o"),
        Line("p95", p95, "accent", (1, 0), "=", thick=True),
    )


def _figures_at(detail: Detail, cursor: int | None) -> Figures:
    """Of the step under the cursor, else of the whole range."""
    if cursor is None:
        return detail.card.figures
    return detail.steps[cursor] or Figures()


def when(detail: Detail, cursor: int) -> str:
    """``14:10 to 14:20``, with the day where the range has several."""
    start = detail.step_at(cursor)
    end = start + detail.step_s
    if detail.step_s < 60:
        first, last = fmt.clock(start), fmt.clock(end)
    else:
        first, last = (fmt.clock(at, seconds=False) for at in (start, end))
    day = fmt.moment(start, now=detail.at)
    # A moment of another day reads "Nov 03 12:31".
    if " " in day:
        first = day
    return f"{first} to {last}"


def _rule(text: Row, right: Row, width: int, look: Look) -> Row:
    line = Span(look.across, "hairline")
    return spread((*text, Span(" ")), (Span(" "), *right), width, look, filler=line)


def latency_block(
    detail: Detail, axis: TimeAxis, width: int, height: int, look: Look
) -> list[Row]:
    """Heading and lines: ``height`` rows and one."""
    lines = lines_of(detail)
    figures = _figures_at(detail, axis.cursor)
    readings = {"p50": figures.p50_ms, "p95": figures.p95_ms, "p99": figures.p99_ms}
    shown = sorted(lines, key=lambda line: line.name)
    right = legend(shown, readings, look)
    title: Row = (Span(" Latency", "dim"),)
    if axis.cursor is not None:
        title = (*title, Span(f"  {when(detail, axis.cursor)}", "accent+bold"))
    elif detail.young:
        since = fmt.moment(detail.start_at, now=detail.at)
        title = (*title, Span(f"  since {since}", "faint"))
    if width_of(title) + width_of(right) + 3 > width:
        right = legend(shown[:2], readings, look)
    if width_of(title) + width_of(right) + 3 > width:
        title = title[1:] or title
    colds = [bool(step and step.cold) for step in detail.steps]
    chart = line_chart(lines, axis, width, height, look, colds=colds)
    return [_rule(title, right, width, look), *chart]


def traffic_block(
    detail: Detail,
    axis: TimeAxis,
    width: int,
    height: int,
    look: Look,
    *,
    headed: bool,
) -> list[Row]:
    """Columns of requests and errors; with ``headed`` one row more."""
    traffic = Traffic(
        tuple(step.requests if step else None for step in detail.steps),
        tuple(step.failed if step else None for step in detail.steps),
    )
    unit = "" if headed else "req"
    chart = column_chart(traffic, axis, width, height, look, unit=unit)
    if not headed:
        return chart
    figures = _figures_at(detail, axis.cursor)
    step = fmt.age(detail.step_s, plain=look.plain)
    failed = fmt.count(figures.failed, plain=look.plain)
    sign = "xx" if look.plain else "▒▒"
    rate = fmt.percent(figures.error_rate, plain=look.plain)
    right: Row = (
        Span(fmt.count(figures.requests, plain=look.plain), "bright"),
        Span(" requests   ", "faint"),
        Span(sign, "down" if figures.failed else "faint"),
        Span(f" {failed}", "bright" if figures.failed else "dim"),
        Span(f" failed, {rate}", "faint"),
    )
    title: Row = (Span(" Requests", "dim"), Span(f"  in {step}", "faint"))
    return [_rule(title, right, width, look), *chart]


def note_row(
    detail: Detail, axis: TimeAxis, width: int, share: Share, look: Look
) -> list[Row]:
    """Time axis, states, and in words what happened: as many rows as there are."""
    rows = axis_rows(axis, width, look, rows=share.axis)
    if share.ribbon:
        rows.append(ribbon_row(detail.ribbon, axis, width, look))
    if share.note:
        pad = Span(" " * GUTTER)
        rows.append((pad, *told(detail, axis.cursor, width - GUTTER, look)))
    return rows


def told(detail: Detail, cursor: int | None, width: int, look: Look) -> Row:
    """What happened in the step under the cursor, else the last incident."""
    if cursor is None:
        return _last_incident(detail, width, look)
    start = detail.step_at(cursor)
    end = start + detail.step_s
    for mark in detail.marks:
        if start <= mark.at < end:
            sign, letter, role = _MARKS[mark.kind]
            said = f"{fmt.clock(mark.at)} {mark.message}"
            return (
                Span(f"{letter if look.plain else sign} ", role),
                Span(cut(said, width - 2, look), "text"),
            )
    for incident in reversed(detail.incidents):
        if incident.start_at < end and (incident.end_at or detail.at) > start:
            return _told(incident, detail, width, look)
    health = state_between(detail.ribbon, start, end)
    if health is None:
        return (Span("nothing was measured then", "faint"),)
    return (
        Span(fmt.symbol(health, plain=look.plain), health_role(health)),
        Span(f" {health}", "dim"),
    )


def _last_incident(detail: Detail, width: int, look: Look) -> Row:
    if not detail.incidents:
        return (Span(f"no incident in the last {detail.range}", "faint"),)
    row = _told(detail.incidents[-1], detail, width - 16, look)
    number = len(detail.incidents)
    if number == 1:
        return _told(detail.incidents[-1], detail, width, look)
    return spread(row, (Span(f"{number} incidents", "faint"),), width, look)


def _told(incident: Incident, detail: Detail, width: int, look: Look) -> Row:
    """``✖ down 07:10 to 08:20: HTTP 503 …``."""
    role = health_role(incident.health)
    sign = fmt.symbol(incident.health, plain=look.plain)
    head = words(incident, now=detail.at, plain=look.plain)
    rest = max(0, width - len(head) - 4)
    return (
        Span(f"{sign} ", role),
        Span(head, role),
        Span(f": {cut(incident.message, rest, look)}", "dim"),
    )
