"""The log's title: filters, how many lines pass, where the view stands. Pure.

Owns what is said in one row and what goes first when there is no room. It must not
know lines.
"""

from __future__ import annotations

from dataclasses import dataclass

from yolotop.model import Severity
from yolotop.tui.ink import Look, Row, Span, clip, cut, width_of
from yolotop.tui.widgets.log_rows import severity_picker
from yolotop.view import format as fmt
from yolotop.view.log import LogQuery


@dataclass(frozen=True, slots=True)
class Standing:
    """What the title tells. ``count`` lines of ``total`` pass, as far as is known:

    ``partial`` says that not all of the history was looked through. ``marking``:
    matches are only marked, and ``count`` is those among the lines in memory.
    """

    query: LogQuery
    everything: bool
    boxed: bool
    count: int
    total: int
    partial: bool
    marking: bool
    problems: tuple[str, ...]
    following: bool
    unseen: int


def title_row(at: Standing, width: int, role: str, look: Look) -> Row:
    """The title in exactly ``width`` cells."""
    line = Span(look.across, role)
    start = Span((look.corners[0] if at.boxed else "") + look.across, role)
    corner = Span(look.across + (look.corners[1] if at.boxed else ""), role)
    left: list[Span] = [start, Span(" Log ", "dim"), line, Span(" ")]
    left += severity_picker(at.query, look, everything=at.everything)
    left.append(Span(" "))
    cross = "x" if look.plain else "✕"
    if at.query.deployment:
        name = f"@{cut(at.query.deployment, 20, look)} {cross}"
        left += (line, Span(f" {name} ", "accent", "screen.only_none"))
    if at.query.text:
        text = f"/ {cut(at.query.text, max(8, width // 4), look)} {cross}"
        chip = "warning" if at.problems else "accent"
        left += (line, Span(f" {text} ", chip, "screen.filter_none"))
    pill = _pill(at, look)
    told = Span(f" {count_of(at, look)} ", "dim")
    if at.problems:
        told = Span(f" {cut(at.problems[0], width // 2, look)} ", "warning")
    away = pill.role != "faint"
    right: list[Span] = [told, line]
    if width >= 70 and (at.boxed or away):
        right += (pill, line)
    elif away:
        right = [pill, line]
    right[-1:] = [corner] if at.boxed else [] if not away else [line]
    if width_of(left) + width_of(right) + 2 > width and away:
        # That the newest lines are elsewhere matters more than how many there are.
        right = [pill, corner]
    if width_of(left) + width_of(right) + 2 > width and at.problems:
        # What is wrong with the filter matters more than which severities pass.
        left = left[:4]
    if width_of(left) + width_of(right) + 2 > width:
        right = [corner] if at.boxed else []
    kept = clip(left, width - width_of(right), look)
    gap = width - width_of(kept) - width_of(right)
    return (*kept, line._replace(text=look.across * gap), *right)


def count_of(at: Standing, look: Look) -> str:
    """``37 of 1 204``, ``300+ of 10 000 000``, ``1 204 lines``, ``12 marked``."""
    plain = look.plain
    more = "+" if at.partial else ""
    count, total = (fmt.count(number, plain=plain) for number in (at.count, at.total))
    if at.marking:
        return f"{count}{more} marked"
    query = at.query
    filtered = query.text or query.deployment or query.min_severity > Severity.DEBUG
    if at.count == at.total or (at.partial and not filtered):
        return "1 line" if at.total == 1 else f"{total} lines"
    return f"{count}{more} of {total}"


def _pill(at: Standing, look: Look) -> Span:
    arrow = "v" if look.plain else "↓"
    if at.following:
        return Span(f" tail {'v' if look.plain else '▼'} ", "faint")
    news = fmt.count(at.unseen, plain=look.plain)
    label = f" {arrow} {news} new " if at.unseen else f" {arrow} newest "
    return Span(label, "accent+reverse+bold", "screen.log_tail")
