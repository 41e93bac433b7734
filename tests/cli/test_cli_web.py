"""`yolotop web`: the real server, asked as a browser asks, and as others might."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from click.testing import Result

from yolotop.cli import web
from yolotop.cli.places import Places
from yolotop.collect.lock import holder
from yolotop.collect.process import stop
from yolotop.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse, WSMessage, WSMsgType

aiohttp = pytest.importorskip("aiohttp", reason="needs the `web` extra")
pytest.importorskip("textual_serve", reason="needs the `web` extra")

READY_S = 30.0
Run = Callable[..., Result]


class Home(Protocol):
    """What conftest's Home offers."""

    path: Path
    data_dir: Path

    def write(self, text: str) -> Path: ...
    def start(self, *args: str) -> subprocess.Popen[str]: ...


class Scripted(Protocol):
    """What conftest's Scripted offers."""

    url: str


@pytest.fixture
def watched(home: Home, scripted: Scripted) -> Iterator[Home]:
    """One endpoint, asked often; no collector is left behind."""
    home.write(
        '[defaults]\ninterval = "1s"\npredict_interval = "1s"\n'
        f'[[deployment]]\nname = "dock-cam"\nurl = "{scripted.url}"\n'
    )
    yield home
    pid = holder(home.data_dir)
    if pid is not None:
        stop(pid)


