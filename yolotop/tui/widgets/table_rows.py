"""The table of deployments as rows: which columns fit, their head, one row each.

Owns columns, their priority and how a value is written in a cell. Pure: from cards and
a width to rows of exactly that width. It must not know which rows are in sight, nor
why they stand in their order.

Columns come in order of their rank while there is room, so that a wider terminal never
loses one. What is all right is grey: colour is for what is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from yolotop.model import Health
from yolotop.tui.ink import Look, Row, Span, cut, fit, health_role, on, width_of
from yolotop.tui.places import region_text
from yolotop.tui.widgets.cards import TROUBLED, Setting, heart, latest, p95_text
from yolotop.tui.widgets.panel_rows import ERROR_LIMIT, FEW_SAMPLES
from yolotop.tui.widgets.table_order import By, Sort
from yolotop.view import format as fmt
from yolotop.view.snapshot import Card

LEAST_MESSAGE: Final = 28
"""Cells from which on a message says something."""
LOW_BUDGET: Final = 0.2
"""Share of the error budget under which it is amber."""
_LEAD: Final = 3
"""Cells before the name: the mark of the selected one, the heart, a blank."""
_GUTTER: Final = 2
_BAR: Final = 6
_LONGEST_NAME: Final = 24
_LONGEST_PLACE: Final = 14
_TREND: Final = 24
_FULL_TURN: Final = 2
"""A bar's cell has two halves."""

Draw = Callable[[Card, int, Setting], Row]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``by`` is what a click on its title sorts by.

    ``title`` may have a longer form for where the column is wide enough.
    """

    id: str
    title: str
    draw: Draw
    by: By | None = None
    right: bool = False
    long_title: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns from left to right with their widths, and the blanks after each."""

    columns: tuple[tuple[Column, int], ...]
    gutter: int = _GUTTER

    @property
    def sorts(self) -> tuple[By, ...]:
        """What can be sorted by, left to right."""
        return tuple(column.by for column, _ in self.columns if column.by is not None)


# -- cells -------------------------------------------------------------------------


def _figure(text: str, role: str, *, unit_width: int = 0) -> Row:
    """``142`` and a quiet `` ms``; units of one width keep the digits in line."""
    number, _, unit = text.rpartition(" ")
    if not number:
        blank = " " * (unit_width + 1 if unit_width else 0)
        return (Span(text, "faint"), Span(blank)) if blank else (Span(text, "faint"),)
    return (Span(number, role), Span(f" {unit.ljust(unit_width)}", "faint"))


def _name(card: Card, width: int, setting: Setting) -> Row:
    loud = setting.selected or card.health in TROUBLED
    role = "bright+bold" if loud else "text"
    return (Span(cut(card.name, width, setting.look), role),)


def _region(card: Card, width: int, setting: Setting) -> Row:
    return (Span(region_text(card.region or "", width, setting.look), "dim"),)


def _group(card: Card, width: int, setting: Setting) -> Row:
    return (Span(cut(card.group or "", width, setting.look), "dim"),)


def _state(card: Card, width: int, setting: Setting) -> Row:
    role = "faint" if card.health is Health.UP else health_role(card.health)
    text = card.health.value
    if card.until_at is not None:
        # What the sign in front leaves open, where there is room for it.
        until = fmt.until(card.until_at, since=card.since_at)
        text = until if len(until) <= width else text
    return (Span(cut(text, width, setting.look), role),)


def _since(card: Card, _width: int, setting: Setting) -> Row:
    age_s = setting.now - card.since_at if card.since_at else None
    text = fmt.age(age_s, tight=True, plain=setting.look.plain)
    return (Span(text, "dim" if card.health in TROUBLED else "faint"),)


def _requests(card: Card, _width: int, setting: Setting) -> Row:
    plain = setting.look.plain
    return (Span(fmt.count(card.figures.requests, plain=plain), "dim"),)


def _p50(card: Card, _width: int, setting: Setting) -> Row:
    return _latency(card.figures.p50_ms, card, setting)


def _p95(card: Card, _width: int, setting: Setting) -> Row:
    role = "faint" if card.figures.samples < FEW_SAMPLES else "text"
    return _figure(p95_text(card, plain=setting.look.plain), role, unit_width=2)


