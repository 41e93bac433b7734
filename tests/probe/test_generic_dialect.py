"""Reading by pointers: forms of boxes, scales, times, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.config.deployment import deployment_from_table
from yolotop.config.presets import shipped
from yolotop.config.schema import DIALECTS
from yolotop.model import (
    Deployment,
    Detection,
    ErrorKind,
    Phases,
    Prediction,
    ProbeKind,
    ServerTimes,
)
from yolotop.probe.dialects import KNOWN, BadResponse, Dialect
from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.frames import Frame
from yolotop.probe.messages import Reply

FRAME = Frame("f", b"JPEG", "image/jpeg", 200, 100, "0" * 64, None)
GENERIC: Dialect = KNOWN["generic"]
PLAIN = {"detections": "/found", "label": "/l", "confidence": "/c", "box": "/b"}


def deployment(response: Mapping[str, object], **keys: object) -> Deployment:
    table = {"name": "d", "url": "http://h", "dialect": "generic", **keys}
    return deployment_from_table({**table, "response": response})


def reply(payload: object, *headers: tuple[bytes, bytes]) -> Reply:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Reply(200, b"", b"1.1", headers, body, Phases(), 1.0, None)


def read(
    payload: object,
    response: Mapping[str, object],
    *headers: tuple[bytes, bytes],
    **keys: object,
) -> Prediction:
    found = deployment({**PLAIN, **response}, **keys)
    return GENERIC.read_predict(reply(payload, *headers), found, FRAME)


def box_of(value: object, **response: object) -> tuple[float, ...] | None:
    answer = {"found": [{"l": "a", "c": 0.5, "b": value}]}
    return read(answer, response).detections[0].box


# --- boxes ---------------------------------------------------------------------------

CORNERS = (20.0, 10.0, 60.0, 50.0)


@pytest.mark.parametrize(
    ("form", "four"),
    [
        ("xyxy", [20, 10, 60, 50]),
        ("xywh", [20, 10, 40, 40]),
        ("cxcywh", [40, 30, 40, 40]),
        ("yxyx", [10, 20, 50, 60]),
    ],
)
def test_every_form_comes_out_as_corners(form: str, four: list[int]) -> None:
    assert box_of(four, form=form) == CORNERS
    names = [f"/{number}" for number in range(4)]
    assert box_of(four, form=form, box=" ".join(f"/b{n}" for n in names)) == CORNERS
    wide, high = (200, 100) if form != "yxyx" else (100, 200)
    shares = [v / (high if i % 2 else wide) for i, v in enumerate(four)]
    found = box_of(shares, form=form, unit="share")
    assert found == pytest.approx(CORNERS)


@pytest.mark.parametrize(
    ("form", "box"),
    [
        ("xyxy", {"x1": 20, "y1": 10, "x2": 60, "y2": 50}),
        ("xyxy", {"xmin": 20, "ymin": 10, "xmax": 60, "ymax": 50}),
        ("xyxy", {"left": 20, "top": 10, "right": 60, "bottom": 50}),
        ("yxyx", {"x1": 20, "y1": 10, "x2": 60, "y2": 50}),
        ("xywh", {"x": 20, "y": 10, "width": 40, "height": 40}),
        ("xywh", {"left": 20, "top": 10, "width": 40, "height": 40}),
        ("cxcywh", {"x": 40, "y": 30, "w": 40, "h": 40}),
    ],
)
def test_a_box_with_names(form: str, box: dict[str, int]) -> None:
    assert box_of(box, form=form) == CORNERS


@pytest.mark.parametrize("box", [[1, 2, 3], {"x1": 1}, "x", None, [1, 2, 3, "4"]])
def test_what_is_no_box_is_said(box: object) -> None:
    with pytest.raises(BadResponse, match=r"result 1 has .*box"):
        box_of(box)


@given(st.lists(st.floats(allow_nan=False), min_size=4, max_size=4))
def test_no_box_is_ever_infinite(four: list[float]) -> None:
    for form in ("xyxy", "xywh", "cxcywh", "yxyx"):
        found = deployment({**PLAIN, "form": form, "unit": "share"})
        body = json.dumps({"found": [{"l": "a", "c": 1, "b": four}]})
        body = body.replace("Infinity", "1e999")
        try:
            seen = GENERIC.read_predict(reply(body.encode()), found, FRAME)
        except BadResponse:
            continue
        box = seen.detections[0].box
        assert box is not None
        assert all(abs(edge) < float("inf") for edge in box)


# --- the rest of a detection ---------------------------------------------------------


def test_confidences_per_cent_and_labels_by_number() -> None:
    answer = {"found": [{"l": 1, "c": 91, "b": [1, 2, 3, 4]}]}
    found = read(answer, {"scale": 100}, class_names=["cat", "dog"])
    assert found.detections == (Detection("dog", 0.91, (1.0, 2.0, 3.0, 4.0)),)


def test_without_boxes_or_confidences_and_labels_alone() -> None:
    only = {"label": "", "confidence": "", "box": ""}
    assert read({"found": ["a", "b"]}, only).detections == (
        Detection("a"),
        Detection("b"),
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "nothing at /found"),
        ({"found": 3}, "no list at /found"),
        ({"found": [{}]}, "result 1 has nothing at /l, its label"),
        ({"found": [{"l": "a"}]}, "nothing at /c, its confidence"),
        ({"found": [{"l": "a", "c": 2, "b": [1, 2, 3, 4]}]}, "a confidence of 2"),
        ({"found": [{"l": "a", "c": None}]}, "nothing where its confidence"),
        ({"found": [{"l": "a", "c": 1}]}, "nothing at /b, its box"),
        ([], "nothing at /found"),
        (b"", "the answer is empty"),
        (b"<html>", "an HTML page"),
    ],
)
def test_what_is_not_there_is_a_failure(answer: object, words: str) -> None:
    with pytest.raises(BadResponse, match=words):
        read(answer, {})


def test_a_list_of_nothing_as_go_writes_it_and_json_in_a_string() -> None:
    assert read({"found": None}, {}).detections == ()
    inner = json.dumps([{"l": "a", "c": 1, "b": [1, 2, 3, 4]}])
    assert read({"found": inner}, {}).detections[0].label == "a"


# --- success, times, facts -----------------------------------------------------------


def test_a_broken_condition_is_a_failure_in_the_servers_words() -> None:
    holds = {"holds": ["/ok == true", "/c > 0.5"]}
    seen = {"ok": True, "c": 0.51, "found": []}
    assert read(seen, holds).detections == ()
    for change, words in (
        ({"ok": False, "error": "no GPU"}, "/ok is false, expected == true: no GPU"),
        ({"c": 0.1}, "/c is 0.1, expected > 0.5"),
        ({"c": "0.9"}, '/c is "0.9", expected > 0.5'),
    ):
        with pytest.raises(BadResponse) as caught:
            read({**seen, **change}, holds)
        assert caught.value.message == words
        assert caught.value.kind is ErrorKind.BAD_RESPONSE


def test_what_a_200_says_may_be_more_than_bad() -> None:
    rules = [{"says": ["quota"], "kind": "rate_limited"}]
    with pytest.raises(BadResponse) as caught:
        read(
            {"ok": False, "error": "Quota exceeded"},
            {"holds": ["/ok == true"]},
            refusals=rules,
        )
    assert caught.value.kind is ErrorKind.RATE_LIMITED


def test_times_facts_and_age() -> None:
    found = read(
        {"found": [], "s": {"a": 0.002, "b": 0.003}, "v": 7, "up": 12, "bad": "x"},
        {
            "times": {
                "inference": {"at": "/s/*", "factor": 1000},
                "call": "header:X-Ms",
                "queue": "/bad",
                "preprocess": "/nothing",
            },
            "facts": {"model": "header:X-Model", "version": "/v", "none": "/nothing"},
            "alive": "/up",
        },
        (b"x-ms", b"4.5"),
        (b"x-model", b"shapes\x1b[31m"),
    )
    assert found.server == ServerTimes(inference=3.0, call=4.5)
    assert found.facts == (("model", "shapes␛"), ("version", "7"))
    assert found.model_id is not None
    assert found.model_id.startswith("shapes")
    assert found.alive_s == 12.0


def test_liveness_holds_or_is_not_ready() -> None:
    live = {"path": "/up", "holds": ['/state == "ready"']}
    found = deployment({}, liveness=live)
    GENERIC.read_health(reply({"state": "ready"}), found)
    for said in ({"state": "loading"}, {}, b"ready", b""):
        with pytest.raises(BadResponse) as caught:
            GENERIC.read_health(reply(said), found)
        assert caught.value.kind is ErrorKind.NOT_READY


def test_without_the_models_name_nothing_is_sent() -> None:
    found = Deployment("d", "http://h", preset=shipped("torchserve"))
    with pytest.raises(UnsendableRequest, match="needs the model's name"):
        GENERIC.predict_request(found, FRAME)
    named = Deployment("d", "http://h", preset=shipped("torchserve"), model="a/b c")
    assert GENERIC.predict_request(named, FRAME).url == "http://h/predictions/a%2Fb%20c"


@pytest.mark.parametrize(
    "name", [name for name in DIALECTS if shipped(name).dialect == "generic"]
)
@given(
    body=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["success", "predictions", "detections", "label", "x", "class", "y"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_answer_is_read_or_refused(name: str, body: bytes) -> None:
    found = Deployment("d", "http://h", preset=shipped(name), model="m")
    said = reply(body)
    for look in (
        lambda: GENERIC.read_health(said, found),
        lambda: GENERIC.read_predict(said, found, FRAME),
    ):
        try:
            look()
        except BadResponse as bad:
            message = bad.message
        else:
            message = "fine"
        assert not set(message) & set("\x1b\n\r\x00\u202e")
    kind = GENERIC.refused(said, found, ProbeKind.PREDICT)
    assert kind is None or ErrorKind(kind)
