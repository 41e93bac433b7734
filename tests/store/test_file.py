"""The database file: private, migrated, recovered; never another program's."""

# ruff: noqa: ASYNC240 - nothing else runs on this loop

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from yolotop.errors import SchemaTooNew, StoreError
from yolotop.model import Deployment, EventKind, Severity
from yolotop.store.open import loss
from yolotop.store.sqlite.file import move_aside, prepare
from yolotop.store.sqlite.reader import SqliteReader
from yolotop.store.sqlite.schema import MIGRATIONS, Migration
from yolotop.store.sqlite.writer import SqliteWriter

if TYPE_CHECKING:
    from tests.store.conftest import Backend, Make

SECOND = Migration(
    MIGRATIONS[-1].number + 1,
    (
        "ALTER TABLE deployment ADD COLUMN colour REAL",
        "UPDATE deployment SET colour = 0.999",
    ),
)
BROKEN = Migration(SECOND.number, ("CREATE TABLE half (a)", "UPDATE nowhere SET a = 1"))


@pytest.fixture
async def filled(here: Backend, make: Make) -> Path:
    """A database with one probe in it, closed."""
    writer = await here.writer()
    await writer.append([make()], [], {})
    await writer.close()
    return here.data_dir / "yolotop.db"


def ask(path: Path, sql: str) -> object:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchone()[0]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_damaged_history_is_told_for_a_week_or_until_it_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    at, days = 1_790_000_000.0, 86_400.0
    path = tmp_path / "data" / "yolotop.db"
    path.parent.mkdir()
    assert loss(path.parent, at) == ""
    for number in range(2):
        path.write_bytes(b"no database")
        path.with_name("yolotop.db-wal").write_bytes(b"nor its log")
        aside = move_aside(path, at + number * days)
    path.with_name("yolotop.db.corrupt-someday").touch()
    told = loss(path.parent, at + 2 * days)
    assert "see ~/data/yolotop.db.corrupt-20260922T141320Z and 1 more;" in told
    assert "and 1 more" not in loss(path.parent, at + 7.5 * days)
    assert loss(path.parent, at + 8 * days) == ""
    aside.unlink()
    assert "see ~/data/yolotop.db.corrupt-20260921T141320Z;" in (
        loss(path.parent, at + 2 * days)
    )


async def test_nobody_else_can_read_the_history(
    here: Backend, tmp_path: Path, make: Make
) -> None:
    before = os.umask(0)
    try:
        data_dir = tmp_path / "new" / "data"
        here.data_dir = data_dir
        writer = await here.writer()
        await writer.append([make()], [], {})
        assert mode(data_dir) == 0o700
        assert {p.name: mode(p) for p in data_dir.iterdir()} == {
            "yolotop.ballast": 0o600,
            "yolotop.db": 0o600,
            "yolotop.db-wal": 0o600,
            "yolotop.db-shm": 0o600,
        }
    finally:
        os.umask(before)


