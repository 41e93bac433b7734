"""Files that a person asks for: a new one each time, theirs alone, never over another.

Owns the name, the mode and which folder takes it. It must not know what is in them,
nor Textual.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from yolotop.errors import YolotopError
from yolotop.text import clean

MOST_OF_A_NAME: Final = 1_000
"""Files of one name in one folder: who has more is asked to name another."""
_LONGEST: Final = 100
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class NotWritten(YolotopError):  # noqa: N818 - reads as what happened
    """No folder took the file."""

    title = "Nothing was written"


def folders() -> list[Path]:
    """Where files go: the current directory, or the home folder where that fails."""
    found: list[Path] = []
    # A working directory can be deleted under a program, a user can have no home.
    with suppress(OSError):
        found.append(Path.cwd())
    with suppress(RuntimeError):
        found.append(Path.home())
    return found


def safe_name(name: str) -> str:
    """A file name that means the same in every shell: foreign names may be in it."""
    suffix = re.search(r"\.[A-Za-z0-9]{1,10}$", name)
    end = suffix[0] if suffix else ""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name.removesuffix(end))
    return (stem[:_LONGEST].strip("-") or "yolotop") + end


def write_new(text: str, name: str, where: Sequence[Path]) -> Path:
    """Write ``text`` into a new file of mode 0600 in the first folder that takes it.

    ``name`` becomes ``name-2``, ``-3`` where there is one already. Raises
    :class:`NotWritten` with the last reason.
    """
    name = safe_name(name)
    reason = "there is no folder to write to"
    for folder in where:
        try:
            return _write(text, folder, name)
        except OSError as error:
            reason = f"{clean(str(folder))}: {error.strerror}"
    raise NotWritten(reason, hint="Start yolotop in a directory that can be written to")


def _write(text: str, folder: Path, name: str) -> Path:
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    for number in range(1, MOST_OF_A_NAME):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{dot}{suffix}"
        try:
            descriptor = os.open(path, _FLAGS, mode=0o600)
        except FileExistsError:
            continue
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError:
            # Half a file is worse than none: it would be taken for a whole one.
            path.unlink(missing_ok=True)
            raise
        return path
    raise FileExistsError(0, f"there are {MOST_OF_A_NAME} files named {name}")
