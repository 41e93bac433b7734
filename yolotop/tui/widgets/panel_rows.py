"""The four panels as rows: requests, active deployments, error rate, P95 latency.

Owns what each says, boxed or folded to one line. Pure: it must not compute a figure,
nor know Textual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from yolotop.tui.ink import Look, Row, Span, clip, fit, health_role, spread, width_of
from yolotop.tui.trends import trend_rows
from yolotop.view import format as fmt
from yolotop.view.snapshot import Snapshot, Trend

ERROR_LIMIT: Final = 0.05
"""Share of failed requests above which the error rate is red."""
FEW_SAMPLES: Final = 20
"""Under this many samples a percentile is greyed, its n shown."""
YOUNG: Final = 0.9
"""Share of its range below which a history is young, and says what it covers."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel's parts: ``trend`` or, for the active ones, ``signs``."""

    title: str
    short: str
    figure: Span
    note: Row
    trend: Trend
    limit: float | None = None
    signs: Row | None = None
    headroom: float = 1.25
    less: Row = ()
    """What the note comes to where it does not fit beside the figure."""
    covers: str = ""
    """What a young history's trend covers, for the box; empty: all of the range."""
    folded: Row = ()
    """What stands in the trend's place where the panel is folded."""


def covered(snapshot: Snapshot, look: Look) -> str:
    """``2 min`` while the history is younger than the range, else nothing.

    A range is whole slots: of one hour at least 55 min are there.
    """
    if snapshot.since_at is None:
        return ""
    seconds = snapshot.at - snapshot.since_at
    if seconds > YOUNG * snapshot.range.seconds:
        return ""
    return fmt.age(seconds, plain=look.plain)


def panels(snapshot: Snapshot, look: Look) -> tuple[Panel, Panel, Panel, Panel]:
    """The four, from left to right; what platforms counted beside what was asked.

    Where nobody here asked anything, the platforms' count takes its place.
    """
    own = _own(snapshot, look)
    real = snapshot.real
    if real is None or not real.requests:
        return own
    requests, active, errors, p95 = own
    plain = look.plain
    told = (
        Span(fmt.count(real.requests, plain=plain), "bright+bold"),
        Span(
            fmt.percent(real.error_rate, plain=plain),
            "down+bold" if (real.error_rate or 0) > ERROR_LIMIT else "bright+bold",
        ),
        Span(f"~{fmt.ms(real.p95_ms, plain=plain)}", "bright+bold"),
    )
    if snapshot.totals.requests:
        beside = [(Span("real ", "faint"), each._replace(role="dim")) for each in told]
        return (
            replace(requests, note=beside[0], less=requests.note),
            active,
            replace(errors, note=beside[1], less=errors.note),
            replace(p95, note=beside[2], less=p95.less),
        )
    note: Row = (Span("the Platform's count", "faint"),)

    def counted(panel: Panel, figure: Span, trend: Trend) -> Panel:
        return replace(
            panel, figure=figure, trend=trend, note=note, less=(), covers="", folded=()
        )

    return (
        counted(requests, told[0], snapshot.real_requests),
        active,
        counted(errors, told[1], snapshot.real_errors),
        counted(p95, told[2], snapshot.real_p95),
    )


def _own(snapshot: Snapshot, look: Look) -> tuple[Panel, Panel, Panel, Panel]:
    """Those of our own probes."""
    totals, plain = snapshot.totals, look.plain
    rise = fmt.change(snapshot.change, plain=plain)
    young = covered(snapshot, look)
    failing = totals.error_rate is not None and totals.error_rate > ERROR_LIMIT
    few = totals.samples < FEW_SAMPLES
    if few and totals.samples:
        percentiles: Row = (Span(f"only n {totals.samples}", "dim"),)
    else:
        percentiles = (
            Span("p50 ", "faint"),
            Span(fmt.ms(totals.p50_ms, plain=plain), "dim"),
            Span(" p99 ", "faint"),
            Span(fmt.ms(totals.p99_ms, plain=plain), "dim"),
        )
    return (
        Panel(
            "Total Requests",
            "req",
            Span(fmt.count(totals.asked, plain=plain), "bright+bold"),
            (
                Span(f"{rise} " if rise else "", "dim"),
                Span(f"last {young}" if young else snapshot.range.value, "faint"),
            ),
            snapshot.requests_trend,
            # Folded, only the count has room for its time, and its trend says less.
            folded=(Span(f" in {young}", "dim"),) if young else (),
        ),
        Panel(
            "Active Deployments",
            "act",
            Span(str(snapshot.active), "bright+bold"),
            (Span(f"of {len(snapshot.cards)}", "dim"),),
            Trend(),
            signs=_signs(snapshot, look),
        ),
        Panel(
            "Error Rate",
            "err",
            Span(
                fmt.percent(totals.error_rate, plain=plain),
                "down+bold" if failing else "bright+bold",
            ),
            (Span(f"limit {ERROR_LIMIT * 100:.0f} %", "faint"),),
            snapshot.errors_trend,
            limit=ERROR_LIMIT,
            covers=young,
        ),
        Panel(
            "P95 Latency",
            "p95",
            Span(fmt.ms(totals.p95_ms, plain=plain), "dim" if few else "bright+bold"),
            percentiles,
            snapshot.p95_trend,
            headroom=2.0,
            less=percentiles[2:],
            covers=young,
        ),
    )


