"""The JSON that stays stable: projections of snapshots, lines and samples.

Owns the keys others build on: ``status --json``, ``logs --json``, ``check --json``. It
must not know how they are printed. Keys are only ever added. Instants are ISO 8601 in
UTC with milliseconds, durations milliseconds rounded to 1 µs, shares 0-1; what was not
measured is ``null``, never 0.
"""

from __future__ import annotations

from typing import TypedDict

from yolotop.judge.report import sample_json
from yolotop.model import Traffic
from yolotop.store.protocol import LogLine
from yolotop.text import show_url
from yolotop.view.format import iso
from yolotop.view.snapshot import Card, Snapshot
from yolotop.view.traffic import p95_of, recent

__all__ = ["log_json", "sample_json", "status_json"]


class TotalsJson(TypedDict):
    """``totals`` of ``status --json``."""

    requests: int
    active: int
    deployments: int
    error_rate: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    samples: int


class TrafficJson(TypedDict):
    """Real traffic of the newest span that was counted, which ended at ``at``.

    ``p95_kind`` is ``buckets`` where the P95 is estimated from a histogram, and
    ``reported`` where the source says no more. ``queue`` is the greatest number seen
    waiting, ``queue_ms`` how long a request waited on average.
    """

    source: str
    at: str | None
    span_s: float
    requests: float | None
    requests_per_s: float | None
    error_rate: float | None
    mean_ms: float | None
    p95_ms: float | None
    p95_kind: str | None
    queue: float | None
    queue_ms: float | None
    cpu: float | None
    memory: float | None
    instances: float | None


class DeploymentJson(TypedDict):
    """One of ``deployments`` in ``status --json``; ``state`` is a Health value.

    ``slo_left`` is the share of the error budget that is left, negative when overdrawn.
    ``until`` is when maintenance ends, null where it is in none. ``traffic`` is null
    where nobody counts it, or nobody has for ten minutes. ``counted_by`` names whose
    count of real requests the figures are, where we do not ask it ourselves; their P95
    is then a mean of P95s.
    """

    name: str
    url: str
    state: str
    region: str | None
    group: str | None
    requests: int
    error_rate: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    last_probe_at: str | None
    message: str
    slo_left: float | None
    until: str | None
    traffic: TrafficJson | None
    counted_by: str | None


class StatusJson(TypedDict):
    """What ``status --json`` prints."""

    range: str
    generated_at: str | None
    totals: TotalsJson
    deployments: list[DeploymentJson]


class LogJson(TypedDict):
    """One line of ``logs --json``; ``deployment`` is null for the collector's own."""

    at: str | None
    severity: str
    deployment: str | None
    message: str
    http_status: int | None
    latency_ms: float | None


def _round(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


def _traffic(found: Traffic | None) -> TrafficJson | None:
    if found is None:
        return None
    p95 = p95_of(found)
    return {
        "source": found.source,
        "at": iso(found.end_at),
        "span_s": round(found.span_s, 3),
        "requests": _round(found.requests),
        "requests_per_s": _round(found.per_s, 6),
        "error_rate": _round(found.error_rate, 6),
        "mean_ms": _round(found.latency.mean_ms) if found.latency else None,
        "p95_ms": _round(p95[0]) if p95 else None,
        "p95_kind": p95[1].value if p95 else None,
        "queue": found.waiting,
        "queue_ms": _round(found.queued.mean_ms) if found.queued else None,
        "cpu": _round(found.cpu, 4),
        "memory": _round(found.memory, 4),
        "instances": found.instances,
    }


def _deployment(card: Card, at: float) -> DeploymentJson:
    figures = card.figures
    return {
        "name": card.name,
        "url": show_url(card.url),
        "state": card.health.value,
        "region": card.region,
        "group": card.group,
        "requests": figures.requests,
        "error_rate": _round(figures.error_rate, 6),
        "p50_ms": _round(figures.p50_ms),
        "p95_ms": _round(figures.p95_ms),
        "p99_ms": _round(figures.p99_ms),
        "last_probe_at": None if card.counted else iso(card.last_at),
        "message": card.message,
        "slo_left": _round(card.slo_left, 6),
        "until": iso(card.until_at),
        "traffic": _traffic(recent(card.traffic, at)),
        "counted_by": card.hosting.source if card.counted and card.hosting else None,
    }


def status_json(snapshot: Snapshot) -> StatusJson:
    """The snapshot as ``status --json`` promises it."""
    totals = snapshot.totals
    return {
        "range": snapshot.range.value,
        "generated_at": iso(snapshot.at),
        "totals": {
            "requests": totals.requests,
            "active": snapshot.active,
            "deployments": len(snapshot.cards),
            "error_rate": _round(totals.error_rate, 6),
            "p50_ms": _round(totals.p50_ms),
            "p95_ms": _round(totals.p95_ms),
            "p99_ms": _round(totals.p99_ms),
            "samples": totals.samples,
        },
        "deployments": [_deployment(card, snapshot.at) for card in snapshot.cards],
    }


def log_json(line: LogLine) -> LogJson:
    """A log line as ``logs --json`` promises it."""
    return {
        "at": iso(line.at),
        "severity": line.severity.name,
        "deployment": line.deployment,
        "message": line.message,
        "http_status": line.http_status,
        "latency_ms": _round(line.latency_ms),
    }
