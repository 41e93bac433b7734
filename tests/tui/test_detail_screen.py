"""The detail screen by keys and messages: opening, tabs, cursor, incidents."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot
from tui_detail import at_step, fleet_incidents
from tui_fleet import FakeSource, MakeApp, Said, board

from yolotop.errors import StoreError
from yolotop.model import Health
from yolotop.tui.app import YolotopApp
from yolotop.tui.screens.dashboard import Dashboard
from yolotop.tui.screens.detail import DetailScreen
from yolotop.tui.widgets.tabs import Tab
from yolotop.view.incidents import Incident
from yolotop.view.snapshot import CollectorHealth, CollectorView, Range


async def turn(pilot: Pilot[int]) -> None:
    """Let the detail's feed take one whole turn."""
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, DetailScreen)
    turns = screen.feed.turns
    screen.feed.nudge()
    while screen.feed.turns == turns:
        await pilot.pause()
    await pilot.pause()


async def shown(pilot: Pilot[int]) -> None:
    """Let the dashboard's feed take one whole turn."""
    feed = board(pilot.app).feed
    await pilot.pause()
    turns = feed.turns
    feed.nudge()
    while feed.turns == turns:
        await pilot.pause()
    await pilot.pause()


def cursor(screen: DetailScreen) -> int | None:
    """The step that is pointed at."""
    return screen.overview.cursor


def newest(screen: DetailScreen) -> int:
    """The last step."""
    assert screen.detail is not None
    return len(screen.detail.steps) - 1


async def told(pilot: Pilot[int], said: Said, text: str) -> None:
    """Wait for a toast, which is shown some refreshes later."""
    app = pilot.app
    assert isinstance(app, YolotopApp)
    for _ in range(100):
        await pilot.pause()
        if text in said(app):
            return
    raise AssertionError(text)


async def gone_to(pilot: Pilot[int]) -> None:
    """Let the way to an incident come to its end."""
    await pilot.pause()
    for worker in list(pilot.app.workers):
        if worker.group == "incident":
            await worker.wait()
    await pilot.pause()


async def opened(pilot: Pilot[int], *keys: str) -> DetailScreen:
    """The detail screen of the first deployment, or after more keys of another."""
    await shown(pilot)
    await pilot.press(*keys, "enter")
    await turn(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, DetailScreen)
    return screen


async def test_enter_opens_the_selected_one_and_escape_returns(
    make_app: MakeApp, said: Said
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, "right")
        assert screen.deployment == "gate-3"
        for part in (
            "gate-3",
            "down 4 min",
            "lyon",
            "Latency",
            "Error budget",
            "06:00",
        ):
            assert part in said(app)
        assert {line.deployment for line in screen.log_pane.lines} == {"gate-3"}
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)
        assert board(app).deck.selected == "gate-3"


