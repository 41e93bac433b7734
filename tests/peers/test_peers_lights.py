"""The two lights in front of real servers that are maimed, locked, busy or fed garbage.

*Ready* is the cheap question, *predict* the one with an image. On half of the servers
the first stays well while the second is dead; no test here would need two lights if
that were not so. What the servers say, byte by byte, is in ``test_peers_die.py``.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable

import httpx
import pytest
from peer_monitor import Lights, looked_at, monitor, received
from peer_recipes import case
from peers import KEY, Peer, wait_until

from yolotop.model import Health, ProbeKind

StartPeer = Callable[..., Peer]

peers = pytest.mark.peers

DEAD = {"silent", "refused"}


async def until(
    look: Callable[[], Awaitable[Lights]],
    true: Callable[[Lights], bool],
    *,
    within_s: float,
) -> Lights:
    """Look until the lights are so; fails with the last ones."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not true(lights := await look()):
        assert loop.time() < deadline, lights
        await asyncio.sleep(0.1)
    return lights


def well(lights: Lights) -> bool:
    return lights.words == ("ok", "ok") and lights.health is Health.UP


# --- ready, and dead -----------------------------------------------------------------


@peers
async def test_triton_with_its_backend_dead(start_peer: StartPeer) -> None:
    peer = start_peer("triton")
    async with monitor(peer) as watching:
        assert well(await watching.look())
        peer.kill_worker()
        lights = await watching.look()
        assert lights.words == ("ok", "handler_error")
        assert (lights.ready_light, lights.predict_light) == (Health.UP, Health.DOWN)
        assert lights.health is Health.DOWN
        assert "is not healthy" in lights.samples[1].verdict.message


@peers
async def test_triton_without_the_model(start_peer: StartPeer) -> None:
    peer = start_peer("triton")
    async with monitor(peer) as watching:
        assert peer.kill_model().status_code == 200
        assert (await watching.look()).words == ("not_ready", "model_not_found")


@peers
async def test_triton_with_another_model_broken(start_peer: StartPeer) -> None:
    """Strict readiness makes the server 400; ours is asked for itself."""
    peer = start_peer("triton", fault="neighbour", wait=False)
    async with monitor(peer, timeout="3s") as watching:
        await until(watching.look, well, within_s=60)
    assert peer.get("/v2/health/ready").status_code == 400


@peers
async def test_mlserver_without_the_model(start_peer: StartPeer) -> None:
    peer = start_peer("mlserver")
    async with monitor(peer) as watching:
        assert well(await watching.look())
        assert peer.kill_model().status_code == 200
        assert peer.healthy().status_code == 200
        lights = await watching.look()
        assert lights.words == ("model_not_found", "model_not_found")
        assert (lights.ready_light, lights.predict_light) == (Health.DOWN, Health.DOWN)


@peers
async def test_torchserve_without_a_worker(start_peer: StartPeer) -> None:
    peer = start_peer("torchserve")
    async with monitor(peer) as watching:
        assert well(await watching.look())
        assert peer.kill_model().status_code == 200
        lights = await watching.look()
        assert lights.words == ("ok", "not_ready")
        assert (lights.ready_light, lights.predict_light) == (Health.UP, Health.DOWN)


@peers
async def test_ray_with_its_replica_dead(start_peer: StartPeer) -> None:
    """Predictions hang for some seconds while the proxy goes on to say success."""
    peer = start_peer("ray")
    async with monitor(peer, timeout="0.5s") as watching:
        peer.kill_worker()
        lights = await watching.look()
        assert lights.words == ("ok", "silent")
        assert (lights.ready_light, lights.predict_light) == (Health.UP, Health.DOWN)
    async with monitor(peer, timeout="5s") as watching:
        await until(watching.look, well, within_s=40)


# --- those that come back by themselves ----------------------------------------------


@peers
async def test_torchserve_holds_what_comes_while_a_worker_starts(
    start_peer: StartPeer,
) -> None:
    peer = start_peer("torchserve")
    async with monitor(peer, timeout="30s") as watching:
        peer.kill_worker()
        lights = await watching.look()
        assert well(lights)
        held_ms = lights.samples[1].answer.phases.wait
        assert held_ms is not None
        assert held_ms > 500


