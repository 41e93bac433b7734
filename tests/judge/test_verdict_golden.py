"""A pinned answer in the verdict: in which order, how loudly, in which words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from yolotop.judge.counts import parse_count
from yolotop.judge.health import advance
from yolotop.judge.verdict import STUCK, judge
from yolotop.model import (
    Answer,
    Baseline,
    Deployment,
    Detection,
    ErrorKind,
    Expectation,
    Health,
    HealthState,
    Outcome,
    Prediction,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.state import decode_state, encode_state

SHA = "a" * 64
CAR = Detection("car", 0.9, (10.0, 10.0, 110.0, 60.0))
DOG = Detection("dog", 0.8, (200.0, 10.0, 300.0, 60.0))
FACTS = (("library x", "1.0"), ("model", "shapes.onnx"))
OTHER = (("library x", "1.0"), ("model", "shapes2.onnx"))
PINNED = Baseline(SHA, 0.0, (CAR, DOG), task="detect", facts=FACTS)
DOCK = Deployment("dock", "http://h", image="gate.jpg", golden=PINNED)
NEW = HealthState()


def answer(
    *got: Detection,
    facts: tuple[tuple[str, str], ...] = FACTS,
    frame: str = SHA,
    digest: str | None = None,
    at: float = 1_000.0,
    took_ms: float = 40.0,
) -> Answer:
    return Answer(
        "dock",
        ProbeKind.PREDICT,
        started_at=at,
        latency_ms=took_ms,
        http_status=200,
        prediction=Prediction(tuple(got), task="detect", facts=facts),
        frame_sha256=frame,
        body_digest=digest,
    )


def test_the_same_answer_says_so() -> None:
    verdict = judge(answer(CAR, DOG), DOCK, NEW)
    assert verdict == Verdict(Outcome.OK, Severity.INFO, "2 detections, as pinned")


def test_another_answer_is_wrong_and_then_an_error() -> None:
    verdict = judge(answer(CAR), DOCK, NEW)
    said = "wrong answer: got car ×1, pinned car ×1, dog ×1"
    assert (verdict.outcome, verdict.message) == (Outcome.WRONG, said)
    assert verdict.severity is Severity.WARNING
    state, _ = advance(NEW, Sample(answer(CAR), verdict), DOCK)
    assert state.health is Health.DEGRADED
    assert judge(answer(CAR), DOCK, state).severity is Severity.ERROR


def test_nothing_where_something_was_pinned_is_an_error_at_once() -> None:
    verdict = judge(answer(), DOCK, NEW)
    assert verdict.severity is Severity.ERROR
    assert verdict.message == "wrong answer: got none, pinned car ×1, dog ×1"
    assert verdict.error is not None
    assert verdict.error.kind is ErrorKind.WRONG_ANSWER


@pytest.mark.parametrize("got", [(CAR, DOG), (CAR,), (replace(CAR, label="x"), DOG)])
def test_another_model_asks_for_a_new_baseline(got: tuple[Detection, ...]) -> None:
    """Right or wrong: what the other model should say, nobody has pinned."""
    verdict = judge(answer(*got, facts=OTHER), DOCK, NEW)
    assert (verdict.outcome, verdict.severity) == (Outcome.CHANGED, Severity.WARNING)
    assert verdict.message == (
        "changed: model shapes.onnx → shapes2.onnx; pin a new baseline with "
        "`yolotop golden set dock gate.jpg`"
    )
    assert verdict.ok
    assert verdict.error is not None
    assert verdict.error.kind is ErrorKind.MODEL_CHANGED
    state, _ = advance(NEW, Sample(answer(*got, facts=OTHER), verdict), DOCK)
    assert state.health is Health.DEGRADED


def test_another_model_that_sees_nothing_is_blind_all_the_same() -> None:
    verdict = judge(answer(facts=OTHER), DOCK, NEW)
    assert (verdict.outcome, verdict.severity) == (Outcome.WRONG, Severity.ERROR)


def test_another_model_must_still_hold_what_was_written_by_hand() -> None:
    dock = replace(DOCK, expect=Expectation(counts=(("dog", ">=1"),)))
    verdict = judge(answer(CAR, facts=OTHER), dock, NEW)
    assert verdict.message == "wrong answer: got dog ×0, expected at least 1"


def test_an_upgraded_library_is_no_other_model() -> None:
    facts = (("library x", "2.0"), ("model", "shapes.onnx"))
    assert judge(answer(CAR, DOG, facts=facts), DOCK, NEW).outcome is Outcome.OK
    assert judge(answer(CAR, facts=facts), DOCK, NEW).outcome is Outcome.WRONG


def test_another_task_is_another_model() -> None:
    dock = replace(DOCK, golden=replace(PINNED, task="segment", facts=()))
    verdict = judge(answer(CAR, DOG), dock, NEW)
    assert verdict.message.startswith("changed: task segment → detect; pin a new")


def test_a_name_that_a_shell_would_take_apart_is_quoted() -> None:
    dock = replace(DOCK, name="dock 2", image="my gate.jpg")
    verdict = judge(answer(CAR, facts=OTHER), dock, NEW)
    assert verdict.message.endswith("`yolotop golden set 'dock 2' 'my gate.jpg'`")


def test_an_image_that_is_not_the_pinned_one_is_not_the_servers_fault() -> None:
    verdict = judge(answer(CAR, DOG, frame="b" * 64), DOCK, NEW)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.error is not None
    assert verdict.error.kind is ErrorKind.INTERNAL
    assert verdict.message.startswith("the image is not the one that was pinned")


def test_slow_comes_last() -> None:
    dock = replace(DOCK, slow_ms=100.0)
    late = answer(CAR, DOG, took_ms=300.0)
    assert judge(late, dock, NEW).outcome is Outcome.SLOW
    assert judge(answer(CAR, took_ms=300.0), dock, NEW).outcome is Outcome.WRONG


# --- stuck ---------------------------------------------------------------------------

PLAIN = Deployment("dock", "http://h")


def after(*answers: Answer, deployment: Deployment = PLAIN) -> HealthState:
    state = NEW
    for each in answers:
        sample = Sample(each, judge(each, deployment, state))
        state, _ = advance(state, sample, deployment)
    # Through the store: what is remembered must survive a restart.
    return decode_state(encode_state(state))


def test_the_same_bytes_to_another_image_are_stuck() -> None:
    state = after(answer(CAR, digest="d", frame="1"))
    verdict = judge(answer(CAR, digest="d", frame="2", at=1_060.0), PLAIN, state)
    assert (verdict.outcome, verdict.message) == (Outcome.WRONG, STUCK)
    assert verdict.severity is Severity.WARNING
    twice = after(
        answer(CAR, digest="d", frame="1"),
        answer(CAR, digest="d", frame="2", at=1_060.0),
    )
    third = answer(CAR, digest="d", frame="1", at=1_120.0)
    assert judge(third, PLAIN, twice).severity is Severity.ERROR


@pytest.mark.parametrize(
    "now",
    [
        answer(CAR, digest="d", frame="1"),
        answer(CAR, digest="e", frame="2"),
        answer(CAR, digest=None, frame="2"),
        answer(digest="d", frame="2"),
        # Two images of cats: a classifier may be as sure of the one as of the other.
        answer(Detection("cat"), digest="d", frame="2"),
        answer(Detection("cat", 1.0), digest="d", frame="2"),
    ],
)
def test_what_may_rightly_be_the_same(now: Answer) -> None:
    state = after(answer(CAR, digest="d", frame="1"))
    assert judge(now, PLAIN, state).outcome is Outcome.OK


def test_a_classifier_of_two_minds_cannot_be_of_the_very_same_ones_twice() -> None:
    state = after(answer(Detection("cat", 0.7312), digest="d", frame="1"))
    now = answer(Detection("cat", 0.7312), digest="d", frame="2")
    assert judge(now, PLAIN, state).message == STUCK


# --- written by hand -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        (">=1", (1, 2, 999), (0,)),
        (">1", (2,), (0, 1)),
        ("<=2", (0, 2), (3,)),
        ("<2", (0, 1), (2,)),
        ("==2", (2,), (0, 1, 3)),
        ("2", (2,), (1, 3)),
        ("2..4", (2, 3, 4), (1, 5)),
        (" >= 1 ", (1,), (0,)),
        ("0", (0,), (1,)),
    ],
)
def test_counts(text: str, right: tuple[int, ...], wrong: tuple[int, ...]) -> None:
    count = parse_count(text)
    assert all(count.holds(each) for each in right)
    assert not any(count.holds(each) for each in wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1.5",
        ">=1.5",
        "=1",
        "4..2",
        ">=1..2",
        "-1",
        "<0",
        "9999999",
        "\u0661",
        ">=",
    ],
)
def test_what_is_no_count(text: str) -> None:
    with pytest.raises(ValueError, match=r"count|number|above"):
        parse_count(text)


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        (Expectation(counts=(("car", ">=1"), ("dog", "0"))), "dog ×1, expected 0"),
        (Expectation(counts=(("cat", ">=1"),)), "cat ×0, expected at least 1"),
        (Expectation(counts=(("car", "2..4"),)), "car ×1, expected 2 to 4"),
        (
            Expectation(counts=(("dog", ">=1"),), min_confidence=0.85),
            "dog ×0 with 0.85 or more, expected at least 1",
        ),
        # 0.8 is at least 0.8: nothing is rounded to whole numbers on the way.
        (Expectation(counts=(("dog", ">=1"),), min_confidence=0.8), ""),
        (Expectation(labels=("dog",), min_confidence=0.85), "car ×1, expected dog"),
        (Expectation(min_detections=2, min_confidence=0.85), "got 1, expected at"),
        (Expectation(counts=(("car", "1"), ("cat", "<1"))), ""),
    ],
)
def test_expectations_by_hand(expect: Expectation, said: str) -> None:
    plain = replace(PLAIN, expect=expect)
    verdict = judge(answer(CAR, DOG), plain, NEW)
    assert said in verdict.message
    assert (verdict.outcome is Outcome.OK) is not bool(said)


def test_what_tells_no_confidence_is_not_sure_enough() -> None:
    expect = Expectation(counts=(("car", ">=1"),), min_confidence=0.1)
    got = answer(replace(CAR, confidence=None))
    assert judge(got, replace(PLAIN, expect=expect), NEW).outcome is Outcome.WRONG


def test_a_baseline_that_cannot_be_read_fails_this_one_and_says_the_cure() -> None:
    broken = replace(PINNED, fault="golden/dock.json: is not JSON")
    verdict = judge(answer(CAR, DOG), replace(DOCK, golden=broken), NEW)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.error is not None
    assert verdict.error.kind is ErrorKind.INTERNAL
    assert "pin it anew with `yolotop golden set" in verdict.message
