"""Which presets there are: those that ship, and those of a config file.

Owns finding a preset by its name and what it is based on. The files that ship lie in
``probe/presets``, one each, read when first wanted. It must not know a preset's keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache, partial
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from yolotop.config.locate import locate
from yolotop.config.preset_tables import read_preset
from yolotop.config.problems import Findings, Scope, kind_of, nearest, quoted
from yolotop.config.schema import DIALECTS
from yolotop.config.table import as_label
from yolotop.model.preset import (
    Preset,
)

MOST_PRESETS: Final = 200


# --- those that ship -----------------------------------------------------------------


@lru_cache(maxsize=len(DIALECTS))
def shipped(name: str) -> Preset:
    """The preset of that name, one of :data:`~yolotop.config.schema.DIALECTS`."""
    text = (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    findings = Findings(f"{name}.toml", partial(locate, text))
    scope = findings.scope("")
    found = read_preset(name, tomllib.loads(text), Preset(name, "generic"), scope)
    findings.check()
    return found


# Not as a package: what reads the configuration must not import what probes.
_FOLDER: Final = files("yolotop") / "probe" / "presets"


# --- those of the config file --------------------------------------------------------


def read_presets(
    values: Mapping[str, object], findings: Findings
) -> Mapping[str, Preset]:
    """``[preset.NAME]`` of the config file, by name."""
    top = findings.scope("[preset]", "preset")
    if len(values) > MOST_PRESETS:
        top.problem(f"holds {len(values)} presets; {MOST_PRESETS} are the most")
        return MappingProxyType({})
    own = _Own(values, findings)
    for name in values:
        own.read(name)
    return MappingProxyType(own.found)


class _Own:
    """Presets that are based on one another, each read once."""

    def __init__(self, values: Mapping[str, object], findings: Findings) -> None:
        self._values = values
        self._findings = findings
        self._under_way: list[str] = []
        self.found: dict[str, Preset] = {}

    def read(self, name: str) -> Preset:
        if name in self.found:
            return self.found[name]
        scope = self._findings.scope(f"[preset.{_shown(name)}]", "preset", name)
        stand_in = Preset(name, "generic")
        table = self._values[name]
        try:
            as_label(name)
        except ValueError as error:
            scope.problem(f"the name {error}")
        if name in DIALECTS:
            scope.problem(f"{quoted(name)} ships with yolotop; choose another name")
        if not isinstance(table, Mapping):
            scope.problem(f"is {kind_of(table)}; write it as a section")
            return stand_in
        self._under_way.append(name)
        base = self._base(table.get("base", "generic"), scope)
        self._under_way.pop()
        self.found[name] = read_preset(name, table, base, scope)
        return self.found[name]

    def _base(self, name: object, scope: Scope) -> Preset:
        if name in self._under_way:
            scope.problem(f"base {quoted(name)} goes round in a circle", "base")
        elif isinstance(name, str) and name in DIALECTS:
            return shipped(name)
        elif isinstance(name, str) and name in self._values:
            return self.read(name)
        elif isinstance(name, str):
            known = (*DIALECTS, *self._values)
            scope.problem(
                f"base {quoted(name)} is not known; {nearest(name, known)}", "base"
            )
        else:
            scope.problem(f"base is {kind_of(name)}; write a name in quotes", "base")
        return Preset(dialect="generic")


def _shown(name: str) -> str:
    return quoted(name)[1:-1]
