"""One deployment as rows: a boxed card of four heights, or one line.

Owns how a deployment looks in the list. Pure: from a :class:`Card` to rows. It must
not know where on the screen the rows go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from yolotop.model import PHASE_NAMES, Health
from yolotop.tui.ink import (
    Look,
    Row,
    Span,
    clip,
    cut,
    fit,
    health_role,
    on,
    spread,
    width_of,
    wrapped,
)
from yolotop.tui.layout import Density
from yolotop.tui.places import region_text
from yolotop.tui.trends import beat_rows, trend_rows
from yolotop.tui.widgets.panel_rows import ERROR_LIMIT, FEW_SAMPLES
from yolotop.view import format as fmt
from yolotop.view.snapshot import Card

FRAMES: Final = "◐◓◑◒"
PLAIN_FRAMES: Final = "-\\|/"
TROUBLED: Final = frozenset({Health.DOWN, Health.DEGRADED})
SPEAKING: Final = TROUBLED | {Health.COLD, Health.UNKNOWN, Health.MAINTENANCE}
"""States in which the message says more than the figures."""
_PHASE_SIGNS: Final = {
    "dns": ("╌", "d"),
    "connect": ("┄", "c"),
    "tls": ("═", "t"),
    "send": ("─", "s"),
    "wait": ("━", "w"),
    "server": ("▬", "i"),
    "receive": ("─", "r"),
}
"""A shape for each phase, so that the bar reads without colour too."""
_TREND: Final = 4
"""Blanks around a trend on a line."""
_LEAST_TREND: Final = 8
"""Answers that a trend on a line shows at least."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a card needs to know of its surroundings."""

    now: float
    look: Look
    frame: int = 0
    selected: bool = False
    focused: bool = True
    name_width: int = 12
    region_width: int = 8


def heart(card: Card, setting: Setting) -> Span:
    """The sign of its state; it turns while it is being checked."""
    role = health_role(card.health)
    if card.checking:
        frames = PLAIN_FRAMES if setting.look.plain else FRAMES
        turning = role if card.health in TROUBLED else "accent"
        return Span(frames[setting.frame % len(frames)], turning)
    return Span(fmt.symbol(card.health, plain=setting.look.plain), role)


def _age(card: Card, setting: Setting) -> str:
    if card.last_at is None:
        if card.health is Health.PAUSED:
            return "paused"
        return "no traffic yet" if card.counted else "no answer yet"
    return fmt.age(setting.now - card.last_at, plain=setting.look.plain)


def _since(card: Card, setting: Setting) -> str:
    if not card.since_at:
        return card.health.value
    age = fmt.age(setting.now - card.since_at, plain=setting.look.plain)
    return f"{card.health.value} {age}"


def _what(card: Card, setting: Setting, width: int) -> Row:
    look = setting.look
    every = fmt.age(card.every_s, plain=look.plain)
    role = "faint" if card.health is Health.UP else health_role(card.health)
    state = (Span(_since(card, setting), role),)
    room = width - width_of(state) - 1
    long, short = f"{card.dialect} {look.dot} every {every}", f"every {every}"
    if card.counted:
        long, short = f"Platform {look.dot} not probed", "not probed"
    return spread(
        (Span(long if len(long) <= room else short, "faint"),), state, width, look
    )


def p95_text(card: Card, width: int = 0, *, plain: bool) -> str:
    """Its P95; ``~`` before one that is a mean of P95s, as a platform counts it."""
    mark = "~" if card.counted and card.figures.p95_ms is not None else ""
    return (mark + fmt.ms(card.figures.p95_ms, plain=plain)).rjust(width)


def latest(card: Card, width: int, lines: int, look: Look) -> list[Row]:
    """The newest answers; of what others count, requests a minute over the range."""
    if card.counted:
        values = card.pace if any(card.pace) else (None,)
        return trend_rows(values, width, lines, look)
    faded = card.health is Health.PAUSED
    return beat_rows(card.beats, width, lines, look, faded=faded)


