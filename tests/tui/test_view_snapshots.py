"""What the views of the list look like, as pictures that a person has looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from tui_fleet import FakeSource, MakeApp, Settle, board

SIZES = [(60, 20), (80, 24), (120, 40), (200, 50)]
VIEWS = {
    "compact": ("v",),
    "table": ("v", "v", "down", "s", "s", "s"),
    "find": ("v", "v", "f", *"berlin"),
}
Compare = Callable[..., bool]
Run = Callable[[Pilot[int]], Awaitable[None]]
Pressed = Callable[..., Run]


@pytest.fixture
def pressed(settle: Settle) -> Pressed:
    """Wait for the picture, press keys, wait for what they did."""

    def make(*keys: str) -> Run:
        async def run(pilot: Pilot[int]) -> None:
            await settle(pilot)
            for key in keys:
                await pilot.press(key)
            await settle(pilot)

        return run

    return make


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
def test_view(
    snap_compare: Compare,
    make_app: MakeApp,
    size: tuple[int, int],
    view: str,
    pressed: Pressed,
) -> None:
    run = pressed(*VIEWS[view])
    assert snap_compare(make_app(), terminal_size=size, run_before=run)


@pytest.mark.parametrize("theme", ["yolotop-light", "ansi-dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_theme(
    snap_compare: Compare, make_app: MakeApp, theme: str, view: str, pressed: Pressed
) -> None:
    run = pressed(*VIEWS[view])
    app = make_app(theme=theme)
    assert snap_compare(app, terminal_size=(120, 40), run_before=run)


def test_table_in_ascii(
    snap_compare: Compare, make_app: MakeApp, pressed: Pressed
) -> None:
    run = pressed(*VIEWS["table"])
    app = make_app(symbols="ascii")
    assert snap_compare(app, terminal_size=(120, 40), run_before=run)


def test_nothing_is_found(
    snap_compare: Compare, make_app: MakeApp, pressed: Pressed
) -> None:
    run = pressed("f", *"nobody", "enter")
    assert snap_compare(make_app(), terminal_size=(80, 24), run_before=run)


@pytest.mark.parametrize("view", VIEWS)
def test_a_hundred(
    snap_compare: Compare,
    make_app: MakeApp,
    source: FakeSource,
    view: str,
    pressed: Pressed,
) -> None:
    cards = source.snapshot.cards
    source.snapshot = replace(
        source.snapshot,
        cards=tuple(
            replace(cards[n % 9], name=f"{cards[n % 9].name}-{n:02}")
            for n in range(100)
        ),
    )

    async def run(pilot: Pilot[int]) -> None:
        await pressed(*VIEWS[view])(pilot)
        assert len(board(pilot.app).snapshot.cards) == 100

    assert snap_compare(make_app(), terminal_size=(80, 24), run_before=run)
