"""``[deployment.expect]``: what a right answer holds, written by hand.

Owns its keys. It must not know how an answer is held against them. A key that is none
of the known ones is a label with a count, ``person = ">=1"``; a label that is called
like a key goes into ``counts``. So that no typing mistake becomes a label that nobody
ever sees, what is nearly a known key is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from yolotop.config.problems import Scope, kind_of, quoted
from yolotop.config.table import Table, as_integer, as_label, as_labels, as_share
from yolotop.judge.counts import parse_count
from yolotop.model import Expectation

EXPECT_KEYS: Final = (
    "drawn",
    "min_detections",
    "max_detections",
    "labels",
    "min_confidence",
    "counts",
)
MOST_DETECTIONS: Final = 999
"""Largest count to expect: a probe keeps 1,000 detections, so that is "too many"."""
_NEARLY: Final = 0.75
"""How much like a known key a word is that can only be a mistake."""


def read_expectation(table: Table, scope: Scope, image: str) -> Expectation:
    """The table's own, or that of ``[defaults]``; problems go to ``scope``."""
    value = table.values.get("expect", table.defaults.get("expect", {}))
    own = "expect" in table.values
    if not isinstance(value, Mapping):
        if own:
            scope.problem(f"expect is {kind_of(value)}; write a table", "expect")
        return Expectation()
    inner = scope.child(f"{scope.subject} expect".strip(), "expect")
    expect = (
        Table(value, inner, {})
        if own
        # Problems of inherited expectations were reported where they stand.
        else Table({}, inner, value)
    )
    found = Expectation(
        drawn=expect.boolean("drawn", fallback=False),
        min_detections=expect.read("min_detections", None, _as_count),
        max_detections=expect.read("max_detections", None, _as_count),
        labels=expect.read("labels", (), as_labels),
        counts=_labels(value, expect, inner if own else None),
        min_confidence=expect.read("min_confidence", None, as_share),
    )
    if own:
        _contradictions(found, inner, image)
    return found


def _contradictions(found: Expectation, inner: Scope, image: str) -> None:
    low, high = found.min_detections, found.max_detections
    if low is not None and high is not None and low > high:
        inner.problem(
            f"min_detections {low} is above max_detections {high}", "min_detections"
        )
    if found.drawn and image != "synthetic":
        inner.problem(
            "drawn works with the synthetic image only; remove it or remove image",
            "drawn",
        )


def _labels(
    value: Mapping[str, object], expect: Table, told: Scope | None
) -> tuple[tuple[str, str], ...]:
    """The counts by label; ``told`` hears of what is wrong, unless it was told."""
    found: dict[str, str] = {}
    for key, wanted in value.items():
        if key in EXPECT_KEYS:
            continue
        near = get_close_matches(key.lower(), EXPECT_KEYS, n=1, cutoff=_NEARLY)
        if near or not isinstance(wanted, (str, int)):
            if told is not None:
                _unknown(key, near, told)
            continue
        try:
            found[as_label(key)] = as_condition(wanted)
        except ValueError as error:
            if told is not None:
                told.problem(f"{quoted(key)} {error}", key)
    nothing: tuple[tuple[str, str], ...] = ()
    found |= dict(expect.read("counts", nothing, as_counts))
    return tuple(found.items())


def _unknown(key: str, near: list[str], told: Scope) -> None:
    if near:
        told.problem(
            f'unknown key {quoted(key)}; did you mean "{near[0]}"? A label called so '
            f'goes into counts = {{ {key} = ">=1" }}',
            key,
        )
    else:
        told.unknown(key, EXPECT_KEYS)


def as_counts(value: object) -> tuple[tuple[str, str], ...]:
    """A table of labels with their counts."""
    if not isinstance(value, Mapping):
        raise ValueError(  # noqa: TRY004 - a rule has one way to say no
            f'is {kind_of(value)}; write a table such as {{ person = ">=1" }}'
        )
    found: dict[str, str] = {}
    for key, wanted in value.items():
        try:
            found[as_label(key)] = as_condition(wanted)
        except ValueError as error:
            raise ValueError(f"{quoted(key)} {error}") from None
    return tuple(found.items())


def as_condition(value: object) -> str:
    """How many there may be: a whole number, or a text such as ``">=1"``."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(  # noqa: TRY004 - a rule has one way to say no
            f'is {kind_of(value)}; write a count such as ">=1" or 2'
        )
    text = str(value).strip()
    try:
        parse_count(text)
    except ValueError as error:
        raise ValueError(f"{quoted(text)} {error}") from None
    return text


def _as_count(value: object) -> int:
    return as_integer(value, 0, MOST_DETECTIONS)
