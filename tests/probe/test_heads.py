"""YOLO heads without numpy are those with it, and unclear ones are said to be."""

from __future__ import annotations

import hashlib
import io
import math
from array import array
from collections.abc import Sequence
from typing import Any

import pytest

pytest.importorskip("numpy", reason="the reference is written in it")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from yolotop.model import Detection
from yolotop.model.preset import Head, Task, Tensor
from yolotop.probe.dialects import BadResponse, heads, letterbox, overlaps
from yolotop.probe.dialects.heads import Wanted
from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.frames import Frame
from yolotop.serve import nms

ANCHORS = 525
CANVAS = letterbox.canvas((1, 3, 160, 160), None)
SAME = letterbox.fit((160, 160), CANVAS)


def wanted(
    names: Sequence[str] = (), conf: float = 0.25, iou: float = 0.7, **tensor: Any
) -> Wanted:
    return Wanted(Tensor(**tensor), tuple(names), conf, iou, ANCHORS)


def decoded(
    numbers: Any, how: Wanted, fit: letterbox.Fit = SAME
) -> tuple[Detection, ...]:
    flat = array("f", np.asarray(numbers, "<f4").ravel().tolist())
    return heads.detections(flat, np.shape(numbers), how, fit)


def scene(rng: Any, classes: int, places: int, objects: int) -> Any:
    """A raw head: a hum everywhere, and clusters of near boxes where things are."""
    head = np.zeros((4 + classes, places), "<f4")
    head[:2] = rng.uniform(0, 160, (2, places))
    head[2:4] = rng.uniform(4, 40, (2, places))
    head[4:] = rng.uniform(0, 0.2, (classes, places))
    for _ in range(objects):
        centre, size = rng.uniform(30, 130, 2), rng.uniform(10, 50, 2)
        kind = rng.integers(classes)
        for place in rng.integers(0, places, 6):
            head[:2, place] = centre + rng.uniform(-2, 2, 2)
            head[2:4, place] = size * rng.uniform(0.9, 1.1, 2)
            head[4 + kind, place] = rng.uniform(0.2, 1.0)
    return head


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.integers(0, 9),
    st.sampled_from([0.05, 0.25, 0.5]),
    st.sampled_from([0.3, 0.45, 0.7]),
    st.booleans(),
)
def test_a_raw_head_is_that_of_numpy(
    seed: int, classes: int, objects: int, conf: float, iou: float, turned: bool
) -> None:
    head = scene(np.random.default_rng(seed), classes, ANCHORS, objects)
    # In 8 bytes: moved 7,680 pixels apart for each class, floats of 4 bytes are 0.002
    # off, which decides an overlap right at the limit otherwise (class 4 of seed 16).
    theirs = nms.raw_head(head.astype("f8"), conf=conf, iou=iou)
    shaped = (head.T if turned else head)[None]
    how = wanted([f"c{number}" for number in range(classes)], conf, iou, head=Head.RAW)
    # Two that are as sure as each other have no order.
    ours = sorted(
        decoded(np.ascontiguousarray(shaped), how),
        key=lambda one: (-(one.confidence or 0.0), one.label),
    )
    theirs = theirs[np.lexsort((theirs[:, 5], -theirs[:, 4]))]
    assert [one.label for one in ours] == [f"c{int(row[5])}" for row in theirs]
    for one, row in zip(ours, theirs, strict=True):
        assert one.confidence == pytest.approx(float(row[4]), abs=1e-6)
        assert one.box == pytest.approx(row[:4].clip(0, 160).tolist(), abs=1e-3)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60))
