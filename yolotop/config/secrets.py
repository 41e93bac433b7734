"""Secrets by reference: ``env:NAME`` and ``file:PATH``.

Owns reading a reference and fetching what it points at, at the moment it is needed.
It must never keep, log or echo a value: no message here holds one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from yolotop.errors import ConfigError
from yolotop.model import SecretRef
from yolotop.text import clean, guard

LARGEST_BYTES: Final = 16_384
"""No key is longer; a path to something else (a disk, a log) is a mistake."""
FORM: Final = '"env:NAME" (an environment variable) or "file:PATH" (a file)'
_ENV_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}", re.ASCII)


def parse_ref(text: str, *, base: Path | None = None) -> SecretRef:
    """The reference in ``text``; a relative file is relative to ``base``.

    Raises :class:`ValueError` with a sentence that never repeats ``text``, since what
    is not a reference may well be the secret itself.
    """
    scheme, colon, target = text.strip().partition(":")
    target = target.strip()
    if not colon or scheme not in ("env", "file"):
        raise ValueError(f"must be a reference, {FORM}, not the key itself")
    if scheme == "env":
        if not _ENV_NAME.fullmatch(target):
            raise ValueError(
                'needs the name of an environment variable after "env:" '
                "(letters, digits and _)"
            )
        # A face never asks with the key, but what it inherits can get into its crash.
        guard(os.environ.get(target, "").strip())
        return SecretRef("env", target)
    if not target or "\0" in target:
        raise ValueError('needs a path after "file:"')
    try:
        path = Path(target).expanduser()
    except RuntimeError:
        raise ValueError('starts with "~" but there is no such home folder') from None
    if base is not None and not path.is_absolute():
        path = base / path
    return SecretRef("file", str(path))


def resolve(ref: SecretRef, *, env: Mapping[str, str] | None = None) -> str:
    """The secret that ``ref`` points at, white space around it stripped.

    Raises :class:`~yolotop.errors.ConfigError` naming the reference and the cure when
    it is missing, empty, unreadable or cannot be sent in a header.
    """
    if ref.scheme == "env":
        value = (os.environ if env is None else env).get(ref.target)
        if value is None:
            raise ConfigError(
                f"The environment variable {ref.target} is not set",
                hint=f"Run `export {ref.target}=…` where the collector starts",
            )
    else:
        value = _read(Path(ref.target))
    value = value.strip()
    guard(value)
    shown = clean(str(ref))
    if not value:
        raise ConfigError(f"The secret at {shown} is empty", hint="Put the key there")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(
            f"The secret at {shown} is not one word of printable ASCII",
            hint="A key holds no spaces, line breaks or other characters",
        )
    return value


def _read(path: Path) -> str:
    shown = clean(str(path))
    try:
        if not path.is_file():
            raise ConfigError(
                f"The secret file {shown} does not exist"
                if not path.exists()
                else f"The secret file {shown} is not a regular file",
                hint="Create it with mode 0600, or correct the path in api_key",
            )
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"The secret file {shown} cannot be read: {error.strerror}",
            hint="Let the user that runs the collector read it",
        ) from None
    if len(raw) > LARGEST_BYTES:
        raise ConfigError(
            f"The secret file {shown} is larger than {LARGEST_BYTES} bytes",
            hint="Point api_key at a file that holds the key and nothing else",
        )
    return raw.decode("utf-8", errors="replace")
