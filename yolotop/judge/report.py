"""One judged probe as the JSON that ``check --json`` promises.

Owns the names and shapes of that object; others build on it, so keys are only ever
added. Pure: the command line prints it, the collector answers trials with it.
Durations are milliseconds rounded to 1 µs; what was not measured is ``null``.
"""

from __future__ import annotations

from typing import TypedDict

from yolotop.judge.reception import reception
from yolotop.model import PHASE_NAMES, Phases, Sample, ServerTimes


class ErrorJson(TypedDict):
    """``error`` of ``check --json``: a kind of the closed set, and a sentence."""

    kind: str
    message: str


class SampleJson(TypedDict):
    """One of the list ``check --json`` prints."""

    name: str
    kind: str
    ok: bool
    verdict: str
    severity: str
    message: str
    http_status: int | None
    latency_ms: float | None
    phases: dict[str, float | None]
    server: dict[str, float | None] | None
    detections: int | None
    error: ErrorJson | None
    reception: str | None


def sample_json(sample: Sample) -> SampleJson:
    """A judged probe as ``check --json`` promises it."""
    answer, verdict = sample.answer, sample.verdict
    prediction = answer.prediction
    error = verdict.error
    if error is None and not verdict.ok:
        error = answer.error
    received = reception(answer, None if error is None else error.kind)
    return {
        "name": answer.deployment,
        "kind": answer.kind.value,
        "ok": verdict.ok,
        "verdict": verdict.outcome.value,
        "severity": verdict.severity.name,
        "message": verdict.message,
        "http_status": answer.http_status,
        "latency_ms": _round(answer.latency_ms),
        "phases": _phases(answer.phases),
        "server": _server(prediction.server if prediction else None),
        "detections": len(prediction.detections) if prediction else None,
        "error": None
        if error is None
        else {"kind": error.kind.value, "message": error.message},
        "reception": None if received is None else received.value,
    }


def _phases(phases: Phases) -> dict[str, float | None]:
    """The six phases in milliseconds, ``None`` where the probe never got to."""
    return {name: _round(getattr(phases, name)) for name in PHASE_NAMES}


def _server(server: ServerTimes | None) -> dict[str, float | None] | None:
    """The server's own times in milliseconds, or ``None`` where it tells none."""
    if server is None:
        return None
    return {
        "preprocess": _round(server.preprocess),
        "inference": _round(server.inference),
        "postprocess": _round(server.postprocess),
    }


def _round(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
