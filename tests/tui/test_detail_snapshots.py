"""What the detail screen looks like, as pictures that a person has looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot
from tui_fleet import MakeApp, Settle

from yolotop.tui.screens.detail import DetailScreen

Compare = Callable[..., bool]
Portrayed = Callable[..., str]
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


def test_overview(snap_compare: Compare, make_app: MakeApp, settle: Settle) -> None:
    run = _after(settle, "enter")
    assert snap_compare(make_app(), terminal_size=(120, 40), run_before=run)


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
    portrayed: Portrayed,
    picture: SnapshotAssertion,
    make_app: MakeApp,
    settle: Settle,
    size: tuple[int, int],
    name: str,
    keys: tuple[str, ...],
) -> None:
    run = _after(settle, *keys)
    assert portrayed(make_app(), terminal_size=size, run_before=run) == picture, name


@pytest.mark.parametrize("size", [(60, 20), (120, 40)], ids=str)
def test_ascii(
    portrayed: Portrayed,
    picture: SnapshotAssertion,
    make_app: MakeApp,
    settle: Settle,
    size: tuple[int, int],
) -> None:
    app = make_app(symbols="ascii")
    run = _after(settle, "enter", "left", "left")
    assert portrayed(app, terminal_size=size, run_before=run) == picture
