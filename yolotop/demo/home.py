"""The demo's own data directory: where, that it is one, and one demo at a time.

Owns the directory and what may be deleted in it. It must not know processes or
screens. A demo's history is never mixed with that of a user's own deployments.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from yolotop.config.load import absolute, user_data_dir
from yolotop.demo.script import CONFIG_NAME, KEY_NAME, PLATFORM_KEY_NAME
from yolotop.errors import LockedError, StoreError, UsageError
from yolotop.text import clean

LOCK_NAME: Final = "demo.lock"
FLEET_LOG: Final = "fleet.log"
COLLECTOR_LOG: Final = "collector.log"
_HISTORY: Final = "yolotop.db"


def locate(data_dir: Path | None, *, env: Mapping[str, str]) -> Path:
    """Return the demo's directory: the flag, or ``demo`` inside the usual one."""
    if data_dir is not None:
        return absolute(data_dir)
    if env.get("YOLOTOP_DATA_DIR"):
        return absolute(Path(env["YOLOTOP_DATA_DIR"])) / "demo"
    return user_data_dir(env) / "demo"


@contextlib.contextmanager
def open_home(path: Path) -> Iterator[Path]:
    """Create the directory, make sure that it is a demo's, and keep others out.

    Raises UsageError when it holds another history, LockedError when a demo runs in
    it, StoreError when it cannot be used.
    """
    shown = clean(str(path))
    try:
        if (path / _HISTORY).exists() and not (path / LOCK_NAME).exists():
            raise UsageError(
                f"{shown} holds a history that is not a demo's",
                hint="Name another directory with --data-dir, or leave the option out",
            )
        if path.exists() and not path.is_dir():
            raise UsageError(
                f"{shown} is not a directory", hint="Name another with --data-dir"
            )
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path / LOCK_NAME, flags, mode=0o600)
    except OSError as error:
        raise StoreError(
            f"{shown}: cannot be used ({error.strerror})",
            hint="Correct its permissions, or name another with --data-dir",
        ) from None
    try:
        _lock(descriptor, shown)
        yield path
    finally:
        os.close(descriptor)


def _lock(descriptor: int, shown: str) -> None:
    # The kernel lets go of it when the process ends, however it ends.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        raise LockedError(
            f"Process {pid or 'unknown'} is showing the demo from {shown}",
            hint="Quit that one, or give this one a --data-dir of its own",
            title="A demo is running already",
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def reset(path: Path) -> None:
    """Delete the history and the config copy of a demo that is open and not running."""
    names = (CONFIG_NAME, KEY_NAME, PLATFORM_KEY_NAME, FLEET_LOG, COLLECTOR_LOG)
    for file in (*(path / name for name in names), *path.glob(f"{_HISTORY}*")):
        file.unlink(missing_ok=True)
