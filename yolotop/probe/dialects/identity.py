"""Which model and which libraries answered, as far as the answer's metadata says.

Owns the names of those facts. Must not know what a change of one means. Timings, counts
and what else differs from answer to answer stay out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from yolotop.text import clean

Facts = tuple[tuple[str, str], ...]

_TOLD: Final = ("model", "version", "weights", "revision", "sha256", "classNames")
_OF_WEIGHTS: Final = frozenset({"weights", "sha256", "revision", "model", "parameters"})
"""What stands among versions and is none of a library's."""
_LONGEST: Final = 80
_LONGEST_LIST: Final = 400
"""Characters of class names; more are told by their number and a digest."""
_MOST: Final = 24
_MOST_KNOWN: Final = 1024
_LARGEST: Final = 64 * 1024

_known: dict[str, Facts] = {}


def facts_in(metadata: Mapping[str, object]) -> Facts:
    """Facts in the order of their names; see :attr:`yolotop.model.Prediction.facts`."""
    told = {key: metadata[key] for key in _TOLD if metadata.get(key) is not None}
    if not told:
        return ()
    # The same in nearly every answer, and 30 us to put together anew.
    spelled = repr(told)
    if len(spelled) > _LARGEST:
        return _put_together(told)
    known = _known.get(spelled)
    if known is None:
        while len(_known) >= _MOST_KNOWN:
            del _known[next(iter(_known))]
        known = _known[spelled] = _put_together(told)
    return known


def _put_together(told: Mapping[str, object]) -> Facts:
    found: dict[str, str] = {}
    for key, value in told.items():
        if key == "classNames":
            found["classes"] = _classes(value)
        elif key == "model" and isinstance(value, str):
            # A path tells no more than its last part, and tells it to everyone.
            found[key] = _plain(value.replace("\\", "/").rpartition("/")[2])
        elif isinstance(value, Mapping):
            for name, text in value.items():
                inner = _plain(name)
                of_weights = inner.lower() in _OF_WEIGHTS
                found[inner if of_weights else f"library {inner}"] = _plain(text)
        else:
            found[key] = _plain(value)
    pairs = sorted((name, text) for name, text in found.items() if text)
    return tuple(pairs[:_MOST])


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return clean(str(value)[: _LONGEST * 4], limit=_LONGEST)


def _classes(value: object) -> str:
    names = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(names, list):
        return ""
    text = ", ".join(str(name) for name in names)
    if len(text) <= _LONGEST_LIST:
        return clean(text, limit=_LONGEST_LIST)
    digest = hashlib.blake2s(text.encode(errors="replace"), digest_size=4).hexdigest()
    return f"{len(names)} #{digest}"
