"""One asked picture as rows: what came of it, what was seen, where the time went.

Owns how the answer of ``Actions.predict`` reads beside its picture. Pure: JSON in,
rows out; what is missing or odd is left out. It must not know where the rows go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from yolotop.model import PHASE_NAMES
from yolotop.text import clean
from yolotop.tui.ink import Look, Row, Span, clip, cut, spread, width_of, wrapped
from yolotop.tui.marks import Mark, missed
from yolotop.view import format as fmt

GOOD: Final = frozenset({"ok", "slow", "cold", "changed"})
_ROLES: Final = {
    "ok": "up",
    "slow": "degraded",
    "cold": "cold",
    "wrong": "degraded",
    "changed": "degraded",
}
_STEPS: Final = ("preprocess", "inference", "postprocess")
_NAME_WIDTH: Final = 12
_SURE: Final = 6
_BOX: Final = 20
_BOX_HEAD: Final = 9
_ROOMY: Final = 36
"""From this width on the columns stand where they always do."""
_NAME_LEAST: Final = 6
"""Cells of a class's name under which its box goes."""
_MOST_RAW_LINES: Final = 5_000
"""A thousand detections are some 10,000 lines of JSON; nobody scrolls through them."""


def verdict_row(result: Mapping[str, object], look: Look) -> Row:
    """``♥ ok · 3 detections · HTTP 200 · 142 ms``."""
    verdict = str(result.get("verdict") or "failed")
    role = _ROLES.get(verdict, "down")
    good = verdict in GOOD
    sign = ("+" if good else "x") if look.plain else ("♥" if good else "✖")
    seen = result.get("detections")
    late = number(result.get("latency_ms"))
    facts = [
        "" if not isinstance(seen, int) else f"{seen} seen",
        f"HTTP {result['http_status']}" if result.get("http_status") else "",
        "" if late is None else fmt.ms(late, plain=look.plain),
    ]
    row: list[Span] = [Span(f"{sign} {verdict}", f"{role}+bold")]
    for fact in facts:
        if fact:
            row += (Span(f" {look.dot} ", "hairline"), Span(fact, "bright"))
    return tuple(row)


def message_rows(result: Mapping[str, object], width: int, look: Look) -> list[Row]:
    """What the judge says, where it says more than the figures."""
    verdict = str(result.get("verdict") or "failed")
    message = clean(str(result.get("message") or ""))
    if verdict == "ok" or not message:
        return []
    role = _ROLES.get(verdict, "down")
    return [(Span(part, role),) for part in wrapped(message, width, 3, look)]


def detection_rows(
    marks: Sequence[Mark], size: tuple[int, int], width: int, look: Look
) -> list[Row]:
    """Class, confidence and box of everything found, then what was missed."""
    swatch, hollow = ("#", "o") if look.plain else ("■", "□")
    found = sorted(
        (mark for mark in marks if not mark.expected),
        key=lambda mark: -(mark.confidence or 0.0),
    )
    rows: list[Row] = []
    # Where it is narrow, a column as wide as what is in it: names want room, too.
    said = max((len(_box(mark, size, look)) for mark in marks), default=0)
    box = _BOX if width >= _ROOMY else max(_BOX_HEAD, said) + 1
    if width - 2 - _SURE - box - 1 < _NAME_LEAST:
        box = 0
    if found:
        head = "class", "conf", "x, y  w×h" if not look.plain else "x, y  wxh"
        rows.append(_columns(Span(f"  {head[0]}", "faint"), head[1], head[2], width,
                             look, "faint", wide=box))  # fmt: skip
    for mark in found:
        sure = "" if mark.confidence is None else f"{mark.confidence:.2f}"
        row = _columns(
            Span(mark.label, "bright"), sure, _box(mark, size, look), width - 2, look,
            "text", wide=box,
        )  # fmt: skip
        rows.append((Span(f"{swatch} ", f"class-{mark.colour}"), *row))
    for mark in missed(marks):
        row = _columns(
            Span(mark.label, "degraded"), "missed", _box(mark, size, look), width - 2,
            look, "degraded", wide=box,
        )  # fmt: skip
        rows.append((Span(f"{hollow} ", f"class-{mark.colour}"), *row))
    return rows


