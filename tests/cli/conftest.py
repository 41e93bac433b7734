"""The command as users start it, and endpoints on loopback for it to ask."""

from __future__ import annotations

import fcntl
import json
import os
import queue
import re
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from yolotop.cli.main import app

KEY = "test-key-0123456789"
READY_S = 30.0


@dataclass(frozen=True)
class Home:
    """A home folder with nothing in it but what a test puts there."""

    path: Path
    env: dict[str, str]

    @property
    def config(self) -> Path:
        return self.path / "yolotop.toml"

    @property
    def data_dir(self) -> Path:
        return self.path / "data" / "yolotop"

    def write(self, text: str) -> Path:
        self.config.write_text(text)
        return self.config

    def yolotop(
        self, *args: str, text_input: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the real program to its end."""
        return subprocess.run(
            [sys.executable, "-m", "yolotop", *args],
            capture_output=True,
            text=True,
            input=text_input,
            cwd=self.path,
            env={**self.env, **variables},
            timeout=50,
            check=False,
        )

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start the real program with its output in pipes."""
        return subprocess.Popen(
            [sys.executable, "-m", "yolotop", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.path,
            env=self.env,
        )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The home of this process, too."""
    ours = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "200",
    }
    for name in list(os.environ):
        if name.startswith("YOLOTOP_") or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path, dict(os.environ))


@pytest.fixture
def run(home: Home) -> Callable[..., Result]:
    """Run a command in this process, in ``home``."""
    runner = CliRunner()

    def invoke(*args: str) -> Result:
        return runner.invoke(app, args)

    return invoke


@pytest.fixture(scope="session")
def served() -> Iterator[str]:
    """The URL of a real ``yolotop serve`` process with a key."""
    words = ["yolotop", "serve", "shapes", "--port", "0", "--api-key-env", "SERVED_KEY"]
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SERVED_KEY": KEY},
    )
    assert process.stderr is not None
    said: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.put(line)

    listening = threading.Thread(target=listen)
    listening.start()
    try:
        line = ""
        while "Serving" not in line:
            line = said.get(timeout=READY_S)
        match = re.search(r"http://\S+", line)
        assert match is not None
        yield match.group()
    finally:
        process.terminate()
        process.wait(timeout=10)
        listening.join(timeout=10)
        process.stderr.close()


Answer = tuple[int, Mapping[str, str], object]
HEALTHY: Answer = (200, {}, {"status": "healthy"})
SEEN: Answer = (
    200,
    {},
    {
        "images": [{"shape": [320, 320], "speed": {"inference": 2.0}, "results": []}],
        "metadata": {"imageCount": 1, "version": "1", "model": "m"},
    },
)


@dataclass
class Scripted:
    """An endpoint that answers as told; the last answer is repeated."""

    url: str = ""
    health: list[Answer] = field(default_factory=lambda: [HEALTHY])
    predict: list[Answer] = field(default_factory=lambda: [SEEN])
    asked: list[str] = field(default_factory=list)

    def next(self, path: str) -> Answer:
        self.asked.append(path)
        answers = self.predict if path.endswith("predict") else self.health
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A scripted endpoint on loopback."""
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            status, headers, content = script.next(self.path)
            body = json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield script
        server.shutdown()
        thread.join()


class Pty:
    """The real program in a real pseudo-terminal of its own."""

    def __init__(self, home: Home, *args: str, columns: int = 120, rows: int = 40):
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        # Workers of the tests have a size of no terminal in their environment.
        sizes = ("COLUMNS", "LINES")
        env = {name: it for name, it in home.env.items() if name not in sizes}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "yolotop", *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**env, "TERM": "xterm-256color"},
            cwd=home.path,
            start_new_session=True,
            # Its controlling terminal, so that closing our end is a SIGHUP.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.painted = b""

    def sees(self, text: str, *, within_s: float = READY_S) -> None:
        """Read what is painted until ``text`` was among it."""
        deadline = time.monotonic() + within_s
        while text.encode() not in self.painted:
            left = deadline - time.monotonic()
            assert left > 0, f"never saw {text!r} in {self.painted[-3000:]!r}"
            self._read(left)

    def types(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def ends(self, *, within_s: float = READY_S) -> int:
        """Read until the program is gone; its exit status."""
        deadline = time.monotonic() + within_s
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"goes on: {self.painted[-3000:]!r}"
            self._read(0.1)
        while self._read(0.1):
            pass
        return self.process.returncode

    def hangs_up(self) -> None:
        """Take the terminal away."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def close(self) -> None:
        """End it whatever it does."""
        self.hangs_up()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _read(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], timeout_s)
        if not ready:
            return False
        try:
            self.painted += os.read(self._master, 65_536)
        except OSError:  # the other end is closed
            return False
        return True


@pytest.fixture
def sit_at(home: Home) -> Iterator[Callable[..., Pty]]:
    """Start the program in a pseudo-terminal; it ends with the test."""
    started: list[Pty] = []

    def start(*args: str) -> Pty:
        started.append(Pty(home, *args))
        return started[-1]

    yield start
    for each in started:
        each.close()
