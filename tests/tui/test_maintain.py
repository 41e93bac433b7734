"""Maintenance: asked for with one key, bound to whom it was pressed for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tui_fleet import NOON, FakeActions, FakeSource, MakeApp, Said, Settle, fleet_cards

from yolotop.errors import StoreError
from yolotop.model import Health
from yolotop.tui.screens.maintain import Maintain

HALF_PAST_FIVE = NOON - NOON % 86_400 + 17.5 * 3_600


@pytest.fixture
def in_it(source: FakeSource) -> None:
    """The first deployment is in maintenance until 17:30."""
    first, *rest = fleet_cards()
    card = replace(
        first,
        health=Health.MAINTENANCE,
        since_at=NOON - 60,
        until_at=HALF_PAST_FIVE,
        message="maintenance until 17:30",
    )
    source.snapshot = replace(source.snapshot, cards=(card, *rest))


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        (("1",), "15m"),
        (("enter",), "15m"),
        (("2",), "1h"),
        (("right", "right", "enter"), "4h"),
        (("u", *"17:30", "enter"), "2026-09-21T17:30:00Z"),
        (("u", *"90m", "enter"), "2026-09-21T15:43:20Z"),
    ],
)
async def test_a_span_or_an_end_is_a_key_away(
    make_app: MakeApp,
    actions: FakeActions,
    settle: Settle,
    work: Settle,
    keys: tuple[str, ...],
    end: str,
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("m", *(_named(key) for key in keys))
        await work(pilot)
    assert actions.calls == [("maintain", ("dock-cam", end))]


def _named(key: str) -> str:
    return {":": "colon"}.get(key, key)


async def test_a_list_that_moves_changes_nothing(
    make_app: MakeApp,
    actions: FakeActions,
    source: FakeSource,
    settle: Settle,
    work: Settle,
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("m")
        source.snapshot = replace(source.snapshot, cards=source.snapshot.cards[1:])
        await settle(pilot)
        await pilot.press("2")
        await work(pilot)
    assert actions.calls == [("maintain", ("dock-cam", "1h"))]


@pytest.mark.usefixtures("in_it")
async def test_one_that_is_in_it_says_until_when_and_can_be_ended(
    make_app: MakeApp, actions: FakeActions, said: Said, settle: Settle, work: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("m")
        await pilot.pause()
        assert "It is in maintenance until 17:30" in said(app)
        await pilot.press("e")
        await work(pilot)
    assert actions.calls == [("maintain", ("dock-cam", ""))]


@pytest.mark.usefixtures("in_it")
@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("view", ["cards", "compact", "table"])
async def test_every_view_says_until_when(
    make_app: MakeApp, said: Said, settle: Settle, view: str, width: int
) -> None:
    app = make_app(view=view)
    async with app.run_test(size=(width, 24)) as pilot:
        await settle(pilot)
        assert "until 17:30" in said(app)


@pytest.mark.usefixtures("in_it")
async def test_the_detail_says_until_when_and_has_the_key(
    make_app: MakeApp, actions: FakeActions, said: Said, settle: Settle, work: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await pilot.pause()
        while "maintenance until 17:30" not in said(app):
            await pilot.pause()
        await pilot.press("m")
        assert isinstance(app.screen, Maintain)
        await pilot.press("e")
        await work(pilot)
    assert actions.calls == [("maintain", ("dock-cam", ""))]


async def test_what_is_no_time_is_told_where_it_was_typed(
    make_app: MakeApp, actions: FakeActions, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("m", "u", *"soon", "enter")
        await pilot.pause()
        assert '"soon" is no time; write 14:30, 2h or' in said(app)
        await pilot.press("escape")
    assert actions.calls == []


async def test_escape_leaves_it_and_e_ends_nothing_where_there_is_none(
    make_app: MakeApp, actions: FakeActions, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("m", "e")
        dialog = app.screen
        assert isinstance(dialog, Maintain)
        await pilot.press("escape")
        assert app.screen is not dialog
    assert actions.calls == []


async def test_read_only_and_paused_have_no_such_question(
    make_app: MakeApp, actions: FakeActions, source: FakeSource, settle: Settle
) -> None:
    app = make_app(read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("m", "1")
        assert not isinstance(app.screen, Maintain)
    paused = [card for card in fleet_cards() if card.health is Health.PAUSED]
    source.snapshot = replace(source.snapshot, cards=tuple(paused))
    app = make_app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("m")
        assert not isinstance(app.screen, Maintain)
        (note,) = app._notifications
        assert "is paused, it is not asked anyway" in note.message
    assert actions.calls == []


async def test_a_refusal_is_told(
    make_app: MakeApp, actions: FakeActions, settle: Settle, work: Settle
) -> None:
    actions.trouble = StoreError("the configuration plans maintenance")
    app = make_app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("m", "1")
        await work(pilot)
        (note,) = app._notifications
        assert note.message == "the configuration plans maintenance"
