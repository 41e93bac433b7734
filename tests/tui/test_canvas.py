"""Dots become characters, and what lies over what."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.tui.canvas import DotCanvas
from yolotop.tui.ink import Look, Span, width_of

BRAILLE = Look()
BLOCKS = Look(braille=False)
PLAIN = Look(plain=True)
LOOKS = (BRAILLE, BLOCKS, PLAIN)


def picture(canvas: DotCanvas) -> list[str]:
    """The characters without their roles."""
    return ["".join(span.text for span in row) for row in canvas.rows()]


@pytest.mark.parametrize(
    ("look", "signs"),
    [(BRAILLE, "⠁⠂⠄⡀⠈⠐⠠⢀"), (BLOCKS, "▘▖▝▗"), (PLAIN, "'.")],
)
def test_each_dot_of_a_cell_has_its_own_place(look: Look, signs: str) -> None:
    drawn = []
    for x in range(DotCanvas(1, 1, look).dots_x):
        for y in range(DotCanvas(1, 1, look).dots_y):
            canvas = DotCanvas(1, 1, look)
            canvas.set(x, y, "trend")
            drawn += picture(canvas)
    assert "".join(drawn) == signs


@pytest.mark.parametrize(
    ("look", "full"), [(BRAILLE, "⣿"), (BLOCKS, "█"), (PLAIN, ":")]
)
def test_dots_of_one_cell_add_up(look: Look, full: str) -> None:
    canvas = DotCanvas(2, 2, look)
    for x in range(canvas.dots_x):
        canvas.column(x, -5, 99, "up")
    assert picture(canvas) == [f"{full} ", f"{full} "]


def test_a_line_joins_its_ends_whichever_way_it_is_drawn() -> None:
    there, back = DotCanvas(6, 3, BRAILLE), DotCanvas(6, 3, BRAILLE)
    there.line(0, 11, 11, 0, "up")
    back.line(11, 0, 0, 11, "up")
    assert picture(there) == ["    ⡠⠊", "  ⡠⠊  ", "⡠⠊    "]
    assert picture(back) == picture(there)


def test_what_lies_outside_is_clipped() -> None:
    canvas = DotCanvas(3, 2, BRAILLE)
    canvas.set(-1, 0, "up")
    canvas.set(0, 8, "up")
    canvas.line(-900_000_000, -5, 900_000_000, -5, "up")
    canvas.line(-4, 0, 20, 0, "up")
    canvas.text(2, 1, "abc", "bold")
    canvas.text(0, 7, "abc", "bold")
    assert picture(canvas) == ["⠉⠉⠉", "  a"]


@pytest.mark.parametrize("look", LOOKS)
def test_a_circle_is_round_on_the_screen(look: Look) -> None:
    canvas = DotCanvas(12, 6, look)
    canvas.circle(canvas.dots_wide // 2, canvas.dots_high // 2, canvas.dots_x * 4, "up")
    rows = picture(canvas)
    wide = max(len(row.rstrip()) - (len(row) - len(row.lstrip())) for row in rows)
    high = sum(1 for row in rows if row.strip())
    assert abs(wide - 2 * high) <= 2, rows


def test_text_lies_over_dots_and_takes_its_own_cells_only() -> None:
    canvas = DotCanvas(5, 1, PLAIN)
    canvas.line(0, 0, 4, 0, "hairline")
    canvas.text(1, 0, "ab", "bold")
    assert canvas.rows() == [
        (Span("'", "hairline"), Span("ab", "bold"), Span("''", "hairline"))
    ]


def test_half_a_wide_character_is_never_shown() -> None:
    canvas = DotCanvas(4, 1, BRAILLE)
    canvas.text(0, 0, "日本", "text")
    canvas.text(1, 0, "x", "bold")
    assert picture(canvas) == [" x本"]
    canvas.text(2, 0, "y", "bold")
    assert picture(canvas) == [" xy "]
    canvas.text(3, 0, "本", "bold")
    assert picture(canvas) == [" xy "]


def test_empty_cells_do_not_break_a_run_of_dots() -> None:
    canvas = DotCanvas(9, 1, BLOCKS)
    for x in (2, 8, 14):
        canvas.set(x, 0, "hairline")
    assert canvas.rows() == [(Span(" ", "text"), Span("▘  ▘  ▘ ", "hairline"))]


def test_a_background_ends_where_its_dots_end() -> None:
    canvas = DotCanvas(4, 1, BLOCKS)
    canvas.set(0, 0, "up+reverse")
    canvas.text(2, 0, "z", "reverse")
    assert canvas.rows() == [
        (Span("▘", "up+reverse"), Span(" "), Span("z", "reverse"), Span(" "))
    ]


def test_a_copy_can_be_drawn_over_without_touching_the_layer() -> None:
    layer = DotCanvas(4, 1, BRAILLE)
    layer.line(0, 3, 7, 3, "hairline")
    before = layer.rows()
    twin = layer.copy()
    twin.set(0, 0, "up")
    twin.text(3, 0, "x", "bold")
    assert layer.rows() == before
    assert picture(twin) == ["⣁⣀⣀x"]


@given(
    st.integers(0, 12),
    st.integers(0, 5),
    st.sampled_from(LOOKS),
    st.lists(
        st.tuples(
            st.integers(-3, 14), st.integers(-3, 14), st.sampled_from("a日é\u0301⚒ ")
        ),
        max_size=20,
    ),
)
def test_rows_always_have_exactly_their_size(
    width: int, height: int, look: Look, marks: list[tuple[int, int, str]]
) -> None:
    canvas = DotCanvas(width, height, look)
    for x, y, char in marks:
        canvas.set(x, y, "up")
        canvas.text(x, y, char * 2, "bold")
    rows = canvas.rows()
    assert len(rows) == (height if width else 0)
    assert all(width_of(row) == width for row in rows)
    assert all(a.role != b.role for row in rows for a, b in pairwise(row))
