"""What is marked on a picture: things found, things expected, and what was missed.

Owns how the answer of ``Actions.predict`` becomes marks, and which class gets which
colour. Pure; it must not know how a mark is drawn.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from yolotop.tui.palette import CLASS_COLOURS


@dataclass(frozen=True, slots=True)
class Mark:
    """Something found or expected; ``box`` is x1, y1, x2, y2 as shares of the picture.

    A model that classifies gives no boxes. ``colour`` is the index of the class in the
    palette.
    """

    label: str
    box: tuple[float, float, float, float] | None
    confidence: float | None = None
    expected: bool = False
    colour: int = 0

    @property
    def caption(self) -> str:
        """``circle 0.92``."""
        if self.expected:
            return f"{self.label} expected"
        if self.confidence is None:
            return self.label
        return f"{self.label} {self.confidence:.2f}"

    @property
    def area(self) -> float:
        """Share of the picture that it covers."""
        if self.box is None:
            return 0.0
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


def colours_of(labels: Iterable[str]) -> dict[str, int]:
    """A colour for each label: its own from picture to picture, unless two clash."""
    found: dict[str, int] = {}
    number = len(CLASS_COLOURS)
    for label in sorted(set(labels)):
        wish = zlib.crc32(label.encode()) % number
        free = (wish + step for step in range(number))
        taken = set(found.values())
        found[label] = next(
            (index % number for index in free if index % number not in taken), wish
        )
    return found


def missed(marks: Sequence[Mark]) -> list[Mark]:
    """The expected marks that no found one of the same label lies on (IoU ≥ 0.5).

    Where one of the two has no box, the label is enough.
    """
    seen = [mark for mark in marks if not mark.expected]
    return [
        mark
        for mark in marks
        if mark.expected
        and not any(
            each.label == mark.label and _overlap(each, mark) >= 0.5 for each in seen
        )
    ]


def _overlap(one: Mark, other: Mark) -> float:
    """Intersection over union."""
    if one.box is None or other.box is None:
        return 1.0
    left = max(one.box[0], other.box[0])
    top = max(one.box[1], other.box[1])
    right = min(one.box[2], other.box[2])
    bottom = min(one.box[3], other.box[3])
    shared = max(0.0, right - left) * max(0.0, bottom - top)
    whole = one.area + other.area - shared
    return shared / whole if whole > 0 else 0.0


# --- from the JSON of an answer ------------------------------------------------------


def marks_of(result: Mapping[str, object]) -> tuple[Mark, ...]:
    """The marks of a prediction as ``Actions.predict`` gives it; odd ones left out."""
    picture = result.get("image")
    if not isinstance(picture, Mapping):
        return ()
    width, height = picture.get("width"), picture.get("height")
    if not (_is_number(width) and _is_number(height) and width > 0 and height > 0):
        return ()
    found: list[Mark] = []
    for key in ("boxes", "expected"):
        listed = result.get(key)
        for each in listed if isinstance(listed, Sequence) else ():
            mark = _mark(each, width, height, expected=key == "expected")
            if mark is not None:
                found.append(mark)
    colours = colours_of(mark.label for mark in found)
    return tuple(replace(mark, colour=colours[mark.label]) for mark in found)


def _mark(each: object, width: float, height: float, *, expected: bool) -> Mark | None:
    if not isinstance(each, Mapping) or not isinstance(each.get("label"), str):
        return None
    confidence = each.get("confidence")
    return Mark(
        each["label"],
        _shares(each.get("box"), width, height),
        confidence=float(confidence) if _is_number(confidence) else None,
        expected=expected,
    )


def _shares(
    box: object, width: float, height: float
) -> tuple[float, float, float, float] | None:
    if not isinstance(box, Sequence) or len(box) != 4:
        return None
    if not all(_is_number(side) for side in box):
        return None
    left, top, right, bottom = box
    return left / width, top / height, right / width, bottom / height


def _is_number(value: object) -> TypeGuard[float]:
    """A finite number; an int of 400 digits compares, but has no float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 1e15
