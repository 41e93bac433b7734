"""A state that nobody renews is not known any more: told by the cards, counts, JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from yolotop.model import (
    Answer,
    Deployment,
    Health,
    HealthState,
    Outcome,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.open import open_reader, open_writer
from yolotop.store.protocol import CollectorStatus, Reader, Writer
from yolotop.view.session import Session
from yolotop.view.snapshot import Card, Range, Snapshot
from yolotop.view.status import status_json

NOON = 1_700_049_617.0
FAST = Deployment("fast", "http://127.0.0.1/fast", predict_interval_s=5.0)
SLOW = Deployment("slow", "http://127.0.0.1/slow", predict_interval_s=60.0)
OFF = Deployment("off", "http://127.0.0.1/off", paused=True)
NEW = Deployment("new", "http://127.0.0.1/new")


@dataclass
class World:
    """A collector that answered at noon, and a face that looks on."""

    writer: Writer
    session: Session
    now: float = NOON

    async def answer(
        self, deployments: Sequence[Deployment], health: Health = Health.UP
    ) -> None:
        await self.writer.append(
            [
                Sample(
                    Answer(each.name, ProbeKind.PREDICT, self.now, 20.0),
                    Verdict(Outcome.OK, Severity.INFO, "3 detections"),
                )
                for each in deployments
            ],
            (),
            {
                each.name: HealthState(health, since=NOON - 600, message="as it was")
                for each in deployments
            },
        )

    async def beat(self, *, stopped: bool = False) -> None:
        await self.writer.beat(
            CollectorStatus(
                pid=7,
                started_at=NOON - 60,
                beat_at=self.now,
                version="0",
                stopped_at=self.now if stopped else None,
            )
        )

    async def after(self, seconds: float) -> dict[str, Card]:
        return {card.name: card for card in (await self.look(seconds)).cards}

    async def look(self, seconds: float) -> Snapshot:
        self.now = NOON + seconds
        return await self.session.refresh(Range.H1)


@pytest.fixture
async def reader(tmp_path: Path, writer: Writer) -> AsyncIterator[Reader]:
    opened = await open_reader(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    opened = await open_writer(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def world(writer: Writer, reader: Reader) -> World:
    world = World(writer, Session(reader))
    world.session = Session(reader, now=lambda: world.now)
    await writer.register([FAST, SLOW, OFF, NEW], NOON - 3_600)
    await world.answer([FAST, SLOW, OFF])
    return world


@pytest.mark.parametrize("stopped", [True, False])
async def test_a_state_lasts_three_intervals_and_half_a_minute(
    world: World, stopped: bool
) -> None:
    await world.beat(stopped=stopped)
    for seconds, fast, slow in (
        (12, Health.UP, Health.UP),
        (30, Health.UP, Health.UP),
        (31, Health.UNKNOWN, Health.UP),
        (180, Health.UNKNOWN, Health.UP),
        (181, Health.UNKNOWN, Health.UNKNOWN),
    ):
        cards = await world.after(seconds)
        assert (cards["fast"].health, cards["slow"].health) == (fast, slow), seconds
        assert cards["off"].health is Health.PAUSED
        assert cards["new"].message == "no answer yet"


async def test_it_says_for_how_long_and_keeps_its_figures(world: World) -> None:
    known = (await world.after(60))["slow"]
    lost = (await world.after(200))["slow"]
    assert lost.message == "no answer for 3 min: nobody is measuring"
    assert lost.since_at == lost.last_at == NOON
    assert lost.figures == known.figures
    assert lost.beats == known.beats
    assert not lost.checking
    # Nothing was written meanwhile: the time alone moves it.
    later = (await world.after(300))["slow"]
    assert later.message == "no answer for 5 min: nobody is measuring"


@pytest.mark.parametrize("health", [Health.DOWN, Health.COLD, Health.MAINTENANCE])
async def test_bad_news_grow_old_too(world: World, health: Health) -> None:
    await world.answer([SLOW], health)
    assert (await world.after(60))["slow"].health is health
    assert (await world.after(200))["slow"].health is Health.UNKNOWN


async def test_counts_active_and_json_agree(world: World) -> None:
    assert (await world.look(20)).active == 2
    shown = await world.look(200)
    assert shown.active == 0
    assert dict(shown.counts) == {Health.UNKNOWN: 3, Health.PAUSED: 1}
    told = status_json(shown)
    assert told["totals"]["active"] == 0
    states = {each["name"]: each["state"] for each in told["deployments"]}
    assert states["fast"] == states["slow"] == "unknown"
    assert states["off"] == "paused"


async def test_a_collector_that_runs_is_believed_and_gives_the_state_back(
    world: World,
) -> None:
    assert (await world.after(200))["slow"].health is Health.UNKNOWN
    await world.beat()
    back = (await world.after(201))["slow"]
    assert back.health is Health.UP
    assert back.since_at == NOON - 600
    # Its last beat is old: it is silent, and so is what it knew.
    assert (await world.after(260))["slow"].health is Health.UNKNOWN


async def test_an_answer_from_the_future_is_not_old(world: World) -> None:
    assert (await world.after(-7_200))["slow"].health is Health.UP
