"""``yolotop check NAME --reference MODEL``: the served answer beside the model's own.

Owns the local run and how two answers look side by side. It must not know how they are
compared. Whatever runs the model is imported inside: nothing else here needs it.

This is the check to make after an export: the same image, the same thresholds, once
through the endpoint and once through the weights that it was made from.
"""

from __future__ import annotations

import asyncio
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yolotop.cli import out
from yolotop.cli.serve import EngineChoice
from yolotop.errors import ExitCode, UsageError
from yolotop.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yolotop.judge.parity import ClassRow, Parity, Row
    from yolotop.model import Deployment, Detection, Prediction, Sample
    from yolotop.probe.frames import Frame
    from yolotop.probe.prober import Shown
    from yolotop.serve.engine import Engine

CONF: Final = 0.25
IOU: Final = 0.7
"""What a server takes that is not asked for anything else: ultralytics' own values."""
_STYLES: Final = {
    "same": "green",
    "shifted": "yellow",
    "missed": "bold red",
    "extra": "bold red",
    "faint": "bright_black",
}


def compare(
    deployment: Deployment,
    model: str,
    *,
    image: str | None,
    conf: float | None,
    iou: float | None,
    imgsz: int | None,
    engine: EngineChoice,
    json: bool,
) -> int:
    """Ask, run, compare, print; the exit code.

    Raises UsageError and MissingExtraError where the model cannot be run here, before
    anything is sent.
    """
    from yolotop.judge.parity import side_by_side

    running = _engine(model, engine)
    asked = _as_asked(deployment, image, conf, iou, imgsz)
    shown, sample = _send(asked)
    served = sample.answer.prediction
    if served is None:
        out.narrate(f"{asked.name}: {sample.verdict.message}")
        out.narrate("There is nothing to compare")
        return ExitCode.UNHEALTHY
    reference = _run(running, shown.frame, asked)
    parity = side_by_side(served, reference, asked.tolerance, conf=asked.conf)
    ran = _ran(running, model)
    if json:
        out.data(out.as_json(_as_json(asked, shown.frame, ran, parity)))
    else:
        _show(asked, shown.frame, ran, parity)
    seen = (served.detections, reference.detections, served.depth, reference.depth)
    if not any(seen):
        # As a gate this would let two blind models pass.
        out.narrate(
            "Neither side saw anything, which compares nothing: name an image with "
            "something in it"
        )
        return ExitCode.UNHEALTHY
    return ExitCode.OK if parity.same else ExitCode.UNHEALTHY


# --- the two answers -----------------------------------------------------------------


def _engine(model: str, choice: EngineChoice) -> Engine:
    """ultralytics where it is installed, since it is the reference people mean."""
    from yolotop.serve.run import open_engine

    if choice is EngineChoice.ONNX:
        return open_engine(model, "onnx")
    if choice is EngineChoice.AUTO and not importlib.util.find_spec("ultralytics"):
        return open_engine(model, "auto")
    return open_engine(model, "yolo")


def _as_asked(
    deployment: Deployment,
    image: str | None,
    conf: float | None,
    iou: float | None,
    imgsz: int | None,
) -> Deployment:
    """With the settings that were said; compared with nothing but the reference."""
    from yolotop.config.load import absolute
    from yolotop.model import Expectation

    file = deployment.image
    if image is not None:
        file = image if image == "synthetic" else str(absolute(Path(image)))
    return replace(
        deployment,
        image=file,
        conf=deployment.conf if conf is None else conf,
        iou=deployment.iou if iou is None else iou,
        imgsz=deployment.imgsz if imgsz is None else imgsz,
        golden=None,
        expect=Expectation(),
    )


def _send(deployment: Deployment) -> tuple[Shown, Sample]:
    from yolotop.cli.asking import show_image
    from yolotop.probe.frames import FrameError

    def waiting(sample: Sample, pause_s: float) -> None:
        name = sample.answer.deployment
        out.narrate(f"{name}: {sample.verdict.message}; again in {pause_s:.0f} s")

    try:
        return asyncio.run(show_image(deployment, waiting=waiting))
    except FrameError as error:
        raise UsageError(
            clean(str(error), limit=400), hint="Name a JPEG or PNG file"
        ) from None


def _run(engine: Engine, frame: Frame, deployment: Deployment) -> Prediction:
    """The model's own answer, in the shape of every other.

    It takes the way of a served one, through the endpoint's document: so masks,
    keypoints and oriented boxes are read by the same words on both sides.
    """
    from yolotop.probe.dialects.ultralytics import prediction
    from yolotop.serve.engine import BadImageError
    from yolotop.serve.wire import Ask, response

    conf = CONF if deployment.conf is None else deployment.conf
    iou = IOU if deployment.iou is None else deployment.iou
    try:
        answer = engine.predict(frame.data, conf=conf, iou=iou, imgsz=deployment.imgsz)
    except BadImageError as error:
        raise UsageError(
            f"{frame.name}: {error}", hint="Name another --image"
        ) from None
    ask = Ask(conf, iou, deployment.imgsz, normalize=False, decimals=10)
    return prediction(response(engine, ask, answer, alive_s=0.0, call_s=0.0))


