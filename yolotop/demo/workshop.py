"""Where the demo's endpoints come from: engines that are loaded, apps around them.

Owns what every character shares: engines by name, the clock, how to wait, and chance.
It must not know characters, ports or processes. Tests put their own clock and engine
here; everything above runs unchanged.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from yolotop.serve.app import create_app
from yolotop.serve.engine import Engine

if TYPE_CHECKING:
    from starlette.types import ASGIApp

Load = Callable[[str], Engine]
"""Reads a model by name from disk. Blocks for some 30 ms with a shipped model."""


class Workshop:
    """Builds real `serve` applications.

    ``load`` reads a model by name, ``now`` is monotonic seconds and ``sleep`` waits on
    that same clock. ``seed`` decides everything a character leaves to chance.
    """

    def __init__(
        self,
        load: Load,
        *,
        seed: int = 0,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.load = load
        self.now = now
        self.sleep = sleep
        self._seed = seed
        self._shared: dict[str, Engine] = {}

    def engine(self, model: str) -> Engine:
        """Return the one engine for ``model`` that most endpoints share.

        onnxruntime sessions are thread-safe, so eight endpoints need not load the same
        half megabyte eight times.
        """
        if model not in self._shared:
            self._shared[model] = self.load(model)
        return self._shared[model]

    def instance(self, engine: Engine, *, api_key: str | None = None) -> ASGIApp:
        """Start a new instance: its time alive counts from now."""
        return create_app(engine, api_key=api_key, clock=self.now)

    def chance(self, name: str) -> random.Random:
        """Return the dice of one endpoint: the same throws for the same seed."""
        # A text seed is hashed by SHA-512, so neighbouring seeds do not resemble each
        # other and PYTHONHASHSEED does not matter.
        return random.Random(f"{self._seed}/{name}")  # noqa: S311 - a script, no secret
