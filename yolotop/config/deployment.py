"""One ``[[deployment]]`` table becomes one :class:`~yolotop.model.Deployment`.

Owns the keys of a deployment and of ``[defaults]``, their ranges and their defaults.
It must not know where the table came from: the file, a form on the screen or a trial.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar
from urllib.parse import urlsplit

from yolotop.config.duration import format_duration
from yolotop.config.problems import Findings, Scope, kind_of
from yolotop.config.schema import DIALECTS
from yolotop.config.secrets import parse_ref
from yolotop.config.table import (
    Table,
    as_duration,
    as_integer,
    as_label,
    as_labels,
    as_share,
    as_text,
)
from yolotop.model import Deployment, Expectation, SecretRef
from yolotop.text import clean

_T = TypeVar("_T")

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dialect": "text",
        "api_key": "text",
        "group": "text",
        "tags": "list",
        "region": "text",
        "interval": "text",
        "predict_interval": "text",
        "timeout": "text",
        "slow": "text",
        "scale_to_zero": "boolean",
        "cold_start": "text",
        "image": "text",
        "fail_after": "integer",
        "recover_after": "integer",
        "conf": "number",
        "iou": "number",
        "imgsz": "integer",
        "expect": "table",
    }
)
"""Keys that ``[defaults]`` and ``[[deployment]]`` share, with their kind in TOML."""
KEYS: Final = ("name", "url", *KINDS, "paused")
"""Every key of a ``[[deployment]]``."""
EXPECT_KEYS: Final = ("drawn", "min_detections", "max_detections", "labels")

LONGEST_URL: Final = 2_048
MOST_DETECTIONS: Final = 100_000
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
ASLEEP_AFTER_S: Final = 1_200.0
"""A scale-to-zero instance sleeps after about 15 minutes without a request."""
SLEEPY_INTERVAL_S: Final = HOUR_S
"""How often one is asked when nothing else is said, so that it can sleep."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def deployment_from_table(
    table: Mapping[str, object],
    defaults: Mapping[str, object] | None = None,
    where: str = "the deployment",
    *,
    base: Path | None = None,
) -> Deployment:
    """The deployment that ``table`` describes on top of ``defaults``.

    ``where`` names the place in messages; relative paths are relative to ``base`` (the
    working directory without). Raises :class:`~yolotop.errors.ConfigError` with every
    problem of the table.
    """
    findings = Findings(where)
    found = read_deployment(table, defaults or {}, findings.scope(""), base=base)
    findings.check()
    return found


def read_defaults(
    values: Mapping[str, object], scope: Scope, *, base: Path | None
) -> None:
    """Report what is wrong in a ``[defaults]`` table."""
    table = Table(values, scope, {})
    for key in ("name", "url", "paused"):
        if key in values:
            scope.problem(f"{key} belongs in a [[deployment]], not in [defaults]", key)
    known = {key: values[key] for key in values if key not in ("name", "url", "paused")}
    Table(known, scope, {}).only(tuple(KINDS))
    _effective(table, scope, name="", url="", base=base)


def read_deployment(
    values: Mapping[str, object],
    defaults: Mapping[str, object],
    scope: Scope,
    *,
    base: Path | None,
) -> Deployment:
    """The deployment in ``values``; problems go to ``scope`` and are stood in for."""
    table = Table(values, scope, defaults)
    table.only(KEYS)
    for key in ("name", "url"):
        if key not in values:
            scope.problem(f"{key} is missing; every deployment needs one")
    name = table.read("name", "?", as_label)
    url = table.read("url", "http://localhost", as_url)
    found = _effective(table, scope, name=name, url=url, base=base)
    _advise(found, table, scope)
    return found


def _effective(
    table: Table, scope: Scope, *, name: str, url: str, base: Path | None
) -> Deployment:
    scale_to_zero = table.boolean("scale_to_zero", fallback=False)
    image = table.read("image", "synthetic", lambda value: as_image(value, base))
    return Deployment(
        name=name,
        url=url,
        dialect=table.choice("dialect", "ultralytics", known=DIALECTS),
        api_key=table.read("api_key", None, lambda value: as_ref(value, base)),
        group=table.read("group", None, as_label),
        tags=table.read("tags", (), as_labels),
        region=table.read("region", None, as_label),
        interval_s=table.duration(
            "interval",
            SLEEPY_INTERVAL_S if scale_to_zero else 15.0,
            low=1.0,
            high=DAY_S,
        ),
        predict_interval_s=table.duration(
            "predict_interval",
            SLEEPY_INTERVAL_S if scale_to_zero else 60.0,
            low=1.0,
            high=DAY_S,
        ),
        timeout_s=table.duration("timeout", 10.0, low=0.01, high=600.0),
        scale_to_zero=scale_to_zero,
        cold_start_s=table.duration("cold_start", 55.0, low=0.0, high=HOUR_S),
        image=image,
        expect=_expectation(table, scope, image),
        slow_ms=_optional(
            table, "slow", lambda value: as_duration(value, 0.001, HOUR_S) * 1_000
        ),
        fail_after=table.integer("fail_after", 3, low=1, high=100),
        recover_after=table.integer("recover_after", 2, low=1, high=100),
        conf=_optional(table, "conf", as_share),
        iou=_optional(table, "iou", as_share),
        imgsz=_optional(table, "imgsz", lambda value: as_integer(value, 32, 8_192)),
        paused=table.boolean("paused", fallback=False),
    )


