"""The fields a filter can ask about: what each is called, takes and looks at.

Owns keys, their values as people type them, and where a log line or a card keeps the
value. It must not know how a filter is put together (:mod:`yolotop.view.filter`).

There are fields of a *line* (``status``) and of a *deployment* over the shown range
(``p95``); a line has those of its deployment, a deployment has those of its newest
prediction.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from yolotop.model import Health, ProbeKind, Severity
from yolotop.store.protocol import LogLine, SharedLine
from yolotop.view.snapshot import Card

Value = float | str | tuple[str, ...] | None
"""What a field holds: a number, a text, several texts, or nothing."""

EVENT: Final = "event"


class BadValueError(ValueError):
    """A value that the field cannot have; the message says what it can."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number from ``low`` to ``high``, both included."""

    low: float = -math.inf
    high: float = math.inf

    def passes(self, value: Value) -> bool:
        """Whether a value is inside; nothing and no text ever is."""
        return isinstance(value, (int, float)) and self.low <= value <= self.high

    def touches(self, low: float, high: float) -> bool:
        """Whether any number from ``low`` to ``high`` is inside."""
        return self.low <= high and low <= self.high

    def covers(self, low: float, high: float) -> bool:
        """Whether every number from ``low`` to ``high`` is inside."""
        return self.low <= low and high <= self.high


@dataclass(frozen=True, slots=True)
class Named:
    """A text, case-folded: one of ``options``, or, unless ``exact``, holding one."""

    options: tuple[str, ...]
    exact: bool = False

    def passes(self, value: Value) -> bool:
        """Whether the value, or any of several, is meant."""
        if value is None or isinstance(value, (int, float)):
            return False
        told = (value,) if isinstance(value, str) else value
        folded = [text.casefold() for text in told]
        if self.exact:
            return any(text in self.options for text in folded)
        return any(option in text for text in folded for option in self.options)


Test = Between | Named
Parse = Callable[[str, str], Test]
"""From comparison and value to the test; raises :class:`BadValueError`."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that can be asked for. ``example`` and ``meaning`` document it.

    Without ``of_line`` it is a deployment's, and a line's by its deployment.
    """

    key: str
    parse: Parse
    of_card: Callable[[Card], Value]
    example: str
    meaning: str
    of_line: Callable[[LogLine | SharedLine], Value] | None = None
    aliases: tuple[str, ...] = ()


# -- values as people type them ----------------------------------------------------

_SEVERITIES: Final = {severity.name.casefold(): severity for severity in Severity}
_NUMBER: Final = re.compile(r"(-?\d+(?:\.(\d*))?|\.(\d+))\s*([a-zμ%]*)")
_STATUS: Final = re.compile(r"(\d)(\d|x)(\d|x)")
_MS: Final = {"": 1.0, "ms": 1.0, "μs": 0.001, "us": 0.001, "s": 1e3, "m": 6e4}
_SHARE: Final = {"": 1.0, "%": 1.0}


def _span(op: str, low: float, high: float) -> Between:
    """The numbers that stand in relation ``op`` to a value from ``low`` to ``high``."""
    if op == ">":
        return Between(low=math.nextafter(high, math.inf))
    if op == "<":
        return Between(high=math.nextafter(low, -math.inf))
    if op == ">=":
        return Between(low=low)
    if op == "<=":
        return Between(high=high)
    return Between(low, high)


def _severity(op: str, value: str) -> Test:
    found = [each for word, each in _SEVERITIES.items() if word.startswith(value)]
    if not found:
        names = ", ".join(_SEVERITIES)
        raise BadValueError(f"'{value}' is no severity: {names}")
    return _span(op, found[0], found[0])


def _status(op: str, value: str) -> Test:
    if _STATUS.fullmatch(value) is None or re.search(r"x\d", value):
        raise BadValueError(f"'{value}' is no HTTP status: 404 or 5xx")
    return _span(op, int(value.replace("x", "0")), int(value.replace("x", "9")))


def _number(units: dict[str, float], wanted: str) -> Parse:
    def parse(op: str, value: str) -> Test:
        found = _NUMBER.fullmatch(value)
        if found is None or found[4] not in units:
            raise BadValueError(f"'{value}' is no {wanted}")
        number, unit = float(found[1]), units[found[4]]
        if op not in ("=", ":"):
            return _span(op, number * unit, number * unit)
        # "=1.2s" is all that is shown as 1.2 s: half of its last digit around it.
        half = 0.5 * 10.0 ** -len(found[2] or found[3] or "")
        return Between((number - half) * unit, (number + half) * unit)

    return parse


