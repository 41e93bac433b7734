"""A baseline as a file beside the config: ``golden/dock-cam.json``.

Owns its form and what is wrong with one. It must not know how a baseline came about,
who names the file, or what it is compared with. The file is for people too: one
detection to a line, names that say what they are, times in UTC.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, Final, TypeVar

from yolotop.config.table import as_integer, as_share
from yolotop.model import Baseline, Depth, Detection
from yolotop.text import clean

_T = TypeVar("_T")

SCHEMA: Final = 1
FORM: Final = "yolotop_golden"
"""Key of the form's number; the file is one of ours where it is there."""
MOST_BYTES: Final = 4 * 1024 * 1024
MOST_DETECTIONS: Final = 300
MOST_POINTS: Final = 1_024
MOST_CELLS: Final = 65_536
MOST_FACTS: Final = 64
_LONGEST: Final = 200
_LONGEST_FACT: Final = 20_000
"""Class names stand in one, and a thousand of them are 12,000 characters."""
_DECIMALS: Final = 6
"""A millionth of certainty is no information."""


class Unreadable(ValueError):  # noqa: N818 - reads as what happened
    """A baseline's file that cannot be used; says the key and what is wrong."""


def read(path: Path) -> Baseline:
    """The baseline in a file. Raises Unreadable."""
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(path.stat().st_mode):
                raise Unreadable("is not a regular file")
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from None
    if len(raw) > MOST_BYTES:
        raise Unreadable(f"is larger than {MOST_BYTES // 1024**2} MiB")
    try:
        document: object = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("is not JSON") from None
    return from_document(document)


def text_of(document: Mapping[str, object]) -> str:
    """The file's text: one detection to a line."""
    lines = [
        f"  {json.dumps(key)}: {_laid_out(value)}" for key, value in document.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _laid_out(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        inner = ",\n".join(
            f"    {json.dumps(item, ensure_ascii=False)}" for item in value
        )
        return f"[\n{inner}\n  ]"
    return json.dumps(value, ensure_ascii=False)


def document_of(baseline: Baseline, deployment: str) -> dict[str, object]:
    """The baseline as JSON values; :func:`from_document` reads it."""
    shape, depth = baseline.image_shape, baseline.depth
    at = datetime.fromtimestamp(baseline.pinned_at, UTC)
    document: dict[str, object] = {
        FORM: SCHEMA,
        "deployment": deployment,
        "pinned_at": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "image_sha256": baseline.image_sha256,
        "image_shape": None if shape is None else list(shape),
        "task": baseline.task,
        "facts": dict(baseline.facts),
        "detections": [_as_item(each) for each in baseline.detections],
    }
    if depth is not None:
        document["depth"] = {
            "rows": depth.rows,
            "columns": depth.columns,
            "values": [round(value, 4) for value in depth.values],
        }
    return document


def _as_item(each: Detection) -> dict[str, object]:
    item: dict[str, object] = {"label": each.label}
    if each.confidence is not None:
        item["confidence"] = round(each.confidence, _DECIMALS)
    if each.box is not None:
        item["box"] = _rounded(each.box)
    if each.outline:
        item["outline"] = [_rounded(point) for point in each.outline]
    if each.keypoints:
        item["keypoints"] = [_rounded(point) for point in each.keypoints]
    if each.share is not None:
        item["share"] = round(each.share, _DECIMALS)
    return item


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 3) for value in values]


def from_document(document: object) -> Baseline:
    """The baseline in decoded JSON. Raises Unreadable naming the key."""
    if not isinstance(document, dict) or FORM not in document:
        raise Unreadable(f"is not a baseline: it has no {FORM}")
    if document[FORM] != SCHEMA:
        raise Unreadable(
            f"{FORM} is {clean(str(document[FORM]), limit=20)}, and only {SCHEMA} is "
            "known here; a newer yolotop may have written it"
        )
    digest = _at(document, "image_sha256", _as_digest)
    listed = _at(document, "detections", lambda value: _as_list(value, MOST_DETECTIONS))
    return Baseline(
        image_sha256=digest,
        pinned_at=_at(document, "pinned_at", _as_instant),
        detections=tuple(_detection(item, n) for n, item in enumerate(listed)),
        task=_maybe(document, "task", _as_word),
        facts=_maybe(document, "facts", _as_facts) or (),
        depth=_maybe(document, "depth", _as_depth),
        image_shape=_maybe(document, "image_shape", _as_shape),
    )


