"""How the command line fails: one screenful that says what, where and the cure.

Owns the rendering of errors and the crash file. It must not know any command. A
traceback never reaches the terminal, and local variables never reach a file: both
could hold a key.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path

import typer

from yolotop.errors import YolotopError
from yolotop.text import clean, redact

CLOSED_PIPE = 141
"""128 + SIGPIPE: what a shell reports for any program whose reader went away."""
CRASHED = 70
"""``EX_SOFTWARE`` of sysexits: a fault of ours, told apart from the user's (2)."""


def tell(error: YolotopError) -> None:
    """Title, message and hint on stderr."""
    typer.secho(error.title, fg="red", bold=True, err=True)
    typer.echo(clean(error.message, limit=8_192, lines=True), err=True)
    if error.hint:
        typer.secho(f"→ {clean(error.hint)}", fg="yellow", err=True)


def tell_crash(error: BaseException) -> None:
    """A short sentence, and where the rest is."""
    said = redact(clean(str(error), limit=300))
    typer.secho("yolotop ran into a fault of its own", fg="red", bold=True, err=True)
    typer.echo(f"{type(error).__name__}: {said}", err=True)
    where = _keep(error)
    if where is not None:
        typer.echo(f"→ Please report it with {where}", err=True)


def _keep(error: BaseException) -> Path | None:
    from yolotop import __version__
    from yolotop.config.load import user_data_dir

    text = "".join(traceback.format_exception(error, chain=True))
    body = f"yolotop {__version__}, Python {sys.version.split()[0]}\n\n{redact(text)}"
    name = time.strftime("crash-%Y%m%dT%H%M%SZ", time.gmtime()) + f"-{os.getpid()}.txt"
    for folder in (user_data_dir(os.environ), Path(tempfile.gettempdir())):
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / name
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(body)
            return path
    return None


def hush_stdout() -> None:
    """After the reader of stdout went away: let the flush at exit go nowhere."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
