"""How an endpoint is reached: URLs, proxies, PEM files.

Owns the rules for the values that say where a probe goes and whom it believes. It must
not know the other keys of a deployment, or open a connection.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from yolotop.config.table import as_text
from yolotop.text import clean, guard_url

LONGEST_URL: Final = 2_048
LONGEST_SOCKET_PATH: Final = 107
"""Bytes of a Unix socket's path that the kernel takes."""


def as_url(value: object) -> str:
    """An ``http``, ``https`` or ``http+unix`` URL with a host and no secrets in it."""
    url, parts = _parsed(value, "http://host:8000")
    if parts.scheme == "http+unix":
        _check_socket(parts)
    elif parts.scheme not in ("http", "https"):
        raise ValueError("must begin with http:// or https://")
    elif not parts.hostname or _port(parts) == 0:
        raise ValueError("has no host; write something like http://host:8000")
    if "@" in parts.netloc:
        raise ValueError(
            "holds a user name or password; remove it and use api_key "
            '= "env:NAME" instead'
        )
    if parts.fragment:
        raise ValueError('holds a fragment ("#…"); remove it')
    guard_url(url)
    return url


def as_proxy(value: object) -> str:
    """``http://host:port``; its password is in ``proxy_auth``, by reference."""
    url, parts = _parsed(value, "http://host:3128")
    if parts.scheme != "http":
        raise ValueError("must begin with http:// (other proxies are not spoken)")
    if "@" in parts.netloc:
        raise ValueError(
            "holds a user name or password; remove it and use proxy_auth "
            '= "env:NAME" instead'
        )
    if not parts.hostname or not _port(parts):
        raise ValueError("needs a host and a port; write http://host:3128")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("has more than a host and a port; write http://host:3128")
    return url


def as_pem(value: object, base: Path | None) -> str:
    """The absolute path of a file that exists; what is in it shows when it is used."""
    text = as_text(value)
    if not text or "\0" in text:
        raise ValueError("is not a path; write the name of a PEM file")
    return existing_file(text, base, "the PEM file")


def existing_file(text: str, base: Path | None, what: str) -> str:
    """The absolute path of ``text``; ``what`` should be there, in the message."""
    try:
        path = Path(text).expanduser()
        if base is not None and not path.is_absolute():
            path = base / path
        there = path.is_file()
    except (OSError, RuntimeError) as error:
        raise ValueError(f"cannot be looked up ({error.__class__.__name__})") from None
    if not there:
        shown = clean(str(path), limit=200)
        raise ValueError(f'is "{shown}", which is not a file; put {what} there')
    return str(path)


def _parsed(value: object, example: str) -> tuple[str, SplitResult]:
    url = as_text(value)
    if not url:
        raise ValueError(f"is empty; write something like {example}")
    if len(url) > LONGEST_URL:
        raise ValueError(f"has {len(url)} characters; {LONGEST_URL} are the most")
    # No value is repeated here: before it is parsed, a password may be in it.
    if not url.isprintable() or re.search(r"\s", url):
        raise ValueError("holds spaces or control characters; remove them")
    try:
        parts = urlsplit(url)
        _port(parts)
    except ValueError as error:
        raise ValueError(f"is not a URL ({error})") from None
    return url, parts


def _port(parts: SplitResult) -> int | None:
    return None if parts.scheme == "http+unix" else parts.port


def _check_socket(parts: SplitResult) -> None:
    path = unquote(parts.netloc)
    if not path.startswith("/") or "\0" in path:
        raise ValueError(
            "names no socket; write its path with %2F for each slash, like "
            "http+unix://%2Frun%2Fyolo.sock/predict"
        )
    if len(path.encode("utf-8", "surrogatepass")) > LONGEST_SOCKET_PATH:
        raise ValueError(
            f"has a socket path longer than {LONGEST_SOCKET_PATH} bytes, which no "
            "system takes"
        )
