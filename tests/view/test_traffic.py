"""Real traffic through a session: fresh, complete, in the steps of the charts."""

from __future__ import annotations

import pytest
from world import NOON, World, sample

from yolotop.model import Timing, Traffic
from yolotop.store.protocol import COARSE_SLOT_S
from yolotop.view.format import rate
from yolotop.view.snapshot import Range
from yolotop.view.traffic import Real, real_of


def minute(at: float, requests: float = 60.0, span_s: float = 60.0) -> Traffic:
    timing = Timing(20.0 * requests, requests)
    return Traffic("dock", "Triton metrics", at, span_s, requests, 0.0, timing)


async def real(world: World, range_: Range = Range.H1) -> Real | None:
    detail = await world.session.detail("dock", range_)
    assert detail is not None
    found = detail.real
    assert found is None or len(found.steps) == len(detail.steps)
    return found


async def test_nobody_counts(world: World) -> None:
    await world.register("dock")
    await world.write(sample("dock", NOON - 30))
    assert await real(world) is None
    assert (await world.look()).cards[0].traffic is None


async def test_what_was_counted_is_seen_and_so_is_what_comes(world: World) -> None:
    await world.register("dock")
    await world.write(*(sample("dock", NOON - 60 * i) for i in range(58, 0, -1)))
    rows = [minute(NOON - 60 * i) for i in range(50, 1, -1) if not 20 <= i < 30]
    await world.writer.append([], [], {}, rows)
    found = await real(world)
    assert found is not None
    assert found.now == rows[-1]
    kept = [step for step in found.steps if step is not None]
    assert sum(step.requests or 0 for step in kept) == 60 * len(rows)
    assert found.steps.count(None) > 3, "a gap is a gap"
    # The open minute grows, and another begins.
    for at, requests, span_s in ((60, 15, 15), (60, 58, 60), (0, 7, 10)):
        world.now = NOON - at + span_s
        newest = minute(NOON - at, float(requests), float(span_s))
        await world.writer.append([], [], {}, [newest])
        found = await real(world)
        assert found is not None
        assert found.now == newest
        assert (await world.look()).cards[0].traffic == newest
    kept = [step for step in found.steps if step is not None]
    assert sum(step.requests or 0 for step in kept) == 60 * len(rows) + 58 + 7


async def test_days_are_made_of_hours(world: World) -> None:
    await world.register("dock")
    await world.write(*(sample("dock", NOON - 3_600 * i) for i in range(160, 0, -1)))
    hours = [
        Traffic(
            *("dock", "Triton metrics", NOON - 3_600 * i, 3_600.0, 3_600.0, 36.0),
            width_s=COARSE_SLOT_S,
        )
        for i in range(150, 0, -1)
    ]
    await world.writer.append([], [], {}, [*hours, minute(NOON - 60)])
    found = await real(world, Range.D7)
    assert found is not None
    kept = [step for step in found.steps if step is not None]
    assert {step.per_s for step in kept} == {1.0}
    assert {step.error_rate for step in kept} == {0.01}
    day = await real(world, Range.H24)
    assert day is not None
    assert day.now == minute(NOON - 60)


def test_a_row_belongs_to_one_step() -> None:
    rows = [minute(at) for at in (0.0, 50.0, 110.0, 160.0, 900.0)]
    found = real_of(rows, 0.0, 100.0, 3)
    assert found is not None
    assert [step and step.requests for step in found.steps] == [120, 120, None]
    assert found.now == rows[-1]
    assert real_of([], 0.0, 100.0, 3) is None


@pytest.mark.parametrize(
    ("per_s", "shown"),
    [
        (None, "—"),
        (0.0, "0 /s"),
        (1_234.4, "1\u00a0234 /s"),
        (12.3, "12 /s"),
        (9.96, "10 /s"),
        (1.44, "1.4 /s"),
        (0.4, "24 /min"),
        (0.99, "59 /min"),
        (1 / 60, "1.0 /min"),
        (1 / 600, "6.0 /h"),
        (1e-9, "0.0 /h"),
    ],
)
def test_how_often(per_s: float | None, shown: str) -> None:
    assert rate(per_s) == shown
