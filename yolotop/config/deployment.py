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

from yolotop.config.advice import advise
from yolotop.config.expect import read_expectation
from yolotop.config.golden import read_golden, read_tolerance
from yolotop.config.hosted import as_address, check_hosted
from yolotop.config.maintenance import as_maintenance
from yolotop.config.preset_tables import PARTS, with_parts
from yolotop.config.presets import shipped
from yolotop.config.problems import Findings, Scope, kind_of, quoted
from yolotop.config.reach import as_pem, as_proxy, as_url, existing_file
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
from yolotop.config.tensor import read_tensor
from yolotop.model import Deployment, PlatformAddress, SecretRef
from yolotop.model.hosting import PLATFORM_URL
from yolotop.model.preset import Preset
from yolotop.text import clean

_T = TypeVar("_T")

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dialect": "text",
        "auth": "table",
        "liveness": "table",
        "request": "table",
        "response": "table",
        "refusals": "table",
        "model": "text",
        "model_version": "text",
        "class_names": "list",
        "headers": "table",
        "metrics_url": "text",
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
        "degraded_after": "integer",
        "degraded_window": "integer",
        "recheck": "text",
        "objective": "number",
        "objective_range": "text",
        "maintenance": "list",
        "conf": "number",
        "iou": "number",
        "imgsz": "integer",
        "connect_timeout": "text",
        "first_byte_timeout": "text",
        "reuse": "boolean",
        "proxy": "text",
        "proxy_auth": "text",
        "ca": "text",
        "client_cert": "text",
        "client_key": "text",
        "verify_tls": "boolean",
        "allow_link_local": "boolean",
        "tensor": "table",
        "tolerance": "table",
        "expect": "table",
    }
)
"""Keys that ``[defaults]`` and ``[[deployment]]`` share, with their kind in TOML."""
OWN_KEYS: Final = ("name", "url", "platform", "probe", "location", "golden", "paused")
"""Keys of a ``[[deployment]]`` that make no sense in ``[defaults]``."""
KEYS: Final = (
    *("name", "url", "platform", "probe", "location", "golden"),
    *KINDS,
    "paused",
)
"""Every key of a ``[[deployment]]``."""

NO_PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({})
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
SLEEPY_INTERVAL_S: Final = HOUR_S
"""How often one is asked when nothing else is said, so that it can sleep."""
SOONEST_RECHECK_S: Final = 0.5
LOWEST_OBJECTIVE: Final = 0.5
HIGHEST_OBJECTIVE: Final = 0.99999
LONGEST_MODEL: Final = 200
MOST_CLASSES: Final = 10_000
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_OUR_HEADERS: Final = frozenset(
    {
        "content-length",
        "content-type",
        "connection",
        "transfer-encoding",
        "authorization",
    }
)
_DEGREES: Final = (("latitude", 90), ("longitude", 180))
_LOCATION_FORM: Final = "[latitude, longitude] such as [52.52, 13.41]"


def deployment_from_table(
    table: Mapping[str, object],
    defaults: Mapping[str, object] | None = None,
    where: str = "the deployment",
    *,
    base: Path | None = None,
    presets: Mapping[str, Preset] = NO_PRESETS,
) -> Deployment:
    """The deployment that ``table`` describes on top of ``defaults``.

    ``presets`` are those of the config file, beside those that ship. ``where`` names
    the place in messages; relative paths are relative to ``base`` (the working
    directory without). Raises :class:`~yolotop.errors.ConfigError` with every problem
    of the table.
    """
    findings = Findings(where)
    found = read_deployment(
        table, defaults or {}, findings.scope(""), base=base, presets=presets
    )
    findings.check()
    return found


def read_defaults(
    values: Mapping[str, object],
    scope: Scope,
    *,
    base: Path | None,
    presets: Mapping[str, Preset] = NO_PRESETS,
) -> None:
    """Report what is wrong in a ``[defaults]`` table."""
    table = Table(values, scope, {})
    for key in OWN_KEYS:
        if key in values:
            scope.problem(f"{key} belongs in a [[deployment]], not in [defaults]", key)
    known = {key: values[key] for key in values if key not in OWN_KEYS}
    Table(known, scope, {}).only(tuple(KINDS))
    _effective(table, scope, name="", url="", base=base, presets=presets)


