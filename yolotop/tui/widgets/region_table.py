"""The table beside the map: a line for each place, then the chosen place's deployments.

Owns which columns and lines fit. Pure: from sites to rows, each with the deployment
that a click on it selects. It must not know where on the screen it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from yolotop.tui.ink import Row, Span, clip, cut, fit, health_role, on, width_of
from yolotop.tui.widgets.cards import Setting, heart, p95_text
from yolotop.tui.widgets.panel_rows import ERROR_LIMIT
from yolotop.tui.widgets.sites import TROUBLED, Site
from yolotop.view import format as fmt
from yolotop.view.snapshot import Card

_STATES: Final = 8
_FIGURE: Final = 8
_NAME: Final = 10
"""Cells that a name has at least; figures go before it is cut further."""


class Line(NamedTuple):
    """A row, and the deployment that a click on it selects."""

    row: Row
    name: str | None = None


def table_lines(
    sites: Sequence[Site],
    selected: str | None,
    width: int,
    height: int,
    setting: Setting,
) -> list[Line]:
    """Places above, the selected one's deployments below, in ``width`` × ``height``."""
    at = next((n for n, site in enumerate(sites) if _holds(site, selected)), 0)
    chosen = sites[at]
    shown = min(len(chosen.cards), max(1, (height - 2) // 3))
    room = height - 1 - (shown + 1)
    if room < 1:
        return _deployments(chosen, selected, width, height, setting)
    places = [
        Line(_place_row(site, n == at, width, setting), site.cards[0].name)
        for n, site in enumerate(sites)
    ]
    return [
        Line(_head_row(width)),
        *_window(places, at, room, width, setting),
        *([Line(())] if room > len(places) else ()),
        *_deployments(chosen, selected, width, shown + 1, setting),
    ]


def _holds(site: Site, name: str | None) -> bool:
    return any(card.name == name for card in site.cards)


def _window(
    lines: list[Line], at: int, room: int, width: int, setting: Setting
) -> list[Line]:
    """The lines that fit, the one at ``at`` among them; what is left out is counted."""
    if len(lines) <= room:
        return lines
    if room < 3:
        return lines[at : at + room] if at + room <= len(lines) else lines[-room:]
    kept = room - 1
    first = min(max(0, at - kept // 2), len(lines) - kept)
    more = len(lines) - kept
    text = f"  {setting.look.ellipsis} {more} more"
    return [
        *lines[first : first + kept],
        Line((Span(cut(text, width, setting.look), "faint"),)),
    ]


def _figures(width: int) -> tuple[bool, bool, bool]:
    """Whether requests, P95 and errors fit beside a name and the states."""
    room = width - 2 - _NAME - 1 - _STATES
    errors = room >= _FIGURE
    p95 = room >= 2 * _FIGURE
    return room >= 3 * _FIGURE + 1, p95, errors


def _columns(
    width: int, cells: tuple[str, str, str], roles: tuple[str, str, str]
) -> Row:
    return tuple(
        Span(text.rjust(_FIGURE + (1 if n == 0 else 0)), role)
        for n, (text, role, shown) in enumerate(
            zip(cells, roles, _figures(width), strict=True)
        )
        if shown
    )


def _head_row(width: int) -> Row:
    right = _columns(width, ("req", "max p95", "err"), ("faint",) * 3)
    name = width - 2 - width_of(right)
    text = f"  {'region'.ljust(max(0, name - _STATES))}{'state'.ljust(_STATES)}"
    return (Span(text[: max(0, width - width_of(right))], "faint"), *right)


def _place_row(site: Site, chosen: bool, width: int, setting: Setting) -> Row:
    look = setting.look
    rate = site.error_rate
    failing = rate is not None and rate > ERROR_LIMIT
    right = _columns(
        width,
        (
            fmt.count(site.requests, plain=look.plain),
            fmt.ms(site.p95_ms, plain=look.plain),
            fmt.percent(rate, plain=look.plain),
        ),
        ("dim", "text", "down" if failing else "dim"),
    )
    sick = any(card.health in TROUBLED for card in site.cards)
    name_role = "bright+bold" if chosen else "text" if sick or site.place else "faint"
    room = width - 2 - _STATES - width_of(right)
    row = (
        _marker(chosen, setting),
        *fit((Span(cut(site.label, room - 1, look), name_role),), room, look),
        *fit(_states(site, setting), _STATES, look),
        *right,
    )
    row = clip(row, width, look)
    return on(row, "cursor") if chosen else row


def _marker(chosen: bool, setting: Setting) -> Span:
    role = "accent" if setting.focused else "faint"
    return Span(f"{setting.look.marker} " if chosen else "  ", role)


def _states(site: Site, setting: Setting) -> Row:
    """``2♥ 1✖``; a lone deployment is its sign alone."""
    counts = site.counts
    alone = len(site.cards) == 1
    out: list[Span] = []
    for health, number in counts:
        sign = fmt.symbol(health, plain=setting.look.plain)
        if not alone:
            out.append(Span(str(number), "dim"))
        out += (Span(sign, health_role(health)), Span(" "))
    return tuple(out)


def _deployments(
    site: Site, selected: str | None, width: int, height: int, setting: Setting
) -> list[Line]:
    look = setting.look
    names = [card.name for card in site.cards]
    at = names.index(selected) if selected in names else 0
    out: list[Line] = []
    if height > 1:
        title = (
            Span(f"{look.across} ", "hairline"),
            Span(site.label, "dim"),
            Span(" "),
        )
        rule = Span(look.across * max(0, width - width_of(title)), "hairline")
        out.append(Line(clip((*title, rule), width, look)))
    lines = [
        Line(_deployment_row(card, card.name == selected, width, setting), card.name)
        for card in site.cards
    ]
    return [*out, *_window(lines, at, height - len(out), width, setting)]


def _deployment_row(card: Card, chosen: bool, width: int, setting: Setting) -> Row:
    look = setting.look
    sick = card.health in TROUBLED
    left: Row = (
        _marker(chosen, setting),
        heart(card, setting),
        Span(" "),
        Span(
            cut(card.name, width - 5, look), "bright+bold" if chosen or sick else "text"
        ),
    )
    room = width - width_of(left) - 2
    if sick and card.message:
        # What is wrong says more than how fast it was.
        said = Span(cut(card.message, room, look), health_role(card.health))
        return clip((*left, Span("  "), said), width, look)
    p95 = Span(p95_text(card, room + 2, plain=look.plain), "dim")
    return clip((*left, p95), width, look)
