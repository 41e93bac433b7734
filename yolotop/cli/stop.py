"""``yolotop stop``: end the collector that a terminal has left behind.

Owns whom it ends, and what is said of it. It must not know how a collector ends: it is
asked with SIGTERM, as systemd asks.
"""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Final

import typer

from yolotop.cli import out
from yolotop.cli.options import ConfigOption, DataDirOption, places
from yolotop.cli.places import Places
from yolotop.errors import ExitCode, UsageError
from yolotop.text import clean

STOP_S: Final = 30.0
"""How long it may take to write what it holds; a disk may be slow."""

NAMELESS_S: Final = 0.5


def stop(
    ctx: typer.Context,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Stop the collector that runs in the background; what it measured is kept.

    Exit codes: 0 no collector runs any more, 1 it goes on, 2 it cannot be stopped from
    here. A terminal that is open starts another one.
    """
    where = places(ctx, config, data_dir).load().data_dir
    pid = _collector_of(where)
    if pid is None:
        out.narrate(f"No collector is running for {clean(str(where))}")
        return
    from yolotop.collect.process import end

    try:
        ended = end(where, pid, STOP_S)
    except PermissionError:
        raise UsageError(
            f"The collector (process {pid}) belongs to another user",
            hint="Stop it as that user",
        ) from None
    if not ended:
        out.narrate(
            f"The collector (process {pid}) was told to stop and has not ended within "
            f"{STOP_S:.0f} s"
        )
        raise typer.Exit(ExitCode.UNHEALTHY)
    out.narrate(
        f"The collector (process {pid}) has stopped. A terminal that is open starts "
        "another one"
    )


def stop_command(said: Places) -> str:
    """What to type to stop the collector of these places."""
    words = ["yolotop", "stop"]
    for flag, path in (("--config", said.config), ("--data-dir", said.data_dir)):
        if path is not None:
            words += [flag, str(path)]
    return shlex.join(words)


def _collector_of(data_dir: Path) -> int | None:
    """The process that holds the lock; UsageError where it is not to be found here."""
    from yolotop.collect.lock import holder, holds, is_held

    # Whoever takes or gives the lock is nameless for an instant.
    deadline = time.monotonic() + NAMELESS_S
    while (pid := holder(data_dir)) is None:
        if not is_held(data_dir):
            return None
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    if pid is None or not holds(pid, data_dir):
        raise UsageError(
            f"Some other process holds {clean(str(data_dir))}, and it is not the one "
            "named in its lock",
            hint="Stop it where it was started; it may run in another container",
        )
    return pid
