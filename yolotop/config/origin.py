"""Where each setting of one deployment comes from.

Owns the table of effective settings with their origins. It must not know who reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Setting:
    """One effective setting: ``value`` as the config file would write it.

    ``origin`` is ``yolotop.toml:12`` (the deployment's own table), ``[defaults],
    yolotop.toml:3``, the name of an environment variable, or ``built in``. A secret is
    there by reference only; where there is no value, ``value`` is ``none``.
    """

    key: str
    value: str
    origin: str


def settings_of(path: Path, name: str, env: Mapping[str, str]) -> tuple[Setting, ...]:
    """Every setting of the deployment ``name``, in the order of the documentation.

    Raises :class:`~yolotop.errors.ConfigError` when the file cannot be used or holds
    no such deployment.
    """
    raise NotImplementedError
