"""The program as a whole: options everywhere, exit codes, and how it fails."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from typer.testing import Result

from yolotop import __version__

Run = Callable[..., Result]
ONE = '[[deployment]]\nname = "dock-cam"\nurl = "http://127.0.0.1:9"\n'


class Home(Protocol):
    """What conftest's Home offers."""

    path: Path
    config: Path
    data_dir: Path
    env: dict[str, str]

    def write(self, text: str) -> Path: ...
    def yolotop(
        self, *args: str, text_input: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]: ...
    def start(self, *args: str) -> subprocess.Popen[str]: ...


def test_version(run: Run) -> None:
    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, f"yolotop {__version__}\n")


def test_help_names_every_command(run: Run) -> None:
    done = run("--help")
    assert done.exit_code == 0
    listed = done.stdout.split("Commands:")[1]
    commands = re.findall(r"^  (\w+)  ", listed, re.MULTILINE)
    expected = (
        "demo serve web check bench status logs add list remove collect stop golden "
        "config"
    )
    assert " ".join(commands) == expected


@pytest.mark.parametrize(
    ("args", "banned"),
    [
        (["--version"], {"textual", "httpx", "rich", "aiosqlite"}),
        (["--help"], {"textual", "httpx"}),
        (["check", "--help"], {"textual", "httpx"}),
        (["list"], {"textual", "httpx"}),
        (["config", "path"], {"textual", "httpx", "rich"}),
        (["status", "--json"], {"textual", "httpx", "rich"}),
        # httpx brings Rich along where it is installed.
        (["check", "--json"], {"textual", "aiosqlite"}),
    ],
)
def test_commands_load_only_what_they_use(
    home: Home, args: list[str], banned: set[str]
) -> None:
    home.write(ONE)
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('LOADED', *sys.modules, file=sys.stderr))\n"
        f"sys.argv[1:] = {args!r}\n"
        "from yolotop.cli.start import run\n"
        "run()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=home.env,
        cwd=home.path,
        check=False,
    )
    assert done.returncode in (0, 1)
    loaded = set(done.stderr.split("LOADED", 1)[1].split())
    assert "yolotop.cli.main" in loaded
    assert loaded.isdisjoint(banned)


@pytest.mark.parametrize(
    "args",
    [
        ["list", "--json"],
        ["status", "--json"],
        ["logs", "--json"],
        ["config", "validate", "--json"],
        ["config", "path"],
        ["check", "--json"],
    ],
)
@pytest.mark.parametrize("place", ["before", "after"])
def test_config_and_data_dir_stand_before_or_after(
    run: Run, home: Home, args: list[str], place: str
) -> None:
    other = home.path / "other.toml"
    other.write_text(ONE)
    options = ["--config", str(other), "--data-dir", str(home.path / "elsewhere")]
    done = run(*(options + args if place == "before" else args + options))
    assert done.exit_code == (1 if args[0] == "check" else 0), done.stderr
    if args[0] in ("status", "logs"):
        assert f"no history in {home.path / 'elsewhere'}" in done.stderr
        assert not (home.path / "elsewhere").exists(), "to look is not to create"
    else:
        assert ("other.toml" if args[0] == "config" else "dock-cam") in done.stdout
    assert not home.data_dir.exists()


def test_what_stands_after_wins(run: Run, home: Home) -> None:
    one, two = home.path / "1.toml", home.path / "2.toml"
    one.write_text(ONE)
    two.write_text("")
    done = run("--config", str(one), "config", "path", "--config", str(two))
    assert done.stdout == f"{two}\n"


@pytest.mark.parametrize(
    "args", [["nonsense"], ["check", "--nonsense"], ["status", "--range", "3h"]]
)
def test_usage_errors_exit_with_2(run: Run, args: list[str]) -> None:
    done = run(*args)
    assert done.exit_code == 2
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["check", "list", "status", "logs"])
def test_a_broken_config_is_told_in_full_on_stderr(
    run: Run, home: Home, command: str
) -> None:
    home.write(ONE + 'intervall = "5s"\ntimeout = 5\n')
    done = run(command)
    assert done.exit_code == 2
    assert done.stdout == ""
    title, first, second, hint = done.stderr.strip().split("\n")
    assert title == "The configuration cannot be used"
    assert first.startswith(f'{home.config}:4: [[deployment]] "dock-cam": unknown key')
    assert first.endswith('did you mean "interval"?')
    assert second.startswith(f"{home.config}:5: ")
    assert hint == "→ Correct this and run `yolotop config validate`"


def test_without_a_terminal_the_terminal_says_what_works(home: Home) -> None:
    done = home.yolotop()
    assert done.returncode == 2
    assert "yolotop status" in done.stderr


CRASH = """
import sys
from yolotop.cli.main import app
from yolotop.cli.start import run

@app.command()
def boom() -> None:
    local_secret = "hunter2-in-a-local"
    raise ValueError("api_key=sk-123456789 \\x1b[31mred")

sys.argv[1:] = ["boom"]
run()
"""


def test_a_fault_of_ours_leaves_a_file_and_no_secrets(home: Home) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASH],
        capture_output=True,
        text=True,
        env=home.env,
        check=False,
    )
    assert done.returncode == 70
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "ValueError" in done.stderr
    (kept,) = home.data_dir.glob("crash-*.txt")
    assert str(kept) in done.stderr
    assert kept.stat().st_mode & 0o777 == 0o600
    text = kept.read_text()
    assert "in boom" in text
    for secret in ("sk-123456789", 'hunter2-in-a-local"'):
        assert secret not in done.stderr
    assert "sk-123456789" not in text
    assert "\x1b" not in done.stderr


def test_a_reader_that_goes_away_is_no_error(home: Home) -> None:
    home.write("\n".join(ONE.replace("dock-cam", f"cam-{n}") for n in range(500)))
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "yolotop", "list", "--json"],
            stdout=closed,
            stderr=subprocess.PIPE,
            env=home.env,
            cwd=home.path,
            check=False,
        )
    assert done.returncode == 141
    assert done.stderr == b""


def test_ctrl_c_is_130_and_quiet(home: Home) -> None:
    process = home.start("logs", "--follow")
    with process:
        assert process.stdout is not None
        # The database is there as soon as the follower has begun to follow.
        deadline = time.monotonic() + 20
        while not list(home.data_dir.glob("*.db*")) and process.poll() is None:
            if time.monotonic() > deadline:
                process.kill()  # or leaving the block would wait for it for ever
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert (out, err) == ("", "")


def test_names_survive_a_locale_that_cannot_show_them(home: Home) -> None:
    home.config.write_text(ONE.replace("dock-cam", "門-3"), encoding="utf-8")
    done = home.yolotop("list", "--json", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert "\\u9580-3" in done.stdout
