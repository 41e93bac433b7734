"""One writer per data directory: an advisory lock that dies with its process.

Owns the lock file and who is named in it. ``flock`` and not the file's existence is
the lock, so nothing is left to clean up after ``kill -9``. It must not know what the
holder does with the directory.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from yolotop.errors import LockedError, StoreError
from yolotop.text import clean

FILE_NAME: Final = "collector.lock"
_ATTEMPTS: Final = 15
_PAUSE_S: Final = 0.02


class CollectorLock:
    """The right to write in ``data_dir``; a context manager."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / FILE_NAME
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock and leave our process id in it.

        Raises :class:`LockedError` naming the holder, :class:`StoreError` when the
        directory cannot be used. Another process asking :func:`holder` locks for an
        instant, so a refusal is final only after 0.3 s.
        """
        if self._descriptor is not None:
            return
        descriptor = _open(self.path)
        for attempt in range(_ATTEMPTS):
            if _try_lock(descriptor, fcntl.LOCK_EX):
                break
            if attempt + 1 < _ATTEMPTS:
                time.sleep(_PAUSE_S)
        else:
            pid = _read_pid(descriptor)
            os.close(descriptor)
            who = f"process {pid}" if pid is not None else "another process"
            raise LockedError(
                f"{who} already collects into {clean(str(self.path.parent))}",
                hint="Attach to it with `yolotop`, stop it with `yolotop stop`, "
                "or name another directory with --data-dir",
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; idempotent. The file stays: unlinking it would race."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def is_held(data_dir: Path) -> bool:
    """Whether some process collects into ``data_dir``."""
    return _look(data_dir)[0]


def holder(data_dir: Path) -> int | None:
    """The process id of the collector of ``data_dir``, or ``None``: nobody collects.

    Also ``None`` for the instant between a holder's locking and its leaving its id.
    """
    return _look(data_dir)[1]


def holds(pid: int, data_dir: Path) -> bool:
    """Whether that process of this machine has the lock file open, as far as one sees.

    The id in the file may be of another container, where the same number is somebody
    else. Where the system does not tell (no ``/proc``, another user's process), the
    file is believed.
    """
    try:
        lock = (data_dir / FILE_NAME).stat()
        descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return is_held(data_dir)
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            if os.path.samestat(descriptor.stat(), lock):
                return True
    return False


def _look(data_dir: Path) -> tuple[bool, int | None]:
    try:
        descriptor = os.open(
            data_dir / FILE_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        )
    except OSError:
        return False, None
    try:
        if _try_lock(descriptor, fcntl.LOCK_SH):
            return False, None
        return True, _read_pid(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, mode=0o600
        )
    except OSError as error:
        raise StoreError(
            f"{clean(str(path))}: cannot be opened ({error.strerror})",
            hint="Correct the directory's permissions, or name another with --data-dir",
        ) from None


def _try_lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise StoreError(
            f"the data directory cannot be locked ({error.strerror})",
            hint="Use a directory on a local disk",
        ) from None
    return True


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None
