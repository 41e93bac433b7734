"""Objectives: what is left of an error budget, and how fast it burns.

Owns the arithmetic of service-level objectives over counts of good and bad probes.
Pure: counts come in by window. It must not know where they are stored.

An objective of 99 % over 7 days leaves one probe of a hundred to fail: the *budget*.
The *burn rate* is how many times faster than that a window fails; at 1 the budget is
gone exactly when its range is over. A window alone is either slow to tell or quick to
cry, so each alarm asks two: the long one says that it matters, the short one (a
twelfth of it) that it is still going on. The table is the one of Google's Site
Reliability Workbook, chapter 5.

Probes are few. At one a minute and 99.9 %, a single lost one burns at 16.7 in an hour,
so a window also needs failures: three in the long one and two in the short one. What
was not measured (maintenance, pause, sleep, nobody collecting) is neither good nor bad:
it is not in the counts, and ``coverage`` says how much there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MIN_FAILURES_LONG: Final = 3
MIN_FAILURES_SHORT: Final = 2


class Urgency(StrEnum):
    """What an alarm asks of people: now, or in working hours."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Objective:
    """A share of good probes, 0-1 exclusive, over a range in seconds."""

    share: float
    range_s: float

    @property
    def tolerance(self) -> float:
        """The share that may fail."""
        return 1.0 - self.share


@dataclass(frozen=True, slots=True)
class Counts:
    """Probes of a window: all that had a verdict, and the bad ones among them."""

    total: int = 0
    bad: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.total + other.total, self.bad + other.bad)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Two windows, in seconds, and the burn rate that both must exceed."""

    long_s: int
    short_s: int
    rate: float
    urgency: Urgency


ALARMS: Final = (
    Alarm(3_600, 300, 14.4, Urgency.PAGE),
    Alarm(21_600, 1_800, 6.0, Urgency.PAGE),
    Alarm(259_200, 21_600, 1.0, Urgency.TICKET),
)
WINDOWS_S: Final = tuple(
    sorted({alarm.long_s for alarm in ALARMS} | {alarm.short_s for alarm in ALARMS})
)
"""Every window the table asks for, in seconds."""


@dataclass(frozen=True, slots=True)
class Burn:
    """An alarm that rings. Rates are of the long and the short window."""

    alarm: Alarm
    long_rate: float
    short_rate: float


@dataclass(frozen=True, slots=True)
class Budget:
    """An objective as it stands.

    ``spent`` is the share of the budget that is gone, above 1 where it is overdrawn;
    ``left`` is 1 − spent. Both are ``None`` without a probe in the range. ``days_left``
    is how long the rest lasts at the pace of the last six hours, ``None`` where nothing
    is being spent, 0 where nothing is left. ``burning`` is the most urgent first.
    ``coverage`` is the share of the range in which something was measured. ``rates``
    are the burn rates of the alarms' long windows: seconds and rate, shortest first.
    """

    objective: Objective
    counts: Counts = Counts()
    spent: float | None = None
    left: float | None = None
    days_left: float | None = None
    burning: tuple[Burn, ...] = ()
    coverage: float = 0.0
    rates: tuple[tuple[int, float], ...] = ()


def burn_rate(counts: Counts, objective: Objective) -> float:
    """How many times faster than the objective allows; 0 without probes."""
    if not counts.total:
        return 0.0
    return counts.bad / counts.total / objective.tolerance


def burning(windows: Mapping[int, Counts], objective: Objective) -> tuple[Burn, ...]:
    """The alarms that ring. ``windows`` are counts by :data:`WINDOWS_S`."""
    found = []
    for alarm in ALARMS:
        far = windows.get(alarm.long_s, Counts())
        near = windows.get(alarm.short_s, Counts())
        if far.bad < MIN_FAILURES_LONG or near.bad < MIN_FAILURES_SHORT:
            continue
        burn = Burn(alarm, burn_rate(far, objective), burn_rate(near, objective))
        if min(burn.long_rate, burn.short_rate) > alarm.rate:
            found.append(burn)
    return tuple(found)


def budget(
    objective: Objective,
    counts: Counts,
    windows: Mapping[int, Counts],
    *,
    coverage: float,
) -> Budget:
    """The budget of ``counts``, which are of the objective's whole range."""
    if not counts.total:
        return Budget(objective, coverage=coverage)
    spent = burn_rate(counts, objective)
    left = 1.0 - spent
    return Budget(
        objective=objective,
        counts=counts,
        spent=spent,
        left=left,
        days_left=_days_left(left, windows, objective),
        burning=burning(windows, objective),
        coverage=coverage,
        rates=tuple(
            (alarm.long_s, burn_rate(windows.get(alarm.long_s, Counts()), objective))
            for alarm in ALARMS
        ),
    )


PACE_S: Final = 21_600
"""The window whose pace tells how long the rest of a budget lasts."""


def _days_left(
    left: float, windows: Mapping[int, Counts], objective: Objective
) -> float | None:
    if left <= 0:
        return 0.0
    pace = burn_rate(windows.get(PACE_S, Counts()), objective)
    if pace <= 0:
        return None
    return left * objective.range_s / pace / 86_400
