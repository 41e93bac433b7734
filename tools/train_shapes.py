"""Train, export and validate the tiny models which ship in ``yolotop/serve/models``.

Owns the recipe: the data set (drawn by ``yolotop.probe.frames``, nothing is
downloaded), the training, the export and the examination on frames never seen in
training. Must not be imported by the package; it needs torch and ultralytics.

    pip install torch==2.13.0 ./tools/torchvision_stub
    pip install --no-deps ultralytics==8.4.190
    pip install opencv-python-headless numpy pillow pyyaml requests matplotlib \\
        psutil polars onnx onnxslim onnxruntime
    python tools/train_shapes.py            # both models, about 20 minutes
    python tools/train_shapes.py --quick --out /tmp/try   # the same path in a minute
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
# The script draws with, and examines through, the very code that ships.
sys.path.insert(0, str(ROOT))
# Read at import of ultralytics: no update checks, no pip from inside it.
os.environ.setdefault("YOLO_OFFLINE", "1")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")

from yolotop.probe import frames  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yolotop.serve.engine import Detection

IMGSZ = 160
CONF = 0.5
MIN_IOU = 0.5
# Training scenes start here; probes, tests and the examination use smaller seeds.
TRAIN_SEEDS = 1_000_000
VAL_SEEDS = 2_000_000
FRESH_SEEDS = range(10_000, 10_500)
DEMO_SEEDS = range(64)
NEEDED = 0.99


@dataclass(frozen=True, slots=True)
class Recipe:
    """One shipped model: what it knows, and how long it learns."""

    name: str
    classes: tuple[str, ...]
    train: int = 1200
    val: int = 40
    epochs: int = 40
    close_mosaic: int = 15


@dataclass(frozen=True, slots=True)
class Score:
    """Of ``frames`` frames, how many were answered exactly."""

    frames: int
    exact: int
    mean_iou: float
    worst_iou: float
    lowest_confidence: float
    """Of what was there."""
    highest_ghost: float
    """Best confidence, looked for from 0.05 up, of what was not there."""
    missed_seeds: tuple[int, ...]


RECIPES = (
    Recipe("shapes", frames.SHAPES),
    # The model that replaces the first one behind the same URL: triangles are ground.
    Recipe("shapes2", ("circle", "square")),
)


def main() -> int:
    """Run the script; 1 when a model fails its examination (never with --quick)."""
    options = _options()
    recipes = [r for r in RECIPES if options.only in (None, r.name)]
    options.out.mkdir(parents=True, exist_ok=True)
    failed = False
    for recipe in recipes:
        if options.quick:
            recipe = Recipe(recipe.name, recipe.classes, 24, 8, 1, 0)
        target = options.out / f"{recipe.name}.onnx"
        took = _took_before(target)
        if not options.examine:
            with tempfile.TemporaryDirectory(prefix="shapes-") as folder:
                started = time.perf_counter()
                export = train(recipe, Path(folder))
                halve(export, target)
                took = time.perf_counter() - started
        fresh = FRESH_SEEDS[:16] if options.quick else FRESH_SEEDS
        scores = {"demo": score(recipe, target, DEMO_SEEDS)}
        scores["fresh"] = score(recipe, target, fresh)
        card = describe(recipe, target, scores, took)
        print(json.dumps(card, indent=2))
        target.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")
        exact = scores["fresh"].exact / scores["fresh"].frames
        failed |= exact < NEEDED or scores["demo"].exact < len(DEMO_SEEDS)
    # One epoch learns nothing: --quick shows that the path works, not the model.
    return int(failed and not options.quick)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "yolotop/serve/models")
    parser.add_argument("--only", choices=[r.name for r in RECIPES])
    parser.add_argument("--quick", action="store_true", help="1 epoch, 24 images")
    parser.add_argument("--examine", action="store_true", help="do not train")
    return parser.parse_args()


def _took_before(model: Path) -> float:
    """Seconds that training took, as an earlier run wrote it down; 0 if none did."""
    card = model.with_suffix(".json")
    if not card.is_file():
        return 0.0
    return float(json.loads(card.read_text())["training_s"] or 0)


# --- data ----------------------------------------------------------------------------


def draw_data(recipe: Recipe, folder: Path) -> Path:
    """Draw pictures and label files; return the path of the data set's YAML."""
    for split, count, first in (
        ("train", recipe.train, TRAIN_SEEDS),
        ("val", recipe.val, VAL_SEEDS),
    ):
        for kind in ("images", "labels"):
            (folder / kind / split).mkdir(parents=True)
        for seed in range(first, first + count):
            # Sizes differ so that the model meets shapes scaled down by 1 to 2.
            rng = random.Random(seed)  # noqa: S311 - pictures, not secrets
            size = rng.choice((160, 224, 256, 320, 320))
            image, drawn = frames.draw(seed, size, variety=rng.choice((0.1, 0.5, 1)))
            quality = rng.choice((75, 90, 95))
            image.save(folder / f"images/{split}/{seed}.jpg", quality=quality)
            lines = [
                _label(recipe, d, size) for d in drawn if d.label in recipe.classes
            ]
            (folder / f"labels/{split}/{seed}.txt").write_text("\n".join(lines))
    data = folder / "shapes.yaml"
    names = "".join(f"  {i}: {name}\n" for i, name in enumerate(recipe.classes))
    data.write_text(
        f"path: {folder}\ntrain: images/train\nval: images/val\nnames:\n{names}"
    )
    return data


def _label(recipe: Recipe, drawn: frames.Drawn, size: int) -> str:
    x1, y1, x2, y2 = (edge / size for edge in drawn.box)
    where = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
    return " ".join(
        [str(recipe.classes.index(drawn.label)), *(f"{v:.6f}" for v in where)]
    )


