"""The map on the dashboard: keys, mouse, and what is sent while one pin turns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from portrait import Portraits, portrait
from syrupy.assertion import SnapshotAssertion
from textual.geometry import Region
from tui_fleet import FakeSource, MakeApp, Said, Settle, board, fleet_cards

from yolotop.tui.app import YolotopApp
from yolotop.tui.layout import View
from yolotop.tui.widgets.sites import sites_of
from yolotop.tui.widgets.world_map import WorldMap, split
from yolotop.view.regions import REGIONS
from yolotop.view.snapshot import Card

Drawn = Callable[..., Awaitable[str]]


def map_of(app: YolotopApp) -> WorldMap:
    """The map, which is what is shown."""
    fleet = board(app).fleet
    assert isinstance(fleet, WorldMap)
    return fleet


def crowd() -> tuple[Card, ...]:
    """One in each region of the Platform, every seventh with company, one sick."""
    first = fleet_cards()
    out = []
    for n, code in enumerate(REGIONS):
        model = first[1] if n == 25 else first[n % 2 * 3]
        for copy in range(3 if n % 7 == 0 else 1):
            requests = 3 ** (n % 11) * (copy + 1)
            failed = requests // 9 if n == 25 else 0
            figures = replace(
                model.figures,
                requests=requests,
                failed=failed,
                error_rate=failed / requests,
            )
            out.append(
                replace(
                    model,
                    name=f"{code}-{copy}",
                    region=code,
                    figures=figures,
                    checking=False,
                )
            )
    return tuple(out)


@pytest.mark.parametrize("width", [1, 20, 60, 72, 80, 120, 200, 300])
@pytest.mark.parametrize("height", [1, 4, 5, 12, 16, 33, 70])
def test_the_pane_is_shared_out_without_a_rest(width: int, height: int) -> None:
    got = split(width, height)
    assert 0 < got.map_width <= width
    assert 0 < got.map_height <= height
    if got.beside:
        assert got.map_width + got.table_width < width
        assert got.map_width > got.table_width
    elif got.table_height:
        assert got.map_height + 1 + got.table_height == height


async def test_the_view_key_leads_to_the_map_and_on(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("right", "v", "v", "v")
        await settle(pilot)
        assert board(app).view is View.MAP
        assert map_of(app).selected == "gate-3"
        shown = said(app)
        for part in ("Berlin", "Osaka", "no place", "▸ ✖ gate-3", "⠤"):
            assert part in shown
        await pilot.press("v")
        assert board(app).view is View.CARDS


async def test_arrows_go_to_the_nearest_pin_and_through_one_place(
    make_app: MakeApp, source: FakeSource, settle: Settle
) -> None:
    cards = source.snapshot.cards
    twin = replace(cards[0], name="dock-cam-2")
    source.snapshot = replace(source.snapshot, cards=(*cards, twin))
    app = make_app(view="map")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert map_of(app).selected == "dock-cam"
        for key, name in (
            ("down", "dock-cam-2"), ("up", "dock-cam"), ("left", "night-shift"),
            ("left", "flapper"), ("left", "flapper"), ("right", "night-shift"),
            ("down", "creeper"), ("right", "newcomer"), ("down", "gate-3"),
            ("down", "warehouse-roof"), ("down", "warehouse-roof"),
            ("up", "gate-3"), ("up", "newcomer"),
        ):  # fmt: skip
            await pilot.press(key)
            assert map_of(app).selected == name, key


async def test_a_click_selects_a_pin_or_a_line_and_a_second_one_opens_it(
    make_app: MakeApp, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(view="map")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        world = map_of(app)
        pin = next(each for each in world.pins if each.label == "Osaka")
        await pilot.click(world, offset=(pin.x + 1, pin.y))
        assert world.selected == "press-line"
        # In the middle of the Pacific there is nothing to hit.
        await pilot.click(world, offset=(1, 14))
        assert world.selected == "press-line"
        labels = [site.label for site in sites_of(world.cards)]
        x = split(*world.size).map_width + 6
        await pilot.click(world, offset=(x, 1 + labels.index("Sydney")))
        assert world.selected == "newcomer"
        opened: list[str] = []
        monkeypatch.setattr(board(app), "action_open_of", opened.append)
        await pilot.click(world, offset=(pin.x, pin.y), times=2)
        await pilot.pause()
        assert opened == ["press-line"]


async def test_only_the_turning_pin_is_sent(
    make_app: MakeApp, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(view="map")
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(pilot)
        world = map_of(app)
        pin = next(each for each in world.pins if each.label == "Osaka")
        sent: list[Region] = []
        monkeypatch.setattr(world, "refresh", lambda *dirty: sent.extend(dirty))
        world._turn()
        assert sent == [Region(pin.x, pin.y, 1, 1)]


@pytest.mark.parametrize(
    "size", [(1, 1), (7, 4), (20, 9), (40, 30), (60, 20), (80, 24), (300, 80)]
)
@pytest.mark.parametrize("symbols", ["auto", "block", "ascii"])
async def test_any_size_and_any_symbols(
    make_app: MakeApp,
    source: FakeSource,
    size: tuple[int, int],
    symbols: str,
    said: Said,
    settle: Settle,
) -> None:
    source.snapshot = replace(source.snapshot, cards=crowd())
    app = make_app(view="map", symbols=symbols)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        shown = said(app)
        assert len(shown.splitlines()) <= size[1]
        if symbols == "ascii":
            world = map_of(app)
            drawn = "".join(span.text for row in world._rows for span in row)
            assert drawn.isascii()
            assert drawn.strip() or world.size.area < 100


# -- pictures ----------------------------------------------------------------------


@pytest.fixture
def drawn(settle: Settle) -> Drawn:
    """The screen after one step on the map."""

    async def draw(app: YolotopApp, size: tuple[int, int]) -> str:
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            await pilot.press("right")
            await settle(pilot)
            return portrait(app)

    return draw


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """What it looked like when someone looked."""
    return snapshot.use_extension(Portraits)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=str)
@pytest.mark.parametrize("theme", ["yolotop", "yolotop-light", "ansi-dark"])
async def test_map(
    make_app: MakeApp,
    source: FakeSource,
    drawn: Drawn,
    picture: SnapshotAssertion,
    theme: str,
    size: tuple[int, int],
) -> None:
    still = tuple(replace(c, checking=False) for c in source.snapshot.cards)
    source.snapshot = replace(source.snapshot, cards=still)
    assert await drawn(make_app(theme=theme, view="map"), size) == picture


@pytest.mark.parametrize("symbols", ["auto", "block", "ascii"])
@pytest.mark.parametrize("size", [(60, 20), (200, 50)], ids=str)
async def test_crowd(
    make_app: MakeApp,
    source: FakeSource,
    drawn: Drawn,
    picture: SnapshotAssertion,
    symbols: str,
    size: tuple[int, int],
) -> None:
    source.snapshot = replace(source.snapshot, cards=crowd())
    assert await drawn(make_app(symbols=symbols, view="map"), size) == picture