@peers
async def test_azureml_replaces_its_worker(start_peer: StartPeer) -> None:
    peer = start_peer("azureml")
    async with monitor(peer, timeout="3s") as watching:
        (dead,) = peer.kill_worker()
        await until(watching.look, well, within_s=20)
        assert peer.workers() != [dead]


@peers
async def test_bentoml_is_silent_until_its_worker_is_back(
    start_peer: StartPeer,
) -> None:
    peer = start_peer("bentoml")
    async with monitor(peer, timeout="0.4s") as watching:
        peer.kill_worker()
        lights = await watching.look()
        assert lights.words == ("silent", "silent")
        assert (lights.ready_light, lights.predict_light) == (Health.DOWN, Health.DOWN)
    async with monitor(peer, timeout="3s") as watching:
        await until(watching.look, well, within_s=40)


# --- those that do not ---------------------------------------------------------------


@peers
async def test_bentoml_whose_model_does_not_load(start_peer: StartPeer) -> None:
    peer = start_peer("bentoml", fault="load", wait=False)
    wait_until(lambda: "the weights are gone" in peer.log(400), within_s=60)
    async with monitor(peer, timeout="1s") as watching:
        assert (await watching.look()).words == ("silent", "silent")


@peers
async def test_litserve_with_a_busy_worker_dead(start_peer: StartPeer) -> None:
    """The request in flight is never answered, nor is anything after it."""
    peer = start_peer("litserve")
    for pid in peer.workers():
        os.kill(pid, signal.SIGSTOP)
    async with monitor(peer, timeout="8s") as watching:
        flight = asyncio.create_task(watching.ask(ProbeKind.PREDICT))
        await asyncio.to_thread(wait_until, lambda: peer.connections() > 0, within_s=5)
        peer.kill_worker()
        sample = await flight
        assert received(sample) == "silent"
        assert "8 s" in sample.verdict.message
    async with monitor(peer, timeout="1s") as watching:
        assert (await watching.look()).words == ("silent", "silent")


@peers
async def test_litserve_with_an_idle_worker_dead(start_peer: StartPeer) -> None:
    peer = start_peer("litserve")
    peer.kill_worker()
    wait_until(lambda: not peer.listens_at(), within_s=10)
    async with monitor(peer) as watching:
        assert (await watching.look()).words == ("refused", "refused")


@pytest.mark.parametrize("name", [case("fastapi"), case("mosec")])
async def test_a_stopped_server(start_peer: StartPeer, name: str) -> None:
    peer = start_peer(name)
    async with monitor(peer) as watching:
        assert well(await watching.look())
        peer.stop()
        lights = await watching.look()
        assert lights.words == ("refused", "refused")
        assert lights.health is Health.DOWN


@pytest.mark.parametrize("name", [case("fastapi"), case("mosec"), case("kserve")])
async def test_a_frozen_server(start_peer: StartPeer, name: str) -> None:
    peer = start_peer(name)
    async with monitor(peer, timeout="1s") as watching:
        peer.freeze()
        assert (await watching.look()).words == ("silent", "silent")
        peer.thaw()
    async with monitor(peer) as watching:
        await until(watching.look, well, within_s=10)


@pytest.mark.parametrize("name", [case("mosec"), case("mlflow")])
async def test_a_server_that_ends_with_its_worker(
    start_peer: StartPeer, name: str
) -> None:
    peer = start_peer(name)
    async with monitor(peer, timeout="2s") as watching:
        peer.kill_worker()
        await until(
            watching.look,
            lambda lights: lights.words == ("refused", "refused"),
            within_s=15,
        )


@peers
async def test_kserve_without_a_ready_model(start_peer: StartPeer) -> None:
    peer = start_peer("kserve", fault="ready", wait=False)
    wait_until(peer.ended, within_s=60)
    async with monitor(peer) as watching:
        assert (await watching.look()).words == ("refused", "refused")


# --- a bad picture: a status says nothing about whose fault it is --------------------

