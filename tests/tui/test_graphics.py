"""Real pixels: which terminals get them, what is sent, what stays behind: nothing."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys

import pytest
from PIL import Image, ImageChops, ImageStat
from tui_fleet import FakeActions, MakeApp, Said
from tui_predict import SETTINGS, seen

from yolotop.tui import graphics
from yolotop.tui.ink import places_pictures, width_of
from yolotop.tui.marks import Mark
from yolotop.tui.palette import CLASS_COLOURS
from yolotop.tui.screens.detail import DetailScreen
from yolotop.tui.widgets.tabs import Tab
from yolotop.view.snapshot import Range

GHOSTTY = {"TERM": "xterm-ghostty", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
PLACEHOLDER = "\U0010eeee"


@pytest.mark.parametrize(
    ("wish", "env", "sent"),
    [
        ("auto", GHOSTTY, True),
        ("auto", {"TERM_PROGRAM": "ghostty", "TERM": "xterm-256color"}, True),
        ("auto", GHOSTTY | {"TMUX": "/run/tmux,1,0"}, False),
        ("auto", GHOSTTY | {"NO_COLOR": ""}, False),
        ("auto", GHOSTTY | {"TEXTUAL_DRIVER": "web"}, False),
        ("auto", {"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, False),
        ("auto", {"TERM": "xterm-256color"}, False),
        ("kitty", {"TERM": "xterm-kitty"}, True),
        ("blocks", GHOSTTY, False),
    ],
)
def test_only_where_it_is_known_to_work(
    wish: str, env: dict[str, str], sent: bool
) -> None:
    assert places_pictures(wish, env) is sent


def test_what_is_sent_is_the_picture_in_chunks() -> None:
    noise = Image.effect_noise((200, 100), 80).convert("RGB")
    sequence = graphics.sending(noise, 77, (20, 5))
    chunks = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", sequence)
    assert "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in chunks) == sequence
    assert len(chunks) > 2
    assert chunks[0][0] == "a=T,U=1,f=100,q=2,i=77,c=20,r=5,m=1"
    assert {keys for keys, _ in chunks[1:-1]} == {"q=2,m=1"}
    assert chunks[-1][0] == "q=2,m=0"
    assert all(len(data) <= 4096 and len(data) % 4 == 0 for _, data in chunks)
    data = base64.b64decode("".join(data for _, data in chunks))
    shown = Image.open(io.BytesIO(data)).convert("RGB")
    # 256 colours are sent; of a grey picture that is nearly all there are.
    change = ImageStat.Stat(ImageChops.difference(shown, noise)).mean
    assert max(change) < 8


def test_cells_name_the_picture_their_row_and_their_column() -> None:
    rows = graphics.placed(0x123456, (3, 2))
    assert [width_of(row) for row in rows] == [3, 3]
    assert rows[1][0].role == "#123456/"
    assert rows[1][0].text == "".join(
        f"{PLACEHOLDER}\u030d{column}" for column in "\u0305\u030d\u030e"
    )


def test_the_marks_are_those_of_the_kept_library() -> None:
    # In a process of its own, without a terminal: the library asks it at import.
    program = (
        "from textual_image.renderable.tgp import _NUMBER_TO_DIACRITIC as table\n"
        "from yolotop.tui.graphics import _MARKS\n"
        "assert [ord(mark) for mark in _MARKS] == list(table[: len(_MARKS)])\n"
    )
    try:
        from importlib.metadata import version

        version("textual-image")
    except ModuleNotFoundError:
        pytest.skip("textual-image is not installed; its table cannot be compared")
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=50,
    )


def test_marks_are_drawn_into_the_pixels() -> None:
    grey = Image.new("RGB", (100, 100), (90, 90, 90))
    found = Mark("circle", (0.2, 0.2, 0.8, 0.8), 0.9, colour=1)
    wished = Mark("square", (0.05, 0.05, 0.15, 0.95), expected=True, colour=2)
    odd = Mark("none", None, 0.5)
    drawn = graphics.annotated(grey, [found, wished, odd], (40, 20))
    assert drawn.size == (400, 400)
    assert drawn.getpixel((321 - 2, 200)) == CLASS_COLOURS[1]
    edge = [drawn.getpixel((20, y)) for y in range(40, 360)]
    assert CLASS_COLOURS[2] in edge
    assert (90, 90, 90) in edge
    assert drawn.getpixel((200, 200)) == (90, 90, 90)


async def test_nothing_stays_behind(
    make_app: MakeApp,
    actions: FakeActions,
    said: Said,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    actions.seen, actions.set_to = seen(), SETTINGS
    app = make_app(env=GHOSTTY)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        driver = app._driver
        assert driver is not None
        sent: list[str] = []
        monkeypatch.setattr(driver, "write", sent.append)

        def pictures() -> tuple[list[str], list[str]]:
            text = "".join(sent)
            born = re.findall(r"a=T,U=1[^;]*,i=(\d+)", text)
            return born, re.findall(r"a=d,d=I,q=2,i=(\d+)", text)

        screen = DetailScreen(app.means, "dock-cam", Range.H24)
        await app.push_screen(screen)
        await pilot.pause()
        screen.tab = Tab.PREDICT
        await pilot.pause()
        for _ in range(2):
            await pilot.press("r")
            await pilot.pause()
            for worker in list(app.workers):
                if worker.group == "predict":
                    await worker.wait()
            await pilot.pause()
        born, gone = pictures()
        assert len(born) == 2
        assert gone == born[:1]
        assert PLACEHOLDER in said(app)
        screen.tab = Tab.CODE
        await pilot.pause()
        assert PLACEHOLDER not in said(app)
        screen.tab = Tab.PREDICT
        await pilot.pause()
        # Shown again without being sent again.
        assert PLACEHOLDER in said(app)
        assert pictures() == (born, gone)
        screen.dismiss()
        await pilot.pause()
        assert pictures() == (born, born)
