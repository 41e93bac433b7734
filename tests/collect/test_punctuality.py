"""Overruns: told once a run, and summed up when it is over."""

from __future__ import annotations

from yolotop.collect.punctuality import OVER_AFTER, Punctuality
from yolotop.collect.schedule import Due
from yolotop.model import Event, EventKind, ProbeKind, Severity


def start(keeper: Punctuality, missed: int, *, late_s: float = 0.001) -> Event | None:
    due = Due("cam", ProbeKind.HEALTH, 1, 5.0, missed)
    return keeper.started(due, late_s=late_s, at=100.0)


def test_a_run_of_overruns_is_told_when_it_begins_and_when_it_is_over() -> None:
    keeper = Punctuality()
    assert start(keeper, 0) is None
    begun = start(keeper, 1)
    assert begun is not None
    assert (begun.kind, begun.severity) == (EventKind.OVERRUN, Severity.WARNING)
    assert begun.message.startswith("health: 1 probe was not sent: ")
    # A punctual one now and then does not end it, lest it be told again and again.
    for _ in range(50):
        assert start(keeper, 2) is None
        assert start(keeper, 0) is None
    ends = [start(keeper, 0) for _ in range(OVER_AFTER)]
    over = [event for event in ends if event is not None]
    assert [(e.severity, e.message) for e in over] == [
        (Severity.INFO, "health: asked in time again; 101 probes were not sent")
    ]
    assert start(keeper, 0) is None
    assert start(keeper, 3) is not None


def test_another_question_or_name_is_another_run() -> None:
    keeper = Punctuality()
    assert start(keeper, 1) is not None
    other = Due("cam", ProbeKind.PREDICT, 1, 5.0, 4)
    told = keeper.started(other, late_s=0.0, at=100.0)
    assert told is not None
    assert told.message.startswith("predict: 4 probes were not sent")
    keeper.forget("cam")
    assert start(keeper, 1) is not None


def test_delays_are_of_slots_only() -> None:
    keeper = Punctuality()
    assert str(keeper) == "no slot was due"
    for late_ms in range(1, 101):
        start(keeper, 0, late_s=late_ms / 1000)
    extra = Due("cam", ProbeKind.HEALTH, 1, 5.0, 0, on_grid=False)
    keeper.started(extra, late_s=9.0, at=100.0)
    assert keeper.delays.count == 100
    late = keeper.delays.quantile(0.99)
    assert late is not None
    assert abs(late - 99.0) < 1.1
    assert str(keeper).startswith("100 slots started ")
