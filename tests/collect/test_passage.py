"""A collector over a clock that is set, a machine that sleeps, and planned work."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from yolotop.collect.rounds import AFTER_SLEEP_S
from yolotop.collect.schedule import FIRST_ASK_S
from yolotop.config.advice import ASLEEP_AFTER_S
from yolotop.config.deployment import deployment_from_table
from yolotop.config.schema import CollectorSettings
from yolotop.model import (
    Deployment,
    EventKind,
    Health,
    HealthState,
    Maintenance,
    Outcome,
    ProbeKind,
    Severity,
)
from yolotop.store.protocol import RequestKind

if TYPE_CHECKING:
    from tests.collect.conftest import Bench

HEALTH, PREDICT = ProbeKind.HEALTH, ProbeKind.PREDICT
CAM = Deployment("cam", "http://h", interval_s=15.0, predict_interval_s=60.0)
DOCK = Deployment("dock", "http://d", interval_s=15.0, predict_interval_s=60.0)


def states(bench: Bench) -> dict[str, HealthState]:
    assert bench.collector is not None
    rounds = bench.collector.rounds
    return {one.name: rounds.state(one.name) for one in rounds.effective()}


def clock_events(bench: Bench) -> list[tuple[Severity, str]]:
    return [
        (event.severity, event.message)
        for event in bench.writer.events
        if event.kind is EventKind.CLOCK
    ]


# --- a clock that is set -------------------------------------------------------------


@pytest.mark.parametrize(("by_s", "way"), [(3_600.0, "forward"), (-3_600.0, "back")])
async def test_an_hour_more_or_less_changes_no_verdict_and_no_slot(
    bench: Bench, by_s: float, way: str
) -> None:
    bench.asker.scripts["dock"] = [Outcome.FAILED]
    await bench.start(CAM, DOCK)
    await bench.clock.advance(300)
    before = states(bench)
    asked = len(bench.asker.times("cam", HEALTH))
    lasted = bench.clock.now() - before["dock"].since
    bench.clock.stepped += by_s
    await bench.clock.advance(300)
    after = states(bench)
    assert clock_events(bench) == [
        (Severity.WARNING, f"the clock was set {way} by 1 h")
    ]
    assert {name: state.health for name, state in after.items()} == {
        "cam": Health.UP,
        "dock": Health.DOWN,
    }
    # It has been down for as long as it has, whatever the time was called.
    now = bench.clock.now()
    assert now - after["dock"].since == pytest.approx(lasted + 300, abs=0.01)
    assert after["dock"].failures > before["dock"].failures
    assert len(bench.asker.times("cam", HEALTH)) - asked in (20, 21)
    assert bench.collector is not None
    assert bench.collector.rounds.overruns == 0
    assert EventKind.RESTARTED not in {event.kind for event in bench.writer.events}


async def test_what_was_in_flight_when_the_clock_was_set_is_asked_anew(
    bench: Bench,
) -> None:
    bench.asker.took_s = 4.0
    await bench.start(CAM)
    await bench.clock.advance(FIRST_ASK_S)
    assert bench.asker.running
    bench.clock.stepped -= 3_600.0
    await bench.clock.advance(12)
    # None of the stored ones is of the hour that was called otherwise.
    assert bench.writer.samples
    assert all(
        one.answer.started_at < bench.clock.now() for one in bench.writer.samples
    )
    assert {one.answer.kind for one in bench.writer.samples} == {HEALTH, PREDICT}


# --- a machine that sleeps -----------------------------------------------------------


async def test_a_night_asleep_is_unknown_and_never_down(bench: Bench) -> None:
    cam = replace(CAM, recheck_s=0.0)
    bench.asker.scripts["cam"] = [Outcome.OK] * 6 + [Outcome.FAILED] * 2
    await bench.start(cam, DOCK)
    while states(bench)["cam"].failures + states(bench)["cam"].predict.failures < 1:
        await bench.clock.advance(1)
    bench.asker.took_s = 60.0
    await bench.clock.advance(15)
    in_flight = len(bench.asker.running)
    assert in_flight
    stored = len(bench.writer.samples)

    bench.clock.slept += 3 * 3_600.0
    bench.asker.took_s = 0.05
    bench.asker.scripts["cam"] = [Outcome.OK]
    await bench.clock.advance(2)

    assert bench.asker.running == []
    assert clock_events(bench) == [
        (
            Severity.WARNING,
            "this machine slept for 3 h; what happened meanwhile is unknown",
        )
    ]
    for state in states(bench).values():
        assert (state.health, state.message) == (
            Health.UNKNOWN,
            "this machine slept for 3 h",
        )
        assert state.failures == 0
        assert state.liveness.recent == state.predict.recent == ()
    assert len(bench.writer.samples) == stored

    await bench.clock.advance(AFTER_SLEEP_S + FIRST_ASK_S)
    assert {state.health for state in states(bench).values()} == {Health.UP}
    assert Health.DOWN.value not in " ".join(bench.writer.said("cam"))
    assert bench.collector is not None
    assert bench.collector.rounds.overruns == 0


async def test_a_timeout_that_ended_in_our_sleep_is_nobodys_failure(
    bench: Bench,
) -> None:
    """The answer wakes first, before any look at the clocks."""
    bench.asker.scripts["cam"] = [Outcome.FAILED]
    bench.asker.took_s = 0.5
    await bench.start(replace(CAM, fail_after=1, predict_interval_s=0.0))
    while not bench.asker.running:
        await bench.clock.advance(0.01)
    bench.clock.slept += 3_600.0
    await bench.clock.advance(AFTER_SLEEP_S)
    assert bench.writer.samples == []
    assert states(bench)["cam"].health is Health.UNKNOWN
    assert len(clock_events(bench)) == 1


async def test_a_collector_that_was_stopped_does_not_blame_its_servers(
    bench: Bench,
) -> None:
    await bench.start(CAM, DOCK)
    await bench.clock.advance(60)
    bench.asker.took_s = 1.0
    while not bench.asker.running:
        await bench.clock.advance(0.1)
    bench.asker.scripts = {"cam": [Outcome.FAILED], "dock": [Outcome.FAILED]}
    stored = len(bench.writer.samples)
    bench.clock.elapsed += 90.0  # as after SIGSTOP and SIGCONT
    await bench.clock.advance(1.5)
    assert len(bench.writer.samples) == stored
    assert "the collector stood still for" in clock_events(bench)[0][1]
    assert {state.health for state in states(bench).values()} == {Health.UNKNOWN}


async def test_a_start_after_a_gap_says_how_long_nobody_measured(
    bench: Bench,
) -> None:
    at = bench.clock.now() - 3 * 3_600.0
    bench.writer.states["cam"] = HealthState(Health.UP, since=at, last_answer_at=at)
    await bench.start(CAM)
    await bench.clock.advance(2)
    assert bench.writer.said()[0].endswith("; nothing was measured for 3 h")


# --- the second look -----------------------------------------------------------------


async def test_a_first_failure_is_looked_at_again_as_a_sample_of_its_own(
    bench: Bench,
) -> None:
    cam = replace(CAM, predict_interval_s=0.0)
    bench.asker.scripts["cam"] = [Outcome.OK, Outcome.OK, Outcome.FAILED, Outcome.OK]
    await bench.start(cam)
    await bench.clock.advance(90)
    outcomes = [one.verdict.outcome for one in bench.writer.of("cam")]
    assert outcomes[:4] == [Outcome.OK, Outcome.OK, Outcome.FAILED, Outcome.OK]
    times = bench.asker.times("cam")
    assert times[3] - times[2] == pytest.approx(2.0 + 0.05, abs=0.01)
    # The grid goes on where it was.
    assert times[4] - times[2] == pytest.approx(15.0, abs=0.1)


async def test_only_the_first_failure_of_a_run_is_looked_at_again(
    bench: Bench,
) -> None:
    cam = replace(CAM, predict_interval_s=0.0)
    bench.asker.scripts["cam"] = [Outcome.OK, Outcome.FAILED]
    await bench.start(cam)
    await bench.clock.advance(150)
    gaps = [later - one for one, later in pairwise(bench.asker.times("cam"))]
    assert sum(gap < 3 for gap in gaps[1:]) == 1


async def test_the_second_look_can_be_switched_off(bench: Bench) -> None:
    cam = replace(CAM, predict_interval_s=0.0, recheck_s=0.0)
    bench.asker.scripts["cam"] = [Outcome.OK, Outcome.FAILED]
    await bench.start(cam)
    await bench.clock.advance(150)
    times = bench.asker.times("cam")
    assert min(later - one for one, later in pairwise(times[1:])) > 14


# --- letting an instance sleep -------------------------------------------------------


async def test_the_default_cadence_lets_an_instance_sleep(bench: Bench) -> None:
    cam = deployment_from_table(
        {"name": "cam", "url": "http://h", "scale_to_zero": True}
    )
    settings = CollectorSettings()
    await bench.start(cam)
    assert bench.collector is not None
    bench.collector.rounds.limit(settings)  # with its jitter
    bench.collector.rounds.follow(cam)
    await bench.clock.advance(3 * 3_600)
    times = bench.asker.times("cam")[4:]
    assert len(times) in range(4, 7)
    gaps = [later - one for one, later in pairwise(times)]
    # Both questions come together: one wake-up an hour, and the rest of it asleep.
    together = [gap for gap in gaps if gap < 60]
    alone = [gap for gap in gaps if gap >= 60]
    assert len(together) in range(len(alone) - 1, len(alone) + 2)
    assert min(alone) > 2 * ASLEEP_AFTER_S
    assert not any("awake" in message for message in bench.writer.said())


async def test_who_is_kept_awake_is_told_once_in_one_line(bench: Bench) -> None:
    busy = [
        replace(CAM, name=f"cam-{n}", scale_to_zero=True, interval_s=30.0)
        for n in range(3)
    ]
    await bench.start(*busy)
    await bench.clock.advance(10)
    for number in (1, 2):
        bench.source.put(*busy, replace(DOCK, interval_s=10.0 + number))
        await bench.clock.advance(5)
    told = [said for said in bench.writer.said() if "awake" in said]
    message = (
        "asked more often than every 20 min, which keeps the instance awake and may "
        "cost money: cam-0, cam-1, cam-2"
    )
    assert told == [message]


# --- planned work --------------------------------------------------------------------


async def test_a_planned_window_begins_and_ends_by_itself(bench: Bench) -> None:
    start = bench.clock.now()
    window = Maintenance(start + 60, 600)
    bench.asker.scripts["cam"] = [Outcome.FAILED]
    await bench.start(replace(CAM, maintenance=(window,)), DOCK)
    await bench.clock.advance(65)
    assert states(bench)["cam"].health is Health.MAINTENANCE
    assert states(bench)["cam"].message.startswith("maintenance until 20")
    asked = len(bench.asker.times("cam"))
    await bench.clock.advance(590)
    assert len(bench.asker.times("cam")) == asked
    assert states(bench)["dock"].health is Health.UP
    bench.asker.scripts["cam"] = [Outcome.OK]
    await bench.clock.advance(15)
    assert states(bench)["cam"].health is Health.UP
    assert "maintenance ended after 10 min" in bench.writer.said("cam")


async def test_maintenance_by_request_survives_a_restart_and_ends(
    bench: Bench,
) -> None:
    await bench.start(CAM)
    await bench.clock.advance(30)
    bench.writer.ask(1, RequestKind.MAINTENANCE, "cam", "15m")
    await bench.clock.advance(2)
    assert bench.writer.results[1] == "maintenance began"
    await bench.stop()
    await bench.start(CAM)
    asked = len(bench.asker.times("cam"))
    await bench.clock.advance(600)
    assert states(bench)["cam"].health is Health.MAINTENANCE
    assert len(bench.asker.times("cam")) == asked
    bench.writer.ask(2, RequestKind.PROBE, "cam")  # by hand it can be asked
    await bench.clock.advance(2)
    assert [one["ok"] for one in json.loads(bench.writer.results[2])] == [True, True]
    assert states(bench)["cam"].health is Health.MAINTENANCE
    await bench.clock.advance(400)
    assert states(bench)["cam"].health is Health.UP


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("soon", "maintenance cannot end at"),
        ("2001-01-01T00:00Z", "must end in the future"),
        ("0s", "must end in the future"),
    ],
)
async def test_maintenance_that_cannot_be_is_refused(
    bench: Bench, body: str, answer: str
) -> None:
    await bench.start(CAM)
    await bench.clock.advance(5)
    bench.writer.ask(1, RequestKind.MAINTENANCE, "cam", body)
    await bench.clock.advance(2)
    assert answer in bench.writer.results[1]
    assert states(bench)["cam"].health is Health.UP


async def test_ending_it_by_hand_but_not_against_the_configuration(
    bench: Bench,
) -> None:
    window = Maintenance(bench.clock.now() - 60, 6_000)
    await bench.start(CAM, replace(DOCK, maintenance=(window,)))
    await bench.clock.advance(5)
    bench.writer.ask(1, RequestKind.MAINTENANCE, "cam", "2h")
    await bench.clock.advance(2)
    bench.writer.ask(2, RequestKind.MAINTENANCE, "cam")
    bench.writer.ask(3, RequestKind.MAINTENANCE, "dock")
    await bench.clock.advance(5)
    assert bench.writer.results[2] == "maintenance ended"
    assert "the configuration plans maintenance" in bench.writer.results[3]
    assert states(bench)["cam"].health is Health.UP
    assert states(bench)["dock"].health is Health.MAINTENANCE
    bench.source.put(CAM, DOCK)
    await bench.clock.advance(6)
    assert states(bench)["dock"].health is Health.UP


# --- limits --------------------------------------------------------------------------


async def test_a_host_that_hangs_delays_no_other_host(bench: Bench) -> None:
    hung = [replace(CAM, name=f"hung-{n}", url="http://slow") for n in range(40)]
    bench.asker.took_s = 9.0
    await bench.start(*hung, per_host=2)
    await bench.clock.advance(240)
    assert bench.asker.most_running == 2
    assert {name for _, name, _, _ in bench.asker.asked} == {d.name for d in hung}
    bench.source.put(*hung, CAM)
    await bench.clock.advance(8)
    assert bench.asker.times("cam")
    assert bench.collector is not None
    assert bench.collector.status().overruns > 0


# --- what is written -----------------------------------------------------------------


async def test_good_answers_do_not_rewrite_the_state_each_time(bench: Bench) -> None:
    await bench.start(replace(CAM, interval_s=1.0))
    await bench.clock.advance(120)
    kept = bench.writer.states["cam"]
    assert states(bench)["cam"].liveness.successes > kept.liveness.successes
    await bench.clock.advance(600)
    newer = bench.writer.states["cam"]
    assert newer.liveness.successes > kept.liveness.successes
    await bench.stop()
    assert bench.collector is not None
    assert bench.writer.states["cam"] == bench.collector.rounds.state("cam")
