"""Changes to the config file that a person would have made: the rest stays as it is.

Owns adding and removing a deployment, creating the file, and how any edit is done. It
must not know who asked.

An edit is a splice: tomlkit writes the new table, the position scanner finds the old
one, and every other byte of the file (comments, order, line ends) stays. What comes
out is validated as a whole before it replaces the file, by rename, so that a reader
sees the old file or the new one and never half of either.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import tomlkit
from tomlkit.items import Table

from yolotop.config.deployment import KEYS
from yolotop.config.load import absolute, parse, read_text
from yolotop.config.locate import Section, locate
from yolotop.config.problems import NameTaken, nearest, quoted
from yolotop.config.starter import STARTER
from yolotop.errors import ConfigError
from yolotop.text import clean


def add_deployment(path: Path, table: Mapping[str, object]) -> None:
    """Append ``table`` as a ``[[deployment]]``; the file is created if need be.

    Raises :class:`~yolotop.errors.ConfigError` and leaves the file alone when the
    result would not be valid (a bad key, a name taken, a file that was broken before).
    """
    path = absolute(path)
    with locked(path, create=True) as target:
        text = read_text(target) if target.exists() else ""
        _check_name(text, table, path)
        replace(path, target, _appended(text, table), was=text)


def preview_deployment(path: Path, table: Mapping[str, object]) -> None:
    """Raise what :func:`add_deployment` would raise for the content; write nothing."""
    path = absolute(path)
    text = read_text(path) if path.exists() else ""
    _check_name(text, table, path)
    parse(_appended(text, table), path=path, env=os.environ)


def remove_deployment(path: Path, name: str) -> None:
    """Take the ``[[deployment]]`` of that name out, from its header to its last key.

    Comments around it stay. Raises :class:`~yolotop.errors.ConfigError` when there is
    none of that name or the rest would not be valid.
    """
    path = absolute(path)
    with locked(path, create=False) as target:
        text = read_text(target)
        replace(path, target, _without(text, name, path), was=text)


def init(path: Path) -> None:
    """Create a commented starter file; an existing file is never overwritten."""
    path = absolute(path)
    with locked(path, create=True) as target:
        if target.exists():
            raise ConfigError(
                f"{clean(str(path))}: is there already",
                hint="Edit it, or name another file with --config",
            )
        replace(path, target, STARTER, was="")


def _check_name(text: str, table: Mapping[str, object], path: Path) -> None:
    # Before the file as a whole is judged: that would name a line of a file that does
    # not exist yet. What else is wrong with either is left to that.
    name = _composed(table.get("name"))
    with suppress(tomllib.TOMLDecodeError):
        if name and name in _names(tomllib.loads(text)):
            raise NameTaken(name, clean(str(path)))


def _names(document: Mapping[str, object]) -> list[str]:
    tables = document.get("deployment", [])
    return [
        _composed(table.get("name")) if isinstance(table, dict) else ""
        for table in (tables if isinstance(tables, list) else [])
    ]


def _appended(text: str, table: Mapping[str, object]) -> str:
    document = tomlkit.document()
    tables = tomlkit.aot()
    tables.append(_written(table))
    document.append("deployment", tables)
    newline = "\r\n" if "\r\n" in text else "\n"
    added = tomlkit.dumps(document).strip("\n").replace("\n", newline) + newline
    if not text.strip():
        return text + added
    # An empty line between tables; the file may lack its last line end.
    return text + (newline if text.endswith("\n") else newline * 2) + added


def _written(table: Mapping[str, object]) -> Table:
    written = tomlkit.table()
    # In the order of the documentation, what was not said left out.
    for key in (*KEYS, *(key for key in table if key not in KEYS)):
        value = table.get(key)
        if value is None:
            continue
        if isinstance(value, Mapping):
            inner = tomlkit.table()
            for name, item in value.items():
                inner[name] = list(item) if isinstance(item, tuple) else item
            written[key] = inner
        else:
            written[key] = list(value) if isinstance(value, tuple) else value
    return written


def _without(text: str, name: str, path: Path) -> str:
    return _cut(text, sections_of(text, name, path)[1])


def sections_of(text: str, name: str, path: Path) -> tuple[int, list[Section]]:
    """Which deployment has that name, and its sections, in order."""
    try:
        names = _names(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        parse(text, path=path, env=os.environ)  # raises with the line
        raise
    name = _composed(name)
    if not name or name not in names:
        known = [known for known in names if known]
        raise ConfigError(
            f"{clean(str(path))}: there is no deployment {quoted(name)}",
            hint=nearest(name, known).capitalize() if known else "It holds none",
        )
    layout = locate(text)
    index = names.index(name)
    sections = [s for s in layout.sections if s.path[:2] == ("deployment", index)]
    if not sections:
        raise ConfigError(
            f"{clean(str(path))}: the deployments are one inline array",
            hint="Write them as [[deployment]] sections, or remove this one by hand",
        )
    return index, sections


def _composed(name: object) -> str:
    return unicodedata.normalize("NFC", name) if isinstance(name, str) else ""


def _cut(text: str, sections: list[Section]) -> str:
    lines = lines_of(text)
    for section in reversed(sections):
        start, end = section.start - 1, section.end
        blank_before = start > 0 and not lines[start - 1].strip()
        blank_after = end == len(lines) or not lines[end].strip()
        if blank_before and blank_after:
            start -= 1
        elif start == 0:
            while end < len(lines) and not lines[end].strip():
                end += 1
        del lines[start:end]
    return "".join(lines)


def lines_of(text: str) -> list[str]:
    """The text's lines, each with its end."""
    # Only LF ends a TOML line; str.splitlines would split at form feeds and more.
    return re.findall(r"[^\n]*\n|[^\n]+", text)


@contextmanager
def locked(path: Path, *, create: bool) -> Iterator[Path]:
    """The file behind ``path`` (a link is followed), one editor at a time.

    The lock is on the folder, so no lock file is left in the user's config folder.
    """
    shown = clean(str(path))
    try:
        target = path.resolve()
        if create:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(target.parent, os.O_RDONLY)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a loop of links"
        raise ConfigError(
            f"{shown}: its folder cannot be used ({reason})",
            hint="Correct the path or the folder's permissions",
        ) from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield target
    finally:
        os.close(folder)


def replace(path: Path, target: Path, text: str, *, was: str) -> None:
    """Put ``text`` in place of ``was`` in one step, if it is valid."""
    parse(text, path=path, env=os.environ)
    shown = clean(str(path))
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        if was and read_text(target) != was:
            raise ConfigError(
                f"{shown}: was changed by someone else meanwhile",
                hint="Nothing was written; try again",
            )
        beside.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise ConfigError(
            f"{shown}: cannot be written ({error.strerror})",
            hint="Correct its permissions, or free space on the disk",
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; not every file system offers that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
