"""The last failures of a deployment: when, what, and how the body began.

Owns how a failure reads in two or three rows. Pure; it must not know the store.
"""

from __future__ import annotations

from collections.abc import Sequence

from yolotop.store.protocol import StoredProbe
from yolotop.tui.ink import Look, Row, Span, cut, severity_role
from yolotop.view import format as fmt


def failure_rows(
    failures: Sequence[StoredProbe], width: int, height: int, look: Look, *, now: float
) -> list[Row]:
    """Newest first; the heads of their bodies where there is room for them."""
    if height < 1:
        return []
    if not failures:
        return [(Span("none that is kept", "faint"),)]
    bodies = height >= 2 * min(2, len(failures))
    rows: list[Row] = []
    for probe in failures:
        rows.append(_head(probe, width, look, now))
        body = " ".join(probe.body_head.split())
        if bodies and body and len(rows) < height:
            rows.append((Span("  "), Span(cut(body, width - 2, look), "faint")))
    return rows[:height]


def _head(probe: StoredProbe, width: int, look: Look, now: float) -> Row:
    ago = fmt.age(max(0.0, now - probe.at), width=6, plain=look.plain)
    when: Row = (
        Span(look.bar, severity_role(probe.severity)),
        Span(f"{ago} ", "faint"),
    )
    status = f" {probe.http_status}" if probe.http_status is not None else ""
    room = width - 8 - len(status)
    text = cut(probe.message, room, look)
    return (*when, Span(text.ljust(room), "text"), Span(status, "warning"))
