"""A disk that is full, read-only or far away: said clearly, and nothing is lost.

Real ENOSPC and EROFS, on a tmpfs of 8 MB. Mounting one takes root and a kernel that
lets it; where that is not so, these tests are skipped and say so.
"""

# ruff: noqa: ASYNC240 - nothing else runs on this loop

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from yolotop.collect.clock import SystemClock
from yolotop.collect.journal import Journal
from yolotop.collect.turns import Turns
from yolotop.errors import StoreError
from yolotop.model import HealthState, StoreSettings
from yolotop.store import disk
from yolotop.store.open import open_reader, open_writer
from yolotop.store.protocol import CollectorStatus, Reader, Writer
from yolotop.view.session import Session
from yolotop.view.snapshot import Range

if TYPE_CHECKING:
    from tests.store.conftest import Make

T0 = 1_790_000_000.0
STATUS = CollectorStatus(7, T0, T0, "0", note="")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A directory on a disk of 8 MB of its own."""
    point = tmp_path / "small"
    point.mkdir(mode=0o700)
    mounted = run("mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "t", str(point))
    if mounted.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield point
    finally:
        assert run("umount", str(point)).returncode == 0


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def writing(stack: AsyncExitStack, where: Path, min_free: int | None) -> Writer:
    settings = StoreSettings(min_free_bytes=min_free)
    writer = await open_writer(where, settings=settings)
    stack.push_async_callback(writer.close)
    return writer


async def reading(stack: AsyncExitStack, where: Path) -> Reader:
    reader = await open_reader(where)
    stack.push_async_callback(reader.close)
    return reader


def fill_up(where: Path, *, leave: int = 0) -> Path:
    """Take all of the disk but ``leave`` bytes."""
    filler = where / "filler"
    found = os.statvfs(where)
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        left = found.f_bavail * found.f_frsize - leave
        while left > 0:
            left -= file.write(b"x" * min(left, 65_536))
    return filler


def test_the_floor_is_two_percent_and_at_most_200_mb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stat(total: int, free: int) -> None:
        found = os.statvfs_result((4096, 4096, total, free, free, 0, 0, 0, 0, 255))
        monkeypatch.setattr("os.statvfs", lambda _: found)

    stat(25_000, 499)  # 100 MB
    with pytest.raises(StoreError, match=r"2\.0 MB are free, less than the 2\.0 MB"):
        disk.Disk(tmp_path).check_room()
    stat(25_000, 501)
    disk.Disk(tmp_path).check_room()
    stat(250_000_000, 48_000)  # 1 TB
    with pytest.raises(StoreError, match="196 MB are free, less than the 200 MB"):
        disk.Disk(tmp_path).check_room()
    stat(250_000_000, 49_000)
    disk.Disk(tmp_path).check_room()
    disk.Disk(tmp_path, min_free_bytes=0).check_room()


async def test_below_the_floor_nothing_is_written_but_the_reason(
    small: Path, stack: AsyncExitStack, make: Make
) -> None:
    writer = await writing(stack, small, 1_000_000)
    reader = await reading(stack, small)
    await writer.append([make()], [], {})
    ballast = small / disk.BALLAST_NAME
    assert ballast.stat().st_size == 131_072
    filler = fill_up(small, leave=600_000)
    with pytest.raises(StoreError, match=r"are free, less than the 1\.0 MB") as caught:
        await writer.append([make()], [], {})
    assert "yolotop goes on by itself" in caught.value.hint
    assert not ballast.exists(), "its space is free for the reason and for retention"
    await writer.beat(STATUS)
    assert await writer.sweep(T0 + 30 * 86_400) > 0
    assert (await reader.collector()) == STATUS
    filler.unlink()
    assert await writer.append([make()], [], {}) == 2
    assert ballast.exists(), "laid again for the next time"


async def test_a_disk_that_is_full_to_the_last_byte(
    small: Path, stack: AsyncExitStack, make: Make
) -> None:
    """No floor: SQLite itself meets ENOSPC, in the middle of its transactions."""
    writer = await writing(stack, small, 0)
    reader = await reading(stack, small)
    acknowledged, number = 0, 0
    states = {"edge": HealthState(successes=1)}
    # Twice: what was refused is written after all, then the disk is full again.

    async def write() -> None:
        nonlocal acknowledged, number
        batch = [make(message=f"n {number + i} " * 9) for i in range(50)]
        acknowledged = await writer.append(batch, [], states)
        number += 50

    async def write_on() -> None:
        while True:
            await write()

    for _ in range(2):
        filler = fill_up(small, leave=300_000)
        with pytest.raises(StoreError, match="full") as caught:
            await write_on()
        assert "Free some disk space" in caught.value.hint
        await writer.beat(STATUS)
        assert await reader.last_seq() == acknowledged
        filler.unlink()
        await write()
    probes = await reader.probes_after(0, limit=100_000)
    assert [probe.seq for probe in probes] == list(range(1, acknowledged + 1))
    assert [p.message.split()[1] for p in probes] == [str(n) for n in range(number)]
    slots = await reader.slots(0, width_s=3600)
    assert sum(slot.requests for slot in slots) == number
    with closing(sqlite3.connect(small / "yolotop.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_the_screen_says_it_and_nothing_that_was_judged_is_lost(
    small: Path, stack: AsyncExitStack, make: Make
) -> None:
    """The journal, the store, the disk and a face's session, all of them real."""
    writer = await writing(stack, small, 1_000_000)
    session = Session(await reading(stack, small), now=lambda: T0 + 60)
    journal = Journal(writer, SystemClock(), Turns())

    async def look() -> str:
        status = CollectorStatus(7, T0, T0 + 60, "0", note=journal.note)
        await writer.beat(status)
        return (await session.refresh(Range.H1)).collector.note

    filler = fill_up(small, leave=600_000)
    for number in range(30):
        journal.add(sample=make(at=T0 + number, message=f"n {number}"))
        assert not await journal._write()
    said = await look()
    assert "the history cannot be written" in said
    assert "less than the 1.0 MB that must stay so" in said
    assert "31 rows kept in memory" in said
    filler.unlink()
    assert await journal._write()
    assert await journal._write(), "what it says about that is a row of its own"
    assert await look() == ""
    reader = await reading(stack, small)
    found = [probe.message for probe in await reader.probes_after(0, limit=99)]
    assert found == [f"n {number}" for number in range(30)]
    told = [line.message for line in await reader.log() if line.event]
    assert "nothing lost" in told[-1]


