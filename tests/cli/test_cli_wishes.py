"""What the command line says of the screen, and what that makes of the config's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from yolotop.cli import terminal
from yolotop.cli.wish import Wishes
from yolotop.config.schema import UiSettings
from yolotop.tui.themes import NAMES, OWN_THEMES

Run = Callable[..., Result]
ALL = (
    "--range", "7d", "--theme", "ansi-dark", "--view", "table", "--symbols", "ascii",
    "--no-mouse", "--read-only", "--refresh", "2.5", "--low-bandwidth",
)  # fmt: skip


@pytest.fixture
def wished(monkeypatch: pytest.MonkeyPatch) -> list[Wishes]:
    """What the terminal was asked for; it does not open."""
    seen: list[Wishes] = []

    def run_terminal(*, wishes: Wishes, **_rest: object) -> int:
        seen.append(wishes)
        return 0

    monkeypatch.setattr(terminal, "run_terminal", run_terminal)
    return seen


def test_every_flag_reaches_the_settings(run: Run, wished: list[Wishes]) -> None:
    assert run(*ALL).exit_code == 0
    settings = wished[0].applied(UiSettings())
    assert settings == UiSettings(
        theme="ansi-dark",
        range="7d",
        symbols="ascii",
        read_only=True,
        view="table",
        mouse=False,
        refresh_s=2.5,
        low_bandwidth=True,
    )


def test_without_flags_the_config_counts(run: Run, wished: list[Wishes]) -> None:
    assert run().exit_code == 0
    config = UiSettings(
        theme="nord", range="1h", read_only=True, view="map", mouse=False, refresh_s=9.0
    )
    assert wished[0].applied(config) == config


@pytest.mark.parametrize(
    "words", [("--refresh", "0"), ("--view", "pie"), ("--symbols", "unicode")]
)
def test_what_makes_no_sense_is_refused(
    run: Run, wished: list[Wishes], words: tuple[str, ...]
) -> None:
    assert run(*words).exit_code == 2
    assert wished == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--view", "pie"), "'pie' is not one of 'cards', 'compact', 'table', 'map'"),
        (("status", "--range", "2h"), "'2h' is not one of '1h', '6h', '24h', '7d'"),
        (("--refresh", "soon"), "it must be a valid number\n"),
        (("--theme", "nrod"), '"nrod" is no theme; did you mean "nord"?'),
        (("web", "--theme", "x"), '"x" is no theme; known are auto, yolotop, yolo'),
    ],
)
def test_what_is_refused_is_told_with_what_there_is(
    run: Run, words: tuple[str, ...], said: str
) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert f"Error: Invalid value for '{words[-2]}': {said}" in done.stderr


def test_validate_refuses_a_theme_that_no_terminal_has(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "yolotop.toml"
    path.write_text('[ui]\nrange = "1h"\ntheme = "nrod"\n')
    done = run("config", "validate")
    assert done.exit_code == 2
    told = 'theme "nrod" does not exist; did you mean "nord"?'
    assert f"{path}:3: [ui]: {told}" in done.stderr
    problems = json.loads(run("config", "validate", "--json").stdout)["problems"]
    assert [(each["line"], each["message"]) for each in problems] == [(3, told)]
    monkeypatch.setenv("YOLOTOP_UI_THEME", "nrodic")
    done = run("config", "validate")
    assert "environment: YOLOTOP_UI_THEME: theme" in done.stderr
    monkeypatch.setenv("YOLOTOP_UI_THEME", "nord")
    assert run("config", "validate").exit_code == 0


def test_the_names_of_themes_are_those_that_the_terminal_has() -> None:
    from textual.app import App

    there = {"auto", *(theme.name for theme in OWN_THEMES), *App().available_themes}
    assert set(NAMES) == there
    assert len(NAMES) == len(there)


def test_validate_tells_what_of_the_keymap_does_not_count(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "yolotop.toml").write_text('[keymap]\nprobe = "x"\nproob = "P"\n')
    done = run("config", "validate")
    assert done.exit_code == 0
    assert "warning: [keymap] proob: there is no such action; did you mean probe?" in (
        done.stderr
    )
    assert "warning: [keymap] probe: x is pause in the list" in done.stderr
