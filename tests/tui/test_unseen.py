"""What nobody sees is not asked for, and is right again when it is back."""

from __future__ import annotations

from dataclasses import replace

from textual.pilot import Pilot
from tui_fleet import FakeSource, MakeApp, Said, Settle, board

from yolotop.model import Health
from yolotop.tui.screens.detail import DetailScreen
from yolotop.tui.screens.help import Help


async def _turns(pilot: Pilot[int], screen: DetailScreen, number: int) -> None:
    """Let the detail ask so often by itself."""
    until = screen.feed.turns + number
    while screen.feed.turns < until:
        await pilot.pause()


async def test_the_dashboard_rests_under_a_detail_and_is_right_when_it_is_back(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    app = make_app(refresh_s=0.01)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, DetailScreen)
        await _turns(pilot, screen, 2)
        asked = len(source.ranges)
        await _turns(pilot, screen, 5)
        assert len(source.ranges) == asked
        cards = source.snapshot.cards
        source.snapshot = replace(
            source.snapshot, cards=(replace(cards[0], health=Health.DOWN), *cards[1:])
        )
        last = source.lines[-1]
        source.lines.append(replace(last, seq=last.seq + 1, message="came meanwhile"))
        await pilot.press("escape")
        while "came meanwhile" not in said(app):
            await pilot.pause()
        assert "✖ dock-cam" in said(app)
        assert board(app).log_pane.following


async def test_it_goes_on_under_what_lies_over_it(
    make_app: MakeApp, source: FakeSource, settle: Settle
) -> None:
    app = make_app(refresh_s=0.01)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        turns = board(app).feed.turns
        while board(app).feed.turns < turns + 3:
            await pilot.pause()
        assert source.ranges


async def test_a_log_that_does_not_follow_stays_where_it_is(
    make_app: MakeApp, settle: Settle
) -> None:
    app = make_app(refresh_s=0.01)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("pageup", "pageup")
        pane = board(app).log_pane
        line = pane.line
        assert line is not None
        assert not pane.following
        await pilot.press("enter")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, DetailScreen)
        await _turns(pilot, screen, 3)
        await pilot.press("escape")
        turns = board(app).feed.turns
        while board(app).feed.turns < turns + 2:
            await pilot.pause()
        assert pane.line == line
        assert not pane.following
