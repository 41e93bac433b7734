"""The empty state: three ways to begin, each one key, and none that does not work."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tui_fleet import FakeActions, FakeSource, MakeApp, Said, Settle, board

from yolotop.tui.ending import SEE_DEMO
from yolotop.tui.screens.add import AddDeployment


@pytest.fixture(autouse=True)
def _nothing_registered(source: FakeSource) -> None:
    source.snapshot = replace(source.snapshot, cards=(), counts=())


def ways(app_said: str) -> list[str]:
    rows = [row.strip() for row in app_said.splitlines()]
    return [row[0] for row in rows if row[1:3] == "  " and not row[0].isspace()]


async def test_three_ways_and_where_was_looked(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app(demo=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert ways(said(app)) == ["a", "w", "d"]
        for part in ("./yolotop.toml", "~/.config/yolotop/yolotop.toml"):
            assert part in said(app)


@pytest.mark.parametrize("width", [60, 80])
async def test_the_footer_names_them_too(
    make_app: MakeApp, said: Said, settle: Settle, width: int
) -> None:
    app = make_app(demo=True)
    async with app.run_test(size=(width, 24)) as pilot:
        await settle(pilot)
        footer = said(app).splitlines()[-1]
        for hint in ("a add", "w config", "d demo"):
            assert hint in footer


async def test_what_cannot_be_done_is_not_offered(
    make_app: MakeApp, actions: FakeActions, said: Said, settle: Settle, work: Settle
) -> None:
    app = make_app(demo=False, read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert ways(said(app)) == ["?", "q"]
        await pilot.press("a", "w", "d")
        await work(pilot)
        assert app.is_running
    assert actions.calls == []


async def test_a_opens_the_form(make_app: MakeApp, settle: Settle) -> None:
    app = make_app(demo=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("a")
        assert isinstance(app.screen, AddDeployment)


async def test_w_writes_a_file_and_says_where(
    make_app: MakeApp, actions: FakeActions, settle: Settle, work: Settle
) -> None:
    app = make_app(demo=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("w")
        await work(pilot)
        (note,) = app._notifications
        assert note.message.startswith("Written: /home/me/yolotop.toml")
    assert actions.calls == [("begin", "")]


async def test_d_leaves_for_the_demo(make_app: MakeApp, settle: Settle) -> None:
    app = make_app(demo=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("d")
    assert app.return_value == SEE_DEMO


async def test_with_a_fleet_d_asks_before_it_removes_as_ever(
    make_app: MakeApp, source: FakeSource, settle: Settle
) -> None:
    from tui_fleet import fleet_snapshot

    source.snapshot = fleet_snapshot()
    app = make_app(demo=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert not {"demo", "begin"} & {deed.id for deed in board(app).offered()}
        await pilot.press("d")
        await pilot.pause()
        assert app.is_running
        assert len(app.screen_stack) == 2
