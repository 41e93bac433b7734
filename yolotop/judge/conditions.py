"""Conditions on an answer, as people write them: ``/confidence > 0.8``.

Owns their grammar and what they come to. Must not know where an answer came from, or
what follows from a broken condition. A condition is read once, when the configuration
is, and can then only hold or be broken: what is missing, or is of another type than
the operand, breaks it. (Gatus reads both as 0, so ``x < 5`` holds where there is no x,
and makes whole numbers of all, so ``confidence >= 0.5`` holds for 0.1.)

::

    condition  = subject test
    subject    = pointer | "text" | "header:" name
    test       = "exists" | "missing"
               | ("contains" | "lacks") text
               | ("==" | "!=") (number | text | "true" | "false" | "null")
               | ("<" | "<=" | ">" | ">=") number
    text       = a JSON string, in double quotes
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from yolotop.judge.pointers import MISSING, found, steps
from yolotop.text import clean, redact

Operand = str | int | float | bool | None

LONGEST: Final = 500
"""Characters of a condition."""
_SHOWN: Final = 60
"""Characters of a value that a sentence repeats."""
_SEARCHED: Final = 1_000_000
"""Characters of an answer that are searched for a text."""

_ORDERS: Final[Mapping[str, Callable[[float, float], bool]]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)
_EQUALS: Final = ("==", "!=")
_SEARCHES: Final = ("contains", "lacks")
_ALONE: Final = ("exists", "missing")
_TESTS: Final = (*_EQUALS, *_ORDERS, *_SEARCHES, *_ALONE)
_CONDITION: Final = re.compile(r"(\S+)\s+(\S+)(?:\s+(.*))?", re.DOTALL)
_HEADER: Final = re.compile(r"header:[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
_WORDS: Final[Mapping[str, Operand]] = MappingProxyType(
    {"true": True, "false": False, "null": None}
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a condition is held against.

    ``value`` is the decoded body, or ``MISSING`` where it is not JSON; ``text`` the
    body as text; ``headers`` by their names in lower case.
    """

    value: object
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; ``str()`` of it is what :func:`parse` reads."""

    subject: str
    test: str
    operand: Operand = None

    def __str__(self) -> str:
        if self.test in _ALONE:
            return f"{self.subject} {self.test}"
        return f"{self.subject} {self.test} {_spelled(self.operand)}"

    def broken(self, evidence: Evidence) -> str | None:
        """What is wrong, as one sentence with the value in it; ``None`` if it holds."""
        value = self._value(evidence)
        if value is MISSING:
            if self.test == "missing":
                return None
            wanted = "" if self.test == "exists" else f", expected {self._wanted()}"
            return f"{self.subject} is missing{wanted}"
        if self._holds(value):
            return None
        if self.subject == "text":
            if self.test == "lacks":
                return f"the answer says {_spelled(self.operand)}"
            return f"the answer is not as expected: {self}"
        return f"{self.subject} is {_shown(value)}, expected {self._wanted()}"

    def _value(self, evidence: Evidence) -> object:
        if self.subject == "text":
            return evidence.text
        if self.subject.startswith("header:"):
            name = self.subject.removeprefix("header:").lower()
            return evidence.headers.get(name, MISSING)
        if evidence.value is MISSING:
            return MISSING
        return found(evidence.value, self.subject)

    def _wanted(self) -> str:
        if self.test in _ALONE:
            return "to be missing" if self.test == "missing" else "something"
        return f"{self.test} {_spelled(self.operand)}"

    def _holds(self, value: object) -> bool:
        if self.test in _ALONE:
            return self.test == "exists"
        if self.test in _SEARCHES:
            if not isinstance(value, str):
                return False
            there = str(self.operand).casefold() in value[:_SEARCHED].casefold()
            return there == (self.test == "contains")
        if self.subject.startswith("header:") and isinstance(value, str):
            value = _as_number(value, self.operand)
        if self.test in _ORDERS:
            number = _number(value)
            assert isinstance(self.operand, (int, float))
            return number is not None and _ORDERS[self.test](number, self.operand)
        if self.operand is None:
            return (value is None) == (self.test == "==")
        same = _same(value, self.operand)
        return same is not None and same == (self.test == "==")


def parse(text: str) -> Condition:
    """Read one condition. Raises ValueError that says what is wrong with it."""
    if len(text) > LONGEST:
        raise ValueError(f"has {len(text)} characters; {LONGEST} are the most")
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{_quote(text)} is not a condition; write {_EXAMPLE}")
    subject, test, rest = match[1], match[2], (match[3] or "").strip()
    _check_subject(subject)
    if test not in _TESTS:
        raise ValueError(f"{_quote(test)} is not a test; known are {', '.join(_TESTS)}")
    if test in _ALONE:
        if rest:
            raise ValueError(f"{_quote(rest)} after {test} is too much")
        return Condition(subject, test)
    return Condition(subject, test, _operand(rest, subject, test))


_EXAMPLE: Final = "one such as '/success == true' or 'text lacks \"no data\"'"


def _check_subject(subject: str) -> None:
    if subject == "text" or _HEADER.fullmatch(subject):
        return
    if not subject.startswith("/"):
        raise ValueError(
            f"{_quote(subject)} is nothing to look at; begin with a pointer such as "
            "/success, with text or with header:NAME"
        )
    steps(subject)


def _operand(text: str, subject: str, test: str) -> Operand:
    if not text:
        raise ValueError(f"nothing stands after {test}")
    value = _literal(text)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if test in _ORDERS and not number:
        raise ValueError(f"{test} needs a number after it, not {_quote(text)}")
    if test in _SEARCHES and (not isinstance(value, str) or not value):
        raise ValueError(f"{test} needs a text in double quotes after it")
    if subject == "text" and not isinstance(value, str):
        raise ValueError(f"a text is compared with a text, not with {_quote(text)}")
    return value


def _literal(text: str) -> Operand:
    if text in _WORDS:
        return _WORDS[text]
    if match := _NUMBER.fullmatch(text):
        number = float(text) if match[1] or match[2] else int(text)
        if isinstance(number, float) and not math.isfinite(number):
            raise ValueError(f"{_quote(text)} is beyond all numbers")
        return number
    if text[0] == '"':
        try:
            value: object = json.loads(text)
        except ValueError:
            value = None
        if isinstance(value, str):
            return value
    raise ValueError(
        f"{_quote(text)} is not a value; write a number, true, false, null or a text "
        "in double quotes"
    )


def _as_number(text: str, operand: Operand) -> object:
    """A header is text; compared with a number, it may be one."""
    if isinstance(operand, str) or not _NUMBER.fullmatch(text.strip()):
        return text
    return float(text)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def _same(value: object, operand: Operand) -> bool | None:
    """Whether they are equal; ``None`` where they cannot be compared."""
    if isinstance(operand, bool) or isinstance(value, bool):
        both = isinstance(operand, bool) and isinstance(value, bool)
        return value == operand if both else None
    if isinstance(operand, str):
        return value == operand if isinstance(value, str) else None
    number = _number(value)
    return None if number is None else number == operand


def _spelled(value: Operand) -> str:
    return (
        json.dumps(value, ensure_ascii=False) if isinstance(value, str) else _raw(value)
    )


def _raw(value: float | None) -> str:
    for word, known in _WORDS.items():
        if value is known:
            return word
    return repr(value)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{redact(clean(value[: _SHOWN * 4], limit=_SHOWN))}"'
    if isinstance(value, (list, dict)):
        what = "a list" if isinstance(value, list) else "an object"
        return f"{what} of {len(value)}"
    if isinstance(value, int) and value.bit_length() > 100:
        return "a number beyond reason"
    return _raw(value) if isinstance(value, (int, float)) else "null"


def _quote(text: str) -> str:
    return f'"{redact(clean(text[: _SHOWN * 4], limit=_SHOWN))}"'
