"""A baseline pinned to a deployment: its file, and the keys that name it.

Owns doing both or neither. It must not know who asked, or where the answer came from.
The config file is rewritten even where its text stays the same: that is how a collector
hears that there is another baseline.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import tomlkit

from yolotop.config.baseline import Unreadable, document_of, from_document, text_of
from yolotop.config.edit import lines_of, locked, replace, sections_of
from yolotop.config.golden import FOLDER, digest_of, file_name
from yolotop.config.load import absolute, parse, read_text
from yolotop.config.locate import Section
from yolotop.errors import ConfigError
from yolotop.model import Baseline
from yolotop.text import clean

_KEYS = ("image", "golden", "expect")
"""All that a pin may change."""


def pin(path: Path, name: str, image: str, baseline: Baseline) -> Path:
    """Ask the deployment with the file ``image``, and compare with ``baseline``.

    Returns the baseline's file. An image below the config file's folder is named
    relative to it, so that both can be moved. Raises
    :class:`~yolotop.errors.ConfigError`, with all files as they were, when there is no
    such deployment or image, or the image is not the one that was answered.
    """
    path, picture = absolute(path), absolute(Path(image))
    found = digest_of(picture)
    if found is None:
        raise ConfigError(
            f"{clean(str(picture))}: is no image file that can be read",
            hint="Name a JPEG or PNG file",
        )
    if found != baseline.image_sha256:
        raise ConfigError(
            f"{clean(str(picture))}: has changed since it was sent",
            hint="Send it again, and pin that answer",
        )
    if picture.is_relative_to(path.parent):
        picture = picture.relative_to(path.parent)
    file = path.parent / FOLDER / file_name(name)
    wanted = {"image": str(picture), "golden": f"{FOLDER}/{file.name}"}

    def change(table: Any) -> None:  # tomlkit's types are of any table
        table.update(wanted)
        expect = table.get("expect")
        if isinstance(expect, Mapping):
            # Only a synthetic image has drawn shapes.
            expect.pop("drawn", None)  # type: ignore[attr-defined]

    with locked(path, create=False) as target:
        text = read_text(target)
        changed = _edited(text, path, name, change)
        with _in_place(file, text_of(document_of(baseline, name))):
            replace(path, target, changed, was=text)
    return file


def pin_document(path: Path, name: str, image: str, document: object) -> Path:
    """The same with a baseline as JSON values. Raises ConfigError for what is none."""
    try:
        baseline = from_document(document)
    except Unreadable as error:
        raise ConfigError(
            f"the answer cannot be pinned: {error}", hint="Send the image again"
        ) from None
    return pin(path, name, image, baseline)


def unpin(path: Path, name: str) -> None:
    """Compare no longer. The image stays: it is sent as before.

    The baseline's file goes where it is the one that :func:`pin` writes.
    """
    path = absolute(path)
    file = path.parent / FOLDER / file_name(name)
    with locked(path, create=False) as target:
        text = read_text(target)
        changed = _edited(text, path, name, lambda table: table.pop("golden", None))
        replace(path, target, changed, was=text)
        with suppress(OSError):
            file.unlink(missing_ok=True)


def _edited(text: str, path: Path, name: str, change: Callable[[Any], object]) -> str:
    index, sections = sections_of(text, name, path)
    parse(text, path=path, env=os.environ)  # what was broken before, first
    changed = _changed(text, sections, change)
    _check_only(text, changed, index)
    return changed


def _changed(
    text: str, sections: list[Section], change: Callable[[Any], object]
) -> str:
    """``text`` with the table changed, from its header to its last key.

    What lies between is a document of its own, whatever other tables are among it; all
    else is not even looked at.
    """
    lines = lines_of(text)
    start, end = sections[0].start - 1, sections[-1].end
    document: Any = tomlkit.parse("".join(lines[start:end]))
    change(document["deployment"][0])
    changed = tomlkit.dumps(document)
    if "\r\n" in text:
        changed = changed.replace("\r\n", "\n").replace("\n", "\r\n")
    return "".join([*lines[:start], changed, *lines[end:]])


def _check_only(was: str, now: str, index: int) -> None:
    """Refuse a text that differs in more than those keys of that deployment."""
    before, after = tomllib.loads(was), tomllib.loads(now)
    for document in (before, after):
        for key in _KEYS:
            document["deployment"][index].pop(key, None)
    if before != after:
        raise ConfigError(
            "the deployment is written in a way that cannot be changed safely",
            hint="Set image and golden by hand",
        )


@contextmanager
def _in_place(file: Path, text: str) -> Iterator[None]:
    """The file with ``text`` in it; as it was before if anything fails inside."""
    before: bytes | None = None
    made = not file.parent.exists()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            before = file.read_bytes()
        _write(file, text.encode())
    except OSError as error:
        raise ConfigError(
            f"{clean(str(file))}: cannot be written ({error.strerror})",
            hint="Correct its permissions, or free space on the disk",
        ) from None
    try:
        yield
    except BaseException:
        with suppress(OSError):
            if before is None:
                file.unlink(missing_ok=True)
            else:
                _write(file, before)
            if made:
                file.parent.rmdir()
        raise


def _write(file: Path, data: bytes) -> None:
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(data)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
