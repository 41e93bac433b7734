"""What the detail screen looks like, as pictures that a person has looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from tui_fleet import MakeApp, Settle

from yolotop.tui.screens.detail import DetailScreen

Compare = Callable[..., bool]
Run = Callable[[Pilot[int]], Awaitable[None]]


async def _turn(pilot: Pilot[int]) -> None:
    await pilot.pause()
    screen = pilot.app.screen
    if not isinstance(screen, DetailScreen):
        return
    turns = screen.feed.turns
    screen.feed.nudge()
    while screen.feed.turns == turns:
        await pilot.pause()
    await pilot.pause()


def _after(settle: Settle, *keys: str) -> Run:
    """Open the detail screen with the first keys, then press the others in turn."""

    async def run(pilot: Pilot[int]) -> None:
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await _turn(pilot)

    return run


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        ((60, 20), "yolotop"),
        ((80, 24), "yolotop"),
        ((120, 40), "yolotop"),
        ((200, 50), "yolotop"),
        ((120, 40), "yolotop-light"),
        ((120, 40), "ansi-dark"),
    ],
    ids=str,
)
def test_overview(
    snap_compare: Compare,
    make_app: MakeApp,
    settle: Settle,
    size: tuple[int, int],
    theme: str,
) -> None:
    app = make_app(theme=theme)
    run = _after(settle, "enter")
    assert snap_compare(app, terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("incident", ("right", "enter", "comma", "comma")),
        ("logs", ("enter", "tab")),
        ("paused", ("right", "enter", "space")),
    ],
)
def test_states(
    snap_compare: Compare,
    make_app: MakeApp,
    settle: Settle,
    size: tuple[int, int],
    name: str,
    keys: tuple[str, ...],
) -> None:
    run = _after(settle, *keys)
    assert snap_compare(make_app(), terminal_size=size, run_before=run), name


@pytest.mark.parametrize("size", [(60, 20), (120, 40)], ids=str)
def test_ascii(
    snap_compare: Compare, make_app: MakeApp, settle: Settle, size: tuple[int, int]
) -> None:
    app = make_app(symbols="ascii")
    run = _after(settle, "enter", "left", "left")
    assert snap_compare(app, terminal_size=size, run_before=run)
