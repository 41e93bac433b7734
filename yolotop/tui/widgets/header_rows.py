"""The first line as a row: what this is, how it stands, who measures, the time.

Owns the header's wording. Pure: it must not know Textual nor where the snapshot comes
from.
"""

from __future__ import annotations

from dataclasses import dataclass

from yolotop.model import Health
from yolotop.tui.ink import Look, Row, Span, health_role, spread, width_of
from yolotop.view import format as fmt
from yolotop.view.snapshot import CollectorHealth, Range, Snapshot

_ORDER = (
    Health.DOWN,
    Health.DEGRADED,
    Health.COLD,
    Health.UP,
    Health.PAUSED,
    Health.MAINTENANCE,
    Health.UNKNOWN,
)
_ABSENT = {
    CollectorHealth.STALE: "collector silent",
    CollectorHealth.STOPPED: "collector stopped",
    CollectorHealth.NONE: "no collector",
}


@dataclass(frozen=True, slots=True)
class Freeze:
    """A picture held still: for how long, and how many log lines it misses."""

    seconds: float
    lines: int


def counts(snapshot: Snapshot, look: Look) -> Row:
    """``6 ♥  1 ♡  1 ✖``: every state there is, the worst first."""
    known = dict(snapshot.counts)
    out: list[Span] = []
    for health in _ORDER:
        if number := known.get(health, 0):
            sign = fmt.symbol(health, plain=look.plain)
            number_role = "dim" if health is Health.UP else health_role(health)
            out += (
                Span(f"{number} ", number_role),
                Span(sign, health_role(health)),
                Span("  "),
            )
    return tuple(out[:-1])


def picker(chosen: Range, look: Look) -> Row:
    """``1h 6h 24h 7d 30d`` with the chosen one marked; each can be clicked."""
    left, right = ("<", ">") if look.plain else ("\u2039", "\u203a")
    out = [Span(f"{left} ", "faint", "screen.range(-1)")]
    for range_ in Range:
        role = "accent+bold+underline" if range_ is chosen else "dim"
        out += (Span(range_.value, role, f"screen.range_to('{range_}')"), Span(" "))
    out.append(Span(right, "faint", "screen.range(1)"))
    return tuple(out)


def collector(snapshot: Snapshot, look: Look, *, short: bool) -> Row:
    """A dot and the age of its last sign of life, or in red what is missing."""
    view = snapshot.collector
    if view.health is CollectorHealth.RUNNING:
        age = fmt.age(view.age_s, tight=True, plain=look.plain)
        label = () if short else (Span("collector ", "dim"),)
        troubled = "warning" if view.note else "up"
        return (*label, Span(look.live, troubled), Span(f" {age}", "dim"))
    text = _ABSENT[view.health]
    if view.age_s is not None:
        text += f" {fmt.age(view.age_s, tight=True, plain=look.plain)}"
    sign = fmt.symbol(Health.DOWN, plain=look.plain)
    return (Span(f"{sign} {text}", "down+bold"),)


def paused(freeze: Freeze, look: Look) -> Row:
    """``PAUSED +12s · 34 new``, impossible to overlook."""
    text = f" PAUSED +{fmt.age(freeze.seconds, tight=True, plain=look.plain)}"
    if freeze.lines:
        text += f" {look.dot} {fmt.count(freeze.lines, plain=look.plain)} new"
    return (Span(f"{text} ", "reverse+bold", "screen.freeze"),)


def header_row(
    snapshot: Snapshot,
    range_: Range,
    freeze: Freeze | None,
    width: int,
    look: Look,
    *,
    read_only: bool = False,
) -> Row:
    """The line for ``width`` cells; from wide to narrow it says less."""
    gap = Span("   ")
    name = Span(" yolotop", "bright+bold", "app.help")
    number = len(snapshot.cards)
    noun = "deployment" if number == 1 else "deployments"
    total = Span(f"{number} {noun}", "dim")
    tally = counts(snapshot, look)
    held: Row = (gap, *paused(freeze, look)) if freeze else ()
    if read_only:
        held = (gap, Span("read-only", "accent"), *held)
    clock = Span(f"{fmt.clock(snapshot.at or None, seconds=False)} ", "dim")
    wide = collector(snapshot, look, short=False)
    slim = collector(snapshot, look, short=True)
    now = Span(range_.value, "accent", "screen.range(1)")
    variants: tuple[tuple[Row, Row], ...] = (
        ((name, gap, total, gap, *tally, *held),
         (*picker(range_, look), gap, *wide, gap, clock)),
        ((name, gap, *tally, *held), (*picker(range_, look), gap, *slim, gap, clock)),
        ((name, gap, *tally, *held), (now, gap, *slim, gap, clock)),
        ((name, gap, *tally, *held), (now, Span(" "), *slim, Span(" "))),
        ((Span(" "), *tally, *held), (*slim, Span(" "))),
    )  # fmt: skip
    for left, right in variants:
        if width_of(left) + width_of(right) + 2 <= width:
            return spread(left, right, width, look)
    return (*held, *tally) if held else (*tally,)
