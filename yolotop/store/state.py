"""A health state as JSON, and back.

Owns the form in which a state survives a restart. It must not know which back end
keeps the text. Reading is tolerant: a field that is missing takes its default and one
that is not known is passed over, so a state may grow without a migration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from yolotop.model import Health, HealthState, Light, Outcome

_LIGHTS: Final = ("liveness", "predict")


def encode_state(state: HealthState) -> str:
    """The state as a JSON object, without the fields that stand at their default."""
    # Not dataclasses.asdict: it copies deeply, and at a hundred probes a second that
    # was a twelfth of what the whole collector spends.
    found = _changed(state, _STATE)
    for name in _LIGHTS:
        if name in found:
            found[name] = _changed(found[name], _LIGHT)
    return json.dumps(found, separators=(",", ":"))


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


def _changed(value: object, defaults: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, default in defaults.items():
        own = getattr(value, name)
        if own != default:
            found[name] = own
    return found


_STATE: Final = {field.name: field.default for field in fields(HealthState)}
_HEALTHS: Final = {health.value: health for health in Health}
_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}
_LIGHT: Final = {field.name: field.default for field in fields(Light)}


# The values come from JSON and go into dataclass fields; mypy cannot follow that.
def _known(found: Mapping[str, object], shape: type) -> dict[str, Any]:
    names = _LIGHT if shape is Light else _STATE
    known: dict[str, Any] = {key: found[key] for key in found if key in names}
    if "health" in known:
        known["health"] = _health(known["health"])
    if "recent" in known:
        known["recent"] = _outcomes(known["recent"])
    if "changes" in known:
        known["changes"] = _instants(known["changes"])
    if "facts" in known:
        known["facts"] = _facts(known["facts"])
    return known


def _health(value: object) -> Health:
    return (
        _HEALTHS.get(value, Health.UNKNOWN)
        if isinstance(value, str)
        else (Health.UNKNOWN)
    )


def _outcomes(values: object) -> tuple[Outcome, ...]:
    if not isinstance(values, list):
        return ()
    return tuple(_OUTCOMES[value] for value in values if value in _OUTCOMES)


def _instants(values: object) -> tuple[float, ...]:
    if not isinstance(values, list):
        return ()
    return tuple(float(value) for value in values if isinstance(value, int | float))


def _facts(values: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(values, list):
        return ()
    return tuple(
        (pair[0], pair[1])
        for pair in values
        if isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(part, str) for part in pair)
    )
