"""The demo's config file: the shipped one, and the copy that a demo runs from.

Owns how ``demo.toml`` reaches the demo's data directory and how it follows the ports
that were free. The copy belongs to the user: what was added or removed from the
terminal stays. It must not know processes.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import tomlkit
from tomlkit.exceptions import TOMLKitError

from yolotop.demo.cast import HOST
from yolotop.errors import ConfigError
from yolotop.text import clean

CONFIG_NAME: Final = "demo.toml"
KEY_NAME: Final = "demo.key"


def shipped() -> str:
    """Return the text of the shipped ``demo.toml``."""
    return resources.files("yolotop.demo").joinpath(CONFIG_NAME).read_text("utf-8")


def install(
    data_dir: Path, ports: Mapping[str, int], *, source: Path | None = None
) -> Path:
    """Write the config of this run into ``data_dir`` and return its path.

    Starts from ``source``, else from the copy that is there, else from the shipped
    text, and points the fleet's deployments at ``ports``. Raises ConfigError when
    ``source`` or the copy cannot be read.
    """
    path = data_dir / CONFIG_NAME
    begin = source or (path if path.is_file() else None)
    try:
        text = shipped() if begin is None else begin.read_text("utf-8")
        fresh = point(text, ports)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        cure = "Correct it, or begin anew with `yolotop demo --reset`"
        raise ConfigError(
            f"{begin} cannot be read: {_reason(error)}",
            hint="Correct --config" if begin == source else cure,
        ) from error
    if begin != path or fresh != text:
        _write(path, fresh)
    return path


def _reason(error: Exception) -> str:
    strerror = error.strerror if isinstance(error, OSError) else None
    return clean(strerror or str(error))


def install_key(data_dir: Path) -> str:
    """Return the key of the demo's locked endpoint, made up once per data directory.

    It is a file beside the config and not a variable of ours, so that `yolotop check`
    in another shell asks with it too.
    """
    path = data_dir / KEY_NAME
    if path.is_file() and (key := path.read_text("ascii").strip()):
        return key
    key = secrets.token_hex(16)
    _write(path, key + "\n")
    return key


def point(text: str, ports: Mapping[str, int]) -> str:
    """Return ``text`` with the fleet's deployments at ``ports``, all else untouched.

    Only URLs on the fleet's own address change: one that the user sent elsewhere is
    the user's. Raises TOMLKitError when ``text`` is not TOML.
    """
    document = tomlkit.parse(text)
    tables = document.get("deployment", [])
    for table in tables if isinstance(tables, list) else []:
        if isinstance(table, dict) and table.get("name") in ports:
            moved = _moved(str(table.get("url", "")), ports[table["name"]])
            if moved is not None:
                table["url"] = moved
    return tomlkit.dumps(document)


def _moved(url: str, port: int) -> str | None:
    """Return ``url`` at ``port``; ``None`` when it is there, or none of the fleet's."""
    try:
        parts = urlsplit(url)
        if parts.hostname != HOST or parts.port == port:
            return None
    except ValueError:
        return None  # the config room says what is wrong with it
    return urlunsplit(parts._replace(netloc=f"{HOST}:{port}"))


def _write(path: Path, text: str) -> None:
    """Replace the file in one step: a collector may be reading it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
