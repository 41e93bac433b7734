"""What the command line says of the screen, and what that makes of the config's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from yolotop.cli import terminal
from yolotop.cli.wish import Wishes
from yolotop.config.schema import UiSettings

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
