"""The config file followed: real files, real edits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from yolotop.collect.roster import Change, FileSource, compare
from yolotop.errors import ConfigError
from yolotop.model import Deployment

CAM = Deployment("cam", "http://h")
DOCK = Deployment("dock", "http://d")


def table(name: str) -> str:
    return f'[[deployment]]\nname = "{name}"\nurl = "http://127.0.0.1:9"\n'


def write(path: Path, text: str) -> None:
    """Write as editors do: beside, then over."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def test_an_edit_is_noticed_once(tmp_path: Path) -> None:
    path = tmp_path / "yolotop.toml"
    path.write_text(table("cam"))
    source = FileSource(path, env={}, data_dir=tmp_path)
    assert [d.name for d in source.load().deployments] == ["cam"]
    assert not source.changed()
    write(path, table("cam") + table("dock"))
    assert source.changed()
    assert [d.name for d in source.load().deployments] == ["cam", "dock"]
    assert not source.changed()


def test_a_file_that_vanishes_is_a_broken_edit(tmp_path: Path) -> None:
    path = tmp_path / "yolotop.toml"
    path.write_text(table("cam"))
    source = FileSource(path, env={}, data_dir=tmp_path)
    source.load()
    path.unlink()
    assert source.changed()
    with pytest.raises(ConfigError):
        source.load()
    write(path, table("cam"))
    assert source.changed()
    assert len(source.load().deployments) == 1


def test_without_a_file_one_that_appears_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    source = FileSource(None, env=env, data_dir=tmp_path)
    assert source.load().deployments == ()
    assert not source.changed()
    path = tmp_path / "config" / "yolotop" / "yolotop.toml"
    path.parent.mkdir(parents=True)
    path.write_text(table("cam"))
    os.chmod(path, 0o600)  # noqa: PTH101 - as `yolotop add` leaves it
    assert source.changed()
    assert source.load().path == path
    # From here on it stays the file, whatever else the search would find first.
    (tmp_path / "yolotop.toml").write_text(table("dock"))
    assert not source.changed()


def test_what_differs_is_told_in_words() -> None:
    slower = Deployment("cam", "http://h", interval_s=60.0, slow_ms=250.0)
    changes = compare({"cam": CAM, "dock": DOCK}, {"new": DOCK, "cam": slower})
    assert [(change.name, str(change)) for change in changes] == [
        ("dock", "removed; its history stays"),
        ("new", "added"),
        ("cam", "changed: interval, slow"),
    ]
    assert compare({"cam": CAM}, {"cam": CAM}) == ()


def test_only_another_address_is_another_endpoint() -> None:
    moved = Deployment("cam", "http://elsewhere")
    slower = Deployment("cam", "http://h", interval_s=60.0)
    assert Change("cam", CAM, moved).asks_elsewhere
    assert not Change("cam", CAM, slower).asks_elsewhere
    assert not Change("cam", None, CAM).asks_elsewhere
    assert not Change("cam", CAM, None).asks_elsewhere
