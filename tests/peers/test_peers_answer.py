"""Each real server comes up, stays on loopback and sees what the model sees.

Raw requests, nothing of yolotop's dialects: this is the ground they are tested on.
"""

from __future__ import annotations

import re

import pytest
from peer_answers import Found, differences, expected
from peer_recipes import case
from peers import Peer, wait_until

from yolotop.probe.frames import synthetic

LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
SEEDS = (3, 4, 5)


def test_it_sees_what_the_model_sees(peer: Peer) -> None:
    for way in peer.recipe.ways:
        for seed in SEEDS:
            frame = synthetic(seed)
            told = differences(peer.sees(frame, way), expected(frame))
            assert told == [], (way, seed)


def test_it_listens_on_loopback_only(peer: Peer) -> None:
    assert peer.listens_at() <= LOOPBACK
    # Those in a namespace of their own listen in there, and the relay for them here.
    assert peer.listens_at(), "nothing was found to listen"


def test_its_health_is_200(peer: Peer) -> None:
    assert peer.healthy().status_code == 200


METRICS = [
    ("triton", "nv_inference_request_success"),
    ("kserve", "request_predict_seconds_count"),
    ("bentoml", "bentoml_service_request_total"),
    ("mosec", "mosec_service_throughput_total"),
    ("mlserver", "model_infer_request_success_total"),
    ("torchserve", "ts_inference_requests_total"),
    ("ray", "ray_serve_num_http_requests_total"),
]


@pytest.mark.parametrize(
    ("peer", "counter"), [case(*row) for row in METRICS], indirect=["peer"]
)
def test_its_metrics_count_what_was_asked(peer: Peer, counter: str) -> None:
    """In Prometheus' text; Ray tells some seconds late."""
    assert peer.ask(synthetic(1)).status_code == 200
    line = re.compile(rf"^{counter}(\{{.*\}})? [1-9]", re.MULTILINE)
    wait_until(lambda: line.search(peer.metrics()), within_s=20, about=peer.metrics)


def test_differences_are_seen() -> None:
    """The comparison itself can fail."""
    frame = synthetic(SEEDS[0])
    want = expected(frame)
    assert len(want) >= 3
    assert differences(want, want) == []
    first, *rest = want
    assert differences(rest, want) == [f"missed: {first}"]
    assert differences([*want, first], want) == [f"extra: {first}"]
    x1, y1, x2, y2 = first.box
    aside = Found(first.label, first.confidence, (x1 + (x2 - x1) / 4, y1, x2, y2))
    surer = Found(first.label, first.confidence - 0.03, first.box)
    for wrong in (aside, surer):
        assert differences([wrong, *rest], want) == [f"moved: {wrong} for {first}"]
    assert differences(want, expected(synthetic(SEEDS[1])))
