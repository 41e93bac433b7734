"""Finding and reading the file: the order, the data directory, files of every kind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from yolotop.config.load import FILE_NAME, config_dir, find, load, search_paths
from yolotop.errors import ConfigError

ONE = '[[deployment]]\nname = "a"\nurl = "http://h"\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder and a working directory that are nobody's."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return tmp_path


def write(path: Path, text: str = ONE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_search_order(home: Path) -> None:
    named, here = home / "named.toml", home / "cwd" / FILE_NAME
    users = config_dir({}) / FILE_NAME
    env = {"YOLOTOP_CONFIG": str(named)}
    assert search_paths(env) == [named, here, users]
    assert find(env={}) is None
    write(users)
    assert find(env={}) == users
    write(here)
    assert find(env={}) == here
    write(named)
    assert find(env=env) == named
    explicit = write(home / "explicit.toml")
    assert find(explicit, env=env) == explicit


def test_the_users_folder_is_that_of_the_environment_given(home: Path) -> None:
    env = {"XDG_CONFIG_HOME": str(home / "xdg"), "XDG_DATA_HOME": str(home / "data")}
    assert search_paths(env)[-1] == home / "xdg" / "yolotop" / FILE_NAME
    assert load(None, env=env).data_dir == home / "data" / "yolotop"
    assert load(None, env={}).data_dir == home / "home/.local/share/yolotop"


@pytest.mark.parametrize("by", ["--config", "YOLOTOP_CONFIG"])
def test_a_named_file_must_exist(home: Path, by: str) -> None:
    path = home / "gone.toml"
    env = {"YOLOTOP_CONFIG": str(path)} if by == "YOLOTOP_CONFIG" else {}
    with pytest.raises(ConfigError, match=f"{by} names it"):
        find(path if by == "--config" else None, env=env)


def test_the_data_dir_flag_beats_variable_beats_key_beats_default(home: Path) -> None:
    path = write(home / "conf" / "y.toml", 'data_dir = "history"\n' + ONE)
    env = {"YOLOTOP_DATA_DIR": "by-variable"}
    cwd = home / "cwd"
    assert load(path, env=env, data_dir=Path("flag")).data_dir == cwd / "flag"
    assert load(path, env=env).data_dir == cwd / "by-variable"
    assert load(path, env={}).data_dir == home / "conf" / "history"
    plain = write(home / "conf" / "plain.toml")
    assert load(plain, env={}).data_dir == home / "home/.local/share/yolotop"


def test_a_home_folder_is_expanded(home: Path) -> None:
    path = write(home / "y.toml", 'data_dir = "~/h"')
    assert load(path, env={}).data_dir == home / "home" / "h"
    with pytest.raises(ConfigError, match="no such home folder"):
        load(path, env={}, data_dir=Path("~nobody-of-that-name/x"))


def test_no_file_is_an_empty_config(home: Path) -> None:
    config = load(None, env={"YOLOTOP_UI_RANGE": "7d"})
    assert config.path is None
    assert config.deployments == ()
    assert config.ui.range == "7d"


def test_files_that_are_no_text(home: Path) -> None:
    path = home / "y.toml"
    path.write_bytes(b'a = 1\nb = "\xff"\n')
    with pytest.raises(ConfigError, match=r"y\.toml:2: is not UTF-8"):
        load(path, env={})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(home, env={})
    path.write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="larger than 4 MiB"):
        load(path, env={})


def test_a_pipe_is_refused_since_it_can_be_read_only_once(home: Path) -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(ConfigError, match="not a regular file"):
            load(Path(f"/dev/fd/{reading}"), env={})
    finally:
        os.close(reading)
        os.close(writing)


def test_windows_line_ends_and_a_byte_order_mark(home: Path) -> None:
    path = home / "y.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ONE.replace("\n", "\r\n").encode())
    assert load(path, env={}).deployments[0].name == "a"
    path.write_bytes((ONE + "x = 1\n").replace("\n", "\r\n").encode())
    with pytest.raises(ConfigError, match=r"y\.toml:4: "):
        load(path, env={})


def test_a_file_that_everyone_may_write_is_a_warning(home: Path) -> None:
    path = write(home / "y.toml")
    path.chmod(0o600)
    assert load(path, env={}).warnings == ()
    path.chmod(0o666)
    assert "everyone may write" in load(path, env={}).warnings[0]
