"""A pinned answer: a file, two keys of one table, and no other byte."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.config.baseline import (
    Unreadable,
    document_of,
    from_document,
    read,
    text_of,
)
from yolotop.config.golden import file_name
from yolotop.config.load import load
from yolotop.config.pin import pin, unpin
from yolotop.errors import ConfigError
from yolotop.model import Baseline, Depth, Detection, Expectation

HEAD = """\
# head
[defaults]   # for all
timeout = '3s'
expect = { drawn = true }

# the dock
[[deployment]]
name = "dock-cam"      # the first
url  =   "http://h"
"""
TAIL = """
# the belt
[[deployment]]
name = "belt"
url = "http://h"
[deployment.expect]
drawn = true

[ui]
theme = "dark"
# tail
"""
FORMS = {
    "nothing": "",
    "a comment": '# slow = "1s"\n',
    "inline": 'image = "old.jpg" # old\nexpect = { max_detections = 1 } # few\n',
    "a table": "\n# what is right\n[deployment.expect] # here\nmin_detections = 1\n",
    "drawn": '[deployment.expect]\ndrawn = true\nlabels = [\n  "a", # b\n]\n',
    "dotted": "expect.min_detections = 4 # four\nexpect.max_detections = 9\n",
    "elsewhere": '[ui]\nrange = "1h" # short\n[deployment.expect]\ndrawn = true\n',
}
PICTURE = b"\xff\xd8 a picture"
CARS = Baseline(
    image_sha256=hashlib.sha256(PICTURE).hexdigest(),
    pinned_at=1_790_000_000.0,
    detections=(
        Detection("car", 0.91, (1.5, 2.0, 30.25, 40.0)),
        Detection(
            "dog",
            None,
            None,
            outline=((0.0, 1.0), (5.5, 1.0), (3.0, 9.0)),
            keypoints=((1.0, 2.0, None), (3.0, 4.0, 0.5)),
            share=0.25,
        ),
    ),
    task="segment",
    facts=(("classes", "car, dog"), ("model", "gate.onnx")),
    depth=Depth(1, 2, (1.5, 0.0)),
    image_shape=(480, 640),
)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    (tmp_path / "old.jpg").write_bytes(b"x")
    path = tmp_path / "images" / "gate.jpg"
    path.parent.mkdir()
    path.write_bytes(PICTURE)
    return path


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("form", FORMS)
def test_in_whatever_way_the_table_is_written(
    tmp_path: Path, picture: Path, form: str, newline: str
) -> None:
    path = tmp_path / "yolotop.toml"
    tail = TAIL.replace('[ui]\ntheme = "dark"\n', "") if form == "elsewhere" else TAIL
    was = (HEAD + FORMS[form] + tail).replace("\n", newline)
    path.write_bytes(was.encode())
    expected = load(path, env={}).deployments[0].expect
    file = pin(path, "dock-cam", str(picture), CARS)
    now = path.read_bytes().decode()
    dock, belt = load(path, env={}).deployments
    assert file == tmp_path / "golden" / "dock-cam.json"
    assert dock.image == str(picture)
    assert dock.golden == CARS
    # Drawn shapes go with a drawn image only; all else was written by hand, and stays.
    own = "expect" in tomllib.loads(now)["deployment"][0]
    assert dock.expect.drawn is (not own)
    assert dock.expect.min_detections == expected.min_detections
    assert dock.expect.max_detections == expected.max_detections
    assert dock.expect.labels == expected.labels
    assert belt.expect == Expectation(drawn=True)
    assert belt.golden is None
    # Everything before and behind stays to the byte; and so does every comment.
    head, end = HEAD.replace("\n", newline), tail.replace("\n", newline)
    assert now.startswith(head)
    assert now.endswith(end)
    for line in FORMS[form].splitlines():
        assert line.partition("#")[2] in now
    assert "\r" not in now if newline == "\n" else now.count("\r\n") == now.count("\n")
    unpin(path, "dock-cam")
    assert load(path, env={}).deployments[0].golden is None
    assert load(path, env={}).deployments[0].image == str(picture)
    assert not file.exists()


def test_an_image_elsewhere_is_named_in_full(tmp_path: Path, picture: Path) -> None:
    path = tmp_path / "etc" / "yolotop.toml"
    path.parent.mkdir()
    path.write_text(HEAD)
    pin(path, "dock-cam", str(picture), CARS)
    [table] = tomllib.loads(path.read_text())["deployment"]
    assert table["image"] == str(picture)
    assert table["golden"] == "golden/dock-cam.json"


def test_a_second_pin_is_heard_though_the_config_reads_the_same(
    tmp_path: Path, picture: Path
) -> None:
    path = tmp_path / "yolotop.toml"
    path.write_text(HEAD)
    pin(path, "dock-cam", str(picture), CARS)
    before, text = path.stat().st_ino, path.read_text()
    pin(path, "dock-cam", str(picture), Baseline(CARS.image_sha256, 5.0, ()))
    assert path.read_text() == text
    assert path.stat().st_ino != before, "a collector looks at the file's number"
    [dock] = load(path, env={}).deployments
    assert dock.golden == Baseline(CARS.image_sha256, 5.0, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD.replace("dock-cam", "x"), 'there is no deployment "dock-cam"'),
        (HEAD + "nonsense = 1\n", "nonsense"),
        (HEAD + "expect = 3\n", "expect is an integer"),
        (
            'deployment = [{ name = "dock-cam", url = "http://h" }]\n',
            "one inline array",
        ),
    ],
)
def test_what_cannot_be_pinned_is_left(
    tmp_path: Path, picture: Path, text: str, said: str
) -> None:
    path = tmp_path / "yolotop.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        pin(path, "dock-cam", str(picture), CARS)
    assert path.read_text() == text
    assert not (tmp_path / "golden").exists()


def test_an_image_that_is_not_there_or_is_another_by_now(
    tmp_path: Path, picture: Path
) -> None:
    path = tmp_path / "yolotop.toml"
    path.write_text(HEAD)
    with pytest.raises(ConfigError, match="no image file that can be read"):
        pin(path, "dock-cam", str(tmp_path / "gone.jpg"), CARS)
    picture.write_bytes(b"another")
    with pytest.raises(ConfigError, match="has changed since it was sent"):
        pin(path, "dock-cam", str(picture), CARS)
    assert path.read_text() == HEAD
    assert not (tmp_path / "golden").exists()


def test_where_the_config_cannot_be_written_the_old_baseline_stands(
    tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "yolotop.toml"
    path.write_text(HEAD)
    file = pin(path, "dock-cam", str(picture), CARS)
    text, kept = path.read_text(), file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        pin(path, "dock-cam", str(picture), Baseline(CARS.image_sha256, 5.0, ()))
    assert path.read_text() == text
    assert file.read_bytes() == kept
    assert sorted(each.name for each in file.parent.iterdir()) == [file.name]


# --- the file ------------------------------------------------------------------------


def test_the_file_is_for_people_too() -> None:
    text = text_of(document_of(CARS, "dock-cam"))
    assert '  "pinned_at": "2026-09-21T14:13:20Z",\n' in text
    assert (
        '    {"label": "car", "confidence": 0.91, "box": [1.5, 2.0, 30.25, 40.0]},\n'
        in text
    )
    assert from_document(json.loads(text)) == CARS


_sides = st.floats(-1e5, 1e5).map(lambda value: round(value, 3))
_shares = st.floats(0, 1).map(lambda value: round(value, 6))
_detections = st.builds(
    Detection,
    st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=20),
    st.none() | _shares,
    st.none() | st.tuples(_sides, _sides, _sides, _sides),
    outline=st.lists(st.tuples(_sides, _sides), max_size=5).map(tuple),
    share=st.none() | _shares,
)


@given(st.lists(_detections, max_size=6).map(tuple))
def test_what_is_written_is_read_again(detections: tuple[Detection, ...]) -> None:
    pinned = Baseline("0" * 64, 7.0, detections, facts=(("model", "a\u2028b"),))
    assert from_document(json.loads(text_of(document_of(pinned, "x")))) == pinned


GOOD = json.loads(text_of(document_of(CARS, "dock-cam")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"yolotop_golden": 2}, "a newer yolotop may have written it"),
        ({"image_sha256": "ab"}, "image_sha256 must be a SHA-256"),
        ({"pinned_at": "soon"}, "pinned_at must be a time"),
        ({"detections": {}}, "detections must be a list"),
        ({"detections": [{}] * 301}, "300 are the most"),
        ({"detections": [{"confidence": 1}]}, r"detections\[0\] label is missing"),
        (
            {"detections": [{"label": "a", "box": [1, 2, 3]}]},
            r"detections\[0\] box must be four",
        ),
        (
            {"detections": [{"label": "a", "box": [1, 2, 3, float("nan")]}]},
            "beyond reason",
        ),
        (
            {"detections": [{"label": "a", "confidence": 2}]},
            "write a number from 0 to 1",
        ),
        ({"facts": [1]}, "facts must be an object"),
        ({"depth": {"rows": 2, "columns": 2, "values": [1]}}, "must hold 2 × 2"),
        ({"image_shape": [1]}, "height and width"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_by_its_key(
    change: dict[str, object], said: str
) -> None:
    with pytest.raises(Unreadable, match=said):
        from_document({**GOOD, **change})


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, "\x00"])
def test_a_file_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(Unreadable):
        read(path)


def test_a_config_says_which_file_and_the_cure(tmp_path: Path, picture: Path) -> None:
    path = tmp_path / "yolotop.toml"
    path.write_text(HEAD)
    file = pin(path, "dock-cam", str(picture), CARS)
    file.write_text("{}")
    # A warning: one broken file must not stop the others from being measured.
    found = load(path, env={})
    [warning] = found.warnings
    for part in (str(file), "has no yolotop_golden", "yolotop golden set NAME IMAGE"):
        assert part in warning
    [dock] = found.deployments
    assert dock.golden is not None
    assert "has no yolotop_golden" in dock.golden.fault
    file.unlink()
    [warning] = load(path, env={}).warnings
    assert "put the baseline there" in warning
    # And the cure that it names works.
    pin(path, "dock-cam", str(picture), CARS)
    assert load(path, env={}).deployments[0].golden == CARS


def test_an_image_that_changed_is_a_warning_that_names_both(
    tmp_path: Path, picture: Path
) -> None:
    path = tmp_path / "yolotop.toml"
    path.write_text(HEAD)
    file = pin(path, "dock-cam", str(picture), CARS)
    assert load(path, env={}).warnings == ()
    picture.write_bytes(b"another")
    [warning] = load(path, env={}).warnings
    assert str(file) in warning
    assert str(picture) in warning
    assert load(path, env={}).deployments[0].golden == CARS


def test_a_baseline_needs_its_image(tmp_path: Path, picture: Path) -> None:
    path = tmp_path / "yolotop.toml"
    path.write_text(HEAD)
    pin(path, "dock-cam", str(picture), CARS)
    path.write_text(path.read_text().replace('image = "images/gate.jpg"\n', ""))
    with pytest.raises(ConfigError, match="golden needs the image"):
        load(path, env={})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dock-cam", "dock-cam.json"),
        ("../../etc/passwd", "etc-passwd-"),
        ("Förderband 2", "F-rderband-2-"),
        (".hidden", "hidden-"),
        ("码头", "deployment-"),
    ],
)
def test_any_name_comes_to_a_safe_file(name: str, expected: str) -> None:
    found = file_name(name)
    assert found.startswith(expected)
    assert "/" not in found
    assert file_name(name) == found
    assert file_name(name + " ") != found
