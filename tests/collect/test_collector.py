"""The collector in made-up time: what is asked when, judged how and written where."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from yolotop.collect.conditions import PAUSED_BY_FILE, PAUSED_BY_HAND
from yolotop.collect.schedule import FIRST_ASK_S
from yolotop.errors import StoreError
from yolotop.model import (
    Deployment,
    ErrorKind,
    EventKind,
    Health,
    HealthState,
    Outcome,
    ProbeKind,
    Severity,
)

if TYPE_CHECKING:
    from tests.collect.conftest import Bench

HEALTH, PREDICT = ProbeKind.HEALTH, ProbeKind.PREDICT
CAM = Deployment("cam", "http://h", interval_s=15.0, predict_interval_s=60.0)
DOCK = Deployment("dock", "http://d", interval_s=15.0, predict_interval_s=60.0)
DISK_FULL = StoreError("the disk is full", hint="Free some space")


def stored(bench: Bench, name: str = "cam") -> Health:
    return bench.writer.states[name].health


async def test_a_minute_of_two_deployments(bench: Bench) -> None:
    await bench.start(CAM, DOCK)
    await bench.clock.advance(3.2)
    assert {(name, kind) for _, name, kind, _ in bench.asker.asked} == {
        (name, kind) for name in ("cam", "dock") for kind in ProbeKind
    }
    await bench.clock.advance(600)
    assert len(bench.asker.times("cam", HEALTH)) in (40, 41)
    assert len(bench.asker.times("cam", PREDICT)) in (10, 11)
    assert not bench.asker.overlapped
    await bench.stop()
    assert len(bench.writer.samples) == len(bench.asker.asked)
    assert stored(bench) is Health.UP
    assert bench.writer.said() == [
        bench.writer.said()[0],
        "collector stopped",
    ]
    assert bench.writer.said()[0].startswith("collector started (process ")
    assert bench.writer.said("cam") == ["up"]


async def test_synthetic_images_take_turns(bench: Bench) -> None:
    await bench.start(CAM)
    await bench.clock.advance(60 * 20)
    seeds = [seed for _, _, kind, seed in bench.asker.asked if kind is PREDICT]
    assert seeds[:9] == [0, 1, 2, 3, 4, 5, 6, 7, 0]


async def test_an_outage_is_seen_told_and_over(bench: Bench) -> None:
    bench.asker.scripts["cam"] = [Outcome.OK] * 4 + [Outcome.FAILED] * 40
    await bench.start(CAM)
    await bench.clock.advance(240)
    assert stored(bench) is Health.DOWN
    bench.asker.scripts["cam"] = [Outcome.OK]
    await bench.clock.advance(180)
    assert stored(bench) is Health.UP
    said = bench.writer.said("cam")
    assert said[-2:] == [
        "down after 3 failures: connection refused",
        said[-1],
    ]
    assert said[-1].startswith("up again after ")


async def test_states_survive_a_restart(bench: Bench) -> None:
    bench.asker.scripts["cam"] = [Outcome.FAILED]
    await bench.start(CAM)
    await bench.clock.advance(120)
    await bench.stop()
    before = bench.writer.states["cam"]
    assert before.health is Health.DOWN
    await bench.start(CAM)
    await bench.clock.advance(120)
    after = bench.writer.states["cam"]
    assert (after.health, after.since) == (Health.DOWN, before.since)
    assert after.failures > before.failures
    assert len(bench.writer.said("cam")) == len(set(bench.writer.said("cam")))


async def test_starting_up_is_asked_again_at_once_as_the_server_wishes(
    bench: Bench,
) -> None:
    sleepy = Deployment(
        "cam",
        "http://h",
        interval_s=1_800.0,
        predict_interval_s=1_800.0,
        scale_to_zero=True,
    )
    bench.asker.scripts["cam"] = [Outcome.COLD] * 4 + [Outcome.OK]
    bench.asker.retry_after_s = 4.0
    await bench.start(sleepy)
    await bench.clock.advance(30)
    times = bench.asker.times("cam")
    outcomes = [one.verdict.outcome for one in bench.writer.of("cam")]
    assert outcomes.count(Outcome.COLD) == 4
    assert outcomes[-1] is Outcome.OK
    assert stored(bench) is Health.UP
    assert times[-1] - times[0] < 15
    for kind in ProbeKind:
        gaps = bench.asker.times("cam", kind)
        assert gaps[1] - gaps[0] == pytest.approx(4.05, abs=0.11)
    await bench.clock.advance(300)
    assert bench.asker.times("cam") == times  # then it may sleep again


async def test_a_wish_for_no_delay_is_not_granted(bench: Bench) -> None:
    sleepy = Deployment(
        "cam", "http://h", predict_interval_s=0.0, scale_to_zero=True, interval_s=600.0
    )
    bench.asker.scripts["cam"] = [Outcome.COLD]
    bench.asker.retry_after_s = 0.0
    await bench.start(sleepy)
    await bench.clock.advance(FIRST_ASK_S + 10)
    assert 5 <= len(bench.asker.times("cam")) <= 13


async def test_a_store_that_refuses_for_a_while_changes_no_verdict(
    bench: Bench,
) -> None:
    await bench.start(CAM, DOCK)
    await bench.clock.advance(30)
    bench.writer.refusal = DISK_FULL
    await bench.clock.advance(120)
    asked_meanwhile = len(bench.asker.asked)
    assert bench.collector is not None
    assert "the disk is full" in bench.collector.status().note
    assert len(bench.writer.samples) < asked_meanwhile
    bench.writer.refusal = None
    await bench.clock.advance(30)
    await bench.stop()
    assert len(bench.writer.samples) == len(bench.asker.asked)
    assert all(one.verdict.ok for one in bench.writer.samples)
    assert stored(bench) is Health.UP
    assert bench.writer.beats[-1].note == ""
    told = [e for e in bench.writer.events if e.kind is EventKind.STORE]
    assert len(told) == 2
    assert told[-1].message.endswith("nothing lost")


async def test_a_hanging_deployment_delays_only_itself(bench: Bench) -> None:
    fast = [
        Deployment(f"cam-{n}", "http://h", interval_s=10.0, predict_interval_s=0.0)
        for n in range(20)
    ]
    bench.asker.took_s = 25.0
    await bench.start(*fast)
    await bench.clock.advance(300)
    assert bench.asker.most_running == 20
    assert not bench.asker.overlapped
    for deployment in fast:
        assert len(bench.asker.times(deployment.name)) in (11, 12, 13)
    assert bench.collector is not None
    assert bench.collector.status().overruns > 20 * 10
    told = [e for e in bench.writer.events if e.kind is EventKind.OVERRUN]
    assert len(told) == 20  # once each, not once a slot


async def test_the_limit_on_probes_in_flight_holds(bench: Bench) -> None:
    many = [Deployment(f"cam-{n}", "http://h") for n in range(30)]
    bench.asker.took_s = 5.0
    await bench.start(*many, most_in_flight=4)
    await bench.clock.advance(120)
    assert bench.asker.most_running == 4
    assert {name for _, name, _, _ in bench.asker.asked} == {d.name for d in many}


async def test_stopping_forgets_what_is_in_flight(bench: Bench) -> None:
    bench.asker.took_s = 1_000.0
    await bench.start(CAM)
    await bench.clock.advance(5)
    assert bench.asker.running == ["cam"]
    await bench.stop()
    assert bench.asker.running == []
    assert bench.writer.samples == []
    assert bench.writer.beats[-1].stopped_at is not None


async def test_a_prober_that_crashes_is_an_internal_failure(bench: Bench) -> None:
    bench.asker.crash = RuntimeError("api_key=hunter2hunter2 exploded")
    await bench.start(CAM)
    await bench.clock.advance(120)
    one = bench.writer.samples[0]
    assert one.verdict.error is not None
    assert one.verdict.error.kind is ErrorKind.INTERNAL
    assert "hunter2" not in one.verdict.message
    assert stored(bench) is Health.DOWN


async def test_the_sign_of_life_comes_at_least_every_two_seconds(
    bench: Bench,
) -> None:
    await bench.start(CAM)
    await bench.clock.advance(60)
    beats = [beat.beat_at for beat in bench.writer.beats]
    assert max(b - a for a, b in pairwise(beats)) <= 2.0
    assert bench.writer.sweeps


async def test_it_stops_with_its_owner(bench: Bench) -> None:
    await bench.start(CAM)
    await bench.clock.advance(10)
    bench.owner_alive = False
    await bench.clock.advance(5)
    assert bench.running is not None
    assert bench.running.done()
    assert bench.writer.said()[-2:] == [
        "the process that started this one is gone",
        "collector stopped",
    ]


# --- pause ---------------------------------------------------------------------------


async def test_paused_by_hand_stays_paused_over_a_restart(bench: Bench) -> None:
    await bench.start(CAM)
    await bench.clock.advance(30)
    assert bench.collector is not None
    bench.collector.rounds.pause("cam")
    await bench.clock.advance(5)
    asked = len(bench.asker.asked)
    await bench.stop()
    assert stored(bench) is Health.PAUSED
    assert bench.writer.states["cam"].message == PAUSED_BY_HAND
    await bench.start(CAM)
    await bench.clock.advance(300)
    assert len(bench.asker.asked) == asked
    assert [d.paused for d in bench.writer.registered] == [True]


async def test_paused_in_the_file_ends_with_the_file(bench: Bench) -> None:
    await bench.start(Deployment("cam", "http://h", paused=True))
    await bench.clock.advance(60)
    assert bench.asker.asked == []
    assert bench.writer.states["cam"].message == PAUSED_BY_FILE
    await bench.stop()
    await bench.start(CAM)
    await bench.clock.advance(10)
    assert stored(bench) is Health.UP


# --- the config file -----------------------------------------------------------------


async def test_an_edit_adds_removes_and_changes(bench: Bench) -> None:
    await bench.start(CAM, DOCK)
    await bench.clock.advance(30)
    moved = Deployment("dock", "http://elsewhere", interval_s=5.0)
    gate = Deployment("gate", "http://g")
    bench.source.put(gate, moved)
    await bench.clock.advance(5)
    assert [d.name for d in bench.writer.registered] == ["gate", "dock"]
    assert bench.writer.said("cam")[-1] == "removed; its history stays"
    assert "changed: url, interval" in bench.writer.said("dock")
    assert "added" in bench.writer.said("gate")
    asked = len(bench.asker.times("cam"))
    await bench.clock.advance(60)
    assert len(bench.asker.times("cam")) == asked
    assert len(bench.asker.times("dock", HEALTH)) >= 14
    assert stored(bench, "gate") is Health.UP


async def test_what_was_learnt_of_another_url_is_forgotten(bench: Bench) -> None:
    bench.asker.scripts["cam"] = [Outcome.FAILED]
    await bench.start(CAM)
    await bench.clock.advance(120)
    assert bench.collector is not None
    assert bench.collector.rounds.state("cam").health is Health.DOWN
    bench.asker.scripts["cam"] = [Outcome.OK]
    bench.source.put(Deployment("cam", "http://elsewhere"))
    await bench.clock.advance(5)
    assert bench.collector.rounds.state("cam").health is Health.UP


async def test_a_broken_edit_keeps_the_last_good_one(bench: Bench) -> None:
    await bench.start(CAM)
    await bench.clock.advance(10)
    bench.source.broken = "yolotop.toml: line 3: url is missing"
    bench.source.dirty = True
    await bench.clock.advance(60)
    assert len(bench.asker.times("cam", HEALTH)) >= 4
    note = bench.writer.beats[-1].note
    assert "line 3: url is missing" in note
    told = [e for e in bench.writer.events if e.kind is EventKind.CONFIG]
    assert [e.severity for e in told] == [Severity.ERROR]
    bench.source.broken = ""
    bench.source.put(CAM, DOCK)
    await bench.clock.advance(5)
    assert bench.writer.beats[-1].note == ""
    assert bench.asker.times("dock")


async def test_sighup_reads_the_file_even_unchanged(bench: Bench) -> None:
    await bench.start(CAM)
    await bench.clock.advance(10)
    assert bench.collector is not None
    bench.collector.reload()
    await bench.clock.advance(1)
    assert "configuration read again; nothing changed" in bench.writer.said()


async def test_an_old_state_of_a_deployment_that_left_is_not_asked(
    bench: Bench,
) -> None:
    bench.writer.states["gone"] = HealthState(health=Health.DOWN, since=1.0)
    await bench.start(CAM)
    await bench.clock.advance(30)
    assert bench.asker.times("gone") == []
