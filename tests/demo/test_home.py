"""The demo's own directory: found, guarded, locked and emptied."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from yolotop.demo import home
from yolotop.errors import ExitCode, LockedError, StoreError, UsageError


@pytest.mark.parametrize(
    ("flag", "env", "found"),
    [
        ("/x", {"YOLOTOP_DATA_DIR": "/y", "XDG_DATA_HOME": "/z"}, "/x"),
        (None, {"YOLOTOP_DATA_DIR": "/y", "XDG_DATA_HOME": "/z"}, "/y/demo"),
        (None, {"XDG_DATA_HOME": "/z"}, "/z/yolotop/demo"),
    ],
)
def test_where_it_is(flag: str | None, env: dict[str, str], found: str) -> None:
    named = None if flag is None else Path(flag)
    assert home.locate(named, env=env) == Path(found)


def test_a_directory_is_made_for_nobody_else(tmp_path: Path) -> None:
    with home.open_home(tmp_path / "a" / "demo") as path:
        assert path.stat().st_mode & 0o777 == 0o700


def test_a_user_s_own_history_is_refused(tmp_path: Path) -> None:
    (tmp_path / "yolotop.db").touch()
    with (
        pytest.raises(UsageError, match="not a demo's") as caught,
        home.open_home(tmp_path),
    ):
        pass
    assert "--data-dir" in caught.value.hint
    assert [file.name for file in tmp_path.iterdir()] == ["yolotop.db"]


def test_a_demo_s_history_is_welcome_again(tmp_path: Path) -> None:
    with home.open_home(tmp_path):
        (tmp_path / "yolotop.db").touch()
    with home.open_home(tmp_path):
        assert (tmp_path / "yolotop.db").exists()


def test_two_demos_do_not_share_one(tmp_path: Path) -> None:
    with (
        home.open_home(tmp_path),
        pytest.raises(LockedError, match=str(os.getpid())) as caught,
        home.open_home(tmp_path),
    ):
        pass
    assert caught.value.exit_code is ExitCode.LOCKED
    with home.open_home(tmp_path):
        pass


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from yolotop.demo.home import open_home\n"
        "with open_home(pathlib.Path(sys.argv[1])):\n"
        "    print(flush=True)\n"
        "    time.sleep(60)\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
    )
    with other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(LockedError), home.open_home(tmp_path):
            pass
        other.kill()
    with home.open_home(tmp_path):
        pass


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Not a directory"):
        home.open_home(tmp_path / "file" / "demo").__enter__()


def test_a_reset_deletes_the_demo_s_files_and_no_others(tmp_path: Path) -> None:
    mine = ["notes.txt", "yolotop.toml"]
    demos = [
        "demo.toml",
        "demo-platform.key",
        "fleet.log",
        "yolotop.db",
        "yolotop.db-wal",
        "yolotop.db-shm",
    ]
    for name in (*mine, *demos):
        (tmp_path / name).touch()
    home.reset(tmp_path)
    home.reset(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == mine
