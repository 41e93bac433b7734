"""One line of the log, closely: where its time went, what the server said.

Owns the sheet and the line as plain text. What it shows passed the gate when it was
stored and is never read as markup. It must not fetch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import fields
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from yolotop.model import PHASE_NAMES, Severity
from yolotop.store.protocol import LogLine, StoredProbe
from yolotop.tui.ink import Look, Row, Span, wrapped
from yolotop.tui.screens.handing import hand_copy
from yolotop.view import format as fmt

_WIDTH: Final = 70
_LABEL: Final = 13
_BAR: Final = 40
_MS: Final = 11
_AROUND: Final = 8
"""Cells that border, padding and scroll bar take."""
_LINES: Final = 400
_STYLES: Final = {
    name: f"$ink-{name}"
    for name in ("text", "bright", "dim", "faint", "accent", "trend", "down")
} | {
    Severity.DEBUG.name: "$ink-faint",
    Severity.INFO.name: "$ink-text",
    Severity.WARNING.name: "$ink-degraded",
    Severity.ERROR.name: "$ink-down",
    Severity.CRITICAL.name: "bold $ink-down",
}
_PLAIN: Final = Look(plain=True)


def line_text(line: LogLine) -> str:
    """A line as text, for the clipboard and for files."""
    parts = [
        fmt.iso(line.at) or "",
        line.severity.name,
        line.deployment or "collector",
        line.message,
    ]
    if line.http_status is not None:
        parts.append(str(line.http_status))
    if line.latency_ms is not None:
        parts.append(fmt.ms(line.latency_ms, plain=True))
    return "  ".join(" ".join(part.split()) for part in parts)


def sheet_rows(
    line: LogLine, probe: StoredProbe | None, look: Look, *, width: int = _WIDTH
) -> list[Row]:
    """All that is known of a line, from the shortest to the longest."""
    rows: list[Row] = [
        (Span(text, line.severity.name),)
        for text in wrapped(line.message, width, 8, look)
    ]
    rows.append(())
    rows += (_fact(label, text) for label, text in _facts(line, probe, look))
    if probe is None:
        if line.probe is not None:
            rows += [(), (Span("the probe itself is no longer kept", "faint"),)]
        return rows
    if times := list(_times(probe, look, min(_BAR, max(1, width - _LABEL - _MS)))):
        rows += [(), (Span("Where the time went", "accent"),), *times]
    if probe.headers:
        rows += [(), (Span("Headers", "accent"),)]
        for name, value in probe.headers:
            rows += _told(name, value, look, width)
    if probe.body_head:
        rows += [(), (Span("The answer began with", "accent"),)]
        for text in probe.body_head.splitlines()[:_LINES]:
            rows += ((Span(part, "dim"),) for part in wrapped(text, width, 40, look))
    return rows


def _facts(
    line: LogLine, probe: StoredProbe | None, look: Look
) -> Iterator[tuple[str, str]]:
    day = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(line.at))
    yield "known at", f"{day}.{int(line.at % 1 * 1000):03}"
    yield "severity", line.severity.name
    yield "deployment", line.deployment or "the collector itself"
    if line.event is not None:
        yield "event", line.event.value.replace("_", " ")
    if line.probe is not None:
        yield "question", line.probe.value
    if line.http_status is not None:
        yield "HTTP status", str(line.http_status)
    if line.latency_ms is not None:
        yield "latency", fmt.ms(line.latency_ms, plain=look.plain)
    if probe is not None:
        cold = ", cold: not in the percentiles" if probe.cold else ""
        yield "verdict", probe.outcome.value + cold
        if probe.error_kind is not None:
            yield "error", probe.error_kind.value.replace("_", " ")
        if probe.detections is not None:
            yield "detections", str(probe.detections)
    yield "number", fmt.count(line.seq, plain=look.plain)


def _times(probe: StoredProbe, look: Look, bar: int) -> Iterator[Row]:
    """A waterfall: each phase where it began, then what the wait was made of."""
    spent = [(name, getattr(probe.phases, name)) for name in PHASE_NAMES]
    total = sum(ms for _, ms in spent if ms) or 1.0
    begun = 0.0
    for name, ms in spent:
        if ms is None:
            continue
        share = (begun / total, ms / total)
        yield _bar(name, ms, share, bar, look, "trend")
        if name == "wait":
            yield from _wait(probe, begun, total, look, bar)
        begun += ms


def _wait(
    probe: StoredProbe, begun: float, total: float, look: Look, bar: int
) -> Iterator[Row]:
    parts = probe.phases.split_wait(probe.server)
    if parts is None or probe.server is None:
        return
    for field in fields(parts):
        ms = getattr(parts, field.name)
        if ms:
            share = (begun / total, ms / total)
            yield _bar(f"  {field.name}", ms, share, bar, look, "faint")
            begun += ms


def _bar(
    name: str, ms: float, share: tuple[float, float], wide: int, look: Look, role: str
) -> Row:
    """``share`` is where it began and how long, of the whole; ``wide`` is in cells."""
    start = min(wide - 1, int(share[0] * wide))
    length = max(1, min(wide - start, round(share[1] * wide)))
    sign = "=" if look.plain else "━"
    return (
        Span(f"{name:<{_LABEL}}", "dim"),
        Span(" " * start),
        Span(sign * length, role),
        Span(" " * (wide - start - length)),
        Span(fmt.ms(ms, plain=look.plain).rjust(_MS), "bright"),
    )


def _fact(label: str, text: str) -> Row:
    return (Span(f"{label:<{_LABEL}}", "faint"), Span(text))


def _told(name: str, value: str, look: Look, width: int) -> Iterator[Row]:
    first, *more = wrapped(f"{name}: {value}", width - 2, 6, look) or [""]
    yield (Span(first, "dim"),)
    yield from ((Span(f"  {part}", "dim"),) for part in more)


class LineSheet(ModalScreen[None]):
    """The sheet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close"),
        Binding("y", "copy", "copy"),
    ]

    def __init__(self, line: LogLine, probe: StoredProbe | None, look: Look) -> None:
        super().__init__()
        self._line = line
        self._probe = probe
        self._look = look

    def compose(self) -> ComposeResult:
        """A sheet that scrolls where it does not fit."""
        with VerticalScroll(classes="sheet") as sheet:
            sheet.border_title = Content(self._line.deployment or "collector")
            sheet.border_subtitle = "y copies, esc closes"
            yield Static(id="line-text")

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines, and draw the bars, for the width there is."""
        width = max(1, min(_WIDTH, event.size.width - _AROUND))
        rows = sheet_rows(self._line, self._probe, self._look, width=width)
        text = Content("\n").join(_content(row) for row in rows)
        self.query_one("#line-text", Static).update(text)

    def action_copy(self) -> None:
        """All of it, as text."""
        rows = sheet_rows(self._line, self._probe, _PLAIN)
        text = "\n".join("".join(span.text for span in row).rstrip() for row in rows)
        hand_copy(self.app, f"{text}\n", "the line's details")


def _content(row: Row) -> Content:
    return Content.assemble(
        *((span.text, _STYLES.get(span.role, "$ink-text")) for span in row)
    )
