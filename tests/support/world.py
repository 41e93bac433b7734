"""A collector's writer and a face's session on one real history, and brute force.

What sessions show is compared with sums over the very samples that were written.
"""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from yolotop.judge.histogram import RELATIVE_ERROR
from yolotop.model import (
    Answer,
    Deployment,
    HealthState,
    Outcome,
    Phases,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.open import open_reader, open_writer
from yolotop.store.protocol import CollectorStatus, Reader, Writer
from yolotop.view.session import WIDTHS_S, Session
from yolotop.view.snapshot import Card, Figures, Range, Snapshot

NOON = 1_700_049_600.0 + 17
"""Some instant that is on the grid of no slot."""


@dataclass
class World:
    """A collector's writer and a face's session on one data directory."""

    writer: Writer
    reader: Reader
    now: float = NOON
    samples: list[Sample] = field(default_factory=list)
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = Session(self.reader, now=lambda: self.now)

    async def register(self, *names: str, paused: Iterable[str] = ()) -> None:
        paused = set(paused)
        await self.writer.register(
            [
                Deployment(name, f"http://127.0.0.1/{name}", paused=name in paused)
                for name in names
            ],
            self.now,
        )

    async def write(
        self, *samples: Sample, states: dict[str, HealthState] | None = None
    ) -> None:
        await self.writer.append(samples, (), states or {})
        self.samples += samples

    async def beat(self, *, stopped_at: float | None = None) -> None:
        await self.writer.beat(
            CollectorStatus(
                pid=7,
                started_at=NOON - 60,
                beat_at=self.now,
                version="0",
                note="disk is full",
                stopped_at=stopped_at,
            )
        )

    async def look(self, range_: Range = Range.H24) -> Snapshot:
        return await self.session.refresh(range_)

    async def look_afresh(self, range_: Range = Range.H24) -> Snapshot:
        """What a face that starts now sees."""
        return await Session(self.reader, now=lambda: self.now).refresh(range_)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[World]:
    writer = await open_writer(path)
    try:
        reader = await open_reader(path)
        try:
            yield World(writer, reader)
        finally:
            await reader.close()
    finally:
        await writer.close()


def sample(
    name: str,
    at: float,
    *,
    outcome: Outcome = Outcome.OK,
    latency_ms: float | None = 20.0,
    kind: ProbeKind = ProbeKind.PREDICT,
    cold: bool = False,
    message: str = "3 detections",
) -> Sample:
    severity = {Outcome.FAILED: Severity.ERROR, Outcome.WRONG: Severity.ERROR}.get(
        outcome, Severity.INFO
    )
    return Sample(
        Answer(
            deployment=name,
            kind=kind,
            started_at=at,
            latency_ms=latency_ms,
            phases=Phases(wait=latency_ms),
            http_status=200,
        ),
        Verdict(outcome, severity, message, cold=cold),
    )


def random_samples(
    seed: int, *, names: Sequence[str], since_at: float, until_at: float, n: int
) -> list[Sample]:
    draw = random.Random(seed)  # noqa: S311 - made-up data
    out = []
    for _ in range(n):
        outcome = draw.choices(list(Outcome), weights=(80, 5, 4, 4, 7, 2))[0]
        out.append(
            sample(
                draw.choice(names),
                round(draw.uniform(since_at, until_at), 3),
                outcome=outcome,
                latency_ms=round(draw.lognormvariate(4.0, 1.2), 3),
                kind=draw.choices(list(ProbeKind), weights=(1, 4))[0],
                cold=outcome is Outcome.COLD or draw.random() < 0.03,
            )
        )
    return sorted(out, key=lambda made: made.answer.started_at)


def window(now: float, range_: Range) -> tuple[float, float]:
    width = WIDTHS_S[range_]
    end = (math.floor(now / width) + 1) * width
    return end - range_.seconds, end


def inside(
    samples: Iterable[Sample], span: tuple[float, float], names: Sequence[str]
) -> list[Sample]:
    return [
        made
        for made in samples
        if made.answer.kind is ProbeKind.PREDICT
        and made.answer.deployment in names
        and span[0] <= made.answer.started_at < span[1]
    ]


def warm(samples: Iterable[Sample]) -> list[float]:
    return sorted(
        made.answer.latency_ms
        for made in samples
        if made.answer.latency_ms is not None
        and not made.verdict.cold
        and made.verdict.outcome not in (Outcome.FAILED, Outcome.COLD)
    )


def nearest_rank(values: Sequence[float], q: float) -> float | None:
    return values[max(0, math.ceil(q * len(values)) - 1)] if values else None


def close(shown: float | None, exact: float | None) -> bool:
    if shown is None or exact is None:
        return shown is exact
    return abs(shown - exact) <= exact * (RELATIVE_ERROR + 1e-6)


def check(figures: Figures, samples: list[Sample]) -> None:
    """``figures`` are those of exactly ``samples`` (predict probes)."""
    latencies = warm(samples)
    failed = sum(made.verdict.outcome.is_error for made in samples)
    assert figures.requests == len(samples)
    assert figures.failed == failed
    assert figures.cold == sum(
        made.verdict.cold or made.verdict.outcome is Outcome.COLD for made in samples
    )
    assert figures.error_rate == (failed / len(samples) if samples else None)
    assert figures.samples == len(latencies)
    for shown, q in (
        (figures.p50_ms, 0.5),
        (figures.p95_ms, 0.95),
        (figures.p99_ms, 0.99),
    ):
        assert close(shown, nearest_rank(latencies, q))


def check_all(shown: Snapshot, samples: list[Sample], names: Sequence[str]) -> None:
    span = window(shown.at, shown.range)
    check(shown.totals, inside(samples, span, names))
    assert [card.name for card in shown.cards] == list(names)
    for card in shown.cards:
        check(card.figures, inside(samples, span, [card.name]))


def check_trend(shown: Snapshot, samples: list[Sample], names: Sequence[str]) -> None:
    """Errors and P95, step by step; gaps where there was no request."""
    trend = shown.errors_trend
    assert shown.p95_trend.start_at == shown.requests_trend.start_at == trend.start_at
    span = window(shown.at, shown.range)
    first = shown.since_at if shown.since_at is not None else span[0]
    for index, (rate, p95, pace) in enumerate(
        zip(
            trend.values,
            shown.p95_trend.values,
            shown.requests_trend.values,
            strict=True,
        )
    ):
        at = trend.start_at + index * trend.step_s
        step = (max(at, span[0]), min(at + trend.step_s, span[1]))
        held = inside(samples, step, names)
        failed = sum(made.verdict.outcome.is_error for made in held)
        assert rate == (failed / len(held) if held else None)
        assert close(p95, nearest_rank(warm(held), 0.95))
        assert (pace is None) == (not held)
    assert trend.start_at <= first
    assert first < trend.start_at + trend.step_s


def by_name(shown: Snapshot) -> dict[str, Card]:
    return {card.name: card for card in shown.cards}
