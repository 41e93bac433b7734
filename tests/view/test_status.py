"""The JSON others build on: exact keys, nulls where nothing was measured."""

from __future__ import annotations

import json

from yolotop.model import (
    Answer,
    Detection,
    ErrorKind,
    Health,
    Outcome,
    Phases,
    Prediction,
    ProbeError,
    ProbeKind,
    Sample,
    ServerTimes,
    Severity,
    Timing,
    Traffic,
    Verdict,
)
from yolotop.store.protocol import LogLine
from yolotop.view.snapshot import Card, Figures, Range, Snapshot
from yolotop.view.status import log_json, sample_json, status_json

AT = 1_700_000_000.5


def test_status_has_exactly_the_promised_keys() -> None:
    figures = Figures(
        requests=3, failed=1, error_rate=1 / 3, p50_ms=10.00049, p95_ms=20.0, samples=2
    )
    card = Card(
        name="dock",
        url="http://user:hunter2@dock.test/predict?api_key=abcdef",
        dialect="ultralytics",
        health=Health.DEGRADED,
        since_at=AT,
        region="berlin",
        figures=figures,
        last_at=AT,
        message="slow",
        slo_left=0.25,
        until_at=AT + 60,
    )
    snapshot = Snapshot(at=AT, range=Range.H6, totals=figures, active=1, cards=(card,))
    told = json.loads(json.dumps(status_json(snapshot)))
    url = told["deployments"][0].pop("url")
    assert told == {
        "range": "6h",
        "generated_at": "2023-11-14T22:13:20.500Z",
        "totals": {
            "requests": 3,
            "active": 1,
            "deployments": 1,
            "error_rate": 0.333333,
            "p50_ms": 10.0,
            "p95_ms": 20.0,
            "p99_ms": None,
            "samples": 2,
        },
        "deployments": [
            {
                "name": "dock",
                "state": "degraded",
                "region": "berlin",
                "group": None,
                "requests": 3,
                "error_rate": 0.333333,
                "p50_ms": 10.0,
                "p95_ms": 20.0,
                "p99_ms": None,
                "last_probe_at": "2023-11-14T22:13:20.500Z",
                "message": "slow",
                "slo_left": 0.25,
                "until": "2023-11-14T22:14:20.500Z",
                "traffic": None,
                "counted_by": None,
            }
        ],
    }
    assert "dock.test/predict" in url
    assert "hunter2" not in url
    assert "abcdef" not in url


def counted(at: float) -> Card:
    """A card with a minute of real traffic that ended at an instant."""
    traffic = Traffic(
        "dock",
        "BentoML metrics",
        at - 60,
        60.0,
        90.0,
        9.0,
        Timing(1_800.0, 90),
        Timing(45.0, 90),
        buckets=((10.0, 0.0), (20.0, 80.0), (50.0, 10.0)),
        waiting=2,
        cpu=0.25,
    )
    return Card("dock", "http://dock", "bentoml", Health.UP, AT, traffic=traffic)


def test_real_traffic_has_exactly_the_promised_keys() -> None:
    snapshot = Snapshot(at=AT, cards=(counted(AT - 20),))
    assert json.loads(json.dumps(status_json(snapshot)))["deployments"][0][
        "traffic"
    ] == {
        "source": "BentoML metrics",
        "at": "2023-11-14T22:13:00.500Z",
        "span_s": 60.0,
        "requests": 90.0,
        "requests_per_s": 1.5,
        "error_rate": 0.1,
        "mean_ms": 20.0,
        "p95_ms": 36.5,
        "p95_kind": "buckets",
        "queue": 2,
        "queue_ms": 0.5,
        "cpu": 0.25,
        "memory": None,
        "instances": None,
    }


def test_old_traffic_is_not_told() -> None:
    snapshot = Snapshot(at=AT, cards=(counted(AT - 601),))
    assert status_json(snapshot)["deployments"][0]["traffic"] is None


def test_an_empty_fleet_is_told_without_invented_figures() -> None:
    told = status_json(Snapshot(at=AT))
    assert told["deployments"] == []
    assert told["totals"]["error_rate"] is None
    assert told["totals"]["requests"] == 0


def test_a_log_line_has_exactly_the_promised_keys() -> None:
    line = LogLine(
        seq=9,
        at=AT,
        severity=Severity.WARNING,
        deployment=None,
        message="config reloaded",
    )
    assert log_json(line) == {
        "at": "2023-11-14T22:13:20.500Z",
        "severity": "WARNING",
        "deployment": None,
        "message": "config reloaded",
        "http_status": None,
        "latency_ms": None,
    }


def test_a_right_answer_as_check_prints_it() -> None:
    sample = Sample(
        Answer(
            deployment="dock",
            kind=ProbeKind.PREDICT,
            started_at=AT,
            latency_ms=142.12345,
            phases=Phases(dns=0.1, connect=1.0, send=0.25, wait=140.0, receive=0.7),
            http_status=200,
            prediction=Prediction(
                detections=(Detection("circle"), Detection("square")),
                server=ServerTimes(inference=120.0004),
            ),
        ),
        Verdict(Outcome.SLOW, Severity.WARNING, "2 detections, slow"),
    )
    assert json.loads(json.dumps(sample_json(sample))) == {
        "name": "dock",
        "kind": "predict",
        "ok": True,
        "verdict": "slow",
        "severity": "WARNING",
        "message": "2 detections, slow",
        "http_status": 200,
        "latency_ms": 142.123,
        "phases": {
            "dns": 0.1,
            "connect": 1.0,
            "tls": None,
            "send": 0.25,
            "wait": 140.0,
            "receive": 0.7,
        },
        "server": {"preprocess": None, "inference": 120.0, "postprocess": None},
        "detections": 2,
        "error": None,
        "reception": "ok",
    }


def test_a_refused_connection_as_check_prints_it() -> None:
    error = ProbeError(ErrorKind.CONNECT, "connection refused by 127.0.0.1:9")
    answer = Answer(
        deployment="gate", kind=ProbeKind.HEALTH, started_at=AT, error=error
    )
    told = sample_json(
        Sample(answer, Verdict(Outcome.FAILED, Severity.ERROR, error.message, error))
    )
    assert told["ok"] is False
    assert told["verdict"] == "failed"
    assert told["http_status"] is None
    assert told["latency_ms"] is None
    assert told["server"] is None
    assert told["detections"] is None
    assert set(told["phases"].values()) == {None}
    assert told["error"] == {
        "kind": "connect",
        "message": "connection refused by 127.0.0.1:9",
    }