def _ran(engine: Engine, model: str) -> dict[str, str]:
    told = {name: value for name, value in engine.version.items() if name != "python"}
    return {"model": Path(model).name, "task": engine.task, **told}


# --- for people ----------------------------------------------------------------------


def _show(
    deployment: Deployment, frame: Frame, ran: Mapping[str, str], parity: Parity
) -> None:
    name, tolerance = deployment.name, deployment.tolerance
    conf = CONF if deployment.conf is None else deployment.conf
    iou = IOU if deployment.iou is None else deployment.iou
    told = ", ".join(f"{key} {value}" for key, value in ran.items() if key != "model")
    out.narrate(f"served: {name}, reference: {ran['model']} ({told})")
    unsaid = deployment.conf is None or deployment.iou is None
    note = " (what is usual where the deployment says nothing)" if unsaid else ""
    out.narrate(f"image: {frame.name}, conf {conf:g}, iou {iou:g}{note}")
    if parity.rows:
        _show_rows(parity.rows)
        if len(parity.classes) > 1:
            out.data("")
            _show_classes(parity.classes)
        out.data("")
    for words in parity.words():
        for line in out.folded(words):
            out.data(line)
    counts = ", ".join(f"{count} {word}" for word, count in parity.counts())
    verdict = "Same" if parity.same else "Different"
    bounds = (
        f"missed ≤ {tolerance.missed}, extra ≤ {tolerance.extra}, "
        f"confidence ± {tolerance.confidence:g}, IoU ≥ {tolerance.iou:g}"
    )
    line = f"{verdict}: {counts or 'nothing seen by either'} (tolerance: {bounds})"
    for each in out.folded(line):
        out.data(each)


def _show_rows(rows: tuple[Row, ...]) -> None:
    columns = ["label", "reference", "served", "Δconf", "IoU", "is"]
    told: list[list[str | out.Cell]] = [
        [
            row.label,
            _sure(row.reference),
            _sure(row.served),
            _signed(row.shift),
            _two(row.iou),
            out.Cell(row.beside.value, _STYLES[row.beside.value]),
        ]
        for row in rows
    ]
    out.table(columns, told, right=frozenset(columns[1:-1]))


def _show_classes(classes: tuple[ClassRow, ...]) -> None:
    columns = ["class", "reference", "served", "pairs", "mean IoU", "mean Δconf"]
    told: list[list[str | out.Cell]] = [
        [
            each.label,
            str(each.reference),
            str(each.served),
            str(each.pairs),
            _two(each.mean_iou),
            _signed(each.mean_shift),
        ]
        for each in classes
    ]
    out.table(columns, told, right=frozenset(columns[1:]))


def _sure(detection: Detection | None) -> str:
    from yolotop.view.format import NOTHING

    if detection is None:
        return NOTHING
    if detection.share is not None:
        return f"{detection.share:.1%}"
    return "yes" if detection.confidence is None else f"{detection.confidence:.3f}"


def _two(value: float | None) -> str:
    from yolotop.view.format import NOTHING

    return NOTHING if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    from yolotop.view.format import NOTHING

    if value is None:
        return NOTHING
    told = f"{value:+.3f}"
    return told[1:] if float(told) == 0 else told


# --- for programs --------------------------------------------------------------------


def _as_json(
    deployment: Deployment, frame: Frame, ran: Mapping[str, str], parity: Parity
) -> dict[str, object]:
    return {
        "name": deployment.name,
        "same": parity.same,
        "reference": dict(ran),
        "image": frame.name,
        "image_sha256": frame.sha256,
        "conf": CONF if deployment.conf is None else deployment.conf,
        "iou": IOU if deployment.iou is None else deployment.iou,
        "imgsz": deployment.imgsz,
        "findings": [
            each.message.replace("pinned", "reference") for each in parity.findings
        ],
        "things": [_row_json(row) for row in parity.rows],
        "classes": [
            {
                "label": each.label,
                "reference": each.reference,
                "served": each.served,
                "pairs": each.pairs,
                "mean_iou": _rounded(each.mean_iou),
                "mean_shift": _rounded(each.mean_shift),
            }
            for each in parity.classes
        ],
    }


def _row_json(row: Row) -> dict[str, object]:
    return {
        "label": row.label,
        "is": row.beside.value,
        "iou": _rounded(row.iou),
        "shift": _rounded(row.shift),
        "reference": _thing_json(row.reference),
        "served": _thing_json(row.served),
    }


def _thing_json(detection: Detection | None) -> dict[str, object] | None:
    if detection is None:
        return None
    return {
        "confidence": _rounded(detection.confidence),
        "box": None
        if detection.box is None
        else [round(edge, 3) for edge in detection.box],
        "share": _rounded(detection.share),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
