"""Foreign text through the whole program: server → collector → file → screen.

The paths that foreign text takes, and where each passes the gate:

- bodies (refusals, pages, broken JSON), reason phrases, headers, ``Location``,
  encodings, banners, TLS errors: the prober, before an ``Answer`` leaves it
- labels, model, task and health details: the dialect
- config names, URLs, groups, tags, paths: refused or cleaned by the config room
- exceptions of ours that quote any of these, log lines, crashes: ``yolotop.crash``
- results of requests and the collector's notes: the desk, journal and supervisor

These tests start real processes and look at the bytes that a terminal would get.
"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pexpect
import pytest
from malice import HABITS, MARKUP, RAW, Endpoint, endpoints
from person import BUDGET_S, Person

from yolotop.collect.lock import holder
from yolotop.collect.process import stop

pytestmark = [pytest.mark.timeout(120)]

# Without digits: the history keeps a text's numbers apart from its words.
KEY = "Key/That+Must=Never&Leak"
LEAKS = (
    KEY,
    quote(KEY, safe=""),
    base64.b64encode(KEY.encode()).decode(),
    base64.b64encode(b"me:" + KEY.encode()).decode()[4:-4],
    "Must=Never",
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("NO_COLOR", "YOLOTOP_CONFIG", "YOLOTOP_DATA_DIR", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("GATE_KEY", KEY)
    return tmp_path


def write_config(home: Path, servers: dict[str, Endpoint], *, keys: bool) -> Path:
    """A config that names one deployment for each server, markup in every text."""
    lines = ["[defaults]", 'interval = "1s"', 'predict_interval = "1s"']
    for name, server in servers.items():
        scheme = "http" if server.tls is None else "https"
        lines += [
            "[[deployment]]",
            f"name = {json.dumps(f'{name} {MARKUP}')}",
            f'url = "{scheme}://127.0.0.1:{server.port}"',
            f"region = {json.dumps(MARKUP)}",
            f"tags = [{json.dumps(MARKUP)}]",
            *(['api_key = "env:GATE_KEY"'] if keys else []),
        ]
    path = home / "yolotop.toml"
    path.write_text("\n".join(lines))
    return path


def yolotop(*args: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "yolotop", *args],
        capture_output=True,
        timeout=50,
        check=False,
    )


def run_python(source: str, *args: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", source, *args],
        capture_output=True,
        timeout=50,
        check=False,
    )


class Watcher(Person):
    """A person who also keeps every byte that was painted."""

    def __init__(self, *args: str, home: Path, program: str = "") -> None:
        self.painted = b""
        super().__init__(*args, columns=160, rows=50, home=home)
        if program:
            self.child.close(force=True)
            self.child = pexpect.spawn(
                sys.executable,
                ["-c", program, *args],
                dimensions=(50, 160),
                env={**os.environ, "TERM": "xterm-256color"},
                timeout=BUDGET_S,
            )

    def looks(self) -> None:
        """Take in what was painted since, and keep it."""
        try:
            got = self.child.read_nonblocking(65_536, timeout=0.2)
        except pexpect.TIMEOUT:
            return
        self.painted += got
        self._stream.feed(got)


@pytest.fixture
def sit_down(home: Path) -> Iterator[Callable[..., Watcher]]:
    people: list[Watcher] = []

    def start(*args: str, program: str = "") -> Watcher:
        people.append(Watcher(*args, home=home, program=program))
        return people[-1]

    yield start
    for person in people:
        person.child.close(force=True)
    # Only a clean quit ends the collector that a terminal started.
    for data_dir in (home / "history", home / "data/yolotop"):
        pid = holder(data_dir)
        assert pid is None or stop(pid)


def raw_in(data: bytes) -> list[str]:
    """What of the payload is in there as it was sent."""
    return [text for text in RAW if text.encode() in data]


def leaks_in(data: bytes) -> list[str]:
    return [text for text in LEAKS if text.encode() in data]


def texts_in(database: Path) -> Iterator[str]:
    """Every text of every table."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for row in db.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - its own
                yield from (value for value in row if isinstance(value, str))


