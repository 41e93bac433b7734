"""From a YOLO output tensor to boxes, in numpy.

Owns both heads: raw ``[4 + classes, N]``, which needs suppression of overlaps, and
end-to-end ``[N, 6]``, which does not. Must not know images, files or runtimes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

MAX_DETECTIONS = 300
# As in ultralytics: classes are moved this many pixels apart, so that one pass
# suppresses each class by itself.
_CLASS_OFFSET = 7680.0


def raw_head(output: Floats, *, conf: float, iou: float) -> Floats:
    """Decode ``[4 + classes, N]`` (centre x, centre y, width, height, scores).

    Returns ``[n, 6]``: x1, y1, x2, y2, confidence, class; best first, at most 300.
    Scores equal to ``conf`` are dropped, as ultralytics does.
    """
    scores = output[4:]
    best = scores.max(axis=0)
    rows = np.flatnonzero(best > conf)
    centre, half = output[:2, rows].T, output[2:4, rows].T / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    classes = scores[:, rows].argmax(axis=0).astype(output.dtype)
    found = np.column_stack([boxes, best[rows], classes])
    found = found[np.argsort(-found[:, 4], kind="stable")]
    keep = suppress(found[:, :4] + found[:, 5:] * _CLASS_OFFSET, iou)
    return found[keep[:MAX_DETECTIONS]]


def end_to_end_head(output: Floats, *, conf: float) -> Floats:
    """Take the rows of ``[N, 6]`` which are certain enough, best first."""
    found = output[output[:, 4] > conf]
    return found[np.argsort(-found[:, 4], kind="stable")][:MAX_DETECTIONS]


def suppress(boxes: Floats, iou: float) -> NDArray[np.intp]:
    """Return the rows of ``[n, 4]`` to keep, given best first: greedy NMS."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.arange(len(boxes))
    keep: list[int] = []
    while order.size:
        first, rest = order[0], order[1:]
        keep.append(int(first))
        low = np.maximum(boxes[first, :2], boxes[rest, :2])
        high = np.minimum(boxes[first, 2:], boxes[rest, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        union = areas[first] + areas[rest] - shared
        order = rest[shared <= iou * union]
    return np.asarray(keep, dtype=np.intp)
