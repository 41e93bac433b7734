"""Events from before they knew their state: read off their words, or left alone."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from yolotop.judge.health import (
    advance,
    begin_maintenance,
    end_maintenance,
    pause,
    resume,
)
from yolotop.model import (
    Answer,
    Deployment,
    Event,
    EventKind,
    Health,
    HealthState,
    Outcome,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.sqlite.file import prepare
from yolotop.store.sqlite.schema import MIGRATIONS

if TYPE_CHECKING:
    from tests.store.conftest import Backend

T0 = 1_790_000_000.0
CAM = Deployment("cam", "http://cam.example", scale_to_zero=True)
SAID = {
    Outcome.OK: "3 detections",
    Outcome.SLOW: "312 ms, slower than 250 ms",
    Outcome.COLD: "starting up (503): degraded: up again after 3 s down",
    Outcome.WRONG: "wrong answer: got none, expected circle ×1",
    Outcome.CHANGED: "changed: model a → b; pin a new baseline: up",
    Outcome.FAILED: "HTTP 500 Internal Server Error: up",
}


async def migrated(here: Backend, events: list[Event]) -> list[Health | None]:
    """The states that schema 3's events turn out to have entered."""
    path = here.data_dir / "yolotop.db"
    prepare(path, migrations=MIGRATIONS[:3])
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?, NULL, ?)",
            [
                (seq, event.at, int(event.severity), event.kind.value, event.message)
                for seq, event in enumerate(events, start=1)
            ],
        )
    prepare(path)
    reader = await here.reader()
    changes = await reader.changes(0, T0 * 2, limit=len(events))
    assert [change.message for change in changes] == [one.message for one in events]
    return [change.health for change in changes]


def lived(dice: random.Random) -> Iterator[Event]:
    """Events of the health machine itself, whatever happens to a deployment."""
    state, at = HealthState(), T0
    for _ in range(3_000):
        at += dice.uniform(1, 90)
        what = dice.random()
        events: tuple[Event, ...]
        if what < 0.02:
            state, events = pause(state, "cam", at=at, reason="paused")
        elif what < 0.06:
            state, events = resume(state, "cam", at=at)
        elif what < 0.08:
            state, events = begin_maintenance(
                state, "cam", at=at, until_at=at + 60, reason="maintenance until 9:00"
            )
        elif what < 0.12:
            state, events = end_maintenance(state, "cam", at=at)
        else:
            outcome = dice.choice([*Outcome, Outcome.OK, Outcome.FAILED])
            answer = Answer("cam", dice.choice(list(ProbeKind)), at, 5.0)
            verdict = Verdict(outcome, Severity.INFO, SAID[outcome])
            state, events = advance(state, Sample(answer, verdict), CAM)
        yield from events


@pytest.mark.parametrize("seed", range(3))
async def test_the_machines_own_words_tell_the_state(here: Backend, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - data, not a secret
    events = list(lived(dice))
    told = await migrated(here, events)
    states = [e for e in zip(events, told, strict=True) if e[0].kind is EventKind.STATE]
    assert {event.health for event, _ in states} == set(Health)
    for event, health in states:
        # The words of a cold light need not be of the cold start.
        expected = {event.health, None if event.health is Health.COLD else event.health}
        assert health in expected, event
    known = sum(health is not None for _, health in states)
    assert known > 0.9 * len(states)


async def test_words_that_could_mean_anything_stay_unknown(here: Backend) -> None:
    said = ["Down after 3 failures: x", "down", "upside", "resumed", "", "degradeD: x"]
    events = [
        Event(T0 + i, Severity.INFO, EventKind.STATE, text)
        for i, text in enumerate(said)
    ]
    events.append(Event(T0 + 9, Severity.INFO, EventKind.RESTARTED, "up"))
    assert await migrated(here, events) == [None] * 7


async def test_an_older_failure_has_no_headers(here: Backend) -> None:
    path = here.data_dir / "yolotop.db"
    prepare(path, migrations=MIGRATIONS[:3])
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(
            "INSERT INTO deployment VALUES (1, 'cam', '', '', NULL, NULL, '[]', 0, 0,"
            " 60, 0, NULL, 0.99, 604800);"
            "INSERT INTO line VALUES (1, 1, 'predict', 'failed', 40, 0, 500, 'http',"
            " 'no', 1);"
            "INSERT INTO anchor VALUES (1, 1790000000000);"
            "INSERT INTO probe VALUES (1, 1, 0, 12, x'8008');"
            "INSERT INTO failure VALUES (1, 1, 'as it was');"
            "UPDATE meta SET value = 1 WHERE key = 'seq'"
        )
    prepare(path)
    probe = await (await here.reader()).probe(1)
    assert probe is not None
    assert (probe.body_head, probe.headers) == ("as it was", ())
