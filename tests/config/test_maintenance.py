"""Maintenance windows as people write them, and when they hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.config.maintenance import as_maintenance, parse_maintenance
from yolotop.model import Maintenance


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "when", "until"),
    [
        ("daily 02:00-04:00", "2026-11-23T02:00", "2026-11-23T04:00"),
        ("daily 02:00-04:00", "2026-11-23T03:59:59", "2026-11-23T04:00"),
        ("daily 02:00-04:00", "2026-11-23T04:00", None),
        ("daily 02:00-04:00", "2026-11-23T01:59", None),
        ("daily 22:00-02:00", "2026-11-24T01:00", "2026-11-24T02:00"),
        ("daily 00:00-24:00", "2026-11-24T13:00", "2026-11-25T00:00"),
        # The 22nd of November 2026 is a Sunday.
        ("sun 02:00-04:00", "2026-11-22T02:30", "2026-11-22T04:00"),
        ("SUN 2:00 - 4:00", "2026-11-22T02:30", "2026-11-22T04:00"),
        ("sun 02:00-04:00", "2026-11-23T02:30", None),
        ("sat 22:00-06:00", "2026-11-22T05:00", "2026-11-22T06:00"),
        (
            "2026-11-24T02:00Z/2026-11-24T04:30Z",
            "2026-11-24T03:00",
            "2026-11-24T04:30",
        ),
        (
            "2026-11-24T02:00/2026-11-24T06:00+01:00",
            "2026-11-24T04:59",
            "2026-11-24T05:00",
        ),
        ("2026-11-24T02:00Z/2026-11-24T04:30Z", "2026-11-25T03:00", None),
    ],
)
def test_a_window_holds_what_it_says(text: str, when: str, until: str | None) -> None:
    window = parse_maintenance(text)
    assert window.until(at(when)) == (None if until is None else at(until))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "daily",
        "daily 02:00-02:00",
        "daily 25:00-26:00",
        "daily 24:30-03:00",
        "daily 02:61-03:00",
        "2026-11-24T02:00Z",
        "2026-11-24T02:00Z/2026-11-24T02:00Z",
        "2026-11-24T02:00Z/soon",
    ],
)
def test_what_is_no_window_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|before|clock|length|time"):
        parse_maintenance(text)


@pytest.mark.parametrize("value", ["daily 02:00-04:00", 7, [7], ["x"] * 60])
def test_only_an_array_of_texts_will_do(value: object) -> None:
    with pytest.raises(ValueError, match=r"array|texts|most"):
        as_maintenance(value)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - UTC below
    st.integers(0, 23 * 60),
    st.integers(1, 60),
)
def test_every_day_has_its_window(when: datetime, start: int, minutes: int) -> None:
    window = Maintenance(start * 60.0, minutes * 60.0, 86_400.0)
    midnight = when.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    begin = midnight + timedelta(minutes=start)
    moment = when.replace(tzinfo=UTC)
    inside = begin <= moment < begin + timedelta(minutes=minutes)
    assert (window.until(moment.timestamp()) is not None) == inside
