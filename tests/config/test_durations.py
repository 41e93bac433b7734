"""Durations: what people write, and that writing them back loses nothing."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.config.duration import LONGEST_S, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15s", 15),
        ("500ms", 0.5),
        ("2m", 120),
        ("1h", 3_600),
        ("1m30s", 90),
        ("1.5s", 1.5),
        ("0s", 0),
        ("1d", 86_400),
        ("1h 30m", 5_400),
        (" 10s ", 10),
        ("0.25ms", 0.000_25),
    ],
)
def test_reads_what_people_write(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds, abs=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "15",
        "1.5",
        "s",
        "-5s",
        "5 seconds",
        "5S",
        "1s1m",
        "1s1s",
        "1e3s",
        "\u0661\u0665s",
        "5s!",
        "99999999999s",
        "401d",
        "nan",
        "infs",
        "5s\n5ms5",
    ],
)
def test_refuses_the_rest(text: str) -> None:
    with pytest.raises(ValueError, match=r"is|has"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=round(LONGEST_S * 1_000_000)))
def test_round_trip_to_the_microsecond(micros: int) -> None:
    seconds = micros / 1_000_000
    again = parse_duration(format_duration(seconds))
    assert round(again * 1_000_000) == micros


@given(st.text(max_size=30))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= parse_duration(text) <= LONGEST_S
