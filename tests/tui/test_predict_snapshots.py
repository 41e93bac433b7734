"""What the tabs Predict, Code and Config look like, as pictures that were looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot
from tui_fleet import FakeActions, MakeApp
from tui_predict import SETTINGS, seen

from yolotop.tui.app import YolotopApp
from yolotop.tui.screens.detail import DetailScreen
from yolotop.tui.widgets.tabs import Tab
from yolotop.view.snapshot import Range

SIZES = [(60, 20), (80, 24), (120, 40), (200, 50)]
THEMES = ["yolotop", "yolotop-light", "ansi-dark"]
Compare = Callable[..., bool]
Portrayed = Callable[..., str]
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


def test_predict(snap_compare: Compare, make_app: MakeApp) -> None:
    run = on(Tab.PREDICT, "r")
    assert snap_compare(make_app(), terminal_size=(120, 40), run_before=run)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_what_was_seen(
    portrayed: Portrayed,
    picture: SnapshotAssertion,
    make_app: MakeApp,
    size: tuple[int, int],
    theme: str,
) -> None:
    # Without pixels, which would be most of the portrait: they are the SVG's above.
    app = make_app(theme=theme, symbols="ascii", env={"LANG": "C"})
    run = on(Tab.PREDICT, "r")
    assert portrayed(app, terminal_size=size, run_before=run) == picture


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("name", "tab", "keys"),
    [
        ("raw", Tab.PREDICT, ("r", "R")),
        ("javascript", Tab.CODE, ("right",)),
    ],
)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pages(
    portrayed: Portrayed,
    picture: SnapshotAssertion,
    make_app: MakeApp,
    size: tuple[int, int],
    name: str,
    tab: Tab,
    keys: tuple[str, ...],
    theme: str,
) -> None:
    app, run = make_app(theme=theme), on(tab, keys)
    assert portrayed(app, terminal_size=size, run_before=run) == picture, name