def _signs(snapshot: Snapshot, look: Look) -> Row:
    return tuple(
        Span(fmt.symbol(card.health, plain=look.plain), health_role(card.health))
        for card in snapshot.cards
    )


def _boxed(panel: Panel, width: int, height: int, look: Look) -> list[Row]:
    left_top, right_top, left_bottom, right_bottom = look.corners
    inner = width - 4
    edge = Span(f"{look.down} ", "hairline"), Span(f" {look.down}", "hairline")
    room = inner - width_of((panel.figure,)) - 1
    note = next(
        (each for each in (panel.note, panel.less) if width_of(each) <= room), ()
    )
    body: list[Row] = [spread((panel.figure,), note, inner, look)]
    lines = height - 3
    if panel.signs is None:
        body += trend_rows(
            panel.trend.values,
            inner,
            lines,
            look,
            limit=panel.limit,
            headroom=panel.headroom,
        )
    else:
        body += _wrapped(panel.signs, inner, lines)
    title = (
        Span(f"{left_top}{look.across} ", "hairline"),
        Span(panel.title, "dim"),
        Span(" ", "hairline"),
    )
    span = (Span(f" last {panel.covers} ", "faint"),) if panel.covers else ()
    room = width - width_of(title) - 2
    if width_of(span) >= room:
        span = ()
    fill = Span(look.across * max(0, room - width_of(span)), "hairline")
    corner = Span(look.across + right_top, "hairline")
    return [
        (*title, fill, *span, corner),
        *((edge[0], *fit(row, inner, look), edge[1]) for row in body[: height - 2]),
        (Span(left_bottom + look.across * (width - 2) + right_bottom, "hairline"),),
    ]


def _wrapped(signs: Row, width: int, lines: int) -> list[Row]:
    # A blank between the signs while there is room for it.
    spaced = len(signs) * 2 <= width * lines
    per_line = width // 2 if spaced else width
    rows = [
        tuple(
            part
            for sign in signs[at : at + per_line]
            for part in ((sign, Span(" ")) if spaced else (sign,))
        )
        for at in range(0, len(signs), max(1, per_line))
    ]
    return [*rows[:lines], *([()] * (lines - len(rows)))]


def _head(panel: Panel) -> Row:
    head: Row = (Span(f"{panel.short} ", "faint"), panel.figure)
    return head if panel.signs is None else (*head, Span(" "), *panel.note)


def _folded(panel: Panel, room: int, look: Look) -> Row:
    head = _head(panel)
    if panel.folded and width_of((*head, *panel.folded)) <= room:
        return (*head, *panel.folded)
    free = room - width_of(head) - 1
    if panel.signs is not None or free < 4:
        return clip(head, room, look)
    # Twelve cells show a day in two-hour steps; more only pushes the figures apart.
    cells = min(free, 12)
    return (
        *head,
        Span(" "),
        *trend_rows(
            panel.trend.values,
            cells,
            1,
            look,
            limit=panel.limit,
            headroom=panel.headroom,
        )[0],
    )


def boxed_rows(snapshot: Snapshot, width: int, height: int, look: Look) -> list[Row]:
    """Four boxes beside each other, ``height`` rows."""
    edges = [width * index // 4 for index in range(5)]
    boxes = [
        _boxed(panel, stop - start, height, look)
        for panel, start, stop in zip(
            panels(snapshot, look), edges, edges[1:], strict=False
        )
    ]
    return [
        tuple(span for row in line for span in row) for line in zip(*boxes, strict=True)
    ]


def folded_rows(snapshot: Snapshot, width: int, height: int, look: Look) -> list[Row]:
    """All four on ``height`` lines (one or two), without boxes."""
    gap = 3 if width >= 60 else 2
    every = _chosen(panels(snapshot, look), width * height, gap)
    per_line = ceil(len(every) / max(1, height))
    rows: list[Row] = []
    for line in range(height):
        chosen = every[line * per_line : (line + 1) * per_line]
        room = (width - 2 - gap * (len(chosen) - 1)) // max(1, len(chosen))
        row: list[Span] = [Span(" ")]
        for index, panel in enumerate(chosen):
            cell = _folded(panel, room, look)
            last = index == len(chosen) - 1
            row += cell if last else fit(cell, room + gap, look)
        rows.append(tuple(row))
    return rows


def _chosen(every: Sequence[Panel], cells: int, gap: int) -> Sequence[Panel]:
    """The panels that can be read in ``cells``: errors and latency stay longest."""
    for number in (4, 3, 2):
        some = every[-number:]
        needed = max(width_of(_head(panel)) for panel in some)
        if (needed + gap) * number <= cells:
            return some
    return every[2:3]


def panel_rows(
    snapshot: Snapshot, width: int, height: int, look: Look, *, boxed: bool
) -> list[Row]:
    """Boxes where there is room for them, else folded."""
    draw = boxed_rows if boxed and height >= 4 else folded_rows
    return draw(snapshot, width, height, look)
