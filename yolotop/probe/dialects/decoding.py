"""JSON of strangers, within bounds.

Owns strictness (NaN is not JSON) and the caps on depth and number of values, which are
looked at before anything is built: 8 MiB of ``[[],[],…`` are 2.8 million lists and
230 MB, and ten thousand levels end in a RecursionError somewhere else later. Must not
know what the values mean.
"""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn

from yolotop.probe.dialects.protocol import BadResponse
from yolotop.text import clean

DEEPEST: Final = 64
"""Levels of nesting. YOLO answers have six."""

MOST_VALUES: Final = 1_000_000
"""Values in one answer: masks of 300 objects with 1,500 points each."""

# A string that does not end takes the rest, so that no second try begins inside it:
# the time stays linear in the length, whatever is sent.
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def decode(body: bytes) -> object:
    """Decode JSON strictly: NaN and Infinity are not JSON. Raises BadResponse."""
    if not body.strip():
        raise BadResponse("the answer is empty")
    check_bounds(body)
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        value: object = _DECODER.decode(text)
    except RecursionError:
        raise BadResponse(_TOO_DEEP) from None
    except _NotFinite as error:
        raise BadResponse(f"the answer holds {error.args[0]}, not a number") from None
    except ValueError as error:
        raise BadResponse(f"the answer is not JSON: {_begins(body)}") from error
    return value


_TOO_DEEP: Final = f"the answer is nested more than {DEEPEST} levels deep"


def check_bounds(body: bytes) -> None:
    """Raise BadResponse for more than :data:`DEEPEST` levels or too many values.

    Nothing but counting, at some 1 GB/s, where the text cannot hold that much; else
    strings are taken out first, at some 100 MB/s.
    """
    opened = body.count(b"[") + body.count(b"{")
    if opened <= DEEPEST and opened + body.count(b",") < MOST_VALUES:
        return
    bare = _STRINGS.sub(b"0", body)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") >= MOST_VALUES:
        raise BadResponse(f"the answer holds more than {MOST_VALUES:,} values")
    brackets = bare.translate(_ONE_KIND, _NOT_BRACKETS)
    # Each turn takes the innermost level away. What is left over without pairs is not
    # JSON, and the parser says so, unless it would go too deep before it notices.
    for _ in range(DEEPEST):
        if b"[]" not in brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    if b"[]" in brackets or brackets.count(b"[") > DEEPEST:
        raise BadResponse(_TOO_DEEP)


class _NotFinite(ValueError):  # noqa: N818 - reads as what happened
    pass


def _refuse(constant: str) -> NoReturn:
    raise _NotFinite(constant)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)


def _begins(body: bytes) -> str:
    head = body[:200].decode("utf-8", errors="replace").lstrip()
    if head[:1] == "<":
        return "it is an HTML page"
    return f"it begins {clean(head, limit=40)!r}"
