"""The log pane: a window over all of the history, its cursor, its matches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tui_fleet import NOON, PROBE, FakeSource, MakeApp, Said, Settle, board

from yolotop.model import ProbeKind, Severity
from yolotop.store.protocol import LogLine
from yolotop.tui.ink import Look
from yolotop.tui.screens.line import LineSheet, line_text, sheet_rows
from yolotop.tui.widgets.log import LogPane
from yolotop.tui.widgets.log_window import LogWindow
from yolotop.view.log import LogPage, LogQuery


def long_log(source: FakeSource, number: int = 3_000) -> None:
    """A log of which a page is a tenth; every 500th line is the needle."""
    line = source.lines[0]
    source.lines = [
        replace(
            line,
            seq=n,
            at=NOON - number + n,
            message="needle" if n % 500 == 250 else f"line {n}",
        )
        for n in range(1, number + 1)
    ]


def ends(window: LogWindow) -> tuple[bool, bool]:
    """Whether there is more before and after."""
    return window.more_before, window.more_after


def follows(pane: LogPane) -> bool:
    """Whether the newest line is kept in sight."""
    return pane.following


def written_in(folder: Path) -> str:
    """What is in the one file."""
    [written] = folder.glob("yolotop-*.log")
    return written.read_text("utf-8")


@pytest.mark.parametrize("kept", [500, 700])
async def test_memory_is_bounded_whichever_way_one_goes(
    source: FakeSource, kept: int
) -> None:
    long_log(source)
    window = LogWindow(kept)
    window.start(await source.log(LogQuery(), limit=300))
    while ends(window)[0]:
        window.add_older(await source.log(LogQuery(), before=window.first, limit=300))
        assert len(window) <= kept
        seqs = [line.seq for line in window.lines]
        assert seqs == list(range(window.first, window.last + 1))
    assert window.first == 1
    assert ends(window) == (False, True)
    assert window.add_news([], 5, following=False) == 0
    assert window.extent.newest == 3_005
    while ends(window)[1]:
        window.add_newer(await source.log(LogQuery(), after=window.last, limit=300))
        assert len(window) <= kept
        seqs = [line.seq for line in window.lines]
        assert seqs == list(range(window.first, window.last + 1))
    assert window.last == 3_000
    assert ends(window) == (True, False)


async def test_home_is_the_oldest_line_of_all_and_end_the_tail(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    long_log(source)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        pane = board(app).log_pane
        assert "3\u00a0000" in said(app)
        await pilot.press("home")
        await settle(pilot)
        assert pane.lines[0].seq == 1
        assert "line 1 " in said(app)
        assert not follows(pane)
        thumbs = [mark is not None for mark in pane._thumb(pane._room)]
        assert thumbs[0]
        last = source.lines[-1]
        source.lines += [replace(last, seq=3_000 + n, message="new") for n in (1, 2)]
        await settle(pilot)
        assert "↓ 2 new" in said(app)
        assert pane.lines[-1].seq < 3_000
        await pilot.press("end")
        await settle(pilot)
        assert follows(pane)
        assert pane.lines[-1].seq == 3_002
        assert [mark is not None for mark in pane._thumb(pane._room)][-1]


async def test_the_pane_can_be_told_to_show_a_time(
    make_app: MakeApp, source: FakeSource, settle: Settle
) -> None:
    long_log(source)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        pane = board(app).log_pane
        for seq in (2_900, 1_200, 1_210):
            pane.follow(NOON - 3_000 + seq)
            await settle(pilot)
            assert pane.line is not None
            assert pane.line.seq == seq
            assert not follows(pane)
        pane.follow(None)
        await settle(pilot)
        assert follows(pane)


async def test_the_cursor_walks_and_what_is_under_it_can_be_taken_away(
    make_app: MakeApp,
    source: FakeSource,
    settle: Settle,
    work: Settle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    long_log(source, 900)
    app = make_app()
    sent: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", sent.append)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        pane = board(app).log_pane
        await pilot.press("tab", "up", "up", "k")
        assert pane.line is not None
        assert pane.line.seq == 897
        assert not follows(pane)
        await pilot.press("y")
        assert sent == [line_text(pane.line)]
        assert "line 897" in sent[0]
        await pilot.press("down", "down", "down")
        assert pane.line.seq == 900
        await pilot.press("down")
        assert pane.cursor is None
        assert follows(pane)
        await pilot.press("slash", *"needle", "enter")
        await settle(pilot)
        await pilot.press("w")
        await work(pilot)
        await work(pilot)
    assert written_in(tmp_path).count("needle") == 2


async def test_matches_are_walked_alone_or_among_all_lines(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle
) -> None:
    long_log(source)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        pane = board(app).log_pane
        await pilot.press("slash", *"needle", "enter")
        await settle(pilot)
        assert [line.seq for line in pane.lines] == [250 + 500 * n for n in range(6)]
        assert "6 of 3\u00a0000" in said(app)
        await pilot.press("N", "N")
        assert pane.line is not None
        assert pane.line.seq == 2_250
        await pilot.press("u")
        await settle(pilot)
        assert len(pane.lines) == 300
        assert "marked" in said(app)
        for seq in (2_750, 2_250, 1_750):
            await pilot.press("N")
            await settle(pilot)
            assert pane.line.seq == seq
        await pilot.press("n")
        await settle(pilot)
        assert pane.line.seq == 2_250
        assert pane.lines[0].seq < 2_250 < pane.lines[-1].seq
        await pilot.press("u")
        await settle(pilot)
        assert len(pane.lines) == 6


async def test_what_is_typed_stays_in_sight_whatever_is_said_of_it(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        typed = "stautss:3 sev>=foo p95>80 status:5xx gate"
        await pilot.press("slash", *[{" ": "space"}.get(char, char) for char in typed])
        await settle(pilot)
        line = said(app).splitlines()[-1]
        assert f" / {typed} " in line
        assert "no field 'stautss'" in line
        await pilot.press(*["space"], *["x"] * 40)
        await settle(pilot)
        line = said(app).splitlines()[-1]
        assert "gate xxx" in line
        assert "no field" not in line


async def test_what_is_wrong_with_a_filter_is_told_while_it_is_typed(
    make_app: MakeApp, said: Said, settle: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"stauts:x")
        await settle(pilot)
        told = "no field 'stauts'; did you mean status?"
        assert told in said(app).splitlines()[-1]
        await pilot.press("enter")
        await settle(pilot)
        assert told in said(app)
        await pilot.press("escape")
        await settle(pilot)
        assert "stauts" not in said(app)


async def test_troubles_is_a_key_and_back(make_app: MakeApp, settle: Settle) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("E")
        assert board(app).log_query.min_severity is Severity.WARNING
        await pilot.press("E")
        assert board(app).log_query.min_severity is Severity.INFO


async def test_enter_looks_closely_at_the_line(
    make_app: MakeApp, source: FakeSource, said: Said, settle: Settle, work: Settle
) -> None:
    last = replace(source.lines[-1], message=PROBE.message, severity=Severity.ERROR)
    source.lines = [*source.lines[:-1], last]
    source.probes[400] = PROBE
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("tab", "enter")
        await work(pilot)
        assert isinstance(app.screen, LineSheet)
        shown = said(app)
        for text in (
            "[red]upstream[/nope]", "retry-after: 10", "x-request-id: [/]7f",
            "<h1>[b]Bad gateway[/b]</h1>", "inference", "138", "second",
        ):  # fmt: skip
            assert text in shown
        await pilot.press("escape")
        assert not isinstance(app.screen, LineSheet)


@pytest.mark.parametrize("plain", [False, True])
def test_a_line_without_a_probe_says_what_there_is(plain: bool) -> None:
    gone = LogLine(7, NOON, Severity.INFO, "dock", "alive", probe=ProbeKind.HEALTH)
    text = [
        "".join(span.text for span in row)
        for row in sheet_rows(gone, None, Look(plain=plain))
    ]
    assert "the probe itself is no longer kept" in text
    event = replace(gone, probe=None, deployment=None)
    text = ["".join(s.text for s in r) for r in sheet_rows(event, None, Look())]
    assert not any("no longer kept" in row for row in text)


def test_an_empty_window_holds_nothing() -> None:
    window = LogWindow(10)
    window.start(LogPage())
    assert not window.holds(NOON)
    assert window.add_news([], 0, following=True) == 0
