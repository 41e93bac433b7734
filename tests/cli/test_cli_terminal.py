"""The terminal as a process: it brings its collector, and takes it away again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from yolotop.cli.terminal import Keeper, is_beating
from yolotop.collect.lock import holder
from yolotop.collect.process import stop
from yolotop.config.load import load
from yolotop.store.open import open_reader, open_writer
from yolotop.store.protocol import CollectorStatus


class Home(Protocol):
    """What conftest's Home offers."""

    path: Path
    config: Path
    data_dir: Path

    def write(self, text: str) -> Path: ...
    def yolotop(self, *args: str) -> subprocess.CompletedProcess[str]: ...


class Scripted(Protocol):
    """What conftest's Scripted offers."""

    url: str


class Pty(Protocol):
    """What conftest's Pty offers."""

    painted: bytes

    def sees(self, text: str) -> None: ...
    def types(self, keys: str) -> None: ...
    def ends(self) -> int: ...
    def hangs_up(self) -> None: ...


@pytest.fixture
def watched(home: Home, scripted: Scripted) -> Iterator[Home]:
    """One endpoint, asked often; no collector is left behind."""
    home.write(
        '[defaults]\ninterval = "1s"\npredict_interval = "1s"\n'
        f'[[deployment]]\nname = "dock-cam"\nurl = "{scripted.url}"\n'
    )
    yield home
    pid = holder(home.data_dir)
    if pid is not None:
        stop(pid)


def until(holds: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_clean_quit_stops_the_collector_it_brought(
    sit_at: Callable[..., Pty], watched: Home
) -> None:
    person = sit_at()
    person.sees("dock-cam")
    until(lambda: holder(watched.data_dir) is not None)
    person.types("q")
    assert person.ends() == 0
    assert holder(watched.data_dir) is None
    farewell = person.painted.rpartition(b"\x1b[?1049l")[2].decode()
    assert "dock-cam: " in farewell
    assert "collector that this terminal started has stopped" in farewell


def test_a_terminal_that_dies_leaves_its_collector_to_the_next(
    sit_at: Callable[..., Pty], watched: Home
) -> None:
    first = sit_at()
    first.sees("dock-cam")
    pid = holder(watched.data_dir)
    assert pid is not None
    first.hangs_up()
    until(lambda: first.process.poll() is not None)  # type: ignore[attr-defined]
    assert holder(watched.data_dir) == pid
    second = sit_at()
    second.sees("dock-cam")
    second.types("q")
    assert second.ends() == 0
    # It did not start this one, so it is not its own to stop.
    assert holder(watched.data_dir) == pid
    assert b"has stopped" not in second.painted


def test_no_config_file_opens_an_empty_terminal(
    sit_at: Callable[..., Pty], home: Home
) -> None:
    person = sit_at()
    person.sees("yolotop.toml")
    person.types("q")
    assert person.ends() == 0


def test_a_config_file_that_was_named_must_be_there(
    sit_at: Callable[..., Pty], home: Home
) -> None:
    person = sit_at("--config", "gone.toml")
    assert person.ends() == 2
    assert b"gone.toml: there is no such file" in person.painted


def test_why_no_collector_starts_is_on_the_screen_and_in_the_farewell(
    sit_at: Callable[..., Pty], watched: Home
) -> None:
    log = watched.data_dir / "collector.log"
    watched.data_dir.mkdir(parents=True)
    # Nothing can be written where a directory is.
    log.mkdir()
    person = sit_at()
    person.sees("nobody is measuring: ")
    assert holder(watched.data_dir) is None
    person.types("q")
    assert person.ends() == 0
    farewell = person.painted.rpartition(b"\x1b[?1049l")[2].decode()
    assert "No collector could be started: " in farewell


def test_a_damaged_history_is_told_on_the_screen_and_in_status_until_removed(
    sit_at: Callable[..., Pty], watched: Home
) -> None:
    watched.data_dir.mkdir(parents=True)
    (watched.data_dir / "yolotop.db").write_bytes(b"no database at all" * 100)
    person = sit_at()
    person.sees("the history was damaged, see ~/data/yolotop/yolotop.db.corrupt-")
    told = watched.yolotop("status").stderr
    (aside,) = watched.data_dir.glob("yolotop.db.corrupt-*")
    assert f"the history was damaged, see ~/data/yolotop/{aside.name};" in told
    aside.unlink()
    until(lambda: "damaged" not in watched.yolotop("status").stderr)
    person.types("q")
    assert person.ends() == 0


async def test_trouble_is_over_when_somebody_else_measures(watched: Home) -> None:
    config = load(watched.config, env=dict(os.environ))
    keeper = Keeper(config)
    keeper.trouble = "it ended with exit code 2"
    writer = await open_writer(config.data_dir)
    reader = await open_reader(config.data_dir)
    try:
        await writer.beat(CollectorStatus(1, 0.0, beat_at=100.0, version="0"))
        watch = asyncio.create_task(
            keeper.watch(reader, now=lambda: 101.0, pause_s=0.01)
        )
        await asyncio.to_thread(until, lambda: not keeper.trouble)
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
    finally:
        await reader.close()
        await writer.close()
    assert keeper.pid is None


async def test_a_collector_that_died_is_replaced(watched: Home) -> None:
    config = load(watched.config, env=dict(os.environ))
    keeper = Keeper(config)
    await asyncio.to_thread(keeper.ensure)
    first = keeper.pid
    assert first is not None
    reader = await open_reader(config.data_dir)
    try:
        os.kill(first, signal.SIGKILL)
        # Time has passed since its last beat, as far as the watch can tell.
        watch = asyncio.create_task(
            keeper.watch(reader, now=lambda: time.time() + 60, pause_s=0.01)
        )
        await asyncio.to_thread(until, lambda: keeper.pid != first)
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
    finally:
        await reader.close()
    assert holder(config.data_dir) == keeper.pid
    assert await asyncio.to_thread(keeper.release)
    assert holder(config.data_dir) is None


def test_a_beat_is_a_sign_of_life() -> None:
    status = CollectorStatus(1, started_at=0.0, beat_at=100.0, version="0")
    assert is_beating(status, 110.0)
    assert not is_beating(status, 116.0)
    assert not is_beating(None, 0.0)
    stopped = CollectorStatus(1, 0.0, 100.0, "0", stopped_at=100.0)
    assert not is_beating(stopped, 100.0)
