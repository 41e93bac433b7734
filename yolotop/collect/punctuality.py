"""How punctual the rounds are: how late probes start, and which slots were missed.

Owns the record of start delays and the telling of overruns: once when a run of them
begins, and how many there were when it is over. It must not know why a probe was late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from yolotop.collect.schedule import Due
from yolotop.judge.histogram import ExpHistogram
from yolotop.model import Event, EventKind, ProbeKind, Severity

OVER_AFTER: Final = 5
"""Starts in a row that missed nothing end a run of overruns."""


@dataclass(slots=True)
class _Run:
    missed: int
    punctual: int = 0


class Punctuality:
    """Told of every start. ``delays`` holds, in ms, how late slots began."""

    def __init__(self) -> None:
        self.delays = ExpHistogram()
        self._runs: dict[tuple[str, ProbeKind], _Run] = {}

    def started(self, due: Due, *, late_s: float, at: float) -> Event | None:
        """Take note; the event to log at ``at``, if there is one."""
        if due.on_grid:
            self.delays.add(max(0.0, late_s) * 1000)
        key = due.name, due.kind
        run = self._runs.get(key)
        if due.missed:
            if run is not None:
                run.missed, run.punctual = run.missed + due.missed, 0
                return None
            self._runs[key] = _Run(due.missed)
            said = f"{_probes(due.missed)} not sent: the one before, or the machine,"
            return self._event(due, f"{said} took too long", at, Severity.WARNING)
        if run is None:
            return None
        run.punctual += 1
        if run.punctual < OVER_AFTER:
            return None
        del self._runs[key]
        message = f"asked in time again; {_probes(run.missed)} not sent"
        return self._event(due, message, at, Severity.INFO)

    def forget(self, name: str) -> None:
        """``name`` is followed anew, or no longer."""
        for kind in ProbeKind:
            self._runs.pop((name, kind), None)

    def __str__(self) -> str:
        median, late = self.delays.quantile(0.5), self.delays.quantile(0.99)
        if median is None or late is None:
            return "no slot was due"
        return (
            f"{self.delays.count} slots started {median:.1f} ms late (median), "
            f"{late:.1f} ms (p99)"
        )

    def _event(self, due: Due, message: str, at: float, severity: Severity) -> Event:
        said = f"{due.kind}: {message}"
        return Event(at, severity, EventKind.OVERRUN, said, due.name)


def _probes(count: int) -> str:
    return "1 probe was" if count == 1 else f"{count} probes were"
