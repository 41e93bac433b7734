"""Who waits for a probe that was asked for by hand.

Owns the futures by deployment and question. It must not know when anything is asked.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

from yolotop.errors import UsageError
from yolotop.model import ProbeKind, Sample
from yolotop.text import clean


class Waiting:
    """Futures of samples that were asked for and have not begun."""

    def __init__(self) -> None:
        self._futures: defaultdict[
            tuple[str, ProbeKind], list[asyncio.Future[Sample]]
        ] = defaultdict(list)

    def join(self, name: str, kind: ProbeKind) -> asyncio.Future[Sample]:
        """Wait for the next answer to that question."""
        future: asyncio.Future[Sample] = asyncio.get_running_loop().create_future()
        self._futures[name, kind].append(future)
        return future

    def take(self, name: str, kind: ProbeKind) -> list[asyncio.Future[Sample]]:
        """Whoever waits for the probe that begins now."""
        return self._futures.pop((name, kind), [])

    def refuse(self, name: str, why: str) -> None:
        """None of them will be answered."""
        for kind in ProbeKind:
            for future in self.take(name, kind):
                if not future.done():
                    error = UsageError(f"{clean(name)} was not asked: {why}")
                    future.set_exception(error)
