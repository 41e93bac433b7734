"""Requests that faces leave: each carried out, each answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from yolotop.model import Deployment, Health, Outcome, ProbeKind
from yolotop.store.protocol import RequestKind

if TYPE_CHECKING:
    from tests.collect.conftest import Bench

CAM = Deployment("cam", "http://h", interval_s=600.0, predict_interval_s=600.0)
ROW_KEYS = {
    "name",
    "kind",
    "ok",
    "verdict",
    "severity",
    "message",
    "http_status",
    "latency_ms",
    "phases",
    "server",
    "detections",
    "error",
}


async def test_probe_now_asks_both_questions_and_answers_when_judged(
    bench: Bench,
) -> None:
    await bench.start(CAM)
    await bench.clock.advance(5)
    asked = len(bench.asker.asked)
    bench.asker.took_s = 2.0
    bench.writer.ask(7, RequestKind.PROBE, "cam")
    await bench.clock.advance(3)
    assert 7 not in bench.writer.results  # one after the other, two seconds each
    await bench.clock.advance(3)
    rows = json.loads(bench.writer.results[7])
    assert {row["kind"] for row in rows} == {"health", "predict"}
    assert all(row.keys() == ROW_KEYS and row["ok"] for row in rows)
    assert len(bench.asker.asked) == asked + 2
    assert len(bench.writer.of("cam")) == asked + 2


async def test_probe_now_waits_for_an_answer_given_after_it_was_asked(
    bench: Bench,
) -> None:
    bench.asker.took_s = 20.0
    bench.asker.scripts["cam"] = [Outcome.FAILED, Outcome.OK]
    await bench.start(CAM)
    await bench.clock.advance(4)  # a first probe is in flight, and will fail
    bench.writer.ask(1, RequestKind.PROBE, "cam")
    await bench.clock.advance(120)
    assert all(row["ok"] for row in json.loads(bench.writer.results[1]))


async def test_a_paused_deployment_can_be_probed_by_hand(bench: Bench) -> None:
    await bench.start(CAM)
    await bench.clock.advance(5)
    bench.writer.ask(1, RequestKind.PAUSE, "cam")
    await bench.clock.advance(2)
    assert bench.writer.results[1] == "paused"
    assert bench.writer.states["cam"].health is Health.PAUSED
    await bench.clock.advance(3)
    assert bench.writer.registered[0].paused
    before = len(bench.writer.samples)
    bench.writer.ask(2, RequestKind.PROBE, "cam")
    await bench.clock.advance(2_000)
    assert len(json.loads(bench.writer.results[2])) == 2
    assert len(bench.writer.samples) == before + 2
    assert bench.writer.states["cam"].health is Health.PAUSED


async def test_resumed_it_begins_anew_and_is_asked_quickly(bench: Bench) -> None:
    await bench.start(CAM)
    await bench.clock.advance(5)
    bench.writer.ask(1, RequestKind.PAUSE, "cam")
    await bench.clock.advance(60)
    bench.writer.ask(2, RequestKind.RESUME, "cam")
    await bench.clock.advance(5)
    assert bench.writer.results[2] == "resumed"
    assert bench.writer.states["cam"].health is Health.UP
    assert not bench.writer.registered[0].paused
    assert bench.writer.said("cam")[-2].startswith("resumed after ")


async def test_a_trial_is_answered_and_leaves_no_trace(bench: Bench) -> None:
    await bench.start(CAM)
    await bench.clock.advance(5)
    table = {"name": "new", "url": "http://new:8000"}
    bench.writer.ask(3, RequestKind.TRIAL, body=json.dumps(table))
    await bench.clock.advance(5)
    rows = json.loads(bench.writer.results[3])
    assert [row["kind"] for row in rows] == ["health", "predict"]
    assert {row["name"] for row in rows} == {"new"}
    assert bench.writer.of("new") == []


async def test_what_a_server_is_can_be_asked(bench: Bench) -> None:
    await bench.start(CAM)
    table = {"name": "?", "url": "http://new:8000"}
    bench.writer.ask(3, RequestKind.RECOGNISE, body=json.dumps(table))
    table["url"] = "http://nobody:8000"
    bench.writer.ask(4, RequestKind.RECOGNISE, body=json.dumps(table))
    bench.writer.ask(5, RequestKind.RECOGNISE, body='{"name": "x", "url": "ftp://h"}')
    await bench.clock.advance(5)
    found = json.loads(bench.writer.results[3])
    assert (found["dialect"], found["settings"]) == ("triton", {"model": "m"})
    assert found["why"] == ["GET /v2 says triton"]
    assert bench.writer.results[4] == "connection refused"
    assert "url" in bench.writer.results[5]
    assert bench.asker.recognised == ["http://new:8000", "http://nobody:8000"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("not json", "a trial needs a deployment table as a JSON object"),
        ("[1]", "a trial needs a deployment table as a JSON object"),
        ('{"name": "x", "url": "ftp://h"}', "url"),
        ('{"name": "x", "url": "http://h", "intervall": "5s"}', "interval"),
    ],
)
async def test_a_trial_that_cannot_be_run_says_why(
    bench: Bench, body: str, said: str
) -> None:
    await bench.start(CAM)
    bench.writer.ask(4, RequestKind.TRIAL, body=body)
    await bench.clock.advance(2)
    assert said in bench.writer.results[4]
    assert not any(name == "x" for _, name, _, _ in bench.asker.asked)


@pytest.mark.parametrize(
    "kind", [RequestKind.PROBE, RequestKind.PAUSE, RequestKind.RESUME]
)
async def test_an_unknown_name_is_said_so(bench: Bench, kind: RequestKind) -> None:
    await bench.start(CAM)
    bench.writer.ask(5, kind, "nobody")
    bench.writer.ask(6, kind, None)
    await bench.clock.advance(2)
    assert bench.writer.results[5].startswith("no deployment is called nobody")
    assert "must name a deployment" in bench.writer.results[6]


async def test_a_deployment_removed_meanwhile_answers_its_request(
    bench: Bench,
) -> None:
    bench.asker.took_s = 30.0
    await bench.start(CAM)
    await bench.clock.advance(4)
    bench.writer.ask(8, RequestKind.PROBE, "cam")
    await bench.clock.advance(2)
    bench.source.put()
    await bench.clock.advance(3)
    assert "was removed" in bench.writer.results[8]
    assert bench.asker.running == []


async def test_stop_stops_and_answers_what_is_open(bench: Bench) -> None:
    bench.asker.took_s = 1_000.0
    await bench.start(CAM)
    await bench.clock.advance(4)
    bench.writer.ask(1, RequestKind.PROBE, "cam")
    await bench.clock.advance(1)
    bench.writer.ask(2, RequestKind.STOP)
    await bench.clock.advance(2)
    assert bench.running is not None
    assert bench.running.done()
    assert bench.writer.results[2] == "stopping"
    assert "stopp" in bench.writer.results[1]
    assert bench.writer.beats[-1].stopped_at is not None
    assert bench.asker.times("cam", ProbeKind.PREDICT)
