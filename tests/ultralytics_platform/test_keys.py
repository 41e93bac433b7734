"""Where the key is looked for, and what is said of one that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from control_plane import KEY

from yolotop.errors import ConfigError
from yolotop.platform.keys import ENV, checked, found_key, settings_path, shown
from yolotop.text import MASK


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".config" / "Ultralytics").mkdir(parents=True)
    return tmp_path


def write(home: Path, text: str) -> Path:
    path = home / ".config" / "Ultralytics" / "settings.json"
    path.write_text(text)
    return path


def test_the_environment_goes_before_the_settings(home: Path) -> None:
    path = write(home, json.dumps({"api_key": KEY[:-1] + "f"}))
    env = {"HOME": str(home), ENV: f" {KEY}\n"}
    assert found_key(env) == (KEY, ENV)
    del env[ENV]
    assert found_key(env) == (KEY[:-1] + "f", f"{path}: api_key")


def test_what_is_named_goes_before_all_and_nothing_takes_its_place(home: Path) -> None:
    write(home, json.dumps({"api_key": KEY[:-1] + "f"}))
    env = {"HOME": str(home), ENV: KEY[:-1] + "e"}
    assert found_key(env, named=(f"{KEY}\n", "file:/k")) == (KEY, "file:/k")
    for value in ("", "sk-of-somewhere-else"):
        with pytest.raises(ConfigError, match="file:/k is no key") as caught:
            found_key(env, named=(value, "file:/k"))
        assert "sk-of" not in str(caught.value)


@pytest.mark.parametrize(
    ("env", "platform", "place"),
    [
        ({}, "linux", "/h/.config"),
        ({"XDG_CONFIG_HOME": "/x"}, "linux", "/x"),
        ({"XDG_CONFIG_HOME": ""}, "linux", "/h/.config"),
        ({"YOLO_CONFIG_DIR": "/y", "XDG_CONFIG_HOME": "/x"}, "linux", "/y"),
        ({"YOLO_CONFIG_DIR": "/y"}, "darwin", "/y"),
        ({"YOLO_CONFIG_DIR": "~/y"}, "linux", "/h/y"),
        ({}, "darwin", "/h/Library/Application Support"),
    ],
)
def test_the_settings_lie_where_ultralytics_puts_them(
    env: dict[str, str], platform: str, place: str
) -> None:
    found = settings_path({"HOME": "/h", **env}, platform)
    assert found == Path(place) / "Ultralytics" / "settings.json"


@pytest.mark.parametrize("text", ["{}", '{"api_key": ""}', '{"api_key": 7}', "[]"])
def test_without_a_key_all_places_are_named(home: Path, text: str) -> None:
    path = write(home, text)
    with pytest.raises(ConfigError) as caught:
        found_key({"HOME": str(home)})
    assert ENV in caught.value.message
    assert str(path) in caught.value.message
    assert "yolo login" in caught.value.hint


def test_no_settings_at_all_is_no_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no key"):
        found_key({"HOME": str(tmp_path)})


def test_settings_that_are_broken_are_told(home: Path) -> None:
    write(home, "{")
    with pytest.raises(ConfigError, match="is not JSON"):
        found_key({"HOME": str(home)})


@pytest.mark.parametrize(
    "value", [KEY.upper(), KEY[:-1], KEY + "0", "sk-whatever-else", "ul_" + "g" * 40]
)
def test_what_is_no_key_is_never_repeated(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(value, ENV)
    assert value not in str(caught.value)
    assert ENV in str(caught.value)


def test_as_much_of_a_key_is_shown_as_the_platform_shows() -> None:
    assert shown(KEY) == "ul_01234567…"


def test_of_what_is_no_key_of_the_platform_nothing_is_shown() -> None:
    """Eleven characters may be all of another key."""
    assert shown("hunter2pass") == MASK


def test_settings_that_nobody_may_read_are_told_with_a_cure(home: Path) -> None:
    (home / ".config" / "Ultralytics" / "settings.json").mkdir()
    with pytest.raises(ConfigError, match=r"settings\.json cannot be read") as caught:
        found_key({"HOME": str(home)})
    assert ENV in caught.value.hint


def test_a_place_with_control_characters_is_told_clean(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        found_key({"HOME": f"{tmp_path}/\x1b[2J"})
    assert "\x1b" not in str(caught.value)
