"""How the program begins: the terminal without Typer, everything else with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from yolotop.cli.start import places_in


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], {}),
        (["--config", "a.toml"], {"config": Path("a.toml")}),
        (["-c", "a.toml"], {"config": Path("a.toml")}),
        (
            ["--data-dir", "d", "--config", "a.toml"],
            {"data_dir": Path("d"), "config": Path("a.toml")},
        ),
    ],
)
def test_where_things_are_needs_no_typer(
    words: list[str], found: dict[str, Path]
) -> None:
    assert places_in(words) == found


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["--help"],
        ["--config"],
        ["--config=a.toml"],
        ["--config", "--data-dir"],
        ["--config", ""],
        ["--config", "a", "--config", "b"],
        ["--config", "a", "-c", "b"],
        ["--config", "a", "status"],
        ["--view", "map"],
    ],
)
def test_anything_else_is_typers(words: list[str]) -> None:
    assert places_in(words) is None


def test_the_way_to_the_first_picture_loads_neither_typer_nor_textual() -> None:
    program = (
        "import sys, yolotop.cli.start, yolotop.cli.terminal, yolotop.config.load\n"
        "import yolotop.view.session, yolotop.store.open, yolotop.tui.first_light\n"
        "wrong = {'typer', 'click', 'textual'} & {m.partition('.')[0] for m in "
        "sys.modules}\n"
        "sys.exit(repr(wrong) if wrong else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == 0
