"""What is told and kept of a fault of ours: a traceback without secrets.

Owns the text of a crash, its file, and the last-resort hooks of a process: uncaught
exceptions of the main thread, of other threads and of the event loop, and log lines.
It must not know any command or screen.

Local variables are never written: they hold keys. What an exception says may quote a
server, a header or a file, so all of it passes ``redact()`` and ``clean()``.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from yolotop import __version__
from yolotop.text import clean, redact

LONGEST: Final = 64 * 1024
"""Characters of one traceback or log record; both ends of a longer one are kept."""


def say(error: BaseException, *, limit: int = 300) -> str:
    """The error as one line for people."""
    return guarded(f"{type(error).__name__}: {error}", limit=limit)


def guarded(text: str, *, limit: int = LONGEST, lines: bool = False) -> str:
    """``text`` through the whole gate: values first, since a cut would hide them."""
    # Four limits is all that clean() looks at; a secret is masked before that cut.
    text = redact(text[: limit * 4 + LONGEST])
    return redact(clean(text, limit=limit, lines=lines))


def describe(error: BaseException) -> str:
    """The traceback with its causes, without local variables and secrets."""
    whole = "".join(traceback.format_exception(error))
    if len(whole) > LONGEST:
        half = LONGEST // 2
        whole = f"{whole[:half]}\n…\n{whole[-half:]}"
    return guarded(whole, limit=2 * LONGEST, lines=True)


def keep(error: BaseException, folders: Iterable[Path] = ()) -> Path | None:
    """Write :func:`describe` to a file only its owner can read; where it is.

    The first folder that can be written is taken, the system's temporary one last.
    ``None`` when none can.
    """
    head = f"yolotop {__version__}, Python {sys.version.split()[0]}\n\n"
    body = f"{head}{describe(error)}\n"
    name = time.strftime("crash-%Y%m%dT%H%M%SZ", time.gmtime()) + f"-{os.getpid()}.txt"
    for folder in (*folders, Path(tempfile.gettempdir())):
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / name
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(path, flags, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(body)
            return path
    return None


class GuardedFormatter(logging.Formatter):
    """Formats a record, its traceback included, and passes it through the gate.

    One record stays one line unless it carries a traceback.
    """

    def __init__(self, form: str, date_form: str | None = None) -> None:
        super().__init__(form, date_form)
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """The line (or lines) of one record."""
        lines = bool(record.exc_info or record.exc_text or record.stack_info)
        return guarded(super().format(record), lines=lines)


def install() -> None:
    """Make whatever nobody catches in this process end in a guarded text on stderr."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable
    # asyncio tells of lost exceptions through logging, and logging without a handler
    # through this one.
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(GuardedFormatter("%(message)s"))


def _uncaught(
    kind: type[BaseException], error: BaseException, _: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _tell(describe(error))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or isinstance(args.exc_value, SystemExit):
        return
    name = "a thread" if args.thread is None else args.thread.name
    _tell(f"in {guarded(name, limit=80)}:\n{describe(args.exc_value)}")


def _unraisable(args: sys.UnraisableHookArgs) -> None:
    # The object's repr may be anything's: its type is enough.
    what = type(args.object).__name__
    said = "" if args.exc_value is None else describe(args.exc_value)
    _tell(f"ignored in {what}:\n{said}")


def _tell(text: str) -> None:
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