def read_deployment(
    values: Mapping[str, object],
    defaults: Mapping[str, object],
    scope: Scope,
    *,
    base: Path | None,
    presets: Mapping[str, Preset] = NO_PRESETS,
) -> Deployment:
    """The deployment in ``values``; problems go to ``scope`` and are stood in for."""
    table = Table(values, scope, defaults)
    table.only(KEYS)
    platform = _optional(table, "platform", as_address)
    needed = ("name",) if platform is not None else ("name", "url")
    for key in needed:
        if key not in values:
            scope.problem(f"{key} is missing; every deployment needs one")
    check_hosted(table, scope)
    name = table.read("name", "?", as_label)
    # Until the Platform tells where it serves, its address there stands for it.
    url = "http://localhost" if platform is None else f"{PLATFORM_URL}/{platform}"
    url = table.read("url", url, as_url)
    found = _effective(
        table,
        scope,
        name=name,
        url=url,
        platform=platform,
        base=base,
        presets=presets,
    )
    if found.probe:
        advise(found, table, scope)
    return found


def _effective(
    table: Table,
    scope: Scope,
    *,
    name: str,
    url: str,
    platform: PlatformAddress | None = None,
    base: Path | None,
    presets: Mapping[str, Preset],
) -> Deployment:
    # Those of the Platform have no instance while nobody asks.
    scale_to_zero = table.boolean("scale_to_zero", fallback=platform is not None)
    image = table.read("image", "synthetic", lambda value: as_image(value, base))
    dialect = table.choice("dialect", "ultralytics", known=(*DIALECTS, *presets))
    return Deployment(
        name=name,
        url=url,
        platform=platform,
        probe=table.boolean("probe", fallback=platform is None),
        dialect=dialect,
        preset=_preset(table, scope, presets.get(dialect) or shipped(dialect)),
        model=_optional(table, "model", as_model),
        model_version=_optional(table, "model_version", as_model),
        class_names=table.read("class_names", (), as_class_names),
        headers=table.read("headers", (), as_headers),
        metrics_url=_optional(table, "metrics_url", as_metrics_url),
        api_key=table.read("api_key", None, lambda value: as_ref(value, base)),
        group=table.read("group", None, as_label),
        tags=table.read("tags", (), as_labels),
        region=table.read("region", None, as_label),
        location=_optional(table, "location", as_location),
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
        tensor=read_tensor(table, scope),
        golden=read_golden(table, scope, image, base),
        tolerance=read_tolerance(table, scope),
        expect=read_expectation(table, scope, image),
        slow_ms=_optional(
            table, "slow", lambda value: as_duration(value, 0.001, HOUR_S) * 1_000
        ),
        fail_after=table.integer("fail_after", 3, low=1, high=100),
        recover_after=table.integer("recover_after", 2, low=1, high=100),
        degraded_after=table.integer("degraded_after", 2, low=1, high=100),
        degraded_window=table.integer("degraded_window", 5, low=1, high=100),
        recheck_s=table.read("recheck", 2.0, as_recheck),
        objective=table.read("objective", 0.99, as_objective),
        objective_range_s=table.duration(
            "objective_range", 7 * DAY_S, low=DAY_S, high=30 * DAY_S
        ),
        maintenance=table.read("maintenance", (), as_maintenance),
        conf=_optional(table, "conf", as_share),
        iou=_optional(table, "iou", as_share),
        imgsz=_optional(table, "imgsz", lambda value: as_integer(value, 32, 8_192)),
        paused=table.boolean("paused", fallback=False),
        connect_timeout_s=_optional(table, "connect_timeout", _as_budget),
        first_byte_timeout_s=_optional(table, "first_byte_timeout", _as_budget),
        reuse=table.boolean("reuse", fallback=False),
        proxy=_optional(table, "proxy", as_proxy),
        proxy_auth=_optional(table, "proxy_auth", lambda value: as_ref(value, base)),
        ca=_optional(table, "ca", lambda value: as_pem(value, base)),
        client_cert=_optional(table, "client_cert", lambda value: as_pem(value, base)),
        client_key=_optional(table, "client_key", lambda value: as_pem(value, base)),
        verify_tls=table.boolean("verify_tls", fallback=True),
        allow_link_local=table.boolean("allow_link_local", fallback=False),
    )


