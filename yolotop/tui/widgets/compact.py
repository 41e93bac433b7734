"""One deployment in the compact grid: one line that says the one thing that matters.

Owns what is left of a deployment in forty cells: how it answers while all is well, why
it does not where it does not. Pure: from a :class:`Card` to a row. It must not know
where on the screen the row goes.

``♥ dock-cam   berlin  ▂▂▃▂▂▃▂▂   134 ms  12s``. The right edge is one column of
figures for the eye to run down; a message takes all room up to the age.
"""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from yolotop.model import Health
from yolotop.tui.ink import Look, Row, Span, cut, fit, health_role, on, width_of
from yolotop.tui.widgets.cards import (
    SPEAKING,
    TROUBLED,
    Setting,
    fmt_left,
    heart,
    latest,
    p95_text,
    place_left,
)
from yolotop.tui.widgets.panel_rows import ERROR_LIMIT, FEW_SAMPLES
from yolotop.view import format as fmt
from yolotop.view.snapshot import Card

MARGIN: Final = 2
"""Blanks at the right end of a cell: what keeps columns apart."""
_AGE: Final = 4
_LATENCY: Final = 6
_ERRORS: Final = 6
_GAP: Final = 2
_LEAST_TREND: Final = 8
_MOST_TREND: Final = 36
_WITH_REGION: Final = 56
_WITH_ERRORS: Final = 64
_LEAST_MESSAGE: Final = 44
"""Cells that a message is given before the figures beside it are shown as well."""


def compact_row(card: Card, width: int, setting: Setting) -> Row:
    """A deployment in exactly ``width`` cells."""
    look = setting.look
    inner = max(0, width - MARGIN)
    left = _left(card, inner, setting)
    figures = _figures(card, inner, look)
    age = _age(card, setting)
    room = inner - width_of(left) - width_of(age)
    if room < _LATENCY:
        row = fit((*left, *age) if room >= 0 else left, inner, look)
    elif _speaks(card):
        row = (*left, *_spoken(card, figures, room, look), *age)
    else:
        space = room - width_of(figures)
        row = (*left, *_trend(card, space, look), *figures, *age)
    row = fit(row, inner, look)
    if setting.selected and setting.focused:
        row = on(row, "cursor")
    return fit(row, width, look)


def _speaks(card: Card) -> bool:
    return card.health in SPEAKING and bool(card.message)


def _left(card: Card, inner: int, setting: Setting) -> Row:
    look = setting.look
    loud = setting.selected or card.health in TROUBLED
    name_width = max(4, min(setting.name_width, inner * 2 // 5))
    if _speaks(card) and inner < _WITH_REGION:
        # In a narrow cell the blanks after a short name are worth half the message.
        name_width = min(name_width, cell_len(card.name))
    row: Row = (
        Span(look.marker if setting.selected else " ", "accent"),
        heart(card, setting),
        Span(" "),
        Span(fmt_left(card.name, name_width, look), "bright+bold" if loud else "text"),
        Span(" " * _GAP),
    )
    if setting.region_width and inner >= _WITH_REGION:
        region = place_left(card, setting)
        row = (*row, Span(region, "dim"), Span(" " * _GAP))
    return row


def _age(card: Card, setting: Setting) -> Row:
    age_s = None if card.last_at is None else setting.now - card.last_at
    text = fmt.age(age_s, tight=True, width=_AGE, plain=setting.look.plain)
    return (Span(" "), Span(text, "faint"))


def _figures(card: Card, inner: int, look: Look) -> Row:
    """P95, and the share of errors where there is room for it."""
    if card.health is Health.PAUSED:
        return (Span("paused", "paused"),)
    numbers, plain = card.figures, look.plain
    few = numbers.samples < FEW_SAMPLES
    row: Row = (
        Span(
            p95_text(card, _LATENCY, plain=plain),
            "faint" if few else "text",
        ),
    )
    rate = numbers.error_rate
    if inner >= _WITH_ERRORS:
        role = "down" if rate is not None and rate > ERROR_LIMIT else "dim"
        text = fmt.percent(rate, width=_ERRORS, plain=plain)
        row = (*row, Span(" " * _GAP), Span(text, role if rate else "faint"))
    return row


def _spoken(card: Card, figures: Row, room: int, look: Look) -> Row:
    """The message; beside it the figures, where both have room."""
    role = health_role(card.health) if card.health in TROUBLED else "dim"
    text = card.message
    if card.until_at is not None and cell_len(text) > room:
        # The sign in front says maintenance; when it ends is the news.
        text = fmt.until(card.until_at, since=card.since_at)
    space = room - width_of(figures) - _GAP
    if space < _LEAST_MESSAGE:
        return fit((Span(cut(text, room, look), role),), room, look)
    said = fit((Span(cut(text, space, look), role),), space, look)
    return (*said, Span(" " * _GAP), *figures)


def _trend(card: Card, space: int, look: Look) -> Row:
    """The latest answers where there is room for some, else blanks."""
    cells = min(space - _GAP, _MOST_TREND)
    if cells < _LEAST_TREND or card.health is Health.PAUSED:
        return (Span(" " * max(0, space)),)
    pad = Span(" " * (space - cells - _GAP))
    return (pad, *latest(card, cells, 1, look)[0], Span(" " * _GAP))
