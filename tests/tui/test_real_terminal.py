"""In a real pseudo-terminal: bytes, colours, signals, the exit code."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROGRAM = """
import sys
from yolotop.config.schema import UiSettings
from yolotop.tui.app import YolotopApp
from tui_fleet import NOON, FakeActions, FakeSource, fleet_lines, fleet_snapshot
from dataclasses import replace

class Ticking(FakeSource):
    async def refresh(self, range_):
        picture = await super().refresh(range_)
        if "tick" in sys.argv:
            self.snapshot = replace(picture, at=picture.at + 1)
        return self.snapshot

cards = tuple(replace(card, checking=False) for card in fleet_snapshot().cards)
source = Ticking(fleet_snapshot(cards), fleet_lines())
app = YolotopApp(source, FakeActions(), settings=UiSettings(), refresh_s=0.2)
sys.exit(app.run())
"""
SUPPORT = Path(__file__).parent.parent / "support"


@dataclass
class Terminal:
    """One process in one pseudo-terminal; ``seen`` is all it painted."""

    process: subprocess.Popen[bytes]
    master: int
    seen: bytes = field(default=b"")

    def read(self, seconds: float) -> bytes:
        """What is painted within so many seconds."""
        until, got = time.monotonic() + seconds, b""
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.master], [], [], left)[0]:
                break
            try:
                got += os.read(self.master, 65_536)
            except OSError:
                break
        self.seen += got
        return got

    def sees(self, text: str) -> None:
        """Wait until something was painted."""
        until = time.monotonic() + 30
        while text.encode() not in self.seen:
            assert time.monotonic() < until, self.seen[-2_000:]
            assert self.process.poll() is None, self.seen[-2_000:]
            self.read(0.1)

    def settles(self) -> None:
        """Wait until the first picture is whole: half a second without a byte."""
        self.sees("138 ms")
        until = time.monotonic() + 20
        while self.read(0.5):
            assert time.monotonic() < until


@contextlib.contextmanager
def terminal(*args: str, env: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Start the app on the hand-made fleet."""
    master, slave = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environ |= {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": str(SUPPORT)}
    environ.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *args],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environ | dict(env or {}),
        start_new_session=True,
    )
    os.close(slave)
    shown = Terminal(process, master)
    try:
        yield shown
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)


def test_nothing_is_sent_while_nothing_changes() -> None:
    with terminal() as shown:
        shown.settles()
        assert shown.read(2.0) == b""


def test_a_second_costs_its_ages_and_no_more() -> None:
    with terminal("tick") as shown:
        shown.sees("138 ms")
        shown.read(2.0)
        # Five seconds' worth of ages a second: eight ages, the widest 8 cells.
        assert len(shown.read(2.0)) / 10 < 900


def test_no_color_is_none_at_all() -> None:
    with terminal(env={"NO_COLOR": "1"}) as shown:
        shown.settles()
        assert not re.search(rb"\x1b\[[0-9;]*[34]8;[25];", shown.seen)
        assert not re.search(rb"\x1b\[(?:[0-9]+;)*3[1-7]m", shown.seen)


def test_without_truecolor_the_terminal_keeps_its_own_sixteen() -> None:
    with terminal(env={"COLORTERM": ""}) as shown:
        shown.settles()
        assert not re.search(rb"\x1b\[[0-9;]*[34]8;2;", shown.seen)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_end_it_at_once_with_their_code(
    number: signal.Signals, code: int
) -> None:
    with terminal() as shown:
        shown.settles()
        os.kill(shown.process.pid, number)
        shown.read(0.5)
        assert shown.process.wait(10) == code


def test_q_ends_it_with_nought_and_gives_the_screen_back() -> None:
    with terminal() as shown:
        shown.settles()
        os.write(shown.master, b"q")
        shown.sees("\x1b[?1049l")
        assert shown.process.wait(10) == 0


def test_foreign_text_is_shown_as_it_is() -> None:
    with terminal() as shown:
        shown.settles()
        assert b"[red]upstream[/nope]" in shown.seen
