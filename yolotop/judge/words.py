"""Lengths of time and counts of detections as people say them.

Owns the wording of both in events and messages. It must not know what lasted, nor
whether what was counted is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from yolotop.model import Detection


def span(seconds: float) -> str:
    """A length of time for people: ``40 s``, ``4 min``, ``2 h 5 min``, ``3 d 4 h``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def count_detections(count: int) -> str:
    """``no detections``, ``1 detection``, ``3 detections``."""
    if count == 0:
        return "no detections"
    return "1 detection" if count == 1 else f"{count} detections"


def tally(detections: Iterable[Detection], *, most: int = 8) -> str:
    """``circle ×2, square ×1``, or ``none``; at most ``most`` labels are named."""
    counts = sorted(labels_of(detections).items())
    words = [f"{label} ×{count}" for label, count in counts[:most]]
    if len(counts) > most:
        words.append("…")
    return ", ".join(words) or "none"


def labels_of(detections: Iterable[Detection]) -> Counter[str]:
    """How many there are of each label."""
    return Counter(item.label for item in detections)