def _columns(
    name: Span,
    sure: str,
    box: str,
    width: int,
    look: Look,
    role: str,
    *,
    wide: int,
) -> Row:
    right: list[Span] = [Span(sure.rjust(_SURE), role)]
    if wide:
        right.append(Span(f" {box}".rjust(wide), "faint"))
    room = width - width_of(right) - 1
    return spread((name._replace(text=cut(name.text, room, look)),), right, width, look)


def _box(mark: Mark, size: tuple[int, int], look: Look) -> str:
    if mark.box is None:
        return ""
    left, top, right, bottom = (
        round(share * side)
        for share, side in zip(mark.box, (*size, *size), strict=True)
    )
    cross = "x" if look.plain else "×"
    return f"{left}, {top}  {right - left}{cross}{bottom - top}"


def speed_rows(result: Mapping[str, object], width: int, look: Look) -> list[Row]:
    """The phases with a bar to scale each, the server's share inside ``wait``."""
    phases = result.get("phases")
    parts: list[tuple[str, str, float]] = []
    for name in PHASE_NAMES:
        value = number(phases.get(name)) if isinstance(phases, Mapping) else None
        if value is None:
            continue
        parts.append((name, f"phase-{name}", value))
        if name == "wait":
            server = result.get("server")
            told = server if isinstance(server, Mapping) else {}
            steps = [(step, number(told.get(step))) for step in _STEPS]
            parts += [
                (f" {step}", "phase-server", spent)
                for step, spent in steps
                if spent is not None
            ]
    if not parts:
        return []
    most = max(value for _, _, value in parts)
    room = width - _NAME_WIDTH - 9
    rows: list[Row] = []
    for name, role, value in parts:
        inside = name.startswith(" ")
        bar = ""
        if room >= 4 and most > 0:
            sign = ("-" if inside else "=") if look.plain else ("▬" if inside else "━")
            bar = sign * max(0, round(value / most * room))
        rows.append(
            (
                Span(name.ljust(_NAME_WIDTH), "faint" if inside else "dim"),
                Span(fmt.ms(value, width=8, plain=look.plain), "text"),
                Span(f" {bar}", role),
            )
        )
    late = number(result.get("latency_ms"))
    if late is not None:
        total = fmt.ms(late, width=8, plain=look.plain)
        rows.append(
            (Span("total".ljust(_NAME_WIDTH), "dim"), Span(total, "bright+bold"))
        )
    return rows


def fact_rows(
    result: Mapping[str, object],
    marks: Sequence[Mark],
    size: tuple[int, int],
    width: int,
    look: Look,
) -> list[Row]:
    """All that stands beside the picture."""
    blocks = [
        message_rows(result, width, look),
        detection_rows(marks, size, width, look),
        speed_rows(result, width, look),
    ]
    rows: list[Row] = []
    for block in blocks:
        if block and rows:
            rows.append(())
        rows += (clip(row, width, look) for row in block)
    return rows


def raw_rows(result: Mapping[str, object]) -> list[Row]:
    """The server's own answer, as JSON where it is some; every line made safe."""
    raw = result.get("raw")
    if raw is None or raw == "":
        return [(Span("there is no answer to show", "dim"),)]
    text = raw if isinstance(raw, str) else json.dumps(raw, indent=2)
    lines = text.split("\n")
    rows = [_json_row(line) for line in lines[:_MOST_RAW_LINES]]
    if len(lines) > _MOST_RAW_LINES:
        rows.append((Span(f"and {len(lines) - _MOST_RAW_LINES} lines more", "dim"),))
    return rows


def _json_row(line: str) -> Row:
    bare = line.lstrip(" ")
    indent = " " * (len(line) - len(bare))
    if bare.startswith('"') and '": ' in bare:
        key, _, value = bare.partition('": ')
        return (
            Span(f'{indent}{clean(key)}": ', "dim"),
            Span(clean(value), "bright"),
        )
    return (Span(indent + clean(bare), "text"),)


def number(value: object) -> float | None:
    """A number as JSON has it, else ``None``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else None
