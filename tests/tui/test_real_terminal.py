"""In a real pseudo-terminal: bytes, colours, signals, the exit code."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import pty
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyte
import pytest

PROGRAM = """
import sys
from yolotop.config.schema import UiSettings
from yolotop.tui.app import YolotopApp
from tui_fleet import NOON, FakeActions, FakeSource, fleet_lines, fleet_snapshot
from dataclasses import replace
from yolotop.text import clean

class Ticking(FakeSource):
    async def refresh(self, range_):
        picture = await super().refresh(range_)
        if "tick" in sys.argv:
            self.snapshot = replace(picture, at=picture.at + 1)
        return self.snapshot

cards = tuple(replace(card, checking=False) for card in fleet_snapshot().cards)
source = Ticking(fleet_snapshot(cards), fleet_lines())

if "hostile" in sys.argv:
    # Through the gate, as everything from afar.
    said = clean(HOSTILE, limit=200)
    named = replace(cards[0], name=clean("\x1b[31m" + cards[0].name), message=said)
    lines = [replace(line, message=said) for line in fleet_lines()]
    source = Ticking(fleet_snapshot((named, *cards[1:])), lines)

if "copy" in sys.argv:
    YolotopApp.action_next_theme = lambda app: app.screen.copy("from afar: é", "it")

settings = UiSettings(low_bandwidth="slow" in sys.argv, refresh_s=0.2)
sys.exit(YolotopApp(source, FakeActions(), settings=settings).run())
"""
HOSTILE = (
    "\x1b[2J\x1b]0;gone\x07 [red]a[/nope] \u202egnirts\u202c 漢字 e\u0301\u0301"
    " 👩\u200d👩 \x9b31m \r\n\t\x08 end"
)
PROGRAM = PROGRAM.replace("HOSTILE", ascii(HOSTILE))
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
def terminal(
    *args: str,
    env: Mapping[str, str] | None = None,
    ignored: signal.Signals | None = None,
) -> Iterator[Terminal]:
    """Start the app on the hand-made fleet; ``ignored`` as ``nohup`` would."""
    master, slave = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environ |= {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": str(SUPPORT)}
    environ.pop("NO_COLOR", None)

    def before() -> None:
        if ignored is not None:
            signal.signal(ignored, signal.SIG_IGN)

    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *args],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environ | dict(env or {}),
        start_new_session=True,
        preexec_fn=before,
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


def sgr_colours(painted: bytes) -> set[bytes]:
    """Every code that sets a colour, inside whatever sequence it came."""
    found: set[bytes] = set()
    for codes in re.findall(rb"\x1b\[([0-9;:]*)m", painted):
        for code in re.split(rb"[;:]", codes):
            if code.isdigit() and (30 <= int(code) <= 49 or 90 <= int(code) <= 107):
                found.add(code)
    return found


def test_no_color_sends_no_code_that_sets_one() -> None:
    with terminal(env={"NO_COLOR": "1"}) as shown:
        shown.settles()
        # 39 and 49 give back the terminal's own.
        assert sgr_colours(shown.seen) <= {b"39", b"49"}
    with terminal() as shown:
        shown.settles()
        assert sgr_colours(shown.seen) > {b"38", b"48"}


def test_low_bandwidth_keeps_to_the_terminals_own_sixteen_colours() -> None:
    with terminal("slow") as shown:
        shown.settles()
        assert b"38" not in sgr_colours(shown.seen)


def test_a_hangup_ends_it_even_where_hangups_are_ignored() -> None:
    with terminal(ignored=signal.SIGHUP) as shown:
        shown.settles()
        os.kill(shown.process.pid, signal.SIGHUP)
        shown.read(0.5)
        assert shown.process.wait(10) == 129


def test_a_copy_reaches_the_terminal_and_nothing_else() -> None:
    with terminal("copy", env={"TMUX": "", "STY": ""}) as shown:
        shown.settles()
        os.write(shown.master, b"t")
        shown.sees("sent to the")
        (sent,) = re.findall(rb"\x1b\]52;c;([^\x07]*)\x07", shown.seen)
        assert base64.b64decode(sent).decode() == "from afar: é"


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_a_copy_gets_into_a_real_tmux(tmp_path: Path) -> None:
    tmux = ["tmux", "-f", "/dev/null", "-S", str(tmp_path / "socket")]
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    env |= {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": str(SUPPORT)}
    env.pop("TMUX", None)

    def ask(*words: str) -> str:
        done = subprocess.run(
            [*tmux, *words], capture_output=True, text=True, env=env, check=False
        )
        return done.stdout

    def sees(*words: str, what: str) -> None:
        until = time.monotonic() + 30
        while what not in ask(*words):
            assert time.monotonic() < until, ask(*words)
            time.sleep(0.05)

    run = shlex.join([sys.executable, str(program), "copy"])
    shown = ""
    try:
        ask("new-session", "-d", "-x", "80", "-y", "24", "sleep 60")
        ask("set", "-s", "set-clipboard", "on")
        ask("respawn-pane", "-k", run)
        shown = ask("display-message", "-p", "#{pane_pid}").strip()
        sees("capture-pane", "-p", what="138 ms")
        ask("send-keys", "t")
        sees("show-buffer", what="from afar: é")
        # What was meant for the outer terminal is not on the screen.
        assert "52;c" not in ask("capture-pane", "-p")
    finally:
        ask("kill-server")
        if shown:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(shown), signal.SIGKILL)


def test_hostile_text_neither_moves_the_cursor_nor_breaks_a_line() -> None:
    with terminal("hostile") as shown:
        shown.settles()
        assert b"\x1b[2J\x1b]0;gone" not in shown.seen
        assert b"]0;gone\x07" not in shown.seen
        screen = pyte.Screen(80, 24)
        pyte.ByteStream(screen).feed(shown.seen)
    rows = screen.display
    assert "deployments" in rows[0] or "yolotop" in rows[0]
    assert rows[-1].startswith(" q quit")
    (line, *_) = [row for row in rows if "[red]a[/nope]" in row and "INFO" in row]
    assert "漢" in line
    assert not {"\u202e", "\x9b"} & set("".join(rows))


def test_foreign_text_is_shown_as_it_is() -> None:
    with terminal() as shown:
        shown.settles()
        assert b"[red]upstream[/nope]" in shown.seen