@contextmanager
def serving(home: Home, *args: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server and the address that it prints."""
    process = home.start("web", "--port", "0", *args)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://[\w.:\[\]-]+/\?token=[\w-]{24}", address)
        yield process, address
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def children(pid: int) -> set[int]:
    """The sessions of a server; collectors have a session of their own."""
    words = ["ps", "-eo", "pid=,ppid=,sid="]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, line.split())) for line in shown.splitlines()]
    sid = os.getsid(pid)
    return {child for child, parent, group in rows if parent == pid and group == sid}


def until(holds: Callable[[], bool], within_s: float = READY_S) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_browser_sees_the_first_picture_and_q_ends_the_session(
    watched: Home,
) -> None:
    with serving(watched) as (process, address):
        async with aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as browser:
            async with browser.get(address) as page:
                assert page.status == 200
                policy = page.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                text = await page.text()
            # Nothing is fetched from elsewhere, and what is named is there.
            assert "//" not in re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
            base = address.partition("?")[0]
            parts = re.findall(r'"(static/[^"]+)"', text)
            assert len(parts) == 3
            for part in parts:
                async with browser.get(base + part) as got:
                    assert got.status == 200, part
            seen = b""
            origin = base.rstrip("/")
            async with browser.ws_connect(
                f"{base}ws?width=100&height=30", origin=origin
            ) as tab:
                while b"dock-cam" not in seen:
                    seen += (await tab.receive_bytes(timeout=READY_S))[:]
                assert b"38;2;" in seen  # all colours, whatever the server's terminal
                await tab.send_json(["stdin", "q"])
                while (await tab.receive(timeout=READY_S)).type not in (
                    aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED,
                ):  # fmt: skip
                    pass
        until(lambda: not children(process.pid))
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=READY_S)
        assert process.returncode == 0
        # A session's farewell is for nobody.
        assert "dock-cam" not in "".join(said)
    assert holder(watched.data_dir) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
async def test_no_session_and_no_collector_outlive_the_server(
    watched: Home, number: signal.Signals
) -> None:
    with serving(watched) as (process, address):
        async with aiohttp.ClientSession() as browser:
            url = address.replace("/?", "/ws?")
            async with browser.ws_connect(url) as tab:
                await tab.receive_bytes(timeout=READY_S)
                (session,) = children(process.pid)
                collector = holder(watched.data_dir)
                assert collector is not None
                process.send_signal(number)
                await tab.receive(timeout=READY_S)
        until(lambda: process.poll() is not None)
        until(lambda: not is_alive(session))
        until(lambda: not is_alive(collector))
        assert process.returncode == (0 if number != signal.SIGKILL else -number)


GARBAGE = ("no JSON", "[" * 100_000, "{}", '["stdin", 7]', '["resize", {"width": "9"}]')


async def test_a_client_that_sends_garbage_ends_its_own_session_only(
    watched: Home,
) -> None:
    with serving(watched) as (process, address):
        url = address.replace("/?", "/ws?")
        async with aiohttp.ClientSession() as browser, browser.ws_connect(url) as tab:
            await tab.receive_bytes(timeout=READY_S)
            for garbage in GARBAGE:
                async with browser.ws_connect(url) as other:
                    await other.send_str(garbage)
                    await _next(other, aiohttp.WSMsgType.CLOSE)
                    assert other.close_code == 1003
            await tab.send_json(["ping", "still there"])
            got = await _next(tab, aiohttp.WSMsgType.TEXT)
            assert got.json() == ["pong", "still there"]
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=READY_S)
    sentence = (
        "A client sent something that the page does not send; its session has been "
        "closed"
    )
    assert told.splitlines().count(sentence) == len(GARBAGE)
    assert "Traceback" not in told


async def _next(tab: ClientWebSocketResponse, kind: WSMsgType) -> WSMessage:
    while (message := await tab.receive(timeout=READY_S)).type is not kind:
        pass
    return message


async def test_nobody_else_comes_in(watched: Home) -> None:
    with serving(watched) as (process, address):
        base, _, query = address.partition("?")
        async with aiohttp.ClientSession() as stranger:
            for part in ("", "ws", "static/js/textual.js", "?token=wrong", "?token=é"):
                async with stranger.get(base + part) as got:
                    assert got.status == 403, part
            # A page of another origin, in a browser that holds the cookie.
            for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await stranger.ws_connect(f"{base}ws?{query}", origin=origin)
                assert refused.value.status == 403
        assert not children(process.pid)


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web, "_NEEDED", ("textual_serve_that_is_not_there",))
    with pytest.raises(MissingExtraError) as caught:
        web.require_extra()
    assert caught.value.hint == "pip install 'yolotop[web]'"


def test_an_address_that_is_taken_is_said() -> None:
    with (
        web.listen("127.0.0.1", 0) as first,
        pytest.raises(UsageError, match=r"127\.0\.0\.1:\d+ cannot be listened on"),
    ):
        web.listen("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False)]
)
def test_whether_others_can_connect(host: str, loopback: bool) -> None:
    with web.listen(host, 0) as listener:
        assert web.is_loopback(listener) is loopback


def test_a_session_is_the_ordinary_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    where = Places(Path("a b.toml"), Path("data"))
    words = web.session_command(where, read_only=True, theme="ansi-dark")
    assert words[1:] == [
        "-P", "-m", "yolotop", "--config", f"{tmp_path}/a b.toml",
        "--data-dir", f"{tmp_path}/data", "--theme", "ansi-dark", "--read-only",
    ]  # fmt: skip
    assert "--read-only" not in web.session_command(where, read_only=False)


@pytest.mark.parametrize(
    ("args", "read_only"),
    [
        ((), False),
        (("--read-only",), True),
        (("--host", "0.0.0.0"), True),
        (("--host", "0.0.0.0", "--writable"), False),
    ],
)
def test_whoever_can_be_reached_from_elsewhere_is_read_only_unless_told(
    args: tuple[str, ...],
    read_only: bool,
    watched: Home,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from yolotop.web import server

    started: list[tuple[str, ...]] = []

    async def at_once(self: server.WebTerminal) -> None:
        started.append(self._words)
        self._listener.close()

    monkeypatch.setattr(server.WebTerminal, "run", at_once)
    done = run("web", "--port", "0", *args)
    assert done.exit_code == 0, done.output
    assert ("--read-only" in started[0]) is read_only
    assert ("travels in the clear" in done.stderr) is bool("--host" in args)