def figures(card: Card, width: int, look: Look) -> Row:
    """``142 ms p95   0.0 % err   5 760 req`` in three even columns."""
    numbers, plain = card.figures, look.plain
    few = numbers.samples < FEW_SAMPLES
    failing = numbers.error_rate is not None and numbers.error_rate > ERROR_LIMIT
    p95: Row = (
        Span(p95_text(card, 6, plain=plain), "dim" if few else "bright"),
        Span(" p95", "faint"),
    )
    errors: Row = (
        Span(
            fmt.percent(numbers.error_rate, width=6, plain=plain),
            "down" if failing else "text",
        ),
        Span(" err", "faint"),
    )
    requests: Row = (
        Span(fmt.count(numbers.asked, plain=plain), "text"),
        Span(" req", "faint"),
    )
    third = width // 3
    return spread(
        (*fit(p95, third, look), *fit(errors, third, look)), requests, width, look
    )


def phase_bar(card: Card, width: int, look: Look) -> Row:
    """Where the last answer's time went, to scale, and its greatest part by name."""
    parts = {name: getattr(card.phases, name) or 0.0 for name in PHASE_NAMES}
    inside = card.server.inference if card.server else None
    if inside and parts["wait"] > inside:
        parts["wait"] -= inside
        parts["server"] = inside
    ordered = [name for name in _PHASE_SIGNS if name in parts]
    total = sum(parts.values())
    if total <= 0:
        return ()
    biggest = max(ordered, key=lambda name: parts[name])
    word = "inference" if biggest == "server" else biggest
    label = f" {word} {fmt.ms(parts[biggest], plain=look.plain)}"
    room = width - len(label)
    if room < 6:
        return (Span(label.strip(), "faint"),)
    out: list[Span] = []
    used, passed = 0, 0.0
    for name in ordered:
        passed += parts[name]
        until = round(passed / total * room)
        sign, plain = _PHASE_SIGNS[name]
        out.append(
            Span((plain if look.plain else sign) * (until - used), f"phase-{name}")
        )
        used = until
    return (*(span for span in out if span.text), Span(label, "faint"))


def _message_role(card: Card) -> str:
    return health_role(card.health) if card.health in TROUBLED else "dim"


def _message(card: Card, width: int, look: Look) -> Row:
    return (Span(cut(card.message, width, look), _message_role(card)),)


def _body(card: Card, setting: Setting, width: int, lines: int) -> list[Row]:
    look = setting.look
    faded = card.health is Health.PAUSED
    speaks = card.health in SPEAKING and card.message
    numbers = figures(card, width, look)
    if lines == 2:
        first = _message(card, width, look) if speaks else numbers
        return [first, latest(card, width, 1, look)[0]]
    last: list[Row] = [() if faded else phase_bar(card, width, look)]
    if speaks or card.counted:
        # The message may take all lines but three and one of the trend.
        role = _message_role(card)
        parts = wrapped(card.message, width, lines - 3, look)
        last = [(Span(part, role),) for part in parts]
    trend = latest(card, width, lines - 2 - len(last), look)
    return [_what(card, setting, width), numbers, *trend, *last]


