"""Two answers beside each other."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from yolotop.judge.parity import Beside, side_by_side
from yolotop.model import Depth, Detection, Prediction, Tolerance

TOLERANCE = Tolerance()
PLACES = st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(20, 100))
THINGS = st.builds(
    lambda label, sure, place: Detection(
        label,
        sure,
        (place[0], place[1], place[0] + place[2], place[1] + place[2]),
    ),
    st.sampled_from(["car", "person"]),
    st.floats(0.3, 1.0),
    PLACES,
)
ANSWERS = st.lists(THINGS, max_size=8).map(lambda seen: Prediction(tuple(seen)))


def car(sure: float, left: float = 0.0) -> Detection:
    return Detection("car", sure, (left, 0.0, left + 100.0, 100.0))


def of(*seen: Detection) -> Prediction:
    return Prediction(seen)


@given(ANSWERS)
def test_anything_is_the_same_as_itself(answer: Prediction) -> None:
    found = side_by_side(answer, answer, TOLERANCE)
    assert found.same
    assert {row.beside for row in found.rows} <= {Beside.SAME}
    assert len(found.rows) == len(answer.detections)
    assert all(row.iou == 1.0 for row in found.rows)


@given(ANSWERS, ANSWERS)
def test_everything_stands_in_exactly_one_row(
    served: Prediction, reference: Prediction
) -> None:
    found = side_by_side(served, reference, TOLERANCE)
    ours = [row.served for row in found.rows if row.served is not None]
    theirs = [row.reference for row in found.rows if row.reference is not None]
    assert sorted(map(repr, ours)) == sorted(map(repr, served.detections))
    assert sorted(map(repr, theirs)) == sorted(map(repr, reference.detections))
    assert sum(each.served for each in found.classes) == len(ours)
    assert sum(each.reference for each in found.classes) == len(theirs)
    assert sum(count for _, count in found.counts()) == len(found.rows)


def test_missed_extra_shifted_and_faint() -> None:
    reference = of(car(0.9), car(0.8, 200), car(0.3, 400), car(0.9, 600))
    served = of(car(0.7), car(0.8, 205), car(0.9, 800), car(0.9, 1_000))
    found = side_by_side(served, reference, TOLERANCE)
    assert not found.same
    assert [row.beside.value for row in found.rows] == [
        *("shifted", "same", "faint", "missed", "extra", "extra"),
    ]
    first = found.rows[0]
    assert first.shift is not None
    assert round(first.shift, 6) == -0.2
    assert found.words() == ["car at 0.70, reference at 0.90 ± 0.1"]
    (cars,) = found.classes
    assert (cars.reference, cars.served, cars.pairs) == (4, 4, 2)


def test_within_the_tolerance() -> None:
    served = of(car(0.85, 3), car(0.9, 500))
    assert side_by_side(served, of(car(0.9)), TOLERANCE).same
    strict = replace(TOLERANCE, extra=0)
    assert not side_by_side(served, of(car(0.9)), strict).same


def test_a_classifier_by_name() -> None:
    reference = of(Detection("cat", 0.9), Detection("dog", 0.08))
    served = of(Detection("dog", 0.7), Detection("cat", 0.2))
    found = side_by_side(served, reference, TOLERANCE)
    assert not found.same
    assert [row.label for row in found.rows] == ["cat", "dog"]
    assert all(row.beside is Beside.SHIFTED for row in found.rows)
    assert all(row.iou is None for row in found.rows)
    assert "reference cat" in found.words()[0]


def test_what_a_class_covers() -> None:
    reference = of(Detection("road", share=0.4), Detection("sky", share=0.3))
    served = of(Detection("road", share=0.2), Detection("sky", share=0.31))
    found = side_by_side(served, reference, TOLERANCE)
    assert [row.beside for row in found.rows] == [Beside.SHIFTED, Beside.SAME]
    assert not found.same


def test_depth_has_no_things() -> None:
    near = Prediction((), depth=Depth(1, 2, (1.0, 2.0)))
    far = Prediction((), depth=Depth(1, 2, (2.0, 4.0)))
    assert side_by_side(near, near, TOLERANCE).same
    found = side_by_side(near, far, TOLERANCE)
    assert (found.rows, found.same) == ((), False)
    assert "depths are 50% off" in found.words()[0]