# The values come from JSON: each rule raises ValueError with the rest of a sentence.
def _at(found: Mapping[str, Any], key: str, rule: Callable[[Any], _T]) -> _T:
    if key not in found:
        raise Unreadable(f"{key} is missing")
    try:
        return rule(found[key])
    except Unreadable:
        raise
    except ValueError as error:
        raise Unreadable(f"{key} {error}") from None


def _maybe(found: Mapping[str, Any], key: str, rule: Callable[[Any], _T]) -> _T | None:
    return None if found.get(key) is None else _at(found, key, rule)


def _detection(item: object, index: int) -> Detection:
    where = f"detections[{index}]"
    if not isinstance(item, dict):
        raise Unreadable(f"{where} is no object")
    try:
        return Detection(
            label=_at(item, "label", _as_word),
            confidence=_maybe(item, "confidence", as_share),
            box=_maybe(item, "box", _as_box),
            outline=_maybe(item, "outline", _as_outline) or (),
            keypoints=_maybe(item, "keypoints", _as_keypoints) or (),
            share=_maybe(item, "share", as_share),
        )
    except Unreadable as error:
        raise Unreadable(f"{where} {error}") from None


def _as_word(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > _LONGEST:
        raise ValueError(f"must be a text of 1 to {_LONGEST} characters")
    return clean(value, limit=_LONGEST)


def _as_fact(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_FACT:
        raise ValueError(f"must hold texts of at most {_LONGEST_FACT} characters")
    return value


def _as_digest(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError("must be a SHA-256 of 64 hexadecimal digits")
    return value


def _as_instant(value: object) -> float:
    try:
        at = datetime.fromisoformat(value if isinstance(value, str) else "")
        return at.replace(tzinfo=at.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        raise ValueError('must be a time such as "2026-11-24T04:00:00Z"') from None


def _as_list(value: object, most: int) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("must be a list")  # noqa: TRY004 - a rule has one way to say no
    if len(value) > most:
        raise ValueError(f"holds {len(value)} items; {most} are the most")
    return value


def _as_facts(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or len(value) > MOST_FACTS:
        raise ValueError(f"must be an object of at most {MOST_FACTS} texts")
    pairs = ((_as_word(key), _as_fact(text)) for key, text in value.items())
    return tuple(sorted(pairs))


def _as_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("must hold numbers")  # noqa: TRY004 - a rule has one way to say no
    if not (abs(value) < 1e9 and isfinite(value)):
        raise ValueError("holds a number beyond reason")
    return float(value)


def _as_box(value: object) -> tuple[float, float, float, float]:
    items = _as_list(value, 4)
    if len(items) != 4:
        raise ValueError("must be four numbers: x1, y1, x2, y2")
    x1, y1, x2, y2 = (_as_number(edge) for edge in items)
    return x1, y1, x2, y2


def _as_outline(value: object) -> tuple[tuple[float, float], ...]:
    points = [_as_list(point, 2) for point in _as_list(value, MOST_POINTS)]
    if any(len(point) != 2 for point in points):
        raise ValueError("must be a list of x, y")
    return tuple((_as_number(x), _as_number(y)) for x, y in points)


def _as_keypoints(value: object) -> tuple[tuple[float, float, float | None], ...]:
    points = [_as_list(point, 3) for point in _as_list(value, MOST_POINTS)]
    if any(len(point) != 3 for point in points):
        raise ValueError("must be a list of x, y, visibility")
    return tuple(
        (_as_number(x), _as_number(y), None if sure is None else _as_number(sure))
        for x, y, sure in points
    )


def _as_shape(value: object) -> tuple[int, int]:
    sides = _as_list(value, 2)
    if len(sides) != 2 or not all(type(side) is int and side > 0 for side in sides):
        raise ValueError("must be height and width in pixels")
    height, width = (int(_as_number(side)) for side in sides)
    return height, width


def _as_depth(value: object) -> Depth:
    if not isinstance(value, dict):
        raise ValueError("must be an object")  # noqa: TRY004 - a rule has one way to say no
    rows, columns = (_at(value, key, _as_side) for key in ("rows", "columns"))
    values = _at(value, "values", lambda items: _as_list(items, MOST_CELLS))
    if len(values) != rows * columns:
        raise ValueError(f"must hold {rows} × {columns} values")
    return Depth(rows, columns, tuple(_as_number(each) for each in values))


def _as_side(value: object) -> int:
    return as_integer(value, 1, MOST_CELLS)
