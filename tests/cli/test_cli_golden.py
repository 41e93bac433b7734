"""``golden set``, ``show`` and ``clear``: asked first, shown, agreed to, written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from typer.testing import Result

from yolotop.cli.drawing import coloured
from yolotop.config.load import load
from yolotop.probe.frames import synthetic
from yolotop.tui.ink import Span, literal

Run = Callable[..., Result]
KEY = "test-key-0123456789"


class Home(Protocol):
    """What conftest's Home offers."""

    path: Path
    config: Path

    def write(self, text: str) -> Path: ...


class Pty(Protocol):
    """What conftest's Pty offers."""

    painted: bytes

    def sees(self, text: str) -> None: ...
    def types(self, keys: str) -> None: ...
    def ends(self) -> int: ...


class Scripted(Protocol):
    """What conftest's Scripted offers."""

    url: str
    predict: list[Any]
    asked: list[str]


@pytest.fixture
def registered(home: Home, served: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A config with one deployment and a picture beside it; its text."""
    monkeypatch.setenv("DOCK_KEY", KEY)
    (home.path / "gate.jpg").write_bytes(synthetic(3).data)
    text = (
        "# mine\n[defaults]\nexpect = { drawn = true }\n\n[[deployment]] # first\n"
        f'name = "dock"\nurl = "{served}"\napi_key = "env:DOCK_KEY"\n'
    )
    home.write(text)
    return text


def test_pinned_shown_checked_and_cleared(
    run: Run, home: Home, registered: str
) -> None:
    done = run("golden", "set", "dock", "gate.jpg", "--yes")
    assert done.exit_code == 0, done.stderr
    assert "triangle" in done.stdout
    assert "seen:     circle ×1, square ×1, triangle ×2" in done.stderr
    assert "model:    " in done.stderr
    assert "model shapes" in done.stderr
    text = home.config.read_text()
    assert text == registered + 'image = "gate.jpg"\ngolden = "golden/dock.json"\n'
    checked = run("check", "dock", "--json")
    assert checked.exit_code == 0
    assert json.loads(checked.stdout)[1]["message"] == "4 detections, as pinned"
    shown = run("golden", "show", "dock")
    assert shown.exit_code == 0
    assert "answered: " in shown.stderr
    document = json.loads(run("golden", "show", "dock", "--json").stdout)
    assert len(document["detections"]) == 4
    assert document == json.loads((home.path / "golden" / "dock.json").read_text())
    assert run("golden", "clear", "dock", "--yes").exit_code == 0
    assert home.config.read_text() == registered + 'image = "gate.jpg"\n'
    assert run("golden", "show", "dock").exit_code == 1
    assert run("golden", "show", "dock", "--json").stdout == "null\n"
    assert run("golden", "clear", "dock", "--yes").exit_code == 1


@pytest.mark.parametrize("words", [("set", "dock", "gate.jpg"), ("clear", "dock")])
def test_without_anybody_to_ask_nothing_happens(
    run: Run, home: Home, registered: str, words: tuple[str, ...]
) -> None:
    if words[0] == "clear":
        assert run("golden", "set", "dock", "gate.jpg", "--yes").exit_code == 0
    before = home.config.read_text()
    done = run("golden", *words)
    assert done.exit_code == 2
    assert "There is nobody to ask" in done.stderr
    assert "--yes" in done.stderr
    assert home.config.read_text() == before


@pytest.mark.parametrize(("key", "code"), [("y", 0), ("n", 1)])
def test_somebody_sees_the_picture_and_agrees_or_not(
    home: Home, registered: str, sit_at: Callable[..., Pty], key: str, code: int
) -> None:
    import os

    home.env["DOCK_KEY"] = os.environ["DOCK_KEY"]  # type: ignore[attr-defined]
    pty = sit_at("golden", "set", "dock", "gate.jpg")
    pty.sees("Pin this answer for dock in")
    assert b"circle 0.94" in pty.painted
    assert "▀".encode() in pty.painted, "the picture itself"
    pty.types(f"{key}\r")
    assert pty.ends() == code
    [dock] = load(home.config, env={}).deployments
    assert (dock.golden is not None) is (code == 0)
    assert (home.path / "golden").exists() is (code == 0)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, {"detail": "CUDA error"}, "CUDA error"),
        (200, {"no": "prediction"}, "no detections"),
    ],
)
def test_only_a_right_answer_is_pinned(
    run: Run,
    home: Home,
    scripted: Scripted,
    status: int,
    body: dict[str, object],
    said: str,
) -> None:
    (home.path / "gate.jpg").write_bytes(synthetic(3).data)
    home.write(f'[[deployment]]\nname = "a"\nurl = "{scripted.url}"\n')
    before = home.config.read_text()
    scripted.predict = [(status, {}, body)]
    done = run("golden", "set", "a", "gate.jpg", "--yes")
    assert done.exit_code == 1
    assert said in done.stderr
    assert "Nothing was pinned" in done.stderr
    assert home.config.read_text() == before


def test_an_empty_answer_is_pinned_with_a_word_about_it(
    run: Run, home: Home, scripted: Scripted
) -> None:
    (home.path / "gate.jpg").write_bytes(synthetic(3).data)
    home.write(f'[[deployment]]\nname = "a"\nurl = "{scripted.url}"\n')
    done = run("golden", "set", "a", "gate.jpg", "--yes")
    assert done.exit_code == 0, done.stderr
    assert "a model gone blind would not be noticed" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "dock", "gone.jpg", "--yes"), "no such file"),
        (("set", "dock", "yolotop.toml", "--yes"), "Name a JPEG or PNG file"),
        (("set", "dokc", "gate.jpg", "--yes"), 'Did you mean "dock"?'),
        (("show", "nobody"), "There is no deployment"),
    ],
)
def test_what_cannot_be(
    run: Run, registered: str, words: tuple[str, ...], said: str
) -> None:
    done = run("golden", *words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_rows_in_the_colours_there_are() -> None:
    rows = [(Span("a", literal((255, 0, 0), (0, 0, 0)) + "+bold"), Span("b", "dim"))]
    deep = coloured(rows, {"COLORTERM": "truecolor", "TERM": "xterm"})
    assert deep == ("\x1b[0;38;2;255;0;0;48;2;0;0;0;1ma\x1b[0;2mb\x1b[0m")
    some = coloured(rows, {"TERM": "xterm-256color"})
    assert some == "\x1b[0;38;5;196;48;5;16;1ma\x1b[0;2mb\x1b[0m"
    assert coloured(rows, {"TERM": "xterm-256color", "NO_COLOR": "1"}) == "ab"
    assert coloured(rows, {"TERM": "vt100"}) == "ab"
