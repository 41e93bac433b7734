"""How figures read: tables of what goes in and what a person sees."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from yolotop.model import Health, Severity
from yolotop.view import format as fmt


@pytest.fixture
def taipei(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A local time zone that is not UTC."""
    monkeypatch.setenv("TZ", "Asia/Taipei")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (math.nan, "—"),
        (math.inf, "—"),
        (0.0, "0 µs"),
        (0.95, "950 µs"),
        (0.9996, "1.0 ms"),
        (4.24, "4.2 ms"),
        (9.96, "10 ms"),
        (141.6, "142 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (1_234.0, "1.2 s"),
        (9_960.0, "10 s"),
        (55_000.0, "55 s"),
        (119_400.0, "119 s"),
        (119_600.0, "2 min"),
        (600_000.0, "10 min"),
    ],
)
def test_a_duration_has_a_small_unit_and_few_digits(
    value: float | None, text: str
) -> None:
    assert fmt.ms(value) == text


@given(st.floats(min_value=0, max_value=59_000_000))
def test_a_duration_never_outgrows_its_column(value: float) -> None:
    text = fmt.ms(value)
    assert len(text) <= 7
    assert fmt.ms(value, width=9).strip() == text
    assert len(fmt.ms(value, width=9)) == 9
    assert fmt.ms(value, plain=True).isascii()


@given(st.floats(min_value=0.001, max_value=1e6))
def test_a_shown_duration_is_within_rounding_of_the_measured_one(value: float) -> None:
    number, unit = fmt.ms(value).split()
    factor = {"µs": 0.001, "ms": 1.0, "s": 1_000.0, "min": 60_000.0}[unit]
    shown = float(number) * factor
    half_digit = (0.05 if "." in number else 0.5) * factor
    assert abs(shown - value) <= half_digit * 1.000_001


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0.0, "0.0 %"),
        (0.0004, "<0.1 %"),
        (0.018, "1.8 %"),
        (0.5, "50.0 %"),
        (0.9993, "99.9 %"),
        (0.9999, ">99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_is_nothing_or_all_only_when_exact(
    value: float | None, text: str
) -> None:
    assert fmt.percent(value) == text


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_share_of_some_never_reads_as_none_or_all(part: int, whole: int) -> None:
    text = fmt.percent(min(part, whole) / whole)
    assert (text == "0.0 %") == (part == 0)
    assert (text == "100 %") == (part >= whole)


@pytest.mark.parametrize(
    ("value", "text", "plain"),
    [
        (None, "", ""),
        (0.04, "+4 %", "+4 %"),
        (-0.123, "−12 %", "-12 %"),
        (0.001, "±0 %", "+0 %"),
        (19.0, "×20", "x20"),
    ],
)
def test_a_change_has_a_sign(value: float | None, text: str, plain: str) -> None:
    assert fmt.change(value) == text
    assert fmt.change(value, plain=True) == plain


def test_thousands_are_set_apart_and_not_torn() -> None:
    assert fmt.count(34_512) == "34\u00a0512"
    assert fmt.count(1_234_567, plain=True) == "1 234 567"
    assert fmt.count(999) == "999"
    assert fmt.count(None) == "—"
    assert fmt.count(None, plain=True) == "-"
    assert fmt.count(7, width=4) == "   7"


@pytest.mark.parametrize(
    ("seconds", "text", "tight"),
    [
        (None, "—", "—"),
        (-5.0, "0 s", "0s"),
        (2.9, "2 s", "2s"),
        (59.99, "59 s", "59s"),
        (60.0, "1 min", "1m"),
        (250.0, "4 min", "4m"),
        (3_599.0, "59 min", "59m"),
        (10_800.0, "3 h", "3h"),
        (2 * 86_400.0, "2 d", "2d"),
        (400 * 86_400.0, "400 d", "400d"),
    ],
)
def test_an_age_is_rounded_down(seconds: float | None, text: str, tight: str) -> None:
    assert fmt.age(seconds) == text
    assert fmt.age(seconds, tight=True) == tight


