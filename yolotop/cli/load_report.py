"""What a load test's figures look like: table, curve, sentences, JSON.

Owns words and shapes. It must not know how they were measured, nor ask anything.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yolotop.cli import out
from yolotop.cli.curve import Mark, curve
from yolotop.load.asker import Parcel
from yolotop.load.knee import Point, knee
from yolotop.load.plan import Level, Plan
from yolotop.load.tally import Bounded, Ending, Figures
from yolotop.load.windows import Window
from yolotop.model import Deployment
from yolotop.text import show_url
from yolotop.tui.ink import Look, look_of
from yolotop.view import format as shown

BUSY: Final = 0.8
"""Share of a core from which this process may be what was measured."""
WIDE: Final = 100
"""Columns from which the table has room for all it can say."""
LATE_MS: Final = 10.0
"""By how much questions may begin late before it is said."""
_STYLES: Final = {
    "faint": "bright_black",
    "line": "cyan",
    "mark": "bold",
    "knee": "bold yellow",
    "text": "",
}
_ENDINGS: Final = {
    Ending.SETTLED: "settled",
    Ending.TIME: "not settled",
    Ending.REFUSING: "refusing",
    Ending.CAPPED: "cap reached",
    Ending.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True, slots=True)
class Report:
    """A test and what it came to."""

    deployment: Deployment
    plan: Plan
    sent: Parcel
    reuse: bool
    figures: tuple[Figures, ...]

    @property
    def knee(self) -> Figures | None:
        """The level beyond which more load brings only waiting."""
        whole = _whole(self.figures)
        found = knee([_point(each) for each in whole])
        return None if found is None else whole[found]


def _whole(figures: Sequence[Figures]) -> list[Figures]:
    """Those that have a place on the curve: not broken off, with a P95."""
    return [each for each in figures if not each.ending.is_last and each.latency[1]]


def _point(figures: Figures) -> Point:
    p95 = figures.latency[1]
    assert p95 is not None
    return Point(figures.per_s, p95.ms, figures.level.rate_per_s)


# --- while it runs -------------------------------------------------------------------


def progress(level: Level, number: int, window: Window, plan: Plan) -> str:
    """One line when a window has ended."""
    most = int(plan.duration_s / plan.window_s + 1e-6)
    p95 = window.p95_ms
    told = "too few answers for a P95" if p95 is None else f"P95 {shown.ms(p95)}"
    errors = f", {window.errors} errors" if window.errors else ""
    per_s = (window.answers - window.errors) / plan.window_s
    return f"{_name(level)}: window {number}/{most}, {per_s:.3g}/s, {told}{errors}"


def ended(figures: Figures) -> str:
    """One line when a level has ended."""
    return f"{_name(figures.level)}: {_ENDINGS[figures.ending]}"


def _name(level: Level) -> str:
    if level.rate_per_s is not None:
        return f"{level.rate_per_s:g}/s"
    return f"{level.concurrency} at once"


# --- for people ----------------------------------------------------------------------


def show(report: Report, symbols: str) -> None:
    """Table, curve and what is to be said of them, on stdout."""
    look = look_of(symbols, os.environ)
    if not report.figures:
        out.narrate("Nothing was measured")
        return
    _show_table(report, plain=look.plain)
    _show_curve(report, look)
    out.data("")
    for sentence in sentences(report, plain=look.plain):
        for line in out.folded(sentence):
            out.data(line)


def _show_table(report: Report, *, plain: bool) -> None:
    is_open, wide = report.plan.is_open, not out.is_seen() or out.width() >= WIDE
    best = report.knee
    told = any(each.server_p50_ms is not None for each in report.figures)
    # Eighty columns hold seven figures and the word; an open loop has one of its own.
    has_server = told and (wide or not is_open)
    columns = ["meant/s" if is_open else "at once", "got/s", "P50", "P95", "P99"]
    columns += [*(["max"] if wide else []), *(["server"] if has_server else [])]
    columns += ["errors", *(["unsent"] if is_open else []), "level"]
    rows: list[list[str | out.Cell]] = []
    for each in report.figures:
        load = _load(each.level).removesuffix("/s")
        row: list[str | out.Cell] = [
            out.Cell(load, "bold yellow" if each is best else "bold"),
            f"{each.per_s:.3g}" if each.per_s < 1000 else f"{each.per_s:.0f}",
            *(_bounded(value, plain=plain) for value in each.latency[: 3 + wide]),
        ]
        if has_server:
            row.append(shown.ms(each.server_p50_ms, plain=plain))
        row.append(_errors(each, plain=plain))
        if is_open:
            row.append(out.Cell(str(each.unsent), "bold red" if each.unsent else ""))
        words = _ENDINGS[each.ending] + (", the knee" if wide and each is best else "")
        row.append(out.Cell(words, "" if each.ending is Ending.SETTLED else "yellow"))
        rows.append(row)
    out.table(columns, rows, right=frozenset(columns[:-1]))


def _bounded(value: Bounded | None, *, plain: bool) -> str:
    if value is None:
        return shown.ms(None, plain=plain)
    sign = (">" if plain else "≥") if value.at_least else ""
    return sign + shown.ms(value.ms, plain=plain)


def _errors(figures: Figures, *, plain: bool) -> out.Cell:
    asked = figures.answered + figures.failed
    if not figures.failed:
        return out.Cell("0")
    share = shown.percent(figures.failed / asked, plain=plain)
    return out.Cell(share, "bold red")


def _show_curve(report: Report, look: Look) -> None:
    best = report.knee
    marks = [
        Mark(_point(each).per_s, _point(each).p95_ms, _load(each.level), each is best)
        for each in _whole(report.figures)
    ]
    rows = curve(marks, out.width(), look)
    if not rows:
        return
    out.data("")
    out.lines(
        [[out.Cell(s.text, _STYLES.get(s.role, "")) for s in row] for row in rows]
    )


def _load(level: Level) -> str:
    rate = level.rate_per_s
    return str(level.concurrency) if rate is None else f"{rate:g}/s"


def sentences(report: Report, *, plain: bool = False) -> list[str]:
    """What is to be known besides the numbers, most important first."""
    found = [_knee_words(report, plain=plain)]
    if report.plan.is_open:
        found.append(
            "Open loop: latencies count from when a question was meant to begin."
        )
    else:
        found.append(
            "Closed loop: an asker waits for its answer, so a stall is met by few "
            "questions; --rate shows it."
        )
    for each in report.figures:
        found += _trouble(each)
    busiest = max(each.own_cpu for each in report.figures)
    if busiest >= BUSY:
        found.append(
            f"This process itself used {busiest:.0%} of a core: the server may be "
            "faster than that."
        )
    late = max((each.late_p99_ms or 0.0 for each in report.figures), default=0.0)
    if late >= LATE_MS:
        found.append(
            f"This machine was busy: questions began up to {shown.ms(late)} late (P99)."
        )
    return [each for each in found if each]


def _trouble(figures: Figures) -> list[str]:
    name, found = _name(figures.level), []
    if figures.ending is Ending.REFUSING:
        found.append(f"{name}: the server is refusing, stopped.")
    if figures.ending is Ending.CAPPED:
        found.append(f"{name}: stopped by the cap on requests or bytes.")
    messages = dict(figures.messages)
    for kind, count in figures.errors[:3]:
        found.append(f"{name}: {count} times {kind}: {messages.get(kind, '')}")
    if figures.unsent:
        asked = "1 question" if figures.unsent == 1 else f"{figures.unsent} questions"
        found.append(
            f"{name}: {asked} could not be sent in time; the wait counts as a lower "
            "bound."
        )
    if figures.dropped:
        found.append(f"{name}: {figures.dropped} were under way and dropped.")
    return found


def _knee_words(report: Report, *, plain: bool) -> str:
    whole = _whole(report.figures)
    best = report.knee
    if len(whole) < 2:
        return ""
    if best is not None:
        point = _point(best)
        why = "throughput no longer rises while P95 does"
        if point.meant_per_s is not None:
            why = "not all that is meant to be asked is answered, or P95 rises only"
        return (
            f"Knee: {_name(best.level)} ({point.per_s:.3g} answers/s, "
            f"P95 {shown.ms(point.p95_ms, plain=plain)}): beyond it {why}."
        )
    if not _point(whole[0]).held:
        return f"Not even {_name(whole[0].level)} was held; begin with less."
    if any(each.ending.is_last for each in report.figures):
        return "No knee was reached before it was stopped."
    return f"No knee up to {_name(whole[-1].level)}."


def weight(count: int) -> str:
    """``45 kB``, ``1.2 MB``: bytes as people say them."""
    for limit, factor, unit in ((1e3, 1, "B"), (1e6, 1e3, "kB"), (1e9, 1e6, "MB")):
        if count < limit * 0.9995:
            return f"{count / factor:.3g} {unit}"
    return f"{count / 1e9:.3g} GB"


# --- for programs --------------------------------------------------------------------


def as_json(report: Report) -> dict[str, object]:
    """The shape that docs/json.md promises."""
    best = report.knee
    return {
        "name": report.deployment.name,
        "url": show_url(report.sent.url),
        "loop": "open" if report.plan.is_open else "closed",
        "image": report.sent.image,
        "request_bytes": report.sent.most_bytes,
        "reuse": report.reuse,
        "duration_s": report.plan.duration_s,
        "window_s": report.plan.window_s,
        "ended": report.figures[-1].ending.value if report.figures else None,
        "knee": None if best is None else _load_json(best.level),
        "levels": [_level_json(each) for each in report.figures],
    }


def _load_json(level: Level) -> dict[str, object]:
    return {"concurrency": level.concurrency, "rate_per_s": level.rate_per_s}


def _level_json(figures: Figures) -> dict[str, object]:
    return {
        **_load_json(figures.level),
        "ended": figures.ending.value,
        "windows": figures.windows,
        "seconds": round(figures.seconds, 3),
        "requests": figures.requests,
        "answered": figures.answered,
        "per_s": round(figures.per_s, 3),
        "latency": _latency_json(figures.latency),
        "service": _latency_json(figures.service),
        "server_p50_ms": _rounded(figures.server_p50_ms),
        "errors": dict(figures.errors),
        "unsent": figures.unsent,
        "dropped": figures.dropped,
        "at_least": figures.at_least,
        "late_p99_ms": _rounded(figures.late_p99_ms),
        "own_cpu": round(figures.own_cpu, 3),
    }


def _latency_json(values: Sequence[Bounded | None]) -> dict[str, object]:
    names = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
    told: dict[str, object] = {
        name: None if value is None else _rounded(value.ms)
        for name, value in zip(names, values, strict=True)
    }
    bounds = [
        name.removesuffix("_ms")
        for name, value in zip(names, values, strict=True)
        if value is not None and value.at_least
    ]
    return {**told, "at_least": bounds}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
