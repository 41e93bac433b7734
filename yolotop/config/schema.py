"""What a config file comes to: the frozen :class:`Config`.

Owns the values that the rest of the program is configured by. It must not know TOML,
files or the environment.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from yolotop.model import Deployment

RANGES: Final = ("1h", "6h", "24h", "7d", "30d")
"""Spans of time that ``[ui] range`` may name; the same as the view's."""
SYMBOLS: Final = ("auto", "unicode", "ascii")
DIALECTS: Final = ("ultralytics",)
"""Serving protocols that the probe speaks."""

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class UiSettings:
    """``[ui]``: how the terminal starts. ``theme`` is ``auto`` or a theme's name."""

    theme: str = "auto"
    range: str = "24h"
    symbols: str = "auto"
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """A validated configuration. ``path`` is ``None`` when no file was found.

    ``defaults`` is the ``[defaults]`` table as written, environment applied: what a
    trial of an unregistered endpoint starts from. ``warnings`` are sentences, with
    their place, about what is allowed but rarely meant.
    """

    path: Path | None
    data_dir: Path
    deployments: tuple[Deployment, ...] = ()
    ui: UiSettings = field(default_factory=UiSettings)
    defaults: Mapping[str, object] = field(default_factory=lambda: _NOTHING)
    warnings: tuple[str, ...] = ()

    def deployment(self, name: str) -> Deployment | None:
        """The deployment of that name, however its accents are composed."""
        name = unicodedata.normalize("NFC", name)
        return next((d for d in self.deployments if d.name == name), None)
