"""One deployment in depth over a range: the frozen picture of the detail screen.

Owns its shape and how a range is cut into steps. Pure; what is read for it, and when,
is :mod:`yolotop.view.closeup`'s. It must not know SQL, Textual or the network.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from yolotop.judge.slo import Budget
from yolotop.store.protocol import StoredProbe
from yolotop.view.aggregate import Series
from yolotop.view.incidents import Incident, Mark, Stretch
from yolotop.view.snapshot import Card, CollectorView, Figures, Range
from yolotop.view.tally import Tally, Window
from yolotop.view.traffic import Real
from yolotop.view.waterfall import Waterfall

MAX_STEPS: Final = 180
"""Steps of a chart: what a wide terminal has columns for."""
_STEPS_S: Final = (
    *(5, 10, 15, 20, 30, 60, 120, 180),
    *(300, 600, 900, 1_800),
    *(3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400),
)
_ANSWERS_A_STEP: Final = 2
"""A step is so many intervals long at least: a steady grid then leaves no gap."""


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything on the Overview tab, at one instant.

    ``steps`` are equal spans of ``step_s`` from ``start_at`` on, ``None`` where nobody
    asked: a gap stays a gap. A step has requests without percentiles where all of them
    failed. ``ribbon`` covers ``start_at`` to ``at`` without holes. ``incidents`` and
    ``marks`` are oldest first, ``failures`` newest first. ``young`` tells that the
    history does not reach back to the range's beginning. ``real`` is what its server,
    or a platform, counts of its traffic; ``None`` where nobody does.
    """

    at: float
    range: Range
    card: Card
    start_at: float = 0.0
    step_s: float = 0.0
    steps: tuple[Figures | None, ...] = ()
    waterfall: Waterfall | None = None
    ribbon: tuple[Stretch, ...] = ()
    marks: tuple[Mark, ...] = ()
    incidents: tuple[Incident, ...] = ()
    budget: Budget | None = None
    failures: tuple[StoredProbe, ...] = ()
    young: bool = False
    real: Real | None = None
    collector: CollectorView = field(default_factory=CollectorView)

    @property
    def end_at(self) -> float:
        """The end of the last step, which may lie ahead of now."""
        return self.start_at + len(self.steps) * self.step_s

    def index_of(self, at: float) -> int | None:
        """The step that holds an instant; ``None`` outside of all."""
        if not self.steps or not self.start_at <= at < self.end_at:
            return None
        return min(len(self.steps) - 1, int((at - self.start_at) / self.step_s))

    def step_at(self, index: int) -> float:
        """When a step begins."""
        return self.start_at + index * self.step_s


def step_for(span_s: float, *, width_s: int, every_s: float) -> int:
    """The finest step of whole slots in which ``span_s`` is :data:`MAX_STEPS` at most.

    No finer than two questions of a deployment asked ``every_s``: what is asked every
    hour would be all gaps in steps of minutes.
    """
    least = min(_ANSWERS_A_STEP * every_s, float(_STEPS_S[-1]))
    for step in _STEPS_S:
        if step % width_s == 0 and step >= least and span_s <= step * MAX_STEPS:
            return step
    return _STEPS_S[-1] * math.ceil(span_s / (_STEPS_S[-1] * MAX_STEPS))


def steps_of(
    series: Series, first_at: int, end_at: float, step: int, width_s: int
) -> tuple[Figures | None, ...]:
    """The figures of each step of whole slots, from ``first_at`` to ``end_at``."""
    found = (
        series.figures(Window(at, at + step, width_s))
        for at in range(first_at, math.ceil(end_at), step)
    )
    return tuple(figures if figures.requests else None for figures in found)


def steps_of_answers(
    answers: Iterable[StoredProbe], first_at: int, end_at: float, step: int
) -> tuple[Figures | None, ...]:
    """As :func:`steps_of`, from the answers themselves: for steps finer than a slot."""
    tallies = _tallies(answers, step)
    return tuple(
        tallies[at].figures() if at in tallies else None
        for at in range(first_at, math.ceil(end_at), step)
    )


def _tallies(answers: Iterable[StoredProbe], step: int) -> dict[int, Tally]:
    tallies: dict[int, Tally] = {}
    for probe in answers:
        start = math.floor(probe.at / step) * step
        tallies.setdefault(start, Tally()).count(probe)
    return tallies


def gaps(
    measured: Collection[int],
    start_at: float,
    end_at: float,
    *,
    width_s: int,
    every_s: float,
) -> list[tuple[float, float]]:
    """Spans in which no slot holds a probe of either kind, and should.

    The slot that fills now, and what is shorter than two questions, is none.
    """
    first = math.floor(start_at / width_s) * width_s
    least = max(2 * every_s, float(width_s))
    found: list[tuple[float, float]] = []
    open_at: float | None = None
    for at in range(first, math.ceil(end_at), width_s):
        if at in measured:
            if open_at is not None and at - open_at >= least:
                found.append((open_at, float(at)))
            open_at = None
        elif open_at is None:
            open_at = max(float(at), start_at)
    # While the newest slot has just begun, nobody can have been asked in it yet.
    if open_at is not None and end_at - open_at >= least:
        found.append((open_at, end_at))
    return found
