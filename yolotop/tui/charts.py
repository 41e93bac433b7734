"""Charts with axes, from values to rows: lines of percentiles, columns of requests.

Owns how a series over equal steps of time becomes characters: dots of braille or
blocks, or letters where only ASCII is to be had, so that no series is told by colour
alone. Pure; it must not know which series it is given.

A step without a value is a gap: the line ends before it and begins after it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.cells import cell_len

from yolotop.tui.canvas import DotCanvas
from yolotop.tui.ink import Look, Row, Span, cut, fit
from yolotop.tui.scales import Scale, scale_for, time_label, time_ticks
from yolotop.tui.trends import merged
from yolotop.view import format as fmt

GUTTER: Final = 8
"""Cells left of a chart: a label of up to seven, and the axis."""
_TIME_LABEL: Final = 12
"""Cells that one time on the axis wants."""
_HEADROOM: Final = 1.3
"""Columns of a steady load end below the top: a wall of blocks is no calm picture."""
NOTHING: Final = "nothing to draw: no good answer"
Values = Sequence[float | None]
"""One value a step, None where there is none."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series. ``dash`` is how many dots are drawn and left out in turn, ``thick``

    draws two dots for one. ``sign`` draws it where there is only ASCII, and in the
    legend there.
    """

    name: str
    values: Values
    role: str
    dash: tuple[int, int] = (1, 0)
    sign: str = "-"
    thick: bool = False

    def sample(self, look: Look) -> str:
        """What stands for it in a legend."""
        if look.plain:
            return self.sign * 2
        if self.dash[1]:
            return "··"
        return "━━" if self.thick else "──"


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Equal steps of time under a chart.

    ``marks`` are signs at instants, ``cursor`` is the step that is pointed at.
    """

    start_at: float
    step_s: float
    steps: int
    marks: tuple[tuple[float, str, str], ...] = ()
    cursor: int | None = None

    @property
    def end_at(self) -> float:
        """The end of the last step."""
        return self.start_at + self.steps * self.step_s

    def cell(self, at: float, width: int) -> int:
        """The column of an instant among ``width``."""
        span = self.end_at - self.start_at
        return min(width - 1, max(0, int((at - self.start_at) / span * width)))

    def cells(self, index: int, width: int) -> tuple[int, int]:
        """The first column of a step, and the one after its last."""
        first = index * width // self.steps
        return first, max(first + 1, (index + 1) * width // self.steps)

    def step(self, cell: int, width: int) -> int:
        """The step that a column shows."""
        return min(self.steps - 1, max(0, cell * self.steps // max(1, width)))


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of each step, and the failed ones among them; None where none was."""

    requests: Values
    failed: Values = field(default=())


def line_chart(
    lines: Sequence[Line],
    axis: TimeAxis,
    width: int,
    height: int,
    look: Look,
    *,
    colds: Sequence[bool] = (),
) -> list[Row]:
    """``height`` rows of exactly ``width`` cells, without the time axis.

    ``colds`` are the steps with a cold answer: a snowflake above the lines.
    """
    wide = width - GUTTER
    if wide < 8 or height < 2 or not axis.steps:
        return [()] * height
    snow = 1 if any(colds) and height >= 4 else 0
    high = height - snow
    known = [v for line in lines for v in line.values if v is not None]
    most = max(2, min(6, (high + 1) // 2))
    scale = scale_for(known)
    canvas = DotCanvas(wide, high, look)
    _draw_cursor(canvas, axis, look)
    for line in lines:
        (_draw_letters if look.plain else _draw_line)(canvas, line, axis, scale)
    labels = _labels(scale, high, most, look)
    if not known:
        # A scale from 0 to 1 ms would say that something was measured.
        labels = {}
        text = cut(NOTHING, wide, look)
        canvas.text((wide - cell_len(text)) // 2, (high - 1) // 2, text, "faint")
    rows = canvas.rows()
    out = [_snow_row(colds, axis, wide, look)] if snow else []
    out += [(*_gutter(labels.get(y, ""), look), *row) for y, row in enumerate(rows)]
    return out


def _y_of(scale: Scale, value: float, dots: int) -> int:
    return round((1 - scale.share(value)) * (dots - 1))


def _x_of(index: int, axis: TimeAxis, dots: int) -> int:
    return min(dots - 1, int((index + 0.5) * dots / axis.steps))


def _draw_line(canvas: DotCanvas, line: Line, axis: TimeAxis, scale: Scale) -> None:
    wide, high = canvas.dots_wide, canvas.dots_high
    on, off = line.dash
    before: tuple[int, int] | None = None
    for index, value in enumerate(line.values):
        if value is None or not math.isfinite(value):
            before = None
            continue
        x, y = _x_of(index, axis, wide), _y_of(scale, value, high)
        last = before if before is not None else (x, y)
        if off:
            _draw_dashes(canvas, last, (x, y), line.role, (on, off))
        else:
            canvas.line(*last, x, y, line.role)
            # The second dot is the one towards the middle: at an edge it would be lost.
            aside = -1 if 2 * y > high else 1
            if line.thick:
                canvas.line(last[0], last[1] + aside, x, y + aside, line.role)
        before = x, y


def _draw_dashes(
    canvas: DotCanvas,
    start: tuple[int, int],
    end: tuple[int, int],
    role: str,
    dash: tuple[int, int],
) -> None:
    """From dot to dot with holes; where the holes are depends on the column only,

    so that a line that moves on by one step does not change all over.
    """
    (x0, y0), (x1, y1) = start, end
    on, off = dash
    steps = max(abs(x1 - x0), abs(y1 - y0), 1)
    for step in range(steps + 1):
        x = x0 + round((x1 - x0) * step / steps)
        y = y0 + round((y1 - y0) * step / steps)
        if (x if abs(x1 - x0) >= abs(y1 - y0) else x + y) % (on + off) < on:
            canvas.set(x, y, role)


def _draw_letters(canvas: DotCanvas, line: Line, axis: TimeAxis, scale: Scale) -> None:
    """One sign a column, for each step of the line."""
    for cell in range(canvas.width):
        value = line.values[axis.step(cell, canvas.width)]
        if value is not None and math.isfinite(value):
            y = _y_of(scale, value, canvas.height)
            canvas.text(cell, y, line.sign, line.role)


def _draw_cursor(canvas: DotCanvas, axis: TimeAxis, look: Look) -> None:
    if axis.cursor is None:
        return
    cell = cursor_cell(axis, canvas.width)
    for y in range(canvas.height):
        if look.plain:
            canvas.text(cell, y, "|", "accent")
        else:
            x = cell * canvas.dots_x
            canvas.column(x, y * canvas.dots_y, (y + 1) * canvas.dots_y - 1, "accent")


def cursor_cell(axis: TimeAxis, width: int) -> int:
    """The column in which the cursor stands."""
    first, last = axis.cells(axis.cursor or 0, width)
    return min(width - 1, (first + last - 1) // 2)


def _labels(scale: Scale, high: int, most: int, look: Look) -> dict[int, str]:
    """Text by row; a label that would overwrite another is left out."""
    found: dict[int, str] = {}
    for tick in scale.ticks(most):
        y = round((1 - scale.share(tick)) * (high - 1))
        text = "0" if tick == 0 else tick_ms(tick, plain=look.plain)
        found.setdefault(y, text)
    return found


def tick_ms(value: float, *, plain: bool) -> str:
    """A round number of milliseconds without digits that are nought."""
    if value >= 1_000:
        return f"{value / 1_000:g} s"
    if value >= 1:
        return f"{value:g} ms"
    return f"{value * 1_000:g} {'us' if plain else 'µs'}"


def _gutter(label: str, look: Look) -> Row:
    edge = ("|" if look.plain else "┤") if label else look.down
    return (Span(label.rjust(GUTTER - 1), "faint"), Span(edge, "hairline"))


def _snow_row(colds: Sequence[bool], axis: TimeAxis, wide: int, look: Look) -> Row:
    sign = "*" if look.plain else "❄"
    cells = [" "] * wide
    for index, cold in enumerate(colds):
        if cold:
            first, last = axis.cells(index, wide)
            cells[(first + last - 1) // 2] = sign
    return (
        Span("cold".rjust(GUTTER - 1) if any(colds) else " " * (GUTTER - 1), "faint"),
        Span(" "),
        Span("".join(cells), "cold"),
    )


def column_chart(
    traffic: Traffic,
    axis: TimeAxis,
    width: int,
    height: int,
    look: Look,
    *,
    unit: str = "",
) -> list[Row]:
    """Requests as columns, failed ones at their feet; a whole cell for any at all.

    ``unit`` stands at the lowest label, for a chart without a heading.
    """
    wide = width - GUTTER
    if wide < 8 or height < 1 or not axis.steps:
        return [()] * height
    columns = [_column_of(traffic, axis, cell, wide) for cell in range(wide)]
    most = max((each[0] for each in columns if each is not None), default=0.0)
    scale = scale_for([most * _HEADROOM])
    top = scale.high if most > 0 else 1.0
    grid: list[list[tuple[str, str]]] = [[] for _ in range(height)]
    cursor = cursor_cell(axis, wide) if axis.cursor is not None else None
    for cell, column in enumerate(columns):
        for y, (char, role) in enumerate(_column(column, top, height, look)):
            if cell == cursor and char == " ":
                char, role = ("|" if look.plain else "▏"), "accent"
            grid[y].append((char, role))
    rows = []
    for y, cells in enumerate(grid):
        label = ""
        if y == 0 and most > 0:
            label = fmt.count(round(top), plain=look.plain)
        elif y == height - 1 and height > 1:
            label = f"0 {unit}".rstrip()
        rows.append((*_gutter(label, look), *merged(cells)))
    return rows


def _column_of(
    traffic: Traffic, axis: TimeAxis, cell: int, wide: int
) -> tuple[float, float] | None:
    """Mean requests and failed a step of the steps that a column stands for."""
    first = axis.step(cell, wide)
    last = max(first + 1, (cell + 1) * axis.steps // wide)
    known = [
        (requests, traffic.failed[index] if traffic.failed else 0.0)
        for index in range(first, min(last, axis.steps))
        if (requests := traffic.requests[index]) is not None
    ]
    if not known:
        return None
    return (
        sum(requests for requests, _ in known) / len(known),
        sum(failed or 0.0 for _, failed in known) / len(known),
    )


def _column(
    column: tuple[float, float] | None, top: float, height: int, look: Look
) -> list[tuple[str, str]]:
    """One column from the top down."""
    if column is None:
        gap = " " if look.plain else "·"
        return [(" ", "hairline")] * (height - 1) + [(gap, "hairline")]
    requests, failed = column
    blocks = fmt.PLAIN_BLOCKS if look.plain else fmt.BLOCKS
    steps = len(blocks)
    level = max(1, math.ceil(min(1.0, requests / top) * steps * height))
    whole = max(1, round(level / steps))
    bad = min(whole, max(1, round(failed / top * height))) if failed > 0 else 0
    if failed >= requests:
        level, bad = whole * steps, whole
    out: list[tuple[str, str]] = []
    for y in range(height):
        up = height - 1 - y
        filled = level - up * steps
        if up < bad:
            out.append(("x" if look.plain else "▒", "down"))
        elif filled <= 0:
            out.append((" ", "phase-dns"))
        else:
            out.append((blocks[min(filled, steps) - 1], "phase-dns"))
    return out


def axis_rows(axis: TimeAxis, width: int, look: Look, *, rows: int = 2) -> list[Row]:
    """The line under a chart with its ticks and marks, and the times below it."""
    wide = width - GUTTER
    if wide < 8 or not axis.steps:
        return [()] * rows
    span = axis.end_at - axis.start_at
    ticks = time_ticks(axis.start_at, axis.end_at, max(1, wide // _TIME_LABEL))
    line = [(look.across, "hairline")] * wide
    for at in ticks:
        line[axis.cell(at, wide)] = ("+" if look.plain else "┴", "hairline")
    for at, sign, role in axis.marks:
        line[axis.cell(at, wide)] = (sign, role)
    if axis.cursor is not None:
        line[cursor_cell(axis, wide)] = ("^" if look.plain else "▲", "accent+bold")
    corner = "+" if look.plain else "└"
    out: list[Row] = [
        (Span(" " * (GUTTER - 1)), Span(corner, "hairline"), *merged(line))
    ]
    if rows > 1:
        out.append(_times(ticks, axis, wide, span, look))
    return out


def _times(
    ticks: Sequence[float], axis: TimeAxis, wide: int, span: float, look: Look
) -> Row:
    text = [" "] * wide
    free = 0
    for at in ticks:
        label = time_label(at, span)
        start = axis.cell(at, wide) - len(label) // 2
        start = max(0, min(start, wide - len(label)))
        if start < free:
            continue
        text[start : start + len(label)] = label
        free = start + len(label) + 2
    row = (Span(" " * GUTTER), Span("".join(text), "faint"))
    return fit(row, wide + GUTTER, look)


def legend(
    lines: Sequence[Line], readings: Mapping[str, float | None], look: Look
) -> Row:
    """``━━ p50 38 ms  ╍╍ p95 142 ms``: the sign of each line and what it reads."""
    out: list[Span] = []
    for line in lines:
        value = readings.get(line.name)
        out += (
            Span(line.sample(look), line.role),
            Span(f" {line.name} ", "faint"),
            Span(fmt.ms(value, plain=look.plain), "bright" if value else "dim"),
            Span("   "),
        )
    return tuple(out[:-1])