def test_end_to_end_rows_are_that_of_numpy_without_doubles(
    seed: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = np.zeros((1, 300, 6), "<f4")
    corners = rng.uniform(0, 120, (count, 2))
    rows[0, :count, :2] = corners
    rows[0, :count, 2:4] = corners + rng.uniform(5, 40, (count, 2))
    rows[0, :count, 4] = rng.uniform(0, 1, count)
    rows[0, :count, 5] = rng.integers(0, 4, count)
    theirs = nms.end_to_end_head(rows[0].astype("f8"), conf=0.25)
    moved = theirs[:, :4] + theirs[:, 5:] * 7680
    theirs = theirs[nms.suppress(moved, 0.7)]
    ours = decoded(rows, wanted())
    assert [one.label for one in ours] == [f"class {int(row[5])}" for row in theirs]
    assert [one.confidence for one in ours] == pytest.approx(theirs[:, 4].tolist())


def one_place(shape: tuple[int, int], rest: Sequence[float]) -> Any:
    """A raw head with one thing, of the first class, at 80, 60 and 40 by 20."""
    head = np.zeros(shape, "<f4")
    head[:5, 9] = 80, 60, 40, 20, 0.9
    head[shape[0] - len(rest) :, 9] = rest
    return head[None]


def test_keypoints_come_back_in_the_picture() -> None:
    fit = letterbox.fit((320, 160), CANVAS)  # half as large, with 40 above and below
    points = [80, 60, 0.9, 10, 50, 0.1]
    head = one_place((4 + 1 + 6, ANCHORS), points)
    told = wanted(["person"], task=Task.POSE, keypoints=(2, 3))
    (one,) = decoded(head, told, fit)
    assert one.box == pytest.approx((120, 20, 200, 60))
    first, second = one.keypoints
    assert first == pytest.approx((160, 40, 0.9))
    assert second == pytest.approx((20, 20, 0.1))
    flat = one_place((4 + 1 + 4, ANCHORS), [80, 60, 10, 50])
    (two,) = decoded(flat, wanted(task=Task.POSE, keypoints=(2, 2)), fit)
    assert list(two.keypoints) == [(160, 40, None), (20, 20, None)]
    # Without their number the boxes alone, if the classes are known.
    (bare,) = decoded(head, wanted(["person"], task=Task.POSE))
    assert not bare.keypoints
    rows = np.zeros((1, 300, 12), "<f4")
    rows[0, 0] = 60, 50, 100, 70, 0.9, 0, *points
    (row,) = decoded(rows, told, fit)
    assert row == one


def test_masks_leave_the_box() -> None:
    (one,) = decoded(
        one_place((4 + 3 + 32, ANCHORS), [5.0] * 32), wanted(task=Task.SEGMENT)
    )
    assert one.box == pytest.approx((60, 50, 100, 70))
    assert one.label == "class 0"


@pytest.mark.parametrize("rows", [False, True])
def test_a_turned_box_has_its_corners(*, rows: bool) -> None:
    if rows:  # centre, sides, score, class, angle
        head = np.zeros((1, 300, 7), "<f4")
        head[0, 0] = 80, 60, 40, 20, 0.9, 0, math.pi / 2
    else:
        head = one_place((4 + 3 + 1, ANCHORS), [math.pi / 2])
    (one,) = decoded(head, wanted(task=Task.OBB))
    assert one.box == pytest.approx((70, 40, 90, 80), abs=1e-4)
    assert len(one.outline) == 4
    found = {(round(x), round(y)) for x, y in one.outline}
    assert found == {(70, 40), (90, 40), (70, 80), (90, 80)}


def test_turned_boxes_that_cross_stay_and_those_that_lie_on_each_other_go() -> None:
    head = np.zeros((6, ANCHORS), "<f4")
    for place, (score, angle) in enumerate([(0.9, 0.0), (0.8, 0.05), (0.7, 1.57)]):
        head[:, place] = 80, 60, 60, 10, score, angle
    found = decoded(head[None], wanted(task=Task.OBB))
    assert [one.confidence for one in found] == pytest.approx([0.9, 0.7])


def test_turned_boxes_of_no_size_do_no_harm() -> None:
    head = np.zeros((6, ANCHORS), "<f4")
    head[:, :9] = np.array([[0, 0, 0, 0, 0.9, 0.1]]).T
    head[:, 9:12] = np.array([[1e38, 1e38, 1e38, 1e38, 0.9, 1e38]]).T
    assert decoded(head[None], wanted(task=Task.OBB))


UNCLEAR = [
    # shape, names, tensor, what is said
    ((1, 525, 6), (), {}, 'tensor.head to "end2end" or "raw"'),
    ((1, 525, 525), ("c",) * 521, {"head": Head.RAW}, "either way round"),
    ((1, 30, 30), (), {}, "either way round: set class_names"),
    ((1, 84, 8400), ("a", "b"), {}, "80 classes, but there are names of 2"),
    ((1, 4, 525), (), {}, "no room for a class"),
    ((1, 300, 8), (), {"head": Head.END2END}, "no rows of 6 numbers"),
    ((1, 300, 5), (), {"head": Head.END2END}, "no rows of 6 numbers"),
    ((1, 56, 525), (), {"task": Task.POSE}, "tensor.keypoints such as [17, 3]"),
    ((1, 20, 525), (), {"task": Task.SEGMENT}, "no room for a class"),
    ((2, 84, 525), (), {}, "not the detection head of one image"),
    ((1, 32, 40, 40), (), {}, "not the detection head of one image"),
    ((84,), (), {}, "not the detection head of one image"),
    ((), (), {}, "not the detection head of one image"),
    ((0, 84, 525), (), {}, "not the detection head of one image"),
]


@pytest.mark.parametrize(("shape", "names", "tensor", "says"), UNCLEAR)
def test_an_unclear_shape_is_named_with_the_setting(
    shape: tuple[int, ...], names: tuple[str, ...], tensor: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadResponse) as caught:
        decoded(np.zeros(shape), wanted(names, **tensor))
    assert says in caught.value.message
    assert f"[{','.join(map(str, shape))}]" in caught.value.message


CLEAR = [
    ((1, 300, 6), (), {}),
    ((300, 6), (), {}),
    ((1, 525, 6), ("a", "b"), {}),
    ((1, 525, 6), ("a", "b", "c"), {}),
    ((1, 525, 6), (), {"head": Head.RAW}),
    ((1, 525, 6), (), {"head": Head.END2END}),
    ((1, 6, 525), (), {}),
    ((1, 604, 525), (), {}),
    ((1, 525, 604), (), {}),
    ((1, 0, 6), (), {}),
    ((1, 116, 525), (), {"task": Task.SEGMENT}),
    ((1, 300, 38), (), {"task": Task.SEGMENT}),
    ((1, 300, 57), (), {"task": Task.POSE, "keypoints": (17, 3)}),
]


@pytest.mark.parametrize(("shape", "names", "tensor"), CLEAR)
def test_a_clear_shape_is_read(
    shape: tuple[int, ...], names: tuple[str, ...], tensor: dict[str, Any]
) -> None:
    assert decoded(np.zeros(shape), wanted(names, **tensor)) == ()


def test_scores_that_are_none_and_classes_that_are_none() -> None:
    raw = one_place((7, ANCHORS), [])
    raw[0, 4, 9] = 7.5  # a logit
    with pytest.raises(BadResponse, match=r"score of 7\.5, which is not 0 to 1"):
        decoded(raw, wanted())
    for kind in (0.5, -1.0, 1e9):
        rows = np.zeros((1, 300, 6), "<f4")
        rows[0, 0] = 1, 1, 9, 9, 0.9, kind
        with pytest.raises(BadResponse, match="where its class should be"):
            decoded(rows, wanted())


def test_the_worst_a_server_can_send_is_bounded() -> None:
    """All 8,400 places sure of another thing: the best 300, and no quadratic time."""
    head = np.zeros((5, 8400), "<f4")
    head[0], head[1] = np.arange(8400) % 92 * 7, np.arange(8400) // 92 * 7
    head[2:4], head[4] = 3, np.linspace(0.5, 1, 8400)
    found = decoded(head[None], wanted())
    assert len(found) == overlaps.MOST_DETECTIONS
    same = head.copy()
    same[0], same[1] = 80, 80
    assert len(decoded(same[None], wanted())) == 1


# --- the picture ---------------------------------------------------------------------


def frame_of(image: Image.Image) -> Frame:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    data = buffer.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    return Frame("f", data, "image/png", image.width, image.height, digest, None)


@pytest.mark.parametrize(
    "size", [(160, 160), (320, 240), (99, 333), (1, 500), (641, 17)]
)
@pytest.mark.parametrize("into", [(160, 160), (96, 256)])
def test_the_letterbox_is_the_engines(
    size: tuple[int, int], into: tuple[int, int]
) -> None:
    onnx = pytest.importorskip("yolotop.serve.onnx_engine", reason="serve extra")
    image = Image.effect_noise(size, 60).convert("RGB")
    canvas = letterbox.canvas((1, 3, *into), None)
    tensor, fit = onnx.letterbox(image, into)
    pixels = np.frombuffer(letterbox.laid(frame_of(image), canvas), "u1")
    assert (pixels.reshape(tensor.shape) / np.float32(255) == tensor).all()
    ours = letterbox.fit(size, canvas)
    assert (ours.scale, ours.left, ours.top) == (fit.scale, fit.left, fit.top)
    turned = letterbox.canvas((*into, 3), None)
    nhwc = np.frombuffer(letterbox.laid(frame_of(image), turned), "u1")
    assert (nhwc.reshape(*into, 3).transpose(2, 0, 1) / np.float32(255) == tensor).all()


def test_one_colour() -> None:
    canvas = letterbox.canvas((1, 1, 32, 32), None)
    pixels = letterbox.laid(frame_of(Image.new("RGB", (32, 16), (9, 9, 9))), canvas)
    assert set(pixels) == {9, 114}
    assert len(pixels) == 32 * 32


@given(
    st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    st.tuples(st.integers(32, 1280), st.integers(32, 1280)),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_there_and_back(
    size: tuple[int, int], into: tuple[int, int], share: tuple[float, float]
) -> None:
    fit = letterbox.fit(size, letterbox.canvas((1, 3, *into), None))
    x, y = share[0] * size[0], share[1] * size[1]
    there = x * fit.scale + fit.left, y * fit.scale + fit.top
    assert fit.point(*there) == pytest.approx((x, y), abs=1e-6 * max(size))
    clipped = fit.box(-1e9, -1e9, 1e9, 1e9)
    assert clipped == (0, 0, *size)


@pytest.mark.parametrize(
    ("shape", "imgsz", "meant"),
    [
        ((), None, (1, 3, 640, 640)),
        ((), 320, (1, 3, 320, 320)),
        ((1, 3, 160, 96), 320, (1, 3, 160, 96)),
        ((-1, 3, -1, -1), 320, (1, 3, 320, 320)),
        ((-1, -1, -1, 3), None, (1, 640, 640, 3)),
        ((3, 64, 64), None, (3, 64, 64)),
        ((64, 64, 1), None, (64, 64, 1)),
    ],
)
def test_what_a_shape_comes_to(
    shape: tuple[int, ...], imgsz: int | None, meant: tuple[int, ...]
) -> None:
    assert letterbox.canvas(shape, imgsz).shape == meant


@pytest.mark.parametrize(
    "shape", [(1,), (8, 3, 64, 64), (1, 4, 64, 64), (1, 3, 0, 9), (1, 3, 9999, 9)]
)
def test_what_is_no_image_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnsendableRequest, match=r"set tensor\.shape"):
        letterbox.canvas(shape, None)
