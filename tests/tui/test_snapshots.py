"""What the screens look like, as pictures that a person has looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot
from tui_fleet import NOON, PROBE, FakeSource, MakeApp, Settle

from yolotop.model import Health
from yolotop.view.snapshot import CollectorHealth, CollectorView, Figures

SIZES = [(60, 20), (80, 24), (120, 40)]
Compare = Callable[..., bool]
Portrayed = Callable[..., str]


Run = Callable[[Pilot[int]], Awaitable[None]]
After = Callable[..., Run]


@pytest.fixture
def after(settle: Settle, work: Settle) -> After:
    """Wait for the picture, press keys, wait for what they did."""

    def make(*keys: str) -> Run:
        async def run(pilot: Pilot[int]) -> None:
            await settle(pilot)
            await pilot.press(*keys)
            await work(pilot)
            await settle(pilot)

        return run

    return make


@pytest.fixture(autouse=True)
def _still(source: FakeSource) -> None:
    """Nothing turns while a picture is taken."""
    source.snapshot = replace(
        source.snapshot,
        cards=tuple(replace(card, checking=False) for card in source.snapshot.cards),
    )


@pytest.mark.parametrize("theme", ["yolotop", "yolotop-light", "ansi-dark"])
def test_dashboard(
    snap_compare: Compare, make_app: MakeApp, theme: str, after: After
) -> None:
    app = make_app(theme=theme)
    assert snap_compare(app, terminal_size=(120, 40), run_before=after())


def test_terminal_of_ever(
    snap_compare: Compare, make_app: MakeApp, after: After
) -> None:
    assert snap_compare(make_app(), terminal_size=(80, 24), run_before=after())


def test_tiny(
    portrayed: Portrayed,
    picture: SnapshotAssertion,
    make_app: MakeApp,
    after: After,
) -> None:
    drawn = portrayed(make_app(), terminal_size=(40, 10), run_before=after())
    assert drawn == picture


def test_ascii(snap_compare: Compare, make_app: MakeApp, after: After) -> None:
    app = make_app(symbols="ascii")
    assert snap_compare(app, terminal_size=(120, 40), run_before=after())


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("only", ("right", "o")),
        ("away", ("tab", "pageup")),
        ("added", ("a", *"dock-2", "tab", *"http", "ctrl+t")),
        ("errors", ("4",)),
        ("marked", ("slash", *"status:5xx", "enter", "u", "N")),
        ("problem", ("slash", *"stauts:5xx")),
    ],
)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_states(
    portrayed: Portrayed,
    picture: SnapshotAssertion,
    make_app: MakeApp,
    size: tuple[int, int],
    name: str,
    keys: Iterable[str],
    after: After,
) -> None:
    drawn = portrayed(make_app(), terminal_size=size, run_before=after(*keys))
    assert drawn == picture, name


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_line(
    portrayed: Portrayed,
    picture: SnapshotAssertion,
    make_app: MakeApp,
    source: FakeSource,
    size: tuple[int, int],
    after: After,
) -> None:
    source.lines[-1] = replace(source.lines[-1], message=PROBE.message)
    source.probes[source.lines[-1].seq] = PROBE
    run = after("tab", "enter")
    assert portrayed(make_app(), terminal_size=size, run_before=run) == picture


def test_help(snap_compare: Compare, make_app: MakeApp, after: After) -> None:
    run = after("question_mark")
    assert snap_compare(make_app(), terminal_size=(120, 40), run_before=run)


def test_empty(
    snap_compare: Compare, make_app: MakeApp, source: FakeSource, after: After
) -> None:
    source.snapshot = replace(
        source.snapshot, cards=(), counts=(), totals=Figures(), active=0
    )
    assert snap_compare(make_app(), terminal_size=(80, 24), run_before=after())


def test_save_anyway(
    portrayed: Portrayed,
    picture: SnapshotAssertion,
    make_app: MakeApp,
    after: After,
) -> None:
    run = after("a", *"dock-2", "tab", *"http", "ctrl+s")
    assert portrayed(make_app(), terminal_size=(80, 24), run_before=run) == picture


def test_young_and_nobody_measures(
    snap_compare: Compare, make_app: MakeApp, source: FakeSource, after: After
) -> None:
    lost = "no answer for 3 min: nobody is measuring"
    shown = source.snapshot
    cards = tuple(
        replace(card, health=Health.UNKNOWN, message=lost, since_at=NOON - 190)
        for card in shown.cards
        if card.health is not Health.PAUSED
    )
    source.snapshot = replace(
        shown,
        cards=cards,
        counts=((Health.UNKNOWN, len(cards)),),
        active=0,
        since_at=NOON - 400,
        change=None,
        collector=CollectorView(CollectorHealth.STALE, 190.0),
    )
    app = make_app(trouble=lambda: "yolotop.toml:3: url is missing. Correct this")
    assert snap_compare(app, terminal_size=(120, 40), run_before=after())
