"""Environment variables that stand in for keys of the config file.

Owns their names and how their text becomes the value TOML would have held. It must not
know what a key means or whether its value is sensible.

What overrides what, strongest first: a flag; an environment variable; a key of a
``[[deployment]]``; ``[defaults]``; the built-in default. Environment variables are
``YOLOTOP_CONFIG``, ``YOLOTOP_DATA_DIR`` and, for the key KEY of ``[ui]``,
``[collector]``, ``[store]`` or ``[defaults]``, ``YOLOTOP_UI_KEY``,
``YOLOTOP_COLLECTOR_KEY``, ``YOLOTOP_STORE_KEY`` and ``YOLOTOP_DEFAULTS_KEY`` in
capitals: they take the place of that key in the file (so a deployment's own key still
wins over ``YOLOTOP_DEFAULTS_…``). Arrays are written with commas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yolotop.config.deployment import KINDS
from yolotop.config.problems import Findings, nearest, quoted
from yolotop.config.store import STORE_KINDS
from yolotop.config.ui import UI_KINDS
from yolotop.text import clean

COLLECTOR_KINDS: Final[Mapping[str, str]] = {
    "jitter": "number",
    "in_flight": "integer",
    "in_flight_per_host": "integer",
}
_ENV_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ui": UI_KINDS,
    "collector": COLLECTOR_KINDS,
    "store": STORE_KINDS,
    "defaults": {key: kind for key, kind in KINDS.items() if kind != "table"},
}


def read_environment(
    env: Mapping[str, str], findings: Findings
) -> dict[str, dict[str, object]]:
    """Values of each section that they may stand in for, as TOML would have them."""
    found: dict[str, dict[str, object]] = {section: {} for section in _ENV_KINDS}
    for variable, text in sorted(env.items()):
        for section, kinds in _ENV_KINDS.items():
            prefix = f"YOLOTOP_{section.upper()}_"
            if not variable.startswith(prefix):
                continue
            key = variable.removeprefix(prefix).lower()
            scope = findings.scope(clean(variable)).child(
                clean(variable), source="environment"
            )
            if key not in kinds:
                scope.problem(f"there is no such key; {nearest(key, kinds)}")
                continue
            try:
                found[section][key] = _from_text(text, kinds[key])
            except ValueError as error:
                scope.problem(str(error))
    return found


def _from_text(text: str, kind: str) -> object:
    text = text.strip()
    if kind == "boolean":
        known = {"true": True, "1": True, "false": False, "0": False}
        if text.lower() not in known:
            raise ValueError(f"is {quoted(text)}; write true or false")
        return known[text.lower()]
    if kind == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind in ("integer", "number"):
        try:
            return int(text) if kind == "integer" else float(text)
        except ValueError:
            raise ValueError(f"is {quoted(text)}; write a number") from None
    return text
