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

from yolotop.model import Deployment, SecretRef, StoreSettings
from yolotop.model.hosting import PLATFORM_URL
from yolotop.model.preset import Preset

RANGES: Final = ("1h", "6h", "24h", "7d", "30d")
"""Spans of time that ``[ui] range`` may name; the same as the view's."""
VIEWS: Final = ("cards", "compact", "table", "map")
"""Ways to show the fleet that ``[ui] view`` may name; the same as the terminal's."""
IMAGES: Final = ("auto", "blocks", "kitty")
"""Ways to draw pictures that ``[ui] images`` may name."""
SYMBOLS: Final = ("auto", "braille", "block", "ascii")
DIALECTS: Final = (
    "ultralytics",
    "ultralytics-hub",
    "fastapi",
    "litserve",
    "bentoml",
    "ray-serve",
    "mosec",
    "torchserve",
    "triton",
    "kserve",
    "mlserver",
    "openvino",
    "oip",
    "kserve-v1",
    "tf-serving",
    "mlflow",
    "roboflow",
    "codeproject",
    "deepstack",
    "doods",
    "sagemaker",
    "vertex",
    "azureml",
    "frigate",
    "generic",
    "http",
)
"""The presets that ship, one file each in ``probe/presets``; users have their own."""
METRICS_PROFILES: Final = (
    "triton",
    "torchserve",
    "bentoml",
    "mlserver",
    "kserve",
    "ray-serve",
    "mosec",
    "roboflow",
    "http",
    "openvino",
    "tf-serving",
    "frigate",
)
"""Readings of metrics pages; those of ``probe/metrics/profiles.py``."""

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
_NO_PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({})
_NO_KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class UiSettings:
    """``[ui]`` and ``[keymap]``: how the terminal starts, and which key does what.

    ``theme`` is ``auto`` or a theme's name. ``refresh_s`` lies between two looks at the
    history. ``keymap`` holds the keys of an action by its id; whether there is such an
    action, and whether two want one key, only the terminal can say.
    """

    theme: str = "auto"
    range: str = "24h"
    symbols: str = "auto"
    images: str = "auto"
    read_only: bool = False
    view: str = "cards"
    mouse: bool = True
    refresh_s: float = 1.0
    low_bandwidth: bool = False
    # A mapping has no hash; settings that differ in it alone may share theirs.
    keymap: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: _NO_KEYS, hash=False
    )


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """``[collector]``: how it asks, whomever it asks.

    ``jitter`` is the share of its interval by which a probe may be later than its
    slot; ``in_flight`` and ``in_flight_per_host`` are the most probes at once.
    """

    jitter: float = 0.05
    in_flight: int = 64
    in_flight_per_host: int = 16


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """``[platform]``: the workspace of ``owner`` (empty: the key's own).

    ``follow`` takes every deployment of it; without, only those that are written down.
    ``api_key`` is where the key is, ``None`` for where ultralytics keeps its own.
    """

    follow: bool = True
    owner: str = ""
    api_key: SecretRef | None = None
    base_url: str = PLATFORM_URL


@dataclass(frozen=True, slots=True)
class Config:
    """A validated configuration. ``path`` is ``None`` when no file was found.

    ``defaults`` is the ``[defaults]`` table as written, environment applied: what a
    trial of an unregistered endpoint starts from. ``warnings`` are sentences, with
    their place, about what is allowed but rarely meant. ``presets`` are those of the
    file, by name. ``platform`` is there wherever anything is of the Platform.
    """

    path: Path | None
    data_dir: Path
    deployments: tuple[Deployment, ...] = ()
    ui: UiSettings = field(default_factory=UiSettings)
    defaults: Mapping[str, object] = field(default_factory=lambda: _NOTHING)
    warnings: tuple[str, ...] = ()
    collector: CollectorSettings = field(default_factory=CollectorSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    # Has no hash, like the keymap.
    presets: Mapping[str, Preset] = field(
        default_factory=lambda: _NO_PRESETS, hash=False
    )
    platform: PlatformSettings | None = None

    def deployment(self, name: str) -> Deployment | None:
        """The deployment of that name, however its accents are composed."""
        name = unicodedata.normalize("NFC", name)
        return next((d for d in self.deployments if d.name == name), None)
