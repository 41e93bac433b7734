"""What the tabs Predict, Code and Config look like, as pictures that were looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import pytest
from textual.pilot import Pilot
from tui_fleet import FakeActions, MakeApp
from tui_predict import SETTINGS, seen

from yolotop.tui.app import YolotopApp
from yolotop.tui.screens.detail import DetailScreen
from yolotop.tui.widgets.tabs import Tab
from yolotop.view.snapshot import Range

SIZES = [(60, 20), (80, 24), (120, 40), (200, 50)]
Compare = Callable[..., bool]
Run = Callable[[Pilot[int]], Awaitable[None]]


@pytest.fixture(autouse=True)
def _seen(actions: FakeActions) -> None:
    actions.seen = seen(missing=1)
    actions.set_to = SETTINGS


def on(tab: Tab, keys: Iterable[str] = ()) -> Run:
    """Open the detail screen on a tab, press keys, wait for what they did."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, YolotopApp)
        await pilot.pause()
        screen = DetailScreen(app.means, "dock-cam", Range.H24)
        await app.push_screen(screen)
        await pilot.pause()
        feed = screen.feed
        while not feed.turns:
            await pilot.pause()
        screen.tab = tab
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        for worker in list(app.workers):
            if worker.group in ("predict", "look"):
                await worker.wait()
        await pilot.pause()

    return run


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_predict(
    snap_compare: Compare, make_app: MakeApp, size: tuple[int, int]
) -> None:
    assert snap_compare(make_app(), terminal_size=size, run_before=on(Tab.PREDICT, "r"))


@pytest.mark.parametrize("theme", ["yolotop-light", "ansi-dark"])
def test_predict_in_other_themes(
    snap_compare: Compare, make_app: MakeApp, theme: str
) -> None:
    env = {"LANG": "C.UTF-8"} if theme == "ansi-dark" else None
    app = make_app(theme=theme, env=env)
    run = on(Tab.PREDICT, "r")
    assert snap_compare(app, terminal_size=(120, 40), run_before=run)


def test_predict_in_ascii(snap_compare: Compare, make_app: MakeApp) -> None:
    app = make_app(symbols="ascii", env={"LANG": "C"}, theme="yolotop")
    run = on(Tab.PREDICT, "r")
    assert snap_compare(app, terminal_size=(80, 24), run_before=run)


@pytest.mark.parametrize(
    ("name", "tab", "keys"),
    [
        ("invitation", Tab.PREDICT, ()),
        ("raw", Tab.PREDICT, ("r", "R")),
        ("python", Tab.CODE, ()),
        ("javascript", Tab.CODE, ("right",)),
        ("config", Tab.CONFIG, ()),
    ],
)
@pytest.mark.parametrize("size", SIZES[:3], ids=str)
def test_pages(
    snap_compare: Compare,
    make_app: MakeApp,
    size: tuple[int, int],
    name: str,
    tab: Tab,
    keys: tuple[str, ...],
) -> None:
    assert snap_compare(make_app(), terminal_size=size, run_before=on(tab, keys)), name
