"""The back ends that the contract runs against, and samples to feed them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from yolotop.model import (
    Answer,
    Detection,
    ErrorKind,
    Outcome,
    Phases,
    Prediction,
    ProbeError,
    ProbeKind,
    Sample,
    ServerTimes,
    Severity,
    StoreSettings,
    Verdict,
)
from yolotop.store.open import open_reader, open_writer
from yolotop.store.protocol import Reader, Writer

T0 = 1_790_000_000.0
"""Some moment in 2026 that is a multiple of neither slot width."""


@dataclass
class Backend:
    """One place to keep a history in; everything opened is closed at the end."""

    data_dir: Path
    opened: list[Writer | Reader] = field(default_factory=list)

    async def writer(
        self,
        *,
        settings: StoreSettings | None = None,
        now: Callable[[], float] = time.time,
    ) -> Writer:
        writer = await open_writer(self.data_dir, settings=settings, now=now)
        self.opened.append(writer)
        return writer

    async def reader(self) -> Reader:
        reader = await open_reader(self.data_dir)
        self.opened.append(reader)
        return reader

    async def close(self) -> None:
        for store in reversed(self.opened):
            await store.close()


@pytest.fixture(params=["sqlite"])
async def backend(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Backend]:
    assert request.param == "sqlite"
    made = Backend(tmp_path / "data")
    yield made
    await made.close()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Backend]:
    """SQLite in ``tmp_path`` itself, for tests of the file."""
    made = Backend(tmp_path)
    yield made
    await made.close()


Make = Callable[..., Sample]


@pytest.fixture
def make() -> Make:
    return make_sample


def make_sample(
    name: str = "edge",
    *,
    kind: ProbeKind = ProbeKind.PREDICT,
    outcome: Outcome = Outcome.OK,
    at: float = T0,
    latency_ms: float | None = 21.437,
    message: str = "3 detections",
    status: int | None = 200,
    cold: bool = False,
    body_head: str = "",
    headers: tuple[tuple[str, str], ...] = (),
) -> Sample:
    """A plain answer; the severity follows from outcome and kind as judged."""
    severity = {
        Outcome.OK: Severity.DEBUG if kind is ProbeKind.HEALTH else Severity.INFO,
        Outcome.SLOW: Severity.WARNING,
        Outcome.COLD: Severity.INFO,
        Outcome.WRONG: Severity.WARNING,
        Outcome.CHANGED: Severity.WARNING,
        Outcome.FAILED: Severity.ERROR,
    }[outcome]
    error = None
    if outcome is Outcome.FAILED:
        error = ProbeError(ErrorKind.TIMEOUT, message)
    prediction = None
    if kind is ProbeKind.PREDICT and outcome in (Outcome.OK, Outcome.SLOW):
        prediction = Prediction(
            detections=(Detection("circle"), Detection("square"), Detection("circle")),
            server=ServerTimes(preprocess=0.52, inference=11.2, postprocess=None),
        )
    return Sample(
        Answer(
            deployment=name,
            kind=kind,
            started_at=at,
            latency_ms=latency_ms,
            phases=Phases(dns=0.05, connect=0.81, send=0.3, wait=20.0, receive=0.2),
            http_status=status,
            prediction=prediction,
            error=error,
            body_head=body_head,
            headers=headers,
        ),
        Verdict(outcome, severity, message, error=error, cold=cold),
    )
