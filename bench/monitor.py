"""The real program under measurement: config, collector, terminal.

Owns starting them as a user would, in a data directory of the bench's own, and ending
them. It must not know what is measured.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import random
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyte
from PIL import Image

from bench.waves import IMAGE_BYTES

READY_S: Final = 30.0
_STILL_S: Final = 0.03
"""Nothing painted for so long: what was being painted is there."""


def image(folder: Path) -> Path:
    """A JPEG of 50 KB ± 2 %: noise, so that its size is a matter of its pixels."""
    path = folder / "probe.jpg"
    if path.exists():
        return path
    dice = random.Random(7)  # noqa: S311 - pixels
    for side in range(120, 400, 2):
        picture = Image.frombytes("RGB", (side, side), dice.randbytes(side * side * 3))
        picture.save(path, quality=85)
        if path.stat().st_size >= IMAGE_BYTES * 0.98:
            return path
    raise AssertionError("no JPEG of that size")


@dataclass(frozen=True, slots=True)
class Asked:
    """One deployment of a config."""

    name: str
    predict_interval: str = "10s"
    interval: str = "1d"


def write_config(
    folder: Path, url: str, asked: Iterable[Asked], *, picture: Path
) -> Path:
    """A config that asks ``url`` under every one of these names, without jitter.

    Jitter is on purpose lateness; the limit per host is for hosts, not for a bench.
    """
    lines = [
        "[collector]",
        "jitter = 0.0",
        "in_flight = 256",
        "in_flight_per_host = 256",
        "[defaults]",
        f'image = "{picture}"',
        'timeout = "5s"',
    ]
    for one in asked:
        lines += [
            "[[deployment]]",
            f'name = "{one.name}"',
            f'url = "{url}"',
            f'interval = "{one.interval}"',
            f'predict_interval = "{one.predict_interval}"',
        ]
    path = folder / "yolotop.toml"
    path.write_text("\n".join(lines))
    return path


@contextmanager
def collector(config: Path, data_dir: Path) -> Iterator[int]:
    """``yolotop collect``, running; its process id."""
    command = [sys.executable, "-m", "yolotop", "collect"]
    command += ["--config", str(config), "--data-dir", str(data_dir)]
    data_dir.mkdir(mode=0o700, exist_ok=True)
    with (
        (data_dir / "bench-collector.log").open("ab") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as child,
    ):
        try:
            until = time.monotonic() + READY_S
            while not (data_dir / "yolotop.db").exists():
                if child.poll() is not None or time.monotonic() > until:
                    raise AssertionError("the collector did not start: see its log")
                time.sleep(0.05)
            yield child.pid
        finally:
            child.terminate()
            child.wait(timeout=READY_S)


class Terminal:
    """``yolotop`` in a pseudo-terminal that somebody reads: what is on its screen.

    The screen is emulated, since what is painted are changes: of a new line that
    begins like the old one in its place only the rest is sent. It is emulated only
    while somebody looks: that takes 100 ms for a whole screen at 200x50, in which the
    program would wait to be read and a late byte be taken for an answer to a key.
    """

    def __init__(self, pid: int, master: int, columns: int, rows: int) -> None:
        self.pid = pid
        self.bytes_seen = 0
        self.began_at = time.monotonic()
        self.ended: int | None = None
        """The exit code, once it is known."""
        self._master = master
        self._pressed = False
        self._painted_at = 0.0
        self._painted = threading.Event()
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._unread = bytearray()
        self._took_at = 0.0
        self._wanted = ""
        self._shown_at = 0.0
        self._shown = threading.Event()
        self._lock = threading.Lock()

    def take(self, piece: bytes) -> None:
        """Something was painted."""
        at = time.monotonic()
        with self._lock:
            self.bytes_seen += len(piece)
            if self._pressed:
                self._pressed, self._painted_at = False, at
                self._painted.set()
            self._took_at = at
            self._unread += piece
            self._look(at)

    def text(self) -> str:
        """The screen, line by line."""
        with self._lock:
            self._emulate()
            return "\n".join(self._screen.display)

    def _emulate(self) -> None:
        self._stream.feed(bytes(self._unread))
        self._unread.clear()

    def press(self, keys: bytes, *, within_s: float = 5.0) -> float:
        """Press keys; seconds until the first byte of what they painted came.

        What was being painted before is waited for, not counted.
        """
        while time.monotonic() - self._took_at < _STILL_S:
            time.sleep(_STILL_S / 4)
        with self._lock:
            self._pressed = True
            self._painted.clear()
        began = time.monotonic()
        os.write(self._master, keys)
        if not self._painted.wait(within_s):
            raise AssertionError(f"{keys!r} painted nothing:\n{self.text()}")
        return self._painted_at - began

    def quiet(self, seconds: float, *, within_s: float = 30.0) -> None:
        """Wait until nothing was painted for so long."""
        until = time.monotonic() + within_s
        seen = -1
        while seen != self.bytes_seen:
            if time.monotonic() > until:
                raise AssertionError("it never stopped painting")
            seen = self.bytes_seen
            time.sleep(seconds)

    def expect(self, text: str) -> None:
        """Look out for ``text`` from now on."""
        with self._lock:
            self._wanted = text
            self._shown.clear()
            self._look(time.monotonic())

    def shown_at(self, *, within_s: float) -> float:
        """The monotonic time at which what was expected came to be on the screen."""
        if not self._shown.wait(within_s):
            raise AssertionError(f"{self._wanted} was never shown:\n{self.text()}")
        return self._shown_at

    def _look(self, at: float) -> None:
        if not self._wanted or self._shown.is_set():
            return
        self._emulate()
        if any(self._wanted in line for line in self._screen.display):
            self._shown_at = at
            self._shown.set()


@contextmanager
def terminal(
    config: Path,
    data_dir: Path,
    *,
    rows: int = 60,
    columns: int = 200,
    words: Sequence[str] = (),
    shown: str = "Active",
) -> Iterator[Terminal]:
    """The terminal, attached to the collector that runs; it is drained as it paints.

    ``words`` are more of the command line; it is there once ``shown`` is on it.
    """
    command = [sys.executable, "-m", "yolotop"]
    command += ["--config", str(config), "--data-dir", str(data_dir), *words]
    with in_a_terminal(command, rows=rows, columns=columns, shown=shown) as screen:
        yield screen


@contextmanager
def in_a_terminal(
    command: Sequence[str], *, rows: int, columns: int, shown: str
) -> Iterator[Terminal]:
    """Any program in a pseudo-terminal, from when ``shown`` is on its screen."""
    master, slave = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environ.pop("NO_COLOR", None)
    child = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environ | {"LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    os.close(slave)
    screen = Terminal(child.pid, master, columns, rows)
    screen.expect(shown)
    ended = threading.Event()
    reader = threading.Thread(target=_drain, args=(master, screen, ended))
    reader.start()
    try:
        screen.shown_at(within_s=READY_S)
        yield screen
    finally:
        # Not the quit key: that would stop a collector it started itself.
        child.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=10)
        child.kill()
        screen.ended = child.wait()
        ended.set()
        reader.join()
        os.close(master)


def _drain(master: int, screen: Terminal, ended: threading.Event) -> None:
    while not ended.is_set():
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            screen.take(os.read(master, 65_536))
        except OSError:
            return
