"""A small web server: one page, one terminal process for every browser tab.

Owns the gate (a token, the origin), the page and the order in which all of it ends. It
must not know how a session is started: it is given the command.

On Textual's own server this changes what a monitor with writing keys needs: nothing is
fetched from elsewhere, and no other user of this machine and no page in another tab can
open a session. A WebSocket is not held back by the browser's same-origin rule.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import shlex
import signal
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from string import Template
from typing import Final
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager
from textual_serve.server import Server

MOST_SESSIONS: Final = 16
"""Each is a process of some 60 MB."""
STOP_S: Final = 8.0
"""How long a session may take to end."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PAGE: Final = Template(
    files("yolotop.web").joinpath("page.html").read_text(encoding="utf-8")
)
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'"
    " 'unsafe-inline'; font-src 'self'; img-src 'self' data:; connect-src 'self'"
    " ws://{host} wss://{host}; frame-ancestors 'none'; base-uri 'none'"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Session(AppService):
    """One terminal process, and the tab it draws in."""

    def __init__(
        self,
        words: Sequence[str],
        websocket: web.WebSocketResponse,
        downloads: DownloadManager,
    ) -> None:
        async def send(data: bytes) -> None:
            # What comes for a tab that is closed must still be read: a full pipe
            # would keep the process from hearing that it is to end.
            if not websocket.closed:
                with contextlib.suppress(ConnectionError):
                    await websocket.send_bytes(data)

        async def close() -> None:
            await websocket.close()

        super().__init__(
            shlex.join(words),
            write_bytes=send,
            write_str=websocket.send_str,
            close=close,
            download_manager=downloads,
        )
        self._words = tuple(words)

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        # Without the shell in which Textual starts it: that one would get the signals.
        self._process = process = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width, height),
        )
        self._stdin = process.stdin
        return process

    async def end(self) -> None:
        """Ask it to end; after :data:`STOP_S` make it."""
        if self._process is None:
            return
        try:
            async with asyncio.timeout(STOP_S):
                await self.stop()
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


class WebTerminal(Server):
    """Serves ``command`` on ``listener`` to whoever has the token.

    ``tell`` takes sentences for whoever runs it.
    """

    def __init__(
        self,
        command: Sequence[str],
        listener: socket.socket,
        *,
        token: str,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(shlex.join(command), title="yolotop")
        self._words = tuple(command)
        self._listener = listener
        self._token = token
        self._tell = tell
        # Cookies know no ports: two servers on one machine must not share theirs.
        self._cookie = f"yolotop-{listener.getsockname()[1]}"
        self._tabs: set[web.WebSocketResponse] = set()
        self._ending: set[asyncio.Future[None]] = set()

    async def run(self) -> None:
        """Serve until SIGINT, SIGTERM or SIGHUP; then end every session."""
        runner = web.AppRunner(
            await self._make_app(), access_log=None, shutdown_timeout=1.0
        )
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, ended.set)
        try:
            await runner.setup()
            await web.SockSite(runner, self._listener).start()
            await ended.wait()
        finally:
            await self._end_sessions()
            await runner.cleanup()
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    async def _make_app(self) -> web.Application:
        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._admit(request)
            return await handler(request)

        app = await super()._make_app()
        app.middlewares.append(gate)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Whoever runs this says where it is; Textual's banner names the command."""

    # -- who may come in -------------------------------------------------------------

    def _admit(self, request: web.Request) -> None:
        given = request.query.get("token") or request.cookies.get(self._cookie, "")
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            raise web.HTTPForbidden(
                text="Open the address that yolotop web has printed: it holds a token."
            )
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="Not from another page.")

    # -- what they get ---------------------------------------------------------------

    async def handle_index(self, request: web.Request) -> web.Response:
        """The page; it refers to this server alone, by relative addresses."""
        font_size = _number(request.query.get("fontsize"), 15, most=60)
        nonce = secrets.token_urlsafe(16)
        response = web.Response(
            text=_PAGE.substitute(nonce=nonce, font_size=font_size),
            content_type="text/html",
            headers={
                "Content-Security-Policy": _POLICY.format(
                    nonce=nonce, host=request.host
                ),
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            },
        )
        response.set_cookie(
            self._cookie, self._token, httponly=True, samesite="Strict", path="/"
        )
        return response

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One session, for as long as the tab is open."""
        if len(self._tabs) >= MOST_SESSIONS:
            raise web.HTTPServiceUnavailable(text="Too many sessions; close a tab.")
        websocket = web.WebSocketResponse(heartbeat=15)
        await websocket.prepare(request)
        session = Session(self._words, websocket, self.download_manager)
        self._tabs.add(websocket)
        try:
            await session.start(
                _number(request.query.get("width"), 80, most=1_000),
                _number(request.query.get("height"), 24, most=1_000),
            )
            await self._process_messages(websocket, session)
        finally:
            self._tabs.discard(websocket)
            self._ending.add(ending := asyncio.ensure_future(session.end()))
            ending.add_done_callback(self._ending.discard)
            await asyncio.shield(ending)
        return websocket

    async def _process_messages(
        self, websocket: web.WebSocketResponse, app_service: AppService
    ) -> None:
        """Hand on what the page sends, until it is gone or sends something else."""
        async for message in websocket:
            if message.type is not web.WSMsgType.TEXT:
                continue
            match _read(message.data):
                case ["stdin", str(text)]:
                    await app_service.send_bytes(text.encode("utf-8", "replace"))
                case ["resize", {"width": int(width), "height": int(height)}]:
                    await app_service.set_terminal_size(
                        _bounded(width, most=1_000), _bounded(height, most=1_000)
                    )
                case ["ping", sent]:
                    await websocket.send_json(["pong", sent])
                case ["blur", *_]:
                    await app_service.blur()
                case ["focus", *_]:
                    await app_service.focus()
                case _:
                    self._tell(
                        "A client sent something that the page does not send; its "
                        "session has been closed"
                    )
                    await websocket.close(code=WSCloseCode.UNSUPPORTED_DATA)

    async def _end_sessions(self) -> None:
        await asyncio.gather(*(tab.close() for tab in set(self._tabs)))
        # The handlers wake up one after another, each to end its session.
        while self._tabs or self._ending:  # noqa: ASYNC110 - bounded by STOP_S
            await asyncio.sleep(0.02)


def _number(text: str | None, fallback: int, *, most: int) -> int:
    if text is None or not (text.isascii() and text.isdigit()):
        return fallback
    return _bounded(int(text), most=most)


def _bounded(number: int, *, most: int) -> int:
    return max(1, min(number, most))


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