async def test_a_double_click_opens_too(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await shown(pilot)
        board(app).deck.action_open()
        await turn(pilot)
        assert isinstance(app.screen, DetailScreen)


async def test_tabs_turn_both_ways_and_can_be_clicked(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        seen = []
        for _ in Tab:
            await pilot.press("tab")
            await pilot.pause()
            seen.append(screen.tab)
        assert seen == [*list(Tab)[1:], Tab.OVERVIEW]
        await pilot.press("shift+tab")
        seen.append(screen.tab)
        assert seen[-1] is Tab.CONFIG
        await pilot.click("#tabs", offset=(13, 0))
        await pilot.pause()
        assert screen.tab == "logs"
        assert screen.log_pane.has_focus
        assert screen.log_pane.size.height > 30


async def test_the_cursor_moves_through_steps_and_reads_them(
    make_app: MakeApp, said: Said
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        await pilot.press("right")
        assert cursor(screen) is None
        await pilot.press("left")
        assert cursor(screen) == newest(screen)
        await pilot.press("left", "left")
        await pilot.pause()
        assert cursor(screen) == newest(screen) - 2
        assert "13:50 to 14:00" in said(app)
        await pilot.press("escape")
        assert cursor(screen) is None
        assert app.screen is screen


async def test_a_click_puts_the_cursor_there(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        await pilot.click("#overview", offset=(8, 6))
        await pilot.pause()
        assert cursor(screen) == 0
        await pilot.click("#overview", offset=(100, 6))
        await pilot.pause()
        assert cursor(screen) == 0


async def test_the_log_follows_the_cursor(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        pane = screen.log_pane
        seen = [pane.following]
        for key in ("left", "escape"):
            await pilot.press(*[key] * (1 if key == "escape" else 3))
            await pilot.pause()
            seen.append(pane.following)
        assert seen == [True, False, True]


async def test_commas_and_dots_go_from_incident_to_incident(
    make_app: MakeApp, said: Said
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        screen = await opened(pilot, "right")
        await pilot.press("comma")
        await pilot.pause()
        assert "down since 14:09" in said(app)
        await pilot.press("comma")
        await pilot.pause()
        assert screen.overview.cursor_at == at_step(96)
        assert "06:20 to 06:30" in said(app)
        await pilot.press("comma")
        await pilot.pause()
        assert screen.overview.cursor_at == at_step(96)
        await told(pilot, said, "no earlier incident")
        await pilot.press("full_stop")
        await pilot.pause()
        assert cursor(screen) == newest(screen) - 1


async def test_on_the_dashboard_they_select_whose_incident_it_is(
    make_app: MakeApp, said: Said
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await shown(pilot)
        for name in ("gate-3", "flapper"):
            await pilot.press("comma")
            await gone_to(pilot)
            assert board(app).deck.selected == name
        await told(pilot, said, "HTTP 503: no worker")
        await pilot.press("full_stop", "full_stop")
        await gone_to(pilot)
        assert board(app).deck.selected == "gate-3"


async def test_in_a_narrowed_list_they_go_to_those_that_are_found(
    make_app: MakeApp, said: Said
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await shown(pilot)
        await pilot.press("f", *"flapper", "enter", "comma")
        await gone_to(pilot)
        # A picture must not take the cursor back.
        await shown(pilot)
        assert board(app).deck.selected == "flapper"
        await told(pilot, said, "HTTP 503: no worker")
        await pilot.press("comma")
        await told(pilot, said, "no earlier incident of those found in the last 24h")


async def test_incidents_that_begin_together_are_gone_to_one_by_one(
    make_app: MakeApp, source: FakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = fleet_incidents()[1]
    names = ("dock-cam", "gate-3", "flapper")

    async def together(range_: Range) -> tuple[Incident, ...]:
        return tuple(replace(gate, deployment=name) for name in names)

    monkeypatch.setattr(source, "incidents", together)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await shown(pilot)
        for name in ("flapper", "gate-3", "dock-cam"):
            await pilot.press("comma")
            await gone_to(pilot)
            assert board(app).deck.selected == name
        await pilot.press("full_stop")
        await gone_to(pilot)
        assert board(app).deck.selected == "gate-3"


async def test_another_range_is_asked_for(
    make_app: MakeApp, source: FakeSource
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        await pilot.press("right_square_bracket")
        await turn(pilot)
        assert screen.range_ is Range.D7
        assert screen.detail is not None
        assert screen.detail.range is Range.D7


async def test_a_held_picture_stays_and_says_so(
    make_app: MakeApp, source: FakeSource, said: Said
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        await pilot.press("space")
        card = source.snapshot.cards[0]
        down = replace(card, health=Health.DOWN, message="gone")
        source.snapshot = replace(source.snapshot, cards=(down,))
        await turn(pilot)
        assert "PAUSED" in said(app)
        assert "up 4 h" in said(app)
        await pilot.press("space")
        await turn(pilot)
        assert "down 4 h" in said(app)
        assert screen.detail is not None


async def test_one_that_is_taken_out_of_the_file_is_said_to_be_gone(
    make_app: MakeApp, source: FakeSource, said: Said
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        source.snapshot = replace(source.snapshot, cards=())
        await turn(pilot)
        assert "dock-cam is not registered any more" in said(app)


async def test_that_nobody_measures_is_said_here_too(
    make_app: MakeApp, source: FakeSource, said: Said
) -> None:
    source.collector = CollectorView(CollectorHealth.STALE, 190.0)
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "nobody is measuring" in said(app)
        source.collector = None
        await turn(pilot)
        assert "nobody is measuring" not in said(app)


async def test_a_store_that_fails_is_said_and_gets_well(
    make_app: MakeApp, source: FakeSource, said: Said
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        source.trouble = StoreError("disk I/O error")
        await turn(pilot)
        assert "disk I/O error" in said(app)
        source.trouble = None
        await turn(pilot)
        assert "disk I/O error" not in said(app)


@pytest.mark.parametrize(
    "size", [(20, 5), (40, 10), (60, 20), (80, 24), (96, 12), (300, 80), (80, 60)]
)
async def test_any_size_shows_the_lines(
    make_app: MakeApp, said: Said, size: tuple[int, int]
) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        text = said(app)
        assert "dock-cam" in text
        assert screen.overview.size.height > 0
        if size[1] >= 10:
            assert "p95" in text
        for line in text.splitlines():
            assert len(line) <= size[0]
