"""Charts as rows: what is where, in which shape, and that gaps stay gaps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_detail import AT, fleet_detail
from tui_fleet import fleet_cards

from yolotop.judge.slo import Budget, Counts, Objective
from yolotop.model import Health
from yolotop.tui.charts import (
    GUTTER,
    Line,
    TimeAxis,
    Traffic,
    axis_rows,
    column_chart,
    line_chart,
)
from yolotop.tui.ink import Look, Row, width_of
from yolotop.tui.scales import nice_step, scale_for, time_ticks
from yolotop.tui.widgets.budget import budget_rows
from yolotop.tui.widgets.failures import failure_rows
from yolotop.tui.widgets.overview import overview_rows
from yolotop.tui.widgets.overview_plan import share_out
from yolotop.tui.widgets.ribbon import ribbon_row, state_between
from yolotop.tui.widgets.waterfall import waterfall_rows
from yolotop.view.incidents import Stretch

LOOKS = [Look(), Look(braille=False), Look(plain=True)]
AXIS = TimeAxis(AT, 60.0, 20)


def text(rows: list[Row]) -> list[str]:
    return ["".join(span.text for span in row) for row in rows]


def roles(row: Row) -> set[str]:
    return {span.role for span in row if span.text.strip()}


@pytest.mark.parametrize("look", LOOKS)
def test_a_gap_is_a_gap(look: Look) -> None:
    values = [40.0] * 8 + [None] * 4 + [40.0] * 8
    rows = text(line_chart([Line("p50", values, "trend")], AXIS, 60, 8, look))
    drawn = [row[GUTTER:] for row in rows]
    wide = 60 - GUTTER
    gap = range(wide * 8 // 20 + 1, wide * 12 // 20 - 1)
    assert all(row[cell] == " " for row in drawn for cell in gap)
    assert any(row[: wide * 7 // 20].strip() for row in drawn)
    assert any(row[wide * 13 // 20 :].strip() for row in drawn)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("width", [20, 60])
def test_a_chart_of_nothing_says_so_and_has_no_scale(look: Look, width: int) -> None:
    rows = text(line_chart([Line("p50", [None] * 20, "x")], AXIS, width, 8, look))
    assert all(len(row) == width for row in rows)
    assert "nothing to" in "".join(rows)
    assert not any(row[: GUTTER - 1].strip() for row in rows)


@pytest.mark.parametrize("look", LOOKS)
def test_the_higher_the_slower(look: Look) -> None:
    values = [float(10 * index) for index in range(1, 21)]
    rows = text(line_chart([Line("p50", values, "trend")], AXIS, 60, 9, look))
    assert rows[0][GUTTER:].strip()
    top = [row[GUTTER:].rstrip() for row in rows]
    assert len(top[0]) > len(top[-1]) > 0
    assert rows[0].startswith(" 200 ms")


def test_series_differ_without_colour() -> None:
    lines = [
        Line("p99", [90.0] * 20, "faint", (1, 2), "."),
        Line("p50", [30.0] * 20, "trend", (1, 0), "o"),
        Line("p95", [60.0] * 20, "accent", (1, 0), "=", thick=True),
    ]
    plain = "".join(text(line_chart(lines, AXIS, 60, 12, Look(plain=True))))
    assert all(sign in plain for sign in "o=.")
    drawn = text(line_chart(lines, AXIS, 60, 12, Look()))
    shapes = {"".join(sorted(set(row[GUTTER:]) - {" "})) for row in drawn}
    assert len(shapes - {""}) >= 3


@pytest.mark.parametrize(("look", "sign"), [(Look(), "❄"), (Look(plain=True), "*")])
def test_cold_answers_lie_above_the_lines(look: Look, sign: str) -> None:
    colds = [index == 10 for index in range(20)]
    line = Line("p50", [30.0] * 20, "trend")
    rows = text(line_chart([line], AXIS, 60, 8, look, colds=colds))
    assert rows[0].count(sign) == 1
    assert abs(rows[0].index(sign) - GUTTER - (60 - GUTTER) * 10.5 / 20) <= 1.5


def test_a_peak_that_would_flatten_all_makes_the_scale_logarithmic() -> None:
    scale = scale_for([30.0, 31.0, 32.0, 33.0, 9_000.0])
    assert scale.log
    assert scale.share(32.0) > 0.01
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks(6))
    assert not scale_for([30.0, 31.0, 200.0]).log


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=50), st.integers(2, 6))
def test_every_value_lies_on_its_scale(values: list[float], most: int) -> None:
    scale = scale_for(values)
    assert scale.low <= min(values)
    assert scale.high >= max(values) * 0.999
    assert all(0 <= scale.share(value) <= 1 for value in values)
    ticks = scale.ticks(most)
    assert 1 <= len(ticks) <= most
    assert ticks == sorted(ticks)


@given(st.floats(1e-6, 1e9), st.integers(2, 12))
def test_a_nice_step_is_one(span: float, most: int) -> None:
    step = nice_step(span, most)
    assert span / step <= most - 1 + 1e-6
    digits = f"{step:.3e}"[:4]
    assert digits in ("1.00", "2.00", "2.50", "5.00")


@given(st.floats(0, 4e9), st.integers(60, 40 * 86_400), st.integers(1, 20))
def test_times_lie_inside_and_are_round(start: float, span: int, most: int) -> None:
    ticks = time_ticks(start, start + span, most)
    assert all(start <= at < start + span for at in ticks)
    assert len(ticks) <= max(most, 6) + 1
    assert all(at % 1 == 0 for at in ticks)


def test_marks_and_the_cursor_stand_on_the_time_axis() -> None:
    axis = TimeAxis(AT, 60.0, 20, ((AT + 300, "M", "accent"),), cursor=19)
    line, times = axis_rows(axis, 60, Look(plain=True))
    assert text([line])[0].index("M") == GUTTER + (60 - GUTTER) // 4
    assert text([line])[0].rstrip().endswith(("^", "^-", "^--"))
    assert ":" in text([times])[0]


@pytest.mark.parametrize("look", LOOKS)
def test_one_failure_is_not_lost_among_many_requests(look: Look) -> None:
    traffic = Traffic([1_000.0] * 20, [0.0] * 19 + [1.0])
    rows = column_chart(traffic, AXIS, 60, 4, look)
    assert "down" in roles(rows[-1])
    assert all("down" not in roles(row) for row in rows[:-1])
    sign = "x" if look.plain else "▒"
    assert sign in text(rows)[-1]


def test_a_short_outage_shows_in_a_long_ribbon() -> None:
    ribbon = [
        Stretch(AT, AT + 500, Health.UP),
        Stretch(AT + 500, AT + 502, Health.DOWN),
        Stretch(AT + 502, AT + 1_200, Health.UP),
    ]
    for look, sign in ((Look(), "█"), (Look(plain=True), "x")):
        (row,) = text([ribbon_row(ribbon, AXIS, 60, look)])
        assert row.count(sign) == 1
    assert state_between(ribbon, AT - 10, AT) is None


def test_states_differ_without_colour() -> None:
    healths: list[Health | None] = [*Health, None]
    ribbon = [
        Stretch(AT + 100 * index, AT + 100 * (index + 1), health)
        for index, health in enumerate(healths)
    ]
    axis = TimeAxis(AT, 100.0, len(healths))
    for look in LOOKS:
        (row,) = text([ribbon_row(ribbon, axis, GUTTER + len(healths), look)])
        # Unknown and not measured say the same: nobody knows.
        assert len(set(row[GUTTER:])) >= len(Health)


@pytest.mark.parametrize("look", LOOKS)
def test_the_waterfall_names_its_greatest_part_and_its_source(look: Look) -> None:
    found = fleet_detail(fleet_cards()[0]).waterfall
    rows = text(waterfall_rows(found, 40, 16, look))
    assert "inference" in "\n".join(rows)
    assert "means of 94 and 47 of the newest 940" in rows[-1]
    assert len(text(waterfall_rows(found, 40, 7, look))) == 7
    assert "inference" in "\n".join(text(waterfall_rows(found, 40, 7, look)))
    assert text(waterfall_rows(None, 40, 4, look)) == ["no warm answer in this range"]


def test_budgets_say_what_is_left_and_what_is_overdrawn() -> None:
    objective = Objective(0.99, 604_800.0)
    over = Budget(objective, Counts(100, 3), 3.0, -2.0, 0.0)
    assert "overdrawn by 200 %" in text(budget_rows(over, 60, 4, Look()))[0]
    ruined = Budget(objective, Counts(100, 60), 60.0, -59.0, 0.0)
    assert "spent 60 times over" in text(budget_rows(ruined, 60, 4, Look()))[0]
    fine = Budget(objective, Counts(100, 0), 0.0, 1.0, None)
    assert "nothing burns" in text(budget_rows(fine, 60, 4, Look()))[1]
    assert "nothing to sum up" in text(budget_rows(Budget(objective), 60, 4, Look()))[0]


def test_failures_show_the_heads_of_their_bodies_where_there_is_room() -> None:
    failures = fleet_detail(fleet_cards()[0]).failures
    tall = "\n".join(text(failure_rows(failures, 60, 6, Look(), now=AT)))
    assert "no worker is free" in tall
    short = text(failure_rows(failures, 60, 3, Look(), now=AT))
    assert len(short) == 3
    assert "no worker is free" not in "\n".join(short)


@given(st.integers(1, 300), st.integers(1, 80), st.integers(0, 11), st.integers(0, 8))
def test_the_plan_never_gives_more_rows_than_there_are(
    width: int, height: int, parts: int, real: int
) -> None:
    share = share_out(width, height, parts=parts, real=real)
    rows = (share.latency, share.traffic, share.axis, share.ribbon, share.note)
    blocks = (share.waterfall, share.budget, share.failures, share.real)
    assert all(each >= 0 for each in (*rows, *blocks))
    if share.side:
        assert share.chart_rows + share.note <= height
        assert sum(blocks) + 5 + (2 if share.real else 0) <= height
    elif height >= 6:
        assert sum(rows) + sum(blocks) + 1 <= height


@pytest.mark.parametrize("look", LOOKS)
@given(st.integers(1, 240), st.integers(1, 70), st.none() | st.integers(0, 143))
def test_no_row_is_wider_than_the_screen(
    look: Look, width: int, height: int, cursor: int | None
) -> None:
    detail = fleet_detail(fleet_cards()[0])
    rows = overview_rows(detail, cursor, width, height, look)
    assert len(rows) <= height
    assert max((width_of(row) for row in rows), default=0) <= width
    if look.plain:
        drawn = "".join(text(rows)).replace("\u2192", "")
        assert drawn.isascii()
