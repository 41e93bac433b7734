"""Typed reading of one TOML table: every wrong value becomes a problem, none a crash.

Owns the rules a *kind* of value follows (a duration, a name, a share from 0 to 1). It
must not know which keys a deployment has. Whatever is wrong, a reader reports it and
goes on with the fallback, so that one reading finds everything.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from yolotop.config.duration import FORM, format_duration, parse_duration
from yolotop.config.problems import Scope, kind_of, nearest, quoted
from yolotop.text import clean

T = TypeVar("T")
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Table:
    """One table with its fallbacks.

    ``defaults`` holds values of the same keys from ``[defaults]``; what is wrong
    there is reported when that table is read, not once per deployment.
    """

    values: Mapping[str, object]
    scope: Scope
    defaults: Mapping[str, object]

    def has(self, key: str) -> bool:
        """Whether the key is set here or in the defaults."""
        return key in self.values or key in self.defaults

    def read(self, key: str, fallback: T, rule: Callable[[object], T]) -> T:
        """The value at ``key`` as ``rule`` makes it, or ``fallback``.

        ``rule`` raises :class:`ValueError` with the rest of a sentence that begins
        with the key.
        """
        if key in self.values:
            try:
                return rule(self.values[key])
            except ValueError as error:
                self.scope.problem(f"{key} {error}", key)
                return fallback
        if key in self.defaults:
            try:
                return rule(self.defaults[key])
            except ValueError:
                return fallback
        return fallback

    def only(self, known: Collection[str]) -> None:
        """Report every key that is not ``known``."""
        for key in self.values:
            if key not in known:
                self.scope.unknown(key, known)

    def duration(self, key: str, fallback: float, *, low: float, high: float) -> float:
        """Seconds."""
        return self.read(key, fallback, lambda value: as_duration(value, low, high))

    def integer(self, key: str, fallback: int, *, low: int, high: int) -> int:
        """A whole number."""
        return self.read(key, fallback, lambda value: as_integer(value, low, high))

    def boolean(self, key: str, *, fallback: bool) -> bool:
        """True or false."""
        return self.read(key, fallback, as_boolean)

    def choice(self, key: str, fallback: str, *, known: Collection[str]) -> str:
        """One of a closed set of words."""
        return self.read(key, fallback, lambda value: as_choice(value, known))


def as_text(value: object) -> str:
    """A string, as written."""
    if not isinstance(value, str):
        raise ValueError(f"is {kind_of(value)}; write a string in quotes")  # noqa: TRY004 - a rule has one way to say no
    return value


def as_label(value: object) -> str:
    """A short text for people: 1 to 64 printable characters, no space at the ends.

    Composed (NFC), so that what one keyboard wrote is found by another.
    """
    text = unicodedata.normalize("NFC", as_text(value))
    if not text.strip():
        raise ValueError("is empty; give it a text")
    if len(text) > LONGEST_NAME:
        raise ValueError(f"has {len(text)} characters; {LONGEST_NAME} are the most")
    if text != text.strip():
        raise ValueError(f"{quoted(text)} begins or ends with white space; remove it")
    if not text.isprintable() or clean(text) != text:
        raise ValueError(
            f"{quoted(text)} holds control, invisible or doubled space characters; "
            "use printable ones"
        )
    return text


def as_labels(value: object) -> tuple[str, ...]:
    """An array of short texts; doubled ones count once."""
    if not isinstance(value, list):
        raise ValueError(  # noqa: TRY004 - a rule has one way to say no
            f'is {kind_of(value)}; write an array of strings such as ["edge"]'
        )
    found: dict[str, None] = {}
    for index, item in enumerate(value):
        try:
            found[as_label(item)] = None
        except ValueError as error:
            raise ValueError(f"[{index}] {error}") from None
    return tuple(found)


def as_duration(value: object, low: float, high: float) -> float:
    """Seconds from a duration text within ``low`` and ``high`` seconds."""
    if not isinstance(value, str):
        raise ValueError(f"is {quoted(value)}; write {FORM}")  # noqa: TRY004 - a rule has one way to say no
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise ValueError(f"{quoted(value)} {error}; write {FORM}") from None
    if not low <= seconds <= high:
        raise ValueError(
            f"{quoted(value)} is out of range; "
            f"{format_duration(low)} to {format_duration(high)} are possible"
        )
    return seconds


def as_integer(value: object, low: int, high: int) -> int:
    """A whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"is {kind_of(value)}; write a whole number")  # noqa: TRY004 - a rule has one way to say no
    if not low <= value <= high:
        raise ValueError(f"is {quoted(value)}; {low} to {high} are possible")
    return value


def as_share(value: object) -> float:
    """A number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"is {kind_of(value)}; write a number from 0 to 1")  # noqa: TRY004 - a rule has one way to say no
    if math.isnan(value) or not 0 <= value <= 1:
        raise ValueError(f"is {quoted(value)}; write a number from 0 to 1")
    return float(value)


def as_boolean(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"is {quoted(value)}; write true or false, no quotes")  # noqa: TRY004 - a rule has one way to say no
    return value


def as_choice(value: object, known: Collection[str]) -> str:
    """One of ``known``."""
    text = as_text(value)
    if text not in known:
        raise ValueError(f"{quoted(text)} is not known; {nearest(text, known)}")
    return text
