"""Whatever ultralytics loads (.pt, .onnx, .engine, ...), of every task.

Owns the translation of ``Results`` into our detections. torch and ultralytics are
imported inside the functions: the ONNX engine must run where neither is installed.
Must not know HTTP.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from yolotop.errors import MissingExtraError, UsageError
from yolotop.serve import images
from yolotop.serve.engine import Detection, Prediction, Speed, fingerprint

# summary() rounds; ten digits are beyond float32, so that rounding stays the caller's.
_EXACT = 10
_OWN_FIELDS = frozenset({"name", "class", "confidence", "box"})


class YoloEngine:
    """A model in ultralytics. Requests take turns: its predictor is not thread-safe."""

    def __init__(self, model: Path) -> None:
        """Load ``model``.

        Raises MissingExtraError without ultralytics, UsageError when it cannot load
        the file.
        """
        # Without these, ultralytics asks the network for updates and runs pip itself.
        os.environ.setdefault("YOLO_OFFLINE", "1")
        os.environ.setdefault("YOLO_AUTOINSTALL", "false")
        try:
            from ultralytics import YOLO
        except (ImportError, PackageNotFoundError) as error:
            raise MissingExtraError(
                f"The yolo engine needs ultralytics and torch ({error})",
                hint="pip install 'yolotop[yolo]'",
            ) from error
        if not model.exists():
            raise UsageError(f"{model}: no such model file")
        try:
            self._model: Any = YOLO(str(model), verbose=False)
            self._names: Mapping[int, str] = self._model.names
        except Exception as error:  # its loaders raise whatever their formats raise
            raise UsageError(f"ultralytics cannot load {model}: {error}") from error
        images.formats()  # so that the first request does not pay for the plugins
        self._name = model.stem
        self._turn = threading.Lock()
        # An exported model may be a folder (OpenVINO, CoreML): that has no one digest.
        identity = fingerprint(model) if model.is_file() else {}
        self._version = {**_versions(), **identity}

    @property
    def name(self) -> str:
        """Stem of the model file."""
        return self._name

    @property
    def task(self) -> str:
        """What the model does, as ultralytics calls it."""
        return str(self._model.task)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names by class number."""
        top = max(self._names, default=-1)
        return tuple(str(self._names.get(i, f"class{i}")) for i in range(top + 1))

    @property
    def version(self) -> Mapping[str, str]:
        """Runtime versions and the fingerprint of the weights."""
        return self._version

    def predict(
        self, image_bytes: bytes, *, conf: float, iou: float, imgsz: int | None
    ) -> Prediction:
        """Detect; see Engine.predict. Waiting for one's turn counts as preprocess."""
        import numpy as np

        started = time.perf_counter()
        image = images.decode(image_bytes)
        # ultralytics takes arrays as OpenCV reads them: blue first.
        pixels = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
        size = {} if imgsz is None else {"imgsz": imgsz}
        with self._turn:
            decoded_ms = (time.perf_counter() - started) * 1000
            result = self._model.predict(
                pixels, conf=conf, iou=iou, verbose=False, save=False, **size
            )[0]
        speed = result.speed
        return Prediction(
            shape=(image.height, image.width),
            detections=tuple(_detection(item) for item in _items(result)),
            speed=Speed(
                preprocess=decoded_ms + float(speed.get("preprocess") or 0.0),
                inference=float(speed.get("inference") or 0.0),
                postprocess=float(speed.get("postprocess") or 0.0),
            ),
        )


def _items(result: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = result.summary(normalize=False, decimals=_EXACT)
    return items


def _detection(item: Mapping[str, Any]) -> Detection:
    confidence = item.get("confidence")
    box = item.get("box")
    return Detection(
        name=str(item["name"]),
        class_id=int(item["class"]),
        confidence=None if confidence is None else float(confidence),
        box=None if box is None else {key: float(v) for key, v in box.items()},
        extra={key: v for key, v in item.items() if key not in _OWN_FIELDS},
    )


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("ultralytics", "torch", "torchvision", "onnxruntime"):
        try:
            found[name] = installed(name)
        except PackageNotFoundError:
            continue
    return found
