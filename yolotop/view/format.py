"""Numbers, times and states as people read them: pure functions, no colour.

Owns how every face writes a figure: short, units small, an em dash where nothing was
measured, and never a rounding that turns "almost" into "all" or "a little" into
"nothing". It must not know Textual, Rich, screens or the store.

Every function takes ``plain``: only ASCII comes out (for ``symbols = "ascii"``, pipes
and screen readers). Units are set off by an ordinary space, thousands by a no-break
one, so that a figure can be searched for and is not torn apart.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from yolotop.model import Health, Severity

NOTHING: Final = "—"
PLAIN_NOTHING: Final = "-"
GROUP: Final = "\u00a0"
"""Between thousands: no-break, and (unlike U+202F) in every terminal font."""

SYMBOLS: Final[Mapping[Health, str]] = {
    Health.UP: "♥",
    Health.DEGRADED: "♡",
    Health.DOWN: "✖",
    Health.COLD: "❄",
    Health.UNKNOWN: "?",
    Health.PAUSED: "⏸",
    Health.MAINTENANCE: "⚒",
}
PLAIN_SYMBOLS: Final[Mapping[Health, str]] = {
    Health.UP: "+",
    Health.DEGRADED: "~",
    Health.DOWN: "x",
    Health.COLD: "*",
    Health.UNKNOWN: "?",
    Health.PAUSED: "=",
    Health.MAINTENANCE: "m",
}
CHECKING: Final = "◐"
PLAIN_CHECKING: Final = "o"
SPINNER: Final = "◐◓◑◒"
PLAIN_SPINNER: Final = "o|/-\\|"

SEVERITY_WORDS: Final[Mapping[Severity, str]] = {
    severity: severity.name for severity in Severity
}
"""The word beside the colour, at most eight characters."""

BLOCKS: Final = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS: Final = "_.:-=+*#"
GAP: Final = "·"
PLAIN_GAP: Final = " "

_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400
_AGES: Final[tuple[tuple[float, int, str, str], ...]] = (
    (_MINUTE, 1, "s", "s"),
    (_HOUR, _MINUTE, "min", "m"),
    (_DAY, _HOUR, "h", "h"),
    (math.inf, _DAY, "d", "d"),
)


def symbol(health: Health, *, checking: bool = False, plain: bool = False) -> str:
    """The one-cell shape of a state; ``checking`` wins over it."""
    if checking:
        return PLAIN_CHECKING if plain else CHECKING
    return (PLAIN_SYMBOLS if plain else SYMBOLS)[health]


def severity_word(severity: Severity, *, width: int = 0) -> str:
    """``WARNING``, padded on the right to ``width`` cells."""
    return SEVERITY_WORDS[severity].ljust(width)


def _nothing(plain: bool, width: int) -> str:
    return (PLAIN_NOTHING if plain else NOTHING).rjust(width)


def ms(value: float | None, *, width: int = 0, plain: bool = False) -> str:
    """A duration given in milliseconds: ``950 µs``, ``4.2 ms``, ``142 ms``, ``1.2 s``.

    Two significant digits below ten, whole numbers above. At most seven cells
    (``999 min`` is 17 hours); right-aligned in ``width``.
    """
    if value is None or not math.isfinite(value):
        return _nothing(plain, width)
    # Each limit is where the rounded number would grow a digit: 9.96 ms is "10 ms".
    value = max(value, 0.0)
    micro = "us" if plain else "µs"
    steps: tuple[tuple[float, float, int, str], ...] = (
        (0.9995, 1_000, 0, micro),
        (9.95, 1, 1, "ms"),
        (999.5, 1, 0, "ms"),
        (9_950, 0.001, 1, "s"),
        (119_500, 0.001, 0, "s"),
    )
    for limit, factor, digits, unit in steps:
        if value < limit:
            return f"{value * factor:.{digits}f} {unit}".rjust(width)
    return f"{value / 60_000:.0f} min".rjust(width)


def percent(value: float | None, *, width: int = 0, plain: bool = False) -> str:
    """A share given as 0-1: ``1.8 %``; ``0.0 %`` and ``100 %`` only when exact."""
    if value is None or not math.isfinite(value):
        return _nothing(plain, width)
    if value >= 1:
        text = f"{value * 100:.0f} %"
    elif value > 0.9994:
        text = ">99.9 %"
    elif 0 < value < 0.0005:
        text = "<0.1 %"
    else:
        text = f"{value * 100:.1f} %"
    return text.rjust(width)


def rate(per_s: float | None, *, width: int = 0, plain: bool = False) -> str:
    """How often, given a second: ``240 /s``, ``1.4 /s``, ``24 /min``, ``3 /h``."""
    if per_s is None or not math.isfinite(per_s):
        return _nothing(plain, width)
    per_s = max(per_s, 0.0)
    for factor, unit in ((1, "/s"), (_MINUTE, "/min"), (_HOUR, "/h")):
        value = per_s * factor
        if value >= 0.995 or (factor == _HOUR and per_s > 0):
            digits = 0 if value >= 9.95 else 1
            return f"{value:,.{digits}f} {unit}".replace(
                ",", " " if plain else GROUP
            ).rjust(width)
    return "0 /s".rjust(width)


def change(value: float | None, *, plain: bool = False) -> str:
    """A change given as a share of what was before: ``+4 %``, ``−12 %``, ``×20``.

    Empty where there is nothing to compare with.
    """
    if value is None or not math.isfinite(value):
        return ""
    if value >= 9.995:
        return f"{'x' if plain else '×'}{value + 1:.0f}"
    rounded = round(value * 100)
    if rounded == 0:
        return ("+" if plain else "±") + "0 %"
    sign = "+" if rounded > 0 else ("-" if plain else "−")
    return f"{sign}{abs(rounded)} %"


def count(value: int | None, *, width: int = 0, plain: bool = False) -> str:
    """A whole number with its thousands set apart: ``34 512``."""
    if value is None:
        return _nothing(plain, width)
    return f"{value:,}".replace(",", " " if plain else GROUP).rjust(width)


def age(
    seconds: float | None, *, tight: bool = False, width: int = 0, plain: bool = False
) -> str:
    """How long ago, rounded down: ``2 s``, ``4 min``, ``3 h``, ``2 d``.

    ``tight`` drops the space: ``2s``, ``4m``, ``3h``, ``2d``. An instant in the future
    (a stepped clock) is ``0 s`` ago.
    """
    if seconds is None or not math.isfinite(seconds):
        return _nothing(plain, width)
    whole = max(0, int(seconds))
    unit_s, unit, short = next(
        (unit_s, unit, short) for limit, unit_s, unit, short in _AGES if whole < limit
    )
    number = whole // unit_s
    return (f"{number}{short}" if tight else f"{number} {unit}").rjust(width)


def clock(at: float | None, *, seconds: bool = True, plain: bool = False) -> str:
    """An instant as local time of day: ``12:31:07``, or ``12:31``."""
    if at is None:
        return _nothing(plain, 0)
    return time.strftime("%H:%M:%S" if seconds else "%H:%M", time.localtime(at))


def moment(at: float | None, *, now: float, plain: bool = False) -> str:
    """:func:`clock` on the day of ``now``, else ``Nov 03 12:31`` or ``2025-11-03``."""
    if at is None:
        return _nothing(plain, 0)
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M:%S", then)
    if abs(now - at) < 180 * _DAY:
        return time.strftime("%b %d %H:%M", then)
    return time.strftime("%Y-%m-%d", then)


def until(at: float, *, since: float) -> str:
    """``until 14:30``, with the day where that is a day or more after ``since``."""
    day = "" if at - since < _DAY else "%b %d "
    return time.strftime(f"until {day}%H:%M", time.localtime(at))


def iso(at: float | None) -> str | None:
    """An instant for machines: ISO 8601, UTC, milliseconds: ``…T12:31:07.042Z``."""
    if at is None:
        return None
    text = datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def resample(
    values: Sequence[float | None],
    width: int,
    *,
    align: Literal["stretch", "right"] = "stretch",
) -> list[float | None]:
    """``values`` as exactly ``width`` ones; many into one keeps the greatest.

    The greatest, because a peak averaged away is a lie. Fewer values than ``width``
    are repeated (``stretch``) or set at the right end after gaps (``right``: the
    newest beats beside the edge; more than ``width`` then keeps the newest).
    """
    if width <= 0:
        return []
    if align == "right":
        kept = list(values[-width:])
        return [None] * (width - len(kept)) + kept
    size = len(values)
    if not size:
        return [None] * width
    out: list[float | None] = []
    for cell in range(width):
        start = cell * size // width
        stop = max(start + 1, (cell + 1) * size // width)
        known = [value for value in values[start:stop] if value is not None]
        out.append(max(known) if known else None)
    return out


def calm_top(values: Sequence[float | None], *, times: float = 3.0) -> float | None:
    """A scale's upper end that keeps a steady series low and lets a peak stand out.

    The greatest value or ``times`` the median, whichever is more; ``None`` without
    values.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    return max(max(known), times * statistics.median(known))


def sparkline(
    values: Sequence[float | None],
    width: int,
    *,
    low: float | None = 0.0,
    high: float | None = None,
    align: Literal["stretch", "right"] = "stretch",
    plain: bool = False,
) -> str:
    """``values`` as ``width`` block characters, a dot where nothing was measured.

    The scale runs from ``low`` (``None``: the least value) to ``high`` (``None``: the
    greatest). Whatever is above ``low`` is at least one step up, so a single error in
    a thousand can be seen.
    """
    blocks, gap = (PLAIN_BLOCKS, PLAIN_GAP) if plain else (BLOCKS, GAP)
    cells = resample(values, width, align=align)
    known = [value for value in cells if value is not None and math.isfinite(value)]
    if not known:
        return gap * max(width, 0)
    floor = min(known) if low is None else low
    span = (max(known) if high is None else high) - floor
    last = len(blocks) - 1

    def level(value: float) -> int:
        if span <= 0 or value <= floor:
            return 0
        return min(last, math.ceil((value - floor) / span * last))

    return "".join(
        gap if value is None or not math.isfinite(value) else blocks[level(value)]
        for value in cells
    )