# --- training and export -------------------------------------------------------------


def architecture(classes: int, folder: Path) -> Path:
    """Write YOLO26 at an eighth of its width, without the one-to-one head.

    Measured with the one-to-one head on: it answered with duplicates after 20 epochs,
    and it adds a third to a head that these models do not use.
    """
    import ultralytics
    import yaml  # type: ignore[import-untyped]

    source = Path(ultralytics.__file__).parent / "cfg/models/26/yolo26.yaml"
    model = yaml.safe_load(source.read_text(encoding="utf-8"))
    model |= {"nc": classes, "end2end": False, "scales": {"n": [0.33, 0.125, 256]}}
    # The scale is taken from the file's name.
    path = folder / "yolo26n.yaml"
    path.write_text(yaml.safe_dump(model))
    return path


def train(recipe: Recipe, folder: Path) -> Path:
    """Train on the CPU and export; return the path of the ONNX file, in fp32."""
    from ultralytics import YOLO

    data = draw_data(recipe, folder / "data")
    model = YOLO(str(architecture(len(recipe.classes), folder)))
    model.train(
        data=str(data),
        project=str(folder / "runs"),
        name=recipe.name,
        imgsz=IMGSZ,
        epochs=recipe.epochs,
        batch=16,
        device="cpu",
        workers=0,
        amp=False,
        cache="ram",
        optimizer="AdamW",
        lr0=0.004,
        cos_lr=True,
        warmup_epochs=1,
        mosaic=0.5,
        close_mosaic=recipe.close_mosaic,
        scale=0.3,
        seed=0,
        val=False,
        pretrained=False,
        plots=False,
    )
    best = YOLO(str(folder / "runs" / recipe.name / "weights" / "last.pt"))
    return Path(best.export(format="onnx", imgsz=IMGSZ, device="cpu"))


def halve(source: Path, target: Path) -> None:
    """Store the weights as fp16 with a Cast to fp32 each: half the file.

    The runtime folds the casts when it loads the model, so inference stays fp32.
    """
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(source))
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        # Small tensors hold shapes, strides and anchors' constants: keep them exact.
        if values.dtype != np.float32 or values.size < 256:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.h"))
        casts.append(
            helper.make_node("Cast", [f"{name}.h"], [name], to=TensorProto.FLOAT)
        )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    keep = {"names", "imgsz", "task", "stride", "end2end", "version", "license"}
    properties = {p.key: p.value for p in model.metadata_props if p.key in keep}
    del model.metadata_props[:]
    helper.set_model_props(model, properties)
    onnx.checker.check_model(model)
    onnx.save(model, str(target))


# --- examination ---------------------------------------------------------------------


def score(recipe: Recipe, model: Path, seeds: range) -> Score:
    """Ask the engine that ships about frames as probes send them.

    A frame is exact when every drawn shape the model knows is answered by one box of
    its label with IoU 0.5 or more, and nothing else reaches confidence 0.5.
    """
    from yolotop.serve.onnx_engine import OnnxEngine

    engine = OnnxEngine(model)
    exact, missed = 0, []
    ious: list[float] = []
    sure: list[float] = []
    ghosts = [0.0]
    for seed in seeds:
        frame = frames.synthetic(seed)
        drawn = [d for d in frame.drawn or () if d.label in recipe.classes]
        answer = engine.predict(frame.data, conf=0.05, iou=0.7, imgsz=None)
        matched, left = match(drawn, answer.detections)
        ious += [overlap for overlap, _ in matched]
        sure += [confidence for _, confidence in matched]
        ghosts += left
        if (
            len(matched) == len(drawn)
            and all(confidence > CONF for _, confidence in matched)
            and all(confidence <= CONF for confidence in left)
        ):
            exact += 1
        else:
            missed.append(seed)
    return Score(
        frames=len(seeds),
        exact=exact,
        mean_iou=round(sum(ious) / max(1, len(ious)), 4),
        worst_iou=round(min(ious, default=0.0), 4),
        lowest_confidence=round(min(sure, default=0.0), 4),
        highest_ghost=round(max(ghosts), 4),
        missed_seeds=tuple(missed),
    )


def match(
    drawn: Sequence[frames.Drawn], found: Sequence[Detection]
) -> tuple[list[tuple[float, float]], list[float]]:
    """Pair what was drawn with what was found.

    Returns IoU and confidence of each pair, and the confidences that are left over.
    """
    left = list(found)
    pairs: list[tuple[float, float]] = []
    for thing in drawn:
        rated = [
            (_iou(thing.box, tuple(d.box.values())), d)
            for d in left
            if d.box and d.name == thing.label
        ]
        overlap, best = max(rated, key=lambda pair: pair[0], default=(0.0, None))
        if best is not None and overlap >= MIN_IOU:
            left.remove(best)
            pairs.append((overlap, best.confidence or 0.0))
    return pairs, [d.confidence or 0.0 for d in left]


def _iou(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return wide * high / (sum(areas) - wide * high)


def describe(
    recipe: Recipe, model: Path, scores: dict[str, Score], took_s: float
) -> dict[str, object]:
    """Return the measured part of the model card."""
    return {
        "model": recipe.name,
        "classes": recipe.classes,
        "bytes": model.stat().st_size,
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "imgsz": IMGSZ,
        "train_images": recipe.train,
        "epochs": recipe.epochs,
        "training_s": round(took_s) or None,
        "versions": {
            name: version(name)
            for name in ("ultralytics", "torch", "onnx", "onnxruntime", "pillow")
        },
        "scores": {name: asdict(found) for name, found in scores.items()},
    }


if __name__ == "__main__":
    raise SystemExit(main())