BAD_PICTURE = [
    ("fastapi", "", "handler_error"),
    ("litserve", "", "handler_error"),
    ("bentoml", "", "handler_error"),
    ("kserve", "kserve v1", "handler_error"),
    ("azureml", "", "handler_error"),
    ("ray", "", "handler_error"),
    ("triton", "triton picture", "handler_error"),
    ("torchserve", "", "handler_error"),  # with a 503
    ("mosec", "", "client_error"),
    ("mlflow", "", "handler_error"),  # with a 400
]


@pytest.mark.parametrize(
    ("peer", "name", "word"), [case(*row) for row in BAD_PICTURE], indirect=["peer"]
)
async def test_a_bad_picture_is_not_called_overload(
    peer: Peer, name: str, word: str
) -> None:
    async with monitor(peer, name, bad_picture=True) as watching:
        lights = await watching.look()
        assert lights.words == ("ok", word), lights.samples[1]
        assert lights.predict_light is Health.DOWN


# --- keys ----------------------------------------------------------------------------


def answers(peer: Peer) -> bool:
    try:
        peer.healthy(timeout_s=1)
    except httpx.TransportError:
        return False
    return True


@peers
async def test_litserve_behind_a_key(start_peer: StartPeer) -> None:
    """Every path wants it, the health path too; it says how it wants it."""
    peer = start_peer("litserve", fault="key", wait=False)
    wait_until(lambda: answers(peer), within_s=60, about=peer.log)
    for key in ("", "the-wrong-key"):
        async with monitor(peer, key=key) as watching:
            lights = await watching.look()
            assert lights.words == ("unauthorized", "unauthorized")
            assert key == "" or key not in repr(lights)
    async with monitor(peer, key=KEY) as watching:
        await until(watching.look, well, within_s=10)
    finding = await looked_at(peer.url)
    assert (finding.dialect, finding.wants_key) == ("litserve", "in X-API-Key")
    finding = await looked_at(peer.url, key=KEY)
    assert (finding.dialect, finding.wants_key) == ("litserve", None)


@peers
async def test_torchserve_behind_a_key(start_peer: StartPeer) -> None:
    """A missing key is a 400 here, to the ping too."""
    peer = start_peer("torchserve", fault="key", wait=False)
    wait_until(lambda: answers(peer) and peer.workers(), within_s=60, about=peer.log)
    keys = json.loads((peer.scratch / "key_file.json").read_text())
    right = keys["inference"]["key"]
    for key in ("", "the-wrong-key"):
        async with monitor(peer, key=key) as watching:
            lights = await watching.look()
            assert lights.words == ("unauthorized", "unauthorized"), lights
            assert "key" in lights.samples[1].verdict.message
    async with monitor(peer, key=right, timeout="5s") as watching:
        await until(watching.look, well, within_s=20)
    finding = await looked_at(f"{peer.url}/predictions/shapes", key=right)
    assert (finding.dialect, finding.settings) == ("torchserve", {"model": "shapes"})


# --- too much ------------------------------------------------------------------------

BUSY = [
    ("litserve", "504", "overloaded"),
    ("bentoml", "429", "rate_limited"),
    ("ray", "503", "overloaded"),
]


@pytest.mark.parametrize(("name", "status", "kind"), [case(*row) for row in BUSY])
async def test_too_much_at_a_time(
    start_peer: StartPeer, name: str, status: str, kind: str
) -> None:
    peer = start_peer(name, fault="busy")
    watching = [monitor(peer, timeout="20s") for _ in range(4)]
    try:
        samples = await asyncio.gather(
            *(one.ask(ProbeKind.PREDICT) for one in watching)
        )
        words = [received(sample) for sample in samples]
        assert set(words) == {"ok", "overloaded"}, samples
        refused = samples[words.index("overloaded")]
        assert str(refused.answer.http_status) == status
        assert refused.verdict.error is not None
        assert refused.verdict.error.kind == kind
        # It lives; only the one question was too many.
        assert received(await watching[0].ask(ProbeKind.HEALTH)) == "ok"
    finally:
        for one in watching:
            await one.aclose()
