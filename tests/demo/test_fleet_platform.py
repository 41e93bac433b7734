"""The fleet with the Platform's stand-in, as a real process on real sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from yolotop.demo.cast import (
    CAST,
    CONTROL_PLANE,
    HOST,
    KEY_ENV,
    PLATFORM_KEY_ENV,
    SEATS,
    seats,
)
from yolotop.demo.control import FleetError, FleetProcess, start_fleet
from yolotop.demo.fleet import bind_block
from yolotop.demo.platform.cast import NAMES, bound_key
from yolotop.errors import UsageError
from yolotop.platform.budget import Budget
from yolotop.platform.client import PlatformClient
from yolotop.platform.contract import Lifecycle
from yolotop.probe.frames import synthetic

KEY = "ul_" + "5a" * 20
REAL = tuple(name for name in SEATS if name != CONTROL_PLANE)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetProcess]:
    log = tmp_path_factory.mktemp("fleet") / "fleet.log"
    env = {**os.environ, PLATFORM_KEY_ENV: KEY, KEY_ENV: "key"}
    with start_fleet(log_path=log, seed=1, env=env, platform=True) as running:
        yield running
    assert log.read_text("utf-8") == "", "the fleet complained"


def url(fleet: FleetProcess, name: str) -> str:
    return f"http://{HOST}:{fleet.platform[name]}"


async def test_it_answers_the_list_its_metrics_and_its_log(fleet: FleetProcess) -> None:
    async with PlatformClient(
        KEY,
        budget=Budget(lambda: 0.0),
        base_url=url(fleet, CONTROL_PLANE),
    ) as client:
        assert await client.owner() == "acme"
        found = {each.slug: each for each in (await client.deployments()).deployments}
        assert set(found) == set(NAMES)
        for name in REAL:
            assert found[name].service_url == url(fleet, name)
            assert found[name].lifecycle is Lifecycle.READY
        counted = await client.metrics("scan-gate", "24h")
        assert (counted.total or 0) > 1_000
        assert len(counted.requests) >= 24
        assert await client.logs("scan-gate", pages=1)


@pytest.mark.parametrize("name", REAL)
def test_an_endpoint_takes_the_bound_key_and_no_other(
    fleet: FleetProcess, name: str
) -> None:
    """Facts §2.0: not another live key of the same workspace."""
    bound = bound_key(KEY, name)
    others = {KEY, bound_key(KEY, "press-watch"), "key", "ul_" + "0" * 40} - {bound}

    def status(key: str) -> int:
        frame = synthetic(1)
        return httpx.post(
            f"{url(fleet, name)}/predict",
            files={"file": (frame.name, frame.data, frame.media_type)},
            headers={"authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=10,
        ).status_code

    # One of them fails now and then.
    assert 200 in {status(bound) for _ in range(10)}
    assert {status(key) for key in others} == {401}
    assert httpx.get(f"{url(fleet, name)}/health", trust_env=False).status_code == 200


def test_the_ten_are_there_as_ever(fleet: FleetProcess) -> None:
    assert set(fleet.ports) == {role.name for role in CAST}
    answer = httpx.get(
        f"http://{HOST}:{fleet.ports['dock-cam']}/health", trust_env=False
    )
    assert answer.status_code == 200


def test_without_it_nothing_of_it_listens(tmp_path: Path) -> None:
    with start_fleet(log_path=tmp_path / "log") as plain:
        assert plain.platform == {}
        first = plain.ports[CAST[0].name]
        for port in seats(first).values():
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((HOST, port), timeout=5)


def test_a_block_of_which_a_seat_is_taken_is_left_out() -> None:
    with socket.create_server((HOST, 0)) as taken:
        first = taken.getsockname()[1] - len(CAST)
        with pytest.raises(UsageError, match="no 14 free ports"):
            bind_block([first], platform=True)


def test_a_ready_line_without_its_ports_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked for has to be there: a config would name a port of nobody."""
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nprintf '{\"ports\": {}}\\n'; sleep 5\n")
    script.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(script))
    with pytest.raises(FleetError):
        start_fleet(log_path=tmp_path / "log", platform=True)
