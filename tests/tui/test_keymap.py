"""The keymap: what counts, what is told, and that every key does what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from string import printable

import pytest
from textual.keys import _character_to_key
from tui_fleet import TRUECOLOR, FakeActions, FakeSource, MakeApp, Said, Settle, board

from tools.write_keys import PAGE, page
from yolotop.config.schema import UiSettings
from yolotop.tui.app import YolotopApp
from yolotop.tui.commands import Deeds
from yolotop.tui.keymap import EVERYWHERE, KNOWN, Keymap, name_of, read, shown
from yolotop.tui.keys import CONTEXTS, DEEDS, Deed, deed_of, deeds_in
from yolotop.tui.screens.dashboard import Dashboard
from yolotop.tui.screens.detail import DetailScreen
from yolotop.tui.screens.help import Help
from yolotop.tui.widgets.fleet import Fleet
from yolotop.tui.widgets.log import LogPane
from yolotop.tui.widgets.overview import Overview
from yolotop.tui.widgets.scrolled import Scrolled
from yolotop.tui.widgets.table_order import By, Sort

DASHBOARD = ("app", "time", "dashboard", "deployment", "log", "list", "lines")
TABS = ("the overview", "the detail's log", "predict", "code", "config")
"""The contexts of the detail screen's tabs, from left to right."""
WRITING = [deed for deed in DEEDS if deed.writes]


def test_keys_are_called_as_textual_calls_them() -> None:
    for character in printable[:95]:
        assert name_of(character) == _character_to_key(character)
        assert shown(name_of(character)) in (character, "space")


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.id)
def test_every_terminal_sends_every_key(deed: Deed) -> None:
    assert set(deed.keys.split(",")) <= EVERYWHERE
    assert deed.show == shown(deed.keys.partition(",")[0])


def test_a_wish_moves_an_action_and_how_it_is_written() -> None:
    keymap = read({"probe": ("P", "?"), "help": ("f1",)})
    assert keymap.troubles == ()
    probe, quit_ = keymap.applied((deed_of("probe"), deed_of("quit")))
    assert (probe.keys, probe.show) == ("P,question_mark", "P")
    assert quit_ is deed_of("quit")


def test_two_actions_may_swap() -> None:
    keymap = read({"probe": ("x",), "pause": ("p",)})
    assert dict(keymap.keys) == {"probe": "x", "pause": "p"}


def test_an_action_may_have_no_key() -> None:
    keymap = read({"remove": ()})
    (remove,) = keymap.applied([deed_of("remove")])
    assert (remove.keys, remove.show, remove.hint) == ("", "", 0)
    assert keymap.bindings()["remove"]


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"prob": ("P",)}, "prob: there is no such action; did you mean probe?"),
        ({"probe": ("hyper+q",)}, '"hyper+q" is no key that terminals send'),
        ({"probe": ("ctrl+m",)}, '"ctrl+m" is no key'),
        ({"probe": ("x",)}, "[keymap] probe: x is pause in the list; give pause"),
        # The list's own keys count where the dashboard's do.
        ({"probe": ("j",)}, "j is list.down in the list"),
        ({"probe": ("q",)}, "q is quit in"),
    ],
)  # fmt: skip
def test_what_does_not_count_is_told_and_the_default_stays(
    wishes: dict[str, tuple[str, ...]], told: str
) -> None:
    keymap = read(wishes)
    assert len(keymap.troubles) == 1
    assert told in keymap.troubles[0]
    assert dict(keymap.keys) == {}


def test_of_two_wishes_for_one_key_the_later_loses() -> None:
    keymap = read({"probe": ("P",), "pause": ("P",)})
    assert dict(keymap.keys) == {"probe": "P"}
    assert "pause: P is probe" in keymap.troubles[0]


def test_a_wish_that_falls_can_bring_another_down_with_it() -> None:
    # freeze takes what quit gives up; quit cannot move, so both stay.
    keymap = read({"freeze": ("q",), "quit": ("x",)})
    assert dict(keymap.keys) == {}
    assert len(keymap.troubles) == 2


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of actions that arrived, in place of what they do."""
    seen: list[str] = []

    def spy(owner: type[object], deed: Deed) -> None:
        """Stand in for one action; the screen's own where it has one."""

        def tell(*args: object) -> None:
            said = ", ".join(map(str, args))
            seen.append(deed.action + (f"({said})" if args else ""))

        # Textual counts parameters: a catch-all would be given the first one only.
        acts: list[Callable[..., None]] = [
            lambda _self: tell(),
            lambda _self, one: tell(one),
            lambda _self, one, two: tell(one, two),
        ]
        number = deed.call.count(",") + ("(" in deed.call)
        monkeypatch.setattr(owner, f"action_{deed.action}", acts[number])

    owners = {
        "app": YolotopApp,
        "list": Fleet,
        "lines": LogPane,
        "overview": Overview,
        "page": Scrolled,
    }
    for deed in DEEDS:
        if deed.where in (*DASHBOARD, "empty", *owners):
            spy(owners.get(deed.where, Dashboard), deed)
        if deed.where in ("detail", "deployment", "time", "log", "predict", "code"):
            spy(DetailScreen, deed)
    return seen


