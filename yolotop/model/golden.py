"""What an image once got, and how far from it an answer may be.

Owns the values a canary compares. Must not know how they are kept or compared.
"""

from __future__ import annotations

from dataclasses import dataclass

from yolotop.model.answer import Depth, Detection


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far an answer may be from its baseline and still be the same.

    Counts of detections; shares 0–1. ``keypoint`` is a mean distance as a share of the
    box's diagonal, ``depth`` a mean relative error, ``pixels`` a difference in the part
    of the image that a class covers.
    """

    missed: int = 0
    extra: int = 1
    confidence: float = 0.10
    iou: float = 0.80
    keypoint: float = 0.05
    depth: float = 0.10
    pixels: float = 0.05


@dataclass(frozen=True, slots=True)
class Baseline:
    """The answer that an image once got, pinned by a person.

    ``image_sha256`` is of the file's bytes. ``facts`` are of the model that answered
    (see :attr:`Prediction.facts`); ``pinned_at`` is Unix time in UTC seconds. ``fault``
    says why what was pinned cannot be read; then nothing can be compared with it.
    """

    image_sha256: str
    pinned_at: float
    detections: tuple[Detection, ...]
    task: str | None = None
    facts: tuple[tuple[str, str], ...] = ()
    depth: Depth | None = None
    image_shape: tuple[int, int] | None = None
    fault: str = ""
