"""``yolotop demo`` as a user runs it: what it shows, and that nothing of it stays."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from yolotop.collect.lock import holder, is_held
from yolotop.demo.cast import CAST, Part
from yolotop.demo.platform.cast import NAMES as NAMES_OF_THE_PLATFORM

NAMES = {role.part: role.name for role in CAST}
# Probing by hand, in this process, must not wait for a port that is half closed.
CONNECT_S = 2.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "demo"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has configured nothing."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("YOLOTOP_")}
    return {**kept, "XDG_DATA_HOME": str(tmp_path / "data"), "TERM": "xterm-256color"}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "yolotop", "demo", *words]


def run(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), env=env, capture_output=True, text=True, timeout=55
    )


def wait_for(true: Callable[[], bool], *, within_s: float = 15.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def listening(home: Path) -> int:
    """How many of the endpoints in the demo's config accept connections."""
    document: dict[str, Any] = tomllib.loads((home / "demo.toml").read_text("utf-8"))
    count = 0
    for table in document["deployment"]:
        port = int(table["url"].rpartition(":")[2])
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), CONNECT_S).close()
            count += 1
    return count


def is_over(home: Path) -> bool:
    return not is_held(home) and listening(home) == 0


@contextlib.contextmanager
def running(env: dict[str, str], home: Path) -> Iterator[subprocess.Popen[str]]:
    """A headless demo that measures; killed at the end if it still runs."""
    words = ("--headless", "--duration", "10m", "--data-dir", str(home))
    with subprocess.Popen(
        command(*words),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            assert "measuring for 600 s" in process.stderr.readline()
            yield process
        finally:
            process.kill()


@pytest.mark.e2e
def test_headless_shows_every_character_in_the_right_state(
    env: dict[str, str], home: Path
) -> None:
    done = run(
        env, "--headless", "--json", "--duration", "18s", "--data-dir", str(home)
    )
    assert done.returncode == 0, done.stderr
    status = json.loads(done.stdout)
    cards = {card["name"]: card for card in status["deployments"]}
    assert list(cards) == [role.name for role in CAST]

    def card(part: Part) -> dict[str, Any]:
        found: dict[str, Any] = cards[NAMES[part]]
        return found

    for part in (Part.HEALTHY, Part.KEYED):
        assert card(part)["state"] == "up"
        assert card(part)["error_rate"] == 0
        assert card(part)["message"].endswith(("detections", "detection"))
    for part in (Part.SLOW, Part.CREEPING):
        assert card(part)["state"] == "degraded"
        assert card(part)["error_rate"] == 0
        assert "slower than 250 ms" in card(part)["message"]
    assert card(Part.SLOW)["p50_ms"] > 300
    assert card(Part.FLAPPING)["state"] == "degraded"
    assert 0.3 < card(Part.FLAPPING)["error_rate"] < 0.8
    assert card(Part.LOCKED)["state"] == "down"
    assert "the key was refused (401)" in card(Part.LOCKED)["message"]
    assert card(Part.SCALE_TO_ZERO)["state"] in ("up", "cold")
    assert card(Part.SCALE_TO_ZERO)["error_rate"] == 0, "a cold start is no error"
    assert card(Part.BLIND)["state"] == "degraded"
    assert "got none" in card(Part.BLIND)["message"]
    assert card(Part.SWAPPED)["state"] == "degraded"
    assert "wrong answer" in card(Part.SWAPPED)["message"]
    assert card(Part.DOWN)["state"] == "down"
    assert "connection refused" in card(Part.DOWN)["message"]
    assert status["totals"]["active"] == 8
    assert is_over(home)

    logged = subprocess.run(
        [sys.executable, "-m", "yolotop", "logs", "--data-dir", str(home), "-n", "999"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "model replaced: shapes → shapes2; classes changed: 3 → 2" in logged
    assert "starting up (429), asks to retry after 4 s" in logged


@pytest.mark.e2e
def test_with_the_platform_both_kinds_are_on_one_screen(
    env: dict[str, str], home: Path
) -> None:
    words = ("--json", "--duration", "8s", "--data-dir", str(home))
    done = run(env, "--platform", *words)
    assert done.returncode == 0, done.stderr
    assert "10 endpoints and a stand-in for Ultralytics Platform ready" in done.stderr
    cards = {card["name"]: card for card in json.loads(done.stdout)["deployments"]}
    assert set(cards) == {role.name for role in CAST} | set(NAMES_OF_THE_PLATFORM)
    assert cards["lab-bench"]["state"] == "paused"
    assert cards["pallet-count"]["state"] == "up"
    assert cards["new-line"]["state"] == "cold"
    assert cards[NAMES[Part.HEALTHY]]["state"] == "up"
    assert is_over(home)
    # Without it the next time, nothing is asked where nobody answers.
    done = run(env, *words)
    assert done.returncode == 0, done.stderr
    names = {card["name"] for card in json.loads(done.stdout)["deployments"]}
    assert names == {role.name for role in CAST}


@pytest.mark.e2e
def test_the_history_is_there_when_one_comes_back(
    env: dict[str, str], home: Path
) -> None:
    def requests(*words: str) -> int:
        done = run(env, "--json", "--duration", "3s", "--data-dir", str(home), *words)
        assert done.returncode == 0, done.stderr
        total = json.loads(done.stdout)["totals"]["requests"]
        assert isinstance(total, int)
        return total

    first = requests()
    second = requests()
    assert second >= first + 10
    assert requests("--reset") < second


def test_the_summary_is_data_and_the_rest_is_narration(
    env: dict[str, str], tmp_path: Path
) -> None:
    done = run(env, "--headless", "--duration", "2500ms")
    assert done.returncode == 0, done.stderr
    for role in CAST:
        assert role.name in done.stdout
    assert "connection refused" in done.stdout
    assert "endpoints ready in" in done.stderr
    assert "endpoints ready in" not in done.stdout
    assert is_over(tmp_path / "data" / "yolotop" / "demo")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_it(
    env: dict[str, str], home: Path, number: signal.Signals
) -> None:
    with running(env, home) as process:
        assert listening(home) == len(CAST) - 1
        assert is_held(home)
        process.send_signal(number)
        assert process.wait(20) == 128 + number
        assert is_over(home)


def test_killed_it_leaves_nothing_behind(env: dict[str, str], home: Path) -> None:
    with running(env, home) as process:
        process.kill()
        process.wait()
        assert wait_for(lambda: is_over(home))


def test_a_killed_demo_does_not_keep_the_next_one_out(
    env: dict[str, str], home: Path
) -> None:
    with running(env, home) as process:
        process.kill()
        process.wait()
        done = run(env, "--headless", "--duration", "1s", "--data-dir", str(home))
    assert done.returncode == 0, done.stderr
    assert is_over(home)


def test_a_second_demo_is_told_of_the_first(env: dict[str, str], home: Path) -> None:
    with running(env, home) as process:
        done = run(env, "--headless", "--duration", "1s", "--data-dir", str(home))
        assert done.returncode == 3
        assert f"Process {process.pid} is showing the demo" in done.stderr
        assert listening(home) == len(CAST) - 1, "the first one goes on"


def test_without_its_collector_it_does_not_pretend(
    env: dict[str, str], home: Path
) -> None:
    with running(env, home) as process:
        collector = holder(home)
        assert collector is not None
        os.kill(collector, signal.SIGKILL)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 2
        assert "The collector has ended" in said
    assert is_over(home)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--headless", "--duration", "20"), "has no unit"),
        (("--headless", "--duration", "0s"), "longer than nothing"),
        (("--headless", "--duration", "\x1b[31msoon"), "is not a duration"),
        ((), "this is no terminal"),
    ],
)
def test_what_cannot_be_is_told_before_anything_starts(
    env: dict[str, str], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = run(env, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "\x1b" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "data").exists()


@pytest.mark.e2e
class TestInATerminal:
    @pytest.fixture
    def screen(self, env: dict[str, str], home: Path) -> Iterator[pexpect.spawn[str]]:
        child = pexpect.spawn(
            sys.executable,
            command("--data-dir", str(home))[1:],
            env=env,
            dimensions=(40, 120),
            encoding="utf-8",
            timeout=25,
        )
        child.expect("dock-cam")
        yield child
        child.close(force=True)

    def test_q_leaves_and_nothing_stays(
        self, screen: pexpect.spawn[str], home: Path
    ) -> None:
        assert is_held(home)
        screen.send("q")
        screen.expect("All of it has stopped")
        screen.expect(pexpect.EOF)
        assert screen.wait() == 0
        assert is_over(home)

    def test_a_terminal_that_hangs_up_takes_the_demo_along(
        self, screen: pexpect.spawn[str], home: Path
    ) -> None:
        # The master's end closes: what sshd does when the connection is gone.
        screen.ptyproc.fileobj.close()
        assert wait_for(lambda: not screen.isalive())
        assert is_over(home)
