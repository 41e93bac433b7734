"""What the values of a preset may be: paths, pointers, conditions, pairs.

Owns one rule per kind of value. It must not know which key has which. A rule raises
:class:`ValueError` with the rest of a sentence that begins with the key.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Final

from yolotop.config.problems import kind_of, quoted
from yolotop.config.table import as_integer, as_text
from yolotop.judge import conditions
from yolotop.judge.pointers import steps

LONGEST: Final = 500
LONGEST_TEMPLATE: Final = 65_536
MOST: Final = 50
"""Conditions, pairs or statuses in one value."""
_METHODS: Final = ("GET", "POST", "PUT")
_NAME: Final = re.compile(r"[!#-.0-:<-~]{1,100}", re.ASCII)
"""A header, a parameter or a field: visible, without a quote, a slash, a semicolon."""
_PATH: Final = re.compile(r"(?:/|:\d{0,5}/)[!$-;=@-~]*|", re.ASCII)
"""After its beginning whatever a URL may hold, but no ``?``, ``#`` or quote."""
_PLACES: Final = re.compile(r"\{([^{}]*)\}")
_KNOWN_PLACES: Final = ("model", "version")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
_HEADER_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?", re.ASCII)
HEADER: Final = "header:"


def as_limited(value: object) -> str:
    """A text of printable characters that is not longer than anyone would write."""
    text = as_text(value)
    if len(text) > LONGEST:
        raise ValueError(f"has {len(text)} characters; {LONGEST} are the most")
    if not text.isprintable():
        raise ValueError("holds control characters; use printable ones")
    return text


def as_name(value: object) -> str:
    """The name of a header, a parameter, a form's field."""
    text = as_limited(value)
    if not _NAME.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a name; write one such as image")
    return text


def as_method(value: object) -> str:
    """A method, in capitals."""
    text = as_limited(value)
    if text not in _METHODS:
        raise ValueError(f"{quoted(text)} is not known; {' or '.join(_METHODS)}")
    return text


def as_path(value: object) -> str:
    """``/predict``, ``:8081/models`` or ``:/ping``, with ``{model}``, ``{version}``."""
    text = as_limited(value)
    if not _PATH.fullmatch(text):
        raise ValueError(
            f'{quoted(text)} is not a path; write one such as "/predict", or '
            '":8081/models" for another port'
        )
    port = text[1:].partition("/")[0] if text.startswith(":") else ""
    if port and not 0 < int(port) < 65_536:
        raise ValueError(f"{quoted(text)} names no port")
    for place in _PLACES.findall(text):
        if place not in _KNOWN_PLACES:
            raise ValueError(
                f"{quoted(text)} has {{{place}}} in it; {{model}} and {{version}} are "
                "filled in"
            )
    return text


def as_pointer(value: object) -> str:
    """A JSON pointer, or empty for the whole."""
    text = as_limited(value)
    if text and not text.startswith("/"):
        raise ValueError(
            f'{quoted(text)} is not a pointer; write one such as "/results/0", or "" '
            "for the whole"
        )
    steps(text)
    return text


def as_source(value: object) -> str:
    """Where one value is: a pointer or ``header:NAME``."""
    text = as_limited(value)
    if text.startswith(HEADER):
        if not _HEADER_NAME.fullmatch(text.removeprefix(HEADER)):
            raise ValueError(f"{quoted(text)} names no header")
        return text
    if not text:
        raise ValueError('is empty; write a pointer such as "/time" or "header:NAME"')
    return as_pointer(text)


def as_conditions(value: object) -> tuple[str, ...]:
    """Conditions on an answer, each as it is written back."""
    return tuple(str(conditions.parse(text)) for text in as_texts(value, "conditions"))


def as_says(value: object) -> tuple[str, ...]:
    """Words to look for in a body."""
    found = as_texts(value, "texts")
    if not all(found):
        raise ValueError("holds an empty text, which stands in every answer")
    return found


def as_texts(value: object, what: str) -> tuple[str, ...]:
    """An array of texts."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"must be an array of {what} in quotes")
    if len(value) > MOST:
        raise ValueError(f"holds {len(value)} {what}; {MOST} are the most")
    return tuple(as_limited(one) for one in value)


def as_status(value: object) -> int:
    """An HTTP status."""
    return as_integer(value, 200, 599)


def as_statuses(value: object) -> tuple[int, ...]:
    """Statuses that are not 2xx."""
    if not isinstance(value, list) or len(value) > MOST:
        raise ValueError("must be an array of statuses such as [503]")
    return tuple(as_integer(one, 300, 599) for one in value)


def as_scale(value: object) -> float:
    """A factor above zero."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"is {kind_of(value)}; write a number above 0")  # noqa: TRY004 - a rule has one way to say no
    if math.isnan(value) or not 0 < value <= 1e9:
        raise ValueError(f"is {quoted(value)}; write a number above 0, at most 1e9")
    return float(value)


def as_json(value: object) -> str:
    """A JSON text, compact; a table of TOML will do."""
    if isinstance(value, (Mapping, list)):
        try:
            text = json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            raise ValueError("holds what JSON has no word for (a date?)") from None
    else:
        text = as_text(value)
    if len(text) > LONGEST_TEMPLATE:
        raise ValueError(f"has {len(text)} characters; {LONGEST_TEMPLATE} are the most")
    try:
        decoded: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON ({error})") from None
    if not isinstance(decoded, (dict, list)):
        raise ValueError('must be an object or an array such as {"image": ""}')  # noqa: TRY004 - a rule has one way to say no
    return json.dumps(decoded, separators=(",", ":"), ensure_ascii=False)


def text_pairs(value: object) -> tuple[tuple[str, str], ...]:
    """A table of texts, in its order."""
    if not isinstance(value, Mapping):
        raise ValueError(f'is {kind_of(value)}; write a table such as {{ a = "b" }}')  # noqa: TRY004 - a rule has one way to say no
    if len(value) > MOST:
        raise ValueError(f"holds {len(value)} pairs; {MOST} are the most")
    return tuple((as_limited(name), as_limited(text)) for name, text in value.items())


def header_pairs(value: object) -> tuple[tuple[str, str], ...]:
    """Headers of one request; its type may be told, its length may not."""
    pairs = text_pairs(value)
    for name, text in pairs:
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _NEVER:
            raise ValueError(f"{quoted(name)} cannot be a header of a preset")
        if not _HEADER_VALUE.fullmatch(text):
            raise ValueError(f"{quoted(name)} must be of visible ASCII characters")
    return pairs


_NEVER: Final = frozenset(
    {"content-length", "connection", "transfer-encoding", "authorization", "host"}
)
