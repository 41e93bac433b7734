"""The dashboard by keys, states and messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.events import Key
from textual.widgets import OptionList
from tui_fleet import NOON, FakeActions, FakeSource, MakeApp, Said, Settle, board

from yolotop.errors import StoreError
from yolotop.model import Health, Severity
from yolotop.tui.app import YolotopApp
from yolotop.tui.layout import View
from yolotop.tui.screens.confirm import Confirm
from yolotop.tui.screens.dashboard import Dashboard
from yolotop.tui.screens.help import Help
from yolotop.view.log import LogPage
from yolotop.view.snapshot import CollectorHealth, CollectorView, Range


async def test_every_state_has_its_sign_and_foreign_text_is_text(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        shown = said(app)
        for part in (
            "✖ gate-3", "♡ yard-7", "❄ night-shift", "⏸ warehouse-roof", "? newcomer",
            "34\u00a0512", "6", "of 9", "1.8 %", "limit 5 %", "142 ms",
            "[red]upstream[/nope] reset",
        ):  # fmt: skip
            assert part in shown
        assert app.focused is board(app).deck


@pytest.mark.parametrize(
    "size", [(1, 1), (2, 3), (7, 4), (20, 5), (40, 10), (60, 20), (80, 24), (300, 80)]
)
async def test_any_size_is_drawn(
    make_app: MakeApp, size: tuple[int, int], said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert said(app).strip()


async def test_resizing_live_goes_through_every_plan(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(pilot)
        for width, height in ((120, 40), (80, 24), (40, 10), (1, 1), (120, 40)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert len(said(app).splitlines()) == height
        assert "╭─ ✖ gate-3" in said(app)


async def test_arrows_move_by_the_grid(make_app: MakeApp, settle: Settle) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        deck = board(app).deck
        assert deck.selected == "dock-cam"
        for key, name in (
            ("right", "gate-3"), ("down", "night-shift"), ("left", "press-line"),
            ("up", "dock-cam"), ("up", "dock-cam"), ("left", "dock-cam"),
        ):  # fmt: skip
            await pilot.press(key)
            assert deck.selected == name


async def test_another_view_keeps_the_selection_and_the_focus(
    make_app: MakeApp, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("down", "right")
        name = board(app).chosen
        for view in (*list(board(app).views)[1:], View.CARDS):
            await pilot.press("v")
            await pilot.pause()
            assert board(app).view is view
            assert board(app).chosen == name
            assert app.focused is board(app).fleet
            assert [each.display for each in board(app).fleets].count(True) == 1


async def test_the_selection_is_a_name_not_a_place(
    make_app: MakeApp, source: FakeSource, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("down", "down")
        assert board(app).deck.selected == "yard-7"
        source.snapshot = replace(source.snapshot, cards=source.snapshot.cards[1:])
        await settle(pilot)
        assert board(app).deck.selected == "yard-7"


async def test_a_list_that_does_not_fit_scrolls_with_the_cursor(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    cards = source.snapshot.cards
    source.snapshot = replace(
        source.snapshot,
        cards=tuple(replace(cards[0], name=f"cam-{n:03}") for n in range(100)),
    )
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(*["down"] * 30)
        assert "▸♥ cam-030" in said(app)
        assert "cam-000" not in said(app)


@pytest.mark.parametrize(
    ("age_s", "keys", "told"),
    [
        (720, "]", True), (720, "[", True), (86_401, "]", False),
        (3_700, "[", True), (86_401, "[", False),
    ],
)  # fmt: skip
async def test_a_range_that_shows_no_more_says_why(
    make_app: MakeApp, source: FakeSource, settle: Settle, age_s: int, keys: str,
    told: bool,
) -> None:  # fmt: skip
    source.snapshot = replace(source.snapshot, first_at=NOON - age_s)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press(
            {"]": "right_square_bracket", "[": "left_square_bracket"}[keys]
        )
        await pilot.pause()
        said_now = [each.message for each in app._notifications]
        assert any("measured so far" in message for message in said_now) is told


async def test_range_keys_ask_for_another_range(
    make_app: MakeApp, source: FakeSource, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert source.ranges[-1:] == [Range.D7]
        await pilot.press("left_square_bracket", "left_square_bracket")
        await settle(pilot)
        assert source.ranges[-1:] == [Range.H6]
        await pilot.press(*["left_square_bracket"] * 5)
        assert board(app).range_ is Range.H1


@pytest.mark.parametrize(
    ("key", "severity"),
    [
        ("0", Severity.DEBUG),
        ("1", Severity.DEBUG),
        ("2", Severity.INFO),
        ("3", Severity.WARNING),
        ("4", Severity.ERROR),
        ("5", Severity.CRITICAL),
    ],
)
async def test_one_key_filters_by_severity(
    make_app: MakeApp, key: str, severity: Severity, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press(key)
        await settle(pilot)
        lines = board(app).log_pane.lines
        assert lines
        assert min(line.severity for line in lines) is severity


async def test_typing_filters_and_escape_clears(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"refused")
        await settle(pilot)
        pane = board(app).log_pane
        assert {line.deployment for line in pane.lines} == {"gate-3"}
        assert "40 of" in said(app)
        assert "/ refused" in said(app)
        await pilot.press("enter")
        assert app.focused is board(app).deck
        assert board(app).log_query.text == "refused"
        await pilot.press("escape")
        await settle(pilot)
        assert board(app).log_query.text == ""
        assert len({line.deployment for line in pane.lines}) > 1


async def test_o_singles_a_deployment_out_and_again_lets_go(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("right", "o")
        await settle(pilot)
        assert {line.deployment for line in board(app).log_pane.lines} == {"gate-3"}
        assert "@gate-3" in said(app)
        assert "whole log" in said(app)
        await pilot.press("o")
        await settle(pilot)
        assert board(app).log_query.deployment is None


async def test_scrolling_away_stops_following_and_counts(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        pane = board(app).log_pane
        first = pane.lines[0]
        await pilot.press("pageup")
        assert not board(app).log_pane.following
        before = said(app)
        last = source.lines[-1]
        source.lines += [replace(last, seq=last.seq + n) for n in (1, 2, 3)]
        await settle(pilot)
        assert "↓ 3 new" in said(app)
        log_before = before.splitlines()[12:23]
        assert said(app).splitlines()[12:23] == log_before
        await pilot.press("end")
        assert board(app).log_pane.following
        assert pane.lines[-1].seq == last.seq + 3
        assert "new" not in said(app).splitlines()[11]
        assert pane.lines[0] == first


async def test_the_top_brings_older_lines_and_keeps_the_place(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    source.lines = [
        replace(source.lines[0], seq=n, message=f"line {n}") for n in range(1, 901)
    ]
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        pane = board(app).log_pane
        assert pane.lines[0].seq == 601
        pane.scroll_lines(-300)
        await pilot.pause()
        top = said(app).splitlines()[12]
        assert "line 601" in top
        await settle(pilot)
        assert pane.lines[0].seq == 301
        assert said(app).splitlines()[12] == top


async def test_freeze_holds_the_picture_and_counts_what_it_misses(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    clock = [1_790_000_000.0]
    app = make_app(now=lambda: clock[0])
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("space")
        source.snapshot = replace(
            source.snapshot, totals=replace(source.snapshot.totals, requests=99_999)
        )
        last = source.lines[-1]
        source.lines += [replace(last, seq=last.seq + n) for n in range(1, 35)]
        clock[0] += 12
        await settle(pilot)
        assert "PAUSED +12s · 34 new" in said(app)
        assert "34\u00a0512" in said(app)
        shown = board(app).log_pane.lines[-1].seq
        assert shown == last.seq
        await pilot.press("space")
        assert "PAUSED" not in said(app)
        assert "99\u00a0999" in said(app)
        assert board(app).log_pane.lines[-1].seq == last.seq + 34


async def test_a_lost_store_keeps_the_last_picture_under_a_banner(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        source.trouble = StoreError("the disk is gone", hint="plug it in")
        await settle(pilot)
        lines = said(app).splitlines()
        assert "the disk is gone" in lines[1]
        assert "34\u00a0512" in said(app)
        source.trouble = None
        await settle(pilot)
        assert "the disk is gone" not in said(app)


async def test_a_dead_collector_is_seen_without_a_key(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    source.snapshot = replace(
        source.snapshot, collector=CollectorView(CollectorHealth.STALE, 95.0)
    )
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "✖ collector silent 1m" in said(app)
        assert "nobody is measuring" in said(app)


async def test_what_the_last_one_said_does_not_hide_that_it_is_gone(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    gone = CollectorView(CollectorHealth.STALE, 95.0, note="the disk is full")
    source.snapshot = replace(source.snapshot, collector=gone)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        banner = said(app).splitlines()[1]
        assert "nobody is measuring: the disk is full" in banner


async def test_why_nobody_measures_is_told_while_it_lasts(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    why = ["yolotop.toml:3: [red]url\nis missing. Correct this"]
    running = source.snapshot
    source.snapshot = replace(running, collector=CollectorView())
    app = make_app(trouble=lambda: why[0])
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        banner = said(app).splitlines()[1]
        assert "nobody is measuring: yolotop.toml:3: [red]url is missing." in banner
        source.snapshot = replace(source.snapshot, cards=(), counts=())
        await settle(pilot)
        assert "yolotop.toml:3" in said(app).splitlines()[1]
        why[0] = ""
        source.snapshot = replace(running, collector=CollectorView())
        await settle(pilot)
        assert "the figures below are not renewed" in said(app).splitlines()[1]
        source.snapshot = running
        await settle(pilot)
        assert "nobody is measuring" not in said(app)


@pytest.mark.parametrize("key", ["5", "4", "2"])
async def test_an_empty_page_is_the_filters_doing(
    make_app: MakeApp,
    source: FakeSource,
    said: Said,
    settle: Settle,
    key: str,
) -> None:
    source.lines = [replace(line, severity=Severity.DEBUG) for line in source.lines]
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(key)
        await settle(pilot)
        assert "no line passes the filters" in said(app)
        assert "nothing has been logged" not in said(app)


async def test_before_the_first_line_nothing_has_been_logged(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    source.lines = []
    source.snapshot = replace(source.snapshot, first_at=None, since_at=None)
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "nothing has been logged yet" in said(app)


async def test_probe_and_pause_act_on_the_selected_one(
    make_app: MakeApp,
    source: FakeSource,
    actions: FakeActions,
    said: Said,
    settle: Settle,
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("right", "p")
        await pilot.pause()
        await pilot.press("x")
        await pilot.pause()
        assert actions.calls == [("probe", "gate-3"), ("pause", "gate-3")]
        board(app).deck.selected = "warehouse-roof"
        await pilot.pause()
        assert "x resume" in said(app)
        await pilot.press("x")
        await pilot.pause()
        assert actions.calls[-1] == ("resume", "warehouse-roof")
        assert source.snapshot.cards[7].health is Health.PAUSED


async def test_remove_asks_and_is_bound_to_the_name(
    make_app: MakeApp,
    source: FakeSource,
    actions: FakeActions,
    said: Said,
    settle: Settle,
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("down", "d")
        await pilot.pause()
        assert isinstance(app.screen, Confirm)
        assert "Remove gate-3?" in said(app)
        # The list moves while the question stands: still the one that was named.
        source.snapshot = replace(source.snapshot, cards=source.snapshot.cards[2:])
        await settle(pilot)
        await pilot.press("y")
        await pilot.pause()
        assert actions.calls == [("remove", "gate-3")]


@pytest.mark.parametrize("key", ["n", "escape", "enter"])
async def test_remove_does_nothing_unless_told_twice(
    make_app: MakeApp, actions: FakeActions, key: str, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("d")
        await pilot.pause()
        await pilot.press(key)
        await pilot.pause()
        assert actions.calls == []
        assert isinstance(app.screen, Dashboard)


async def test_read_only_hides_and_refuses_changes(
    make_app: MakeApp, actions: FakeActions, said: Said, settle: Settle
) -> None:
    app = make_app(read_only=True)
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(pilot)
        assert "a add" not in said(app)
        for key in ("a", "d", "x"):
            await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        await pilot.press("p")
        await pilot.pause()
        assert actions.calls == [("probe", "dock-cam")]


async def test_a_failed_action_says_why(
    make_app: MakeApp, actions: FakeActions, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        actions.trouble = StoreError("the store is [read] only", hint="chmod it")
        await pilot.press("p")
        await pilot.pause()
        assert "the store is [read] only" in said(app)


async def test_an_empty_fleet_says_how_to_begin(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    source.snapshot = replace(source.snapshot, cards=(), counts=())
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for part in ("add an endpoint", "write a config", "./yolotop.toml"):
            assert part in said(app)
        await pilot.press("p", "x", "d", "enter", "slash", "space")
        assert isinstance(app.screen, Dashboard)
        assert not board(app).frozen


async def test_help_lists_every_key_and_closes(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 110)) as pilot:
        await settle(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        shown = said(app)
        for part in ("ctrl+p", "Hold the picture still", "degraded", "cold start"):
            assert part in shown
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


def _calls(app: YolotopApp) -> list[tuple[str, object]]:
    assert isinstance(app.means.actions, FakeActions)
    return app.means.actions.calls


@pytest.mark.parametrize(
    ("typed", "check"),
    [
        ("range: 30d", lambda app: board(app).range_ is Range.D30),
        ("theme: nord", lambda app: app.theme == "nord"),
        (
            "pause: creeper",
            lambda app: app.means.actions.calls == [("pause", "creeper")],
        ),
        (
            "probe now: yard",
            lambda app: app.means.actions.calls == [("probe", "yard-7")],
        ),
        ("remove deployment: fl", lambda app: isinstance(app.screen, Confirm)),
        ("quit", lambda app: app.return_value == 0),
    ],
)
async def test_the_palette_does_it(
    make_app: MakeApp, typed: str, check: Callable[[YolotopApp], bool], settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*("space" if char == " " else char for char in typed))
        for _ in range(50):
            await pilot.pause()
            found = app.screen.query(OptionList).first()
            if found.option_count and found.visible:
                break
        await pilot.press("enter")
        for _ in range(20):
            await pilot.pause()
            if check(app):
                break
        assert check(app)


async def test_q_leaves_with_nought(make_app: MakeApp, settle: Settle) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("q")
    assert app.return_value == 0


async def test_themes_cycle_and_a_wrong_one_is_told(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app(theme="no-such-theme")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        assert app.theme == "yolotop"
        assert "no-such-theme" in said(app)
        seen = [app.theme]
        for _ in range(4):
            await pilot.press("t")
            await pilot.pause()
            seen.append(app.theme)
        assert seen == [
            "yolotop",
            "yolotop-light",
            "ansi-dark",
            "ansi-light",
            "yolotop",
        ]


async def test_clicks_work_where_things_are(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.click("#deck", offset=(50, 2))
        assert board(app).deck.selected == "gate-3"
        row = said(app).splitlines()[0]
        await pilot.click("#header", offset=(row.index("7d"), 0))
        assert board(app).range_ is Range.D7
        title = said(app).splitlines()[23]
        await pilot.click("#log", offset=(title.index("4·E"), 0))
        assert board(app).log_query.min_severity is Severity.ERROR


async def test_a_burst_of_keys_goes_where_it_was_meant(
    make_app: MakeApp, actions: FakeActions, settle: Settle
) -> None:
    """Over a slow line keys arrive together: none may act on what was there before."""
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in "/dxq":
            app.post_message(Key("slash" if key == "/" else key, key))
        await settle(pilot)
        assert board(app).prompt.text == "dxq"
        assert isinstance(app.screen, Dashboard)
        await pilot.press("escape")
        for key in "adyx":
            app.post_message(Key(key, key))
        await settle(pilot)
        assert type(app.screen).__name__ == "AddDeployment"
        assert actions.calls == []


async def test_an_answer_that_comes_while_the_screen_goes_is_no_fault(
    make_app: MakeApp,
    source: FakeSource,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = make_app()
    answer = source.log
    came_late: list[bool] = []

    async def late(*args: Any, **named: Any) -> LogPage:
        while screen.query("#log"):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        came_late.append(True)
        return await answer(*args, **named)

    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        screen = board(app)
        monkeypatch.setattr(source, "log", late)
        screen.feed.nudge()
        await pilot.pause()
    assert came_late
