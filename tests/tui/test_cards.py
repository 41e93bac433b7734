"""What a deployment and a log line look like, without a screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from yolotop.model import Health, Outcome, Phases, ProbeKind, ServerTimes, Severity
from yolotop.store.protocol import LogLine
from yolotop.tui.ink import Look, Row, Span, width_of
from yolotop.tui.layout import Density
from yolotop.tui.places import region_text
from yolotop.tui.trends import beat_rows, trend_rows
from yolotop.tui.widgets.cards import Setting, card_rows, line_row, phase_bar
from yolotop.tui.widgets.compact import compact_row
from yolotop.tui.widgets.log_rows import columns, highlighted
from yolotop.tui.widgets.log_rows import line_row as log_line_row
from yolotop.tui.widgets.panel_rows import boxed_rows, folded_rows, panels
from yolotop.view.filter import parse
from yolotop.view.snapshot import EMPTY, Beat, Card, Figures, Range

NOW = 1_790_000_000.0
LOOK = Look()
CARD = Card(
    name="dock-cam",
    url="http://h",
    dialect="ultralytics",
    health=Health.UP,
    since_at=NOW - 7200,
    region="berlin",
    figures=Figures(5760, 0, 0, 0.0, 38.0, 142.0, 900.0, 100),
    last_at=NOW - 12,
)


def text(rows: Sequence[Row]) -> str:
    return "\n".join("".join(span.text for span in row) for row in rows)


def roles(rows: Sequence[Row], part: str) -> set[str]:
    return {span.role for row in rows for span in row if part in span.text}


@pytest.mark.parametrize("health", list(Health))
@pytest.mark.parametrize("density", [Density.ROOMY, Density.FULL, Density.SHORT])
@pytest.mark.parametrize("width", [38, 40, 66])
def test_a_card_is_exact_in_every_state(
    health: Health, density: Density, width: int
) -> None:
    card = replace(CARD, health=health, message="upstream [red]said[/] no " * 9)
    rows = card_rows(card, width, density, Setting(NOW, LOOK))
    assert len(rows) == density
    assert {width_of(row) for row in rows} == {width}


@pytest.mark.parametrize("width", [8, 20, 40, 60, 80, 120])
def test_a_line_is_exact(width: int) -> None:
    for health in Health:
        row = line_row(replace(CARD, health=health), width, Setting(NOW, LOOK))
        assert width_of(row) == width


def test_a_healthy_card_says_its_figures() -> None:
    said = text(card_rows(CARD, 40, Density.FULL, Setting(NOW, LOOK)))
    for part in ("♥ dock-cam", "berlin", "142 ms p95", "0.0 % err", "req", "12 s"):
        assert part in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("silo-9", "♥ silo-9 ─ northamerica-northeast1 ─"),
        ("gate-3 of the northern yard", "♥ gate-3 of the northern…  Montreal ─"),
    ],
)
def test_a_region_takes_the_room_that_the_name_leaves(name: str, said: str) -> None:
    card = replace(CARD, name=name, region="northamerica-northeast1")
    assert said in text(card_rows(card, 40, Density.FULL, Setting(NOW, LOOK)))


def test_a_sick_card_says_why_since_when_and_in_which_colour() -> None:
    sick = replace(
        CARD,
        health=Health.DOWN,
        since_at=NOW - 250,
        message="connection refused",
        figures=replace(CARD.figures, failed=500, error_rate=0.086),
    )
    rows = card_rows(sick, 40, Density.FULL, Setting(NOW, LOOK))
    assert "down 4 min" in text(rows)
    assert roles(rows, "connection refused") == {"down"}
    assert roles(rows, "8.6 %") == {"down"}
    assert roles(rows, "╰") == {"down"}


def test_few_samples_are_greyed() -> None:
    few = replace(CARD, figures=replace(CARD.figures, samples=19))
    assert roles(card_rows(few, 40, Density.FULL, Setting(NOW, LOOK)), "142") == {"dim"}
    many = replace(CARD, figures=replace(CARD.figures, samples=20))
    rows = card_rows(many, 40, Density.FULL, Setting(NOW, LOOK))
    assert roles(rows, "142") == {"bright"}


def test_the_selected_one_can_be_told_without_colour() -> None:
    chosen = card_rows(CARD, 40, Density.FULL, Setting(NOW, LOOK, selected=True))
    assert text(chosen).startswith("╭▸ ♥")
    assert roles(chosen, "╰") == {"accent"}


def test_only_a_checked_heart_turns() -> None:
    signs = {
        text(
            card_rows(
                replace(CARD, checking=True), 40, Density.SHORT, Setting(NOW, LOOK, n)
            )
        )[3]
        for n in range(4)
    }
    assert signs == set("◐◓◑◒")
    still = {
        text(card_rows(CARD, 40, Density.SHORT, Setting(NOW, LOOK, n)))[3]
        for n in range(4)
    }
    assert still == {"♥"}


def test_plain_is_ascii() -> None:
    card = replace(CARD, beats=(Beat(Outcome.OK, 3.0), Beat(Outcome.WRONG, 3.0)))
    setting = Setting(NOW, Look(plain=True), selected=True)
    for density in (Density.FULL, Density.SHORT):
        assert text(card_rows(card, 40, density, setting)).isascii()
    assert text([line_row(card, 80, setting)]).isascii()


def test_the_phase_bar_is_to_scale_and_names_the_greatest() -> None:
    card = replace(
        CARD,
        phases=Phases(dns=10.0, connect=10.0, send=0.0, wait=80.0, receive=0.0),
        server=ServerTimes(inference=60.0),
    )
    said = text([phase_bar(card, 36, LOOK)])
    bar = said.removesuffix(" inference 60 ms")
    assert len(said) == 36
    assert bar.count("▬") == pytest.approx(0.6 * len(bar), abs=1)
    assert bar.count("━") == pytest.approx(0.2 * len(bar), abs=1)


def test_beats_mark_failures_by_shape_and_keep_the_newest_at_the_edge() -> None:
    beats = (
        Beat(Outcome.OK, 10.0),
        Beat(Outcome.COLD, 900.0, cold=True),
        Beat(Outcome.WRONG, 10.0),
        Beat(Outcome.FAILED, None),
    )
    (row,) = beat_rows(beats, 8, 1, LOOK)
    said = text([row])
    assert said.startswith("····")
    assert said[5:] == "❄≠×"


def test_a_trend_shows_gaps_and_what_is_above_the_limit() -> None:
    (row,) = trend_rows((0.01, None, 0.09), 3, 1, LOOK, limit=0.05)
    assert [span.role for span in row] == ["trend", "hairline", "down"]
    assert text([row])[1] == "·"


def test_the_error_rate_is_red_above_five_percent_only() -> None:
    calm = replace(EMPTY, totals=Figures(100, 5, error_rate=0.05))
    grave = replace(EMPTY, totals=Figures(100, 6, error_rate=0.06))
    assert panels(calm, LOOK)[2].figure.role == "bright+bold"
    assert panels(grave, LOOK)[2].figure.role == "down+bold"


def test_under_twenty_samples_the_panel_says_how_many() -> None:
    few = replace(EMPTY, totals=Figures(30, p95_ms=4.0, samples=19))
    panel = panels(few, LOOK)[3]
    assert panel.figure.role == "dim"
    assert "n 19" in text([panel.note])


@pytest.mark.parametrize(
    ("age_s", "range_", "words"),
    [
        (130, Range.H24, "last 2 min"),
        (7_300, Range.D7, "last 2 h"),
        (3_301, Range.H1, "1h"),
        (86_101, Range.H24, "24h"),
    ],
)
def test_a_young_trend_says_what_it_covers(
    age_s: float, range_: Range, words: str
) -> None:
    shown = replace(
        EMPTY, at=NOW, range=range_, since_at=NOW - age_s, first_at=NOW - age_s
    )
    said = text(boxed_rows(shown, 120, 4, LOOK)).splitlines()
    assert words in said[1]
    young = words.startswith("last")
    assert said[0].count("last") == (2 if young else 0)
    folded = text(folded_rows(shown, 80, 1, LOOK))
    assert ("in 2" in folded) == young


@pytest.mark.parametrize("width", [20, 41, 60, 80, 96, 97, 98, 99, 120, 200])
@pytest.mark.parametrize("age_s", [0, 59, 3_599, 90_000_000])
def test_young_panels_are_exact(width: int, age_s: float) -> None:
    shown = replace(EMPTY, at=NOW, range=Range.D30, since_at=NOW - age_s)
    if width >= 96:
        rows = boxed_rows(shown, width, 4, LOOK)
        assert {width_of(row) for row in rows} == {width}
    assert width_of(folded_rows(shown, width, 1, LOOK)[0]) <= width


def test_figures_on_a_line_have_their_names_where_there_is_room() -> None:
    def said(width: int) -> str:
        return text([line_row(CARD, width, Setting(NOW, LOOK, name_width=14))])

    assert "142 ms p95   0.0 % err   5\u00a0760 req" in said(100)
    assert "142 ms p95   0.0 % err" in said(80)
    assert "req" not in said(80)
    assert "142 ms   0.0 %  " in said(48)


def test_a_tall_card_gives_a_long_message_two_lines() -> None:
    wrong = "wrong answer: got circle ×2 and square ×1, expected triangle ×2"
    sick = replace(CARD, health=Health.DEGRADED, message=wrong)
    beats = (Beat(Outcome.OK, 3.0), Beat(Outcome.WRONG, 3.0))
    sick = replace(sick, beats=beats * 30)
    rows = card_rows(sick, 40, Density.ROOMY, Setting(NOW, LOOK))
    said = text(rows)
    assert "wrong answer: got circle ×2 and" in said
    assert "square ×1, expected triangle ×2" in said
    assert "≠" in said
    assert roles(rows, "triangle") == {"degraded"}
    short = text(card_rows(sick, 40, Density.FULL, Setting(NOW, LOOK)))
    assert "wrong answer: got circle ×2 and squ…" in short


LINE = LogLine(7, NOW, Severity.ERROR, "gate-3", "refused [bold]you[/x]", 503, 12.0)


@pytest.mark.parametrize("width", [10, 30, 39, 48, 56, 64, 80, 100, 200])
def test_a_log_line_is_exact_and_shows_markup_as_text(width: int) -> None:
    row = log_line_row(LINE, width, columns(width, 10), LOOK, now=NOW)
    assert width_of(row) == width
    if width >= 80:
        said = text([row])
        for part in ("▌14:13:20 ERROR", "gate-3", "[bold]you[/x]", "503", "12 ms"):
            assert part in said


@pytest.mark.parametrize(
    ("probe", "long", "short"),
    [
        (ProbeKind.PREDICT, "predict", "p"),
        (ProbeKind.HEALTH, "health ", "h"),
        (None, "event  ", "e"),
    ],
)
def test_a_log_line_says_what_it_is_of(
    probe: ProbeKind | None, long: str, short: str
) -> None:
    line = replace(LINE, probe=probe)
    for width, kind in ((120, long), (60, short)):
        cols = columns(width, 10)
        found = log_line_row(line, width, cols, LOOK, now=NOW, keys=frozenset({"kind"}))
        assert f"gate-3      {kind}  refused" in text([found])
        (marked,) = (span for span in found if "match" in span.role)
        assert marked.text == kind.strip()
        # What is shown can be typed: the filter takes it.
        assert parse(f"kind:{marked.text}").matches(line)


@pytest.mark.parametrize(
    ("age_s", "said"),
    [(3_600, "13:13:20"), (86_400, "Su 14:13"), (86_400 * 30, "22.08.26")],
)
def test_lines_of_other_days_say_so(age_s: float, said: str) -> None:
    line = replace(LINE, at=NOW - age_s)
    assert said in text([log_line_row(line, 100, columns(100, 10), LOOK, now=NOW)])


def test_matches_are_marked_whatever_they_hold() -> None:
    assert highlighted("a.b axb", "text", ("a.b",)) == (
        Span("a.b", "text+match"),
        Span(" axb", "text"),
    )


@pytest.mark.parametrize(
    ("region", "width", "shown"),
    [
        ("berlin", 12, "berlin"),
        ("us-central1", 12, "us-central1"),
        ("northamerica-northeast1", 12, "Montreal"),
        ("northamerica-northeast2", 12, "Toronto"),
        ("us-east4", 7, "Ashburn"),
        ("north dock, gate 3", 12, "north dock\u2026"),
        ("warehouse-7/roof", 12, "warehouse-7\u2026"),
        ("warehouse-7/roof", 11, "warehouse\u2026"),
        ("Llanfairpwllgwyngyll", 12, "Llanfairpwl\u2026"),
    ],
)
def test_a_long_region_loses_words_not_letters(
    region: str, width: int, shown: str
) -> None:
    assert region_text(region, width, LOOK) == shown


@pytest.mark.parametrize("row", [line_row, compact_row])
def test_a_line_names_the_city_of_a_region_that_is_too_long(
    row: Callable[[Card, int, Setting], Row],
) -> None:
    card = replace(CARD, region="southamerica-west1")
    setting = Setting(now=NOW, look=LOOK, region_width=12)
    assert "Santiago" in text([row(card, 100, setting)])
