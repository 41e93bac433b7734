"""What each real server says when its model, its worker or itself is dead.

The reason for two lights: *health* is 200 with nothing behind it on Triton, TorchServe,
MLServer and Ray, and only a prediction tells.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import httpx
import pytest
from peer_answers import Question
from peer_recipes import case
from peers import Peer, wait_until

from yolotop.probe.frames import synthetic

FRAME = synthetic(3)
LOADS_S = 60
"""A start that must fail, on a cold cache."""

INDEX = Question("/v2/repository/index", {"json": {}})

StartPeer = Callable[..., Peer]

peers = pytest.mark.peers


def refused(peer: Peer) -> bool:
    """Whether nobody listens any more."""
    try:
        peer.healthy(timeout_s=1)
    except httpx.ConnectError:
        return True
    except httpx.TransportError:
        pass
    return False


def predicts(peer: Peer) -> bool:
    """Whether it answers with a prediction within 4 s."""
    try:
        return peer.ask(FRAME, timeout_s=4).status_code == 200
    except httpx.TransportError:
        return False


# --- the whole server ----------------------------------------------------------------


@pytest.mark.parametrize("name", [case("fastapi"), case("mosec")])
def test_a_stopped_server_is_refused(start_peer: StartPeer, name: str) -> None:
    peer = start_peer(name)
    assert predicts(peer)
    peer.stop()
    assert peer.pids() == []
    assert refused(peer)


@pytest.mark.parametrize("name", [case("fastapi"), case("triton"), case("kserve")])
def test_a_frozen_server_is_silent(start_peer: StartPeer, name: str) -> None:
    """The system accepts for it; nobody answers."""
    peer = start_peer(name)
    peer.freeze()
    with pytest.raises(httpx.ReadTimeout):
        peer.healthy(timeout_s=1)
    peer.thaw()
    wait_until(lambda: predicts(peer), within_s=10)


FAILS_TO_LOAD = [
    ("fastapi", "load", True),
    ("azureml", "load", True),
    ("kserve", "ready", True),
    # A supervisor that looks at the exit code takes these for done.
    ("mosec", "load", False),
    ("mlserver", "load", False),
]


@pytest.mark.parametrize(
    ("name", "fault", "tells"), [case(*row) for row in FAILS_TO_LOAD]
)
def test_it_ends_when_its_model_does_not_load(
    start_peer: StartPeer, name: str, fault: str, *, tells: bool
) -> None:
    peer = start_peer(name, fault=fault, wait=False)
    wait_until(peer.ended, within_s=LOADS_S, about=peer.log)
    assert bool(peer.process.returncode) is tells
    assert refused(peer)
    reason = "NoModelReady" if fault == "ready" else "the weights are gone"
    assert reason in peer.log(400)


@pytest.mark.parametrize("name", [case("mosec"), case("mlflow")])
def test_it_ends_with_its_worker(start_peer: StartPeer, name: str) -> None:
    peer = start_peer(name)
    peer.kill_worker()
    wait_until(lambda: refused(peer), within_s=10)
    wait_until(peer.ended, within_s=10)


# --- Triton --------------------------------------------------------------------------


@peers
def test_triton_is_ready_with_its_stub_dead(start_peer: StartPeer) -> None:
    peer = start_peer("triton")
    peer.kill_worker()
    answer = peer.ask(FRAME)
    assert answer.status_code == 500
    assert "Stub process 'shapes_0_0' is not healthy" in answer.text
    for path in ("live", "ready"):
        assert peer.get(f"/v2/health/{path}").status_code == 200
    assert peer.get("/v2/models/shapes/ready").status_code == 200
    # The others go on; this one does not come back by itself.
    assert peer.ask(FRAME, "end to end").status_code == 200
    assert peer.ask(FRAME).status_code == 500


@peers
def test_triton_is_ready_without_the_model(start_peer: StartPeer) -> None:
    peer = start_peer("triton")
    assert peer.kill_model().status_code == 200
    answer = peer.ask(FRAME)
    assert (answer.status_code, "unknown model" in answer.text) == (404, True)
    assert peer.get("/v2/models/shapes/ready").status_code == 400
    # It is 400 while the stub is being ended, about 1.5 s.
    wait_until(lambda: peer.healthy().status_code == 200, within_s=10)
    assert peer.ask(FRAME).status_code == 404


@peers
def test_triton_is_not_ready_for_another_model(start_peer: StartPeer) -> None:
    peer = start_peer("triton", fault="neighbour", wait=False)
    wait_until(lambda: not refused(peer) and predicts(peer), within_s=60)
    assert peer.get("/v2/health/live").status_code == 200
    assert peer.get("/v2/health/ready").status_code == 400
    assert peer.get("/v2/models/shapes/ready").status_code == 200
    index = peer.say(INDEX).json()
    broken = next(entry for entry in index if entry["name"] == "broken")
    assert broken["state"] == "UNAVAILABLE"
    assert "the weights are gone" in broken["reason"]


# --- MLServer, TorchServe, Ray, Azure ML ---------------------------------------------


@peers
def test_mlserver_is_ready_without_the_model(start_peer: StartPeer) -> None:
    peer = start_peer("mlserver")
    assert peer.kill_model().status_code == 200
    answer = peer.ask(FRAME)
    assert (answer.status_code, answer.json()) == (
        404,
        {"error": "Model shapes not found"},
    )
    assert peer.healthy().status_code == 200
    assert peer.get("/v2/models/shapes/ready").status_code == 404
    assert peer.say(INDEX).json()[0]["state"] == "UNAVAILABLE"


@peers
def test_torchserve_is_healthy_without_a_worker(start_peer: StartPeer) -> None:
    peer = start_peer("torchserve")
    assert peer.kill_model().status_code == 200
    answer = peer.ask(FRAME)
    assert answer.status_code == 503
    assert answer.json()["type"] == "ServiceUnavailableException"
    assert peer.healthy().json() == {"status": "Healthy"}
    wait_until(lambda: not peer.workers(), within_s=10)


@peers
def test_torchserve_holds_requests_while_a_worker_comes_back(
    start_peer: StartPeer,
) -> None:
    peer = start_peer("torchserve")
    (dead,) = peer.kill_worker()
    assert peer.healthy().json() == {"status": "Healthy"}
    answer = peer.ask(FRAME, timeout_s=30)
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() > 0.5
    assert peer.workers() != [dead]


@peers
def test_ray_is_healthy_while_its_replica_is_dead(start_peer: StartPeer) -> None:
    peer = start_peer("ray")
    (dead,) = peer.kill_worker()
    assert peer.workers() == []
    assert peer.healthy().text == "success"
    assert peer.workers() == []
    wait_until(lambda: predicts(peer), within_s=40)
    assert peer.workers() != [dead]


@peers
def test_azureml_replaces_its_worker(start_peer: StartPeer) -> None:
    peer = start_peer("azureml")
    (dead,) = peer.kill_worker()
    wait_until(lambda: predicts(peer), within_s=20)
    assert peer.workers() != [dead]


# --- BentoML -------------------------------------------------------------------------


@peers
def test_bentoml_is_silent_while_a_worker_comes_back(start_peer: StartPeer) -> None:
    peer = start_peer("bentoml")
    (dead,) = peer.kill_worker()
    # The parent keeps the socket: connected, and no answer.
    with pytest.raises(httpx.ReadTimeout):
        peer.healthy(timeout_s=0.5)
    wait_until(lambda: predicts(peer), within_s=40)
    assert peer.workers() != [dead]


@peers
def test_bentoml_is_silent_when_its_model_does_not_load(start_peer: StartPeer) -> None:
    peer = start_peer("bentoml", fault="load", wait=False)
    wait_until(
        lambda: "the weights are gone" in peer.log(400),
        within_s=LOADS_S,
        about=peer.log,
    )
    for path in ("/livez", "/readyz", "/schema.json"):
        with pytest.raises(httpx.ReadTimeout):
            peer.get(path, timeout_s=1)
    assert not peer.ended()


# --- LitServe ------------------------------------------------------------------------


@peers
def test_litserve_ends_with_an_idle_worker(start_peer: StartPeer) -> None:
    peer = start_peer("litserve")
    peer.kill_worker()
    wait_until(lambda: listens_nowhere(peer), within_s=10, about=peer.log)
    assert refused(peer)


def listens_nowhere(peer: Peer) -> bool:
    """Without asking: a request would be one in flight."""
    return not peer.listens_at()


@peers
def test_litserve_becomes_silent_with_a_busy_worker(start_peer: StartPeer) -> None:
    """A request in flight keeps the port open for ever, and nobody answers on it."""
    peer = start_peer("litserve")
    workers = peer.workers()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    ended: list[object] = []

    def ask() -> None:
        try:
            ended.append(peer.ask(FRAME, timeout_s=12))
        except httpx.TransportError as error:
            ended.append(type(error))

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: peer.connections() > 0, within_s=5)
    peer.kill_worker()

    def silent() -> bool:
        try:
            peer.healthy(timeout_s=1)
        except httpx.ReadTimeout:
            return True
        return False

    wait_until(silent, within_s=10)
    asking.join()
    assert ended == [httpx.ReadTimeout]
    assert not refused(peer)


@peers
def test_litserve_leaves_an_orphan_on_the_port(start_peer: StartPeer) -> None:
    """SIGTERM to the process that was started ends only that one."""
    peer = start_peer("litserve")
    peer.terminate()
    wait_until(peer.ended, within_s=10)
    assert peer.pids()
    assert not refused(peer)
    assert peer.get("/info").status_code == 200
