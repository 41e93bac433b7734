"""``yolotop check NAME --reference``: a served model beside the model itself."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from PIL import Image
from typer.testing import Result

from yolotop.probe.frames import synthetic

Run = Callable[..., Result]
KEY = "test-key-0123456789"
HAS_YOLO = importlib.util.find_spec("ultralytics") is not None


class Home(Protocol):
    """What conftest's Home offers."""

    path: Path

    def write(self, text: str) -> Path: ...


class Scripted(Protocol):
    """What conftest's Scripted offers."""

    url: str
    predict: list[Any]
    asked: list[str]


@pytest.fixture
def cam(home: Home, served: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A deployment that serves ``shapes``."""
    monkeypatch.setenv("CAM_KEY", KEY)
    home.write(
        f'[[deployment]]\nname = "cam"\nurl = "{served}"\napi_key = "env:CAM_KEY"\n'
    )
    return "cam"


def compared(run: Run, *words: str) -> tuple[int, dict[str, Any]]:
    done = run("check", "cam", "--engine", "onnx", "--json", "--reference", *words)
    assert done.exit_code in (0, 1), done.output
    told = json.loads(done.stdout)
    assert isinstance(told, dict)
    return done.exit_code, told


def test_the_same_model_is_the_same(run: Run, cam: str) -> None:
    code, told = compared(run, "shapes")
    assert code == 0
    assert set(told) == {
        *("name", "same", "reference", "image", "image_sha256", "conf", "iou"),
        *("imgsz", "findings", "things", "classes"),
    }
    assert told["same"] is True
    assert told["findings"] == []
    assert told["name"] == cam
    assert told["reference"]["model"] == "shapes"
    assert told["image_sha256"] == synthetic(0).sha256
    assert len(told["things"]) == len(synthetic(0).drawn or ())
    for thing in told["things"]:
        assert thing["is"] == "same"
        assert thing["iou"] > 0.999
        # The server rounds to five digits.
        assert abs(thing["shift"]) < 1e-4
    assert sum(each["pairs"] for each in told["classes"]) == len(told["things"])


def test_another_model_is_not(run: Run, cam: str) -> None:
    """``shapes2`` knows no triangles, so the served ones are extra."""
    code, told = compared(run, "shapes2")
    assert code == 1
    assert told["same"] is False
    stands = {each["label"]: each["is"] for each in told["things"]}
    assert stands["triangle"] == "extra"
    assert stands["circle"] == stands["square"] == "same"
    triangles = next(row for row in told["classes"] if row["label"] == "triangle")
    assert triangles["reference"] == triangles["pairs"] == 0
    assert triangles["served"] > 1
    assert "triangle" in told["findings"][0]


def test_what_people_see(run: Run, cam: str) -> None:
    done = run("check", cam, "--engine", "onnx", "--reference", "shapes2")
    assert done.exit_code == 1
    head = " ".join(done.stdout.splitlines()[0].split())
    assert head == "label reference served Δconf IoU is"
    assert "Different: " in done.stdout
    assert "reference: shapes2 (task detect" in done.stderr
    done = run("check", cam, "--engine", "onnx", "--reference", "shapes")
    assert done.exit_code == 0
    assert "Same: " in done.stdout
    assert KEY not in done.output


def test_thresholds_and_image_are_of_both_sides(run: Run, home: Home, cam: str) -> None:
    path = home.path / "empty.png"
    Image.new("RGB", (320, 200), (90, 90, 90)).save(path)
    code, told = compared(run, "shapes", "--image", "empty.png", "--conf", "0.9")
    # Nothing beside nothing compares nothing: a gate must not pass on that.
    assert code == 1
    assert (told["image"], told["conf"]) == ("empty.png", 0.9)
    assert told["things"] == []
    # So sure is nothing: on both sides.
    code, told = compared(run, "shapes2", "--conf", "0.99", "--iou", "0.5")
    assert (code, told["things"], told["iou"]) == (1, [], 0.5)


def test_no_answer_is_nothing_to_compare(
    run: Run, home: Home, scripted: Scripted
) -> None:
    home.write(f'[[deployment]]\nname = "cam"\nurl = "{scripted.url}"\n')
    scripted.predict = [(500, {}, {"detail": "CUDA error"})]
    done = run("check", "cam", "--engine", "onnx", "--reference", "shapes")
    assert done.exit_code == 1
    assert "CUDA error" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["cam", "--reference", "none.onnx"], "does not exist"),
        (["--reference", "shapes"], "compares one deployment"),
        (["cam", "--conf", "0.5"], "go with --reference"),
        (["cam", "--reference", "shapes", "--image", "none.jpg"], "none.jpg"),
        (["nobody", "--reference", "shapes"], "no deployment"),
    ],
)
def test_what_cannot_be(
    run: Run, home: Home, scripted: Scripted, words: list[str], why: str
) -> None:
    home.write(f'[[deployment]]\nname = "cam"\nurl = "{scripted.url}"\n')
    if "--reference" in words:
        words = [*words, "--engine", "onnx"]
    done = run("check", *words)
    assert done.exit_code == 2, done.output
    assert why in done.stderr
    assert scripted.asked == []


def test_without_ultralytics_a_pt_is_told_the_cure(
    run: Run, home: Home, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write(f'[[deployment]]\nname = "cam"\nurl = "{scripted.url}"\n')
    (home.path / "best.pt").write_bytes(b"weights")
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    done = run("check", "cam", "--reference", "best.pt")
    assert done.exit_code == 2
    assert "pip install 'yolotop[yolo]'" in done.stderr
    # Nothing was sent for nothing.
    assert scripted.asked == []


def test_without_ultralytics_an_onnx_runs_on_our_own_engine(
    run: Run, cam: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    done = run("check", cam, "--reference", "shapes")
    assert done.exit_code == 0, done.output
    assert "onnxruntime" in done.stderr


@pytest.mark.yolo
@pytest.mark.filterwarnings("ignore")  # theirs: torch and ultralytics warn
@pytest.mark.skipif(not HAS_YOLO, reason="pip install 'yolotop[yolo]'")
def test_ultralytics_is_the_reference_where_it_is_installed(run: Run, cam: str) -> None:
    done = run("check", cam, "--reference", "shapes", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert "ultralytics" in told["reference"]
    assert told["same"] is True
    assert all(thing["iou"] > 0.9 for thing in told["things"])
    done = run("check", cam, "--reference", "shapes2", "--json")
    assert done.exit_code == 1
