"""The shipped models through ultralytics itself: two implementations must agree."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from yolotop.errors import UsageError
from yolotop.probe import frames
from yolotop.serve import wire
from yolotop.serve.engine import BadImageError, Detection, Engine
from yolotop.serve.onnx_engine import OnnxEngine
from yolotop.serve.run import SHIPPED, model_path, open_engine
from yolotop.serve.yolo_engine import YoloEngine

if importlib.util.find_spec("ultralytics") is None:
    pytest.skip(
        "ultralytics is not installed: pip install 'yolotop[yolo]'",
        allow_module_level=True,
    )

# Theirs, not ours: torch and ultralytics warn about themselves.
pytestmark = [pytest.mark.yolo, pytest.mark.filterwarnings("ignore")]

EXPORTS = pytest.mark.skipif(
    importlib.util.find_spec("onnxslim") is None,
    reason="exporting needs onnx and onnxslim besides",
)
ROOT = Path(__file__).resolve().parents[2]


def overlap(one: Detection, other: Detection) -> float:
    assert one.box is not None
    assert other.box is not None
    a, b = list(one.box.values()), list(other.box.values())
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(x[2] - x[0]) * (x[3] - x[1]) for x in (a, b)]
    return wide * high / (sum(areas) - wide * high)


def agree(one: Engine, other: Engine, data: bytes) -> None:
    ours = one.predict(data, conf=0.5, iou=0.7, imgsz=None)
    theirs = other.predict(data, conf=0.5, iou=0.7, imgsz=None)
    assert ours.shape == theirs.shape
    assert sorted(d.name for d in ours.detections) == sorted(
        d.name for d in theirs.detections
    )
    for found in ours.detections:
        match = max(theirs.detections, key=lambda d: overlap(found, d))
        assert match.name == found.name
        assert match.class_id == found.class_id
        assert overlap(found, match) > 0.9


@pytest.mark.parametrize("name", SHIPPED)
def test_both_engines_agree(name: str) -> None:
    ours, theirs = open_engine(name, "onnx"), open_engine(name, "yolo")
    assert isinstance(theirs, YoloEngine)
    assert ours.class_names == theirs.class_names
    assert ours.task == theirs.task
    assert ours.version["weights"] == theirs.version["weights"]
    assert {"ultralytics", "torch", "python"} <= set(theirs.version)
    for seed in range(24):
        agree(ours, theirs, frames.synthetic(seed).data)


@pytest.mark.parametrize("size", [(420, 330), (340, 431), (331, 337)])
def test_both_engines_agree_on_the_letterbox(size: tuple[int, int]) -> None:
    ours, theirs = open_engine("shapes", "onnx"), open_engine("shapes", "yolo")
    ground = Image.new("RGB", size, (120, 130, 140))
    ground.paste(Image.open(io.BytesIO(frames.synthetic(6).data)), (7, 3))
    buffer = io.BytesIO()
    ground.save(buffer, "PNG")
    agree(ours, theirs, buffer.getvalue())


@EXPORTS
@pytest.mark.parametrize("end_to_end", [True, False])
def test_both_heads_and_free_sizes_of_a_fresh_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end_to_end: bool
) -> None:
    """Untrained weights: what they say is noise, but it is read as what it is."""
    monkeypatch.chdir(tmp_path)
    from ultralytics import YOLO

    model = YOLO("yolo26n.yaml")
    path = Path(model.export(format="onnx", imgsz=64, dynamic=True, end2end=end_to_end))
    engine = OnnxEngine(path)
    assert engine.end_to_end is end_to_end
    assert len(engine.class_names) == 80
    data = frames.synthetic(1).data
    for imgsz in (None, 96, 100):
        answer = engine.predict(data, conf=0.01, iou=0.7, imgsz=imgsz)
        assert answer.shape == (320, 320)
        assert len(answer.detections) <= 300


@pytest.mark.parametrize(
    ("suffix", "task", "corners", "extra"),
    [
        ("-seg", "segment", 4, {"segments"}),
        ("-pose", "pose", 4, {"keypoints"}),
        ("-obb", "obb", 8, set()),
        pytest.param(
            "-cls",
            "classify",
            0,
            set(),
            marks=pytest.mark.skipif(
                importlib.util.find_spec("torchvision.transforms") is None,
                reason="classification needs the whole torchvision, not the stub",
            ),
        ),
    ],
)
def test_every_task_keeps_its_members(
    tmp_path: Path, suffix: str, task: str, corners: int, extra: set[str]
) -> None:
    """Untrained weights at next to no confidence: noise, of the task's own shape."""
    from ultralytics import YOLO

    path = tmp_path / "fresh.pt"
    YOLO(f"yolo26n{suffix}.yaml").save(path)
    engine = open_engine(path)
    assert engine.task == task
    assert engine.name == "fresh"
    data = frames.synthetic(0).data
    answer = engine.predict(data, conf=1e-9, iou=0.7, imgsz=64)
    assert answer.shape == (320, 320)
    assert answer.detections
    for found in answer.detections:
        assert len(found.box or {}) == corners
        assert set(found.extra) == extra
        assert found.name == engine.class_names[found.class_id]
    client_view = wire.response(
        engine, wire.read_ask({}, None), answer, alive_s=1, call_s=1
    )
    json.dumps(client_view, allow_nan=False)


def test_it_refuses_bad_images_and_bad_files(tmp_path: Path) -> None:
    engine = YoloEngine(model_path("shapes"))
    with pytest.raises(BadImageError):
        engine.predict(b"junk", conf=0.5, iou=0.7, imgsz=None)
    junk = tmp_path / "junk.pt"
    junk.write_bytes(b"junk")
    with pytest.raises(UsageError, match="cannot load"):
        YoloEngine(junk)
    with pytest.raises(UsageError, match="no such"):
        YoloEngine(tmp_path / "none.pt")


@pytest.mark.timeout(300)
@EXPORTS
def test_the_training_script_runs_to_its_end(tmp_path: Path) -> None:
    script = ROOT / "tools" / "train_shapes.py"
    subprocess.run(
        [sys.executable, str(script), "--quick", "--out", str(tmp_path)],
        check=True,
        capture_output=True,
        timeout=280,
    )
    for name in SHIPPED:
        assert open_engine(tmp_path / f"{name}.onnx").name == name
        assert (tmp_path / f"{name}.json").is_file()