def _latency(value: float | None, card: Card, setting: Setting) -> Row:
    role = "faint" if card.figures.samples < FEW_SAMPLES else "text"
    return _figure(fmt.ms(value, plain=setting.look.plain), role, unit_width=2)


def _errors(card: Card, _width: int, setting: Setting) -> Row:
    rate = card.figures.error_rate
    role = "down" if rate is not None and rate > ERROR_LIMIT else "text"
    if not rate:
        role = "faint"
    return _figure(fmt.percent(rate, plain=setting.look.plain), role)


def budget_text(left: float | None, *, plain: bool) -> str:
    """What is left of an error budget: ``72 %``, ``−31 %``, ``−12 ×`` overdrawn.

    Rounded down, so that ``100 %`` is all of it and a minus is a minus.
    """
    if left is None or not math.isfinite(left):
        return fmt.PLAIN_NOTHING if plain else fmt.NOTHING
    if left >= 0:
        return f"{math.floor(left * 100 + 1e-9)} %"
    minus, times = ("-", "x") if plain else ("−", "×")
    spent = math.ceil(-left * 100 - 1e-9)
    if spent <= 999:
        return f"{minus}{spent} %"
    return f"{minus}{min(999, round(-left))} {times}"


def _budget(card: Card, width: int, setting: Setting) -> Row:
    left, plain = card.slo_left, setting.look.plain
    role = "dim"
    if left is not None and left < LOW_BUDGET:
        role = "down" if left < 0 else "degraded"
    text = _figure(budget_text(left, plain=plain), role)
    if width <= _BAR:
        return text
    pad = Span(" " * (width - _BAR - width_of(text)))
    return (*_bar(left, "trend" if role == "dim" else role, setting.look), pad, *text)


def _bar(left: float | None, role: str, look: Look) -> Row:
    """Six cells in twelve halves; an overdrawn budget is broken all along."""
    whole, half, rest, gone = ("=", "-", ".", "!") if look.plain else "━╸─╍"
    if left is None or not math.isfinite(left):
        return (Span(" " * _BAR),)
    if left < 0:
        return (Span(gone * _BAR, role),)
    halves = min(_BAR * _FULL_TURN, math.ceil(left * _BAR * _FULL_TURN - 1e-9))
    full, odd = divmod(halves, _FULL_TURN)
    filled = whole * full + half * odd
    return (Span(filled, role), Span(rest * (_BAR - len(filled)), "hairline"))


def _last(card: Card, _width: int, setting: Setting) -> Row:
    age_s = None if card.last_at is None else setting.now - card.last_at
    return (Span(fmt.age(age_s, tight=True, plain=setting.look.plain), "faint"),)


def _message(card: Card, width: int, setting: Setting) -> Row:
    role = health_role(card.health) if card.health in TROUBLED else "faint"
    return (Span(cut(card.message, width, setting.look), role),)


def _trend(card: Card, width: int, setting: Setting) -> Row:
    return latest(card, width, 1, setting.look)[0]


# -- which columns there are ---------------------------------------------------------

_COLUMNS: Final = (
    Column("name", "name", _name, By.NAME),
    Column("region", "region", _region, By.REGION),
    Column("group", "group", _group, By.GROUP),
    Column("state", "state", _state, By.STATE),
    Column("since", "since", _since, By.SINCE, right=True),
    Column("requests", "requests", _requests, By.REQUESTS, right=True),
    Column("p50", "P50", _p50, By.P50, right=True),
    Column("p95", "P95", _p95, By.P95, right=True),
    Column("errors", "errors", _errors, By.ERRORS, right=True),
    Column("slo", "SLO", _budget, By.SLO, right=True, long_title="SLO left"),
    Column("last", "last", _last, By.LAST, right=True),
    Column("trend", "latest answers", _trend),
    Column("message", "message", _message),
)
"""From left to right."""

_RANKS: Final = (
    "p95", "errors", "last", "state", "slo", "requests", "region", "bar", "message",
    "p50", "since", "group", "trend",
)  # fmt: skip
"""From the one that comes first on a narrow terminal; ``bar`` widens the budget's."""

