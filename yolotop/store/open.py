"""The way into the history: a writer for the collector, a reader for every face.

Owns which back end is used and how a data directory is brought into a usable state.
It must not know SQL.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from yolotop.errors import StoreError
from yolotop.model import Event, EventKind, Severity, StoreSettings
from yolotop.store.disk import Disk, check_local
from yolotop.store.protocol import Reader, Writer
from yolotop.store.sqlite import file
from yolotop.store.sqlite.connection import connect_reader, connect_writer
from yolotop.store.sqlite.reader import SqliteReader
from yolotop.text import clean

FILE_NAME = file.FILE_NAME
"""The history inside a data directory."""
RuinedError = file.RuinedError
"""What a reader raises until a collector has moved the database aside."""
TOLD_S: Final = 7 * 86_400
"""For how long it is told on every screen that a history was damaged."""


async def open_writer(
    data_dir: Path,
    *,
    settings: StoreSettings | None = None,
    now: Callable[[], float] = time.time,
) -> Writer:
    """The writer of ``data_dir``; the caller holds the collector's lock.

    A database that is ruined is moved aside and a fresh one started, whose first
    event says so. Raises StoreError (SchemaTooNew) when there is nothing to be done:
    a newer file, a disk that cannot be written, a network file system.
    """
    # A face only reads; the writer's modules cost it 10 ms of its first picture.
    from yolotop.store.sqlite.writer import SqliteWriter

    settings = settings or StoreSettings()
    path = data_dir / file.FILE_NAME
    if not settings.allow_network:
        await asyncio.to_thread(check_local, data_dir)
    aside = await asyncio.to_thread(_recover, path, now)
    disk = Disk(data_dir, settings.min_free_bytes)
    writer = SqliteWriter(await connect_writer(path), path, disk, settings)
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

    Where nothing can be written (a disk mounted read-only, somebody else's directory)
    it reads what is there. Raises StoreError for a ruined database: only a collector
    may move it aside.
    """
    path = data_dir / file.FILE_NAME
    await asyncio.to_thread(_ready, path)
    return SqliteReader(await connect_reader(path), path)


def loss(data_dir: Path, now: float) -> str:
    """That a damaged history lies beside the one in use, and where; else empty.

    Who has dealt with it removes the file; after a week it is no news any more.
    """
    recent = [
        aside
        for at, aside in file.set_aside(data_dir / file.FILE_NAME)
        if now - at < TOLD_S
    ]
    if not recent:
        return ""
    more = f" and {len(recent) - 1} more" if len(recent) > 1 else ""
    return (
        f"the history was damaged, see {clean(_short(recent[-1]))}{more}; "
        "this is said until it is removed"
    )


def _short(path: Path) -> str:
    """With ``~`` for the home folder: a line is short, and the name comes last."""
    with suppress(ValueError, RuntimeError):
        return f"~/{path.relative_to(Path.home())}"
    return str(path)


def _ready(path: Path) -> None:
    if path.exists() and not os.access(path.parent, os.W_OK):
        file.check_readable(path)
        return
    if not path.exists():
        # One that is there was allowed to be.
        check_local(path.parent)
    file.prepare(path)


def _recover(path: Path, now: Callable[[], float]) -> Path | None:
    if path.exists() and not os.access(path.parent, os.W_OK):
        raise StoreError(
            f"{path.parent} cannot be written",
            hint="Make the data directory writable, or choose one with --data-dir",
        )
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
