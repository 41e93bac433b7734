"""Trend lines of any height, in rows: values, gaps, limits, failed beats.

Owns how a series becomes block characters. It must not know which series it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import ceil, isfinite
from typing import Final

from yolotop.model import Outcome
from yolotop.tui.ink import Look, Row, Span
from yolotop.view import format as fmt
from yolotop.view.snapshot import Beat

_FAILED: Final = {Outcome.FAILED: ("×", "x", "down"), Outcome.WRONG: ("≠", "!", "down")}


def merged(cells: Iterable[tuple[str, str]]) -> Row:
    """Characters with their roles as a row, equal neighbours in one span."""
    return tuple(
        Span("".join(text for text, _ in run), role)
        for role, run in groupby(cells, key=lambda cell: cell[1])
    )


def _columns(value: float | None, top: float, lines: int, look: Look) -> list[str]:
    """One value as ``lines`` characters, from the top down."""
    blocks = fmt.PLAIN_BLOCKS if look.plain else fmt.BLOCKS
    steps = len(blocks)
    if value is None or not isfinite(value):
        gap = fmt.PLAIN_GAP if look.plain else fmt.GAP
        return [" "] * (lines - 1) + [gap]
    level = 1 if top <= 0 else max(1, ceil(min(1.0, value / top) * steps * lines))
    out = []
    for line in range(lines):
        filled = level - (lines - 1 - line) * steps
        out.append(" " if filled <= 0 else blocks[min(filled, steps) - 1])
    return out


def trend_rows(
    values: Sequence[float | None],
    width: int,
    lines: int,
    look: Look,
    *,
    limit: float | None = None,
    headroom: float = 1.25,
) -> list[Row]:
    """``values`` over ``width`` × ``lines`` cells, from zero; a dot in each gap.

    What is above ``limit`` is red. The top of the scale is the greatest value or
    ``headroom`` times the median: a steady series stays low, a peak stands out.
    """
    cells = fmt.resample(values, width)
    top = fmt.calm_top(cells, times=headroom) or 0.0
    if limit is not None:
        top = max(top, limit)
    grid: list[list[tuple[str, str]]] = [[] for _ in range(lines)]
    for value in cells:
        role = "trend"
        if value is None:
            role = "hairline"
        elif limit is not None and value > limit:
            role = "down"
        for line, char in enumerate(_columns(value, top, lines, look)):
            grid[line].append((char, role))
    return [merged(line) for line in grid]


def beat_rows(
    beats: Sequence[Beat], width: int, lines: int, look: Look, *, faded: bool = False
) -> list[Row]:
    """The newest answers, one a cell, the newest at the right edge.

    A failed one is ``×``, a wrong one ``≠``, a cold one ``❄``; a slow one is amber.
    ``faded`` draws the rest quieter still (a paused deployment).
    """
    shown = beats[-width:] if width > 0 else ()
    known = [
        beat.latency_ms
        for beat in shown
        if beat.latency_ms is not None and not beat.cold and not beat.outcome.is_error
    ]
    top = fmt.calm_top(known, times=3.0 if lines == 1 else 1.6) or 0.0
    gap = fmt.PLAIN_GAP if look.plain else fmt.GAP
    grid: list[list[tuple[str, str]]] = [[] for _ in range(lines)]
    for line in range(lines):
        dots = gap if line == lines - 1 else " "
        grid[line] = [(dots, "hairline")] * (width - len(shown))
    for beat in shown:
        for line, cell in enumerate(_beat(beat, top, lines, look, faded=faded)):
            grid[line].append(cell)
    return [merged(line) for line in grid]


def _beat(
    beat: Beat, top: float, lines: int, look: Look, *, faded: bool
) -> list[tuple[str, str]]:
    blank = [(" ", "trend")] * (lines - 1)
    if beat.outcome in _FAILED:
        sign, plain, role = _FAILED[beat.outcome]
        return [*blank, (plain if look.plain else sign, role)]
    if beat.cold or beat.outcome is Outcome.COLD:
        return [*blank, ("*" if look.plain else "❄", "cold")]
    late = beat.outcome in (Outcome.SLOW, Outcome.CHANGED)
    role = "degraded" if late else "trend"
    if faded:
        role = "hairline"
    return [(char, role) for char in _columns(beat.latency_ms, top, lines, look)]
