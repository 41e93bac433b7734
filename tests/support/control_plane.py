"""A control plane that answers as scripted, and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from yolotop.platform.client import PlatformClient

KEY = "ul_" + "0123456789abcdef" * 2 + "01234567"
Reply = tuple[int, dict[str, str], object]


@dataclass
class Clock:
    """Seconds that pass when somebody waits for them."""

    now: float = 1_000.0
    waited: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> asyncio.Future[None]:
        self.waited.append(seconds)
        self.now += seconds
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Plane:
    """Answers by method and path (without the query), the last one again and again."""

    url: str = ""
    replies: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def say(self, method: str, path: str, *replies: Reply) -> None:
        self.replies[method, path] = list(replies)

    def next(self, method: str, path: str) -> Reply:
        waiting = self.replies.get((method, path.partition("?")[0]))
        if not waiting:
            return 404, {}, {"error": "Not found"}
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


Connect = Callable[..., PlatformClient]
