"""Ladders as people write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.load.plan import (
    MOST_AT_ONCE,
    MOST_LEVELS,
    SHORTEST_WINDOW_S,
    concurrencies,
    rates,
    window_for,
)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("4", (4,)),
        ("1..8", (1, 2, 4, 8)),
        ("1..6", (1, 2, 4, 6)),
        ("3..20", (3, 6, 12, 20)),
        ("1..8:1", (1, 2, 3, 4, 5, 6, 7, 8)),
        ("2..9:3", (2, 5, 8, 9)),
        (" 1 .. 4 ", (1, 2, 4)),
        ("1,3, 64", (1, 3, 64)),
        ("8..8", (8,)),
    ],
)
def test_concurrencies(text: str, levels: tuple[int, ...]) -> None:
    assert concurrencies(text) == levels


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("5/s", (5.0,)),
        ("5..40/s", (5.0, 10.0, 20.0, 40.0)),
        ("30/min", (0.5,)),
        ("0.5..2/s", (0.5, 1.0, 2.0)),
        ("1,7.5/s", (1.0, 7.5)),
    ],
)
def test_rates(text: str, levels: tuple[float, ...]) -> None:
    assert rates(text) == levels


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "neither a number nor a range"),
        ("eight", "neither a number nor a range"),
        ("0", "from 1 to 64"),
        ("65", "from 1 to 64"),
        ("1..65", "from 1 to 64"),
        ("1.5", "whole number"),
        ("8..1", "rise"),
        ("4,2", "rise"),
        ("2,2", "rise"),
        ("0..8", "rise"),
        ("1..8:0", "step of 0"),
        ("1..64:1", "levels"),
        ("1..999999:0.001", "levels"),
        ("-1", "neither"),
        ("nan", "neither"),
        ("\u0661..\u0668", "neither"),
    ],
)
def test_what_is_no_ladder_is_told_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        concurrencies(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [("5", "no unit"), ("5/h", "no unit"), ("0/s", "above 0"), ("2000/s", "1,000/s")],
)
def test_what_is_no_rate_is_told_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        rates(text)


@given(low=st.integers(1, MOST_AT_ONCE), high=st.integers(1, MOST_AT_ONCE))
def test_a_range_begins_and_ends_where_it_says(low: int, high: int) -> None:
    if low > high:
        with pytest.raises(ValueError, match="rise"):
            concurrencies(f"{low}..{high}")
        return
    levels = concurrencies(f"{low}..{high}")
    assert (levels[0], levels[-1]) == (low, high)
    assert list(levels) == sorted(set(levels))
    assert len(levels) <= MOST_LEVELS


@given(st.text(max_size=12))
def test_any_text_is_a_ladder_or_a_value_error(text: str) -> None:
    levels: tuple[int, ...] = (1,)
    with contextlib.suppress(ValueError):
        levels = concurrencies(text)
    assert all(1 <= level <= MOST_AT_ONCE for level in levels)


def test_six_windows_and_none_too_short() -> None:
    assert window_for(30.0) == 5.0
    assert window_for(1.0) == SHORTEST_WINDOW_S
