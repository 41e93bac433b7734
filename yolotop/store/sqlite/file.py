"""The database file: made private, brought up to date, moved aside when it is ruined.

Owns everything that happens before the first query: modes, identity, migrations,
backup, recovery. It must not know what the tables mean. Plain blocking ``sqlite3``;
``store/open.py`` runs it off the event loop.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from yolotop.errors import SchemaTooNew, StoreError
from yolotop.store.sqlite.failures import BUSY_S, MOVES_ASIDE, translated
from yolotop.store.sqlite.schema import APPLICATION_ID, MIGRATIONS, Migration
from yolotop.text import clean

FILE_NAME: Final = "yolotop.db"
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_CHECK_S: Final = 2.0
"""A check after an unclean shutdown may not hold up the start for longer."""


class RuinedError(StoreError):
    """The file is not a database, or one that is damaged beyond use."""


def create_private(path: Path) -> bool:
    """Make an empty file of mode 0600 in a directory of mode 0700.

    Whether it was made; ``False`` when a file is there already. SQLite itself would
    make it 0644, and its ``-wal`` and ``-shm`` copy the mode of the main file. A
    symbolic link is refused: it would let another user choose what we write to.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        os.close(os.open(path, flags, 0o600))
    except FileExistsError:
        if path.is_symlink():
            raise StoreError(
                f"{path} is a symbolic link",
                hint="Point --data-dir at the real directory instead",
            ) from None
        return False
    return True


def prepare(path: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Create or migrate the database at ``path`` so that it can be used.

    Raises :class:`RuinedError` for what is no sound database, :class:`SchemaTooNew`
    for that of a newer yolotop, :class:`StoreError` for anything else.
    """
    with translated(path):
        create_private(path)
        with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as db:
            try:
                _prepare(db, path, migrations)
            except sqlite3.DatabaseError as error:
                if _is_ruin(error):
                    raise _ruined(path, str(error)) from error
                raise


def check_readable(path: Path) -> None:
    """Look at a database that cannot be written to; raises StoreError (SchemaTooNew)

    for one that cannot be read as it is.
    """
    with translated(path), closing(_read_only(path)) as db:
        try:
            version = _check_owner(db, path, MIGRATIONS)
        except sqlite3.DatabaseError as error:
            if _is_ruin(error):
                raise _ruined(path, str(error)) from error
            raise
    if version < MIGRATIONS[-1].number:
        raise StoreError(
            f"{path} was written by an older yolotop and cannot be brought up to date "
            "where it is: nothing can be written there",
            hint="Make the data directory writable, or choose one with --data-dir",
        )


def _read_only(path: Path) -> sqlite3.Connection:
    # Without its log's index, which cannot be made here, only an immutable database
    # can be opened: what stands in a log that was never checkpointed is not seen.
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)


def check(path: Path) -> None:
    """Look through a database whose last writer did not close it; raises RuinedError.

    Stops without a finding after two seconds: a start must not take minutes.
    """
    wal = path.with_name(path.name + "-wal")
    with translated(path):
        if not wal.exists() or not wal.stat().st_size:
            return
        deadline = time.monotonic() + _CHECK_S
        with closing(sqlite3.connect(path, timeout=BUSY_S)) as db:
            db.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
            try:
                found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
            except sqlite3.OperationalError as error:
                if "interrupted" not in str(error):
                    raise
                return
            except sqlite3.DatabaseError as error:
                if not _is_ruin(error):
                    raise
                found = str(error)
    if found != "ok":
        raise _ruined(path, found)


def move_aside(path: Path, at: float) -> Path:
    """Rename a ruined database with its log; returns the new name."""
    stamp = datetime.fromtimestamp(at, UTC).strftime(_STAMP)
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{number}")
    with translated(path):
        for suffix in ("-wal", "-shm", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
    return aside


def set_aside(path: Path) -> list[tuple[float, Path]]:
    """The databases that were moved aside from ``path``, and when; the newest last."""
    found = []
    for aside in path.parent.glob(f"{path.name}.corrupt-*"):
        stamp = aside.name.rpartition("corrupt-")[2][: len("20261124T020000Z")]
        # Its log and index have a suffix of their own.
        if not aside.name.endswith(("-wal", "-shm")):
            with suppress(ValueError):
                at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()
                found.append((at, aside))
    return sorted(found)


def _prepare(
    db: sqlite3.Connection,
    path: Path,
    migrations: Sequence[Migration],
) -> None:
    newest = migrations[-1].number
    version = _check_owner(db, path, migrations)
    if version == newest:
        return
    if version:
        _back_up(db, path, version)
    else:
        # Only before the first table: lets retention give space back in small steps.
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    _migrate(db, migrations)


def _check_owner(
    db: sqlite3.Connection, path: Path, migrations: Sequence[Migration]
) -> int:
    """The schema's number, 0 where there is none yet; raises for what is not ours."""
    newest = migrations[-1].number
    version = _version(db)
    # In this order: another start may write both between two looks.
    has_tables = bool(db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    owner = int(db.execute("PRAGMA application_id").fetchone()[0])
    if has_tables and owner != APPLICATION_ID:
        raise StoreError(
            f"{path} is a database of another program",
            hint="Choose another directory with --data-dir, or move that file away",
        )
    if version > newest:
        raise SchemaTooNew(
            f"{path} has schema {version}, this yolotop knows up to {newest}",
            hint="Upgrade yolotop, or choose another directory with --data-dir",
        )
    return version


def _migrate(db: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """All that are missing, in one transaction: nobody sees a file between two."""
    db.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: a terminal and a collector may start together.
        version = _version(db)
        for migration in migrations:
            if version < migration.number:
                for statement in migration.statements:
                    db.execute(statement)
                if migration.fill is not None:
                    migration.fill(db)
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                db.execute(f"PRAGMA user_version = {migration.number}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _back_up(db: sqlite3.Connection, path: Path, version: int) -> None:
    backup = path.with_name(f"{path.name}.v{version}.bak")
    if backup.exists():
        return
    # VACUUM INTO takes an empty file, which is how the copy gets our mode. Two may
    # start at once, so each makes its own; what a start that was killed left goes.
    for left in path.parent.glob(f"{backup.name}.*.part"):
        if not _runs(left.suffixes[-2][1:]):
            left.unlink(missing_ok=True)
    partial = path.with_name(f"{backup.name}.{os.getpid()}.part")
    partial.unlink(missing_ok=True)
    create_private(partial)
    try:
        db.execute("VACUUM INTO ?", (str(partial),))
    except sqlite3.Error:
        partial.unlink()
        raise
    with closing(sqlite3.connect(partial)) as copy:
        copied = _version(copy)
    if copied == version and not backup.exists():
        partial.rename(backup)
    else:
        # The other one was faster: this is a copy of what it has already migrated.
        partial.unlink()


def _runs(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _ruined(path: Path, reason: str) -> RuinedError:
    return RuinedError(f"{path}: {clean(reason)}", hint=MOVES_ASIDE)


def _is_ruin(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
