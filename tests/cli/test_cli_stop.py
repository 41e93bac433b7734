"""``yolotop stop``: ends the collector of one data directory, and nobody else."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from yolotop.cli.places import Places
from yolotop.cli.stop import stop_command
from yolotop.collect.lock import FILE_NAME, holder
from yolotop.collect.process import ensure, stop


class Home(Protocol):
    """What conftest's Home offers."""

    config: Path
    data_dir: Path

    def write(self, text: str) -> Path: ...
    def yolotop(self, *args: str) -> subprocess.CompletedProcess[str]: ...


class Pty(Protocol):
    """What conftest's Pty offers."""

    painted: bytes

    def sees(self, text: str) -> None: ...
    def types(self, keys: str) -> None: ...
    def ends(self) -> int: ...


@pytest.fixture
def left_running(home: Home) -> Iterator[int]:
    """A collector that nobody's terminal owns."""
    home.write("")
    pid = ensure(config_path=home.config, data_dir=home.data_dir).pid
    assert pid is not None
    yield pid
    if holder(home.data_dir) == pid:
        stop(pid)


def test_it_ends_the_collector_and_says_who_that_was(
    home: Home, left_running: int
) -> None:
    done = home.yolotop("stop")
    assert done.returncode == 0
    assert f"The collector (process {left_running}) has stopped" in done.stderr
    assert done.stdout == ""
    assert holder(home.data_dir) is None


def test_where_nobody_collects_that_is_said(home: Home) -> None:
    home.write("")
    done = home.yolotop("stop")
    assert done.returncode == 0
    assert f"No collector is running for {home.data_dir}" in done.stderr


def test_a_process_that_only_has_the_number_is_left_alone(home: Home) -> None:
    """As a lock that another container holds reads: held, with a number of theirs."""
    home.write("")
    home.data_dir.mkdir(parents=True)
    words = [sys.executable, "-c", "input()"]
    with (
        subprocess.Popen(words, stdin=subprocess.PIPE) as bystander,
        (home.data_dir / FILE_NAME).open("w") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{bystander.pid}\n")
        lock.flush()
        done = home.yolotop("stop")
        assert done.returncode == 2
        assert "it is not the one named in its lock" in done.stderr
        assert bystander.poll() is None
        bystander.communicate(b"\n")
    assert os.waitstatus_to_exitcode(bystander.returncode) == 0


def test_a_terminal_says_that_the_collector_goes_on(
    sit_at: Callable[..., Pty], home: Home, left_running: int
) -> None:
    person = sit_at("--data-dir", str(home.data_dir))
    person.sees("yolotop.toml")
    person.types("q")
    assert person.ends() == 0
    farewell = person.painted.rpartition(b"\x1b[?1049l")[2].decode()
    said = f"The collector keeps running (process {left_running}); stop it with `yolotop stop --data-dir {home.data_dir}`"  # noqa: E501 - one line, as it is said
    assert said in farewell.replace("\r\n", "")
    assert holder(home.data_dir) == left_running


def test_what_is_to_be_typed_names_the_same_places() -> None:
    assert stop_command(Places()) == "yolotop stop"
    said = stop_command(Places(Path("my fleet.toml"), Path("/data")))
    assert said == "yolotop stop --config 'my fleet.toml' --data-dir /data"
