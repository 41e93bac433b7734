"""Rows: clipped, padded and compared by cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from yolotop.tui.ink import (
    Look,
    Row,
    Span,
    clip,
    cut,
    fit,
    spread,
    width_of,
    wrapped,
)
from yolotop.tui.widgets.painted import changed_cells

LOOK = Look()
TEXT = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Mn")), max_size=30)
ROW = st.lists(st.builds(Span, TEXT), max_size=5).map(tuple)


@given(row=ROW, width=st.integers(0, 60))
def test_fit_is_exact(row: Row, width: int) -> None:
    assert width_of(fit(row, width, LOOK)) == width


@given(left=ROW, right=ROW, width=st.integers(1, 60))
def test_spread_is_exact(left: Row, right: Row, width: int) -> None:
    assert width_of(spread(left, right, width, LOOK)) == width


def test_a_cut_says_so() -> None:
    assert cut("connection refused", 10, LOOK) == "connectio…"
    assert cut("connection refused", 10, Look(plain=True)) == "connectio~"
    assert cut("短い名前です", 5, LOOK) == "短い…"


def test_clip_keeps_roles() -> None:
    row = (Span("abc", "up"), Span("defgh", "down"))
    assert clip(row, 6, LOOK) == (Span("abc", "up"), Span("de…", "down"))


def test_only_what_differs_is_sent() -> None:
    row = (Span("name"), Span(" " * 20), Span("12 s", "faint"))
    later = (*row[:2], Span("13 s", "faint"))
    assert changed_cells(row, later, 28) == [(25, 26)]


def test_distant_differences_are_sent_apart() -> None:
    old = (Span("a" + "-" * 20 + "b"),)
    new = (Span("x" + "-" * 20 + "y"),)
    assert changed_cells(old, new, 22) == [(0, 1), (21, 22)]


def test_a_role_alone_is_a_difference() -> None:
    assert changed_cells((Span("ab", "up"),), (Span("ab", "down"),), 2) == [(0, 2)]


@given(old=ROW, new=ROW, width=st.integers(1, 40))
def test_what_is_not_sent_is_equal(old: Row, new: Row, width: int) -> None:
    before, after = fit(old, width, LOOK), fit(new, width, LOOK)
    if before == after:
        return
    sent = {x for a, b in changed_cells(before, after, width) for x in range(a, b)}

    def cells(row: Row) -> list[str]:
        text = "".join(span.text for span in row)
        return [char for char in text for _ in range(width_of((Span(char),)))]

    same = zip(cells(before), cells(after), strict=False)
    assert all(a == b for x, (a, b) in enumerate(same) if x not in sent)


@given(text=TEXT, width=st.integers(1, 30), lines=st.integers(1, 3))
def test_wrapped_text_keeps_to_its_cells(text: str, width: int, lines: int) -> None:
    got = wrapped(text, width, lines, LOOK)
    assert 1 <= len(got) <= lines
    assert all(cell_len(line) <= width for line in got)


def test_text_is_wrapped_at_blanks_and_cut_at_the_end() -> None:
    assert wrapped("one two three", 7, 2, LOOK) == ["one two", "three"]
    assert wrapped("one two three four", 7, 2, LOOK) == ["one two", "three…"]
    assert wrapped("in one", 7, 2, LOOK) == ["in one"]
    assert wrapped("unbreakable words", 7, 2, LOOK) == ["unbrea…"]
