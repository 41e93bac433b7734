"""What a key draws: once, and no more than changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tui_fleet import FakeSource, MakeApp, Settle, board

from yolotop.tui.frugal import FrugalCompositor
from yolotop.tui.ink import Row, Span
from yolotop.tui.layout import View
from yolotop.tui.widgets.deck import Deck
from yolotop.tui.widgets.fleet import Fleet
from yolotop.tui.widgets.fleet_table import FleetTable
from yolotop.tui.widgets.log import LogPane
from yolotop.tui.widgets.painted import Painted, changed_cells
from yolotop.tui.widgets.world_map import WorldMap


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the widgets that were drawn, one for each time."""
    seen: list[str] = []

    def count(kind: type[Painted]) -> None:
        rows = kind.rows

        def counting(self: Painted, width: int, height: int) -> Sequence[Row]:
            seen.append(self.id or "")
            return rows(self, width, height)

        monkeypatch.setattr(kind, "rows", counting)

    for kind in (Deck, FleetTable, WorldMap, LogPane):
        count(kind)
    return seen


async def test_another_view_is_drawn_once(
    make_app: MakeApp, source: FakeSource, settle: Settle, drawn: list[str]
) -> None:
    # What is being checked turns, and each turn is drawn.
    cards = tuple(replace(card, checking=False) for card in source.snapshot.cards)
    source.snapshot = replace(source.snapshot, cards=cards)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for view in (*list(board(app).views)[1:], View.CARDS):
            drawn.clear()
            await pilot.press("v")
            await pilot.pause()
            assert board(app).view is view
            name = board(app).views[view]
            # The log may have moved; what is hidden is not drawn at all.
            assert set(drawn) <= {name, "log"}
            assert drawn.count("log") <= 1
            # As it is laid out; where it is another widget, as it takes the focus, too.
            assert 1 <= drawn.count(name) <= 2


async def test_the_focus_does_not_paint_the_whole_screen(
    make_app: MakeApp, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    full: list[object] = []
    render = FrugalCompositor.render_full_update

    def counting(self: FrugalCompositor, simplify: bool = False) -> object:
        full.append(self)
        return render(self, simplify)

    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        monkeypatch.setattr(FrugalCompositor, "render_full_update", counting)
        await pilot.press("tab")
        await pilot.pause()
        assert board(app).log_pane.has_focus
    assert not full


async def test_what_changed_while_hidden_is_shown_when_it_is_back(
    make_app: MakeApp, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        fleet: Fleet = board(app).fleet
        name = fleet.cards[1].name
        fleet.display = False
        fleet.selected = name
        # Shown again before any layout: nobody tells it that it was gone.
        fleet.display = True
        await pilot.pause()
        assert fleet._rows == fleet._picture(*fleet.size)


def test_changed_cells_are_where_the_rows_differ() -> None:
    old = (Span("时间 "), Span("abc", "dim"), Span("   tail of it"))
    new = (Span("时间 "), Span("aXc", "dim"), Span("   tail of it"))
    assert changed_cells(old, new, 21) == [(6, 7)]
    assert changed_cells(old, old, 21) == [(0, 21)]
    assert changed_cells(old, (*old, Span("!")), 21) == [(0, 21)]
