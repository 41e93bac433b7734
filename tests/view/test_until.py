"""The end of something as people type it, in local time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from yolotop.model import Health, HealthState
from yolotop.store.protocol import Registered
from yolotop.view.cards import Track, card
from yolotop.view.format import until
from yolotop.view.snapshot import Card, Figures
from yolotop.view.until import as_instant, parse_until

NOW = 1_790_000_000.0
"""2026-09-21 14:13:20 UTC, 16:13:20 in Berlin."""


@pytest.fixture(autouse=True)
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        ("16:30", "2026-09-21T14:30:00Z"),
        ("16:13", "2026-09-22T14:13:00Z"),
        (" 9:05 ", "2026-09-22T07:05:00Z"),
        ("2h", "2026-09-21T16:13:20Z"),
        ("1d12h", "2026-09-23T02:13:20Z"),
        ("2026-11-26 08:00", "2026-11-26T07:00:00Z"),
        ("2026-11-26T08:00Z", "2026-11-26T08:00:00Z"),
    ],
)
def test_times_are_local_and_times_of_day_the_next_there_is(
    typed: str, instant: str
) -> None:
    assert as_instant(parse_until(typed, NOW)) == instant


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "is no time; write 14:30, 2h or"),
        ("25:00", "is no time"),
        ("tomorrow", "is no time"),
        ("2026-09-21", "is over"),
        ("0s", "is over"),
        ("0001-01-01 00:00", "is"),
    ],
)
def test_what_is_no_time_to_come_is_told(typed: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_until(typed, NOW)


def test_the_day_is_named_where_the_time_alone_would_mislead() -> None:
    assert until(NOW + 3_600, since=NOW) == "until 17:13"
    assert until(NOW + 86_400, since=NOW) == "until Sep 22 16:13"


def test_a_card_in_maintenance_says_until_when_in_local_time() -> None:
    entry = Registered(
        name="dock",
        url="http://h",
        dialect="ultralytics",
        group=None,
        region=None,
        tags=(),
        position=0,
        paused=False,
        predict_interval_s=60.0,
        first_seen_at=NOW,
    )
    begun = HealthState(
        Health.MAINTENANCE,
        since=NOW,
        until_at=NOW + 3_600,
        message="maintenance until 2026-09-21 15:13 UTC",
    )

    def shown(state: HealthState) -> Card:
        return card(
            entry,
            state=state,
            track=Track(),
            figures=Figures(),
            pending=False,
            running=True,
        )

    assert shown(begun).message == "maintenance until 17:13"
    assert shown(begun).until_at == NOW + 3_600
    assert shown(replace(begun, health=Health.UP)).until_at is None
