"""Reading what Ultralytics endpoints and their home-made relatives answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolotop.errors import ConfigError
from yolotop.model import Deployment, Detection, Phases, Prediction
from yolotop.probe.dialects import KNOWN, BadResponse, Dialect, detections, lookup
from yolotop.probe.dialects.detections import MOST_KEPT
from yolotop.probe.frames import Frame
from yolotop.probe.messages import Reply

FRAME = Frame("f", b"JPEG", "image/jpeg", 320, 320, "0" * 64, None)
DEPLOYMENT = Deployment("d", "http://h:1")
ULTRALYTICS: Dialect = KNOWN["ultralytics"]

ITEM = {
    "name": "bus",
    "class": 5,
    "confidence": 0.94,
    "box": {"x1": 3.5, "y1": 228.0, "x2": 809.0, "y2": 748.0},
}
BUS = Detection("bus", 0.94, (3.5, 228.0, 809.0, 748.0))
METADATA = {
    "imageCount": 1,
    "functionTimeAlive": 31.892,
    "functionTimeCall": 1.111,
    "model": "/srv/models/yolo26n.pt",
    "version": {"ultralytics": "8.4.150", "python": "3.14.7"},
    "task": "detect",
    "classNames": ["person", "bicycle"],
}
SPEED = {"preprocess": 32.0, "inference": 814.7, "postprocess": 95.8}


def reply(body: bytes) -> Reply:
    """A 200 with this body."""
    return Reply(200, b"OK", b"1.1", (), body, Phases(), 1.0, None)


def read(payload: object) -> Prediction:
    """Read a payload as the dialect would."""
    return read_bytes(json.dumps(payload).encode())


def read_bytes(body: bytes) -> Prediction:
    return ULTRALYTICS.read_predict(reply(body), DEPLOYMENT, FRAME)


# --- asking --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://h:1", "http://h:1"),
        ("http://h:1/", "http://h:1"),
        ("http://h:1/predict", "http://h:1"),
        ("http://h:1/predict/", "http://h:1"),
        ("http://h:1/health", "http://h:1"),
        ("https://h/api/v1", "https://h/api/v1"),
        ("https://h/api/v1/predict", "https://h/api/v1"),
        ("http://[::1]:8/predict", "http://[::1]:8"),
        ("http://h:1/predict#x", "http://h:1"),
    ],
)
def test_any_of_the_urls_people_paste_will_do(url: str, base: str) -> None:
    deployment = Deployment("d", url)
    health = ULTRALYTICS.health_request(deployment)
    predict = ULTRALYTICS.predict_request(deployment, FRAME)
    assert (health.method, health.url) == ("GET", f"{base}/health")
    assert (predict.method, predict.url) == ("POST", f"{base}/predict")


def test_a_query_stays() -> None:
    deployment = Deployment("d", "http://h/predict?model=a")
    assert ULTRALYTICS.health_request(deployment).url == "http://h/health?model=a"


def test_only_settings_that_were_set_are_sent() -> None:
    bare = ULTRALYTICS.predict_request(DEPLOYMENT, FRAME)
    tuned = ULTRALYTICS.predict_request(
        Deployment("d", "http://h:1", conf=0.5, iou=0.0, imgsz=640), FRAME
    )
    assert b'name="conf"' not in bare.body
    assert b'name="file"; filename="probe.jpg"\r\nContent-Type: image/jpeg' in bare.body
    assert b'name="conf"\r\n\r\n0.5\r\n' in tuned.body
    assert b'name="iou"\r\n\r\n0\r\n' in tuned.body
    assert b'name="imgsz"\r\n\r\n640\r\n' in tuned.body


def test_the_body_for_one_image_is_built_once() -> None:
    one = ULTRALYTICS.predict_request(DEPLOYMENT, FRAME)
    other = ULTRALYTICS.predict_request(Deployment("e", "http://elsewhere"), FRAME)
    assert one.body is other.body


# --- reading -------------------------------------------------------------------------


def test_the_contract() -> None:
    prediction = read(
        {
            "images": [{"shape": [1080, 810], "speed": SPEED, "results": [ITEM]}],
            "metadata": METADATA,
        }
    )
    assert prediction.detections == (BUS,)
    server = prediction.server
    assert server is not None
    assert (server.preprocess, server.inference, server.postprocess) == (
        (32.0, 814.7, 95.8)
    )
    assert server.queue == pytest.approx(168.5)
    assert server.call == pytest.approx(1111.0)
    assert prediction.image_shape == (1080, 810)
    assert prediction.task == "detect"
    assert prediction.alive_s == 31.892
    assert prediction.model_id is not None
    assert prediction.model_id.startswith("yolo26n.pt, 2 classes #")


@pytest.mark.parametrize(
    "payload",
    [
        [ITEM],
        [[ITEM]],
        {"results": [ITEM]},
        {"predictions": [ITEM]},
        {"detections": [ITEM], "count": 1},
        {"results": [[ITEM], []]},
        {"predictions": [{"shape": [1, 1], "results": [ITEM], "speed": SPEED}]},
        [{"results": [ITEM]}],
        json.dumps([ITEM]),
        {"results": [{"label": "bus", "conf": 0.94, "bbox": [3.5, 228, 809, 748]}]},
        {"results": [{**ITEM, "data": [1], "unknown": {"deep": []}}]},
    ],
)
def test_what_wrappers_make_of_it(payload: object) -> None:
    assert read(payload).detections == (BUS,)


@pytest.mark.parametrize(
    "payload", [[], {"results": []}, {"images": [{"results": []}]}, [[]], "[]"]
)
def test_seeing_nothing_is_an_answer(payload: object) -> None:
    assert read(payload).detections == ()


def test_items_of_other_tasks() -> None:
    corners = {"x1": 1, "y1": 2, "x2": 9, "y2": 1, "x3": 10, "y3": 8, "x4": 2, "y4": 9}
    prediction = read(
        {
            "images": [
                {
                    "results": [
                        {"name": "ship", "class": 1, "confidence": 0.5, "box": corners},
                        {"name": "cat", "class": 0, "confidence": 1.0004},
                        {"name": "road", "class": 2, "pixel_ratio": 0.4},
                        {"class": 1, "confidence": 0},
                        {"class": 77},
                    ]
                }
            ],
            "metadata": {"classNames": ["cat", "dog"]},
        }
    )
    assert prediction.detections == (
        Detection(
            "ship",
            0.5,
            (1.0, 1.0, 10.0, 9.0),
            outline=((1.0, 2.0), (9.0, 1.0), (10.0, 8.0), (2.0, 9.0)),
        ),
        Detection("cat", 1.0),
        Detection("road", share=0.4),
        Detection("dog", 0.0),
        Detection("class 77"),
    )


def test_texts_are_cleaned_and_counts_are_capped() -> None:
    evil = "\x1b]52;c;aGk=\x07[bold]x[/bold]\u202e" + "y" * 500
    prediction = read(
        {
            "results": [{"name": evil, "confidence": 1}] * (MOST_KEPT + 5),
            "model": evil,
            "task": evil,
        }
    )
    assert len(prediction.detections) == MOST_KEPT
    for text in (
        prediction.detections[0].label,
        prediction.task or "",
        prediction.model_id or "",
    ):
        assert text.startswith(("␛[bold]x[/bold]", "bold]"))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert len(text) <= 80


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the answer is empty"),
        (b"no data provided", "not JSON: it begins 'no data provided'"),
        (b"<!doctype html><p>hi", "not JSON: it is an HTML page"),
        (b"null", "neither an object nor a list"),
        (b"7", "neither an object nor a list"),
        (b'"\\"text\\""', "neither an object nor a list"),
        (b"{}", "no detections"),
        (b'{"success": false, "error": "model gone"}', "is an error: model gone"),
        (b'{"images": []}', "holds no image"),
        (b'{"images": ["a"]}', "not an object"),
        (b'{"images": [{"results": null}]}', "no list of results"),
        (b'{"results": 7}', '"results" in the answer is not a list'),
        (b'{"results": {"a": 1}}', "the answer holds no detections"),
        (b'{"results": ["a"]}', "result 1 is a text, not an object"),
        (b'{"results": [{}]}', "result 1 names no class"),
        (b'{"results": [{"name": ["x"]}]}', "a list where its class"),
        (
            b'{"results": [{"name": "a", "confidence": "high"}]}',
            "a text where its conf",
        ),
        (b'{"results": [{"name": "a", "confidence": true}]}', "true or false where"),
        (b'{"results": [{"name": "a", "confidence": 1e999}]}', "not finite"),
        (b'{"results": [{"name": "a", "confidence": 57}]}', "57, which is not 0 to 1"),
        (b'{"results": [{"name": "a", "confidence": NaN}]}', "holds NaN, not a number"),
        (b'{"results": [], "x": -Infinity}', "holds -Infinity, not a number"),
        (b'{"results": [{"name": "a", "box": {"x1": 1}}]}', "where its box x2"),
        (b'{"results": [{"name": "a", "box": [1, 2, 3]}]}', "not x1, y1, x2, y2"),
        (b'{"results": [{"class": 1' + b"0" * 400 + b"}]}", "class that is not finite"),
        (b'{"results": [{"class": 1' + b"0" * 9000 + b"}]}", "not JSON"),
        (b"[" * 10_000 + b"]" * 10_000, "64 levels"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "64 levels"),
        (b'{"metadata":{"version":' + b"[" * 900 + b"]" * 900 + b"}}", "64 levels"),
    ],
)
def test_what_is_not_an_answer_is_said(body: bytes, sentence: str) -> None:
    with pytest.raises(BadResponse) as caught:
        read_bytes(body)
    assert sentence in caught.value.message


def test_what_is_beside_the_detections_is_taken_leniently() -> None:
    prediction = read(
        {
            "images": [
                {
                    "shape": "big",
                    "speed": {"inference": -1, "preprocess": "x"},
                    "results": [],
                }
            ],
            "metadata": {"functionTimeAlive": 10**400, "task": None, "classNames": 3},
        }
    )
    assert prediction.server is None
    assert prediction.image_shape is None
    assert prediction.alive_s is None
    assert prediction.task is None


def model_id(**changes: object) -> str:
    """The id that goes with METADATA, changed so."""
    answer = {"images": [{"results": []}], "metadata": {**METADATA, **changes}}
    found = read(answer).model_id
    assert found is not None
    return found


def test_the_model_id_changes_with_the_model_and_with_nothing_else() -> None:
    same = [
        model_id(),
        model_id(functionTimeAlive=1.0, functionTimeCall=9.0, imageCount=7),
        model_id(requestId="x"),
        model_id(version={"ultralytics": "8.4.151", "python": "3.14.7"}),
    ]
    assert len(set(same)) == 1
    other = [
        model_id(model="yolo26s.pt"),
        model_id(version="2"),
        model_id(classNames=["person", "bicycle", "car"]),
        model_id(classNames=["bicycle", "person"]),
        model_id(task="segment"),
    ]
    assert len({same[0], *other}) == 1 + len(other)
    assert all(len(text) < 80 for text in other)
    assert read({"results": []}).model_id is None


KEYS: tuple[str, ...] = (
    "images",
    "results",
    "predictions",
    "name",
    "class",
    "confidence",
    "box",
)
KEYS += ("x1", "y1", "x2", "y2", "speed", "shape", "metadata", "error")

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS) | st.text(max_size=5),
            children,
            max_size=5,
        )
    ),
    max_leaves=25,
)


def read_or_refused(body: bytes) -> Prediction | str:
    """What was read, or the sentence that says why not; nothing else may happen."""
    try:
        return read_bytes(body)
    except BadResponse as bad:
        return bad.message


@given(JSON)
def test_any_json_is_read_or_refused_in_words(payload: object) -> None:
    result = read_or_refused(json.dumps(payload).encode())
    if isinstance(result, str):
        assert result
        assert "\x1b" not in result
    else:
        assert len(result.detections) <= MOST_KEPT


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(body: bytes) -> None:
    assert read_or_refused(body)


# --- the registry --------------------------------------------------------------------


def test_an_unknown_dialect_names_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        lookup("ultralitics")
    assert caught.value.hint == 'did you mean "ultralytics"?'
    with pytest.raises(ConfigError, match="known dialects: generic"):
        lookup("\x1b[31mzzz")


NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["bus", "", "x" * 81, "\x1b[31mred", 5, None]),
        "class": st.sampled_from([0, 1, "car", None, True]),
        "confidence": st.sampled_from(
            [0.5, 0.0, 1.0, 1, 1.0005, -0.5, 2.0, "0.5", None]
        ),
        "box": st.one_of(
            st.none(),
            st.lists(st.floats(0, 9), min_size=3, max_size=5),
            st.dictionaries(
                st.sampled_from(["x1", "y1", "x2", "y2", "x3", "y3"]),
                st.sampled_from([1.0, 2, 1e308, None, "1"]),
            ),
            st.just({"x1": 1.0, "y1": 2.0, "x2": 3.0, "y2": 4.0}),
            st.just({"x1": 1e308, "y1": 1e308, "x2": 1e308, "y2": 1e308}),
        ),
    },
)


@settings(max_examples=300)
@given(NEARLY)
def test_the_short_way_of_reading_an_item_gives_the_same(item: object) -> None:
    short = detections._common(item)
    if short is not None:
        assert short == detections._read(item, 0, ())
