"""Where a key of the Platform comes from, and whether it can be one.

Owns the order of places and the shape of a key. It must not know what a key is used
for. A value never stands in a message: its first eleven characters may, since the
Platform itself shows them.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from yolotop.errors import ConfigError
from yolotop.text import MASK, clean, guard

ENV: Final = "ULTRALYTICS_API_KEY"
SHAPE: Final = re.compile(r"ul_[0-9a-f]{40}", re.ASCII)
SHOWN: Final = 11
"""``ul_`` and eight digits: what the Platform shows of a key to tell it from others."""
LARGEST_BYTES: Final = 1_000_000


def found_key(
    env: Mapping[str, str] = os.environ, *, named: tuple[str, str] | None = None
) -> tuple[str, str]:
    """The key of this machine's user and where it was.

    ``named`` is what somebody named on purpose, and where: a value that cannot be a
    key is an error then, and no other is taken in its place. Else as ultralytics looks
    for it: the environment goes before the settings file that ``yolo login`` writes.
    Raises :class:`~yolotop.errors.ConfigError` where there is none, or none that can
    be one.
    """
    if named is not None:
        value, where = named
        return checked(value.strip(), clean(where)), clean(where)
    value = env.get(ENV, "").strip()
    if value:
        return checked(value, ENV), ENV
    path = settings_path(env)
    place = clean(str(path))
    value = _in_settings(path, place)
    if value:
        return checked(value, f"{place}: api_key"), f"{place}: api_key"
    raise ConfigError(
        f"there is no key of Ultralytics Platform: {ENV} is not set and {place} has no "
        "api_key",
        hint=f"Set {ENV}, run `yolo login KEY`, or name another place in the config: "
        '[platform] api_key = "file:PATH"',
    )


def checked(value: str, where: str) -> str:
    """``value`` if it is shaped like a key, from now on masked wherever it is told.

    Raises :class:`~yolotop.errors.ConfigError`.
    """
    guard(value)
    if SHAPE.fullmatch(value):
        return value
    raise ConfigError(
        f"{where} is no key of Ultralytics Platform (ul_ and 40 digits 0-9 a-f)",
        hint="Copy it again from the Platform's settings",
    )


def shown(key: str) -> str:
    """What may be told of a key: of one in another shape, nothing."""
    return f"{key[:SHOWN]}…" if SHAPE.fullmatch(key) else MASK


def settings_path(
    env: Mapping[str, str] = os.environ, platform: str = sys.platform
) -> Path:
    """Where ultralytics keeps its settings.

    Where it cannot write there it goes to the directory for temporary files. That is
    not looked at: on a shared machine anybody may have put a key there.
    """
    home = Path(env.get("HOME", "") or Path.home())
    if env.get("YOLO_CONFIG_DIR"):
        root = Path(env["YOLO_CONFIG_DIR"])
        if root.parts[:1] == ("~",):
            root = home.joinpath(*root.parts[1:])
    elif platform == "darwin":
        root = home / "Library" / "Application Support"
    else:
        root = Path(env.get("XDG_CONFIG_HOME", "") or home / ".config")
    return root / "Ultralytics" / "settings.json"


def _in_settings(path: Path, place: str) -> str:
    """Empty where there is no file, or no key in it; ``place`` is how it is told."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_BYTES)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigError(
            f"{place} cannot be read: {error.strerror}",
            hint=f"Make it readable, or set {ENV}",
        ) from None
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise ConfigError(
            f"{place} is not JSON", hint=f"Mend it with `yolo settings`, or set {ENV}"
        ) from None
    value = document.get("api_key") if isinstance(document, dict) else None
    return clean(value).strip() if isinstance(value, str) else ""
