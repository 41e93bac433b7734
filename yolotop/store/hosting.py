"""What a platform says of a deployment as JSON, and back.

Owns the form in which it is kept. It must not know which back end keeps the text.
Reading is tolerant: what is missing or of another type takes its default, and what is
not known is passed over, so it may grow without a migration.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any, Final

from yolotop.model import Hosting

_DEFAULTS: Final = {each.name: each.default for each in fields(Hosting)}
_NEEDED: Final = tuple(k for k, default in _DEFAULTS.items() if default is MISSING)
_NUMBERS: Final = ("cpu", "memory_gib", "min_instances", "max_instances")
_INSTANTS: Final = ("deployed_at", "log_at")
_FLAGS: Final = ("metered", "probed")


def encode_hosting(hosting: Hosting) -> str:
    """A JSON object, without what stands at its default."""
    pairs = {name: getattr(hosting, name) for name in _DEFAULTS}
    found = {name: value for name, value in pairs.items() if value != _DEFAULTS[name]}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def decode_hosting(text: str) -> Hosting | None:
    """What :func:`encode_hosting` wrote; ``None`` for what names no deployment."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    known = {name: found[name] for name in _DEFAULTS if _fits(name, found.get(name))}
    if any(name not in known for name in _NEEDED):
        return None
    shape: Any = Hosting  # the values are checked, which mypy cannot follow
    made: Hosting = shape(**known)
    return made


def _fits(name: str, value: object) -> bool:
    if name in _FLAGS:
        return isinstance(value, bool)
    if name in _NUMBERS or name in _INSTANTS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)
