"""What an application printed: its severity, and which lines are of one traceback.

Owns how such lines look. It must not know entries, pages or instants.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from yolotop.model import Severity

LONGEST: Final = 4_000
"""Characters of an entry."""
_HEAD: Final = LONGEST // 4

SEVERITIES: Final = {
    "TRACE": Severity.DEBUG,
    "DEBUG": Severity.DEBUG,
    "INFO": Severity.INFO,
    "NOTICE": Severity.INFO,
    "WARN": Severity.WARNING,
    "WARNING": Severity.WARNING,
    "ERROR": Severity.ERROR,
    "CRITICAL": Severity.CRITICAL,
    "FATAL": Severity.CRITICAL,
    "ALERT": Severity.CRITICAL,
    "EMERGENCY": Severity.CRITICAL,
}
_FIRST_WORD: Final = re.compile(
    # uvicorn's "INFO:     ", logging's "2026-… - name - ERROR - ", "[WARNING] …".
    r"(?:[\[(<]?\d[\d\-:.,TZ +]*[\])>]?\s*)?"
    r"(?:-\s*)?(?:[\w.]+\s+-\s+)?[\[(<]?(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|"
    r"CRITICAL|FATAL|ALERT|EMERGENCY)[\])>]?(?=[:\s\-|]|$)"
)
_TRACEBACK: Final = re.compile(
    r"Traceback \(most recent call last\)|  \+ Exception Group"
)
_EXCEPTION: Final = re.compile(
    r"(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning)(?::|$)"
)
# After frames any name will do: "httpx.ReadTimeout: …", "StopIteration".
_RAISED: Final = re.compile(r"[A-Za-z_][\w.]*(?::|$)")
_CHAINED: Final = re.compile(
    r"During handling of the above exception|The above exception was the direct cause"
)


def classified(message: str) -> Severity:
    """The severity of what was printed: its own word, or a traceback."""
    named = _FIRST_WORD.match(message)
    if named is not None:
        return SEVERITIES[named[1]]
    if begins_traceback(message) or _EXCEPTION.match(message):
        return Severity.ERROR
    return Severity.INFO


def begins_traceback(message: str) -> bool:
    """Whether it is one, or the first line of one."""
    return _TRACEBACK.match(message) is not None


def shortened(text: str) -> str:
    """At most ``LONGEST`` characters, with the end kept: it says what went wrong.

    What is left out is whole lines of the middle, where there are lines.
    """
    if len(text) <= LONGEST:
        return text
    head, tail = text[:_HEAD], text[_HEAD + 3 - LONGEST :]
    head = head.rpartition("\n")[0] or head
    tail = tail.partition("\n")[2] or tail
    return f"{head}\n…\n{tail}"


class _At(Enum):
    """How far a traceback has come."""

    BEGUN = auto()
    FRAMES = auto()
    RAISED = auto()
    CHAINED = auto()


@dataclass(slots=True)
class Traceback:
    """Lines of one, as they are printed: each is asked whether it belongs to it."""

    lines: list[str]
    _at: _At = field(default=_At.BEGUN, init=False)

    @property
    def text(self) -> str:
        """All of it that is kept."""
        return shortened("\n".join(self.lines))

    def takes(self, line: str) -> bool:
        """Whether ``line`` is the next of it; then it is in it from now on."""
        at = self._after(line)
        if at is None:
            return False
        self._at = at
        self.lines.append(line)
        return True

    def _after(self, line: str) -> _At | None:
        if self._at is _At.RAISED:
            return _At.CHAINED if _CHAINED.match(line) else None
        if self._at is _At.CHAINED:
            return _At.BEGUN if begins_traceback(line) else None
        if line.startswith((" ", "\t")):
            return _At.FRAMES
        raised = _RAISED if self._at is _At.FRAMES else _EXCEPTION
        if raised.match(line) and not _FIRST_WORD.match(line):
            return _At.RAISED
        return None