_FIXED: Final = {
    "since": 5, "p50": 6, "p95": 6, "errors": 6, "slo": 6, "last": 4, "bar": _BAR + 1,
    "message": LEAST_MESSAGE, "trend": _TREND,
}  # fmt: skip


def _wanted(cards: Sequence[Card], look: Look) -> dict[str, int]:
    """Cells that each column wants; 0 for one that would be empty."""

    def longest(texts: list[str], title: str, most: int) -> int:
        most_cells = max((cell_len(text) for text in texts), default=0)
        return min(most, max(most_cells, len(title))) if most_cells else 0

    counts = [fmt.count(card.figures.requests, plain=look.plain) for card in cards]
    regions = [region_text(c.region or "", _LONGEST_PLACE, look) for c in cards]
    return {
        **_FIXED,
        "name": longest([card.name for card in cards], "name", _LONGEST_NAME),
        "region": longest(regions, "region", _LONGEST_PLACE),
        "group": longest([card.group or "" for card in cards], "group", _LONGEST_PLACE),
        # A mean of P95s has its mark before it: "~191 ms".
        "p95": _FIXED["p95"] + any(card.counted for card in cards),
        "state": longest([c.health.value for c in cards], Health.DEGRADED.value, 11),
        "requests": longest(counts, "requests", 12),
    }


def grid_of(cards: Sequence[Card], width: int, look: Look) -> Grid:
    """The columns for ``width`` cells, wide enough for all of ``cards``."""
    wanted = _wanted(cards, look)
    # One blank stays at the right edge, so that the last column does not touch it.
    room = width - _LEAD - 1
    taken = {"name": max(1, min(wanted["name"] or 4, room))}
    room -= taken["name"]
    for rank in _RANKS:
        cells = wanted[rank]
        needed = cells if rank == "bar" else cells + _GUTTER
        if not cells:
            continue
        if needed > room:
            break
        room -= needed
        taken["slo" if rank == "bar" else rank] = (
            taken["slo"] + cells if rank == "bar" else cells
        )
    gutter = _GUTTER
    if "message" in taken:
        taken["message"] += room
    elif len(taken) > 1 and room >= len(taken) - 1:
        gutter += 1
    placed = tuple((c, taken[c.id]) for c in _COLUMNS if c.id in taken)
    return Grid(placed, gutter)


# -- rows --------------------------------------------------------------------------


def head_row(grid: Grid, sort: Sort, width: int, look: Look) -> Row:
    """The titles; the one that is sorted by has its mark after it: none moves."""
    row: list[Span] = [Span(" " * _LEAD)]
    for column, cells in grid.columns:
        title = column.title
        if len(column.long_title) <= cells:
            title = column.long_title or title
        call = f"screen.sort_by('{column.by}')" if column.by else ""
        title = cut(title, cells, look)
        sorted_by = column.by is not None and column.by is sort.by
        mark = _mark(sort, look) if sorted_by else ""
        if mark and not column.right and cells + grid.gutter - len(title) > _GUTTER:
            mark = f" {mark}"
        role = "accent" if sorted_by else "faint"
        if column.right:
            row.append(Span(" " * (cells - len(title))))
        row.append(Span(title + mark, role, call))
        used = cells if column.right else len(title)
        row.append(Span(" " * (cells - used + grid.gutter - len(mark))))
    return fit(row, width, look)


def _mark(sort: Sort, look: Look) -> str:
    if look.plain:
        return "v" if sort.descending else "^"
    return "▼" if sort.descending else "▲"


def table_row(card: Card, grid: Grid, width: int, setting: Setting) -> Row:
    """A deployment on exactly ``width`` cells."""
    look = setting.look
    row: list[Span] = [
        Span(look.marker if setting.selected else " ", "accent"),
        heart(card, setting),
        Span(" "),
    ]
    for column, cells in grid.columns:
        content = column.draw(card, cells, setting)
        blank = Span(" " * max(0, cells - width_of(content)))
        if column.right:
            row += (blank, *fit(content, cells - len(blank.text), look))
        else:
            row += fit(content, cells, look)
        row.append(Span(" " * grid.gutter))
    out = fit(row, width, look)
    return on(out, "cursor") if setting.selected and setting.focused else out
