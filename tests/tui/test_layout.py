"""How a screen of any size is shared out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.tui.layout import Density, View, plan


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 100),
    cards=st.integers(0, 300),
    banner=st.booleans(),
)
def test_never_more_rows_than_there_are(
    width: int, height: int, cards: int, banner: bool
) -> None:
    got = plan(width, height, cards, banner=banner)
    parts = (got.banner, got.panels, got.deck, got.log, got.hints)
    assert all(part >= 0 for part in parts)
    assert 1 + sum(parts) == max(height, 1)


def test_80x24_keeps_nine_deployments_and_eight_log_lines() -> None:
    got = plan(80, 24, 9)
    assert got.density is Density.LINE
    assert got.deck == 9
    assert got.log >= 1 + 8
    assert (got.panels, got.boxed_panels) == (1, False)


def test_120x40_shows_three_columns_of_cards() -> None:
    got = plan(120, 40, 9)
    assert (got.density, got.columns) == (Density.FULL, 3)
    assert (got.panels, got.boxed_panels, got.boxed_log) == (4, True, True)


def test_a_wide_screen_shows_five_columns_with_room_to_breathe() -> None:
    got = plan(200, 50, 9)
    assert (got.density, got.columns) == (Density.ROOMY, 5)


def test_many_deployments_become_lines_before_the_log_goes() -> None:
    got = plan(120, 40, 100)
    assert got.density is Density.LINE
    assert got.log == 10


def test_an_empty_fleet_leaves_the_screen_to_the_empty_state() -> None:
    got = plan(80, 24, 0)
    assert (got.panels, got.log, got.deck) == (0, 0, 22)


def test_a_banner_takes_its_row_from_the_rest() -> None:
    calm, grave = plan(80, 24, 9), plan(80, 24, 9, banner=True)
    assert grave.banner == 1
    assert grave.deck + grave.log == calm.deck + calm.log - 1


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 100),
    cards=st.integers(0, 300),
    view=st.sampled_from(View),
    found=st.booleans(),
)
def test_every_view_shares_out_all_rows(
    width: int, height: int, cards: int, view: View, found: bool
) -> None:
    got = plan(width, height, cards, view=view, found=found)
    parts = (got.banner, got.panels, got.found, got.deck, got.log, got.hints)
    assert all(part >= 0 for part in parts)
    assert 1 + sum(parts) == max(height, 1)
    assert got.columns >= 1


@pytest.mark.parametrize(
    ("size", "cards", "columns"),
    [
        ((60, 20), 9, 1), ((80, 24), 9, 2), ((120, 40), 9, 2), ((120, 40), 3, 2),
        ((120, 40), 100, 3), ((200, 50), 9, 2), ((200, 50), 30, 3), ((200, 50), 100, 4),
        ((200, 50), 1, 1),
    ],
)  # fmt: skip
def test_compact_cells_are_as_wide_as_the_number_of_deployments_allows(
    size: tuple[int, int], cards: int, columns: int
) -> None:
    assert plan(*size, cards, view=View.COMPACT).columns == columns
