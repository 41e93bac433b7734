"""A load test's curve: latency over throughput, one mark a level.

Owns its drawing. Pure, from points to rows of spans on the terminal's own canvas; it
must not know what was asked, nor how rows are printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from yolotop.tui.canvas import DotCanvas
from yolotop.tui.charts import GUTTER, tick_ms
from yolotop.tui.ink import Look, Row, Span, cut
from yolotop.tui.scales import Scale, scale_for

ROWS: Final = 10
WIDEST: Final = 100
"""Cells: a longer way between the same few points says no more."""
NARROWEST: Final = 30


@dataclass(frozen=True, slots=True)
class Mark:
    """One level: ``across`` good answers a second, ``up`` milliseconds."""

    across: float
    up: float
    label: str
    is_knee: bool = False


def curve(marks: Sequence[Mark], width: int, look: Look) -> list[Row]:
    """The chart with its axes; nothing where there is no line to draw."""
    if len(marks) < 2 or width < NARROWEST:
        return []
    wide = min(width, WIDEST) - GUTTER
    up = scale_for(mark.up for mark in marks)
    top = scale_for(mark.across for mark in marks)
    # A server's first level is no peak: throughput always starts at nought.
    across = Scale(0.0, max(top.high, 1e-9))
    canvas = DotCanvas(wide, ROWS, look)
    places = [_place(mark, across, up, canvas) for mark in marks]
    for (x0, y0), (x1, y1) in pairwise(places):
        canvas.line(x0, y0, x1, y1, "line")
    taken: set[tuple[int, int]] = set()
    # The knee first: its words are the ones to keep where two lie upon each other.
    order = sorted(range(len(marks)), key=lambda index: not marks[index].is_knee)
    for index in order:
        _put(canvas, marks[index], places[index], taken, look)
    labels = _labels(up, look)
    rows: list[Row] = [(Span("P95".rjust(GUTTER - 1), "faint"),)]
    for y, row in enumerate(canvas.rows()):
        text = labels.get(y, "")
        edge = ("|" if look.plain else "┤") if text else look.down
        gutter = (Span(text.rjust(GUTTER - 1), "faint"), Span(edge, "faint"))
        rows.append((*gutter, *row))
    return [*rows, *_floor(across, wide, look)]


def _place(mark: Mark, across: Scale, up: Scale, canvas: DotCanvas) -> tuple[int, int]:
    x = round(across.share(mark.across) * (canvas.dots_wide - 1))
    y = round((1 - up.share(mark.up)) * (canvas.dots_high - 1))
    return x, y


def _put(
    canvas: DotCanvas,
    mark: Mark,
    place: tuple[int, int],
    taken: set[tuple[int, int]],
    look: Look,
) -> None:
    """The mark, and beside it what it is; on the left where the right is full."""
    x, y = place[0] // canvas.dots_x, place[1] // canvas.dots_y
    sign = ("#" if look.plain else "◆") if mark.is_knee else look.live
    role = "knee" if mark.is_knee else "mark"
    # Blanks on both sides keep the line out of the word.
    label = f" {mark.label} knee " if mark.is_knee else f" {mark.label} "
    for left in (x + 1, x - len(label)):
        cells = {(left + n, y) for n in range(len(label))}
        if left >= 0 and left + len(label) <= canvas.width and not cells & taken:
            canvas.text(left, y, label, role)
            taken |= cells
            break
    if (x, y) not in taken:
        canvas.text(x, y, sign, role)
        taken.add((x, y))


def _labels(up: Scale, look: Look) -> dict[int, str]:
    found: dict[int, str] = {}
    for tick in up.ticks(ROWS // 2):
        y = round((1 - up.share(tick)) * (ROWS - 1))
        found.setdefault(y, "0" if tick == 0 else tick_ms(tick, plain=look.plain))
    return found


def _floor(across: Scale, wide: int, look: Look) -> list[Row]:
    """The axis and its figures."""
    corner = "+" if look.plain else "└"
    axis = (
        Span(" " * (GUTTER - 1)),
        Span(corner + look.across * wide, "faint"),
    )
    line = [" "] * (wide + 8)
    for tick in across.ticks(5):
        text = f"{tick:g}" if tick < across.high else f"{tick:g}/s"
        at = round(across.share(tick) * (wide - 1)) - len(text) // 2
        at = min(max(0, at), wide - len(text))
        line[at : at + len(text)] = text
    words = cut("".join(line).rstrip(), wide, look)
    return [axis, (Span(" " * GUTTER), Span(words, "faint"))]
