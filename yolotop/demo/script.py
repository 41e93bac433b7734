"""The demo's config file: the shipped one, and the copy that a demo runs from.

Owns how ``demo.toml`` reaches the demo's data directory and how it follows the ports
that were free. The copy belongs to the user: what was added or removed from the
terminal stays. It must not know processes.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import tomlkit
from tomlkit.exceptions import TOMLKitError

from yolotop.demo.cast import HOST, PLATFORM_KEY_ENV, PLATFORM_OWNER
from yolotop.errors import ConfigError
from yolotop.text import clean

CONFIG_NAME: Final = "demo.toml"
KEY_NAME: Final = "demo.key"
PLATFORM_KEY_NAME: Final = "demo-platform.key"
_PLATFORM_KEY: Final = f"env:{PLATFORM_KEY_ENV}"
"""By this the section is known that was written here."""


def shipped() -> str:
    """Return the text of the shipped ``demo.toml``."""
    return resources.files("yolotop.demo").joinpath(CONFIG_NAME).read_text("utf-8")


def install(
    data_dir: Path,
    ports: Mapping[str, int],
    *,
    source: Path | None = None,
    platform_port: int | None = None,
) -> Path:
    """Write the config of this run into ``data_dir`` and return its path.

    Starts from ``source``, else from the copy that is there, else from the shipped
    text, and points the fleet's deployments at ``ports``. With ``platform_port`` it
    names the Platform's stand-in there, and without it does not. Raises ConfigError
    when ``source`` or the copy cannot be read.
    """
    path = data_dir / CONFIG_NAME
    begin = source or (path if path.is_file() else None)
    try:
        text = shipped() if begin is None else begin.read_text("utf-8")
        fresh = point(text, ports, platform_port=platform_port)
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
    return _kept(data_dir / KEY_NAME, lambda: secrets.token_hex(16))


def install_platform_key(data_dir: Path) -> str:
    """Return the key of the workspace on the Platform's stand-in, made up once too."""
    return _kept(data_dir / PLATFORM_KEY_NAME, lambda: f"ul_{secrets.token_hex(20)}")


def _kept(path: Path, make: Callable[[], str]) -> str:
    if path.is_file() and (key := path.read_text("ascii").strip()):
        return key
    key = make()
    _write(path, key + "\n")
    return key


def point(
    text: str, ports: Mapping[str, int], *, platform_port: int | None = None
) -> str:
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
    if _point_platform(document, platform_port):
        return tomlkit.dumps(document)
    return tomlkit.dumps(document).rstrip("\n") + "\n"  # as it was before the section


def _point_platform(document: tomlkit.TOMLDocument, port: int | None) -> bool:
    """Name the stand-in in a section of ours; one of the user's own stays as it is.

    ``False`` where our section was taken away.
    """
    table = document.get("platform")
    ours = isinstance(table, dict) and table.get("api_key") == _PLATFORM_KEY
    if port is None:
        if ours:
            document.remove("platform")
        return not ours
    base_url = f"http://{HOST}:{port}"
    if table is None:
        fresh = tomlkit.table()
        fresh.add("owner", PLATFORM_OWNER)
        fresh.add("api_key", _PLATFORM_KEY)
        fresh.add("base_url", base_url)
        document.append("platform", fresh)
    elif ours and table.get("base_url") != base_url:
        table["base_url"] = base_url
    return True


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
