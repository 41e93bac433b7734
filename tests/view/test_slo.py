"""Error budgets over a real history: counts from slots, coverage, what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from yolotop.judge.slo import Urgency
from yolotop.model import (
    Answer,
    Deployment,
    ErrorKind,
    HealthState,
    Outcome,
    ProbeError,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.open import open_reader, open_writer
from yolotop.view.session import Session
from yolotop.view.slo import RENEW_S, Budgets, budgets
from yolotop.view.snapshot import Range

NOW = 1_700_000_000.0
DAY_S = 86_400.0


def sample(name: str, at: float, outcome: Outcome = Outcome.OK) -> Sample:
    error = None
    if outcome is Outcome.FAILED:
        error = ProbeError(ErrorKind.CONNECT, "connection refused")
    answer = Answer(name, ProbeKind.PREDICT, at, latency_ms=5.0, error=error)
    return Sample(answer, Verdict(outcome, Severity.INFO, "said", error=error))


async def store(
    folder: Path, deployment: Deployment, samples: list[Sample], *, since_at: float
) -> None:
    writer = await open_writer(folder)
    await writer.register([deployment], since_at)
    for at in range(0, len(samples), 500):
        await writer.append(samples[at : at + 500], [], {"cam": HealthState()})
    await writer.close()


def minutes(start_at: float, count: int, outcome: Outcome = Outcome.OK) -> list[Sample]:
    return [sample("cam", start_at + n * 60, outcome) for n in range(count)]


async def test_a_budget_is_summed_over_its_range_and_burns_when_it_burns(
    tmp_path: Path,
) -> None:
    day = Deployment("cam", "http://h", objective=0.9, objective_range_s=DAY_S)
    start = NOW - DAY_S
    good = minutes(start, 1_440 - 60)
    bad = minutes(NOW - 3_600, 60, Outcome.FAILED)
    await store(tmp_path, day, good + bad, since_at=start)
    reader = await open_reader(tmp_path)
    found = (await budgets(reader, await reader.deployments(), NOW))["cam"]
    await reader.close()
    assert found.counts.bad == 60
    assert found.counts.total in range(1_430, 1_441)
    assert found.spent == pytest.approx(60 / found.counts.total / 0.1)
    assert found.left == pytest.approx(1 - (found.spent or 0))
    # Everything fails: ten times too fast is below 14.4, in no need of a page for the
    # short range, and the last six hours fail at 1.7 times.
    assert [burn.alarm.rate for burn in found.burning] == []
    strict = Deployment("cam", "http://h", objective=0.99, objective_range_s=DAY_S)
    await store(tmp_path, strict, [], since_at=start)
    reader = await open_reader(tmp_path)
    found = (await budgets(reader, await reader.deployments(), NOW))["cam"]
    await reader.close()
    assert found.objective.share == 0.99
    assert [b.alarm.urgency for b in found.burning] == [
        Urgency.PAGE,
        Urgency.PAGE,
        Urgency.TICKET,
    ]
    assert found.days_left == 0.0


async def test_coverage_is_what_was_measured_of_what_could_be(tmp_path: Path) -> None:
    start = NOW - 10 * DAY_S
    cam = Deployment("cam", "http://h")
    # Two days, then nobody collected for four, then one day, within seven.
    seen = minutes(NOW - 7 * DAY_S, 2 * 1_440) + minutes(NOW - DAY_S, 1_440)
    await store(tmp_path, cam, seen, since_at=start)
    reader = await open_reader(tmp_path)
    (found,) = (await budgets(reader, await reader.deployments(), NOW)).values()
    assert found.coverage == pytest.approx(3 / 7, abs=0.02)
    assert (found.spent, found.left) == (0.0, 1.0)
    await reader.close()


async def test_a_young_or_hourly_deployment_is_fully_covered(tmp_path: Path) -> None:
    hourly = Deployment("cam", "http://h", predict_interval_s=7_200.0)
    seen = [sample("cam", NOW - 36_000 + n * 7_200) for n in range(5)]
    await store(tmp_path, hourly, seen, since_at=NOW - 36_000)
    reader = await open_reader(tmp_path)
    (found,) = (await budgets(reader, await reader.deployments(), NOW)).values()
    assert found.coverage > 0.85
    await reader.close()


async def test_half_of_a_first_hour_unmeasured_is_half(tmp_path: Path) -> None:
    """In hours it would be all of it."""
    start = NOW - 3_000
    seen = [sample("cam", start + n * 10) for n in range(100)]
    seen += [sample("cam", NOW - 500 + n * 10) for n in range(50)]
    await store(tmp_path, Deployment("cam", "http://h"), seen, since_at=start)
    reader = await open_reader(tmp_path)
    (found,) = (await budgets(reader, await reader.deployments(), NOW)).values()
    assert found.coverage == pytest.approx(0.5, abs=0.15)
    await reader.close()


async def test_without_a_probe_nothing_is_claimed(tmp_path: Path) -> None:
    await store(tmp_path, Deployment("cam", "http://h"), [], since_at=NOW)
    reader = await open_reader(tmp_path)
    (found,) = (await budgets(reader, await reader.deployments(), NOW)).values()
    assert (found.spent, found.left, found.days_left) == (None, None, None)
    assert found.coverage == 0.0
    await reader.close()


async def test_a_face_shows_what_is_left_and_sums_it_once_a_minute(
    tmp_path: Path,
) -> None:
    cam = Deployment("cam", "http://h")
    seen = [*minutes(NOW - 5_940, 99), sample("cam", NOW - 1, Outcome.FAILED)]
    await store(tmp_path, cam, seen, since_at=NOW - 6_000)
    reader = await open_reader(tmp_path)
    session = Session(reader, now=lambda: NOW)
    (card,) = (await session.refresh(Range.H1)).cards
    assert card.slo_left == pytest.approx(0.0, abs=1e-9)
    registered = await reader.deployments()
    known = Budgets(reader)
    await known.renew(registered, NOW)
    first = known.get("cam")
    await known.renew(registered, NOW + RENEW_S / 2)
    assert known.get("cam") is first
    await known.renew(registered, NOW + RENEW_S)
    assert known.get("cam") is not first
    assert known.left("nobody") is None
    await reader.close()
