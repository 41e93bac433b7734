"""Sessions over a real SQLite history: every figure against brute force."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from yolotop.errors import StoreError
from yolotop.judge.histogram import RELATIVE_ERROR
from yolotop.model import (
    Answer,
    Deployment,
    Health,
    HealthState,
    Outcome,
    Phases,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.open import open_reader, open_writer
from yolotop.store.protocol import CollectorStatus, Reader, RequestKind, Writer
from yolotop.view.session import WIDTHS_S, Session
from yolotop.view.snapshot import Card, CollectorHealth, Figures, Range, Snapshot

NOON = 1_700_049_600.0 + 17
"""Some instant that is on the grid of no slot."""


@dataclass
class World:
    """A collector's writer and a face's session on one data directory."""

    writer: Writer
    reader: Reader
    now: float = NOON
    samples: list[Sample] = field(default_factory=list)
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = Session(self.reader, now=lambda: self.now)

    async def register(self, *names: str, paused: Iterable[str] = ()) -> None:
        paused = set(paused)
        await self.writer.register(
            [
                Deployment(name, f"http://127.0.0.1/{name}", paused=name in paused)
                for name in names
            ],
            self.now,
        )

    async def write(
        self, *samples: Sample, states: dict[str, HealthState] | None = None
    ) -> None:
        await self.writer.append(samples, (), states or {})
        self.samples += samples

    async def beat(self, *, stopped_at: float | None = None) -> None:
        await self.writer.beat(
            CollectorStatus(
                pid=7,
                started_at=NOON - 60,
                beat_at=self.now,
                version="0",
                note="disk is full",
                stopped_at=stopped_at,
            )
        )

    async def look(self, range_: Range = Range.H24) -> Snapshot:
        return await self.session.refresh(range_)

    async def look_afresh(self, range_: Range = Range.H24) -> Snapshot:
        """What a face that starts now sees."""
        return await Session(self.reader, now=lambda: self.now).refresh(range_)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[World]:
    writer = await open_writer(path)
    try:
        reader = await open_reader(path)
        try:
            yield World(writer, reader)
        finally:
            await reader.close()
    finally:
        await writer.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


def sample(
    name: str,
    at: float,
    *,
    outcome: Outcome = Outcome.OK,
    latency_ms: float | None = 20.0,
    kind: ProbeKind = ProbeKind.PREDICT,
    cold: bool = False,
    message: str = "3 detections",
) -> Sample:
    severity = {Outcome.FAILED: Severity.ERROR, Outcome.WRONG: Severity.ERROR}.get(
        outcome, Severity.INFO
    )
    return Sample(
        Answer(
            deployment=name,
            kind=kind,
            started_at=at,
            latency_ms=latency_ms,
            phases=Phases(wait=latency_ms),
            http_status=200,
        ),
        Verdict(outcome, severity, message, cold=cold),
    )


def random_samples(
    seed: int, *, names: Sequence[str], since_at: float, until_at: float, n: int
) -> list[Sample]:
    draw = random.Random(seed)  # noqa: S311 - made-up data
    out = []
    for _ in range(n):
        outcome = draw.choices(list(Outcome), weights=(80, 5, 4, 4, 7))[0]
        out.append(
            sample(
                draw.choice(names),
                round(draw.uniform(since_at, until_at), 3),
                outcome=outcome,
                latency_ms=round(draw.lognormvariate(4.0, 1.2), 3),
                kind=draw.choices(list(ProbeKind), weights=(1, 4))[0],
                cold=outcome is Outcome.COLD or draw.random() < 0.03,
            )
        )
    return sorted(out, key=lambda made: made.answer.started_at)


def window(now: float, range_: Range) -> tuple[float, float]:
    width = WIDTHS_S[range_]
    end = (math.floor(now / width) + 1) * width
    return end - range_.seconds, end


def inside(
    samples: Iterable[Sample], span: tuple[float, float], names: Sequence[str]
) -> list[Sample]:
    return [
        made
        for made in samples
        if made.answer.kind is ProbeKind.PREDICT
        and made.answer.deployment in names
        and span[0] <= made.answer.started_at < span[1]
    ]


def warm(samples: Iterable[Sample]) -> list[float]:
    return sorted(
        made.answer.latency_ms
        for made in samples
        if made.answer.latency_ms is not None
        and not made.verdict.cold
        and made.verdict.outcome not in (Outcome.FAILED, Outcome.COLD)
    )


def nearest_rank(values: Sequence[float], q: float) -> float | None:
    return values[max(0, math.ceil(q * len(values)) - 1)] if values else None


def close(shown: float | None, exact: float | None) -> bool:
    if shown is None or exact is None:
        return shown is exact
    return abs(shown - exact) <= exact * (RELATIVE_ERROR + 1e-6)


def check(figures: Figures, samples: list[Sample]) -> None:
    """``figures`` are those of exactly ``samples`` (predict probes)."""
    latencies = warm(samples)
    failed = sum(made.verdict.outcome.is_error for made in samples)
    assert figures.requests == len(samples)
    assert figures.failed == failed
    assert figures.cold == sum(
        made.verdict.cold or made.verdict.outcome is Outcome.COLD for made in samples
    )
    assert figures.error_rate == (failed / len(samples) if samples else None)
    assert figures.samples == len(latencies)
    for shown, q in (
        (figures.p50_ms, 0.5),
        (figures.p95_ms, 0.95),
        (figures.p99_ms, 0.99),
    ):
        assert close(shown, nearest_rank(latencies, q))


def check_all(shown: Snapshot, samples: list[Sample], names: Sequence[str]) -> None:
    span = window(shown.at, shown.range)
    check(shown.totals, inside(samples, span, names))
    assert [card.name for card in shown.cards] == list(names)
    for card in shown.cards:
        check(card.figures, inside(samples, span, [card.name]))


def check_trend(shown: Snapshot, samples: list[Sample], names: Sequence[str]) -> None:
    """Errors and P95, step by step; gaps where there was no request."""
    trend = shown.errors_trend
    assert shown.p95_trend.start_at == shown.requests_trend.start_at == trend.start_at
    span = window(shown.at, shown.range)
    first = shown.since_at if shown.since_at is not None else span[0]
    for index, (rate, p95, pace) in enumerate(
        zip(
            trend.values,
            shown.p95_trend.values,
            shown.requests_trend.values,
            strict=True,
        )
    ):
        at = trend.start_at + index * trend.step_s
        step = (max(at, span[0]), min(at + trend.step_s, span[1]))
        held = inside(samples, step, names)
        failed = sum(made.verdict.outcome.is_error for made in held)
        assert rate == (failed / len(held) if held else None)
        assert close(p95, nearest_rank(warm(held), 0.95))
        assert (pace is None) == (not held)
    assert trend.start_at <= first
    assert first < trend.start_at + trend.step_s


def by_name(shown: Snapshot) -> dict[str, Card]:
    return {card.name: card for card in shown.cards}


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


async def test_an_empty_history_is_shown_as_empty(world: World) -> None:
    shown = await world.look()
    assert shown.cards == ()
    assert shown.totals == Figures()
    assert shown.change is None
    assert shown.first_at is None
    assert shown.since_at is None
    assert shown.requests_trend.values == ()
    assert shown.collector.health is CollectorHealth.NONE
    assert shown.counts == ()


async def test_a_registered_deployment_without_an_answer_is_unknown(
    world: World,
) -> None:
    await world.register("dock")
    (card,) = (await world.look()).cards
    assert card.health is Health.UNKNOWN
    assert not card.checking
    assert card.last_at is None
    assert card.message == "no answer yet"
    await world.beat()
    (card,) = (await world.look()).cards
    assert card.checking
    world.now += 60
    (card,) = (await world.look()).cards
    assert not card.checking


@pytest.mark.parametrize("range_", Range)
async def test_two_minutes_of_history_have_a_lively_trend(
    world: World, range_: Range
) -> None:
    await world.register("dock", "gate")
    made = random_samples(
        5, names=("dock", "gate"), since_at=NOON - 120, until_at=NOON, n=400
    )
    await world.write(*made)
    shown = await world.look(range_)
    trend = shown.requests_trend
    assert trend.step_s == 5
    assert 24 <= len(trend.values) <= 26
    assert None not in trend.values
    assert shown.since_at == pytest.approx(made[0].answer.started_at, abs=0.01)
    check_trend(shown, made, ("dock", "gate"))
    check_all(shown, made, ("dock", "gate"))
    world.now += 30
    await world.write(sample("dock", world.now - 1, latency_ms=900.0))
    later = await world.look(range_)
    assert len(later.requests_trend.values) >= len(trend.values) + 5
    check_trend(later, world.samples, ("dock", "gate"))


async def test_a_history_of_two_hours_in_a_week_covers_two_hours(world: World) -> None:
    await world.register("dock")
    made = random_samples(
        6, names=("dock",), since_at=NOON - 7_200, until_at=NOON, n=900
    )
    await world.write(*made)
    shown = await world.look(Range.D7)
    assert shown.requests_trend.step_s == 300
    assert 24 <= len(shown.requests_trend.values) <= 25
    check_trend(shown, made, ("dock",))


async def test_without_news_only_the_clock_moves(world: World) -> None:
    await world.register("dock")
    await world.write(sample("dock", NOON - 1))
    await world.beat()
    first = await world.look()
    world.now += 3
    second = await world.look()
    assert second.at == first.at + 3
    assert second.cards is first.cards
    assert second.collector.age_s == 3
    assert replace(second, at=first.at, collector=first.collector) == first


async def test_a_card_that_says_the_same_is_the_same_object(world: World) -> None:
    await world.register("dock", "gate")
    await world.write(sample("dock", NOON - 2), sample("gate", NOON - 2))
    first = by_name(await world.look())
    await world.write(sample("gate", NOON - 1, latency_ms=30.0))
    second = by_name(await world.look())
    assert second["dock"] is first["dock"]
    assert second["gate"] is not first["gate"]
    assert second["gate"].latency_ms == 30.0


async def test_time_alone_moves_the_window(world: World) -> None:
    await world.register("dock")
    await world.write(sample("dock", NOON - 1))
    assert (await world.look(Range.H1)).totals.requests == 1
    world.now += 4_000
    shown = await world.look(Range.H1)
    assert shown.totals.requests == 0
    assert (await world.look(Range.H6)).totals.requests == 1


async def test_rows_dated_in_the_future_do_not_hide_new_ones(world: World) -> None:
    await world.register("dock")
    await world.write(sample("dock", NOON + 90_000, latency_ms=5.0, message="future"))
    await world.look()
    await world.write(
        *(sample("dock", NOON - 3 + i, latency_ms=50.0) for i in range(3)),
        states={"dock": HealthState(health=Health.UP, since=NOON)},
    )
    for shown in (await world.look(), await world.look_afresh()):
        (card,) = shown.cards
        assert shown.totals.requests == 3
        assert card.message == "3 detections"
        assert card.latency_ms == 50.0
        assert card.last_at == NOON - 1
        assert shown.p95_trend.values[-1] == pytest.approx(50.0, rel=0.011)


async def test_removed_deployments_leave_the_totals_and_come_back(
    world: World,
) -> None:
    await world.register("dock", "gate")
    await world.write(sample("dock", NOON - 2), sample("gate", NOON - 2))
    assert (await world.look()).totals.requests == 2
    await world.register("gate")
    shown = await world.look()
    assert shown.totals.requests == 1
    assert [card.name for card in shown.cards] == ["gate"]
    check_trend(shown, world.samples, ("gate",))
    await world.register("dock", "gate")
    check_all(await world.look(), world.samples, ("dock", "gate"))


async def test_states_are_counted_and_active_is_what_can_answer(world: World) -> None:
    states = {
        name: HealthState(health=health, since=NOON - 9, message=f"is {name}")
        for name, health in (
            ("a", Health.UP),
            ("b", Health.DEGRADED),
            ("c", Health.DOWN),
            ("d", Health.COLD),
            ("e", Health.UP),
        )
    }
    await world.register(*states, "f", paused=("e",))
    await world.write(*(sample(name, NOON - 1) for name in states), states=states)
    shown = await world.look()
    assert shown.active == 3
    assert dict(shown.counts) == {
        Health.UP: 1,
        Health.DEGRADED: 1,
        Health.DOWN: 1,
        Health.COLD: 1,
        Health.PAUSED: 1,
        Health.UNKNOWN: 1,
    }
    cards = by_name(shown)
    assert cards["a"].message == "3 detections"
    assert (cards["c"].message, cards["c"].severity) == ("is c", Severity.ERROR)
    assert (cards["b"].message, cards["b"].severity) == ("is b", Severity.WARNING)
    assert (cards["e"].health, cards["e"].message) == (Health.PAUSED, "paused")
    assert cards["c"].since_at == NOON - 9


async def test_the_newest_sixty_predict_answers_are_the_beats(world: World) -> None:
    await world.register("dock")
    made = [
        sample("dock", NOON - 200 + i, latency_ms=10.0 + i, outcome=outcome)
        for i, outcome in enumerate([Outcome.OK, Outcome.FAILED] * 40)
    ]
    await world.write(*made, sample("dock", NOON - 1, kind=ProbeKind.HEALTH))
    (card,) = (await world.look()).cards
    assert [beat.latency_ms for beat in card.beats] == [30.0 + i for i in range(60)]
    assert card.beats[-1].outcome is Outcome.FAILED
    assert card.last_at == NOON - 1
    assert card.latency_ms == 89.0
    assert card.phases.wait == 89.0


async def test_a_large_fleet_gets_its_older_beats_one_by_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yolotop.view.history.SMALL_FLEET", 1)
    await world.register("dock", "gate")
    await world.write(
        *(sample(name, NOON - 900 + i) for i in range(9) for name in ("dock", "gate")),
        sample("gate", NOON - 1, latency_ms=99.0),
    )
    lengths = []
    for _ in range(3):
        world.now += 1
        cards = by_name(await world.look())
        lengths.append((len(cards["dock"].beats), len(cards["gate"].beats)))
        assert cards["gate"].latency_ms == 99.0
        assert cards["gate"].last_at == NOON - 1
    assert lengths == [(9, 1), (9, 10), (9, 10)]


async def test_a_refresh_that_failed_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.register("dock")
    await world.write(sample("dock", NOON - 2))
    await world.look()
    await world.write(sample("dock", NOON - 1, latency_ms=44.0))
    for broken in ("states", "first_at", "slots"):
        with monkeypatch.context() as patch:
            patch.setattr(world.reader, broken, _fail)
            with pytest.raises(StoreError):
                await world.look()
    shown = await world.look()
    assert shown.totals.requests == 2
    assert shown.cards[0].latency_ms == 44.0
    assert len(shown.cards[0].beats) == 2


async def _fail(*_: object, **__: object) -> None:
    raise StoreError("the disk is gone")


async def test_a_wish_to_probe_shows_as_checking_until_it_is_done(
    world: World,
) -> None:
    await world.register("dock", "gate")
    await world.write(sample("dock", NOON - 1))
    await world.look()
    wish = await world.reader.leave_request(
        RequestKind.PROBE, deployment="dock", body="", at=NOON
    )
    cards = by_name(await world.look())
    assert cards["dock"].checking
    assert not cards["gate"].checking
    await world.writer.take_requests()
    await world.writer.finish_request(wish, "[]", NOON)
    assert not by_name(await world.look())["dock"].checking


async def test_the_collector_runs_goes_stale_and_stops(world: World) -> None:
    await world.beat()
    assert (await world.look()).collector.health is CollectorHealth.RUNNING
    assert (await world.look()).collector.note == "disk is full"
    world.now += 10.5
    stale = (await world.look()).collector
    assert stale.health is CollectorHealth.STALE
    assert stale.age_s == pytest.approx(10.5)
    await world.beat(stopped_at=world.now)
    assert (await world.look()).collector.health is CollectorHealth.STOPPED
    world.now -= 3_600
    assert (await world.look()).collector.age_s == 0


async def test_a_beat_far_in_the_future_is_no_sign_of_life(world: World) -> None:
    await world.beat()
    world.now -= 3_600
    assert (await world.look()).collector.health is CollectorHealth.STALE


async def test_change_compares_with_the_full_range_before(world: World) -> None:
    await world.register("dock")
    await world.write(*(sample("dock", NOON - 7_400 + i * 60) for i in range(124)))
    assert (await world.look(Range.H24)).change is None
    shown = await world.look(Range.H1)
    assert shown.change == pytest.approx(0.0, abs=0.05)
    assert shown.totals.requests < 60


async def test_a_face_that_was_left_behind_catches_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yolotop.view.history.NEW_PROBES", 50)
    monkeypatch.setattr("yolotop.view.history.NEWEST_PROBES", 20)
    await world.register("dock")
    await world.write(sample("dock", NOON - 500))
    await world.look(Range.H1)
    await world.write(*(sample("dock", NOON - 400 + i) for i in range(120)))
    shown = await world.look(Range.H1)
    check_all(shown, world.samples, ("dock",))
    check_trend(shown, world.samples, ("dock",))
    assert len(shown.cards[0].beats) == 60


async def test_an_hour_busier_than_the_bound_is_shown_in_slots(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yolotop.view.history.MICRO_PROBES", 100)
    await world.register("dock")
    await world.write(*(sample("dock", NOON - 3_000 + i * 5) for i in range(600)))
    shown = await world.look(Range.H1)
    assert shown.requests_trend.step_s == 300
    check_trend(shown, world.samples, ("dock",))
