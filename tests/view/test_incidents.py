"""What follows from changes alone: incidents, stretches, marks."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.model import EventKind, Health, Severity
from yolotop.store.protocol import Change
from yolotop.view.incidents import (
    MERGE_S,
    Incident,
    Stretch,
    incidents,
    marks,
    neighbour,
    settled,
    stretches,
    without,
    words,
)


def change(
    at: float,
    health: Health | None,
    message: str = "",
    *,
    name: str | None = "dock",
    kind: EventKind = EventKind.STATE,
) -> Change:
    return Change(int(at), at, name, kind, Severity.INFO, health, message)


def test_states_that_follow_one_another_are_one_incident_at_its_worst() -> None:
    (found,) = incidents(
        [
            change(100, Health.DEGRADED, "flaky"),
            change(200, Health.DOWN, "down: refused"),
            change(300, Health.DEGRADED, "flaky again"),
            change(400, Health.UP),
        ]
    )
    assert (found.start_at, found.end_at) == (100, 400)
    assert (found.health, found.message) == (Health.DOWN, "refused")
    # When it was that bad, as against when it began.
    assert (found.worst_at, found.times, found.steady) == (200, 1, False)


def test_what_comes_back_soon_is_the_same_and_later_is_another() -> None:
    told = [
        change(0, Health.DOWN),
        change(100, Health.UP),
        change(100 + MERGE_S, Health.DOWN),
        change(900, Health.UP),
        change(901 + MERGE_S, Health.DOWN),
    ]
    assert [(each.start_at, each.end_at) for each in incidents(told)] == [
        (0, 900),
        (901 + MERGE_S, None),
    ]


def test_what_came_back_says_how_many_times_and_keeps_its_parts_together() -> None:
    (found,) = incidents(
        [
            change(100, Health.DEGRADED, "degraded: slow"),
            change(160, Health.UP),
            change(220, Health.DOWN, "down: refused"),
            change(280, Health.UP),
            change(340, Health.DOWN, "down: HTTP 503"),
            change(400, Health.UP),
        ]
    )
    assert found == Incident(
        "dock", 100, 400, Health.DOWN, "refused", worst_at=220, times=3, steady=False
    )


NOON = 1_764_072_000.0


@pytest.mark.parametrize(
    ("told", "words_"),
    [
        ([(0, "down"), (20, "up")], "down at {0} for 20 min"),
        ([(0, "down")], "down since {0}"),
        ([(0, "degraded"), (9, "down"), (20, "up")],
         "down at {9}, trouble at {0} for 20 min"),
        ([(0, "down"), (9, "degraded")], "down at {0}, trouble since {0}"),
        ([(0, "down"), (1, "up"), (5, "down"), (9, "up")],
         "down at {0}, trouble 2 times in 9 min"),
        ([(0, "degraded"), (1, "up"), (5, "down")],
         "down at {5}, trouble 2 times since {0}"),
    ],
)  # fmt: skip
def test_words_say_only_what_was_so(told: list[tuple[int, str]], words_: str) -> None:
    (found,) = incidents([change(NOON + m * 60, Health(h)) for m, h in told])
    clock = {m: time.strftime("%H:%M", time.localtime(NOON + m * 60)) for m, _ in told}
    for minute, said in clock.items():
        words_ = words_.replace(f"{{{minute}}}", said)
    assert words(found, now=NOON + 3_000) == words_


def test_each_deployment_has_its_own() -> None:
    found = incidents(
        [
            change(0, Health.DOWN),
            change(1, Health.DOWN, name="gate"),
            change(2, None, "collector", name=None, kind=EventKind.COLLECTOR),
            change(3, Health.UP),
        ]
    )
    assert [(each.deployment, each.end_at) for each in found] == [
        ("dock", 3),
        ("gate", None),
    ]
    ended = settled(found, {"gate": (Health.UNKNOWN, 7.0)})
    assert ended[1].end_at == 7.0
    assert settled(found, {"gate": (Health.DOWN, 1.0)}) == found


def test_neighbours_are_those_before_and_after() -> None:
    found = incidents(
        [change(at + by, state) for at in (0, 1_000, 2_000)
         for by, state in ((0, Health.DOWN), (10, Health.UP))]
    )  # fmt: skip
    after, before = neighbour(found, 1_000, 1), neighbour(found, 1_000, -1)
    assert after is found[2]
    assert before is found[0]
    assert neighbour(found, 2_000, 1) is None
    assert neighbour(found, 0, -1) is None


def test_marks_are_the_deployments_and_the_collectors() -> None:
    told = [
        change(1, None, "restarted", kind=EventKind.RESTARTED),
        change(2, None, "other", name="gate", kind=EventKind.RESTARTED),
        change(3, None, "started", name=None, kind=EventKind.COLLECTOR),
        change(4, Health.DOWN),
    ]
    assert [mark.message for mark in marks(told, deployment="dock")] == [
        "restarted",
        "started",
    ]


@given(
    st.lists(st.tuples(st.integers(0, 1_000), st.sampled_from(Health)), max_size=12),
    st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 300)), max_size=4),
)
def test_a_ribbon_has_no_holes(
    turns: list[tuple[int, Health]], gaps: list[tuple[int, int]]
) -> None:
    told = [change(float(at), health) for at, health in sorted(turns)]
    last = (told[-1].health, told[-1].at) if told else (Health.UP, 0.0)
    known = stretches(
        told, 100.0, 900.0, before=None, now_in=(last[0] or Health.UP, last[1])
    )
    cut = without(known, [(float(at), float(at + by)) for at, by in gaps])
    for found in (known, cut):
        assert found[0].start_at == 100.0
        assert found[-1].end_at == 900.0
        assert all(one.end_at == two.start_at for one, two in pairwise(found))
        assert all(part.start_at < part.end_at for part in found)


def test_pause_is_known_without_a_measurement() -> None:
    known = [Stretch(0, 50, Health.UP), Stretch(50, 100, Health.PAUSED)]
    assert without(known, [(20.0, 80.0)]) == [
        Stretch(0, 20, Health.UP),
        Stretch(20, 50, None),
        Stretch(50, 100, Health.PAUSED),
    ]


def test_a_pause_that_has_no_event_wins() -> None:
    (found,) = stretches(
        [], 0.0, 100.0, before=Health.PAUSED, now_in=(Health.PAUSED, 0.0)
    )
    assert found == Stretch(0.0, 100.0, Health.PAUSED)
