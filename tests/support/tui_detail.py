"""A detail made by hand: a day with a gap, cold starts, an incident and a new model.

Drawn to be looked at; nothing in it was measured.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace

from yolotop.judge.slo import Budget, Counts, Objective
from yolotop.model import (
    ErrorKind,
    EventKind,
    Health,
    Outcome,
    Phases,
    ProbeKind,
    ServerTimes,
    Severity,
    Timing,
    Traffic,
)
from yolotop.store.protocol import StoredProbe
from yolotop.view.detail import Detail
from yolotop.view.incidents import Incident, Mark, Stretch
from yolotop.view.snapshot import (
    Card,
    CollectorHealth,
    CollectorView,
    Figures,
    Range,
)
from yolotop.view.traffic import Real
from yolotop.view.waterfall import PARTS, Course, Waterfall

AT = 1_790_000_000.0
STEP = 600
STEPS = 144
START = math.floor(AT / STEP) * STEP - (STEPS - 1) * STEP


def at_step(index: int) -> float:
    """When a step of the day begins."""
    return float(START + index * STEP)


def day_steps(*, failing: tuple[int, int] = (96, 103)) -> tuple[Figures | None, ...]:
    """A day: busy twice, nobody measured from 30 to 34, failing from 96 to 103."""
    rng = random.Random(4)  # noqa: S311 - a picture, not a secret
    out: list[Figures | None] = []
    for index in range(STEPS):
        day = (1 - math.cos(index / STEPS * 4 * math.pi)) / 2
        p50 = (34 + 16 * day) * rng.uniform(0.95, 1.06)
        p95 = p50 * rng.uniform(1.5, 2.2)
        p99 = p95 * rng.uniform(1.2, 1.9) * (1.8 if index in (52, 121) else 1)
        bad = failing[0] <= index < failing[1]
        if 30 <= index < 34:
            out.append(None)
            continue
        failed = (10 if index > failing[0] else 4) if bad else 0
        cold = 2 if index in (34, 70) else 0
        figures = Figures(
            10, failed, cold, failed / 10, p50, p95, p99, max(0, 10 - failed - cold)
        )
        if failed == 10:
            figures = Figures(10, 10, 0, 1.0)
        out.append(figures)
    return tuple(out)


def course(scale: float, n: int) -> Course:
    """Where the time goes, to scale."""
    known: dict[str, float | None] = dict.fromkeys(PARTS)
    known |= {
        "dns": 0.4,
        "connect": 1.9,
        "send": 1.1,
        "network": 2.8 * scale,
        "queue": 3.1 * scale**2,
        "preprocess": 1.7 * scale,
        "inference": 22.4 * scale,
        "postprocess": 1.2 * scale,
        "receive": 0.6,
    }
    parts = tuple((name, known[name]) for name in PARTS)
    return Course(parts, sum(value or 0.0 for _, value in parts), n)


def failure(
    seq: int, ago_s: float, message: str, *, status: int | None = None, body: str = ""
) -> StoredProbe:
    """A failed answer."""
    return StoredProbe(
        seq=seq,
        at=AT - ago_s,
        deployment="dock-cam",
        kind=ProbeKind.PREDICT,
        outcome=Outcome.FAILED,
        severity=Severity.ERROR,
        message=message,
        http_status=status,
        latency_ms=12.0,
        phases=Phases(dns=0.1, connect=1.0),
        server=ServerTimes(),
        error_kind=ErrorKind.HTTP,
        body_head=body,
    )


def fleet_incidents() -> tuple[Incident, ...]:
    """One that is over, and one that goes on."""
    return (
        Incident(
            "flapper",
            at_step(96),
            at_step(103),
            Health.DOWN,
            "HTTP 503: no worker",
            at_step(96),
        ),
        Incident("gate-3", AT - 250, None, Health.DOWN, "connection refused", AT - 250),
    )


def busy_traffic(source: str = "Triton metrics") -> Real:
    """Real traffic through the day: callers by day, errors at one time, a gap."""
    rng = random.Random(5)  # noqa: S311 - a picture, not a secret
    platform = not source.endswith("metrics")
    steps: list[Traffic | None] = []
    for index in range(STEPS):
        if 30 <= index < 34:
            steps.append(None)
            continue
        day = (1 - math.cos(index / STEPS * 4 * math.pi)) / 2
        requests = round((1_200 + 9_000 * day) * rng.uniform(0.8, 1.2))
        errors = round(requests * (0.09 if 96 <= index < 103 else 0.002))
        queued_ms = 0.4 + 20 * day**4
        steps.append(
            Traffic(
                "dock-cam",
                source,
                at_step(index),
                float(STEP),
                float(requests),
                float(errors),
                None if platform else Timing((19 + queued_ms) * requests, requests),
                None if platform else Timing(queued_ms * requests, requests),
                p95_ms=38 * rng.uniform(1, 2) if platform else None,
                waiting=None if platform else float(round(9 * day**4)),
                cpu=0.3 + 0.5 * day,
                memory=0.41 if platform else None,
                instances=2.0 if platform else None,
            )
        )
    last = steps[-1]
    assert last is not None
    now = replace(last, at=AT - 72, span_s=60.0, requests=744.0, errors=3.0)
    return Real(now, tuple(steps))


def fleet_detail(card: Card, range_: Range = Range.H24) -> Detail:
    """The detail of a card: one that is down has an incident that goes on."""
    down_at, up_at = at_step(96), at_step(103)
    incident = Incident(
        card.name,
        down_at,
        up_at,
        Health.DOWN,
        "HTTP 503 from the server: no worker",
        down_at,
    )
    going = card.health in (Health.DOWN, Health.DEGRADED)
    ribbon = [
        Stretch(at_step(0), at_step(30), Health.UP),
        Stretch(at_step(30), at_step(34), None),
        Stretch(at_step(34), at_step(36), Health.COLD),
        Stretch(at_step(36), at_step(94), Health.UP),
        Stretch(at_step(94), down_at, Health.DEGRADED),
        Stretch(down_at, up_at, Health.DOWN),
        Stretch(up_at, max(up_at, card.since_at), Health.UP),
        Stretch(max(up_at, card.since_at), AT, card.health),
    ]
    incidents = [incident]
    if going:
        incidents.append(
            Incident(
                card.name,
                card.since_at,
                None,
                card.health,
                card.message,
                card.since_at,
            )
        )
    budget = Budget(
        objective=Objective(0.99, 604_800.0),
        counts=Counts(10_080, 38),
        spent=0.377,
        left=0.623,
        days_left=4.4,
        coverage=0.984,
        rates=((3_600, 0.0), (21_600, 1.0), (259_200, 0.6)),
    )
    return Detail(
        at=AT,
        range=range_,
        card=card,
        start_at=float(START),
        step_s=float(STEP),
        steps=day_steps(),
        waterfall=Waterfall(
            p50=course(1.0, 94),
            p95=course(2.3, 47),
            service_p50_ms=33.1,
            service_p95_ms=76.4,
            samples=940,
            since_at=AT - 17 * 3_600,
            whole=False,
        ),
        ribbon=tuple(part for part in ribbon if part.end_at > part.start_at),
        marks=(
            Mark(at_step(34), EventKind.COLLECTOR, "collector started"),
            Mark(
                at_step(66), EventKind.MODEL_CHANGED, "model changed: yolo11n → yolo26n"
            ),
            Mark(at_step(103), EventKind.RESTARTED, "instance restarted 4 s ago"),
        ),
        incidents=tuple(incidents),
        collector=CollectorView(CollectorHealth.RUNNING, 2.0, 4711),
        budget=budget,
        failures=(
            failure(
                903,
                25_100.0,
                "HTTP 503 from the server: no worker",
                status=503,
                body='{"detail": "no worker is free; try again in 3 s"}',
            ),
            failure(902, 25_700.0, "connection refused by 10.0.4.7:8000"),
            failure(
                901,
                26_300.0,
                "HTTP 500 from the server",
                status=500,
                body="Traceback (most recent call last): CUDA out of memory",
            ),
        ),
    )
