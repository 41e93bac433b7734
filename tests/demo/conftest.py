"""What the demo's tests share: a clock that is moved by hand and an engine to watch."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping

import pytest

from yolotop.demo.workshop import Workshop
from yolotop.serve.engine import Detection, Prediction, Speed


class HandClock:
    """Seconds that pass when a test says so; sleepers wake in order."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self.slept: list[float] = []

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self.slept.append(seconds)
        entry = (self.seconds + seconds, len(self.slept), woken)
        heapq.heappush(self._sleepers, entry)
        await woken.wait()

    @property
    def sleepers(self) -> int:
        return len(self._sleepers)

    def move(self, seconds: float) -> None:
        """Let ``seconds`` pass and wake who is due."""
        self.seconds += seconds
        while self._sleepers and self._sleepers[0][0] <= self.seconds:
            heapq.heappop(self._sleepers)[2].set()


class OneSquare:
    """An engine that finds one square in everything, whatever model it is named."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.asked = 0

    @property
    def name(self) -> str:
        return self._name

    @property
    def task(self) -> str:
        return "detect"

    @property
    def class_names(self) -> tuple[str, ...]:
        return ("square",)

    @property
    def version(self) -> Mapping[str, str]:
        return {"weights": self._name}

    def predict(
        self, image_bytes: bytes, *, conf: float, iou: float, imgsz: int | None
    ) -> Prediction:
        self.asked += 1
        box = {"x1": 1.0, "y1": 2.0, "x2": 30.0, "y2": 40.0}
        return Prediction(
            (64, 64), (Detection("square", 0, 0.9, box),), Speed(1.0, 2.0, 0.5)
        )


class Shelf:
    """Where engines are loaded from; remembers every load."""

    def __init__(self) -> None:
        self.loaded: list[OneSquare] = []

    def __call__(self, model: str) -> OneSquare:
        self.loaded.append(OneSquare(model))
        return self.loaded[-1]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def workshop(clock: HandClock, shelf: Shelf) -> Workshop:
    return Workshop(shelf, seed=3, now=clock.now, sleep=clock.sleep)
