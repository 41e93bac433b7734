"""What an answer is worth: one test for each thing a server may do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from yolotop.judge.match import iou, match
from yolotop.judge.report import sample_json
from yolotop.judge.verdict import judge, restarted
from yolotop.model import (
    Answer,
    Deployment,
    Detection,
    ErrorKind,
    Expectation,
    Health,
    HealthState,
    Light,
    Outcome,
    Phases,
    Prediction,
    ProbeError,
    ProbeKind,
    Sample,
    SecretRef,
    ServerTimes,
    Severity,
    Verdict,
)

CIRCLE = Detection("circle", None, (10, 10, 50, 50))
OTHER_CIRCLE = Detection("circle", None, (100, 100, 160, 160))
SQUARE = Detection("square", None, (60, 10, 90, 40))
DRAWN = (CIRCLE, OTHER_CIRCLE, SQUARE)
SHAPES = Deployment("shapes", "http://h", expect=Expectation(drawn=True))
SLEEPY = Deployment("sleepy", "http://h", scale_to_zero=True, cold_start_s=55.0)
NEW = HealthState()


def predicted(*found: Detection, latency_ms: float = 40.0, **more: object) -> Answer:
    answer = Answer(
        "shapes",
        ProbeKind.PREDICT,
        started_at=1_000.0,
        latency_ms=latency_ms,
        http_status=200,
        prediction=Prediction(tuple(found)),
        drawn=DRAWN,
    )
    return replace(answer, **more)  # type: ignore[arg-type]


def refused(
    status: int, *, kind: ProbeKind = ProbeKind.PREDICT, said: str = ""
) -> Answer:
    return Answer(
        "shapes",
        kind,
        started_at=1_000.0,
        latency_ms=10.0,
        http_status=status,
        body_head=said,
    )


def sure(detection: Detection, confidence: float = 0.9) -> Detection:
    return replace(detection, confidence=confidence)


# --- right ---------------------------------------------------------------------------


def test_every_drawn_shape_found_is_ok_with_a_sentence_that_does_not_change() -> None:
    found = [sure(shape) for shape in DRAWN]
    verdict = judge(predicted(*found), SHAPES, NEW)
    assert verdict == Verdict(Outcome.OK, Severity.INFO, "3 detections")
    later = judge(predicted(*found, latency_ms=77.7), SHAPES, NEW)
    assert later.message == verdict.message


@pytest.mark.parametrize(
    ("count", "message"),
    [(0, "no detections"), (1, "1 detection"), (2, "2 detections")],
)
def test_without_expectations_any_prediction_is_right(count: int, message: str) -> None:
    plain = Deployment("plain", "http://h")
    verdict = judge(predicted(*[SQUARE] * count), plain, NEW)
    assert (verdict.outcome, verdict.message) == (Outcome.OK, message)


def test_a_healthy_liveness_answer_is_a_debug_line() -> None:
    answer = replace(refused(200, kind=ProbeKind.HEALTH), latency_ms=9_999.0)
    verdict = judge(answer, replace(SHAPES, slow_ms=250.0), NEW)
    assert verdict == Verdict(Outcome.OK, Severity.DEBUG, "healthy")


def test_slow_is_right_but_says_how_slow() -> None:
    found = [sure(shape) for shape in DRAWN]
    deployment = replace(SHAPES, slow_ms=250.0)
    verdict = judge(predicted(*found, latency_ms=312.4), deployment, NEW)
    assert verdict.outcome is Outcome.SLOW
    assert verdict.severity is Severity.WARNING
    assert verdict.message == "312 ms, slower than 250 ms"
    assert verdict.ok
    exactly = judge(predicted(*found, latency_ms=250.0), deployment, NEW)
    assert exactly.outcome is Outcome.OK


# --- wrong ---------------------------------------------------------------------------


def test_blind_answers_say_what_was_expected() -> None:
    verdict = judge(predicted(), SHAPES, NEW)
    assert verdict.outcome is Outcome.WRONG
    assert verdict.message == "wrong answer: got none, expected circle ×2, square ×1"
    assert verdict.error == ProbeError(ErrorKind.WRONG_ANSWER, verdict.message)


def test_a_second_wrong_answer_in_a_row_is_an_error_line() -> None:
    assert judge(predicted(), SHAPES, NEW).severity is Severity.WARNING
    before = HealthState(predict=Light(recent=(Outcome.OK, Outcome.WRONG)))
    assert judge(predicted(), SHAPES, before).severity is Severity.ERROR


def test_an_extra_shape_is_wrong_unless_the_server_is_unsure_of_it() -> None:
    found = [sure(shape) for shape in DRAWN]
    ghost = Detection("triangle", 0.3, (0, 0, 9, 9))
    assert judge(predicted(*found, ghost), SHAPES, NEW).outcome is Outcome.OK
    asked = replace(SHAPES, conf=0.25)
    verdict = judge(predicted(*found, ghost), asked, NEW)
    assert verdict.message == (
        "wrong answer: got circle ×2, square ×1, triangle ×1, "
        "expected circle ×2, square ×1"
    )
    certain = judge(predicted(*found, sure(ghost)), SHAPES, NEW)
    assert certain.outcome is Outcome.WRONG


def test_the_right_label_in_the_wrong_place_is_wrong() -> None:
    astray = Detection("square", 0.9, (75, 10, 105, 40))
    verdict = judge(predicted(sure(CIRCLE), sure(OTHER_CIRCLE), astray), SHAPES, NEW)
    assert verdict.message == (
        "wrong answer: square is not where it was drawn (IoU 0.33)"
    )


def test_an_image_nobody_knows_cannot_be_held_against_the_answer() -> None:
    assert judge(predicted(drawn=None), SHAPES, NEW).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("expect", "found", "fault"),
    [
        (Expectation(min_detections=2), 1, "got 1, expected at least 2 detections"),
        (Expectation(min_detections=1), 0, "got none, expected at least 1 detection"),
        (Expectation(max_detections=1), 2, "got 2, expected at most 1 detection"),
        (Expectation(max_detections=0), 1, "got 1, expected at most no detections"),
        (Expectation(labels=("square",)), 0, "got none, expected square"),
        (Expectation(labels=("square", "cat")), 1, "got square ×1, expected cat"),
        (Expectation(min_detections=1, max_detections=2), 2, None),
    ],
)
def test_counts_and_labels(expect: Expectation, found: int, fault: str | None) -> None:
    deployment = Deployment("d", "http://h", expect=expect)
    verdict = judge(predicted(*[SQUARE] * found), deployment, NEW)
    if fault is None:
        assert verdict.outcome is Outcome.OK
    else:
        assert verdict.message == f"wrong answer: {fault}"


# --- failed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        ErrorKind.DNS,
        ErrorKind.CONNECT,
        ErrorKind.TLS,
        ErrorKind.TIMEOUT,
        ErrorKind.PROTOCOL,
        ErrorKind.BODY_TOO_LARGE,
        ErrorKind.BAD_RESPONSE,
        ErrorKind.INTERNAL,
    ],
)
def test_a_transport_error_is_the_verdict(kind: ErrorKind) -> None:
    answer = Answer(
        "d", ProbeKind.PREDICT, started_at=1.0, error=ProbeError(kind, "refused")
    )
    verdict = judge(answer, SLEEPY, NEW)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.severity is Severity.ERROR
    assert verdict.error == ProbeError(kind, "refused")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_from_a_missing_one(status: int) -> None:
    keyless = judge(refused(status), SHAPES, NEW)
    assert keyless.message == f"a key is wanted and none is configured ({status})"
    keyed = replace(SHAPES, api_key=SecretRef("env", "KEY"))
    verdict = judge(refused(status, said="Invalid API key"), keyed, NEW)
    assert verdict.message == f"the key was refused ({status}): Invalid API key"
    assert verdict.error is not None
    assert verdict.error.kind is ErrorKind.UNAUTHORIZED


@pytest.mark.parametrize(
    ("status", "said", "message"),
    [
        (500, "", "HTTP 500 Internal Server Error"),
        (502, "upstream gone", "HTTP 502 Bad Gateway: upstream gone"),
        (503, "", "HTTP 503 Service Unavailable"),
        (404, "no route", "HTTP 404 Not Found: no route"),
        (302, "", "HTTP 302 Found: redirects are not followed"),
        (799, "", "HTTP 799"),
    ],
)
def test_a_status_comes_with_the_servers_own_sentence(
    status: int, said: str, message: str
) -> None:
    verdict = judge(refused(status, said=said), SHAPES, NEW)
    assert (verdict.outcome, verdict.message) == (Outcome.FAILED, message)
    assert verdict.error == ProbeError(ErrorKind.HTTP, message)


def test_a_servers_long_speech_is_cut() -> None:
    verdict = judge(refused(500, said="so sorry " * 200), SHAPES, NEW)
    assert len(verdict.message) < 260
    assert verdict.message.endswith("…")


def test_too_many_requests_says_when_to_come_back() -> None:
    answer = replace(refused(429, said="busy"), retry_after_s=4.2)
    verdict = judge(answer, SHAPES, NEW)
    assert verdict.message == "too many requests (429), asks to retry after 5 s: busy"
    assert verdict.error is not None
    assert verdict.error.kind is ErrorKind.RATE_LIMITED
    silly = judge(replace(answer, retry_after_s=float("nan")), SHAPES, NEW)
    assert silly.message == "too many requests (429): busy"


def test_a_prediction_that_is_missing_is_no_answer() -> None:
    verdict = judge(predicted(prediction=None), SHAPES, NEW)
    assert verdict.error == ProbeError(
        ErrorKind.BAD_RESPONSE, "the answer holds no prediction"
    )


def test_nothing_at_all_is_our_own_fault() -> None:
    verdict = judge(Answer("d", ProbeKind.HEALTH, started_at=1.0), SHAPES, NEW)
    assert verdict.error is not None
    assert verdict.error.kind is ErrorKind.INTERNAL


# --- cold ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("kind", list(ProbeKind))
def test_starting_up_is_cold_where_scaling_to_zero_is_expected(
    status: int, kind: ProbeKind
) -> None:
    answer = replace(refused(status, kind=kind), retry_after_s=2.0)
    verdict = judge(answer, SLEEPY, NEW)
    assert verdict.outcome is Outcome.COLD
    assert verdict.severity is Severity.INFO
    assert verdict.cold
    assert verdict.message == f"starting up ({status}), asks to retry after 2 s"
    assert not verdict.ok
    assert not verdict.outcome.is_error
    assert judge(answer, SHAPES, NEW).outcome is Outcome.FAILED


def test_the_cold_start_allowance_ends() -> None:
    within = HealthState(predict=Light(cold_since=1_000.0 - 54.0))
    beyond = HealthState(predict=Light(cold_since=1_000.0 - 56.0))
    assert judge(refused(503), SLEEPY, within).outcome is Outcome.COLD
    late = judge(refused(503), SLEEPY, beyond)
    assert late.outcome is Outcome.FAILED
    limited = judge(refused(429), SLEEPY, beyond)
    assert limited.error is not None
    assert limited.error.kind is ErrorKind.RATE_LIMITED


def alive(seconds: float, latency_ms: float = 40.0) -> Answer:
    prediction = Prediction((SQUARE,), alive_s=seconds)
    return predicted(prediction=prediction, latency_ms=latency_ms)


@pytest.mark.parametrize(
    ("answer", "state", "cold"),
    [
        (alive(500.0), HealthState(alive_s=400.0, last_answer_at=900.0), False),
        (alive(100.2), HealthState(alive_s=1.0, last_answer_at=900.0), False),
        (alive(50.0), HealthState(alive_s=400.0, last_answer_at=900.0), True),
        (alive(50.0), NEW, False),
        (alive(1.9, latency_ms=2_000.0), NEW, True),
        (predicted(SQUARE), HealthState(health=Health.COLD), True),
        (predicted(SQUARE), HealthState(predict=Light(recent=(Outcome.COLD,))), True),
    ],
)
def test_an_answer_of_a_fresh_instance_is_tagged_cold(
    answer: Answer, state: HealthState, cold: bool
) -> None:
    plain = Deployment("d", "http://h")
    verdict = judge(answer, plain, state)
    assert verdict.ok
    assert verdict.cold is cold
    assert verdict.message == ("1 detection, cold start" if cold else "1 detection")


# What a server makes of its age before it tells it, and by how much that may be off.
TOLD: dict[str, tuple[Callable[[float], float], float]] = {
    "exact": (lambda age: age, 1e-6),
    "ms": (lambda age: round(age, 3), 1e-3),
    "tenths": (lambda age: math.floor(age * 10) / 10, 0.1),
    "floor": (lambda age: float(math.floor(age)), 1.0),
    "round": (lambda age: float(round(age)), 1.0),
    "ceil": (lambda age: float(math.ceil(age)), 1.0),
}


@given(
    told=st.sampled_from(sorted(TOLD)),
    between=st.floats(0.5, 1e5),
    older_by=st.floats(0.0, 1e7),
    drift=st.floats(-5e-4, 5e-4),
    reply_s=st.floats(0.0, 60.0),
)
def test_one_that_answered_both_never_restarted(
    told: str, between: float, older_by: float, drift: float, reply_s: float
) -> None:
    """However it rounds, however long it took, and whatever its clock runs at."""
    says, _ = TOLD[told]
    state = HealthState(alive_s=3.0, last_answer_at=1_000.0 - between)
    # Its clock is read when it answers, which is after it was asked.
    age = says((older_by + between + reply_s) * (1 + drift))
    assert not restarted(alive(age), state)


@given(
    told=st.sampled_from(sorted(TOLD)),
    between=st.floats(0.5, 1e5),
    share=st.floats(0.0, 1.0),
    reply_s=st.floats(0.0, 0.2),
)
def test_one_born_since_the_last_answer_is_seen(
    told: str, between: float, share: float, reply_s: float
) -> None:
    """But for the digits it does not tell, and the time it took to answer."""
    says, off_s = TOLD[told]
    born_after = reply_s + 2 * off_s + 0.001 * between + 1e-4
    age = says(max(0.0, between + reply_s - born_after) * share)
    # 20.10 looks as if it were told to the tenth only.
    assume(off_s == 1.0 or round(age / off_s) % 10)
    state = HealthState(alive_s=9e6, last_answer_at=1_000.0 - between)
    assert restarted(alive(age), state) or between < born_after


@pytest.mark.parametrize(
    ("age", "seen"), [(59.9371, True), (59.99, False), (59.0, False), (58.0, True)]
)
def test_what_digits_tell_is_believed(age: float, seen: bool) -> None:
    """A minute after the last answer: half a second was left to all alike."""
    state = HealthState(alive_s=9e6, last_answer_at=940.0)
    assert restarted(alive(age), state) is seen


def test_a_cold_start_is_not_called_slow() -> None:
    impatient = Deployment("d", "http://h", slow_ms=100.0)
    verdict = judge(alive(1.0, latency_ms=3_000.0), impatient, NEW)
    assert (verdict.outcome, verdict.cold) == (Outcome.OK, True)


# --- overlap -------------------------------------------------------------------------

coordinate = st.floats(-1e6, 1e6) | st.just(float("nan")) | st.just(float("inf"))
boxes = st.tuples(coordinate, coordinate, coordinate, coordinate)
detections = st.builds(Detection, st.sampled_from("ab"), st.none(), st.none() | boxes)


@given(boxes, boxes)
def test_overlap_is_symmetric_and_between_0_and_1(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> None:
    assert 0.0 <= iou(one, other) <= 1.0 + 1e-9
    assert iou(one, other) == iou(other, one)


def test_overlap_of_known_boxes() -> None:
    assert iou((0, 0, 2, 2), (0, 0, 2, 2)) == 1.0
    assert iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert iou((0, 0, 2, 2), (2, 0, 4, 2)) == 0.0


@given(st.lists(detections, max_size=6), st.lists(detections, max_size=6))
def test_matching_uses_every_detection_exactly_once(
    expected: list[Detection], got: list[Detection]
) -> None:
    found = match(expected, got)
    assert len(found.pairs) + len(found.missed) == len(expected)
    assert len(found.pairs) + len(found.extra) == len(got)
    assert all(pair.expected.label == pair.got.label for pair in found.pairs)
    assert all(pair.iou >= 0.5 for pair in found.pairs)


def test_the_better_overlap_wins() -> None:
    near = Detection("circle", 0.5, (12, 10, 52, 50))
    exact = Detection("circle", 0.4, (10, 10, 50, 50))
    found = match([CIRCLE], [near, exact])
    assert found.pairs[0].got is exact
    assert found.extra == (near,)


# --- the stable JSON -----------------------------------------------------------------


def test_a_sample_as_json_has_every_promised_key() -> None:
    server = ServerTimes(preprocess=1.0, inference=20.0, postprocess=2.00049)
    answer = predicted(
        prediction=Prediction((SQUARE,), server=server),
        phases=Phases(dns=0.12345, connect=0.2, send=0.1, wait=39.0, receive=0.3),
        latency_ms=39.87654,
    )
    sample = Sample(answer, judge(answer, Deployment("d", "http://h"), NEW))
    assert sample_json(sample) == {
        "name": "shapes",
        "kind": "predict",
        "ok": True,
        "verdict": "ok",
        "severity": "INFO",
        "message": "1 detection",
        "http_status": 200,
        "latency_ms": 39.877,
        "phases": {
            "dns": 0.123,
            "connect": 0.2,
            "tls": None,
            "send": 0.1,
            "wait": 39.0,
            "receive": 0.3,
        },
        "server": {"preprocess": 1.0, "inference": 20.0, "postprocess": 2.0},
        "detections": 1,
        "error": None,
        "reception": "ok",
    }


def test_a_failed_sample_as_json_names_its_kind() -> None:
    answer = refused(500, said="boom")
    row = sample_json(Sample(answer, judge(answer, SHAPES, NEW)))
    assert row["ok"] is False
    assert row["server"] is None
    assert row["detections"] is None
    assert row["error"] == {
        "kind": "http",
        "message": "HTTP 500 Internal Server Error: boom",
    }
