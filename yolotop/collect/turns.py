"""One call on the store at a time, each to its end.

Owns the order of calls on the one writer. A caller that is cancelled stops waiting,
but its call goes on: a transaction cut off between two statements would stay open and
swallow the next one. It must not know what the calls do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

_T = TypeVar("_T")


class Turns:
    """Takes calls, first come, first served."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._calls: set[asyncio.Task[object]] = set()

    async def take(self, call: Coroutine[None, None, _T]) -> _T:
        """The result of ``call``, made when every earlier one has ended."""
        task = asyncio.ensure_future(self._make(call))
        self._calls.add(task)
        task.add_done_callback(self._made)
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Return when no call is left, whatever came of them."""
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _make(self, call: Coroutine[None, None, _T]) -> _T:
        async with self._lock:
            return await call

    def _made(self, task: asyncio.Task[object]) -> None:
        self._calls.discard(task)
        if not task.cancelled():
            task.exception()  # a caller that was cancelled will not fetch it
