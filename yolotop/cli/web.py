"""``yolotop web``: the terminal in a browser.

Owns the options, the address that is printed and the collector behind the sessions. It
must not know how a page is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import secrets
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from yolotop.cli import out
from yolotop.cli.options import (
    ConfigOption,
    DataDirOption,
    HostOption,
    PortOption,
    places,
)
from yolotop.cli.wishes import ThemeOption
from yolotop.errors import MissingExtraError, UsageError
from yolotop.text import clean

if TYPE_CHECKING:
    from yolotop.cli.places import Places

_NEEDED: Final = ("textual_serve", "aiohttp")


def web(
    ctx: typer.Context,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8010,
    read_only: Annotated[
        bool | None,
        typer.Option(
            "--read-only/--writable",
            help="Whether the keys that change something are off. Without: off where "
            "others than this machine can connect.",
            show_default=False,
        ),
    ] = None,
    theme: ThemeOption = None,
) -> None:
    """Show the terminal in a browser, one session for every tab."""
    require_extra()
    where = places(ctx, config, data_dir)
    loaded = where.load()
    listener = listen(host, port)
    local = is_loopback(listener)
    quiet = not local if read_only is None else read_only
    token = secrets.token_urlsafe(18)

    from yolotop.cli.terminal import Keeper
    from yolotop.web.server import WebTerminal

    words = session_command(where, read_only=quiet, theme=theme)
    server = WebTerminal(words, listener, token=token, tell=out.narrate)
    keeper = Keeper(loaded, owner_pid=os.getpid())
    keeper.ensure()
    try:
        _announce(listener, token, local=local, read_only=quiet)
        if keeper.trouble:
            out.narrate(f"No collector could be started: {keeper.trouble}")
        asyncio.run(server.run())
    finally:
        keeper.release()
    out.narrate("All sessions have ended")


def require_extra() -> None:
    """Raise MissingExtraError unless the server's libraries are installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            "The terminal in a browser needs textual-serve",
            hint="pip install 'yolotop[web]'",
        )


def session_command(
    where: Places, *, read_only: bool, theme: str | None = None
) -> list[str]:
    """The command line of one session: the ordinary terminal, with absolute paths."""
    # -P: `-m` alone would import from the current directory first.
    words = [sys.executable, "-P", "-m", "yolotop"]
    for flag, path in (("--config", where.config), ("--data-dir", where.data_dir)):
        if path is not None:
            words += [flag, str(Path(path).absolute())]
    if theme is not None:
        words += ["--theme", theme]
    return [*words, "--read-only"] if read_only else words


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; raises UsageError where it cannot."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with contextlib.ExitStack() as opened:
            listener = opened.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(64)
            opened.pop_all()
    except OSError as error:
        raise UsageError(
            f"{clean(host)}:{port} cannot be listened on ({error.strerror})",
            hint="Name another with --host and --port; --port 0 takes a free one",
        ) from None
    return listener


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can connect."""
    address = str(listener.getsockname()[0]).partition("%")[0]
    return ipaddress.ip_address(address).is_loopback


def _announce(
    listener: socket.socket, token: str, *, local: bool, read_only: bool
) -> None:
    address, port = listener.getsockname()[:2]
    if ipaddress.ip_address(address).is_unspecified:
        address = socket.gethostname()
    shown = f"[{address}]" if ":" in address else address
    out.narrate("Open this address in a browser; Ctrl-C ends it and every session:")
    out.data(f"http://{shown}:{port}/?token={token}")
    if not local:
        can = "sees your fleet" if read_only else "sees your fleet and can change it"
        out.narrate(
            f"Whoever has this address {can}, and it travels in the clear: put TLS or "
            "an ssh tunnel before it"
        )
