"""Three clocks that should agree, and what it means when they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from yolotop.collect.clock import SystemClock
from yolotop.collect.timekeeper import Jump, Timekeeper

if TYPE_CHECKING:
    from tests.collect.conftest import FakeClock


def test_time_that_passes_as_it_should_is_nothing(clock: FakeClock) -> None:
    keeper = Timekeeper(clock)
    for _ in range(1_000):
        clock.elapsed += 1.0
        clock.stepped += 0.0005  # slewing, at its fastest
        assert keeper.look() is None


@pytest.mark.parametrize("by_s", [-3_600.0, 3_600.0, -2.5, 2.5])
def test_a_clock_that_is_set_is_seen_once(clock: FakeClock, by_s: float) -> None:
    keeper = Timekeeper(clock)
    clock.elapsed += 1.0
    clock.stepped += by_s
    jump = keeper.look()
    assert jump is not None
    assert jump.stepped_s == pytest.approx(by_s)
    assert not jump.blind
    clock.elapsed += 1.0
    assert keeper.look() is None


def test_sleep_is_not_a_clock_that_was_set(clock: FakeClock) -> None:
    keeper = Timekeeper(clock)
    clock.elapsed += 1.0
    clock.slept += 3 * 3_600.0
    jump = keeper.look()
    assert jump is not None
    assert jump.blind
    assert jump.stepped_s == 0.0
    assert str(jump) == "this machine slept for 3 h"


def test_both_at_once_are_told_apart(clock: FakeClock) -> None:
    keeper = Timekeeper(clock)
    clock.slept += 600.0
    clock.stepped -= 3_600.0
    jump = keeper.look()
    assert jump is not None
    assert (jump.slept_s, jump.stepped_s) == pytest.approx((600.0, -3_600.0))
    said = "this machine slept for 10 min; the clock was set back by 1 h"
    assert str(jump) == said


def test_a_process_that_stood_still_could_not_look_either(clock: FakeClock) -> None:
    keeper = Timekeeper(clock)
    clock.elapsed += 40.0
    jump = keeper.look()
    assert jump == Jump(still_s=40.0)
    assert str(jump) == "the collector stood still for 40 s"
    clock.elapsed += 40.0
    keeper.begin()
    assert keeper.look() is None


def test_the_real_clocks_agree() -> None:
    keeper = Timekeeper(SystemClock())
    assert keeper.look() is None
    assert SystemClock().boottime() >= SystemClock().monotonic() - 0.1
