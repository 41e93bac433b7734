"""Every screen and state, at four sizes, in three themes.

One app per size and theme is walked through by keys, as a person would, and portrayed
at each stop: text, so that what a change does to twenty-odd screens is read in a diff.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from portrait import Portraits, portrait
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot
from tui_fleet import FakeActions, FakeSource, MakeApp, Settle
from tui_predict import SETTINGS

from yolotop.errors import StoreError
from yolotop.model import Health, Severity
from yolotop.tui.app import YolotopApp
from yolotop.tui.screens.detail import DetailScreen
from yolotop.view.snapshot import CollectorHealth, CollectorView, Figures

SIZES = [(60, 20), (80, 24), (120, 40), (200, 50)]
THEMES = ["yolotop", "yolotop-light", "ansi-dark"]
WALK: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cards", ()),
    ("compact", ("v",)),
    ("table", ("v", "s", "s", "s")),
    ("map", ("v",)),
    ("find", ("v", "f", *"berlin")),
    ("filter", ("escape", "slash", *"refused")),
    ("log", ("escape", "tab", "up", "up")),
    ("line", ("enter",)),
    ("paused", ("escape", "tab", "space")),
    ("help", ("space", "question_mark")),
    ("add", ("escape", "a")),
    ("remove", ("escape", "d")),
    ("overview", ("escape", "enter")),
    ("cursor", ("left", "left", "left")),
    ("incident", ("comma",)),
    ("logs", ("escape", "tab")),
    ("predict", ("tab",)),
    ("code", ("tab",)),
    ("config", ("tab",)),
    ("back", ("escape",)),
)
"""What each stop is called, and the keys that lead there from the one before."""


@pytest.fixture(autouse=True)
def _still(source: FakeSource, actions: FakeActions) -> None:
    """Nothing turns while a portrait is taken."""
    cards = tuple(replace(card, checking=False) for card in source.snapshot.cards)
    source.snapshot = replace(source.snapshot, cards=cards)
    actions.set_to = SETTINGS


async def _come_to_rest(pilot: Pilot[int], settle: Settle) -> None:
    """Let the feeds take a turn, and pages read what they show."""
    screen = pilot.app.screen
    if isinstance(screen, DetailScreen):
        turns = screen.feed.turns
        screen.feed.nudge()
        while screen.feed.turns == turns:
            await pilot.pause()
    else:
        await settle(pilot)
    for worker in list(pilot.app.workers):
        if worker.group == "look":
            await worker.wait()
    await pilot.pause()


Take = Callable[[str, YolotopApp], None]


@pytest.fixture
def album(snapshot: SnapshotAssertion) -> tuple[Take, list[str]]:
    """Compares portraits, and remembers the names of those that differ."""
    pictures = snapshot.use_extension(Portraits)
    wrong: list[str] = []

    def take(name: str, app: YolotopApp) -> None:
        drawn = portrait(app)
        width = app.size.width
        lines = drawn.split("\n\n")[0].splitlines()
        assert len([line for line in lines if line.startswith("|")]) == app.size.height
        for strip in app.screen._compositor.render_strips():
            assert strip.cell_length == width, name
        if drawn != pictures(name=name):
            wrong.append(name)

    return take, wrong


@pytest.mark.timeout(240)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_every_screen(
    make_app: MakeApp,
    settle: Settle,
    album: tuple[Take, list[str]],
    size: tuple[int, int],
    theme: str,
) -> None:
    take, wrong = album
    app = make_app(theme=theme)
    async with app.run_test(size=size) as pilot:
        await _come_to_rest(pilot, settle)
        for name, keys in WALK:
            for key in keys:
                await pilot.press(key)
            await _come_to_rest(pilot, settle)
            take(name, app)
    assert not wrong


Change = Callable[[FakeSource], None]


def _empty(source: FakeSource) -> None:
    source.snapshot = replace(
        source.snapshot, cards=(), counts=(), totals=Figures(), active=0
    )
    source.lines = []


def _nobody_measures(source: FakeSource) -> None:
    silent = CollectorView(CollectorHealth.STALE, 190.0)
    source.snapshot = replace(source.snapshot, collector=silent)


def _noted(text: str) -> Change:
    def change(source: FakeSource) -> None:
        view = replace(source.snapshot.collector, note=text)
        source.snapshot = replace(source.snapshot, collector=view)

    return change


def _all_down(source: FakeSource) -> None:
    cards = tuple(
        replace(
            card,
            health=Health.DOWN,
            message="connection refused by 10.0.4.7:8000",
            severity=Severity.ERROR,
        )
        for card in source.snapshot.cards
    )
    source.snapshot = replace(
        source.snapshot, cards=cards, counts=((Health.DOWN, len(cards)),), active=0
    )


def _lost(source: FakeSource) -> None:
    source.trouble = StoreError("history.db: disk I/O error", hint="check the disk")


TROUBLES: dict[str, tuple[Change, str]] = {
    "empty": (_empty, "No deployment is registered yet"),
    "nobody": (_nobody_measures, "nobody is measuring"),
    "disk": (
        _noted("the disk is full: 12 results wait in memory"),
        "the disk is full: 12 results",
    ),
    "clock": (_noted("the clock was set back by 2 h"), "the clock was set back"),
    "config": (
        _noted("yolotop.toml:3: url is missing; the last good one is in use"),
        "yolotop.toml:3: url is missing",
    ),
    "down": (_all_down, "connection refused"),
    "lost": (_lost, "disk I/O error"),
}
"""What can be wrong, and the words that must be there without a key press."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_trouble_is_seen_without_a_key(
    make_app: MakeApp,
    source: FakeSource,
    settle: Settle,
    album: tuple[Take, list[str]],
    size: tuple[int, int],
    theme: str,
) -> None:
    take, wrong = album
    well = source.snapshot, list(source.lines)
    app = make_app(theme=theme)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for trouble, (change, words) in TROUBLES.items():
            source.snapshot, source.lines, source.trouble = *well, None
            await settle(pilot)
            assert words not in portrait(app) or trouble == "down"
            change(source)
            await settle(pilot)
            take(trouble, app)
            assert words in portrait(app), trouble
    assert not wrong
