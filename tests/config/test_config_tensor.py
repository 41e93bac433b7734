"""``[deployment.tensor]``: what goes into a server of tensors and comes out of it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from yolotop.config.edit import add_deployment
from yolotop.config.load import parse
from yolotop.config.origin import BUILT_IN, settings_of
from yolotop.errors import ConfigError
from yolotop.model.preset import Head, Task, Tensor

ONE = '[[deployment]]\nname = "a"\nurl = "http://h"\n'
FULL = """
[deployment.tensor]
input = "x"
shape = [-1, 3, 640, 640]
datatype = "UINT8"
output = "y"
head = "raw"
task = "pose"
keypoints = [17, 3]
binary = true
"""
MEANT = Tensor(
    "x", (-1, 3, 640, 640), "UINT8", "y", Head.RAW, Task.POSE, (17, 3), binary=True
)


def read(text: str) -> Tensor | None:
    return parse(text, path=Path("/x/yolotop.toml"), env={}).deployments[0].tensor


def test_every_key_is_read_and_nothing_is_none() -> None:
    assert read(ONE + FULL) == MEANT
    assert read(ONE) is None
    assert read(ONE + "tensor = { shape = [] }") == Tensor()
    assert read(ONE + "[deployment.tensor]\n") == Tensor()


def test_the_defaults_hold_for_those_that_say_nothing() -> None:
    defaults = '[defaults.tensor]\ninput = "x"\n'
    assert read(defaults + ONE) == Tensor(input="x")
    # A table is taken whole: the own one hides the other.
    assert read(defaults + ONE + "[deployment.tensor]\nbinary = true\n") == Tensor(
        binary=True
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("tensor = 3", "tensor is an integer; write a table"),
        ("tensor = { imput = 'x' }", "input"),
        ("tensor = { input = '' }", "1 to 200 printable"),
        ("tensor = { shape = [1, 1, 3, 9, 9] }", "up to four whole numbers"),
        ("tensor = { shape = [1, 3, 0, 640] }", "-1 where any"),
        ("tensor = { shape = [1, 3, 640, 640.0] }", "whole numbers"),
        ("tensor = { datatype = 'FP31' }", "known are FP32"),
        ("tensor = { head = 'end2ned' }", '"end2end"'),
        ("tensor = { task = 'poses' }", '"pose"'),
        ("tensor = { keypoints = 17 }", "such as [17, 3]"),
        ("tensor = { keypoints = [17, 4] }", "2 or 3 numbers"),
        ("tensor = { binary = 'yes' }", "true or false"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(line: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(ONE + line)
    assert says in str(caught.value)
    assert "yolotop.toml:4" in str(caught.value)


def test_what_add_writes_is_read_back_and_its_origin_told(tmp_path: Path) -> None:
    path = tmp_path / "yolotop.toml"
    table = tomllib.loads(ONE + FULL)["deployment"][0]
    add_deployment(path, table)
    found = {one.key: one for one in settings_of(path, "a", {})}
    line = path.read_text().splitlines().index("shape = [-1, 3, 640, 640]") + 1
    assert found["tensor.shape"].value == "[-1, 3, 640, 640]"
    assert found["tensor.shape"].origin == f"yolotop.toml:{line}"
    assert found["tensor.head"].value == '"raw"'
    assert read(path.read_text()) == MEANT
    path.write_text(ONE)
    unset = {one.key: one for one in settings_of(path, "a", {})}
    assert (unset["tensor"].value, unset["tensor"].origin) == ("none", BUILT_IN)
    assert "tensor.shape" not in unset
