"""Keys of Ultralytics Platform for whoever asks: the client, and probes of endpoints.

Owns which key that is while the config is edited. It must not know what is asked.
"""

from __future__ import annotations

import os

from yolotop.collect.hosts import PLATFORM_KEY
from yolotop.config.schema import PlatformSettings
from yolotop.config.secrets import resolve
from yolotop.model import SecretRef
from yolotop.platform.budget import Budget
from yolotop.platform.client import PlatformClient
from yolotop.platform.keys import found_key


class Keys:
    """Secrets by reference, the Platform's own among them."""

    def __init__(self, settings: PlatformSettings | None) -> None:
        self._settings = settings or PlatformSettings()

    def secret(self, ref: SecretRef) -> str:
        """What ``ref`` points at. Raises ConfigError."""
        if ref == PLATFORM_KEY:
            return self._key(self._settings)
        return resolve(ref)

    def connect(self, settings: PlatformSettings, budget: Budget) -> PlatformClient:
        """A client for a workspace. Raises ConfigError where there is no key."""
        self._settings = settings
        return PlatformClient(
            self._key(settings),
            budget=budget,
            owner=settings.owner,
            base_url=settings.base_url,
        )

    @staticmethod
    def _key(settings: PlatformSettings) -> str:
        ref = settings.api_key
        named = None if ref is None else (resolve(ref), str(ref))
        return found_key(os.environ, named=named)[0]