def _optional(table: Table, key: str, rule: Callable[[object], _T]) -> _T | None:
    return table.read(key, None, rule)


def _expectation(table: Table, scope: Scope, image: str) -> Expectation:
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
    expect.only(EXPECT_KEYS)
    found = Expectation(
        drawn=expect.boolean("drawn", fallback=False),
        min_detections=_optional(expect, "min_detections", _as_count),
        max_detections=_optional(expect, "max_detections", _as_count),
        labels=expect.read("labels", (), as_labels),
    )
    low, high = found.min_detections, found.max_detections
    if own and low is not None and high is not None and low > high:
        inner.problem(
            f"min_detections {low} is above max_detections {high}", "min_detections"
        )
    if own and found.drawn and image != "synthetic":
        inner.problem(
            "drawn works with the synthetic image only; remove it or remove image",
            "drawn",
        )
    return found


def _as_count(value: object) -> int:
    return as_integer(value, 0, MOST_DETECTIONS)


def as_url(value: object) -> str:
    """An ``http`` or ``https`` URL with a host and no secrets in it."""
    url = as_text(value)
    if not url:
        raise ValueError("is empty; write something like http://host:8000")
    if len(url) > LONGEST_URL:
        raise ValueError(f"has {len(url)} characters; {LONGEST_URL} are the most")
    # No value is repeated here: before it is parsed, a password may be in it.
    if not url.isprintable() or re.search(r"\s", url):
        raise ValueError("holds spaces or control characters; remove them")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is not a URL ({error})") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("must begin with http:// or https://")
    if not parts.hostname or port == 0:
        raise ValueError("has no host; write something like http://host:8000")
    if "@" in parts.netloc:
        raise ValueError(
            "holds a user name or password; remove it and use api_key "
            '= "env:NAME" instead'
        )
    if parts.fragment:
        raise ValueError('holds a fragment ("#…"); remove it')
    return url


def as_ref(value: object, base: Path | None) -> SecretRef:
    """A reference to a secret; nothing of the value is ever repeated."""
    if not isinstance(value, str):
        raise ValueError(f"is {kind_of(value)}; write a reference as a string")  # noqa: TRY004 - a rule has one way to say no
    return parse_ref(value, base=base)


def as_image(value: object, base: Path | None) -> str:
    """``synthetic`` or the absolute path of an image file that exists."""
    text = as_text(value)
    if text == "synthetic":
        return text
    if not text or "\0" in text:
        raise ValueError('is not a path; write "synthetic" or a file name')
    try:
        path = Path(text).expanduser()
        if base is not None and not path.is_absolute():
            path = base / path
        there = path.is_file()
    except (OSError, RuntimeError) as error:
        raise ValueError(f"cannot be looked up ({error.__class__.__name__})") from None
    if not there:
        shown = clean(str(path), limit=200)
        raise ValueError(f'is "{shown}", which is not a file; put the image there')
    return str(path)


def _advise(found: Deployment, table: Table, scope: Scope) -> None:
    """What is allowed but rarely meant."""
    shortest = min(found.interval_s, found.predict_interval_s)
    if found.timeout_s > shortest:
        scope.warn(
            f"timeout {format_duration(found.timeout_s)} is longer than the interval "
            f"{format_duration(shortest)}; a hanging answer makes the next probes late",
            "timeout",
        )
    if found.scale_to_zero and shortest < ASLEEP_AFTER_S and not found.paused:
        scope.warn(
            f"scale_to_zero is set but it is asked every {format_duration(shortest)}, "
            "which keeps the instance awake and may cost money; use intervals above "
            f"{format_duration(ASLEEP_AFTER_S)}",
            "interval" if "interval" in table.values else "scale_to_zero",
        )
    parts = urlsplit(found.url)
    if (
        found.api_key is not None
        and parts.scheme == "http"
        and parts.hostname not in _LOOPBACK
    ):
        scope.warn("the key is sent unencrypted; use https:// if you can", "url")
