"""The response document for tasks that the shipped models do not have."""

from __future__ import annotations

from typing import Any

from yolotop.serve import wire
from yolotop.serve.engine import Detection, Engine, Prediction, Speed


class Posing:
    """The part of an engine that the document quotes."""

    name, task, class_names = "posing", "pose", ("person",)
    version = {"weights": "0" * 12}  # noqa: RUF012 - the protocol's type

    def predict(
        self, image_bytes: bytes, *, conf: float, iou: float, imgsz: int | None
    ) -> Prediction:
        raise NotImplementedError


def first(detection: Detection, **fields: str) -> dict[str, Any]:
    engine: Engine = Posing()
    answer = Prediction((100, 200), (detection,), Speed(1.23456, 2.0, 3.0))
    ask = wire.read_ask(fields, None)
    document: Any = wire.response(engine, ask, answer, alive_s=12.34567, call_s=0.5)
    assert document["images"][0]["speed"]["preprocess"] == 1.235
    assert document["metadata"]["functionTimeAlive"] == 12.346
    item: dict[str, Any] = document["images"][0]["results"][0]
    return item


POSE = Detection(
    "person",
    0,
    0.123456789,
    {"x1": 20.0, "y1": 10.0, "x2": 100.0, "y2": 50.0},
    {"keypoints": {"x": [50.0, 150.0], "y": [25.0, 75.0], "visible": [0.987654321]}},
)


def test_keypoints_are_scaled_and_their_confidences_are_not() -> None:
    item = first(POSE, normalize="true", decimals="3")
    assert item == {
        "name": "person",
        "class": 0,
        "confidence": 0.123,
        "box": {"x1": 0.1, "y1": 0.1, "x2": 0.5, "y2": 0.5},
        "keypoints": {"x": [0.25, 0.75], "y": [0.25, 0.75], "visible": [0.988]},
    }


def test_pixels_stay_pixels() -> None:
    assert first(POSE)["keypoints"]["x"] == [50.0, 150.0]
    assert first(POSE)["confidence"] == 0.12346


def test_oriented_boxes_keep_four_corners() -> None:
    corners = {f"{axis}{i}": 10.0 * i for i in range(1, 5) for axis in "xy"}
    item = first(Detection("ship", 1, 0.5, corners), normalize="1")
    assert item["box"]["x4"] == 0.2
    assert item["box"]["y4"] == 0.4


def test_whole_pictures_have_no_box() -> None:
    item = first(Detection("cat", 3, 0.9, None))
    assert item == {"name": "cat", "class": 3, "confidence": 0.9}


def test_a_missing_confidence_is_left_out() -> None:
    item = first(Detection("road", 0, None, None, {"pixel_ratio": 0.25, "track_id": 4}))
    assert item == {"name": "road", "class": 0, "pixel_ratio": 0.25, "track_id": 4}
