"""Starting and stopping a collector from another process.

Owns the detached child and how its end is awaited. It must not know what a face does
with it, and imports nothing of the collector: faces start it, they do not load it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from yolotop.collect.lock import holder, is_held
from yolotop.errors import ExitCode, StoreError, YolotopError
from yolotop.text import clean, redact

LOG_NAME: Final = "collector.log"
LOG_BYTES: Final = 1_000_000
"""From this size on the log becomes ``collector.log.1`` at the next start."""
START_S: Final = 15.0
_POLL_S: Final = 0.02
_TAIL: Final = 2_000

# Collectors this process started: they are its children until it ends, and a child
# that dies must be reaped or it looks alive for ever.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class Ensured:
    """Who collects now. ``started``: this call started it, so it may stop it."""

    pid: int | None
    started: bool


def ensure(
    *, config_path: Path | None, data_dir: Path, owner_pid: int | None = None
) -> Ensured:
    """See that somebody collects into ``data_dir``; start a collector if nobody does.

    The collector is detached: its own session, so that it outlives a terminal that
    hangs up, with its log in ``collector.log``. Returns once it holds the lock, within
    15 s. Raises YolotopError with the end of its log when it ends instead. With
    ``owner_pid`` the collector stops once that process is gone.
    """
    _reap()
    if is_held(data_dir):
        return Ensured(holder(data_dir), started=False)
    child = _start(config_path, data_dir, owner_pid)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        code = child.poll()
        pid = holder(data_dir)
        if pid == child.pid:
            _children[child.pid] = child
            return Ensured(pid, started=True)
        if pid is not None or code == ExitCode.LOCKED:
            # Another terminal's collector was faster; ours is on its way out.
            child.wait()
            return Ensured(holder(data_dir), started=False)
        if code is not None:
            raise YolotopError(
                f"it ended with exit code {code}: {_last_words(data_dir)}",
                hint="Run `yolotop collect` to see all of it",
                title="The collector could not be started",
            )
        time.sleep(_POLL_S)
    child.terminate()
    child.wait()
    raise YolotopError(
        f"it did not begin within {START_S:g} s: {_last_words(data_dir)}",
        hint="Run `yolotop collect` to see what it waits for",
        title="The collector could not be started",
    )


def stop(pid: int, timeout_s: float = 15.0) -> bool:
    """Ask the collector ``pid`` to stop and wait; whether it has ended in time."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if not _is_running(pid):
            return True
        time.sleep(_POLL_S)
    return not _is_running(pid)


def end(data_dir: Path, pid: int, timeout_s: float) -> bool:
    """Ask somebody else's collector to stop; whether it has given the lock back.

    Not whether its process is gone: one that its parent does not reap looks alive.
    Raises PermissionError where it is another user's.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while holder(data_dir) == pid:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def command(
    *, config_path: Path | None, data_dir: Path, owner_pid: int | None = None
) -> list[str]:
    """The command line of a collector."""
    # -P: `-m` alone would import from the current directory first, where any h11.py
    # would become part of the collector.
    words = [sys.executable, "-P", "-m", "yolotop", "collect"]
    words += ["--data-dir", str(data_dir)]
    if config_path is not None:
        words += ["--config", str(config_path.absolute())]
    if owner_pid is not None:
        words += ["--owner-pid", str(owner_pid)]
    return words


def _start(
    config_path: Path | None, data_dir: Path, owner_pid: int | None
) -> subprocess.Popen[bytes]:
    words = command(
        config_path=config_path, data_dir=data_dir.absolute(), owner_pid=owner_pid
    )
    with _open_log(data_dir) as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _open_log(data_dir: Path) -> IO[bytes]:
    path = data_dir / LOG_NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_name(f"{LOG_NAME}.1"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.fdopen(os.open(path, flags, mode=0o600), "ab")
    except OSError as error:
        raise StoreError(
            f"{clean(str(path))}: cannot be opened ({error.strerror})",
            hint="Correct the directory's permissions, or name another with --data-dir",
        ) from None


def _last_words(data_dir: Path) -> str:
    try:
        with (data_dir / LOG_NAME).open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _TAIL))
            text = log.read().decode("utf-8", errors="replace")
    except OSError:
        return "its log cannot be read"
    lines = [line for line in text.splitlines() if line.strip()]
    return redact(clean(" ".join(lines[-4:]), limit=500)) or "it said nothing"


def _reap() -> None:
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            del _children[pid]


def _is_running(pid: int) -> bool:
    child = _children.get(pid)
    if child is not None:
        if child.poll() is None:
            return True
        del _children[pid]
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
