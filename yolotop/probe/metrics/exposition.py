"""A page of metrics as series: Prometheus text 0.0.4 and OpenMetrics, bounded.

Owns the grammar of the lines that are asked for. Must not know servers, nor what a
series stands for. Nothing of a page is ever shown, so nothing of it is cleaned.

Only lines of wanted metrics are read, and those strictly: one that is broken makes the
page no page, since half of a counter is a wrong number. All other lines are skipped
unread, which is what makes the 218 kB of a Ray node cost milliseconds: a handful of its
thousand lines is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

MOST_BYTES: Final = 2 * 1024 * 1024
"""A page beyond this is not read: the largest that was seen has 218 kB."""
MOST_SERIES: Final = 5_000
"""Series that are kept of a page: a hundred models with a histogram each have less."""
MOST_LINE: Final = 8_192
_LARGEST: Final = 1e18
"""A count beyond it is a mistake, and a sum of such overflows."""

Labels: TypeAlias = tuple[tuple[str, str], ...]
Series: TypeAlias = tuple[str, Labels]
"""A metric's name and its labels, in the order of their names."""
Page: TypeAlias = dict[Series, float]
"""What stands on a page, of what was wanted. No value is negative, endless or NaN."""

_NAME: Final = rb"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL: Final = re.compile(
    rb'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(,|\Z)'
)
_LABELS: Final = rb'(?:\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\})?'
_EXEMPLAR: Final = rb"(?:[ \t]+#[ \t].*)?"
_REST: Final = re.compile(
    _LABELS + rb"[ \t]*([^ \t#{}\x22]{1,64})(?:[ \t]+[-+0-9.eE]{1,32})?" + _EXEMPLAR
)
_LOOKS_RIGHT: Final = re.compile(
    rb"^[ \t]*(?:#[ \t]+(?:HELP|TYPE)[ \t]+"
    + _NAME
    + rb"|"
    + _NAME
    # A name and a number: prose and HTML have other words after a line's first.
    + rb"(?:\{[^\n]*\})?[ \t]+[-+]?(?:[0-9.]|NaN|Inf))",
    re.MULTILINE,
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "\\": "\\", '"': '"'}
_NUMBER: Final = re.compile(rb"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_ENDLESS: Final = frozenset({b"nan", b"inf", b"+inf", b"-inf", b"infinity"})


class BadPage(Exception):  # noqa: N818 - reads as what happened
    """This is no page of metrics. ``message`` is one clean sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def read(body: bytes, wanted: Iterable[str]) -> Page:
    """The series of the wanted metrics. Raises BadPage; of a series that stands there

    twice the last counts.
    """
    if len(body) > MOST_BYTES:
        raise BadPage(f"the page has more than {MOST_BYTES >> 20} MiB")
    page: Page = {}
    for found in _lines(frozenset(wanted)).finditer(body):
        name, line = found.group(1), found.group(2)
        if len(line) > MOST_LINE:
            raise BadPage("a line of the page is longer than any label needs")
        labels, value = _sample(line)
        if value is None:
            continue
        page[name.decode("ascii"), labels] = value
        if len(page) > MOST_SERIES:
            raise BadPage(f"the page has more than {MOST_SERIES:,} series of interest")
    if not page and not _LOOKS_RIGHT.search(body):
        raise BadPage("what came is no page of metrics")
    return page


@lru_cache(maxsize=64)
def _lines(wanted: frozenset[str]) -> re.Pattern[bytes]:
    names = b"|".join(re.escape(name).encode("ascii") for name in sorted(wanted))
    return re.compile(rb"^[ \t]*(" + names + rb")(?=[ \t{])([^\n]*)", re.MULTILINE)


def _sample(line: bytes) -> tuple[Labels, float | None]:
    """Labels and value of a line, after its name. No value: one of no use."""
    found = _REST.fullmatch(line.strip())
    if found is None:
        raise BadPage("a line of the page is not as metrics are written")
    return _labels(found.group(1) or b""), _value(found.group(2))


def _value(token: bytes) -> float | None:
    if not _NUMBER.fullmatch(token):
        if token.lower() in _ENDLESS:
            return None
        raise BadPage("a value on the page is no number")
    value = float(token)
    return value if 0.0 <= value <= _LARGEST else None


@lru_cache(maxsize=16_384)
def _labels(text: bytes) -> Labels:
    """Read once for each series there is: pages say the same labels again and again."""
    labels: dict[str, str] = {}
    at = 0
    while at < len(text.rstrip()):
        found = _LABEL.match(text, at)
        if found is None:
            raise BadPage("the labels of a line are not as metrics are written")
        at = found.end()
        value = found.group(2).decode("utf-8", "replace")
        if "\\" in value:
            value = _ESCAPED.sub(lambda one: _ESCAPES.get(one[1], one[0]), value)
        labels[found.group(1).decode("ascii")] = value
    return tuple(sorted(labels.items()))
