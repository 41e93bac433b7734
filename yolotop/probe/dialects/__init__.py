"""The serving protocols, by name.

Owns the registry. Must not know what a dialect does.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from yolotop.errors import ConfigError
from yolotop.probe.dialects.generic import Generic
from yolotop.probe.dialects.oip import OpenInference
from yolotop.probe.dialects.protocol import BadResponse, Dialect, RequestSpec
from yolotop.probe.dialects.ultralytics import Ultralytics
from yolotop.text import clean

__all__ = ["KNOWN", "BadResponse", "Dialect", "RequestSpec", "by_name", "lookup"]


def by_name(dialects: Iterable[Dialect]) -> Mapping[str, Dialect]:
    """Index dialects by what users call them."""
    return MappingProxyType({dialect.name: dialect for dialect in dialects})


KNOWN: Final = by_name((Ultralytics(), OpenInference(), Generic()))
"""Every dialect that ships."""


def lookup(name: str, known: Mapping[str, Dialect] = KNOWN) -> Dialect:
    """Return the dialect ``name``. Raises ConfigError that names the nearest known."""
    found = known.get(name)
    if found is not None:
        return found
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    names = ", ".join(sorted(known))
    raise ConfigError(
        f'there is no dialect "{clean(name, limit=60)}"',
        hint=f'did you mean "{near[0]}"?' if near else f"known dialects: {names}",
    )
