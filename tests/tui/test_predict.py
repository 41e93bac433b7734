"""The tabs Predict, Code and Config: what is asked, when, and what is shown of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from tui_fleet import FakeActions, MakeApp, Said
from tui_predict import SETTINGS, seen

from yolotop.config.origin import Setting
from yolotop.errors import StoreError
from yolotop.tui.app import YolotopApp
from yolotop.tui.ink import Look, width_of
from yolotop.tui.marks import Mark
from yolotop.tui.screens.confirm import Confirm
from yolotop.tui.screens.detail import DetailScreen
from yolotop.tui.screens.predict_page import shot_of, why_not_pinned
from yolotop.tui.widgets.config_tab import setting_rows
from yolotop.tui.widgets.predict_rows import fact_rows, raw_rows, verdict_row
from yolotop.tui.widgets.tabs import Tab
from yolotop.view.snapshot import Range

SIZES = [(60, 20), (80, 24), (120, 40), (200, 50), (300, 80), (40, 12)]


class Open:
    """A detail screen on one tab."""

    def __init__(self, app: YolotopApp, pilot: Pilot[int], said: Said) -> None:
        self.app, self.pilot, self._said = app, pilot, said

    @property
    def screen(self) -> DetailScreen:
        screen = self.app.screen_stack[-1]
        if isinstance(screen, Confirm):
            screen = self.app.screen_stack[-2]
        assert isinstance(screen, DetailScreen)
        return screen

    def said(self) -> str:
        return self._said(self.app)

    async def press(self, *keys: str) -> None:
        """Press keys, and wait for what they set off."""
        await self.pilot.press(*keys)
        await self.settled()

    async def settled(self) -> None:
        await self.pilot.pause()
        for worker in list(self.app.workers):
            if worker.group in ("predict", "look", "act"):
                await worker.wait()
        await self.pilot.pause()


OpenTab = Callable[..., AbstractAsyncContextManager[Open]]


@pytest.fixture
def open_tab(make_app: MakeApp, actions: FakeActions, said: Said) -> OpenTab:
    actions.seen = seen()
    actions.set_to = SETTINGS

    @asynccontextmanager
    async def run(
        tab: Tab, size: tuple[int, int] = (120, 40), **more: object
    ) -> AsyncIterator[Open]:
        app = make_app(**more)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await app.push_screen(DetailScreen(app.means, "dock-cam", Range.H24))
            opened = Open(app, pilot, said)
            await pilot.pause()
            opened.screen.tab = tab
            await opened.settled()
            yield opened

    return run


def asked(actions: FakeActions) -> list[object]:
    return [about for what, about in actions.calls if what == "predict"]


# --- Predict -------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_nothing_is_sent_before_someone_asks(
    open_tab: OpenTab, actions: FakeActions, size: tuple[int, int]
) -> None:
    async with open_tab(Tab.PREDICT, size) as opened:
        assert asked(actions) == []
        assert "nothing was sent yet" in opened.said()
        assert "send the drawn picture now" in opened.said()
        await opened.press("r")
        assert asked(actions) == [("dock-cam", "synthetic")]
        assert "142 ms" in opened.said() or size[0] < 60


async def test_shows_what_was_seen_and_where_the_time_went(open_tab: OpenTab) -> None:
    async with open_tab(Tab.PREDICT) as opened:
        await opened.press("r")
        shown = opened.said()
    for text in ("circle 0.94", "▀", "169, 129", "inference", "96 ms", "4 seen", "┛"):
        assert text in shown, text
    assert "missed" not in shown


async def test_what_was_missed_is_told_in_words(
    open_tab: OpenTab, actions: FakeActions
) -> None:
    actions.seen = seen(missing=1)
    async with open_tab(Tab.PREDICT) as opened:
        await opened.press("r")
        shown = opened.said()
    for text in ("circle expected", "missed", "expected circle ×1, got none", "wrong"):
        assert text in shown, text


async def test_the_golden_picture_is_a_choice(
    open_tab: OpenTab, actions: FakeActions
) -> None:
    async with open_tab(Tab.PREDICT) as opened:
        await opened.press("i")
        assert asked(actions) == []
        assert "r sends the golden picture" in opened.said()
        await opened.press("r", "i", "r")
    assert asked(actions) == [("dock-cam", "golden"), ("dock-cam", "synthetic")]


async def test_no_golden_picture_is_no_choice(
    open_tab: OpenTab, actions: FakeActions
) -> None:
    actions.set_to = tuple(
        replace(each, value='"synthetic"') if each.key == "image" else each
        for each in SETTINGS
    )
    async with open_tab(Tab.PREDICT) as opened:
        assert "golden" not in opened.said().splitlines()[2]
        await opened.press("i", "r")
    assert asked(actions) == [("dock-cam", "synthetic")]


async def test_a_file_is_sent_by_its_whole_path(
    open_tab: OpenTab, actions: FakeActions
) -> None:
    async with open_tab(Tab.PREDICT) as opened:
        await opened.press("o", *"/srv/r.jpg", "enter")
        assert asked(actions) == [("dock-cam", "/srv/r.jpg")]
        assert "r sends the r.jpg" in opened.said()
        await opened.press("r")
    assert asked(actions)[1:] == [("dock-cam", "/srv/r.jpg")]


async def test_leaving_the_file_prompt_sends_nothing(
    open_tab: OpenTab, actions: FakeActions
) -> None:
    async with open_tab(Tab.PREDICT) as opened:
        await opened.press("o", *"rig", "escape")
        assert opened.screen.tab is Tab.PREDICT
        assert not opened.screen.prompt.is_open
    assert asked(actions) == []


async def test_an_error_is_a_sentence_with_its_cure(
    open_tab: OpenTab, actions: FakeActions
) -> None:
    async with open_tab(Tab.PREDICT) as opened:
        actions.trouble = StoreError(
            "no collector answered within 75 s [red]x",
            hint="see whether one runs: yolotop status",
            title="The image could not be sent",
        )
        await opened.press("r")
        shown = opened.said()
    assert "✖ The image could not be sent" in shown
    assert "no collector answered within 75 s [red]x" in shown
    assert "yolotop status" in shown


class Slow(FakeActions):
    """Answers when it is let."""

    def __init__(self, actions: FakeActions) -> None:
        super().__init__(seen=actions.seen, set_to=actions.set_to)
        self.answer = asyncio.Event()

    async def predict(self, name: str, image: str) -> dict[str, object]:
        """Wait for it."""
        self.calls.append(("predict", (name, image)))
        await self.answer.wait()
        return self.seen


async def test_a_running_request_shows_and_can_be_given_up(
    open_tab: OpenTab, actions: FakeActions
) -> None:
    async with open_tab(Tab.PREDICT) as opened:
        slow = Slow(actions)
        page = opened.screen.predict_page
        page.means = replace(page.means, actions=slow)
        await opened.pilot.press("r")
        await opened.pilot.pause()
        assert "asking with the drawn picture" in opened.said()
        assert "esc gives up" in opened.said()
        await opened.pilot.press("escape")
        await opened.pilot.pause()
        assert opened.screen.tab is Tab.PREDICT
        assert "nothing was sent yet" in opened.said()
        slow.answer.set()
        await opened.pilot.pause()
        assert "nothing was sent yet" in opened.said()
        await opened.pilot.press("escape")
        await opened.pilot.pause()
        assert not isinstance(opened.app.screen, DetailScreen)


async def test_sending_again_takes_the_place_of_what_runs(
    open_tab: OpenTab, actions: FakeActions
) -> None:
    async with open_tab(Tab.PREDICT) as opened:
        slow = Slow(actions)
        page = opened.screen.predict_page
        page.means = replace(page.means, actions=slow)
        await opened.pilot.press("r", "r")
        slow.answer.set()
        await opened.settled()
        assert len(asked(slow)) == 2
        assert "4 seen" in opened.said()


async def test_raw_json_and_back(open_tab: OpenTab) -> None:
    async with open_tab(Tab.PREDICT) as opened:
        await opened.press("r", "R")
        assert '"images": [' in opened.said()
        assert "shapes.onnx" not in opened.said()
        await opened.press("end")
        assert "shapes.onnx" in opened.said()
        await opened.press("R")
        assert "inference" in opened.said()


async def test_pinning_asks_first_and_names_what_is_expected(
    open_tab: OpenTab, actions: FakeActions
) -> None:
    async with open_tab(Tab.PREDICT) as opened:
        await opened.press("o", *"/srv/r.jpg", "enter", "g")
        assert isinstance(opened.app.screen, Confirm)
        for text in (
            "Pin r.jpg for dock-cam?",
            "circle ×1",
            "triangle ×2",
            "model shapes.onnx",
        ):
            assert text in opened.said(), text
        await opened.press("n")
        assert not [call for call in actions.calls if call[0] == "pin"]
        await opened.press("g", "y")
    pins = [about for what, about in actions.calls if what == "pin"]
    assert pins == [("dock-cam", "/srv/r.jpg", seen()["baseline"])]


async def test_read_only_pins_nothing(open_tab: OpenTab, actions: FakeActions) -> None:
    async with open_tab(Tab.PREDICT, (200, 50), read_only=True) as opened:
        await opened.press("o", *"/srv/r.jpg", "enter")
        assert "pin as golden" not in opened.said()
        await opened.press("g")
        assert isinstance(opened.app.screen, DetailScreen)


@pytest.mark.parametrize(
    ("image", "result", "word"),
    [
        ("synthetic", seen(), "another one each time"),
        ("golden", seen(), "golden picture already"),
        ("/a.jpg", seen(missing=1), "Only a good answer"),
        ("/a.jpg", {**seen(), "baseline": None}, "older one"),
        ("/a.jpg", seen(), ""),
    ],
)
def test_not_every_picture_can_be_pinned(
    image: str, result: Mapping[str, object], word: str
) -> None:
    reason = why_not_pinned(shot_of(image, result))
    assert word in reason
    assert bool(word) == bool(reason)
    assert why_not_pinned(None)


@pytest.mark.parametrize(
    "more",
    [
        {"image": None},
        {"image": {"width": 320, "height": 320, "jpeg": "no base64!"}},
        {"image": {"width": -1, "height": "x", "jpeg": "AAAA"}},
        {"boxes": [{"label": "x"}], "phases": None, "server": 7},
        {
            "phases": {"dns": True, "wait": "1"},
            "raw": "<html>\x1b[31m",
            "verdict": None,
        },
        {"message": None, "detections": None, "raw": None, "latency_ms": "x"},
    ],
)
@pytest.mark.parametrize("width", [8, 34, 80])
def test_odd_answers_are_shown_as_far_as_they_go(
    more: dict[str, object], width: int
) -> None:
    result = {**seen(), **more}
    shot = shot_of("synthetic", result)
    look = Look()
    rows = fact_rows(result, shot.marks, shot.size, width, look)
    assert all(width_of(row) <= width for row in rows)
    text = "".join(span.text for row in raw_rows(result) for span in row)
    assert "\x1b" not in text
    assert verdict_row(result, look)


# --- Code and Config -----------------------------------------------------------------


async def test_code_in_three_languages(open_tab: OpenTab) -> None:
    async with open_tab(Tab.CODE) as opened:
        assert "import requests" in opened.said()
        assert "os.environ['DOCK_KEY']" in opened.said()
        await opened.press("right")
        assert "process.env.DOCK_KEY" in opened.said()
        await opened.press("l")
        assert "curl --fail-with-body" in opened.said()
        await opened.press("right")
        assert "import requests" in opened.said()
        await opened.press("left")
        assert "http://10.0.4.7:8000/predict" in opened.said()


async def test_code_is_copied_as_it_stands(
    open_tab: OpenTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_tab(Tab.CODE) as opened:
        copied: list[str] = []
        monkeypatch.setattr(opened.app, "copy_to_clipboard", copied.append)
        await opened.press("y")
        snippet = opened.screen.code_page.sheet.snippet
        assert snippet is not None
        assert copied == [snippet.text]


async def test_keys_of_a_tab_count_on_that_tab_only(
    open_tab: OpenTab, actions: FakeActions
) -> None:
    async with open_tab(Tab.CONFIG) as opened:
        await opened.press("r", "o", "g", "y", "R")
        assert not opened.screen.prompt.is_open
    assert asked(actions) == []


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_config_tells_every_setting_and_its_origin(
    open_tab: OpenTab, size: tuple[int, int]
) -> None:
    async with open_tab(Tab.CONFIG, size) as opened:
        seen_text = opened.said()
        await opened.press("end")
        seen_text += opened.said()
    assert "9 of 16 settings are set" in seen_text or size[0] < 60
    assert "verify_tls" in seen_text
    assert '"http://10.0' in seen_text
    if size[0] >= 60:
        assert "[defaults], yolo" in seen_text


async def test_a_config_that_cannot_be_read_is_said(
    open_tab: OpenTab, actions: FakeActions
) -> None:
    actions.trouble = StoreError("yolotop.toml:3: is broken", title="Configuration")
    for tab in (Tab.CODE, Tab.CONFIG):
        async with open_tab(tab) as opened:
            assert "yolotop.toml:3: is broken" in opened.said()


@pytest.mark.parametrize("width", [10, 30, 60, 120])
def test_settings_keep_to_their_columns(width: int) -> None:
    rows = setting_rows(SETTINGS, width, Look())
    assert len(rows) == len(SETTINGS)
    assert all(width_of(row) <= width for row in rows)


@pytest.mark.parametrize("width", [56, 60, 80])
def test_a_setting_names_its_line_where_the_file_is_cut(width: int) -> None:
    where = "[defaults], yolotop-of-the-yard-and-the-gate.toml:1234"
    setting = Setting("verify_tls_of_it", "true", where)
    (row,) = setting_rows([setting], width, Look())
    said = "".join(span.text for span in row)
    assert said.endswith("…:1234")
    assert width_of(row) <= width


@pytest.mark.parametrize("width", [33, 34, 36, 64])
def test_a_box_is_told_beside_a_scroll_bar(width: int) -> None:
    result = {"verdict": "ok"}
    mark = Mark("person", (0.1, 0.2, 0.5, 0.6), 0.9)
    said = [
        "".join(span.text for span in row)
        for row in fact_rows(result, [mark], (640, 480), width, Look())
    ]
    assert "x, y  w×h" in said[0]
    assert "person" in said[1]
    assert "64, 96  256×192" in said[1]
