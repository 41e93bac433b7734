"""What an answer tells of the model behind it: facts, and one short name.

Owns which members of an answer's metadata tell one model from another, and how they are
written. Must not know where in an answer they stood. Timings and counts stay out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from yolotop.text import clean

Facts = tuple[tuple[str, str], ...]

_MODEL: Final = ("model", "weights", "revision", "sha256", "task")
LONGEST_FACT: Final = 80
_LONGEST_NAME: Final = 48
_MOST_KNOWN: Final = 1024
_MOST_LIBRARIES: Final = 20
_LARGEST: Final = 64 * 1024

_known: dict[str, tuple[str | None, Facts]] = {}


def identify(metadata: Mapping[str, object]) -> tuple[str | None, Facts]:
    """``shapes.onnx, 3 classes #1a2b3c4d`` and the facts, both from the same members.

    People read the front of the first, its end decides; libraries are facts, but an
    upgrade of one is no other model.
    """
    told = {key: metadata[key] for key in _TOLD if metadata.get(key) is not None}
    if not told:
        return None, ()
    # The same in nearly every answer, and 40 us to put together anew.
    spelled = repr(told)
    if len(spelled) > _LARGEST:
        return _model_id(told), _facts(told)
    known = _known.get(spelled)
    if known is None:
        while len(_known) >= _MOST_KNOWN:
            del _known[next(iter(_known))]
        known = _known[spelled] = (_model_id(told), _facts(told))
    return known


_TOLD: Final = (*_MODEL, "version", "classNames")


def _model_id(told: Mapping[str, object]) -> str | None:
    own = {
        key: value
        for key, value in told.items()
        # An object of versions is of libraries.
        if key != "version" or not isinstance(value, dict)
    }
    if not own:
        return None
    canonical = json.dumps(own, sort_keys=True)
    digest = _digest(canonical)
    front: list[str] = []
    if isinstance(own.get("model"), str):
        front.append(_last_part(str(own["model"])))
    names = own.get("classNames")
    if isinstance(names, (list, dict)):
        front.append(f"{len(names)} class{'' if len(names) == 1 else 'es'}")
    return f"{', '.join(part for part in front if part) or 'model'} #{digest}"


def _facts(told: Mapping[str, object]) -> Facts:
    facts: dict[str, str] = {}
    for key in _MODEL:
        value = told.get(key)
        if isinstance(value, str):
            facts[key] = _last_part(value) if key == "model" else _text(value)
    version = told.get("version")
    if isinstance(version, dict):
        for name, value in list(version.items())[:_MOST_LIBRARIES]:
            if isinstance(value, str):
                facts[_text(f"library {name}")] = _text(value)
    elif isinstance(version, (str, int, float)):
        facts["version"] = _text(str(version)[: LONGEST_FACT * 4])
    names = told.get("classNames")
    if isinstance(names, dict):
        names = list(names.values())
    if isinstance(names, list) and names:
        facts["classes"] = _classes(names)
    return tuple(sorted((name, text) for name, text in facts.items() if text))


def _classes(names: list[object]) -> str:
    """All of them where they fit on a line, else how many and a digest."""
    if len(names) <= LONGEST_FACT // 2 and all(isinstance(one, str) for one in names):
        joined = ", ".join(str(name) for name in names)
        if len(joined) <= LONGEST_FACT:
            return _text(joined)
    return f"{len(names)} #{_digest(json.dumps(names))}"


def _digest(text: str) -> str:
    return hashlib.blake2s(text.encode(), digest_size=4).hexdigest()


def _last_part(model: str) -> str:
    # A path tells no more than its last part, and tells it to everyone.
    return clean(model.replace("\\", "/").rpartition("/")[2], limit=_LONGEST_NAME)


def _text(value: str) -> str:
    return clean(value[: LONGEST_FACT * 4], limit=LONGEST_FACT)
