"""The console script: the terminal at once, or else the command line as Typer reads it.

Owns how the program begins and ends. It must not know a command. Typer and the
commands take 60 ms to load, a fifth of the time to the first picture, and ``yolotop``
alone needs none of them; any word but the two that say where things are goes to Typer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from yolotop import crash
from yolotop.errors import ExitCode, YolotopError

_PLACES: Final = {"--config": "config", "-c": "config", "--data-dir": "data_dir"}


def run() -> NoReturn:
    """Never returns, never shows a traceback."""
    crash.install()
    for stream in (sys.stdout, sys.stderr):
        # A name from afar must not stop a command in a Latin-1 locale.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    code: int | str | None
    try:
        code = _begin(sys.argv[1:])
    except SystemExit as exit_:
        code = exit_.code
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last stop: told and written down
        from yolotop.cli import failure

        failure.tell_crash(error)
        code = failure.CRASHED
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        from yolotop.cli import failure

        failure.hush_stdout()
        code = failure.CLOSED_PIPE
    sys.exit(code)


def _begin(words: Sequence[str]) -> int:
    places = places_in(words)
    if places is None:
        from yolotop.cli.main import app

        app(prog_name="yolotop")
        return ExitCode.OK
    from yolotop.cli.terminal import run_terminal

    try:
        return run_terminal(
            config_path=places.get("config"), data_dir=places.get("data_dir")
        )
    except YolotopError as error:
        from yolotop.cli import failure

        failure.tell(error)
        return error.exit_code


def places_in(words: Sequence[str]) -> dict[str, Path] | None:
    """Where things are, if the words say no more; ``None``: Typer must read them."""
    found: dict[str, Path] = {}
    if len(words) % 2:
        return None
    for option, value in zip(words[::2], words[1::2], strict=True):
        name = _PLACES.get(option)
        if name is None or name in found or not value or value.startswith("-"):
            return None
        found[name] = Path(value)
    return found
