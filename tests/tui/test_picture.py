"""Pictures in cells: proportions, pixels, lines, captions, and what is odd."""

from __future__ import annotations

import math

import pytest
from PIL import Image, ImageDraw

from yolotop.tui.ink import Look, Row, width_of
from yolotop.tui.marks import Mark, colours_of, marks_of, missed
from yolotop.tui.palette import CLASS_COLOURS
from yolotop.tui.picture import (
    Manner,
    fitted,
    manner_of,
    picture_rows,
)

RED, BLUE = (248, 0, 0), (0, 0, 248)


def halves(width: int = 40, height: int = 40) -> Image.Image:
    """Red above, blue below."""
    image = Image.new("RGB", (width, height), RED)
    ImageDraw.Draw(image).rectangle((0, height // 2, width, height), fill=BLUE)
    return image


def text_of(rows: list[Row]) -> list[str]:
    return ["".join(span.text for span in row) for row in rows]


def roles_of(rows: list[Row]) -> set[str]:
    return {span.role for row in rows for span in row}


@pytest.mark.parametrize(
    ("size", "room", "expected"),
    [
        ((320, 320), (80, 24), (48, 24)),
        ((640, 360), (80, 24), (80, 22)),
        ((100, 1000), (80, 24), (5, 24)),
        ((4000, 10), (80, 24), (80, 1)),
        ((320, 320), (0, 24), (0, 0)),
        ((0, 0), (80, 24), (0, 0)),
    ],
)
def test_fills_the_room_undistorted(
    size: tuple[int, int], room: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert fitted(size, *room) == expected


@pytest.mark.parametrize("manner", Manner)
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (61, 30)])
def test_always_exactly_the_size(
    manner: Manner, plain: bool, size: tuple[int, int]
) -> None:
    marks = [
        Mark("circle", (0.1, 0.1, 0.5, 0.5), 0.9),
        Mark("a very long name of a class", (0.9, 0.9, 1.2, 1.2), 0.9),
        Mark("人物", (-0.5, -0.5, 2.0, 0.01), 0.9),
        Mark("dot", (0.5, 0.5, 0.5, 0.5), None, expected=True),
        Mark("far", (2.0, 2.0, 3.0, 3.0), 0.4),
    ]
    rows = picture_rows(halves(), marks, size, Look(plain=plain), manner)
    assert [width_of(row) for row in rows] == [size[0]] * size[1]


def test_two_pixels_to_a_cell() -> None:
    rows = picture_rows(halves(4, 2), [], (4, 1), Look(), Manner.BLOCKS)
    assert text_of(rows) == ["▀▀▀▀"]
    assert roles_of(rows) == {"#f80000/0000f8"}


def test_equal_pixels_are_blanks_over_a_colour() -> None:
    plain = Image.new("RGB", (9, 9), RED)
    rows = picture_rows(plain, [], (9, 4), Look(), Manner.BLOCKS)
    assert text_of(rows) == [" " * 9] * 4
    assert roles_of(rows) == {"#/f80000"}


def test_blanks_are_ascii_with_colours() -> None:
    marks = [Mark("circle", (0.1, 0.1, 0.9, 0.9), 0.9)]
    rows = picture_rows(halves(), marks, (30, 15), Look(plain=True), Manner.BLANKS)
    assert "".join(text_of(rows)).isascii()
    assert any(role.startswith("#") for role in roles_of(rows))


@pytest.mark.parametrize("plain", [False, True])
def test_shades_hold_no_colour_of_their_own(plain: bool) -> None:
    marks = [Mark("circle", (0.1, 0.1, 0.9, 0.9), 0.9)]
    rows = picture_rows(halves(), marks, (30, 15), Look(plain=plain), Manner.SHADES)
    assert not any("#" in role for role in roles_of(rows))
    assert "".join(text_of(rows)).isascii() is plain


def test_shades_turn_around_on_light_paper() -> None:
    image = Image.new("RGB", (20, 20), (0, 0, 0))
    ImageDraw.Draw(image).rectangle((10, 0, 20, 20), fill=(255, 255, 255))
    look = Look(plain=True)
    dark = text_of(picture_rows(image, [], (2, 1), look, Manner.SHADES))
    light = text_of(picture_rows(image, [], (2, 1), look, Manner.SHADES, light=True))
    assert dark == [" @"]
    assert light == ["@ "]


def test_a_mark_has_lines_a_name_and_a_confidence() -> None:
    mark = Mark("circle", (0.1, 0.1, 0.9, 0.9), 0.917, colour=2)
    rows = picture_rows(halves(), [mark], (40, 20), Look(), Manner.BLOCKS)
    text = text_of(rows)
    assert text[2].strip(" ▀") == "circle 0.92 " + "━" * 18 + "┓"
    assert text[17].strip(" ▀") == "┗" + "━" * 30 + "┛"
    assert all(line[4] == line[35] == "┃" for line in text[3:17])
    colour = "{:02x}{:02x}{:02x}".format(*CLASS_COLOURS[2])
    assert f"#000000/{colour}+bold" in roles_of(rows)


def test_what_was_missed_is_dashed_and_says_so() -> None:
    found = Mark("circle", (0.05, 0.05, 0.45, 0.45), 0.9)
    here = Mark("circle", (0.06, 0.05, 0.46, 0.45), expected=True)
    other = Mark("square", (0.55, 0.55, 0.95, 0.95), expected=True)
    assert missed([found, here, other]) == [other]
    text = "\n".join(
        text_of(
            picture_rows(
                halves(), [found, here, other], (60, 30), Look(), Manner.BLOCKS
            )
        )
    )
    assert text.count("expected") == 1
    assert "square expected" in text
    assert "╌" in text
    assert "╎" in text


def test_the_same_place_with_another_name_is_missed() -> None:
    found = Mark("square", (0.1, 0.1, 0.5, 0.5), 0.9)
    wished = Mark("circle", (0.1, 0.1, 0.5, 0.5), expected=True)
    assert missed([found, wished]) == [wished]


def test_captions_keep_off_each_other_and_inside() -> None:
    marks = [
        Mark(f"thing{index}", (0.7, 0.3, 0.99, 0.6), 0.9 - index / 10)
        for index in range(3)
    ]
    text = "\n".join(
        text_of(picture_rows(halves(), marks, (60, 30), Look(), Manner.BLOCKS))
    )
    for mark in marks:
        assert text.count(f" {mark.caption} ") == 1


def test_a_caption_says_less_where_there_is_no_room() -> None:
    mark = Mark("circle", (0.4, 0.4, 0.6, 0.6), 0.9)
    small = picture_rows(halves(), [mark], (20, 10), Look(), Manner.BLOCKS)
    large = picture_rows(halves(), [mark], (80, 40), Look(), Manner.BLOCKS)
    assert " circle " in "\n".join(text_of(small))
    assert " circle 0.90 " in "\n".join(text_of(large))


def test_classes_keep_their_colour_and_never_share_one_while_there_are_enough() -> None:
    few = colours_of(["circle", "square", "triangle", "circle"])
    assert len(set(few.values())) == 3
    assert colours_of(["circle"]) == {"circle": few["circle"]}
    many = colours_of(f"class {index}" for index in range(50))
    assert set(many.values()) == set(range(len(CLASS_COLOURS)))


def test_marks_come_as_shares_of_the_picture() -> None:
    result = {
        "image": {"width": 320, "height": 160},
        "boxes": [{"label": "circle", "confidence": 0.5, "box": [32, 16, 64, 80]}],
        "expected": [{"label": "circle", "confidence": None, "box": [0, 0, 32, 16]}],
    }
    found, wished = marks_of(result)
    assert found.box == (0.1, 0.1, 0.2, 0.5)
    assert (found.confidence, found.expected) == (0.5, False)
    assert (wished.confidence, wished.expected) == (None, True)
    assert found.colour == wished.colour


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"image": None, "boxes": None},
        {"image": {"width": 0, "height": 5}, "boxes": [{"label": "x", "box": [1] * 4}]},
        {"image": {"width": "5", "height": 5}, "boxes": 5},
        {
            "image": {"width": 5, "height": 5},
            "boxes": [
                "x",
                {},
                {"label": 5, "box": [1] * 4},
                {"label": "x", "box": [1, 2]},
                {"label": "x", "box": None},
                {"label": "x", "box": [math.nan] * 4},
                {"label": "x", "box": [10**400] * 4},
                {"label": "x", "box": [True] * 4},
            ],
        },
    ],
)
def test_odd_answers_have_no_boxes(result: dict[str, object]) -> None:
    marks = marks_of(result)
    assert [mark for mark in marks if mark.box is not None] == []
    rows = picture_rows(halves(), marks, (20, 10), Look(), Manner.BLOCKS)
    assert "x" not in "".join(text_of(rows))


def test_a_class_without_a_box_counts_as_seen_where_it_was_expected() -> None:
    found = Mark("circle", None, 0.9)
    wished = Mark("circle", (0.1, 0.1, 0.5, 0.5), expected=True)
    assert missed([found, wished]) == []
    assert missed([Mark("square", None, 0.9), wished]) == [wished]


@pytest.mark.parametrize(
    ("plain", "colours", "manner"),
    [
        (False, True, Manner.BLOCKS),
        (True, True, Manner.BLANKS),
        (False, False, Manner.SHADES),
        (True, False, Manner.SHADES),
    ],
)
def test_draws_what_the_terminal_can(
    plain: bool, colours: bool, manner: Manner
) -> None:
    assert manner_of(Look(plain=plain, colours=colours)) is manner
