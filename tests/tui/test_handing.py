"""What is taken away from the screen: the clipboard's sequence, files, pictures."""

from __future__ import annotations

import base64
import re
import stat
from pathlib import Path

import pytest
from tui_fleet import MakeApp, Settle, board

from yolotop.tui import clipboard, files
from yolotop.tui.app import YolotopApp

OSC = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")
HOSTILE = "gate-3 \x1b[2J\x07 [red]é漢\u202e\n"


def decoded(sequence: str) -> str:
    match = OSC.fullmatch(sequence)
    assert match is not None
    return base64.b64decode(match[1]).decode()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What went to the driver since, clipboard sequences only."""
    found: list[str] = []

    def write(app: YolotopApp, text: str) -> None:
        found.append(clipboard.sequence(text, app._env))

    monkeypatch.setattr(YolotopApp, "copy_to_clipboard", write)
    return found


def notes(app: YolotopApp) -> list[str]:
    return [note.message for note in app._notifications]


def test_text_of_any_kind_is_inside_and_never_bare() -> None:
    assert decoded(clipboard.sequence(HOSTILE, {})) == HOSTILE


def test_tmux_gets_it_both_ways() -> None:
    sent = clipboard.sequence("x", {"TMUX": "/run/tmux,1,0"})
    plain = clipboard.sequence("x", {})
    assert sent.startswith(plain)
    inner = re.fullmatch(r"\x1bPtmux;(.*)\x1b\\", sent.removeprefix(plain), re.DOTALL)
    assert inner is not None
    assert inner[1].replace("\x1b\x1b", "\x1b") == plain


def test_screen_gets_it_in_small_pieces() -> None:
    text = "a long line " * 40
    sent = clipboard.sequence(text, {"STY": "1.pts-0"})
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sent, re.DOTALL)
    assert len(pieces) > 5
    assert max(map(len, pieces)) <= 76
    assert decoded("".join(pieces)) == text


def test_the_longest_text_comes_to_what_terminals_take() -> None:
    text = "x" * clipboard.MOST_BYTES
    assert clipboard.fits(text)
    assert len(clipboard.sequence(text, {})) == 100_000
    assert not clipboard.fits(text + "x")
    assert not clipboard.fits("漢" * (clipboard.MOST_BYTES // 3 + 1))


async def test_a_copy_is_sent_not_copied(
    make_app: MakeApp, settle: Settle, written: list[str]
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        board(app).copy("curl http://127.0.0.1", "the command")
        await pilot.pause()
        assert decoded(written[0]) == "curl http://127.0.0.1"
        assert notes(app) == ["the command: sent to the terminal's clipboard"]


async def test_too_much_is_not_sent_and_the_way_out_is_named(
    make_app: MakeApp, settle: Settle, written: list[str]
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        board(app).copy("x" * 100_000, "900 lines")
        await pilot.pause()
        assert written == []
        (note,) = notes(app)
        assert note.startswith("900 lines: 97 KiB are more than terminals take; w ")


async def test_a_file_is_new_private_and_named_in_full(
    make_app: MakeApp,
    settle: Settle,
    work: Settle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        for text in ("one", "two"):
            board(app).save(text, "yolotop.log")
            await work(pilot)
    assert (tmp_path / "yolotop.log").read_text() == "one"
    assert (tmp_path / "yolotop-2.log").read_text() == "two"
    assert stat.S_IMODE((tmp_path / "yolotop.log").stat().st_mode) == 0o600
    assert notes(app) == [
        f"Written: {tmp_path}/yolotop.log",
        f"Written: {tmp_path}/yolotop-2.log",
    ]


async def test_nowhere_to_write_is_said(
    make_app: MakeApp,
    settle: Settle,
    work: Settle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "folders", lambda: [tmp_path / "gone"])
    app = make_app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        board(app).save("one", "yolotop.log")
        await work(pilot)
    (note,) = notes(app)
    assert "gone: No such file or directory" in note


def test_the_next_folder_takes_what_the_first_refuses(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    path = files.write_new("x", "a.log", [tmp_path / "gone", tmp_path / "home"])
    assert path == tmp_path / "home" / "a.log"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.log").symlink_to(tmp_path / "precious")
    assert files.write_new("x", "a.log", [tmp_path]) == tmp_path / "a-2.log"
    assert not (tmp_path / "precious").exists()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("gate-3.log", "gate-3.log"),
        ("../../etc/passwd", "etc-passwd"),
        ("-rf.log", "rf.log"),
        ("a b;漢\n.sv$g", "a-b-sv-g"),
        (".bashrc", "yolotop.bashrc"),
        ("", "yolotop"),
        ("x" * 300 + ".log", "x" * 100 + ".log"),
    ],
)
def test_names_are_safe_everywhere(name: str, safe: str) -> None:
    assert files.safe_name(name) == safe


async def test_a_picture_of_the_screen_fetches_nothing(
    make_app: MakeApp,
    settle: Settle,
    work: Settle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+g")
        await pilot.pause()
    (picture,) = tmp_path.glob("yolotop-*.svg")  # noqa: ASYNC240 - a test waits alone
    text = picture.read_text()
    assert "dock-cam" in text
    assert "url(http" not in text