@pytest.mark.usefixtures("taipei")
def test_the_clock_is_local_and_machines_get_utc() -> None:
    at = 1_700_000_000.042
    assert fmt.clock(at) == "06:13:20"
    assert fmt.clock(at, seconds=False) == "06:13"
    assert fmt.clock(None) == "—"
    assert fmt.iso(at) == "2023-11-14T22:13:20.042Z"
    assert fmt.iso(None) is None


@pytest.mark.usefixtures("taipei")
def test_a_moment_of_another_day_says_which() -> None:
    at = 1_700_000_000.0
    assert fmt.moment(at, now=at + 3_600) == "06:13:20"
    assert fmt.moment(at, now=at + 86_400) == "Nov 15 06:13"
    assert fmt.moment(at, now=at + 300 * 86_400) == "2023-11-15"
    assert fmt.moment(None, now=at) == "—"


def test_every_state_has_a_shape_of_its_own_and_one_cell() -> None:
    for table in (fmt.SYMBOLS, fmt.PLAIN_SYMBOLS):
        assert set(table) == set(Health)
        assert len(set(table.values())) == len(Health)
        assert all(cell_len(shape) == 1 for shape in table.values())
    assert "".join(fmt.PLAIN_SYMBOLS.values()).isascii()
    assert fmt.symbol(Health.DOWN) == "✖"
    assert fmt.symbol(Health.UP, plain=True) == "+"
    assert fmt.symbol(Health.DOWN, checking=True) == "◐"
    assert fmt.symbol(Health.DOWN, checking=True, plain=True) == "o"


def test_a_severity_is_a_word() -> None:
    assert fmt.severity_word(Severity.WARNING) == "WARNING"
    assert fmt.severity_word(Severity.INFO, width=8) == "INFO    "
    assert max(map(len, fmt.SEVERITY_WORDS.values())) == 8


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([], 4, "····"),
        ([None, None], 3, "···"),
        ([0, 0, 0], 3, "▁▁▁"),
        ([1, 1], 2, "██"),
        ([0, 1_000, 1], 3, "▁█▂"),
        ([0, None, 7], 3, "▁·█"),
        ([1, 9, 1, 1], 2, "█▂"),
        ([0, 8], 4, "▁▁██"),
        ([5], 0, ""),
    ],
)
def test_a_sparkline_keeps_peaks_and_shows_gaps(
    values: list[float | None], width: int, line: str
) -> None:
    assert fmt.sparkline(values, width) == line


def test_a_sparkline_can_stand_at_the_right_edge() -> None:
    assert fmt.sparkline([0, 7], 4, align="right") == "··▁█"
    assert fmt.sparkline([9, 0, 7], 2, align="right") == "▁█"
    assert fmt.sparkline([0, 7, None], 3, plain=True) == "_# "
    assert fmt.sparkline([10, 20], 2, low=None) == "▁█"
    assert fmt.sparkline([1, 1], 2, high=7) == "▂▂"


def test_a_calm_scale_keeps_a_steady_series_low_and_lets_a_peak_out() -> None:
    steady: list[float | None] = [20.0, 21.0, None, 19.0]
    assert fmt.calm_top(steady) == 60.0
    assert fmt.calm_top([*steady, 500.0]) == 500.0
    assert fmt.calm_top([None]) is None


_values = st.lists(st.none() | st.floats(0, 1e6), max_size=200)


@given(
    _values, st.integers(0, 120), st.booleans(), st.sampled_from(["stretch", "right"])
)
def test_a_sparkline_has_the_width_it_was_asked_for(
    values: list[float | None], width: int, plain: bool, align: str
) -> None:
    line = fmt.sparkline(
        values, width, plain=plain, align="right" if align == "right" else "stretch"
    )
    assert len(line) == width
    assert line.isascii() or not plain


@given(_values.filter(bool), st.integers(1, 120))
def test_resampling_loses_no_peak(values: list[float | None], width: int) -> None:
    known = [value for value in values if value is not None]
    cells = [value for value in fmt.resample(values, width) if value is not None]
    assert max(cells, default=None) == max(known, default=None)
    assert set(cells) <= set(known)
