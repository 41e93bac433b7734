"""The JSON that stays stable: projections of snapshots, lines and samples.

Owns the keys others build on: ``status --json``, ``logs --json``, ``check --json``. It
must not know how they are printed. Keys are only ever added. Instants are ISO 8601 in
UTC with milliseconds, durations milliseconds rounded to 1 µs, shares 0-1; what was not
measured is ``null``, never 0.
"""

from __future__ import annotations

from typing import TypedDict

from yolotop.judge.report import sample_json
from yolotop.store.protocol import LogLine
from yolotop.text import show_url
from yolotop.view.format import iso
from yolotop.view.snapshot import Card, Snapshot

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


class DeploymentJson(TypedDict):
    """One of ``deployments`` in ``status --json``; ``state`` is a Health value.

    ``slo_left`` is the share of the error budget that is left, negative when overdrawn.
    ``until`` is when maintenance ends, null where it is in none.
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


def _deployment(card: Card) -> DeploymentJson:
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
        "last_probe_at": iso(card.last_at),
        "message": card.message,
        "slo_left": _round(card.slo_left, 6),
        "until": iso(card.until_at),
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
        "deployments": [_deployment(card) for card in snapshot.cards],
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
