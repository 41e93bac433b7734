"""An error budget as one bar, how long it lasts and how fast it burns.

Owns the wording. Pure; it must not know where the counts come from.
"""

from __future__ import annotations

from yolotop.judge.slo import Budget, Urgency
from yolotop.tui.ink import Look, Row, Span, width_of
from yolotop.view import format as fmt

_LOW = 0.25
"""Below this share the rest of a budget is amber."""


def budget_rows(found: Budget | None, width: int, height: int, look: Look) -> list[Row]:
    """The bar, what it is of, and how long it lasts; the bar alone on one row."""
    if height < 1:
        return []
    if found is None:
        return [(Span("not summed up yet", "faint"),)]
    if found.left is None:
        return [(Span("nothing to sum up yet", "faint"),)]
    rows = [
        _bar(found, width, look),
        _lasts(found, look),
        _rates(found, look),
        _coverage(found, look),
    ]
    return rows[:height]


def left_role(left: float) -> str:
    """Grey while there is plenty, amber when little is left, red when none is."""
    return "down" if left <= 0 else "degraded" if left < _LOW else "up"


def _bar(found: Budget, width: int, look: Look) -> Row:
    left = found.left or 0.0
    role = left_role(left)
    label: Row = (
        Span(f" {fmt.percent(max(left, 0.0), plain=look.plain)} left", "bright"),
    )
    if left < 0:
        label = (Span(f" {_over(-left, look)}", "down+bold"),)
    room = max(4, width - width_of(label))
    full = min(room, max(1 if left > 0 else 0, round(max(left, 0.0) * room)))
    sign, rest = ("#", ".") if look.plain else ("━", "─")
    return (Span(sign * full, role), Span(rest * (room - full), "hairline"), *label)


def _over(over: float, look: Look) -> str:
    """``overdrawn by 40 %``, and from ten budgets on how many were spent."""
    if over < 9.5:
        return f"overdrawn by {fmt.percent(over, plain=look.plain)}"
    return f"spent {over + 1:.0f} times over"


def _lasts(found: Budget, look: Look) -> Row:
    objective = found.objective
    days = fmt.age(objective.range_s, plain=look.plain)
    aim = f"{objective.share * 100:g} % over {days}"
    if found.left is not None and found.left <= 0:
        lasts = ""
    elif found.days_left is None:
        lasts = f" {look.dot} nothing burns"
    elif found.days_left >= 365:
        lasts = f" {look.dot} lasts over a year"
    else:
        span = fmt.age(found.days_left * 86_400, plain=look.plain)
        lasts = f" {look.dot} lasts {span} at this pace"
    return (Span(aim, "dim"), Span(lasts, "dim"))


def _rates(found: Budget, look: Look) -> Row:
    """``burns 0.4 in 1 h · 0.8 in 6 h``; what rings is red or amber."""
    ringing = {burn.alarm.long_s: burn.alarm.urgency for burn in found.burning}
    out: list[Span] = [Span("burns ", "faint")]
    for seconds, rate in found.rates:
        urgency = ringing.get(seconds)
        role = "dim"
        if urgency is not None:
            role = "down+bold" if urgency is Urgency.PAGE else "degraded"
        span = fmt.age(seconds, tight=True, plain=look.plain)
        out += (
            Span(f"{rate:.1f}" if rate < 9.95 else f"{rate:.0f}", role),
            Span(f" in {span}", "faint"),
            Span(f" {look.dot} ", "hairline"),
        )
    return tuple(out[:-1])


def _coverage(found: Budget, look: Look) -> Row:
    counts = found.counts
    bad = fmt.count(counts.bad, plain=look.plain)
    total = fmt.count(counts.total, plain=look.plain)
    share = fmt.percent(found.coverage, plain=look.plain)
    text = f"{bad} of {total} bad {look.dot} {share} measured"
    return (Span(text, "faint"),)
