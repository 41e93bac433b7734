"""A baseline told to a person: what was seen, by which model, and what to think of it.

Owns the sentences that stand before a consent and after ``golden show``. It must not
know where a baseline is kept.
"""

from __future__ import annotations

from yolotop.judge.canary import faint, faint_below
from yolotop.judge.words import tally
from yolotop.model import Baseline, Tolerance
from yolotop.text import clean

_MODEL = 200


def seen_in(baseline: Baseline) -> str:
    """``circle ×2, square ×1``, ``a depth map``, ``nothing``."""
    if baseline.detections:
        return clean(tally(baseline.detections), limit=400)
    return "a depth map" if baseline.depth is not None else "nothing"


def model_of(baseline: Baseline) -> str:
    """``model shapes.onnx, classes 3``, with the libraries behind."""
    facts = sorted(baseline.facts, key=lambda fact: fact[0].startswith("library "))
    told = ", ".join(f"{name} {value}" for name, value in facts)
    return clean(told, limit=_MODEL) or "the server tells nothing of its model"


def doubt(
    baseline: Baseline, tolerance: Tolerance, conf: float | None = None
) -> str | None:
    """Why this baseline would catch less than one may think; ``None``: it is good."""
    if baseline.depth is not None:
        return None
    count = len(baseline.detections)
    if not count:
        return "nothing is seen in it, so a model gone blind would not be noticed"
    if all(each.box is None for each in baseline.detections):
        return None
    limit = faint_below(baseline, tolerance, conf)
    unsure = sum(faint(each, limit) for each in baseline.detections)
    if not unsure:
        return None
    which = "all that is seen is" if unsure == count else f"{unsure} of {count} are"
    return (
        f"{which} so unsure (up to {limit:.2f}) that it may come and go unnoticed; "
        "a clearer image makes a better canary"
    )


def pin_lines(
    baseline: Baseline, tolerance: Tolerance, conf: float | None = None
) -> list[tuple[str, str]]:
    """Label and text of each line that a person should read before agreeing."""
    lines = [("seen", seen_in(baseline)), ("model", model_of(baseline))]
    if baseline.task is not None:
        lines.append(("task", baseline.task))
    note = doubt(baseline, tolerance, conf)
    if note is not None:
        lines.append(("note", note))
    return lines
