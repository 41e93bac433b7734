"""A person at a real pseudo-terminal: starts the program, reads the screen, types."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pyte

BUDGET_S = 40.0
"""How long a person would wait for anything here, on a busy two-core machine."""


class Person:
    """Starts ``python -m yolotop …`` in a pty and looks at what it paints."""

    def __init__(self, *args: str, columns: int, rows: int, home: Path) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        env = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CONFIG_HOME": str(home / "config"),
        }
        for name in ("NO_COLOR", "YOLOTOP_CONFIG", "YOLOTOP_DATA_DIR", "CI"):
            env.pop(name, None)
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "yolotop", *args],
            dimensions=(rows, columns),
            env=env,
            timeout=BUDGET_S,
        )

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(self.screen.display)

    def looks(self) -> None:
        """Take in what was painted since, waiting up to a fifth of a second."""
        try:
            self._stream.feed(self.child.read_nonblocking(65_536, timeout=0.2))
        except pexpect.TIMEOUT:
            return

    def sees(
        self, what: str | Callable[[str], bool], *, within_s: float = BUDGET_S
    ) -> str:
        """Wait until the screen holds a pattern (or satisfies a predicate)."""
        holds = what if callable(what) else re.compile(what).search
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if holds(self.text):
                return self.text
            try:
                self.looks()
            except pexpect.EOF:
                break
        message = f"never saw {what!r} within {within_s:.0f} s on:\n{self.text}"
        raise AssertionError(message)

    def types(self, keys: str) -> None:
        """Press keys."""
        self.child.send(keys)

    def leaves(self) -> int:
        """Wait for the program to end; its exit status."""
        deadline = time.monotonic() + BUDGET_S
        # To the end of what it painted: the last words come after the last picture, and
        # a process can be gone before all of them are read.
        while time.monotonic() < deadline:
            try:
                self.looks()
            except pexpect.EOF:
                break
        self.child.wait()
        self.child.close()
        status = self.child.exitstatus
        assert status is not None, f"ended by signal {self.child.signalstatus}"
        return int(status)
