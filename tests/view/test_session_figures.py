"""Every figure and trend of a session against brute force over what was written."""

from __future__ import annotations

import asyncio
import random

import pytest
from world import (
    NOON,
    World,
    by_name,
    check_all,
    check_trend,
    random_samples,
    sample,
)

from yolotop.view.log import LogQuery
from yolotop.view.session import WIDTHS_S
from yolotop.view.snapshot import Range


@pytest.mark.parametrize("range_", Range)
@pytest.mark.parametrize(("seed", "start_slots"), [(1, 10_000), (2, 100)])
async def test_figures_equal_brute_force_over_the_window(
    world: World,
    range_: Range,
    seed: int,
    start_slots: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("yolotop.view.book.START_SLOTS", start_slots)
    names = ("dock", "gate", "yard")
    await world.register(*names)
    days = 30 if WIDTHS_S[range_] == 3_600 else 2.9
    made = random_samples(
        seed,
        names=names,
        since_at=NOON - days * 86_400 - 4_000,
        until_at=NOON,
        n=4_000,
    )
    await world.write(*made)
    shown = await world.look(range_)
    check_all(shown, made, names)
    check_trend(shown, made, names)
    assert shown.range is range_


@pytest.mark.parametrize("start_slots", [10_000, 60])
@pytest.mark.parametrize("seed", range(4))
async def test_what_is_read_bit_by_bit_equals_what_is_read_at_once(
    world: World, seed: int, start_slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows arrive late and early, time passes slot borders, ranges change.

    The smaller bound makes two deployments a large fleet: read by the hour.
    """
    monkeypatch.setattr("yolotop.view.book.START_SLOTS", start_slots)
    monkeypatch.setattr("yolotop.view.book.CHUNK_SLOTS", start_slots // 2)
    draw = random.Random(seed)  # noqa: S311 - made-up data
    names = ("dock", "gate")
    await world.register(*names)
    await world.write(
        *random_samples(
            seed, names=names, since_at=NOON - 90_000, until_at=NOON, n=2_000
        )
    )
    for _ in range(25):
        world.now += draw.choice((1.0, 1.0, 40.0, 301.0, 4_000.0))
        since = world.now - draw.choice((1.0, 60.0, 2_000.0, 9_000.0))
        await world.write(
            *random_samples(
                draw.randrange(10**6),
                names=names,
                since_at=since,
                until_at=world.now,
                n=draw.randrange(1, 30),
            )
        )
        range_ = draw.choice((Range.H1, Range.H6, Range.H24, Range.H24, Range.D7))
        shown = await world.look(range_)
        check_all(shown, world.samples, names)
        # Raw rows hours out of order are beyond what "the newest" can promise.
        if shown.errors_trend.step_s >= 300:
            check_trend(shown, world.samples, names)
        afresh = await world.look_afresh(range_)
        assert shown.totals == afresh.totals
        assert shown.change == afresh.change
        assert by_name(shown)["dock"].figures == by_name(afresh)["dock"].figures


@pytest.mark.parametrize("start_slots", [10_000, 60])
@pytest.mark.parametrize("seed", range(3))
async def test_clock_steps_lose_and_double_no_row(
    world: World, seed: int, start_slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is set an hour on or back, again and again; rows bear its time.

    Every figure and every step of every trend, of a face that stayed and of one that
    starts now, against brute force over the rows.
    """
    monkeypatch.setattr("yolotop.view.book.START_SLOTS", start_slots)
    draw = random.Random(seed)  # noqa: S311 - made-up data
    names = ("dock", "gate")
    await world.register(*names)
    for _ in range(40):
        world.now += draw.choice((5.0, 60.0, 900.0, 3_600.0, -3_600.0, -3_600.0))
        await world.write(
            *random_samples(
                draw.randrange(10**6),
                names=names,
                since_at=world.now - 4.0,
                until_at=world.now,
                n=draw.randrange(1, 8),
            )
        )
        range_ = draw.choice(list(Range))
        afresh = await world.look_afresh(range_)
        for shown in (await world.look(range_), afresh):
            check_all(shown, world.samples, names)
            if shown.since_at is not None and shown.since_at < shown.at:
                check_trend(shown, world.samples, names)


@pytest.mark.parametrize("shape", ["bimodal", "heavy", "constant", "fast"])
async def test_percentiles_of_any_shape_stay_within_the_bound(
    world: World, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merged across slots, hours and deployments, from the writer to the card.

    *Bimodal* has its jump exactly at the 95th percent, where sketches that bound the
    rank are wrong by a factor of ten.
    """
    monkeypatch.setattr("yolotop.view.book.START_SLOTS", 300)
    draw = random.Random(shape)  # noqa: S311 - made-up data
    latencies = {
        "bimodal": [38.0 + draw.random()] * 19 + [draw.uniform(4_000, 20_000)],
        "heavy": [20.0 / (1.0 - draw.random()) ** 1.5 for _ in range(20)],
        "constant": [25.0],
        "fast": [draw.randrange(0, 40) / 1_000 for _ in range(20)],
    }[shape]
    names = ("dock", "gate", "yard")
    await world.register(*names)
    await world.write(
        *(
            sample(
                draw.choice(names),
                NOON - (1 - i / 3_000) * 29.9 * 86_400,
                latency_ms=round(latencies[i % len(latencies)], 3),
            )
            for i in range(2_000)
        ),
        *(
            sample(
                draw.choice(names),
                NOON - (1 - i / 2_000) * 82_000,
                latency_ms=round(latencies[i % len(latencies)], 3),
            )
            for i in range(2_000)
        ),
    )
    for range_ in Range:
        check_all(await world.look(range_), world.samples, names)


async def test_what_is_committed_shows_at_the_next_refresh(world: World) -> None:
    """Totals, card, beats and log, also when the clock passes a border of slots."""
    await world.register("dock", "gate")
    await world.look()
    for number in range(40):
        world.now += (1.0, 1.0, 150.0, 3_600.0)[number % 4]
        name = ("dock", "gate")[number % 2]
        latency_ms = 10.0 + number
        await world.write(sample(name, world.now - 0.5, latency_ms=latency_ms))
        last = await world.reader.last_seq()
        shown = await world.look(Range.H24)
        card = by_name(shown)[name]
        assert card.latency_ms == card.beats[-1].latency_ms == latency_ms
        assert card.last_at == world.now - 0.5
        check_all(shown, world.samples, ("dock", "gate"))
        page = await world.session.log(LogQuery())
        assert page.lines[-1].seq == last


async def test_what_is_committed_while_a_face_looks_shows_at_the_next_refresh(
    world: World,
) -> None:
    """Rows arrive between any two reads of a refresh: none is lost or counted twice."""
    await world.register("dock")
    for number in range(60):
        world.now += 1.0
        batch = [
            sample("dock", world.now - 0.5 - i / 100, latency_ms=5.0 + number)
            for i in range(1 + number % 7)
        ]
        await asyncio.gather(
            world.write(*batch), world.look(Range.H1), world.look(Range.H24)
        )
        shown = await world.look(Range.H24)
        check_all(shown, world.samples, ("dock",))
        assert shown.cards[0].latency_ms == 5.0 + number
