"""What an engine is: image bytes in, detections out, with the time each stage took.

Owns the vocabulary between engines and the HTTP application. Must not know HTTP, and
imports no inference library.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class BadImageError(ValueError):
    """The bytes are not a picture this server decodes; the text says why."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing found, in pixels of the picture as shown upright."""

    name: str
    class_id: int
    confidence: float | None
    """0 to 1, or None for tasks which have none (semantic)."""
    box: Mapping[str, float] | None
    """``x1 y1 x2 y2``; oriented boxes add ``x3 y3 x4 y4``; None for whole pictures."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Further members named as on the Platform: segments, keypoints, pixel_ratio."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds in each stage."""

    preprocess: float
    """Decoding, scaling and padding."""
    inference: float
    postprocess: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one picture."""

    shape: tuple[int, int]
    """Height and width in pixels."""
    detections: tuple[Detection, ...]
    """Best confidence first."""
    speed: Speed


class Engine(Protocol):
    """A loaded model. Several applications and threads may share one."""

    @property
    def name(self) -> str:
        """Stem of the model file."""

    @property
    def task(self) -> str:
        """One of detect, segment, pose, obb, classify."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names by class number."""

    @property
    def version(self) -> Mapping[str, str]:
        """Runtime versions, and ``weights``: 12 hex digits of the file's SHA-256."""

    def predict(
        self, image_bytes: bytes, *, conf: float, iou: float, imgsz: int | None
    ) -> Prediction:
        """Detect what is in an encoded picture. Blocks.

        ``conf`` and ``iou`` are 0 to 1; ``imgsz`` is the longer side in pixels at
        which the model looks, None for the size it was trained at, and without effect
        on a model whose input size is fixed. Raises BadImageError.
        """


def fingerprint(model: Path) -> dict[str, str]:
    """Return what identifies a model file and this interpreter."""
    with model.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"weights": digest[:12], "python": platform.python_version()}
