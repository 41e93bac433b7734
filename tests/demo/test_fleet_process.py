"""The fleet as a real process on real sockets: it starts, plays its parts and ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from yolotop.demo import control
from yolotop.demo.cast import BLOCKS, CAST, HOST, KEY_ENV, Part, ports
from yolotop.demo.control import FleetError, FleetProcess, start_fleet
from yolotop.demo.fleet import bind_block
from yolotop.errors import MissingExtraError, UsageError
from yolotop.probe.frames import synthetic

KEY = "key-of-the-test"
NAMES = {role.part: role.name for role in CAST}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetProcess]:
    log = tmp_path_factory.mktemp("fleet") / "fleet.log"
    with start_fleet(log_path=log, seed=1, env={**os.environ, KEY_ENV: KEY}) as running:
        yield running
    assert log.read_text("utf-8") == "", "the fleet complained"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        trust_env=False, timeout=10, limits=httpx.Limits(max_keepalive_connections=0)
    ) as client:
        yield client


class Asker:
    """Asks one deployment after the other with frames whose content is known."""

    def __init__(self, http: httpx.AsyncClient, fleet: FleetProcess) -> None:
        self.http = http
        self.fleet = fleet
        self.seed = 0

    async def __call__(self, part: Part) -> tuple[httpx.Response, Counter[str]]:
        """The answer to one prediction, and the labels that were drawn."""
        self.seed += 1
        frame = synthetic(self.seed)
        answer = await self.http.post(
            f"http://{HOST}:{self.fleet.ports[NAMES[part]]}/predict",
            files={"file": (frame.name, frame.data, frame.media_type)},
            data={"conf": "0.5"},
            headers={"authorization": f"Bearer {KEY}"},
        )
        assert frame.drawn is not None
        return answer, Counter(thing.label for thing in frame.drawn)


@pytest.fixture
def ask(http: httpx.AsyncClient, fleet: FleetProcess) -> Asker:
    return Asker(http, fleet)


def seen(answer: httpx.Response) -> Counter[str]:
    assert answer.status_code == 200
    return Counter(item["name"] for item in answer.json()["images"][0]["results"])


def listens(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection((HOST, port), timeout=5).close()
        return True
    return False


def wait_for(true: Callable[[], bool], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def processor_s(pid: int) -> float:
    """What a process has had of the processor: its neighbours do not count."""
    words = ["ps", "-o", "time=", "-p", str(pid)]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    *hours, minutes, seconds = shown.strip().replace("-", ":").split(":")
    assert not any(map(int, hours))
    return int(minutes) * 60 + float(seconds)


def test_to_be_ready_takes_all_of_them_five_seconds_at_most(tmp_path: Path) -> None:
    with start_fleet(log_path=tmp_path / "log") as fresh:
        assert processor_s(fresh.pid) < 5.0


def test_all_but_the_down_one_listen(fleet: FleetProcess) -> None:
    for role in CAST:
        assert listens(fleet.ports[role.name]) is (role.part is not Part.DOWN)


async def test_the_healthy_see_exactly_what_is_drawn(ask: Asker) -> None:
    for part in (Part.HEALTHY, Part.KEYED):
        for _ in range(8):
            answer, drawn = await ask(part)
            assert seen(answer) == drawn


async def test_the_locked_one_refuses_our_key(ask: Asker) -> None:
    answer, _ = await ask(Part.LOCKED)
    assert answer.status_code == 401


async def test_the_slow_one_is_slow(ask: Asker) -> None:
    before = time.perf_counter()
    answer, drawn = await ask(Part.SLOW)
    assert time.perf_counter() - before >= 0.3
    assert seen(answer) == drawn


async def test_every_health_check_is_fine_but_the_downs(
    http: httpx.AsyncClient, fleet: FleetProcess
) -> None:
    for role in CAST:
        if role.part in (Part.DOWN, Part.SCALE_TO_ZERO):
            continue
        answer = await http.get(f"http://{HOST}:{fleet.ports[role.name]}/health")
        assert answer.status_code == 200, role.name


async def test_the_down_one_refuses_connections(ask: Asker) -> None:
    with pytest.raises(httpx.ConnectError):
        await ask(Part.DOWN)


def test_the_whole_fleet_takes_less_than_500_mb(
    fleet: FleetProcess, ask: Asker
) -> None:
    listing = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(fleet.pid)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(listing.stdout) < 500 * 1024


@pytest.mark.e2e
async def test_within_20_s_every_character_has_shown_its_colours(
    tmp_path: Path, http: httpx.AsyncClient
) -> None:
    env = {**os.environ, KEY_ENV: KEY}
    with start_fleet(log_path=tmp_path / "log", seed=1, env=env) as fresh:
        started = time.monotonic()
        ask = Asker(http, fresh)
        shown: dict[Part, set[str]] = {part: set() for part in Part}
        wanted = {
            Part.CREEPING: {"quick", "late"},
            Part.FLAPPING: {"right", "5xx"},
            Part.SCALE_TO_ZERO: {"429", "right"},
            Part.BLIND: {"right", "nothing"},
            Part.SWAPPED: {"right", "no triangles"},
        }
        while any(wanted[part] - shown[part] for part in wanted):
            assert time.monotonic() - started < 20.0, shown
            for part in wanted:
                begun = time.perf_counter()
                answer, drawn = await ask(part)
                took = time.perf_counter() - begun
                shown[part] |= colours(answer, drawn, took)
            # Once a second is more often than the demo itself asks.
            await asyncio.sleep(1.0)


def colours(answer: httpx.Response, drawn: Counter[str], took_s: float) -> set[str]:
    """What one answer shows of its endpoint's character."""
    shown = {"late"} if took_s > 0.25 else {"quick"} if took_s < 0.2 else set()
    if answer.status_code == 429:
        assert 1 <= int(answer.headers["retry-after"]) <= 4
        return {"429"}
    if answer.status_code >= 500:
        return {"5xx"}
    found = seen(answer)
    if found == drawn:
        return shown | {"right"}
    if not found:
        return shown | {"nothing"}
    model = answer.json()["metadata"]["model"]
    no_triangles = Counter({k: n for k, n in drawn.items() if k != "triangle"})
    if model == "shapes2" and found == no_triangles:
        return shown | {"no triangles"}
    return shown


