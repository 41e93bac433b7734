"""Where a changed span may be cut: never in the middle of a character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from yolotop.tui.frugal import boundary

WIDE = Strip([Segment("ab"), Segment("トラック"), Segment("!")])


@pytest.mark.parametrize(
    ("cell", "down", "up"),
    [(0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 2, 4), (4, 4, 4), (7, 6, 8), (10, 10, 10)],
)
def test_a_cut_in_a_wide_character_goes_to_its_ends(
    cell: int, down: int, up: int
) -> None:
    assert boundary(WIDE, cell, up=False) == down
    assert boundary(WIDE, cell, up=True) == up


@given(
    st.lists(st.text("aト─🚚 é", max_size=6), max_size=5),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_what_is_cut_out_is_whole_characters(
    texts: list[str], one: int, other: int
) -> None:
    strip = Strip([Segment(text) for text in texts if text])
    start, stop = sorted((min(one, strip.cell_length), min(other, strip.cell_length)))
    left = boundary(strip, start, up=False)
    right = boundary(strip, stop, up=True)
    assert left <= start <= stop <= right
    cut = strip.crop(left, right)
    assert cut.text in strip.text
    assert cell_len(cut.text) == right - left
