"""One judged probe as the JSON that ``check --json`` promises.

Owns the names and shapes of that object; others build on it, so it only grows. Pure:
the command line prints it, the collector answers trials with it.
"""

from __future__ import annotations

from yolotop.model import PHASE_NAMES, Answer, Sample

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


def sample_json(sample: Sample) -> dict[str, JsonValue]:
    """``sample`` in the stable shape; durations in milliseconds, ``None`` unknown."""
    answer, verdict = sample.answer, sample.verdict
    found = answer.prediction
    error = verdict.error
    return {
        "name": answer.deployment,
        "kind": answer.kind.value,
        "ok": verdict.ok,
        "verdict": verdict.outcome.value,
        "severity": verdict.severity.name.lower(),
        "message": verdict.message,
        "http_status": answer.http_status,
        "latency_ms": _ms(answer.latency_ms),
        "phases": {name: _ms(getattr(answer.phases, name)) for name in PHASE_NAMES},
        "server": _server(answer),
        "detections": None if found is None else len(found.detections),
        "error": None
        if error is None
        else {"kind": error.kind.value, "message": error.message},
    }


def _server(answer: Answer) -> dict[str, JsonValue] | None:
    times = answer.prediction.server if answer.prediction else None
    if times is None:
        return None
    return {
        "preprocess": _ms(times.preprocess),
        "inference": _ms(times.inference),
        "postprocess": _ms(times.postprocess),
    }


def _ms(value: float | None) -> float | None:
    """Microsecond resolution, as the store keeps it."""
    return None if value is None else round(value, 3)
