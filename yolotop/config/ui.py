"""``[ui]`` and ``[keymap]``: how the terminal looks, and which key does what.

Owns their keys and the shape of a keymap. It must not know the terminal: whether an
action of that id exists, and whether two actions want the same key, is told there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from yolotop.config.problems import Findings, kind_of, quoted
from yolotop.config.schema import IMAGES, RANGES, SYMBOLS, VIEWS, UiSettings
from yolotop.config.table import Table, as_text

UI_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "theme": "text",
        "range": "text",
        "view": "text",
        "symbols": "text",
        "images": "text",
        "mouse": "boolean",
        "refresh": "text",
        "low_bandwidth": "boolean",
        "read_only": "boolean",
    }
)
FASTEST_REFRESH_S: Final = 0.2
"""Five looks a second; people see no more, and each costs a query."""
SLOWEST_REFRESH_S: Final = 60.0
MOST_ACTIONS: Final = 200
MOST_KEYS: Final = 8
"""Keys of one action."""
LONGEST_KEY: Final = 40

_DEEPEST: Final = 3
_THEME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_ACTION: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)


def read_ui(
    values: Mapping[str, object],
    override: Mapping[str, object],
    keymap: Mapping[str, object],
    findings: Findings,
) -> UiSettings:
    """The settings; each source is read alone first, so that a problem has a place."""
    keys = _keymap(keymap, findings)
    scope = findings.scope("[ui]", "ui")
    Table(values, scope, {}).only(tuple(UI_KINDS))
    file = _settings(Table(values, scope, {}), keys)
    if not override:
        return file
    outer = scope.child("YOLOTOP_UI_…", source="environment")
    _settings(Table(override, outer, {}), keys)
    return _settings(Table({}, scope, {**values, **override}), keys)


def _settings(table: Table, keymap: Mapping[str, tuple[str, ...]]) -> UiSettings:
    return UiSettings(
        theme=table.read("theme", "auto", _as_theme),
        range=table.choice("range", "24h", known=RANGES),
        symbols=table.choice("symbols", "auto", known=SYMBOLS),
        images=table.choice("images", "auto", known=IMAGES),
        read_only=table.boolean("read_only", fallback=False),
        view=table.choice("view", "cards", known=VIEWS),
        mouse=table.boolean("mouse", fallback=True),
        refresh_s=table.duration(
            "refresh", 1.0, low=FASTEST_REFRESH_S, high=SLOWEST_REFRESH_S
        ),
        low_bandwidth=table.boolean("low_bandwidth", fallback=False),
        keymap=keymap,
    )


def _as_theme(value: object) -> str:
    text = as_text(value)
    if not _THEME.fullmatch(text):
        raise ValueError(
            f'{quoted(text)} is not the name of a theme; write "auto", "yolotop"…'
        )
    return text


def _keymap(
    values: Mapping[str, object], findings: Findings
) -> Mapping[str, tuple[str, ...]]:
    scope = findings.scope("[keymap]", "keymap")
    if len(values) > MOST_ACTIONS:
        scope.problem(f"holds {len(values)} actions; {MOST_ACTIONS} are the most")
        return MappingProxyType({})
    flat = dict(_flat(values))
    table = Table(flat, scope, {})
    found: dict[str, tuple[str, ...]] = {}
    for action in flat:
        if not _ACTION.fullmatch(action):
            scope.problem(
                f"{quoted(action)} is not the id of an action; the help screen lists "
                "them",
                action,
            )
            continue
        found[action] = table.read(action, (), as_keys)
    return MappingProxyType(found)


def _flat(
    values: Mapping[str, object], before: str = "", deep: int = _DEEPEST
) -> Iterator[tuple[str, object]]:
    """Ids have dots in them: ``log.older = "b"`` without quotes is a table to TOML."""
    for key, value in values.items():
        if isinstance(value, Mapping) and deep:
            yield from _flat(value, f"{before}{key}.", deep - 1)
        else:
            yield f"{before}{key}", value


def as_keys(value: object) -> tuple[str, ...]:
    """One key or an array of them; an empty array leaves the action without a key."""
    if not isinstance(value, list):
        return (_as_key(value),)
    if len(value) > MOST_KEYS:
        raise ValueError(f"holds {len(value)} keys; {MOST_KEYS} are the most")
    found: dict[str, None] = {}
    for index, item in enumerate(value):
        try:
            found[_as_key(item)] = None
        except ValueError as error:
            raise ValueError(f"[{index}] {error}") from None
    return tuple(found)


def _as_key(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f'is {kind_of(value)}; write a key such as "f" or "ctrl+f"')  # noqa: TRY004 - a rule has one way to say no
    if not 0 < len(value) <= LONGEST_KEY or not value.isprintable() or " " in value:
        raise ValueError(
            f'{quoted(value)} is not a key; write one such as "f", "F5" or "ctrl+f"'
        )
    return value
