"""How the command line fails: one screenful that says what, where and the cure.

Owns the rendering of errors. It must not know any command. A traceback never reaches
the terminal; what is kept of it is :mod:`yolotop.crash`'s.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import typer

from yolotop import crash
from yolotop.errors import YolotopError

CLOSED_PIPE = 141
"""128 + SIGPIPE: what a shell reports for any program whose reader went away."""
CRASHED = 70
"""``EX_SOFTWARE`` of sysexits: a fault of ours, told apart from the user's (2)."""


def tell(error: YolotopError) -> None:
    """Title, message and hint on stderr."""
    typer.secho(error.title, fg="red", bold=True, err=True)
    message = crash.guarded(error.message, limit=8_192, lines=True)
    typer.echo(message, err=True)
    if error.hint:
        typer.secho(f"→ {crash.guarded(error.hint)}", fg="yellow", err=True)


def tell_crash(error: BaseException) -> None:
    """A short sentence, and where the rest is."""
    from yolotop.config.load import user_data_dir

    typer.secho("yolotop ran into a fault of its own", fg="red", bold=True, err=True)
    typer.echo(crash.say(error), err=True)
    where = crash.keep(error, [user_data_dir(os.environ)])
    if where is not None:
        typer.echo(f"→ Please report it with {where}", err=True)


def hush_stdout() -> None:
    """After the reader of stdout went away: let the flush at exit go nowhere."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
