"""Where each setting comes from: own table, defaults, environment, built in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from yolotop.config.deployment import KEYS
from yolotop.config.expect import EXPECT_KEYS
from yolotop.config.golden import TOLERANCE_KEYS
from yolotop.config.load import load
from yolotop.config.origin import BUILT_IN, Setting, settings_of
from yolotop.config.preset_tables import PARTS
from yolotop.errors import ConfigError

FILE = """\
[defaults]
timeout = "3s"
interval = "20s"
tags = ["edge", "a\\"b"]
expect = { min_detections = 2, labels = ["circle"] }

[[deployment]]
name = "one"
url = "https://me.example/?api_key=hunter2hunter2&x=1"
api_key = "env:ONE_KEY"
timeout = "4s"
location = [52.520008, 13]

[[deployment]]
name = "two"
url = "http://two"
scale_to_zero = true
[deployment.expect]
max_detections = 9
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "yolotop.toml"
    path.write_text(FILE)
    return path


def by_key(path: Path, name: str, **env: str) -> dict[str, Setting]:
    return {setting.key: setting for setting in settings_of(path, name, env)}


def test_each_has_its_place(path: Path) -> None:
    found = by_key(path, "one", YOLOTOP_DEFAULTS_INTERVAL="30s")
    expected = [
        *KEYS[: KEYS.index("tolerance")],
        *(f"tolerance.{k}" for k in TOLERANCE_KEYS),
        *(f"expect.{k}" for k in EXPECT_KEYS),
    ]
    # What runs elsewhere is not told of what does not.
    expected = [key for key in expected if key not in ("platform", "probe")]
    plain = [key for key in expected if key not in PARTS]
    assert [key for key in found if key.split(".")[0] not in PARTS] == [
        *plain,
        "paused",
    ]
    told = {key: (item.value, item.origin) for key, item in found.items()}
    assert told["name"] == ('"one"', "yolotop.toml:8")
    assert told["timeout"] == ('"4s"', "yolotop.toml:11")
    assert told["location"] == ("[52.520008, 13]", "yolotop.toml:12")
    assert told["interval"] == ('"30s"', "YOLOTOP_DEFAULTS_INTERVAL")
    assert told["tags"] == ('["edge", "a\\"b"]', "[defaults], yolotop.toml:4")
    assert told["expect.labels"] == ('["circle"]', "[defaults], yolotop.toml:5")
    assert told["expect.drawn"] == ("false", BUILT_IN)
    assert told["predict_interval"] == ('"1m"', BUILT_IN)
    assert told["slow"] == ("none", BUILT_IN)
    assert told["maintenance"] == ("[]", BUILT_IN)
    assert told["request.path"] == ('"/predict"', "dialect ultralytics")
    assert told["auth.carrier"] == ('"bearer"', "dialect ultralytics")


def test_what_a_preset_says_and_what_the_file_says_instead(path: Path) -> None:
    path.write_text(
        '[preset.mine]\nbase = "deepstack"\n[preset.mine.request]\nfield = "pic"\n'
        '[[deployment]]\nname = "x"\nurl = "http://h"\ndialect = "mine"\n'
        'liveness = false\n[deployment.response]\nlabel = "/what"\n'
    )
    told = {k: (s.value, s.origin) for k, s in by_key(path, "x").items()}
    assert told["liveness"] == ("false", "yolotop.toml:9")
    assert told["request.field"] == ('"pic"', "dialect mine")
    assert told["response.label"] == ('"/what"', "yolotop.toml:11")
    assert told["response.detections"] == ('"/predictions"', "dialect mine")
    assert told["auth.name"] == ('"api_key"', "dialect mine")


def test_an_own_table_hides_the_other_and_defaults_depend(path: Path) -> None:
    found = by_key(path, "two")
    assert found["expect.max_detections"].origin == "yolotop.toml:19"
    assert found["expect.min_detections"] == Setting(
        "expect.min_detections", "none", BUILT_IN
    )
    assert found["predict_interval"].value == '"1h"'
    assert found["interval"].value == '"20s"'


def test_a_secret_is_there_by_reference_only(path: Path) -> None:
    found = by_key(path, "one", ONE_KEY="s3cr3t-s3cr3t")
    assert found["api_key"].value == '"env:ONE_KEY"'
    said = repr(found)
    assert "s3cr3t" not in said
    assert "hunter2" not in said


def test_what_is_told_is_what_is_in_force(path: Path) -> None:
    """Written out as a file of its own, it is the same deployment."""
    for name in ("one", "two"):
        found = by_key(path, name)
        found.pop("url")
        lines = [f"{i.key} = {i.value}" for i in found.values() if i.value != "none"]
        deployment = load(path, env={}).deployment(name)
        assert deployment is not None
        again = path.with_name("again.toml")
        again.write_text(
            f"[[deployment]]\nurl = '{deployment.url}'\n" + "\n".join(lines) + "\n"
        )
        assert load(again, env={}).deployments == (deployment,)


def test_a_name_that_is_not_there(path: Path) -> None:
    with pytest.raises(ConfigError, match='no deployment "on"') as caught:
        settings_of(path, "on", os.environ)
    assert caught.value.hint == 'Did you mean "one"?'


def test_a_broken_file(path: Path) -> None:
    path.write_text(FILE + "[ui]\nnonsense = 1\n")
    with pytest.raises(ConfigError, match="nonsense"):
        settings_of(path, "one", {})