def _preset(table: Table, scope: Scope, named: Preset) -> Preset:
    """The preset of that name with the tables that stand here, or in the defaults."""
    own = {key: table.values[key] for key in PARTS if key in table.values}
    inherited = {
        key: table.defaults[key]
        for key in PARTS
        if key in table.defaults and key not in own
    }
    if inherited:
        # What is wrong there was reported where it stands.
        named = with_parts(named, inherited, Findings("").scope(""))
    return with_parts(named, own, scope) if own else named


def _optional(table: Table, key: str, rule: Callable[[object], _T]) -> _T | None:
    return table.read(key, None, rule)


def as_model(value: object) -> str:
    """What a server calls a model or a version: printable, one line."""
    text = as_text(value)
    if not text or not text.isprintable() or len(text) > LONGEST_MODEL:
        raise ValueError(
            f"must be 1 to {LONGEST_MODEL} printable characters, as the server says it"
        )
    return text


def as_class_names(value: object) -> tuple[str, ...]:
    """Class names in the model's order; unlike tags, two may be the same."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError('must be an array of strings in the order of the model, ["a"]')
    if len(value) > MOST_CLASSES:
        raise ValueError(f"holds {len(value)} names; {MOST_CLASSES} are the most")
    return tuple(clean(item, limit=LONGEST_MODEL) for item in value)


def as_headers(value: object) -> tuple[tuple[str, str], ...]:
    """Headers that go out with every request; keys belong in ``api_key``."""
    if not isinstance(value, Mapping):
        raise ValueError(f'is {kind_of(value)}; write a table such as {{ Host = "m" }}')  # noqa: TRY004 - a rule has one way to say no
    for name, text in value.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"{quoted(name)} is not the name of a header")
        if name.lower() in _OUR_HEADERS:
            raise ValueError(f"{quoted(name)} is written by yolotop itself; remove it")
        if not isinstance(text, str) or not _HEADER_VALUE.fullmatch(text):
            raise ValueError(f"{name} must be a string of visible ASCII characters")
    return tuple((str(name), str(text)) for name, text in value.items())


def as_metrics_url(value: object) -> str:
    """A URL, or empty for "there are none to read"."""
    text = as_text(value)
    return "" if text in ("", "none") else as_url(text)


def as_recheck(value: object) -> float:
    """Seconds until a first failure is looked at again; 0 for never."""
    seconds = as_duration(value, 0.0, HOUR_S)
    if 0 < seconds < SOONEST_RECHECK_S:
        raise ValueError(f'must be at least {SOONEST_RECHECK_S:g} s, or "0s" for never')
    return seconds


def as_objective(value: object) -> float:
    """A share that can be kept and can be missed: 0.5 to 0.99999."""
    share = as_share(value)
    if not LOWEST_OBJECTIVE <= share <= HIGHEST_OBJECTIVE:
        raise ValueError(
            f"must be from {LOWEST_OBJECTIVE:g} to {HIGHEST_OBJECTIVE:g}; "
            "99 % is 0.99, and 1 leaves nothing to fail"
        )
    return share


def _as_budget(value: object) -> float:
    """Seconds that one step of a probe may take."""
    return as_duration(value, 0.01, 600.0)


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
    return existing_file(text, base, "the image")


def as_location(value: object) -> tuple[float, float]:
    """Latitude and longitude in degrees, north and east above zero."""
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"must be two numbers, {_LOCATION_FORM}")
    degrees: list[float] = []
    for number, (what, most) in zip(value, _DEGREES, strict=True):
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise ValueError(  # noqa: TRY004 - a rule has one way to say no
                f"has {kind_of(number)} as its {what}; write {_LOCATION_FORM}"
            )
        if not -most <= number <= most:
            raise ValueError(
                f"has the {what} {quoted(number)}; -{most} to {most} are possible, "
                f"and the latitude comes first: {_LOCATION_FORM}"
            )
        degrees.append(float(number))
    return degrees[0], degrees[1]
