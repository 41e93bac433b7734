"""What a platform counted, on cards and in snapshots; out of a real history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from yolotop.model import Deployment, Health, HealthState, Hosting, Traffic
from yolotop.store.open import open_reader, open_writer
from yolotop.store.protocol import (
    COARSE_SLOT_S,
    CollectorStatus,
    Reader,
    Writer,
)
from yolotop.tui.ink import Look
from yolotop.tui.layout import Density
from yolotop.tui.widgets.cards import Setting, card_rows, p95_text
from yolotop.tui.widgets.panel_rows import panels
from yolotop.view.session import Session
from yolotop.view.snapshot import Card, CollectorHealth, Figures, Range
from yolotop.view.status import status_json

NOW = 1_790_000_000.0
HOUR = NOW - NOW % COARSE_SLOT_S
READY = "ready, says the Platform; not probed"


@dataclass
class Store:
    """A history, and the instant at which a face looks at it."""

    writer: Writer
    reader: Reader
    now: float = NOW

    async def host(self, name: str, *, probed: bool = False) -> None:
        hosting = Hosting("Ultralytics Platform", name, "acme", name, probed=probed)
        own = Deployment("own", "http://h")
        hosted = Deployment(name, "https://d.example", hosting=hosting)
        await self.writer.register([own, hosted], NOW - 9_000)
        up = HealthState(health=Health.UP, since=NOW - 60, message=READY)
        await self.writer.append([], [], {name: up})

    async def count(self, *rows: Traffic) -> None:
        await self.writer.append([], [], {}, rows)

    async def beat(self) -> None:
        await self.writer.beat(CollectorStatus(1, NOW, self.now, "1", platform="acme"))

    async def card(self, range_: Range = Range.H24, name: str = "dock") -> Card:
        session = Session(self.reader, now=lambda: self.now)
        snapshot = await session.refresh(range_)
        return next(card for card in snapshot.cards if card.name == name)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    writer = await open_writer(tmp_path, now=lambda: NOW)
    reader = await open_reader(tmp_path)
    made = Store(writer, reader)
    await made.beat()
    yield made
    await reader.close()
    await writer.close()


def hour(ago: int, requests: float, p95_ms: float, errors: float = 0.0) -> Traffic:
    at = HOUR - ago * COARSE_SLOT_S
    return Traffic(
        "dock", "P", at, 3_600.0, requests, errors, p95_ms=p95_ms, width_s=COARSE_SLOT_S
    )


def minute(ago: int, requests: float, p95_ms: float = 50.0) -> Traffic:
    at = NOW - NOW % 60 - ago * 60
    return Traffic("dock", "P", at, 60.0, requests, 0.0, p95_ms=p95_ms)


async def test_hours_and_the_minutes_since_are_counted_once(store: Store) -> None:
    await store.host("dock")
    # The hour before last is told; of the minutes only those after it count.
    old = replace(minute(0, 99.0), at=HOUR - 7_000.0)
    await store.count(hour(2, 100.0, 80.0, 10.0), hour(1, 300.0, 40.0), old)
    await store.count(minute(2, 30.0), minute(1, 30.0))
    figures = (await store.card()).figures
    assert (figures.requests, figures.failed) == (460, 10)
    # The mean of its P95s, weighted by requests: no percentile of all of them.
    mean = (100 * 80 + 300 * 40 + 60 * 50) / 460
    assert figures.p95_ms == pytest.approx(mean)
    assert figures.error_rate == pytest.approx(10 / 460)


async def test_a_short_range_is_made_of_minutes(store: Store) -> None:
    await store.host("dock")
    await store.count(hour(1, 300.0, 40.0), minute(70, 7.0), minute(3, 30.0))
    card = await store.card(Range.H1)
    assert card.figures.requests == 30
    assert [value for value in card.pace if value is not None] == [30.0]
    assert card.last_at == minute(3, 30.0).end_at


async def test_it_says_whose_word_it_is(store: Store) -> None:
    await store.host("dock")
    await store.count(minute(1, 30.0, 191.0))
    card = await store.card()
    assert card.counted
    assert card.message == READY
    assert p95_text(card, plain=True) == "~191 ms"
    rows = card_rows(card, 44, Density(7), Setting(NOW, Look()))
    text = "\n".join("".join(span.text for span in row) for row in rows)
    assert "not probed" in text
    assert "~191 ms p95" in text
    assert READY in text


async def test_the_json_says_whose_count_it_is(store: Store) -> None:
    await store.host("dock")
    await store.count(minute(1, 30.0, 191.0))
    snapshot = await Session(store.reader, now=lambda: NOW).refresh(Range.H24)
    own, dock = status_json(snapshot)["deployments"]
    assert (dock["counted_by"], dock["requests"]) == ("Ultralytics Platform", 30)
    assert dock["last_probe_at"] is None
    assert own["counted_by"] is None
    assert status_json(snapshot)["totals"]["requests"] == 0


async def test_of_one_that_is_probed_the_figures_are_our_own(store: Store) -> None:
    await store.host("dock", probed=True)
    await store.count(minute(1, 30.0, 191.0))
    card = await store.card()
    assert not card.counted
    assert card.figures.requests == 0
    assert card.traffic is not None


async def test_one_without_traffic_has_none_and_no_zero_latency(store: Store) -> None:
    await store.host("dock")
    card = await store.card()
    assert (card.figures.requests, card.figures.p95_ms) == (0, None)
    assert (card.last_at, card.checking) == (None, False)
    own = await store.card(name="own")
    assert (own.hosting, own.counted) == (None, False)


async def test_the_fleet_has_what_was_counted_beside_its_own(store: Store) -> None:
    await store.host("dock")
    await store.count(minute(2, 30.0), minute(1, 30.0))
    session = Session(store.reader, now=lambda: NOW)
    snapshot = await session.refresh(Range.H24)
    assert snapshot.totals.requests == 0
    assert snapshot.real is not None
    assert snapshot.real.requests == 60
    assert snapshot.collector.platform == "acme"
    # Read again once more was counted.
    await store.count(minute(0, 5.0))
    snapshot = await session.refresh(Range.H24)
    assert snapshot.real is not None
    assert snapshot.real.requests == 65


async def test_the_panels_show_both_and_never_mix_them(store: Store) -> None:
    await store.host("dock")
    await store.count(minute(2, 30.0, 80.0), minute(1, 30.0, 80.0))
    snapshot = await Session(store.reader, now=lambda: NOW).refresh(Range.H24)
    requests, _, errors, p95 = panels(snapshot, Look())
    assert [p.figure.text for p in (requests, errors, p95)] == ["60", "0.0 %", "~80 ms"]
    assert requests.note[0].text == "the Platform's count"
    asked = replace(snapshot, totals=Figures(requests=7, error_rate=0.5, p95_ms=9.0))
    requests, _, errors, p95 = panels(asked, Look())
    assert [p.figure.text for p in (requests, errors, p95)] == ["7", "50.0 %", "9.0 ms"]
    notes = [span.text for panel in (requests, errors, p95) for span in panel.note]
    assert notes == ["real ", "60", "real ", "0.0 %", "real ", "~80 ms"]


async def test_a_word_that_nobody_renews_is_not_shown_as_a_state(store: Store) -> None:
    await store.host("dock")
    assert (await store.card()).health is Health.UP
    store.now = NOW + 300
    session = Session(store.reader, now=lambda: store.now)
    snapshot = await session.refresh(Range.H24)
    assert snapshot.collector.health is CollectorHealth.STALE
    assert (await store.card()).health is Health.UNKNOWN