async def test_a_symbolic_link_is_refused(
    here: Backend,
    tmp_path: Path,
) -> None:
    (tmp_path / "yolotop.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(StoreError, match="symbolic link"):
        await here.writer()
    assert not (tmp_path / "elsewhere.db").exists()


def test_the_file_says_whose_it_is(filled: Path) -> None:
    assert ask(filled, "PRAGMA application_id") == int.from_bytes(b"YOLO")
    assert ask(filled, "PRAGMA user_version") == MIGRATIONS[-1].number
    assert ask(filled, "PRAGMA journal_mode") == "wal"
    assert ask(filled, "PRAGMA auto_vacuum") == 2


def test_migrations_are_numbered_without_gaps() -> None:
    assert [m.number for m in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


async def test_an_older_file_is_backed_up_and_migrated(filled: Path) -> None:
    prepare(filled, migrations=[*MIGRATIONS, SECOND])
    assert ask(filled, "PRAGMA user_version") == SECOND.number
    assert ask(filled, "SELECT colour FROM deployment") == 0.999
    assert ask(filled, "SELECT count(*) FROM probe") == 1
    [backup] = filled.parent.glob("*.bak")
    assert backup.name == f"yolotop.db.v{MIGRATIONS[-1].number}.bak"
    assert mode(backup) == 0o600
    assert ask(backup, "PRAGMA user_version") == MIGRATIONS[-1].number
    assert ask(backup, "SELECT count(*) FROM probe") == 1
    # Done: a second start finds nothing to do.
    prepare(filled, migrations=[*MIGRATIONS, SECOND])


async def test_a_migration_that_fails_leaves_the_file_as_it_was(filled: Path) -> None:
    with pytest.raises(StoreError, match="no such table: nowhere"):
        prepare(filled, migrations=[*MIGRATIONS, BROKEN])
    assert ask(filled, "PRAGMA user_version") == MIGRATIONS[-1].number
    assert ask(filled, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'") == 0
    prepare(filled)


async def test_a_newer_file_is_refused_with_the_cure(
    here: Backend, filled: Path
) -> None:
    prepare(filled, migrations=[*MIGRATIONS, SECOND])
    before = filled.read_bytes()
    for opening in (here.writer, here.reader):
        with pytest.raises(SchemaTooNew, match=f"schema {SECOND.number}") as caught:
            await opening()
        assert "Upgrade yolotop" in caught.value.hint
    assert filled.read_bytes() == before


async def test_another_programs_database_is_left_alone(
    here: Backend, tmp_path: Path
) -> None:
    path = tmp_path / "yolotop.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (a)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        await here.writer()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


async def test_an_empty_file_becomes_a_database(
    here: Backend, tmp_path: Path, make: Make
) -> None:
    (tmp_path / "yolotop.db").touch(mode=0o600)
    writer = await here.writer()
    assert await writer.append([make()], [], {}) == 1


@pytest.mark.parametrize(
    "junk", [b"not a database " * 500, b"\x00" * 8192], ids=["text", "zeros"]
)
async def test_a_ruined_file_is_moved_aside_and_said_so(
    here: Backend, tmp_path: Path, make: Make, junk: bytes
) -> None:
    (tmp_path / "yolotop.db").write_bytes(junk)
    with pytest.raises(StoreError) as caught:
        await here.reader()
    assert "collector" in caught.value.hint

    writer = await here.writer(now=lambda: 1_790_000_000.0)
    reader = await here.reader()
    aside = tmp_path / "yolotop.db.corrupt-20260921T141320Z"
    assert aside.read_bytes() == junk
    [line] = await reader.log(min_severity=Severity.CRITICAL)
    assert line.event is EventKind.STORE
    assert aside.name in line.message
    assert await writer.append([make()], [], {}) == 2


async def test_a_page_torn_under_an_unclean_shutdown_is_found(
    here: Backend, filled: Path, make: Make
) -> None:
    writer = await here.writer()
    await writer.append([make(message=f"{n}" * 50) for n in range(3_000)], [], {})
    await writer.close()
    data = bytearray(filled.read_bytes())
    page = 4096
    data[page * 5 : page * 30] = b"\xff" * page * 25
    filled.write_bytes(data)
    # What a writer that was killed leaves: a log that is not empty.
    filled.with_name("yolotop.db-wal").write_bytes(b"\x00" * 64)
    writer = await here.writer()
    assert await writer.append([make()], [], {}) == 2
    await writer.close()
    assert len(list(filled.parent.glob("*.corrupt-*"))) >= 1


async def test_a_reader_follows_to_the_file_that_replaced_its_own(
    here: Backend, tmp_path: Path, make: Make
) -> None:
    writer = await here.writer()
    await writer.append([make(message="old")] * 3, [], {})
    reader = await here.reader()
    await writer.close()
    before = await reader.data_version()
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name.replace("yolotop.db", "gone.db")))
    assert await reader.data_version() == before, "nothing there yet: stay"
    writer = await here.writer()
    await writer.append([make(message="new")], [], {})
    assert await reader.data_version() != before
    assert [line.message for line in await reader.log()] == ["new"]


async def test_a_reader_cannot_write(
    here: Backend,
    filled: Path,
) -> None:
    reader = await here.reader()
    with pytest.raises(StoreError, match="readonly"):
        await reader._fetch("DELETE FROM probe")  # type: ignore[attr-defined]


async def test_a_missing_directory_that_cannot_be_made_is_named(
    here: Backend,
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    here.data_dir = tmp_path / "file" / "data"
    with pytest.raises(StoreError, match="file"):
        await here.writer()


async def test_many_may_open_a_new_directory_at_once(here: Backend) -> None:
    here.data_dir /= "new"
    writer, *readers = await asyncio.gather(
        here.writer(), *(here.reader() for _ in range(8))
    )
    assert isinstance(writer, SqliteWriter)
    await writer.register([Deployment(name="one", url="http://one.example")], 0.0)
    for reader in readers:
        assert isinstance(reader, SqliteReader)
        assert [d.name for d in await reader.deployments()] == ["one"]
