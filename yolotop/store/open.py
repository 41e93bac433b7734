"""The way into the history: a writer for the collector, a reader for every face.

Owns which back end is used and how a data directory is brought into a usable state.
It must not know SQL.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from yolotop.model import Event, EventKind, Severity
from yolotop.store.protocol import Reader, Writer
from yolotop.store.sqlite import file
from yolotop.store.sqlite.connection import connect_reader, connect_writer
from yolotop.store.sqlite.reader import SqliteReader
from yolotop.store.sqlite.writer import SqliteWriter


async def open_writer(
    data_dir: Path, *, now: Callable[[], float] = time.time
) -> Writer:
    """The writer of ``data_dir``; the caller holds the collector's lock.

    A database that is ruined is moved aside and a fresh one started, whose first
    event says so. Raises StoreError (SchemaTooNew) when there is nothing to be done.
    """
    path = data_dir / file.FILE_NAME
    aside = await asyncio.to_thread(_recover, path, now)
    writer = SqliteWriter(await connect_writer(path), path)
    try:
        await writer.adopt()
        if aside is not None:
            await writer.append([], [_moved(aside, now())], {})
    except BaseException:
        await writer.close()
        raise
    return writer


async def open_reader(data_dir: Path) -> Reader:
    """A reader of ``data_dir``; creates an empty database when none is there.

    Raises StoreError for a ruined database: only a collector may move it aside.
    """
    path = data_dir / file.FILE_NAME
    await asyncio.to_thread(file.prepare, path)
    return SqliteReader(await connect_reader(path), path)


def _recover(path: Path, now: Callable[[], float]) -> Path | None:
    try:
        file.check(path)
        file.prepare(path)
    except file.RuinedError:
        aside = file.move_aside(path, now())
        file.prepare(path)
        return aside
    return None


def _moved(aside: Path, at: float) -> Event:
    return Event(
        at=at,
        severity=Severity.CRITICAL,
        kind=EventKind.STORE,
        message=f"the history was damaged; it was moved to {aside.name} and a new one "
        "was started",
    )