async def test_a_disk_that_is_read_only(
    small: Path, stack: AsyncExitStack, make: Make
) -> None:
    writer = await writing(stack, small, None)
    await writer.append([make()] * 3, [], {})
    await writer.close()
    assert run("mount", "-o", "remount,ro", str(small)).returncode == 0
    with pytest.raises(StoreError, match="cannot be written") as caught:
        await writing(stack, small, None)
    assert "--data-dir" in caught.value.hint
    reader = await reading(stack, small)
    assert await reader.last_seq() == 3
    assert len(await reader.log()) == 3
    assert (await Session(reader, now=lambda: T0).refresh(Range.H24)).first_at == T0
    assert run("mount", "-o", "remount,rw", str(small)).returncode == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where it wants")
async def test_a_directory_that_is_somebody_elses(
    tmp_path: Path, stack: AsyncExitStack, make: Make
) -> None:
    writer = await writing(stack, tmp_path, None)
    await writer.append([make()], [], {})
    await writer.close()
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="cannot be written"):
            await writing(stack, tmp_path, None)
        reader = await reading(stack, tmp_path)
        assert await reader.last_seq() == 1
    finally:
        tmp_path.chmod(0o700)


MOUNTINFO = r"""
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:21 / /proc rw,nosuid shared:5 - proc proc rw
30 22 0:40 / /home rw,relatime shared:1 master:2 - nfs4 server:/home rw,vers=4.2
31 30 0:41 / /home/ann/fast rw - ext4 /dev/vdb rw
32 22 0:42 / /mnt/my\040share rw - cifs //nas/share rw
33 22 0:43 / /mnt/wsl rw - 9p drvfs rw
34 22 0:44 / /mnt/remote rw - fuse.sshfs me@host: rw
35 22 0:45 / /mnt/twice rw - nfs server:/old rw
36 35 0:46 / /mnt/twice rw - tmpfs tmpfs rw
""".replace("\\\\", "\\")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/var/lib", "ext4"),
        ("/home/ann", "nfs4"),
        ("/home/ann/fast/yolotop", "ext4"),
        ("/home/ann/faster", "nfs4"),
        ("/mnt/my share/x", "cifs"),
        ("/mnt/wsl", "9p"),
        ("/mnt/remote/deep/er", "fuse.sshfs"),
        ("/mnt/twice/x", "tmpfs"),
        ("/homely", "ext4"),
    ],
)
def test_which_file_system_a_path_is_on(path: str, kind: str) -> None:
    assert disk.file_system(path, MOUNTINFO) == kind


async def test_a_network_file_system_is_refused_with_the_cure(
    tmp_path: Path, stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    where = tmp_path / "share" / "yolotop"
    mounts.write_text(f"1 0 0:1 / {tmp_path.resolve()} rw - nfs4 server:/x rw\n")
    monkeypatch.setattr(disk.check_local, "__kwdefaults__", {"mounts": mounts})
    for opening in (open_writer, open_reader):
        with pytest.raises(StoreError, match=r"network file system \(nfs4\)") as caught:
            await opening(where)
        assert "allow_network = true" in caught.value.hint
        assert not where.exists(), "nothing was made there"
    writer = await open_writer(where, settings=StoreSettings(allow_network=True))
    await writer.close()
    # It is there because somebody allowed it: a face needs no leave of its own.
    assert await (await reading(stack, where)).last_seq() == 0


def test_where_nobody_tells_the_file_system_it_is_taken_as_local(
    tmp_path: Path,
) -> None:
    disk.check_local(tmp_path, mounts=tmp_path / "nothing")
    assert disk.file_system("/home", "not a line\n1 2 3 - x\n") == ""
