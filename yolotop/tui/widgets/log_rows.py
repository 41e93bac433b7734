"""A log line as a row, and the log's title: pure, from values to spans.

Owns the columns of the log. It must not know where lines come from.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yolotop.model import Severity
from yolotop.store.protocol import LogLine
from yolotop.tui.ink import (
    Look,
    Row,
    Span,
    cut,
    fit,
    severity_role,
    width_of,
)
from yolotop.tui.widgets.cards import fmt_left
from yolotop.view import format as fmt
from yolotop.view.fields import EVENT
from yolotop.view.log import LogQuery

FILTERS: Final = (
    (0, "all", Severity.DEBUG),
    (1, "D", Severity.DEBUG),
    (2, "I", Severity.INFO),
    (3, "W", Severity.WARNING),
    (4, "E", Severity.ERROR),
    (5, "C", Severity.CRITICAL),
)
_SHORT: Final = {
    Severity.DEBUG: "DEBUG",
    Severity.INFO: "INFO",
    Severity.WARNING: "WARN",
    Severity.ERROR: "ERROR",
    Severity.CRITICAL: "CRIT",
}
KIND: Final = 7
"""``predict``, ``health`` or ``event``; where there is no room the first letter of it,
which the filter takes too (``kind:h``)."""
_DAY_S: Final = 86_400
_TEXT_ROLES: Final = {
    Severity.DEBUG: "faint",
    Severity.INFO: "text",
    Severity.WARNING: "bright",
    Severity.ERROR: "bright",
    Severity.CRITICAL: "bright+bold",
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths of the log's columns, 0 where one is left out."""

    time: int
    severity: int
    name: int
    kind: int
    status: int
    latency: int


def columns(width: int, longest_name: int) -> Columns:
    """What fits ``width`` cells and still leaves the message the most."""
    return Columns(
        time=8 if width >= 56 else 5 if width >= 30 else 0,
        severity=8 if width >= 100 else 5 if width >= 40 else 0,
        name=min(longest_name, 20 if width >= 100 else 13) if width >= 48 else 0,
        kind=KIND if width >= 100 else 1 if width >= 48 else 0,
        status=5 if width >= 64 else 0,
        latency=9 if width >= 56 else 0,
    )


def _when(at: float, now: float, width: int) -> str:
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M:%S" if width >= 8 else "%H:%M", then)
    if width < 8:
        return time.strftime("%d.%m", then)
    if now - at < 6 * _DAY_S:
        # Two letters of the weekday: eight cells, like a time of today.
        return ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")[then.tm_wday] + time.strftime(
            " %H:%M", then
        )
    return time.strftime("%d.%m.%y", then)


def line_row(
    line: LogLine,
    width: int,
    cols: Columns,
    look: Look,
    *,
    now: float,
    words: Sequence[str] = (),
    keys: frozenset[str] = frozenset(),
    chosen: bool = False,
    hit: bool = False,
) -> Row:
    """One line in exactly ``width`` cells: bar, time, severity, name, kind, message, …

    Marked are ``words`` and the columns of the fields ``keys``; ``chosen`` is the line
    under the cursor, ``hit`` one that is marked among others.
    """
    row = _line_row(line, width, cols, look, now=now, words=words, keys=keys)
    if not (chosen or hit):
        return row
    sign = look.marker if chosen else "*" if look.plain else "•"
    ground = "cursor" if chosen else "band"
    first = Span(sign, "accent+bold")
    return tuple(
        span._replace(role=f"{span.role}+{ground}") for span in (first, *row[1:])
    )


def _line_row(
    line: LogLine,
    width: int,
    cols: Columns,
    look: Look,
    *,
    now: float,
    words: Sequence[str],
    keys: frozenset[str],
) -> Row:
    role = severity_role(line.severity)
    # Reversed, the half block of a critical line would change sides.
    grave = line.severity is Severity.CRITICAL
    row: list[Span] = [Span(look.bar, "down" if grave else role)]
    if cols.time:
        row.append(Span(f"{_when(line.at, now, cols.time):<{cols.time}} ", "faint"))
    if cols.severity:
        word = fmt.severity_word(line.severity)
        if cols.severity < 8:
            word = _SHORT[line.severity]
        blank = Span(" " * (cols.severity + 1 - len(word)))
        row += (Span(word, f"{role}+underline" if "sev" in keys else role), blank)
    if cols.name:
        name = fmt_left(line.deployment or "collector", cols.name, look)
        tone = "dim" if line.deployment else "faint"
        marks = (name.strip(),) if "name" in keys else words
        row += (*highlighted(name, tone, marks), Span("  "))
    if cols.kind:
        kind = (EVENT if line.probe is None else line.probe.value)[: cols.kind]
        marks = (kind,) if "kind" in keys else ()
        blank = Span(" " * (cols.kind + 2 - len(kind)))
        row += (*highlighted(kind, "faint", marks), blank)
    right: list[Span] = []
    # A line without figures has their room for what it says.
    figures = line.http_status is not None or line.latency_ms is not None
    if cols.status and figures:
        status = "" if line.http_status is None else str(line.http_status)
        bad = line.http_status is not None and line.http_status >= 400
        tone = "warning" if bad else "faint"
        marks = (status,) if "status" in keys else words
        right += highlighted(status.rjust(cols.status), tone, marks)
    if cols.latency and figures:
        late = (
            "" if line.latency_ms is None else fmt.ms(line.latency_ms, plain=look.plain)
        )
        marks = (late,) if "ms" in keys else ()
        right += (*highlighted(late.rjust(cols.latency), "dim", marks), Span(" "))
    room = width - width_of(row) - width_of(right)
    message = cut(line.message, room - 1, look)
    text = highlighted(message, _TEXT_ROLES[line.severity], words)
    return (*row, *fit(text, max(0, room), look), *right)


def highlighted(text: str, role: str, words: Sequence[str]) -> Row:
    """``text`` with every occurrence of one of ``words`` marked."""
    wanted = [re.escape(word) for word in words if word]
    if not wanted:
        return (Span(text, role),)
    parts = re.split(f"({'|'.join(wanted)})", text, flags=re.IGNORECASE)
    return tuple(
        Span(part, f"{role}+match" if index % 2 else role)
        for index, part in enumerate(parts)
        if part
    )


def severity_picker(query: LogQuery, look: Look, *, everything: bool) -> Row:
    """``all 1·D 2·I 3·W 4·E 5·C`` with the chosen one marked; each can be clicked."""
    out: list[Span] = []
    for key, letter, severity in FILTERS:
        label = letter if key == 0 else f"{key}{look.dot}{letter}"
        chosen = (
            everything == (key == 0)
            if severity is Severity.DEBUG
            else query.min_severity is severity
        ) and (severity is query.min_severity)
        role = "accent+bold+underline" if chosen else "faint"
        level = 0 if key == 0 else int(severity)
        out += (Span(label, role, f"screen.severity({level})"), Span(" "))
    return tuple(out[:-1])
