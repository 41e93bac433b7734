"""The table: which columns fit, how a cell reads, how rows stand and when they move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_fleet import NOON, fleet_cards

from yolotop.model import Health
from yolotop.tui.ink import Look, Row, width_of
from yolotop.tui.widgets.cards import Setting
from yolotop.tui.widgets.compact import compact_row
from yolotop.tui.widgets.table_order import (
    HOLD_S,
    By,
    Order,
    Sort,
    first_way,
    next_sort,
    reversed_sort,
)
from yolotop.tui.widgets.table_rows import (
    budget_text,
    grid_of,
    head_row,
    table_row,
)
from yolotop.view.snapshot import Card

LOOK, PLAIN = Look(), Look(plain=True)
CARDS = tuple(
    replace(card, slo_left=left, group=group)
    for card, left, group in zip(
        fleet_cards(),
        (1.0, -0.31, 0.12, 0.72, None, 0.455, -12.4, 1.0, None),
        ("harbour", "harbour", "plant", "plant", None, "lab", "plant", None, None),
        strict=True,
    )
)
WIDTHS = st.integers(1, 300)
LOOKS = st.sampled_from([LOOK, PLAIN])


def text(row: Row) -> str:
    return "".join(span.text for span in row)


def row_of(card: Card, width: int, look: Look = LOOK) -> Row:
    return table_row(card, grid_of(CARDS, width, look), width, Setting(NOON, look))


def role_of(row: Row, part: str) -> str:
    return next(span.role for span in row if part in span.text)


def names(cards: Sequence[Card]) -> list[str]:
    return [card.name for card in cards]


def with_p95(card: Card, name: str, p95_ms: float | None) -> Card:
    return replace(card, name=name, figures=replace(card.figures, p95_ms=p95_ms))


# -- rows --------------------------------------------------------------------------


@given(width=WIDTHS, look=LOOKS, by=st.sampled_from([None, *By]), chosen=st.booleans())
def test_every_row_is_exact_at_any_width(
    width: int, look: Look, by: By | None, chosen: bool
) -> None:
    grid = grid_of(CARDS, width, look)
    assert width_of(head_row(grid, Sort(by, descending=True), width, look)) == width
    setting = Setting(NOON, look, selected=chosen)
    for card in CARDS:
        assert width_of(table_row(card, grid, width, setting)) == width
        assert width_of(compact_row(card, width, setting)) == width


@given(width=st.integers(1, 299))
def test_a_wider_table_never_loses_a_column(width: int) -> None:
    fewer = {column.id for column, _ in grid_of(CARDS, width, LOOK).columns}
    more = {column.id for column, _ in grid_of(CARDS, width + 1, LOOK).columns}
    assert fewer <= more


@pytest.mark.parametrize(
    ("width", "ids"),
    [
        (30, "name p95"),
        (60, "name state p95 errors slo last"),
        (80, "name region state requests p95 errors slo last"),
        (120, "name region state requests p95 errors slo last message"),
        (
            200,
            (
                "name region group state since requests p50 p95 errors slo last"
                " trend message"
            ),
        ),
    ],
)
def test_columns_come_by_priority(width: int, ids: str) -> None:
    grid = grid_of(CARDS, width, LOOK)
    assert " ".join(column.id for column, _ in grid.columns) == ids


def test_a_column_that_would_be_empty_is_left_out() -> None:
    bare = [replace(card, region=None, group=None) for card in CARDS]
    ids = {column.id for column, _ in grid_of(bare, 250, LOOK).columns}
    assert "message" in ids
    assert not ids & {"region", "group"}


def test_digits_end_in_one_column_and_titles_over_them() -> None:
    grid = grid_of(CARDS, 120, LOOK)
    head = text(head_row(grid, Sort(), 120, LOOK))
    rows = [text(row_of(card, 120)) for card in CARDS[:4]]
    assert {row.index(" ms") for row in rows} == {head.index("P95")}
    assert {row[: head.index("requests") + 8][-5:] for row in rows} == {"5\u00a0760"}


@pytest.mark.parametrize(("look", "up", "down"), [(LOOK, "▲", "▼"), (PLAIN, "^", "v")])
def test_the_sorted_column_is_marked_by_a_shape(look: Look, up: str, down: str) -> None:
    grid = grid_of(CARDS, 120, look)
    calm = head_row(grid, Sort(), 120, look)
    assert not set(text(calm)) & {"▲", "▼", "^"}
    for by in grid.sorts:
        for sort, mark in ((Sort(by), up), (Sort(by, descending=True), down)):
            head = head_row(grid, sort, 120, look)
            marked = [span for span in head if span.role == "accent"]
            assert [span.text[-1] for span in marked] == [mark]
            assert marked[0].action == f"screen.sort_by('{by}')"
            # The mark stands in the gutter: no title moves.
            assert (
                text(head).replace(mark, " ").rstrip()
                == text(calm).replace(mark, " ").rstrip()
            )


def test_what_is_well_is_grey_and_what_is_not_is_coloured() -> None:
    well, sick = row_of(CARDS[0], 200), row_of(CARDS[1], 200)
    assert {span.role for span in well[2:] if span.text.strip()} <= {
        "text", "dim", "faint", "trend", "hairline",
    }  # fmt: skip
    assert role_of(sick, "gate-3") == "bright+bold"
    for part in ("down", "−31", "connection refused"):
        assert role_of(sick, part) == "down"
    assert role_of(row_of(CARDS[6], 200), "8.5") == "down"
    assert role_of(row_of(CARDS[2], 200), "12") == "degraded"


@pytest.mark.parametrize(
    ("left", "said", "plain"),
    [
        (1.0, "100 %", "100 %"), (0.9999, "99 %", "99 %"), (0.0, "0 %", "0 %"),
        (-0.0001, "−1 %", "-1 %"), (-0.31, "−31 %", "-31 %"),
        (-9.99, "−999 %", "-999 %"), (-12.4, "−12 ×", "-12 x"),
        (-1e9, "−999 ×", "-999 x"), (None, "—", "-"), (float("nan"), "—", "-"),
    ],
)  # fmt: skip
def test_a_budget_is_never_rounded_up(
    left: float | None, said: str, plain: str
) -> None:
    assert budget_text(left, plain=False) == said
    assert budget_text(left, plain=True) == plain
    assert len(said) <= 6


@pytest.mark.parametrize(
    ("left", "bar"),
    [(1.0, "━━━━━━"), (0.5, "━━━───"), (0.45, "━━━───"), (0.01, "╸─────"),
     (0.0, "──────"), (-0.2, "╍╍╍╍╍╍")],
)  # fmt: skip
def test_the_budget_has_a_bar_where_it_is_wide(left: float, bar: str) -> None:
    assert bar in text(row_of(replace(CARDS[0], slo_left=left), 120))
    assert bar not in text(row_of(replace(CARDS[0], slo_left=left), 80))


def test_ascii_is_ascii() -> None:
    ascii_cards = [card for card in CARDS if card.name not in ("creeper", "yard-7")]
    for card in ascii_cards:
        assert text(row_of(card, 250, PLAIN)).isascii()
        assert text(compact_row(card, 100, Setting(NOON, PLAIN))).isascii()


# -- the compact cell --------------------------------------------------------------


def test_a_compact_cell_ends_in_the_latency_and_the_age() -> None:
    for width in (40, 60, 100):
        said = text(compact_row(CARDS[0], width, Setting(NOON, LOOK)))
        assert "134 ms" in said
        assert said.endswith(" 12s  ")


def test_a_sick_compact_cell_says_why_and_with_room_how_much() -> None:
    setting = Setting(NOON, LOOK, name_width=14)
    narrow = text(compact_row(CARDS[1], 40, setting))
    assert "gate-3  connection refused" in narrow
    assert "44 ms" not in narrow
    wide = text(compact_row(CARDS[1], 100, setting))
    for part in ("connection refused by 10.0.4.7:8000", "44 ms", "3.6 %"):
        assert part in wide


# -- the order ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "first"),
    [
        (By.NAME, "creeper"), (By.REGION, "dock-cam"), (By.GROUP, "dock-cam"),
        (By.STATE, "gate-3"), (By.SINCE, "newcomer"), (By.P50, "night-shift"),
        (By.P95, "night-shift"), (By.ERRORS, "flapper"), (By.SLO, "flapper"),
        (By.LAST, "warehouse-roof"), (By.REQUESTS, "dock-cam"),
    ],
)  # fmt: skip
def test_a_column_shows_first_what_one_looks_for(by: By, first: str) -> None:
    sort = first_way(by)
    shown = Order().arrange(CARDS, sort, NOON)
    assert shown[0].name == first
    assert sorted(names(shown)) == sorted(names(CARDS))


@given(by=st.sampled_from(list(By)), descending=st.booleans())
def test_what_has_no_value_stands_last_either_way(by: By, descending: bool) -> None:
    bare = Card("bare", "http://h", "ultralytics", Health.UP, since_at=0.0)
    shown = Order().arrange((bare, *CARDS[:3]), Sort(by, descending), NOON)
    if by not in (By.NAME, By.STATE, By.REQUESTS):
        assert shown[-1] is bare
    assert len(shown) == 4


def test_the_config_files_order_is_the_first_and_comes_back() -> None:
    order = Order()
    assert order.arrange(CARDS, Sort(), NOON) == CARDS
    order.arrange(CARDS, Sort(By.NAME), NOON)
    assert order.arrange(CARDS, Sort(), NOON) == CARDS


def test_sorting_is_stable_so_that_one_order_is_kept_within_another() -> None:
    order = Order()
    order.arrange(CARDS, first_way(By.NAME), NOON)
    shown = order.arrange(CARDS, first_way(By.STATE), NOON)
    assert names(shown) == [
        "gate-3", "flapper", "yard-7", "night-shift", "newcomer", "warehouse-roof",
        "creeper", "dock-cam", "press-line",
    ]  # fmt: skip


def test_noise_moves_nothing_and_a_difference_waits_its_turn() -> None:
    base = CARDS[0]
    before = (with_p95(base, "a", 142.4), with_p95(base, "b", 141.8))
    noise = (with_p95(base, "a", 141.1), with_p95(base, "b", 142.9))
    after = (with_p95(base, "a", 90.0), with_p95(base, "b", 142.9))
    order, sort = Order(), first_way(By.P95)
    assert names(order.arrange(before, sort, NOON)) == ["a", "b"]
    assert names(order.arrange(noise, sort, NOON + 60)) == ["a", "b"]
    assert names(order.arrange(after, sort, NOON + 60 + HOLD_S - 1)) == ["a", "b"]
    assert names(order.arrange(after, sort, NOON + 60 + HOLD_S)) == ["b", "a"]


def test_a_wish_is_carried_out_exactly_and_at_once() -> None:
    base = CARDS[0]
    cards = (with_p95(base, "a", 141.8), with_p95(base, "b", 142.4))
    order = Order()
    sort = first_way(By.P95)
    assert names(order.arrange(cards, sort, NOON)) == ["b", "a"]
    assert names(order.arrange(cards, reversed_sort(sort), NOON)) == ["a", "b"]


def test_a_new_deployment_takes_its_place_at_once_and_a_clock_may_go_back() -> None:
    base = CARDS[0]
    cards = (with_p95(base, "a", 90.0), with_p95(base, "b", 30.0))
    order, sort = Order(), first_way(By.P95)
    order.arrange(cards, sort, NOON)
    more = (*cards, with_p95(base, "c", 60.0))
    assert names(order.arrange(more, sort, NOON + 1)) == ["a", "c", "b"]
    turned = (with_p95(base, "a", 10.0), *more[1:])
    assert names(order.arrange(turned, sort, NOON - 3600)) == ["c", "b", "a"]


def test_last_answers_within_a_minute_do_not_overtake_each_other() -> None:
    base = CARDS[0]
    cards = tuple(
        replace(base, name=name, last_at=NOON - ago)
        for name, ago in (("a", 30), ("b", 50), ("late", 400))
    )
    order, sort = Order(), first_way(By.LAST)
    assert names(order.arrange(cards, sort, NOON)) == ["late", "b", "a"]
    later = (cards[0], replace(cards[1], last_at=NOON + 8), cards[2])
    assert names(order.arrange(later, sort, NOON + 20)) == ["late", "b", "a"]


def test_the_key_walks_through_the_columns_and_back_to_none() -> None:
    shown = (By.NAME, By.P95, By.SLO)
    sort, walked = Sort(), []
    for _ in range(4):
        sort = next_sort(sort, shown)
        walked.append((sort.by, sort.descending))
    assert walked == [
        (By.NAME, False), (By.P95, True), (By.SLO, False), (None, False),
    ]  # fmt: skip
    # A column that a narrower terminal no longer shows leads to the first.
    assert next_sort(Sort(By.GROUP), shown).by is By.NAME


def test_there_is_no_other_way_round_for_the_config_files_order() -> None:
    assert reversed_sort(Sort()) == Sort()
