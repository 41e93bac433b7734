"""The shipped models answer exactly what was drawn; the decoding around them."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from yolotop.errors import UsageError
from yolotop.probe import frames
from yolotop.serve import nms
from yolotop.serve.engine import Detection, Engine
from yolotop.serve.onnx_engine import OnnxEngine, _names, letterbox
from yolotop.serve.run import SHIPPED, model_path, open_engine

DEMO_SEEDS = range(64)


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return wide * high / (sum(areas) - wide * high)


def ask(engine: Engine, seed: int) -> tuple[Detection, ...]:
    data = frames.synthetic(seed).data
    return engine.predict(data, conf=0.5, iou=0.7, imgsz=None).detections


@pytest.mark.parametrize("name", SHIPPED)
def test_demo_frames_are_answered_exactly(name: str) -> None:
    engine = open_engine(name)
    for seed in DEMO_SEEDS:
        drawn = frames.synthetic(seed).drawn or ()
        known = [d for d in drawn if d.label in engine.class_names]
        found = list(ask(engine, seed))
        assert len(found) == len(known), seed
        for thing in known:
            match = max(
                (d for d in found if d.name == thing.label and d.box),
                key=lambda d: overlap(thing.box, list((d.box or {}).values())),
            )
            assert match.box is not None
            assert overlap(thing.box, list(match.box.values())) >= 0.5, seed
            found.remove(match)


def test_the_shipped_models_differ_in_what_they_know_and_in_identity() -> None:
    one, two = (open_engine(name) for name in SHIPPED)
    assert one.class_names == frames.SHAPES
    assert two.class_names == ("circle", "square")
    assert one.version["weights"] != two.version["weights"]


def test_the_shipped_models_are_small() -> None:
    sizes = [model_path(name).stat().st_size for name in SHIPPED]
    assert sum(sizes) <= 1_200_000


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_is_about_this_very_file(name: str) -> None:
    path = model_path(name)
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert card["scores"]["demo"]["exact"] == len(DEMO_SEEDS)
    fresh = card["scores"]["fresh"]
    assert fresh["frames"] == 500
    assert fresh["exact"] >= 495


def test_one_engine_serves_many_threads_alike(shapes: Engine) -> None:
    expected = [ask(shapes, seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda s: ask(shapes, s), range(8))) == expected


@pytest.mark.parametrize("size", [(640, 200), (200, 640), (31, 31), (1, 500)])
def test_boxes_stay_inside_any_picture(shapes: Engine, size: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    frames.draw(1, 320, variety=1)[0].resize(size).save(buffer, "PNG")
    answer = shapes.predict(buffer.getvalue(), conf=0.01, iou=0.95, imgsz=1280)
    assert answer.shape == (size[1], size[0])
    for found in answer.detections:
        assert found.box is not None
        x1, y1, x2, y2 = found.box.values()
        assert 0 <= x1 <= x2 <= size[0]
        assert 0 <= y1 <= y2 <= size[1]


def test_boxes_follow_the_picture_into_a_letterbox(shapes: Engine) -> None:
    frame = frames.synthetic(2)
    wide = Image.new("RGB", (640, 320), (114, 114, 114))
    wide.paste(Image.open(io.BytesIO(frame.data)), (200, 0))
    buffer = io.BytesIO()
    wide.save(buffer, "PNG")
    found = shapes.predict(buffer.getvalue(), conf=0.25, iou=0.7, imgsz=None)
    boxes = [list((d.box or {}).values()) for d in found.detections]
    for thing in frame.drawn or ():
        x1, y1, x2, y2 = thing.box
        assert max(overlap((x1 + 200, y1, x2 + 200, y2), b) for b in boxes) > 0.5


def test_letterbox_centres_on_grey() -> None:
    white = Image.new("RGB", (200, 100), "white")
    tensor, fit = letterbox(white, (160, 160))
    assert tensor.shape == (1, 3, 160, 160)
    assert tensor.dtype == np.float32
    assert (fit.scale, fit.left, fit.top) == (0.8, 0, 40)
    assert tensor[0, 0, 39, 0] == pytest.approx(114 / 255)
    assert tensor[0, 0, 40, 0] == 1.0
    assert tensor[0, 0, 119, 0] == 1.0
    assert tensor[0, 0, 120, 0] == pytest.approx(114 / 255)


def raw(*rows: tuple[float, ...]) -> nms.Floats:
    return np.array(rows, dtype=np.float32).T


def test_raw_head_suppresses_within_a_class_only() -> None:
    output = raw(
        (50, 50, 20, 20, 0.9, 0.1),
        (51, 50, 20, 20, 0.8, 0.1),  # IoU 0.905 with the first
        (50, 50, 20, 20, 0.1, 0.7),  # the same place, another class
        (90, 90, 10, 10, 0.2, 0.2),  # not certain enough
    )
    found = nms.raw_head(output, conf=0.25, iou=0.7)
    assert found[:, 5].tolist() == [0, 1]
    assert found[:, 4].tolist() == pytest.approx([0.9, 0.7])
    assert found[0, :4].tolist() == [40, 40, 60, 60]
    assert len(nms.raw_head(output, conf=0.25, iou=0.95)) == 3


def test_raw_head_of_nothing_is_nothing() -> None:
    assert nms.raw_head(raw((1, 1, 1, 1, 0.1)), conf=0.5, iou=0.7).shape == (0, 6)


def test_raw_head_stops_at_three_hundred() -> None:
    rows = [(20.0 * i, 5.0, 4.0, 4.0, 0.9) for i in range(400)]
    assert len(nms.raw_head(raw(*rows), conf=0.5, iou=0.7)) == nms.MAX_DETECTIONS


def test_boxes_without_area_do_not_divide_by_zero() -> None:
    rows = [(5.0, 5.0, 0.0, 0.0, 0.9)] * 3
    with np.errstate(all="raise"):
        # torchvision's NMS keeps them all, too: nothing overlaps nothing.
        assert len(nms.raw_head(raw(*rows), conf=0.5, iou=0.7)) == 3


def test_end_to_end_head_is_filtered_and_sorted() -> None:
    output = np.array([[0, 0, 1, 1, 0.3, 0], [0, 0, 2, 2, 0.9, 1], [0, 0, 1, 1, 0, 0]])
    found = nms.end_to_end_head(output, conf=0.25)
    assert found[:, 4].tolist() == [0.9, 0.3]


@pytest.mark.parametrize(
    ("names", "shape", "expected"),
    [
        ("{0: 'a', 2: 'c'}", [1, 7, 525], ("a", "class1", "c")),
        ("['a', 'b']", [1, 6, 525], ("a", "b")),
        ("", [1, 6, 525], ("class0", "class1")),
        ("__import__('os')", [1, 5, 525], ("class0",)),
        ("{'x': 'y'}", [1, 5, 525], ()),
        ("", [1, "rows", "boxes"], ()),
    ],
)
def test_names_come_from_metadata(
    names: str, shape: list[Any], expected: tuple[str, ...]
) -> None:
    assert _names({"names": names}, shape, False) == expected


def test_files_that_are_no_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such model"):
        OnnxEngine(tmp_path / "none.onnx")
    for junk in (b"", b"junk", b"\x08\x07"):
        path = tmp_path / "junk.onnx"
        path.write_bytes(junk)
        with pytest.raises(UsageError, match="not an ONNX model"):
            OnnxEngine(path)
