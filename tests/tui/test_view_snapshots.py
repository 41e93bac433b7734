"""What the views of the list look like, as pictures that a person has looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from portrait import portrait
from syrupy.assertion import SnapshotAssertion
from tui_fleet import FakeSource, MakeApp, Settle

from yolotop.tui.app import YolotopApp

SIZES = [(60, 20), (80, 24), (120, 40), (200, 50)]
VIEWS = {
    "compact": ("v",),
    "table": ("v", "v", "down", "s", "s", "s"),
    "find": ("v", "v", "f", *"berlin"),
}
Drawn = Callable[..., Awaitable[str]]


@pytest.fixture
def drawn(settle: Settle) -> Drawn:
    """The screen once the picture has come and some keys have done their work."""

    async def draw(app: YolotopApp, size: tuple[int, int], *keys: str) -> str:
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            for key in keys:
                await pilot.press(key)
            await settle(pilot)
            return portrait(app)

    return draw


@pytest.fixture(autouse=True)
def _varied(source: FakeSource) -> None:
    """Budgets and groups, and nothing turns while a picture is taken."""
    budgets = (1.0, -0.31, 0.12, 0.72, None, 0.455, -12.4, 1.0, None)
    groups = ("harbour", "harbour", "plant", "plant", None, "lab", "plant", "lab", None)
    source.snapshot = replace(
        source.snapshot,
        cards=tuple(
            replace(card, checking=False, slo_left=left, group=group)
            for card, left, group in zip(
                source.snapshot.cards, budgets, groups, strict=True
            )
        ),
    )


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("view", VIEWS)
async def test_view(
    make_app: MakeApp,
    drawn: Drawn,
    picture: SnapshotAssertion,
    view: str,
    size: tuple[int, int],
) -> None:
    assert await drawn(make_app(), size, *VIEWS[view]) == picture


@pytest.mark.parametrize("theme", ["yolotop-light", "ansi-dark"])
@pytest.mark.parametrize("view", VIEWS)
async def test_theme(
    make_app: MakeApp, drawn: Drawn, picture: SnapshotAssertion, view: str, theme: str
) -> None:
    assert await drawn(make_app(theme=theme), (120, 40), *VIEWS[view]) == picture


async def test_table_in_ascii(
    make_app: MakeApp, drawn: Drawn, picture: SnapshotAssertion
) -> None:
    app = make_app(symbols="ascii")
    assert await drawn(app, (120, 40), *VIEWS["table"]) == picture


async def test_nothing_is_found(
    make_app: MakeApp, drawn: Drawn, picture: SnapshotAssertion
) -> None:
    keys = ("f", *"nobody", "enter")
    assert await drawn(make_app(), (80, 24), *keys) == picture


@pytest.mark.parametrize("view", VIEWS)
async def test_a_hundred(
    make_app: MakeApp,
    source: FakeSource,
    drawn: Drawn,
    picture: SnapshotAssertion,
    view: str,
) -> None:
    cards = source.snapshot.cards
    source.snapshot = replace(
        source.snapshot,
        cards=tuple(
            replace(cards[n % 9], name=f"{cards[n % 9].name}-{n:02}")
            for n in range(100)
        ),
    )
    assert await drawn(make_app(), (80, 24), *VIEWS[view]) == picture
