"""Where the time of an answer goes: two bars to one scale, and their parts in numbers.

Owns the names and shapes of the parts. Pure; it must not know how they were averaged.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from yolotop.tui.ink import Look, Row, Span, fit
from yolotop.view import format as fmt
from yolotop.view.waterfall import PARTS, Course, Waterfall


class _Part(NamedTuple):
    """How a part reads: its word, its shape, the letter for it, its role."""

    word: str
    shape: str
    letter: str
    role: str


_READS: Final = {
    "dns": _Part("name", "╌", "d", "phase-dns"),
    "connect": _Part("connect", "┄", "c", "phase-connect"),
    "tls": _Part("tls", "═", "t", "phase-tls"),
    "send": _Part("send", "─", "s", "phase-send"),
    "network": _Part("outside call", "┈", "n", "phase-wait"),
    "queue": _Part("queue", "░", "q", "phase-connect"),
    "preprocess": _Part("preprocess", "▒", "p", "phase-wait"),
    "inference": _Part("inference", "█", "I", "phase-server"),
    "postprocess": _Part("postprocess", "▒", "o", "phase-connect"),
    "rest": _Part("wait", "━", "w", "phase-wait"),
    "receive": _Part("receive", "─", "r", "phase-receive"),
}
_LABEL: Final = 14
_NUMBER: Final = 8


def bar(course: Course, full_ms: float, width: int, look: Look) -> Row:
    """A course to scale: ``full_ms`` is as long as ``width`` cells."""
    known = dict(course.parts)
    out: list[Span] = []
    used, passed = 0, 0.0
    for name in PARTS:
        passed += known.get(name) or 0.0
        until = min(width, round(passed / full_ms * width)) if full_ms > 0 else 0
        reads = _READS[name]
        sign = reads.letter if look.plain else reads.shape
        if until > used:
            out.append(Span(sign * (until - used), reads.role))
            used = until
    return tuple(out)


def waterfall_rows(
    found: Waterfall | None, width: int, height: int, look: Look
) -> list[Row]:
    """Bars, parts and where the numbers come from; what does not fit is left out.

    The last rows say of how many answers this is. The least parts go first.
    """
    if height < 1:
        return []
    if found is None:
        return [(Span("no warm answer in this range", "faint"),)]
    plain = look.plain
    room = max(4, width - 15)
    full_ms = max(found.p50.total_ms, found.p95.total_ms)
    rows: list[Row] = []
    for name, course in (("p50", found.p50), ("p95", found.p95)):
        rows.append(
            (
                Span(f"{name} ", "faint"),
                Span(fmt.ms(course.total_ms, width=8, plain=plain), "bright"),
                Span("  "),
                *bar(course, full_ms, room, look),
            )
        )
    if height >= 6:
        rows += _table(found, height - len(rows), look)
    return rows[:height]


def _table(found: Waterfall, height: int, look: Look) -> list[Row]:
    plain = look.plain
    usual, slow = dict(found.p50.parts), dict(found.p95.parts)
    told = [name for name in PARTS if usual[name] is not None or slow[name] is not None]
    tail = 3 if height >= 7 else 2 if height >= 5 else 1
    kept = sorted(
        told, key=lambda name: max(usual[name] or 0, slow[name] or 0), reverse=True
    )[: max(0, height - tail)]
    rows: list[Row] = [()] if height - len(kept) - tail > 0 else []
    for name in told:
        if name not in kept:
            continue
        reads = _READS[name]
        sign = reads.letter if plain else reads.shape
        word = "wait, all of it" if name == "rest" and len(told) < 7 else reads.word
        rows.append(
            (
                Span(f"{sign} ", reads.role),
                *fit((Span(word, "dim"),), _LABEL - 2, look),
                *_numbers(usual[name], slow[name], look, "text"),
            )
        )
    service: Row = (
        *fit((Span("  kept open", "dim"),), _LABEL, look),
        *_numbers(found.service_p50_ms, found.service_p95_ms, look, "bright"),
    )
    of = fmt.count(found.samples, plain=plain)
    newest = "all" if found.whole else "the newest"
    source = f"means of {found.p50.n} and {found.p95.n} of {newest} {of}"
    hint: Row = (Span("  without name, connect, tls", "faint"),)
    said: Row = (Span(source, "faint"),)
    end = [service, hint, said] if tail == 3 else [service, said][:tail]
    return [*rows, *end]


def _numbers(usual: float | None, slow: float | None, look: Look, role: str) -> Row:
    return (
        Span(fmt.ms(usual, width=_NUMBER, plain=look.plain), role),
        Span(fmt.ms(slow, width=_NUMBER + 2, plain=look.plain), role),
    )