def card_rows(card: Card, width: int, density: Density, setting: Setting) -> list[Row]:
    """A boxed card of exactly ``width`` × ``density`` cells."""
    look = setting.look
    line_role = "hairline"
    if card.health in TROUBLED:
        line_role = health_role(card.health)
    if setting.selected and setting.focused:
        line_role = "accent"
    inner = width - 4
    left_top, right_top, left_bottom, right_bottom = look.corners
    marker = look.marker if setting.selected else look.across
    # A third of the line is the region's, and what the name leaves.
    room = max(inner // 3, inner - cell_len(card.name) - 6)
    region = (
        (Span(" "), Span(region_text(card.region, room, look), "dim"), Span(" "))
        if card.region
        else ()
    )
    name_role = "bright+bold" if setting.selected or card.health in TROUBLED else "text"
    left: Row = (
        Span(f"{left_top}{marker} ", line_role),
        heart(card, setting),
        Span(" "),
        Span(cut(card.name, inner - width_of(region) - 3, look), name_role),
        Span(" "),
    )
    right: Row = (*region, Span(f"{look.across}{right_top}", line_role))
    fill = Span(look.across, line_role)
    top = _rule(left, right, fill, width)
    age_role = "faint" if card.health not in TROUBLED else "dim"
    bottom = _rule(
        (Span(f"{left_bottom}{look.across}", line_role),),
        (
            Span(f" {_age(card, setting)} ", age_role),
            Span(f"{look.across}{right_bottom}", line_role),
        ),
        fill,
        width,
    )
    edge = Span(look.down, line_role)
    body = [
        (edge, Span(" "), *fit(row, inner, look), Span(" "), edge)
        for row in _body(card, setting, inner, density - 2)
    ]
    return [top, *body, bottom]


def _rule(left: Row, right: Row, fill: Span, width: int) -> Row:
    gap = max(0, width - width_of(left) - width_of(right))
    return (*left, fill._replace(text=fill.text * gap), *right)


def line_row(card: Card, width: int, setting: Setting) -> Row:
    """A deployment on one line of exactly ``width`` cells; narrow ones say less."""
    look, plain = setting.look, setting.look.plain
    marker = look.marker if setting.selected else " "
    troubled = card.health in TROUBLED
    name_role = "bright+bold" if setting.selected or troubled else "text"
    name = min(setting.name_width, max(4, width // 3))
    row: list[Span] = [
        Span(marker, "accent"),
        heart(card, setting),
        Span(" "),
        Span(fmt_left(card.name, name, look), name_role),
        Span("  "),
    ]
    if setting.region_width and width >= 60:
        region = place_left(card, setting)
        row += (Span(region, "dim"), Span("  "))
    age = Span(f"{_short_age(card, setting)} ".rjust(8), "faint")
    room = width - width_of(row) - width_of((age,))
    if room < 4:
        out = fit(row, width, look)
    else:
        middle = (
            _message(card, room - 1, look)
            if card.health in SPEAKING and card.message
            else _line_figures(card, room, look, plain=plain)
        )
        out = (*row, *fit(middle, room, look), age)
    return on(out, "cursor") if setting.selected and setting.focused else out


def _short_age(card: Card, setting: Setting) -> str:
    if card.last_at is None:
        return fmt.NOTHING if not setting.look.plain else fmt.PLAIN_NOTHING
    return fmt.age(setting.now - card.last_at, plain=setting.look.plain)


def _line_figures(card: Card, room: int, look: Look, *, plain: bool) -> Row:
    """What fits: with their names where there is room, there is no line above."""
    if card.health is Health.PAUSED:
        return (Span(cut(card.message, room, look), "paused"),)
    numbers = card.figures
    few = numbers.samples < FEW_SAMPLES
    failing = numbers.error_rate is not None and numbers.error_rate > ERROR_LIMIT
    p95 = Span(p95_text(card, 7, plain=plain), "dim" if few else "bright")
    errors = Span(
        fmt.percent(numbers.error_rate, width=8, plain=plain),
        "down" if failing else "text",
    )
    requests = Span(fmt.count(numbers.asked, width=8, plain=plain), "dim")
    named: Row = (p95, Span(" p95", "faint"), errors, Span(" err", "faint"))
    # From wide to narrow: the figures, and the least trend that is worth its cells.
    variants: tuple[tuple[Row, int], ...] = (
        ((*named, requests, Span(" req", "faint")), _TREND + _LEAST_TREND),
        (named, _TREND + _LEAST_TREND),
        (named, 0),
        ((p95, errors), 0),
    )
    out: Row = next(
        (row for row, more in variants if width_of(row) + more <= room), (p95,)
    )
    trend = room - width_of(out) - _TREND
    if trend >= _LEAST_TREND:
        out = (*out, Span("   "), *latest(card, trend, 1, look)[0])
    return clip(out, room, look)


def place_left(card: Card, setting: Setting) -> str:
    """Its region in exactly ``region_width`` cells, at the left."""
    width, look = setting.region_width, setting.look
    return fmt_left(region_text(card.region or "", width, look), width, look)


def fmt_left(text: str, width: int, look: Look) -> str:
    """``text`` in exactly ``width`` cells, at the left."""
    short = cut(text, width, look)
    return short + " " * (width - width_of((Span(short),)))
