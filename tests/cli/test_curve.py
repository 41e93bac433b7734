"""The curve of a load test, drawn."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolotop.cli.curve import NARROWEST, WIDEST, Mark, curve
from yolotop.tui.ink import Look, Row, width_of

LOOKS = (Look(), Look(braille=False), Look(plain=True))
BENT = (
    Mark(1.2, 10, "1"),
    Mark(4.4, 12, "4"),
    Mark(12.0, 19, "16", is_knee=True),
    Mark(11.9, 80, "64"),
)


def text(rows: list[Row]) -> list[str]:
    return ["".join(span.text for span in row).rstrip() for row in rows]


def test_a_bent_curve() -> None:
    assert text(curve(BENT, 60, Look(plain=True))) == [
        "    P95",
        "  80 ms|                                        * 64",
        "       |                                        :",
        "  60 ms|                                        :",
        "       |                                        :",
        "  40 ms|                                         :",
        "       |                                         :",
        "       |                                         :",
        "  20 ms|                      .............''''''# 16 knee",
        "       |    * 1 ..'''''* 4 '''",
        "      0|",
        "       +----------------------------------------------------",
        "        0                5               10             15/s",
    ]


@pytest.mark.parametrize("look", LOOKS)
@settings(max_examples=40, deadline=None)
@given(
    points=st.lists(
        st.tuples(st.floats(0, 1e5), st.floats(0.01, 1e6)), min_size=2, max_size=9
    ),
    width=st.integers(0, 240),
)
def test_it_fits_and_marks_the_knee(
    look: Look, points: list[tuple[float, float]], width: int
) -> None:
    marks = [Mark(x, y, str(2**n), is_knee=n == 1) for n, (x, y) in enumerate(points)]
    rows = curve(marks, width, look)
    if width < NARROWEST:
        assert rows == []
        return
    assert all(width_of(row) <= min(width, WIDEST) for row in rows)
    drawn = "\n".join(text(rows))
    assert "2 knee" in drawn
    assert not look.plain or drawn.isascii()


def test_one_level_is_no_curve() -> None:
    assert curve(BENT[:1], 80, Look()) == []
