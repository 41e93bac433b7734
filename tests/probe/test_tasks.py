"""Every task an Ultralytics model may have, and what wrappers make of its results."""

from __future__ import annotations

import base64
import contextlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from yolotop.model import Deployment, Depth, Detection, Phases, Prediction
from yolotop.probe.dialects import KNOWN, BadResponse
from yolotop.probe.dialects.depth import MOST_CELLS
from yolotop.probe.dialects.outlines import MOST_POINTS
from yolotop.probe.frames import Frame
from yolotop.probe.messages import Reply

FRAME = Frame("f", b"JPEG", "image/jpeg", 320, 320, "0" * 64, None)
BOX = {"x1": 1.0, "y1": 2.0, "x2": 30.0, "y2": 40.0}
CORNERS = (1.0, 2.0, 30.0, 40.0)
ROW = [1.0, 2.0, 30.0, 40.0, 0.5, 5.0]
BUS = {"name": "bus", "class": 5, "confidence": 0.5, "box": BOX}


def read(payload: object, **settings: object) -> Prediction:
    deployment = Deployment("d", "http://h:1", **settings)  # type: ignore[arg-type]
    body = json.dumps(payload).encode()
    reply = Reply(200, b"", b"1.1", (), body, Phases(), 1.0, None)
    return KNOWN["ultralytics"].read_predict(reply, deployment, FRAME)


def only(item: object) -> Detection:
    """The one detection of an answer with this item."""
    (found,) = read({"images": [{"results": [item]}]}).detections
    return found


def png(width: int, height: int, bits: int, pixels: list[int]) -> str:
    image = Image.new("L" if bits == 8 else "I;16", (width, height))
    if bits == 8:
        image.putdata(pixels)
    else:
        raw = b"".join(pixel.to_bytes(2, "little") for pixel in pixels)
        image = Image.frombytes("I;16", (width, height), raw)
    out = io.BytesIO()
    image.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


# --- tasks ---------------------------------------------------------------------------


def test_segment() -> None:
    item = {**BUS, "segments": {"x": [1.0, 9.0, 5.0], "y": [2.0, 2.0, 8.0]}}
    assert only(item) == Detection(
        "bus", 0.5, CORNERS, outline=((1.0, 2.0), (9.0, 2.0), (5.0, 8.0))
    )
    assert read({"images": [{"results": [item]}]}).task == "segment"


def test_a_long_outline_is_thinned_and_keeps_its_ends() -> None:
    xs = [float(x) for x in range(5_000)]
    found = only({**BUS, "segments": {"x": xs, "y": xs}}).outline
    assert len(found) == MOST_POINTS
    assert found[0] == (0.0, 0.0)
    assert found[-1][0] > 4_970


@pytest.mark.parametrize(
    "segments",
    [{"x": [1.0], "y": []}, {"x": 3}, [], "x", {"x": ["a"], "y": [1]}, [[1, 2, 3, 4]]],
)
def test_an_outline_that_is_none_is_left_out(segments: object) -> None:
    assert only({**BUS, "segments": segments}) == Detection("bus", 0.5, CORNERS)


def test_pose() -> None:
    both = {"x": [3.0, 4.0], "y": [5.0, 6.0]}
    told = only({**BUS, "keypoints": {**both, "visible": [0.9, 0.0]}})
    assert told.keypoints == ((3.0, 5.0, 0.9), (4.0, 6.0, 0.0))
    assert told.box == CORNERS
    assert only({**BUS, "keypoints": both}).keypoints == (
        (3.0, 5.0, None),
        (4.0, 6.0, None),
    )
    assert read([{**BUS, "keypoints": both}]).task == "pose"


def test_obb() -> None:
    four = {"x1": 1, "y1": 2, "x2": 9, "y2": 1, "x3": 10, "y3": 8, "x4": 2, "y4": 9}
    found = only({**BUS, "box": four})
    assert found.box == (1.0, 1.0, 10.0, 9.0)
    assert found.outline == ((1.0, 2.0), (9.0, 1.0), (10.0, 8.0), (2.0, 9.0))
    pairs = [[1, 2], [9, 1], [10, 8], [2, 9]]
    assert only({**BUS, "box": pairs}) == found


def test_classify_keeps_the_ranks() -> None:
    items = [
        {"name": "cat", "class": 3, "confidence": 0.7},
        {"name": "dog", "class": 1, "confidence": 0.2},
    ]
    found = read({"images": [{"results": items}]})
    assert found.detections == (Detection("cat", 0.7), Detection("dog", 0.2))
    assert found.task == "classify"


def test_semantic() -> None:
    item = {"name": "road", "class": 0, "pixel_ratio": 0.25}
    found = read({"images": [{"results": [item], "semantic_mask": {"data": ""}}]})
    assert found.detections == (Detection("road", share=0.25),)
    assert found.task == "semantic"
    with pytest.raises(BadResponse, match="pixel ratio"):
        only({"name": "road", "pixel_ratio": "much"})


@pytest.mark.parametrize(("bits", "highest"), [(8, 255), (12, 65_535), (16, 65_535)])
def test_depth_is_a_grid_of_metres(bits: int, highest: int) -> None:
    near, far = highest // 5, highest
    pixels = [near] * 16 + [far] * 16
    map_ = {
        "encoding": "png",
        "data": png(16, 2, bits, pixels),
        "max": 10,
        "bits": bits,
    }
    found = read({"images": [{"results": [], "depth": map_}]})
    assert found.detections == ()
    assert found.task == "depth"
    assert found.depth is not None
    assert (found.depth.rows, found.depth.columns) == (2, 16)
    assert found.depth.values[:16] == pytest.approx([2.0] * 16)
    assert found.depth.values[16:] == pytest.approx([10.0] * 16)


