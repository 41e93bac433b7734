"""A detection model in ONNX, run by onnxruntime: no torch, no ultralytics.

Owns loading, letterboxing and the way back to the picture's pixels. What a model is
called and what it knows is read from the metadata that ultralytics writes at export.
Must not know HTTP.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

from yolotop.errors import UsageError
from yolotop.serve import images, nms
from yolotop.serve.engine import Detection, Prediction, Speed, fingerprint

# The grey of ultralytics' letterbox; models were trained with it around pictures.
_PAD = 114
_DEFAULT_IMGSZ = 640
_DEFAULT_STRIDE = 32


@dataclass(frozen=True, slots=True)
class _Fit:
    """How a picture was laid into the model's input."""

    scale: float
    left: int
    top: int


class OnnxEngine:
    """A loaded ONNX detector. Threads may share it: the session is thread-safe."""

    def __init__(self, model: Path, *, threads: int = 1) -> None:
        """Load ``model`` with ``threads`` threads inside one inference.

        One thread answers the shipped model's 160 pixels faster than two, and leaves
        the other core to the clients. Raises UsageError when the file is no ONNX
        detector.
        """
        self._session = _session(model, threads)
        info = dict(self._session.get_modelmeta().custom_metadata_map)
        images.formats()  # so that the first request does not pay for the plugins
        self._name = model.stem
        self._task: str = info.get("task", "detect")
        if self._task != "detect":
            raise UsageError(
                f"{model} is a {self._task} model; the onnx engine only detects",
                hint="Serve it with --engine yolo",
            )
        entry, out = self._session.get_inputs()[0], self._session.get_outputs()[0]
        if len(entry.shape) != 4 or len(out.shape) != 3:
            raise UsageError(f"{model} is not a YOLO detector: wrong tensor shapes")
        self._input = entry.name
        self._dtype = np.float16 if "float16" in entry.type else np.float32
        fixed = entry.shape[2:]
        self._fixed = tuple(fixed) if all(isinstance(s, int) for s in fixed) else None
        self._imgsz = _imgsz(info)
        self._stride = int(float(info.get("stride", _DEFAULT_STRIDE)))
        self._end_to_end = _is_end_to_end(info, out.shape)
        self._names = _names(info, out.shape, self._end_to_end)
        self._version = {"onnxruntime": onnxruntime.__version__, **fingerprint(model)}

    @property
    def name(self) -> str:
        """Stem of the model file."""
        return self._name

    @property
    def task(self) -> str:
        """Always detect."""
        return self._task

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names by class number, from the file's metadata."""
        return self._names

    @property
    def version(self) -> Mapping[str, str]:
        """Runtime versions and the fingerprint of the weights."""
        return self._version

    @property
    def end_to_end(self) -> bool:
        """Whether the model suppresses overlaps itself; ``iou`` is then unused."""
        return self._end_to_end

    def predict(
        self, image_bytes: bytes, *, conf: float, iou: float, imgsz: int | None
    ) -> Prediction:
        """Detect; see Engine.predict."""
        started = time.perf_counter()
        image = images.decode(image_bytes)
        tensor, fit = letterbox(image, self._input_size(imgsz))
        tensor = tensor.astype(self._dtype, copy=False)
        ready = time.perf_counter()
        output = self._session.run(None, {self._input: tensor})[0]
        inferred = time.perf_counter()
        found = self._decode(np.asarray(output)[0], conf, iou)
        detections = self._place(found, fit, image.size)
        done = time.perf_counter()
        return Prediction(
            shape=(image.height, image.width),
            detections=detections,
            speed=Speed(
                preprocess=(ready - started) * 1000,
                inference=(inferred - ready) * 1000,
                postprocess=(done - inferred) * 1000,
            ),
        )

    def _input_size(self, imgsz: int | None) -> tuple[int, int]:
        """Height and width of the input: multiples of the stride unless fixed."""
        if self._fixed is not None:
            return self._fixed[0], self._fixed[1]
        side = imgsz or self._imgsz
        side = -(-side // self._stride) * self._stride
        return side, side

    def _decode(self, output: nms.Floats, conf: float, iou: float) -> nms.Floats:
        output = output.astype(np.float32, copy=False)
        if self._end_to_end:
            return nms.end_to_end_head(output, conf=conf)
        return nms.raw_head(output, conf=conf, iou=iou)

    def _place(
        self, found: nms.Floats, fit: _Fit, size: tuple[int, int]
    ) -> tuple[Detection, ...]:
        """Move boxes from the input's pixels to the picture's, clipped to it."""
        boxes = (found[:, :4] - [fit.left, fit.top] * 2) / fit.scale
        boxes = boxes.clip(0, [*size, *size])
        return tuple(
            Detection(
                name=self._label(int(number)),
                class_id=int(number),
                confidence=float(confidence),
                box=dict(zip(("x1", "y1", "x2", "y2"), box.tolist(), strict=True)),
            )
            for box, confidence, number in zip(
                boxes, found[:, 4], found[:, 5], strict=True
            )
        )

    def _label(self, number: int) -> str:
        known = 0 <= number < len(self._names)
        return self._names[number] if known else f"class{number}"


def letterbox(
    image: Image.Image, size: tuple[int, int]
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], _Fit]:
    """Scale a picture into ``size`` (height, width), centred on grey.

    Returns ``[1, 3, height, width]`` of 0 to 1 and how to find the way back. Rounds
    exactly as ultralytics does, so that boxes agree with its own runs.
    """
    height, width = size
    scale = min(height / image.height, width / image.width)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if inner != image.size:
        image = image.resize(inner, Image.Resampling.BILINEAR)
    left = round((width - inner[0]) / 2 - 0.1)
    top = round((height - inner[1]) / 2 - 0.1)
    canvas = np.full((height, width, 3), _PAD, dtype=np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = np.asarray(image)
    tensor = canvas.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(tensor), _Fit(scale, left, top)


def _session(model: Path, threads: int) -> onnxruntime.InferenceSession:
    if not model.is_file():
        raise UsageError(
            f"{model}: no such model file", hint="The shipped ones: shapes, shapes2"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning workers burn a core between requests, and a demo runs many servers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    # What onnxruntime raises (Fail, InvalidProtobuf, ...) shares no base but these.
    try:
        return onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )
    except (RuntimeError, ValueError) as error:
        raise _not_onnx(model) from error
    except Exception as error:
        if type(error).__module__.startswith("onnxruntime"):
            raise _not_onnx(model) from error
        raise


def _not_onnx(model: Path) -> UsageError:
    return UsageError(
        f"{model} is not an ONNX model that onnxruntime can load",
        hint="Other formats (.pt, .engine, ...) are served with --engine yolo",
    )


def _imgsz(info: Mapping[str, str]) -> int:
    value = _literal(info.get("imgsz", ""))
    if isinstance(value, (list, tuple)) and value:
        value = max(value)
    return int(value) if isinstance(value, (int, float)) else _DEFAULT_IMGSZ


def _is_end_to_end(info: Mapping[str, str], shape: list[int | str]) -> bool:
    """Trust the metadata; without it, six numbers per row is the end-to-end head."""
    if "end2end" in info:
        return info["end2end"] == "True"
    return shape[2] == 6


def _names(
    info: Mapping[str, str], shape: list[int | str], end_to_end: bool
) -> tuple[str, ...]:
    """Class names by number; class0, class1, ... where the file does not say."""
    names = _literal(info.get("names", ""))
    if isinstance(names, dict) and names:
        numbers = [number for number in names if isinstance(number, int)]
        top = max(numbers, default=-1)
        return tuple(str(names.get(i, f"class{i}")) for i in range(top + 1))
    if isinstance(names, (list, tuple)):
        return tuple(str(name) for name in names)
    rows = shape[1]
    count = rows - 4 if isinstance(rows, int) and not end_to_end else 0
    return tuple(f"class{i}" for i in range(count))


def _literal(text: str) -> object:
    """Read a Python literal (never code), None for anything else."""
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value
