"""No more calls a minute than are allowed, whatever is asked for and whenever."""

from __future__ import annotations

import asyncio

import pytest
from control_plane import Clock
from hypothesis import given
from hypothesis import strategies as st

from yolotop.platform.budget import LIMITS, MINE, Budget, Category


@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.sampled_from(Category), st.booleans()),
        max_size=400,
    )
)
def test_no_window_of_a_minute_holds_more_than_the_limit(
    calls: list[tuple[float, Category, bool]],
) -> None:
    clock = Clock()
    budget = Budget(clock, clock.sleep)
    begun: dict[Category, list[float]] = {each: [] for each in Category}

    async def play() -> None:
        for pause_s, category, by_hand in calls:
            clock.now += pause_s if pause_s > 28 else 0.0
            await budget.turn(category, by_hand=by_hand)
            begun[category].append(clock.now)

    asyncio.run(play())
    for category, instants in begun.items():
        most = LIMITS[category]
        for first, over in zip(instants, instants[most:], strict=False):
            assert over - first > 60


def test_what_goes_by_itself_leaves_some_for_who_presses_a_key() -> None:
    clock = Clock()
    budget = Budget(clock, clock.sleep)
    mine = int(LIMITS[Category.DEFAULT] * MINE)
    for _ in range(mine):
        assert budget.wait_s(Category.DEFAULT) == 0
        budget.spend(Category.DEFAULT)
    assert budget.wait_s(Category.DEFAULT) > 0
    assert budget.wait_s(Category.DEFAULT, by_hand=True) == 0
    assert budget.left(Category.DEFAULT) == (10, 100)


def test_a_minute_later_all_of_it_is_there_again() -> None:
    clock = Clock()
    budget = Budget(clock, clock.sleep)
    for _ in range(10):
        budget.spend(Category.MUTATION)
    assert budget.left(Category.MUTATION) == (0, 10)
    clock.now += 61
    assert budget.left(Category.MUTATION) == (10, 10)


@pytest.mark.parametrize(
    ("told", "wait_s"), [(12.0, 12.0), (None, 5.0), (1e9, 3_600.0), (-4.0, 0.0)]
)
def test_a_refusal_shuts_one_category_only(told: float | None, wait_s: float) -> None:
    clock = Clock()
    budget = Budget(clock, clock.sleep)
    budget.refused(Category.PREDICT, told)
    assert budget.wait_s(Category.PREDICT, by_hand=True) == wait_s
    assert budget.wait_s(Category.DEFAULT) == 0
