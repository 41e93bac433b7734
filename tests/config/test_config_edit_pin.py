"""A pinned image: two keys of one table, and no other byte."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from yolotop.config.edit import pin_image
from yolotop.config.load import load
from yolotop.errors import ConfigError
from yolotop.model import Expectation

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


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    (tmp_path / "old.jpg").write_bytes(b"x")
    path = tmp_path / "images" / "gate.jpg"
    path.parent.mkdir()
    path.write_bytes(b"x")
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
    pin_image(path, "dock-cam", str(picture), ["car", "dog", "car"], 2)
    now = path.read_bytes().decode()
    dock, belt = load(path, env={}).deployments
    assert dock.image == str(picture)
    assert dock.expect.labels == ("car", "dog")
    assert dock.expect.min_detections == 2
    assert not dock.expect.drawn
    assert belt.expect == Expectation(drawn=True)
    # Everything before and behind stays to the byte; and so does every comment.
    head, end = HEAD.replace("\n", newline), tail.replace("\n", newline)
    assert now.startswith(head)
    assert now.endswith(end)
    for line in FORMS[form].splitlines():
        comment = line.partition("#")[2]
        assert comment in now or "labels" in FORMS[form]
    assert "\r" not in now if newline == "\n" else now.count("\r\n") == now.count("\n")


def test_an_image_elsewhere_is_named_in_full(tmp_path: Path, picture: Path) -> None:
    path = tmp_path / "etc" / "yolotop.toml"
    path.parent.mkdir()
    path.write_text(HEAD)
    pin_image(path, "dock-cam", str(picture), [], 0)
    [table] = tomllib.loads(path.read_text())["deployment"]
    assert table["image"] == str(picture)
    assert table["expect"] == {"labels": [], "min_detections": 0}


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
        pin_image(path, "dock-cam", str(picture), ["car"], 1)
    assert path.read_text() == text


def test_an_image_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "yolotop.toml"
    path.write_text(HEAD)
    with pytest.raises(ConfigError, match="which is not a file"):
        pin_image(path, "dock-cam", str(tmp_path / "gone.jpg"), ["car"], 1)
    assert path.read_text() == HEAD
