"""What changed behind a URL, with before and after, and told once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from yolotop.judge.facts import differences, merged
from yolotop.judge.health import advance, pause, resume
from yolotop.model import (
    Answer,
    Deployment,
    EventKind,
    HealthState,
    Outcome,
    Prediction,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.state import decode_state, encode_state

CAM = Deployment("cam", "http://h")
FACTS = (
    ("classes", "circle, square, triangle"),
    ("library onnxruntime", "1.20.1"),
    ("model", "shapes"),
)


def sample(
    *facts: tuple[str, str], model_id: str | None = None, at: float = 0
) -> Sample:
    answer = Answer(
        "cam",
        ProbeKind.PREDICT,
        started_at=at,
        latency_ms=1.0,
        prediction=Prediction((), facts=facts, model_id=model_id),
    )
    return Sample(answer, Verdict(Outcome.OK, Severity.INFO, "ok"))


@pytest.mark.parametrize(
    ("name", "was", "now", "said"),
    [
        ("model", "a", "b", "model replaced: a → b"),
        ("version", "1", "2", "version changed: 1 → 2"),
        ("classes", "a, b, c", "a, b", "classes changed: 3 → 2"),
        ("classes", "a, b", "90 #0f1e2d3c", "classes changed: 2 → 90"),
        ("classes", "a, b", "a, x", "classes changed: b → x"),
        ("classes", "a, b", "b, a", "classes changed: a, b → b, a"),
        ("classes", "90 #0f1e2d3c", "90 #aaaaaaaa", "changed: #0f1e2d3c"),
        ("library x", "8.4.1", "8.4.2", "library upgraded: x 8.4.1 → 8.4.2"),
        ("library x", "8.9.1", "8.10.0", "library upgraded: x 8.9.1 → 8.10.0"),
        ("library x", "8.4.2", "8.4.1", "library downgraded: x 8.4.2 → 8.4.1"),
        ("library x", "main", "8", "library changed: x main → 8"),
        ("library weights", "ab", "cd", "weights changed: ab → cd"),
    ],
)
def test_how_a_change_reads(name: str, was: str, now: str, said: str) -> None:
    [found] = differences(((name, was),), ((name, now),))
    assert said in str(found)
    assert found.of_model is not said.startswith("library")


def test_only_what_both_tell_is_compared() -> None:
    assert differences(FACTS, ()) == ()
    assert differences((), FACTS) == ()
    assert differences(FACTS[:1], FACTS[1:]) == ()
    assert merged(FACTS, ()) == FACTS
    assert merged(FACTS[:1], FACTS[1:]) == FACTS


def test_a_change_is_told_once_with_before_and_after() -> None:
    state, events = advance(HealthState(), sample(*FACTS, at=1), CAM)
    assert [each.kind for each in events] == [EventKind.STATE]
    other = (
        ("classes", "circle, square"),
        ("library onnxruntime", "1.21.0"),
        ("model", "shapes2"),
    )
    state, events = advance(state, sample(*other, model_id="b", at=2), CAM)
    assert [(each.kind, each.severity, each.message) for each in events] == [
        (
            EventKind.MODEL_CHANGED,
            Severity.WARNING,
            "model replaced: shapes → shapes2; classes changed: 3 → 2",
        ),
        (
            EventKind.LIBRARY_CHANGED,
            Severity.INFO,
            "library upgraded: onnxruntime 1.20.1 → 1.21.0",
        ),
    ]
    state, events = advance(state, sample(*other, model_id="b", at=3), CAM)
    assert events == ()


def test_what_was_told_survives_a_pause_a_silence_and_a_restart() -> None:
    state, _ = advance(HealthState(), sample(*FACTS, at=1), CAM)
    state, _ = advance(state, sample(at=2), CAM)
    state, _ = pause(state, "cam", at=3, reason="by hand")
    state, _ = resume(state, "cam", at=4)
    state = decode_state(encode_state(state))
    assert state.facts == FACTS
    _, events = advance(state, sample(("model", "other"), at=5), CAM)
    assert "model replaced: shapes → other" in [each.message for each in events]


def test_without_facts_the_short_name_tells_it() -> None:
    state, _ = advance(HealthState(), sample(model_id="a", at=1), CAM)
    _, events = advance(state, sample(model_id="b", at=2), CAM)
    assert [each.message for each in events] == ["model changed: a → b"]


@pytest.mark.parametrize(
    "text",
    [
        '{"facts": 3}',
        '{"facts": [["a"], ["a", 1], "ab", ["model", "x"]]}',
        '{"health": "up"}',
    ],
)
def test_states_that_are_old_or_odd_are_read(text: str) -> None:
    state = decode_state(text)
    assert state.facts in ((), (("model", "x"),))
    assert replace(state, facts=()).answer_digest is None
