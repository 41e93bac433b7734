"""Connections: one that writes, many that only read, and their transactions.

Owns pragmas and the translation of errors. It must not know any
table but the one that both sides read: the states.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import aiosqlite

from yolotop.errors import StoreError
from yolotop.store.sqlite.failures import BUSY_S, translated

Rows = list[tuple[Any, ...]]
Statement = tuple[str, Sequence[Sequence[object]]]
"""SQL and the rows to run it with."""

STATES: Final = "SELECT name, body FROM state JOIN deployment ON id = dep"

_WRITER_PRAGMAS: Final = (
    # Loses nothing when the process dies; a power cut may take the last commits but
    # leaves the file sound. FULL costs ten times as much.
    "PRAGMA synchronous = NORMAL",
    # A reader that held on to an old snapshot once let another monitor's log grow to
    # 630 MB; after a checkpoint the log is cut to this.
    "PRAGMA journal_size_limit = 16777216",
)
_READER_PRAGMAS: Final = (
    "PRAGMA query_only = ON",
    # Shows at once whether the file can be read at all.
    "SELECT count(*) FROM sqlite_schema",
)


async def connect_writer(path: Path) -> aiosqlite.Connection:
    """A connection that may write; the file must have been prepared."""
    return await _connect(path, "rw", _WRITER_PRAGMAS)


async def connect_reader(path: Path) -> aiosqlite.Connection:
    """A connection that cannot write.

    Where the directory cannot be written either, the log's index cannot be made, and
    the file is opened as one that nobody changes.
    """
    try:
        return await _connect(path, "ro", _READER_PRAGMAS)
    except StoreError as error:
        if os.access(path.parent, os.W_OK):
            raise
        try:
            return await _connect(path, "ro&immutable=1", _READER_PRAGMAS)
        except StoreError:
            raise error from None


async def _connect(
    path: Path, mode: str, pragmas: Iterable[str]
) -> aiosqlite.Connection:
    with translated(path):
        connection = await aiosqlite.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
        )
        try:
            for pragma in pragmas:
                await connection.execute_fetchall(pragma)
        except BaseException:
            await connection.close()
            raise
    return connection


async def fetch(
    connection: aiosqlite.Connection, sql: str, values: Sequence[object] = ()
) -> Rows:
    """All rows of one statement; its read transaction is over when this returns."""
    return [tuple(row) for row in await connection.execute_fetchall(sql, values)]


@asynccontextmanager
async def transaction(connection: aiosqlite.Connection) -> AsyncIterator[None]:
    """All or nothing, also when the task is cancelled in the middle."""
    try:
        await connection.execute_fetchall("BEGIN IMMEDIATE")
        yield
        await connection.execute_fetchall("COMMIT")
    except BaseException:
        # A cancelled statement still runs, since it waits in the connection's queue,
        # and this one after it. There is nothing to roll back when the disk is full
        # (SQLite did it) or the COMMIT got through; that error would hide the reason.
        with suppress(sqlite3.OperationalError):
            await connection.execute_fetchall("ROLLBACK")
        raise


async def run(connection: aiosqlite.Connection, statements: Iterable[Statement]) -> int:
    """Run each statement with each of its rows; returns the rows changed."""
    changed = 0
    for sql, rows in statements:
        if rows:
            cursor = await connection.executemany(sql, rows)
            changed += max(cursor.rowcount, 0)
            await cursor.close()
    return changed