def files_in(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- hostile text --------------------------------------------------------------------


def test_nothing_hostile_reaches_the_terminal(
    home: Path, sit_down: Callable[..., Watcher]
) -> None:
    """Hostile text in every field of every answer, seen on a real terminal."""
    with endpoints() as servers:
        config = write_config(home, servers, keys=False)
        person = sit_down("--config", str(config), "--data-dir", str(home / "history"))
        # Log lines of each habit are on the screen: the text itself did arrive.
        person.sees(r"evil␛")
        until = time.monotonic() + BUDGET_S
        while not all(
            len(server.requests) > 3 for server in servers.values() if not server.tls
        ):
            assert time.monotonic() < until
            person.looks()
        for keys in ("4", "0", "/evil\r", "\x1b", "\x1b[B\r", "\x1b[B\r", "?", "\x1b"):
            person.types(keys)
            for _ in range(3):
                person.looks()
        person.sees(r"\[@click=app\.quit\]|\[/\]")
        person.types("q")
        assert person.leaves() == 0, person.text
    assert raw_in(person.painted) == []
    assert b"MarkupError" not in person.painted

    said = list(texts_in(home / "history" / "yolotop.db"))
    assert any("evil" in text for text in said)
    assert [text for text in said if raw_in(text.encode("utf-8", "replace"))] == []
    for path, data in files_in(home / "history").items():
        if path.suffix == ".log":
            assert raw_in(data) == [], path


@pytest.mark.parametrize("habit", [*HABITS, "tls"])
def test_nothing_hostile_reaches_the_command_line(home: Path, habit: str) -> None:
    """``check`` on each habit alone, as text and as JSON."""
    with endpoints() as servers:
        config = write_config(home, {habit: servers[habit]}, keys=False)
        told = yolotop("check", "--config", str(config))
        as_json = yolotop("check", "--json", "--config", str(config))
    assert told.returncode == as_json.returncode == (0 if habit == "labels" else 1)
    for stream in (told.stdout, told.stderr, as_json.stdout, as_json.stderr):
        assert raw_in(stream) == []
    # JSON has its own escapes, which must not bring anything back.
    assert (
        raw_in(json.dumps(json.loads(as_json.stdout), ensure_ascii=False).encode())
        == []
    )


def test_hostile_config_values_are_told_safely(home: Path) -> None:
    config = home / "yolotop.toml"
    config.write_text(
        '[[deployment]]\nname = "a\\u001b]52;c;AAAA\\u0007\\u202e[/]"\n'
        'url = "http://x\\u001b[2J"\nregion = "\\u009b31m"\n'
        '"\\u202e[@click=app.quit]" = 1\n'
    )
    for args in (("config", "validate"), ("list",), ("check",), ("status",)):
        done = yolotop(*args, "--config", str(config))
        assert done.returncode == 2
        assert raw_in(done.stdout + done.stderr) == []
    hostile = home / "\x1b]52;c;AAAA\x07\u202e.toml"
    done = yolotop("check", "--config", str(hostile))
    assert done.returncode == 2
    assert raw_in(done.stdout + done.stderr) == []


# --- a secret ------------------------------------------------------------------------


def test_an_echoed_key_is_nowhere(home: Path, sit_down: Callable[..., Watcher]) -> None:
    """Servers that repeat the key in every form leave no trace of it anywhere."""
    data_dir = home / "history"
    with endpoints(echo=True) as servers:
        config = write_config(home, servers, keys=True)
        person = sit_down("--config", str(config), "--data-dir", str(data_dir))
        person.sees(r"•••")
        until = time.monotonic() + BUDGET_S
        while not all(len(server.requests) > 3 for server in servers.values()):
            assert time.monotonic() < until
            person.looks()
        # It was really sent: this is about a key that every server knows.
        assert all(KEY.encode() in server.requests[-1] for server in servers.values())
        person.types("q")
        assert person.leaves() == 0
        told = yolotop("check", "--config", str(config))
        checked = yolotop("check", "--json", "--config", str(config))
    places = ("--config", str(config), "--data-dir", str(data_dir))
    logs = yolotop("logs", "-n", "100000", "--json", *places)
    status = yolotop("status", "--json", *places)
    assert logs.returncode == 0, logs.stderr
    assert len(logs.stdout.splitlines()) > 20
    assert b"\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2" in logs.stdout
    for done in (told, checked, logs, status):
        assert leaks_in(done.stdout + done.stderr) == []
    assert leaks_in(person.painted) == []
    config.unlink()
    for path, data in files_in(home).items():
        assert leaks_in(data) == [], path


CRASHES = """
import asyncio, logging, os, sys, threading

where = sys.argv.pop(1)

def boom(*args, **kwargs):
    key = os.environ["GATE_KEY"]  # a local variable that holds it, too
    raise RuntimeError(f"it broke with {key} and Bearer {key} [/] \\x1b]52;c;AA\\x07")

async def boom_later(*args, **kwargs):
    boom()

if where == "check":
    import yolotop.probe.prober as prober
    prober.Prober.__init__ = boom
elif where == "terminal":
    import yolotop.view.session as session
    session.Session.refresh = boom_later
elif where == "paint":
    import yolotop.tui.widgets.deck as deck
    deck.Deck.render_line = boom
    deck.Deck.on_mount = boom
elif where == "collector":
    import yolotop.collect.rounds as rounds
    rounds.Rounds.run = boom_later
elif where == "probe":
    import yolotop.probe.transport as transport
    transport.MeasuringTransport.exchange = boom_later
elif where == "loop":
    import yolotop.collect.collector as collector
    real = collector.Collector.run
    async def run(self):
        loop = asyncio.get_running_loop()
        loop.call_soon(boom)
        threading.Thread(target=boom).start()
        lost = asyncio.ensure_future(asyncio.sleep(0))
        lost.add_done_callback(boom)
        asyncio.ensure_future(boom_later())
        key = os.environ["GATE_KEY"]
        logging.getLogger("somebody").error("a library says %s", key)
        logging.getLogger("yolotop.x").warning("we say \\x1b]52;c;AA\\x07 %s", key)
        loop.call_later(1.0, self.stop)
        await real(self)
    collector.Collector.run = run
elif where == "run":
    import yolotop.collect.collector as collector
    collector.Collector.run = boom_later
from yolotop.cli.start import run
run()
"""


def assert_clean(*streams: bytes, home: Path) -> None:
    for stream in streams:
        assert leaks_in(stream) == []
        assert raw_in(stream) == []
    for path, data in files_in(home).items():
        if path.suffix != ".toml":
            assert leaks_in(data) == [], path


@pytest.fixture
def lonely(home: Path) -> Path:
    """A config with one deployment that has a key and does not answer."""
    config = home / "yolotop.toml"
    config.write_text(
        '[[deployment]]\nname = "dock"\nurl = "http://127.0.0.1:9"\n'
        'interval = "1s"\npredict_interval = "1s"\napi_key = "env:GATE_KEY"\n'
    )
    return config


@pytest.mark.parametrize("where", ["check", "run"])
def test_a_crash_tells_no_secret(home: Path, lonely: Path, where: str) -> None:
    words = ["check"] if where == "check" else ["collect"]
    done = run_python(CRASHES, where, *words, "--config", str(lonely))
    assert done.returncode == 70, done.stderr
    assert b"it broke with" in done.stderr
    assert_clean(done.stdout, done.stderr, home=home)
    kept = [data for path, data in files_in(home).items() if "crash-" in path.name]
    assert len(kept) == 1
    assert b"in boom" in kept[0]
    assert b"RuntimeError" in kept[0]


@pytest.mark.parametrize("where", ["loop", "collector", "probe"])
def test_a_collector_in_trouble_tells_no_secret(
    home: Path, lonely: Path, where: str
) -> None:
    words = [sys.executable, "-c", CRASHES, where, "collect", "--config", str(lonely)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe) as child:
        try:
            if where != "loop":
                _wait_for(home / "data/yolotop/yolotop.db", "it broke with")
                child.terminate()
            out, err = child.communicate(timeout=50)
        finally:
            child.kill()
    assert child.returncode == 0, err
    if where == "loop":
        assert err.count(b"it broke with") >= 4
        assert b"a library says" in err
    assert_clean(out, err, home=home)


def _wait_for(database: Path, what: str) -> None:
    until = time.monotonic() + BUDGET_S
    while not _mentions(database, what):
        assert time.monotonic() < until
        time.sleep(0.1)


def _mentions(database: Path, what: str) -> bool:
    try:
        return any(what in text for text in texts_in(database))
    except sqlite3.OperationalError:
        return False


@pytest.mark.parametrize("where", ["terminal", "paint"])
def test_a_crashed_terminal_tells_no_secret(
    home: Path, lonely: Path, where: str, sit_down: Callable[..., Watcher]
) -> None:
    person = sit_down(where, "--config", str(lonely), program=CRASHES)
    assert person.leaves() != 0
    assert b"it broke with" in person.painted
    assert "•••".encode() in person.painted
    assert b"\x1b]52;c;AA" not in person.painted
    assert_clean(person.painted, home=home)
