"""Real collector processes over a real history, asking a real endpoint."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from yolotop.collect.lock import FILE_NAME, CollectorLock, holder, is_held
from yolotop.collect.process import LOG_NAME, Ensured, ensure, stop
from yolotop.collect.run import is_alive
from yolotop.errors import ExitCode, LockedError, YolotopError
from yolotop.model import Health
from yolotop.store.open import open_reader
from yolotop.store.protocol import Reader, RequestKind

if TYPE_CHECKING:
    from tests.collect.conftest import Endpoint

RUN = """
import sys
from pathlib import Path
from yolotop.collect.run import run_collector
from yolotop.errors import YolotopError
try:
    sys.exit(run_collector(config_path=Path(sys.argv[1]), data_dir=Path(sys.argv[2])))
except YolotopError as error:
    print(error, file=sys.stderr)
    sys.exit(int(error.exit_code))
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def config_path(tmp_path: Path, endpoint: Endpoint) -> Path:
    path = tmp_path / "yolotop.toml"
    path.write_text(
        '[defaults]\ninterval = "1s"\npredict_interval = "1s"\n'
        f'[[deployment]]\nname = "cam"\nurl = "{endpoint.url}"\n'
    )
    path.chmod(0o600)
    return path


Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start(config_path: Path, data_dir: Path) -> Iterator[Start]:
    """Starts collectors in the foreground; ends what a test left running."""
    children: list[subprocess.Popen[str]] = []

    def spawn() -> subprocess.Popen[str]:
        words = [sys.executable, "-c", RUN, str(config_path), str(data_dir)]
        child = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        children.append(child)
        return child

    yield spawn
    for child in children:
        if child.poll() is None:
            child.kill()
        child.communicate()


@asynccontextmanager
async def reading(data_dir: Path) -> AsyncIterator[Reader]:
    reader = await open_reader(data_dir)
    try:
        yield reader
    finally:
        await reader.close()


async def until(reader: Reader, wanted: Callable[[Reader], Awaitable[bool]]) -> None:
    """Wait until ``wanted`` is true of what another process writes."""
    async with asyncio.timeout(20):
        while not await wanted(reader):  # noqa: ASYNC110 - no event crosses processes
            await asyncio.sleep(0.02)


async def probes(reader: Reader) -> int:
    return len(await reader.probes_after(0, limit=10_000))


async def messages(reader: Reader) -> list[str]:
    return [line.message for line in await reader.log(limit=500)]


def integrity(data_dir: Path) -> str:
    (path,) = data_dir.glob("*.db")
    with closing(sqlite3.connect(path)) as database:
        return str(database.execute("PRAGMA integrity_check").fetchone()[0])


def lines_of(child: subprocess.Popen[str]) -> str:
    _, said = child.communicate(timeout=20)
    return said


async def test_it_probes_writes_and_stops_with_everything_written(
    start: Start, data_dir: Path, endpoint: Endpoint
) -> None:
    async with reading(data_dir) as reader:
        child = start()

        async def enough(reader: Reader) -> bool:
            return await probes(reader) >= 6

        await until(reader, enough)
        assert holder(data_dir) == child.pid
        child.send_signal(signal.SIGTERM)
        said = await asyncio.to_thread(lines_of, child)
        assert child.returncode == 0, said
        stored = await reader.probes_after(0, limit=10_000)
        # Whatever was answered is stored, but for one probe cut off in flight.
        assert endpoint.answered - len(stored) in (0, 1)
        assert {probe.message for probe in stored} >= {"healthy", "1 detection"}
        assert (await reader.states())["cam"].health is Health.UP
        status = await reader.collector()
        assert status is not None
        assert status.stopped_at is not None
        assert (await messages(reader))[-1] == "collector stopped"
        assert await reader.pending() == set()
    assert not is_held(data_dir)


async def test_a_second_one_is_refused_and_names_the_first(
    start: Start, data_dir: Path
) -> None:
    first = start()
    async with reading(data_dir) as reader:

        async def began(reader: Reader) -> bool:
            return await reader.collector() is not None

        await until(reader, began)
    second = start()
    said = await asyncio.to_thread(lines_of, second)
    assert second.returncode == ExitCode.LOCKED
    assert f"process {first.pid} already collects into {data_dir}" in said
    assert first.poll() is None


async def test_kill_9_loses_nothing_acknowledged_and_a_new_one_takes_over(
    start: Start, data_dir: Path, endpoint: Endpoint
) -> None:
    async with reading(data_dir) as reader:
        first = start()

        async def enough(reader: Reader) -> bool:
            return await probes(reader) >= 5

        await until(reader, enough)
        endpoint.status = 500
        before = await probes(reader)
        first.kill()
        await asyncio.to_thread(first.wait)
        assert await probes(reader) >= before
        assert not is_held(data_dir)  # the lock died with its process
        assert integrity(data_dir) == "ok"
        second = start()

        async def seen_down(reader: Reader) -> bool:
            return (await reader.states())["cam"].health is Health.DOWN

        await until(reader, seen_down)
        assert holder(data_dir) == second.pid
        assert any(
            message.startswith("down after 3 failures: HTTP 500")
            for message in await messages(reader)
        )


