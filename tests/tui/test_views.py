"""The list by keys and mouse: its views, the table's order, what is looked for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from portrait import portrait
from textual.pilot import Pilot
from tui_fleet import FakeSource, MakeApp, Said, Settle, board, fleet_snapshot

from yolotop.tui.app import YolotopApp
from yolotop.tui.layout import View
from yolotop.tui.widgets.table_order import HOLD_S, By, Sort
from yolotop.view.snapshot import Card, Snapshot


def listed(app: YolotopApp) -> list[str]:
    return [card.name for card in board(app).fleet.cards]


def with_p95(snapshot: Snapshot, name: str, p95_ms: float, at: float) -> Snapshot:
    def moved(card: Card) -> Card:
        if card.name != name:
            return card
        return replace(card, figures=replace(card.figures, p95_ms=p95_ms))

    cards = tuple(moved(card) for card in snapshot.cards)
    return replace(snapshot, cards=cards, at=at)


async def to_table(pilot: Pilot[int], settle: Settle) -> None:
    await settle(pilot)
    await pilot.press("v", "v")
    await settle(pilot)
    assert board(pilot.app).view is View.TABLE


# -- the table ---------------------------------------------------------------------


async def test_sorting_by_key_walks_the_columns_and_keeps_the_selected_name(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await to_table(pilot, settle)
        await pilot.press("down", "down")
        table = board(app).table
        assert board(app).chosen == "yard-7"
        for by in table.sorts:
            await pilot.press("s")
            assert table.sort.by is by
            assert board(app).chosen == "yard-7"
            assert "▸♡ yard-7" in said(app)
        await pilot.press("s")
        assert table.sort == Sort()


async def test_the_other_way_round_is_offered_once_something_is_sorted(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await to_table(pilot, settle)
        assert "s sort" in said(app)
        assert "S reverse" not in said(app)
        await pilot.press("S", "s", "S")
        await settle(pilot)
        assert board(app).table.sort == Sort(By.NAME, descending=True)
        assert "S reverse" in said(app)
        assert "name ▼" in said(app)
        assert listed(app)[0] == "yard-7"


async def test_only_the_table_is_sorted(make_app: MakeApp, settle: Settle) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("s", "S")
        assert board(app).table.sort == Sort()


async def test_a_click_on_a_title_sorts_and_a_second_one_turns_round(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await to_table(pilot, settle)
        lines = said(app).splitlines()
        y = next(n for n, line in enumerate(lines) if "SLO left" in line)
        x = lines[y].index("P95")
        await pilot.click(offset=(x, y))
        assert board(app).table.sort == Sort(By.P95, descending=True)
        await pilot.click(offset=(x, y))
        assert board(app).table.sort == Sort(By.P95)
        assert listed(app)[0] == "press-line"


async def test_a_click_on_a_row_selects_what_stands_there(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await to_table(pilot, settle)
        await pilot.press("s")
        await settle(pilot)
        lines = said(app).splitlines()
        y = next(n for n, line in enumerate(lines) if " flapper " in line)
        await pilot.click(offset=(10, y))
        assert board(app).chosen == "flapper"


async def test_rows_move_after_a_while_and_the_selection_goes_along(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await to_table(pilot, settle)
        board(app).action_sort_by("P95")
        await settle(pilot)
        table = board(app).table
        table.selected = "press-line"
        before = listed(app)
        start = source.snapshot.at
        source.snapshot = with_p95(source.snapshot, "press-line", 900.0, start + 1)
        await settle(pilot)
        assert listed(app) == before
        assert "900 ms" in said(app)
        source.snapshot = replace(source.snapshot, at=start + HOLD_S)
        await settle(pilot)
        assert listed(app)[0] == "press-line"
        assert board(app).chosen == "press-line"
        await pilot.press("down")
        assert board(app).chosen == listed(app)[1]


async def test_a_selection_in_sight_stays_in_sight_when_the_order_moves_it(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    first = source.snapshot.cards[0]
    source.snapshot = replace(
        source.snapshot,
        cards=tuple(
            replace(
                first,
                name=f"cam-{n:03}",
                figures=replace(first.figures, p95_ms=1000.0 - n),
            )
            for n in range(100)
        ),
    )
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await to_table(pilot, settle)
        board(app).action_sort_by("P95")
        await settle(pilot)
        assert "▸♥ cam-000" in said(app)
        at = source.snapshot.at + HOLD_S
        source.snapshot = with_p95(source.snapshot, "cam-000", 1.0, at)
        await settle(pilot)
        assert listed(app)[-1] == "cam-000"
        assert "▸♥ cam-000" in said(app)
        # Scrolled away by hand, it is left alone.
        board(app).table.top = 0
        source.snapshot = with_p95(source.snapshot, "cam-001", 2.0, at + HOLD_S)
        await settle(pilot)
        assert board(app).table.top == 0


async def test_the_palette_sorts_from_any_view(
    make_app: MakeApp, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await app.screen.run_action("screen.sort_by('SLO left')")
        assert board(app).view is View.TABLE
        assert board(app).table.sort == Sort(By.SLO)
        await app.screen.run_action("screen.sort_none")
        assert board(app).table.sort == Sort()


# -- what is looked for --------------------------------------------------------------


@pytest.mark.parametrize("view", [View.CARDS, View.COMPACT, View.TABLE])
async def test_find_narrows_every_view_and_nothing_else(
    make_app: MakeApp, said: Said, settle: Settle, view: View
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        board(app).view = view
        await pilot.press("f", *"state", "colon", *"degraded")
        await settle(pilot)
        assert listed(app) == ["yard-7", "flapper"]
        assert "2 of 9" in said(app)
        assert board(app).chosen == "yard-7"
        assert "9 deployments" in said(app)
        assert "of 9 " in said(app)
        await pilot.press("enter")
        await settle(pilot)
        assert not board(app).prompt.is_open
        assert app.focused is board(app).fleet
        assert listed(app) == ["yard-7", "flapper"]
        await pilot.press("v")
        await settle(pilot)
        assert listed(app) == ["yard-7", "flapper"]
        await pilot.press("escape")
        await settle(pilot)
        assert len(listed(app)) == 9
        assert "2 of 9" not in said(app)
        assert board(app).chosen == "yard-7"


async def test_escape_while_typing_shows_all_again(
    make_app: MakeApp, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", *"gate")
        assert listed(app) == ["gate-3"]
        await pilot.press("escape")
        await settle(pilot)
        assert (board(app).looked_for, board(app).prompt.is_open) == ("", False)
        assert len(listed(app)) == 9


async def test_escape_leaves_the_list_alone_in_the_log(
    make_app: MakeApp, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"refused", "enter")
        await pilot.press("f", *"gate", "enter", "tab", "escape")
        await settle(pilot)
        assert (board(app).looked_for, board(app).log_query.text) == ("gate", "")
        await pilot.press("tab", "escape")
        assert board(app).looked_for == ""


async def test_finding_nothing_says_so_and_keys_act_on_nobody(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for _ in board(app).views:
            await pilot.press("f", *"nobody", "enter")
            await settle(pilot)
            assert "none of 9" in said(app)
            assert "nothing is found" in said(app)
            assert board(app).chosen is None
            await pilot.press("p", "o", "enter", "down", "escape", "v")
            await settle(pilot)
            assert board(app).log_query.deployment is None


async def test_what_is_found_follows_the_picture(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", *"p95", "greater_than_sign", *"500", "enter")
        await settle(pilot)
        assert "none of 9" in said(app)
        at = source.snapshot.at + 1
        source.snapshot = with_p95(source.snapshot, "creeper", 800.0, at)
        await settle(pilot)
        assert listed(app) == ["creeper"]
        assert "1 of 9" in said(app)


async def test_the_screen_does_not_jump_while_one_types(
    make_app: MakeApp, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("f")
        await settle(pilot)
        height = board(app).deck.size.height
        for key in "gate":
            await pilot.press(key)
            assert board(app).deck.size.height == height
        await pilot.press("enter")
        await settle(pilot)
        assert board(app).deck.size.height < height


async def test_what_is_not_understood_is_told(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("f", *"state", "colon", *"xyz")
        await settle(pilot)
        assert "'xyz' is no state" in said(app)


async def test_the_cross_shows_all_again(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", *"gate", "enter")
        await settle(pilot)
        lines = said(app).splitlines()
        y = next(n for n, line in enumerate(lines) if " find gate" in line)
        await pilot.click(offset=(lines[y].index("✕"), y))
        assert board(app).looked_for == ""


# -- how it starts -------------------------------------------------------------------


@pytest.mark.parametrize("view", ["cards", "compact", "table", "map"])
async def test_the_config_says_which_view_is_first(
    make_app: MakeApp, source: FakeSource, settle: Settle, view: str
) -> None:
    still = (replace(card, checking=False) for card in source.snapshot.cards)
    source.snapshot = replace(source.snapshot, cards=tuple(still))
    app = make_app(view=view)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert board(app).view == view
        assert len(listed(app)) == 9
        assert app.focused is board(app).fleet
        assert board(app).chosen == "dock-cam"
        begun = portrait(app)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        while board(app).view != view:
            await pilot.press("v")
        await settle(pilot)
        assert portrait(app) == begun


async def test_the_cursor_is_where_the_keys_go(
    make_app: MakeApp, source: FakeSource, settle: Settle
) -> None:
    source.snapshot = fleet_snapshot()
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await to_table(pilot, settle)
        table, log = board(app).table, board(app).log_pane

        def lit() -> tuple[bool, bool]:
            cursor = any("cursor" in span.role for row in table._rows for span in row)
            return cursor, log._rows[0][0].role == "accent"

        assert lit() == (True, False)
        await pilot.press("tab")
        assert lit() == (False, True)
        await pilot.press("tab")
        assert lit() == (True, False)
