"""Real traffic beside the probes: four figures with their trends, and whose they are.

Owns the wording. Pure; it must not know what a source is, nor where it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from yolotop.model import Traffic
from yolotop.tui.ink import Look, Row, Span, clip, cut, fit, width_of
from yolotop.tui.trends import trend_rows
from yolotop.view import format as fmt
from yolotop.view.traffic import P95Kind, Real, latency_of, p95_of

_LABEL: Final = 10
_LEAST_TREND: Final = 5
_MOST_TREND: Final = 30
_LEAST_SOURCE: Final = 6
_BAD: Final = 0.05
"""An error rate above this is red, as everywhere."""
_LATE_S: Final = 180.0
"""Three minutes without news from a source that is read every few seconds is late."""
_WORDS: Final = {P95Kind.BUCKETS: "P95, buckets", P95Kind.REPORTED: "P95, reported"}

_Of = Callable[[Traffic], float | None]
_Told = tuple[str, Row, _Of, float | None]
"""A figure: its label, how it reads, what its trend is made of, what is too much."""


def rows_wanted(real: Real, look: Look) -> int:
    """How many rows there could be."""
    return len(_told(real.now, look)) + 1


def real_rows(
    real: Real, cursor: int | None, width: int, height: int, look: Look, *, now: float
) -> list[Row]:
    """Requests, errors, latency, queue, and the source; on few rows the first ones."""
    if height < 1:
        return []
    if height == 1:
        return [real_line(real, cursor, width, look, now=now)]
    known = _told(real.at(cursor), look)
    kept = known[: height - 1]
    values = max((width_of(row) for _, row, _, _ in kept), default=0)
    trend = min(_MOST_TREND, width - _LABEL - values - 2)
    rows = [
        _row(label, row, _trend(real, of, trend, look, limit=limit), look)
        for label, row, of, limit in kept
    ]
    return [*(clip(row, width, look) for row in rows), _source(real, width, look, now)]


def _told(shown: Traffic | None, look: Look) -> list[_Told]:
    told: list[_Told] = [
        ("requests", _requests(shown, look), lambda one: one.per_s, None),
        ("errors", _errors(shown, look), lambda one: one.error_rate, _BAD),
        ("latency", _latency(shown, look), latency_of, None),
        ("queue", _queue(shown, look), lambda one: one.waiting, None),
        *_machine(shown, look),
    ]
    return [one for one in told if one[1]]


def real_line(
    real: Real, cursor: int | None, width: int, look: Look, *, now: float
) -> Row:
    """``▂▅▇▃ 1.4 /s · 2.1 % errors · 21 ms mean · Triton metrics, 12 s ago``."""
    shown = real.at(cursor)
    # Without the second word of what a P95 stands on: "~" and the source tell.
    latency = tuple(
        span._replace(text=span.text.partition(",")[0])
        for span in _latency(shown, look)
    )
    parts = [_requests(shown, look), _errors(shown, look), latency]
    dot = Span(f" {look.dot} ", "hairline")
    out: list[Span] = []
    for label, part in zip(("", " errors", ""), parts, strict=True):
        if part:
            out += (*((dot,) if out else ()), *part)
            out += (Span(label, "faint"),) if label else ()
    whose, role = _whose(real, look, now)
    room = width - width_of(out) - 3
    if len(whose) > room:
        whose = whose.removesuffix(" ago").replace(" metrics, ", ", ")
    if room >= _LEAST_SOURCE:
        whose = cut(whose, room, look)
        out += (dot, Span(whose, role))
    trend = min(_MOST_TREND, width - width_of(out) - 1)
    drawn = _trend(real, lambda one: one.per_s, trend, look, limit=None)
    gap = (Span(" "),) if drawn else ()
    return clip((*drawn, *gap, *out), width, look)


def _row(label: str, value: Row, trend: Row, look: Look) -> Row:
    gap = (Span(" "),) if trend else ()
    return (*fit((Span(label, "dim"),), _LABEL, look), *trend, *gap, *value)


def _trend(real: Real, of: _Of, width: int, look: Look, *, limit: float | None) -> Row:
    values = [None if step is None else of(step) for step in real.steps]
    if width < _LEAST_TREND or not any(value is not None for value in values):
        return ()
    return trend_rows(values, width, 1, look, limit=limit)[0]


def _requests(shown: Traffic | None, look: Look) -> Row:
    if shown is None:
        return (Span("nobody counted then", "faint"),)
    if shown.per_s is None:
        return ()
    return (Span(fmt.rate(shown.per_s, plain=look.plain), "bright"),)


def _errors(shown: Traffic | None, look: Look) -> Row:
    if shown is None or shown.errors is None or not shown.requests:
        return ()
    rate = shown.error_rate or 0.0
    role = "down" if rate > _BAD else "bright" if rate else "dim"
    return (Span(fmt.percent(rate, plain=look.plain), role),)


def _latency(shown: Traffic | None, look: Look) -> Row:
    if shown is None:
        return ()
    if (p95 := p95_of(shown)) is not None:
        value, kind = p95
        about = "~" if kind is P95Kind.BUCKETS else ""
        text = f"{about}{fmt.ms(value, plain=look.plain)}"
        return (Span(text, "bright"), Span(f" {_WORDS[kind]}", "faint"))
    if shown.latency is None or shown.latency.mean_ms is None:
        return ()
    text = fmt.ms(shown.latency.mean_ms, plain=look.plain)
    return (Span(text, "bright"), Span(" mean", "faint"))


def _queue(shown: Traffic | None, look: Look) -> Row:
    if shown is None:
        return ()
    out: list[Span] = []
    if shown.waiting is not None:
        out += (Span(f"{shown.waiting:g}", "bright"), Span(" waiting", "faint"))
    queued = shown.queued.mean_ms if shown.queued is not None else None
    if queued is not None:
        gap = Span(", " if out else "", "faint")
        out += (gap, Span(fmt.ms(queued, plain=look.plain), "bright"))
        out += () if shown.waiting is not None else (Span(" each", "faint"),)
    return tuple(out)


def _machine(shown: Traffic | None, look: Look) -> list[_Told]:
    if shown is None:
        return []
    levels: tuple[tuple[str, _Of], ...] = (
        ("cpu", lambda one: one.cpu),
        ("memory", lambda one: one.memory),
    )
    out: list[_Told] = [
        (label, (Span(fmt.percent(value, plain=look.plain), "bright"),), of, None)
        for label, of in levels
        if (value := of(shown)) is not None
    ]
    if shown.instances is not None:
        text: Row = (Span(f"{shown.instances:g}", "bright"),)
        out.append(("instances", text, lambda one: one.instances, None))
    return out


def _whose(real: Real, look: Look, now: float) -> tuple[str, str]:
    """Whose figures, how old; amber where they are late."""
    age_s = max(0.0, now - real.now.end_at)
    role = "degraded" if age_s > max(_LATE_S, 3 * real.now.span_s) else "faint"
    return f"{real.now.source}, {fmt.age(age_s, plain=look.plain)} ago", role


def _source(real: Real, width: int, look: Look, now: float) -> Row:
    whose, role = _whose(real, look, now)
    return clip((Span(f"from {whose}", role),), width, look)
