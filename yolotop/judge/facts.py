"""What a server tells of itself, compared: which model, which libraries.

Owns which facts are of the model and how a change of one reads. It must not know where
facts come from, nor what follows from a change. Only names that both sides hold are
compared: a server that tells more than before has not changed for that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

Facts: TypeAlias = tuple[tuple[str, str], ...]

LIBRARY: Final = "library "
"""How the name of a library's fact begins; its name follows."""
_OF_SOFTWARE: Final = (LIBRARY, "server", "runtime")
_OF_WEIGHTS: Final = frozenset(f"{LIBRARY}{name}" for name in ("weights", "sha256"))
"""What some servers tell among the versions of their libraries."""
_LONGEST: Final = 48


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that was another before."""

    name: str
    was: str
    now: str

    @property
    def of_model(self) -> bool:
        """Whether another model answers; else only what it runs on is another."""
        own = self.name in _OF_WEIGHTS
        return own or not self.name.startswith(_OF_SOFTWARE)

    def __str__(self) -> str:
        """``model replaced: a → b``, ``library upgraded: onnx 1.20 → 1.21``."""
        was, now = _short(self.was), _short(self.now)
        name = self.name.removeprefix(LIBRARY)
        if not self.of_model and name != self.name:
            return f"library {_moved(self.was, self.now)}: {name} {was} → {now}"
        if name == "classes":
            was, now = _counted(self.was, self.now)
        verb = "replaced" if name == "model" else "changed"
        return f"{name} {verb}: {was} → {now}"


def differences(before: Facts, after: Facts) -> tuple[Difference, ...]:
    """What both name and is another now, the model's own first."""
    if before == after:
        return ()
    known = dict(before)
    found = [
        Difference(name, known[name], now)
        for name, now in after
        if name in known and known[name] != now
    ]
    return tuple(sorted(found, key=lambda one: (not one.of_model, one.name != "model")))


def merged(before: Facts, after: Facts) -> Facts:
    """What is known after ``after`` was told: what it leaves out stays."""
    if before == after or not after:
        return before
    return tuple(sorted({**dict(before), **dict(after)}.items()))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _counted(was: str, now: str) -> tuple[str, str]:
    """Lists of class names as their lengths, or what is only in either of them."""
    old, new = _names(was), _names(now)
    if len(old) != len(new):
        return str(len(old)), str(len(new))
    gone = ", ".join(name for name in old if name not in new)
    come = ", ".join(name for name in new if name not in old)
    if not gone or not come:
        return _short(was), _short(now)
    return _short(gone), _short(come)


def _names(told: str) -> list[str]:
    """The names, or as many nameless ones where there were too many to tell."""
    many = re.fullmatch(r"(\d{1,6}) #([0-9a-f]+)", told)
    if many is not None:
        return [f"#{many[2]}"] * int(many[1])
    return [name.strip() for name in told.split(",")]


def _moved(was: str, now: str) -> str:
    """``upgraded`` where the numbers of a version grew, ``downgraded``, ``changed``."""
    old, new = _version(was), _version(now)
    if old and new and old != new:
        return "upgraded" if new > old else "downgraded"
    return "changed"


def _version(text: str) -> tuple[int, ...]:
    """The numbers a version begins with; none where it is not one."""
    match = re.match(r"v?(\d{1,9}(?:\.\d{1,9})*)", text)
    return tuple(int(part) for part in match[1].split(".")) if match else ()