@pytest.mark.parametrize("swapped", [False, True])
async def test_every_key_of_the_table_brings_its_action(
    source: FakeSource, settle: Settle, called: list[str], swapped: bool
) -> None:
    wishes = {"probe": ("x",), "pause": ("p", "P")} if swapped else {}
    keymap = read(wishes)
    # Only a table is sorted.
    settings = UiSettings(keymap=wishes, view="table")
    app = YolotopApp(
        source, FakeActions(), settings=settings, refresh_s=3_600.0, env=TRUECOLOR
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        screen = board(app)
        screen.table.sort = Sort(By.P95)
        for deed in keymap.applied(d for d in DEEDS if d.where in DASHBOARD):
            screen.set_focus(screen.log_pane if deed.where == "lines" else screen.fleet)
            for key in deed.keys.split(","):
                called.clear()
                await pilot.press(key)
                assert called == [deed.call], (deed.id, key)


@pytest.mark.parametrize(
    ("turns", "context"), enumerate(TABS), ids=lambda value: str(value)
)
async def test_every_key_of_the_detail_screen_brings_its_action(
    make_app: MakeApp,
    settle: Settle,
    request: pytest.FixtureRequest,
    turns: int,
    context: str,
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        screen = app.screen
        assert isinstance(screen, DetailScreen)
        while screen.detail is None:
            await pilot.pause()
        await pilot.press(*("tab",) * turns)
        await pilot.pause()
        deeds = deeds_in(*CONTEXTS[context])
        offered = {deed.id for deed in screen.offered() if screen.can(deed)}
        assert offered <= {deed.id for deed in deeds}
        called: list[str] = request.getfixturevalue("called")
        for deed in deeds:
            for key in deed.keys.split(","):
                called.clear()
                await pilot.press(key)
                assert called == [deed.call], (deed.id, key)


async def test_every_key_of_the_empty_state_brings_its_action(
    make_app: MakeApp, source: FakeSource, settle: Settle, called: list[str]
) -> None:
    source.snapshot = replace(source.snapshot, cards=(), counts=())
    app = make_app(demo=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for deed in (deed_of("add"), *deeds_in(*CONTEXTS["an empty list"])):
            for key in deed.keys.split(","):
                called.clear()
                await pilot.press(key)
                assert called == [deed.call], (deed.id, key)


def test_every_action_was_walked_to() -> None:
    assert set(CONTEXTS) == {"the list", "the log", "an empty list", *TABS}
    assert set(DASHBOARD) == {*CONTEXTS["the list"], *CONTEXTS["the log"]}
    walked = {where for wheres in CONTEXTS.values() for where in wheres}
    assert walked == {deed.where for deed in DEEDS}


async def test_footer_help_and_palette_show_the_keys_that_count(
    source: FakeSource, settle: Settle, said: Said
) -> None:
    settings = UiSettings(keymap={"probe": ("P",), "help": ("H",), "list.up": ("K",)})
    app = YolotopApp(
        source, FakeActions(), settings=settings, refresh_s=3_600.0, env=TRUECOLOR
    )
    async with app.run_test(size=(120, 50)) as pilot:
        await settle(pilot)
        assert "P probe now" in said(app)
        await pilot.press("H")
        await pilot.pause()
        page_ = said(app)
        assert "  P       Ask the selected" in page_
        assert "  K       The deployment above." in page_
        await pilot.press("escape")
        helps = [command.help for command in Deeds(board(app))._commands()]
    assert "Ask the selected deployment now. (P)" in helps


async def test_a_trouble_is_on_the_screen(source: FakeSource, settle: Settle) -> None:
    settings = UiSettings(keymap={"probe": ("x",)})
    app = YolotopApp(
        source,
        FakeActions(),
        settings=settings,
        refresh_s=3_600.0,
        env=TRUECOLOR,
        searched=("/home/me/yolotop.toml",),
    )
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        (note,) = app._notifications
        assert note.message.startswith(
            "/home/me/yolotop.toml\n[keymap] probe: x is pause"
        )


async def test_read_only_leaves_no_writing_deed_anywhere(
    make_app: MakeApp,
    actions: FakeActions,
    settle: Settle,
    said: Said,
    called: list[str],
) -> None:
    app = make_app(read_only=True)
    async with app.run_test(size=(200, 60)) as pilot:
        await settle(pilot)
        screen = board(app)
        footer = "".join(span.text for span in screen.hints.rows(200, 1)[0])
        offered = {deed.id for deed in screen.offered()}
        for deed in WRITING:
            assert deed.id not in offered
            assert f"{deed.show} {deed.label}" not in footer
            for key in deed.keys.split(","):
                await pilot.press(key)
        assert not {deed.call for deed in WRITING} & set(called)
        commands = list(Deeds(screen)._commands())
    assert commands
    for deed in WRITING:
        assert not [each for each in commands if f".{deed.action}" in each.call]


async def test_help_tells_what_works_here_and_nothing_that_writes_when_read_only(
    make_app: MakeApp, settle: Settle
) -> None:
    app = make_app(read_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        ids = {deed.id for deed in app.screen._deeds}
    assert ids == {d.id for d in DEEDS if d.where in DASHBOARD and not d.writes}


def test_the_page_of_keys_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run tools/write_keys.py"


def test_known_keys_hold_those_of_every_terminal() -> None:
    assert EVERYWHERE < KNOWN
    assert replace(deed_of("probe"), keys="") != deed_of("probe")
    assert Keymap().applied([deed_of("probe")]) == (deed_of("probe"),)