def test_a_large_depth_map_is_cut_and_unknown_pixels_do_not_count() -> None:
    # The left half is known everywhere, of the right half only every other column.
    row = [200 if x < 320 or x % 2 else 0 for x in range(640)]
    data = png(640, 480, 8, row * 479 + [0] * 640)
    depth = read(
        {"images": [{"results": [], "depth": {"data": data, "max": 2.55}}]}
    ).depth
    assert depth is not None
    assert (depth.rows, depth.columns) == (MOST_CELLS, MOST_CELLS)
    assert set(depth.values) == {2.0}


def test_what_is_no_depth_map_is_said() -> None:
    good = {"data": png(2, 2, 8, [1, 2, 3, 4]), "max": 1.0}
    for change in (
        {"data": "!!"},
        {"data": base64.b64encode(b"\x89PNG").decode()},
        {"data": 7},
        {"max": None},
        {"max": True},
        {"max": -1},
        {"bits": 9},
        {"encoding": "jpeg"},
    ):
        with pytest.raises(BadResponse, match="depth map"):
            read({"images": [{"results": [], "depth": {**good, **change}}]})
    with pytest.raises(BadResponse, match="depth map"):
        read({"images": [{"results": [], "depth": "x"}]})
    plain = read({"images": [{"results": [], "depth": {**good, "bits": 8}}]})
    assert plain.depth == Depth(2, 2, (0.0039, 0.0078, 0.0118, 0.0157))


# --- what people return --------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        [BUS],
        json.dumps([BUS]),
        {"results": json.dumps([BUS])},
        {"output": {"detections": [BUS]}},
        {"data": {"results": [BUS]}},
        {"predictions": [{"images": [{"results": [BUS]}]}]},
        {"predictions": [[BUS]]},
        {"predictions": [json.dumps([BUS])]},
        [[BUS]],
        [json.dumps([BUS])],
    ],
)
def test_frames_that_wrappers_put_around_results(payload: object) -> None:
    assert read(payload).detections == (Detection("bus", 0.5, CORNERS),)


@pytest.mark.parametrize(
    "payload",
    [
        [ROW],
        [[ROW]],
        {"predictions": [ROW]},
        {"boxes": [ROW[:4]], "scores": [0.5], "classes": [5.0]},
        {"xyxy": [ROW[:4]], "conf": [0.5], "cls": [5]},
    ],
)
def test_tensors_written_out_as_lists(payload: object) -> None:
    assert read(payload).detections == (Detection("class 5", 0.5, CORNERS),)
    names = ("a", "b", "c", "d", "e", "bus")
    assert read(payload, class_names=names).detections[0].label == "bus"


def test_with_a_track_the_confidence_is_still_found() -> None:
    assert read([[*ROW[:4], 17.0, 0.5, 5.0]]).detections[0].confidence == 0.5


def test_torchserves_own_detector_names_the_class_by_the_key() -> None:
    found = read([{"bus": [1, 2, 30, 40], "score": 0.5}])
    assert found.detections == (Detection("bus", 0.5, CORNERS),)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ([[1, 2, 3]], "a list of 3"),
        ([[1, 2, 3, 4, 5, 1]], "a confidence of 5"),
        ([[1, 2, 3, 4, 0.5, 0.5]], "where its class should be"),
        ({"boxes": [ROW[:4]], "labels": []}, "not as many classes"),
        ([[[[[[[BUS]]]]]]], "lists in lists"),
    ],
)
def test_lists_that_are_not_detections(payload: object, words: str) -> None:
    with pytest.raises(BadResponse, match=words):
        read(payload)


# --- facts ---------------------------------------------------------------------------

METADATA = {
    "model": "/srv/models/yolo26n.pt",
    "version": {"ultralytics": "8.4.150", "torch": "2.14.0+cpu"},
    "task": "detect",
    "classNames": ["person", "bicycle"],
}


def test_facts_are_of_model_and_libraries_in_order() -> None:
    found = read({"images": [{"results": []}], "metadata": METADATA})
    assert found.facts == (
        ("classes", "person, bicycle"),
        ("library torch", "2.14.0+cpu"),
        ("library ultralytics", "8.4.150"),
        ("model", "yolo26n.pt"),
        ("task", "detect"),
    )
    assert found.facts == tuple(sorted(found.facts))


def test_many_classes_are_counted_and_a_digest_tells_them_apart() -> None:
    def classes(names: list[str]) -> str:
        answer = {"images": [{"results": []}], "metadata": {"classNames": names}}
        return dict(read(answer).facts)["classes"]

    coco = [f"name of class {number}" for number in range(80)]
    assert classes(coco).startswith("80 #")
    assert classes(coco) != classes([*coco[1:], coco[0]])


def test_a_new_library_is_no_new_model() -> None:
    newer = {**METADATA, "version": {"ultralytics": "8.5.0"}}
    before = read({"images": [{"results": []}], "metadata": METADATA})
    after = read({"images": [{"results": []}], "metadata": newer})
    assert before.model_id == after.model_id
    assert before.facts != after.facts


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["segments", "keypoints", "box", "x", "y", "visible"]),
                inner,
            )
        ),
        max_leaves=8,
    )
)
def test_anything_beside_a_detection_is_read_or_refused(value: object) -> None:
    item = {**BUS, "segments": value, "keypoints": value}
    assert only(item).label == "bus"
    for payload in (value, {"depth": value, "results": []}, [{**BUS, "box": value}]):
        # BadResponse is a refusal; anything else comes out here.
        with contextlib.suppress(BadResponse):
            assert isinstance(read(payload), Prediction)
