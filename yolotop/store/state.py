"""A health state as JSON, and back.

Owns the form in which a state survives a restart. It must not know which back end
keeps the text. Reading is tolerant: a field that is missing takes its default and one
that is not known is passed over, so a state may grow without a migration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from yolotop.model import Health, HealthState, Light, Outcome

_LIGHTS: Final = ("liveness", "predict")


def encode_state(state: HealthState) -> str:
    """The state as a JSON object."""
    return json.dumps(asdict(state), separators=(",", ":"))


def decode_state(text: str) -> HealthState:
    """The state that :func:`encode_state` wrote; what is unreadable is unknown."""
    try:
        found = json.loads(text)
    except ValueError:
        return HealthState()
    if not isinstance(found, dict):
        return HealthState()
    known = _known(found, HealthState)
    for name in _LIGHTS:
        inner = known.get(name)
        light = _known(inner, Light) if isinstance(inner, dict) else {}
        known[name] = Light(**light)
    return HealthState(**known)


# The values come from JSON and go into dataclass fields; mypy cannot follow that.
def _known(found: Mapping[str, object], shape: type) -> dict[str, Any]:
    names = {field.name for field in fields(shape)}
    known: dict[str, Any] = {key: found[key] for key in found if key in names}
    if "health" in known:
        known["health"] = _health(known["health"])
    if "recent" in known:
        known["recent"] = _outcomes(known["recent"])
    return known


def _health(value: object) -> Health:
    return next((health for health in Health if health == value), Health.UNKNOWN)


def _outcomes(values: object) -> tuple[Outcome, ...]:
    if not isinstance(values, list):
        return ()
    return tuple(Outcome(value) for value in values if value in set(Outcome))