async def test_sighup_reads_the_config_again_and_requests_are_answered(
    start: Start, data_dir: Path, config_path: Path, endpoint: Endpoint
) -> None:
    async with reading(data_dir) as reader:
        child = start()

        async def began(reader: Reader) -> bool:
            return await probes(reader) >= 1

        await until(reader, began)
        child.send_signal(signal.SIGHUP)
        table = {"name": "new", "url": endpoint.url}
        number = await reader.leave_request(
            RequestKind.TRIAL, deployment=None, body=json.dumps(table), at=1.0
        )

        async def answered(reader: Reader) -> bool:
            return await reader.request_result(number) is not None

        await until(reader, answered)
        rows = json.loads(await reader.request_result(number) or "")
        assert [(row["kind"], row["ok"]) for row in rows] == [
            ("health", True),
            ("predict", True),
        ]

        async def reread(reader: Reader) -> bool:
            said = "configuration read again; nothing changed"
            return said in await messages(reader)

        await until(reader, reread)
        with config_path.open("a") as file:
            file.write(f'[[deployment]]\nname = "dock"\nurl = "{endpoint.url}"\n')

        async def added(reader: Reader) -> bool:
            states = await reader.states()
            return "dock" in states and states["dock"].health is Health.UP

        await until(reader, added)
        assert child.poll() is None


def test_an_unusable_config_ends_it_with_the_reason(
    start: Start, config_path: Path
) -> None:
    config_path.write_text('[[deployment]]\nname = "cam"\n')
    child = start()
    said = lines_of(child)
    assert child.returncode == ExitCode.USAGE
    assert "url is missing" in said


# --- detached ------------------------------------------------------------------------


def test_ensure_starts_one_attaches_to_it_and_stop_ends_it(
    config_path: Path, data_dir: Path
) -> None:
    started = ensure(config_path=config_path, data_dir=data_dir)
    assert started.started
    assert started.pid is not None
    try:
        assert holder(data_dir) == started.pid
        assert os.getsid(started.pid) == started.pid  # no hang-up reaches it
        again = ensure(config_path=config_path, data_dir=data_dir)
        assert again == Ensured(started.pid, started=False)
    finally:
        assert stop(started.pid, 15)
    assert not is_alive(started.pid)
    assert stop(started.pid, 1)
    assert not is_held(data_dir)
    assert "collector stopped" in (data_dir / LOG_NAME).read_text()
    for name in (LOG_NAME, FILE_NAME):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_ensure_tells_why_the_collector_did_not_begin(
    config_path: Path, data_dir: Path
) -> None:
    config_path.write_text("[[deployment]\n")
    with pytest.raises(YolotopError, match=r"exit code 2: .*TOML"):
        ensure(config_path=config_path, data_dir=data_dir)


def test_it_ends_with_the_process_that_owns_it(
    config_path: Path, data_dir: Path
) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    found = ensure(config_path=config_path, data_dir=data_dir, owner_pid=owner.pid)
    assert found.pid is not None
    assert is_alive(found.pid)
    owner.communicate()
    try:
        descriptor = os.pidfd_open(found.pid)
    except ProcessLookupError:
        return
    try:
        os.waitid(os.P_PIDFD, descriptor, os.WEXITED | os.WNOWAIT)
    finally:
        os.close(descriptor)
    assert stop(found.pid, 1)
    assert "is gone" in (data_dir / LOG_NAME).read_text()


# --- the lock ------------------------------------------------------------------------


def test_the_lock_names_its_holder_and_is_given_back(data_dir: Path) -> None:
    assert (holder(data_dir), is_held(data_dir)) == (None, False)
    with CollectorLock(data_dir) as lock:
        lock.acquire()  # having it already is no conflict
        assert (holder(data_dir), is_held(data_dir)) == (os.getpid(), True)
        with pytest.raises(LockedError, match=f"process {os.getpid()} already"):
            CollectorLock(data_dir).acquire()
    assert (holder(data_dir), is_held(data_dir)) == (None, False)
    lock.release()
    with CollectorLock(data_dir):
        assert is_held(data_dir)


def test_a_lock_file_left_behind_is_no_lock(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / FILE_NAME).write_text("1\n")
    assert holder(data_dir) is None
    with CollectorLock(data_dir):
        assert holder(data_dir) == os.getpid()


def test_a_lock_file_that_is_a_link_is_not_followed(
    data_dir: Path, tmp_path: Path
) -> None:
    data_dir.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("do not touch")
    (data_dir / FILE_NAME).symlink_to(precious)
    with pytest.raises(YolotopError, match="cannot be opened"):
        CollectorLock(data_dir).acquire()
    assert precious.read_text() == "do not touch"