_TIME: Final = _number(_MS, "time: 80, 80ms or 1.2s")
_PERCENT: Final = _number(_SHARE, "percentage: 5 or 0.5")
_COUNT: Final = _number({"": 1.0}, "number")


def _text(op: str, value: str) -> Test:
    options = tuple(part for part in value.split(",") if part)
    if op not in ("=", ":", "!="):
        raise BadValueError("only : = and != compare texts")
    if not options:
        raise BadValueError("a comma stands between two values")
    return Named(options, exact=op != ":")


def _one_of(names: Iterable[str], wanted: str) -> Parse:
    known = tuple(names)

    def parse(op: str, value: str) -> Test:
        if op not in ("=", ":", "!="):
            raise BadValueError(f"only : = and != compare {wanted}s")
        meant: list[str] = []
        for part in value.split(","):
            found = [name for name in known if part and name.startswith(part)]
            if not found:
                raise BadValueError(f"'{part}' is no {wanted}: {', '.join(known)}")
            meant += found
        return Named(tuple(meant), exact=True)

    return parse


# -- where the value is ------------------------------------------------------------


def _kind(line: LogLine | SharedLine) -> Value:
    return EVENT if line.probe is None else line.probe.value


def _latency(line: LogLine | SharedLine) -> Value:
    return line.latency_ms if isinstance(line, LogLine) else None


def _percent(share: float | None) -> Value:
    return None if share is None else share * 100


FIELDS: Final = (
    Field(
        "sev", _severity, lambda card: card.severity, "sev>=warn",
        "a severity and above; also `=` `<` … and any of debug, info, warning, error,"
        " critical, as short as you like",
        of_line=lambda line: line.severity, aliases=("severity", "level"),
    ),
    Field(
        "status", _status, lambda card: card.http_status, "status:5xx",
        "an HTTP status: `status:404`, `status>=500`, `status!=200`",
        of_line=lambda line: line.http_status,
    ),
    Field(
        "ms", _TIME, lambda card: card.latency_ms, "ms>80",
        "the line's own latency: `ms>80`, `ms>1.2s`, `ms<=5ms`",
        of_line=_latency, aliases=("latency",),
    ),
    Field(
        "name", _text, lambda card: card.name, "name:gate",
        "part of the deployment's name; `name=gate-3` the whole of it",
        of_line=lambda line: line.deployment, aliases=("deployment",),
    ),
    Field(
        "kind", _one_of((*ProbeKind, EVENT), "kind"),
        lambda _: ProbeKind.PREDICT.value, "kind:predict",
        "what the line is of: predict, health or event, as short as you like",
        of_line=_kind,
    ),
    Field(
        "state", _one_of(Health, "state"), lambda card: card.health.value,
        "state:down", "deployments that are now up, degraded, down, cold, unknown,"
        " paused or maintenance; `state:down,degraded` either",
        aliases=("health",),
    ),
    Field(
        "p95", _TIME, lambda card: card.figures.p95_ms, "p95>80",
        "deployments by the 95th percentile of the shown range",
    ),
    Field(
        "p50", _TIME, lambda card: card.figures.p50_ms, "p50>40",
        "deployments by the median of the shown range",
    ),
    Field(
        "p99", _TIME, lambda card: card.figures.p99_ms, "p99>1s",
        "deployments by the 99th percentile of the shown range",
    ),
    Field(
        "err", _PERCENT, lambda card: _percent(card.figures.error_rate), "err>5",
        "deployments by their error rate over the shown range, in percent",
    ),
    Field(
        "req", _COUNT, lambda card: card.figures.requests, "req<10",
        "deployments by their requests over the shown range", aliases=("requests",),
    ),
    Field(
        "slo", _PERCENT, lambda card: _percent(card.slo_left), "slo<20",
        "deployments by what is left of the error budget, in percent",
    ),
    Field(
        "region", _text, lambda card: card.region, "region:eu",
        "part of the deployment's region; `=` the whole of it",
    ),
    Field(
        "group", _text, lambda card: card.group, "group:dock",
        "part of the deployment's group",
    ),
    Field("tag", _text, lambda card: card.tags, "tag:edge", "part of one of its tags"),
    Field(
        "dialect", _text, lambda card: card.dialect, "dialect:oip",
        "part of the protocol it speaks",
    ),
)  # fmt: skip
"""Every field, in the order in which it is documented."""

BY_KEY: Final = {key: field for field in FIELDS for key in (field.key, *field.aliases)}
