"""Where each setting of one deployment comes from.

Owns the table of effective settings with their origins. It must not know who reads it,
or decide what a setting is: values are those that :mod:`yolotop.config.load` found.

The environment is that of the process that asks. A collector that was started from
another shell may have another one.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from yolotop.config.deployment import KEYS, KINDS
from yolotop.config.duration import format_duration
from yolotop.config.expect import EXPECT_KEYS
from yolotop.config.golden import TOLERANCE_KEYS
from yolotop.config.load import absolute, parse, read_text
from yolotop.config.locate import Layout, locate
from yolotop.config.preset_back import as_tables, says_nothing
from yolotop.config.preset_tables import PARTS
from yolotop.config.problems import nearest, quoted
from yolotop.config.tensor import TENSOR_KEYS
from yolotop.errors import ConfigError
from yolotop.model import Deployment, Expectation, Tolerance
from yolotop.model.preset import Reading, Tensor
from yolotop.text import clean, redact, show_url

BUILT_IN: Final = "built in"
NONE: Final = "none"
"""The value of a key that is not set and has no default."""
_TABLES: Final[Mapping[str, tuple[tuple[str, ...], object]]] = MappingProxyType(
    {
        "tensor": (TENSOR_KEYS, Tensor()),
        "tolerance": (TOLERANCE_KEYS, Tolerance()),
        "expect": (EXPECT_KEYS, Expectation()),
    }
)
"""Settings that are tables: their keys, and what these are when nobody wrote them."""
_REFERENCES: Final = frozenset({"api_key", "proxy_auth"})
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
"""A key of TOML that needs no quotes."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One effective setting: ``value`` as the config file would write it.

    ``origin`` is ``yolotop.toml:12`` (the deployment's own table), ``[defaults],
    yolotop.toml:3``, the name of an environment variable, or ``built in``. A secret is
    there by reference only; where there is no value, ``value`` is ``none``. The keys
    of ``expect`` are ``expect.labels`` and so on, likewise those of ``tensor`` and
    ``tolerance``, and those of the preset's tables ``request.path``; what the preset
    says comes from ``dialect NAME``. A baseline's origin says when it was pinned.
    """

    key: str
    value: str
    origin: str


def settings_of(path: Path, name: str, env: Mapping[str, str]) -> tuple[Setting, ...]:
    """Every setting of the deployment ``name``, in the order of the documentation.

    Raises :class:`~yolotop.errors.ConfigError` when the file cannot be used or holds
    no such deployment.
    """
    path = absolute(path)
    text = read_text(path)
    config = parse(text, path=path, env=env)
    found = config.deployment(name)
    if found is None:
        known = [deployment.name for deployment in config.deployments]
        raise ConfigError(
            f"{clean(str(path))}: there is no deployment {quoted(name)}",
            hint=nearest(name, known).capitalize() if known else "It holds none",
        )
    index, own = _own_table(text, found.name)
    sources = _Sources(
        clean(path.name), index, own, config.defaults, env, layout=locate(text)
    )
    return tuple(_settings(found, sources))


@dataclass(frozen=True, slots=True)
class _Sources:
    """What was written for one deployment, and where."""

    file: str
    index: int
    own: Mapping[str, object]
    defaults: Mapping[str, object]
    env: Mapping[str, str]
    layout: Layout = field(repr=False)

    def of(self, *keys: str) -> tuple[object, str] | None:
        """What was written at ``keys`` and where; ``None`` for what nobody wrote.

        A table (``expect``) is taken whole: the deployment's own hides the other.
        """
        if keys[0] in self.own:
            return self._found(self.own, keys, self._place("deployment", self.index))
        if keys[0] not in self.defaults:
            return None
        variable = f"YOLOTOP_DEFAULTS_{keys[0].upper()}"
        if variable in self.env and KINDS.get(keys[0]) != "table":
            return self.defaults[keys[0]], variable
        place = self._place("defaults")
        return self._found(self.defaults, keys, lambda *at: f"[defaults], {place(*at)}")

    def _place(self, *table: str | int) -> Callable[..., str]:
        def place(*keys: str) -> str:
            line = self.layout.line(*table, *keys)
            return self.file if line is None else f"{self.file}:{line}"

        return place

    @staticmethod
    def _found(
        table: Mapping[str, object], keys: tuple[str, ...], place: Callable[..., str]
    ) -> tuple[object, str] | None:
        value: object = table
        for key in keys:
            if not isinstance(value, Mapping) or key not in value:
                return None
            value = value[key]
        return value, place(*keys)


def _own_table(text: str, name: str) -> tuple[int, Mapping[str, object]]:
    tables = tomllib.loads(text)["deployment"]
    for index, table in enumerate(tables):
        if unicodedata.normalize("NFC", table["name"]) == name:
            return index, table
    raise AssertionError(name)  # the config that was read from it holds it


def _settings(found: Deployment, sources: _Sources) -> Iterator[Setting]:
    for key in KEYS:
        if key in ("platform", "probe") and found.platform is None:
            continue
        if key in PARTS:
            yield from _part(key, found, sources)
        elif key == "golden":
            yield _golden(found, sources)
        elif key not in _TABLES or (key == "tensor" and found.tensor is None):
            # Without a tensor none of its keys is in force.
            yield _setting(key, sources.of(key), _effective(found, key))
        else:
            inner_keys, built_in = _TABLES[key]
            for inner in inner_keys:
                plain = getattr(built_in, inner)
                # No counts are an empty table, which an empty list is not.
                plain = None if inner == "counts" else plain
                yield _setting(f"{key}.{inner}", sources.of(key, inner), plain)
        if key == "expect":
            yield from _expected_labels(found, sources)


def _expected_labels(found: Deployment, sources: _Sources) -> Iterator[Setting]:
    """The labels that stand beside the known keys of ``expect``."""
    apart = sources.of("expect", "counts")
    named = apart[0] if apart is not None and isinstance(apart[0], Mapping) else {}
    for label, _ in found.expect.counts:
        if label not in named:
            key = label if _BARE.fullmatch(label) else json.dumps(label)
            yield _setting(f"expect.{key}", sources.of("expect", label), None)


def _golden(found: Deployment, sources: _Sources) -> Setting:
    setting = _setting("golden", sources.of("golden"), None)
    if found.golden is None:
        return setting
    at = datetime.fromtimestamp(found.golden.pinned_at, UTC)
    return replace(setting, origin=f"{setting.origin}, pinned {at:%Y-%m-%d %H:%M}Z")


def _part(key: str, found: Deployment, sources: _Sources) -> Iterator[Setting]:
    """What of a table of the preset is in force, from here or from the preset.

    What is empty only if it was written: thirty lines of nothing tell nothing.
    """
    if key == "refusals":
        written = sources.of(key)
        if written is not None:
            yield _setting(key, written, None)
        return
    named = f"dialect {found.dialect}"
    values = as_tables(found.preset)[key]
    if not isinstance(values, Mapping):
        _, origin = sources.of(key) or (None, named)
        yield _setting(key, (values, origin), None)
        return
    if key == "response" and found.preset.reading == Reading():
        return
    for inner, value in values.items():
        written = sources.of(key, inner)
        if written is not None or not says_nothing(key, inner, value):
            origin = named if written is None else written[1]
            yield _setting(f"{key}.{inner}", (value, origin), None)


def _setting(key: str, written: tuple[object, str] | None, built_in: object) -> Setting:
    value, origin = written or (built_in, BUILT_IN)
    if key == "url":
        value = show_url(str(value))
    shown = clean(_as_toml(value))
    # A reference is no secret, and its name may look like one.
    return Setting(key, shown if key in _REFERENCES else redact(shown), origin)


def _effective(found: Deployment, key: str) -> object:
    """The value in force, as the file would write it."""
    if key == "headers":
        return dict(found.headers) or None
    if key == "platform":
        return str(found.platform)
    seconds = getattr(found, f"{key}_s", None)
    return (
        format_duration(seconds) if seconds is not None else getattr(found, key, None)
    )


def _as_toml(value: object) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(key)} = {_as_toml(item)}" for key, item in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_as_toml(item) for item in value)}]"
    if isinstance(value, (int, float)):
        return repr(value)
    # JSON's strings are TOML's, but for one sign that no value here holds (DEL).
    return json.dumps(str(value), ensure_ascii=False)
