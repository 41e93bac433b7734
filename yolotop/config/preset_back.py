"""A preset as tables again: what is in force, as the config file would say it.

Owns telling a preset's values by their keys. It must not know where a value came from.
"""

from __future__ import annotations

from typing import Final

from yolotop.config.preset_tables import PART_KEYS
from yolotop.model.preset import (
    Auth,
    BoxForm,
    Carrier,
    Encoding,
    Liveness,
    Preset,
    Question,
    Reading,
    Time,
)


def as_tables(preset: Preset) -> dict[str, dict[str, object] | bool]:
    """The tables that :func:`with_parts` would make the preset of, without refusals.

    ``liveness`` and ``request`` are ``False`` where there is no such question.
    """
    auth = _told(preset.auth, PART_KEYS["auth"])
    if preset.auth.carrier is Carrier.BEARER:
        auth.pop("name")
    liveness, question = preset.liveness, preset.question
    return {
        "auth": auth,
        "liveness": liveness is not None and _told(liveness, PART_KEYS["liveness"]),
        "request": question is not None and _told(question, PART_KEYS["request"]),
        "response": _told(preset.reading, PART_KEYS["response"]),
    }


def says_nothing(part: str, key: str, value: object) -> bool:
    """Whether a key of a preset's table is empty, as it is where nobody wrote it."""
    return value in ("", [], {}, "{}") and value == _PLAIN[part][key]


_DICTS: Final = ("settings", "query", "headers", "facts")


def _told(part: object, keys: tuple[str, ...]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key in keys:
        value = getattr(part, key)
        if key == "times":
            value = {one.part: _told_time(one) for one in value}
        elif key in _DICTS:
            value = dict(value)
        elif isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, (BoxForm, Encoding, Carrier)):
            value = str(value)
        if value is not None:
            found[key] = value
    return found


def _told_time(one: Time) -> object:
    return one.at if one.factor == 1 else {"at": one.at, "factor": one.factor}


_PLAIN: Final = {
    part: {"detections": "", **_told(plain, PART_KEYS[part])}
    for part, plain in (
        ("auth", Auth()),
        ("liveness", Liveness()),
        ("request", Question()),
        ("response", Reading()),
    )
}