def test_a_second_fleet_takes_another_block(
    fleet: FleetProcess, tmp_path: Path
) -> None:
    with start_fleet(log_path=tmp_path / "log") as second:
        assert not set(second.ports.values()) & set(fleet.ports.values())
        assert listens(second.ports[NAMES[Part.HEALTHY]])
    assert not second.running
    assert not listens(second.ports[NAMES[Part.HEALTHY]])


def test_a_block_is_all_or_nothing() -> None:
    # From the far end, where no demo of somebody else looks first.
    free = bind_block(BLOCKS[::-1])
    free.close()
    first = free.first_port
    with socket.create_server((HOST, first + 3)):
        with pytest.raises(UsageError) as caught:
            bind_block((first,))
        assert "another demo" in caught.value.hint
        # What had been bound before the taken one was given back.
        socket.create_server((HOST, first)).close()


def test_the_down_port_cannot_be_taken_by_others(fleet: FleetProcess) -> None:
    port = fleet.ports[NAMES[Part.DOWN]]
    with socket.socket() as intruder:
        intruder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            intruder.bind((HOST, port))


def test_no_ports_is_told_in_the_fleet_s_own_words(
    fleet: FleetProcess, tmp_path: Path
) -> None:
    first = fleet.ports[NAMES[Part.HEALTHY]]
    with pytest.raises(FleetError) as caught:
        start_fleet(log_path=tmp_path / "log", first_port=first)
    assert "exit code 2" in caught.value.message
    assert "no 10 free ports" in caught.value.hint


def test_a_fleet_that_is_late_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[subprocess.Popen[bytes]] = []
    end = control.end

    def watched(child: subprocess.Popen[bytes]) -> None:
        children.append(child)
        end(child)

    monkeypatch.setattr(control, "end", watched)
    with pytest.raises(FleetError, match=r"not ready within 0\.01 s"):
        start_fleet(log_path=tmp_path / "log", timeout_s=0.01)
    assert [child.poll() is not None for child in children] == [True]


def test_stopping_twice_is_fine(tmp_path: Path) -> None:
    fleet = start_fleet(log_path=tmp_path / "log")
    ran = fleet.running
    fleet.stop()
    fleet.stop()
    assert (ran, fleet.running) == (True, False)
    assert not any(listens(port) for port in fleet.ports.values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_it_ends_by_itself_on_a_signal(tmp_path: Path, number: int) -> None:
    with start_fleet(log_path=tmp_path / "log") as fleet:
        os.kill(fleet.pid, number)
        assert wait_for(lambda: not fleet.running, within_s=10)
    assert (tmp_path / "log").read_text("utf-8") == ""


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from yolotop.demo.control import start_fleet\n"
        "fleet = start_fleet(log_path=pathlib.Path(sys.argv[1]))\n"
        "print(fleet.ports['dock-cam'], flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        assert listens(port)
        parent.kill()
    assert wait_for(lambda: not listens(port), within_s=10)


def test_a_missing_extra_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        control, "find_spec", lambda name: None if name == "onnxruntime" else object()
    )
    with pytest.raises(MissingExtraError) as caught:
        control.require_extra()
    assert "onnxruntime" in caught.value.message
    assert caught.value.hint == "pip install 'yolotop[demo]'"


def test_the_controls_need_nothing_of_the_extra() -> None:
    code = (
        "import sys, yolotop.demo.control, yolotop.demo.script\n"
        "heavy = {'fastapi', 'starlette', 'uvicorn', 'onnxruntime', 'numpy'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_blocks_do_not_overlap_and_end_below_the_ephemeral_ports() -> None:
    for first, following in pairwise(BLOCKS):
        assert max(ports(first).values()) < following
    assert max(ports(BLOCKS[-1]).values()) < 32_768
