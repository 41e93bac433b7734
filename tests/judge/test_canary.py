"""The canary: the same answer is the same, noise is none, and a defect is one."""

from __future__ import annotations

import json
import math
import random
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from yolotop.judge.canary import (
    DEFAULT_CONF,
    baseline_of,
    compare,
)
from yolotop.judge.findings import MOST_PINNED, Finding, Flaw
from yolotop.judge.outlines import overlap
from yolotop.model import Baseline, Depth, Detection, Prediction, Tolerance

PLAIN = Tolerance()
SHA = "a" * 64
Box = tuple[float, float, float, float]


def pinned(*detections: Detection, depth: Depth | None = None) -> Baseline:
    return baseline_of(
        Prediction(detections, depth=depth), image_sha256=SHA, pinned_at=0.0
    )


def flaws(
    got: tuple[Detection, ...], baseline: Baseline, tolerance: Tolerance = PLAIN
) -> list[Flaw]:
    return [one.flaw for one in compare(Prediction(got), baseline, tolerance)]


# --- what any answer may be ----------------------------------------------------------

labels = st.sampled_from(["car", "dog", "person"])
confidences = st.floats(0.01, 1.0)


@st.composite
def boxes(draw: st.DrawFn, *, least: float = 2.0) -> Box:
    x, y = draw(st.floats(0, 600)), draw(st.floats(0, 600))
    return x, y, x + draw(st.floats(least, 300)), y + draw(st.floats(least, 300))


seen = st.builds(Detection, labels, st.none() | confidences, boxes())
answers = st.lists(seen, max_size=12).map(tuple)


@given(answers)
def test_an_answer_is_the_same_as_itself(got: tuple[Detection, ...]) -> None:
    assert compare(Prediction(got), pinned(*got), PLAIN) == ()


@given(answers, st.randoms(use_true_random=False))
def test_their_order_does_not_matter(
    got: tuple[Detection, ...], dice: random.Random
) -> None:
    mixed = list(got)
    dice.shuffle(mixed)
    assert compare(Prediction(tuple(mixed)), pinned(*got), PLAIN) == ()


@given(
    # Half a pixel off on every edge makes one pixel of two, of which nothing is sure.
    st.lists(st.builds(Detection, labels, confidences, boxes(least=4.0)), max_size=12),
    st.randoms(use_true_random=False),
    st.floats(0, 0.3),
)
def test_noise_within_the_tolerance_never_alarms(
    truth: list[Detection], dice: random.Random, shift: float
) -> None:
    """However close things lie to each other, or to the threshold on either side."""
    tolerance = replace(PLAIN, confidence=shift)
    floor = 0.25

    def noisy(each: Detection) -> Detection:
        assert each.box is not None
        assert each.confidence is not None
        # Half of it on either side: the pinned answer had noise too.
        sure = each.confidence + dice.uniform(-shift, shift) / 2
        box = tuple(edge + dice.uniform(-0.5, 0.5) for edge in each.box)
        return replace(each, confidence=min(1.0, max(0.0, sure)), box=box)  # type: ignore[arg-type]

    def answer() -> tuple[Detection, ...]:
        kept = [noisy(each) for each in truth]
        kept = [each for each in kept if (each.confidence or 0.0) >= floor]
        return tuple(sorted(kept, key=lambda each: -(each.confidence or 0.0)))

    first, second = answer(), answer()
    assert compare(Prediction(second), pinned(*first), tolerance, conf=floor) == ()


# --- one defect ----------------------------------------------------------------------


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Detection, ...]:
    """Things far from each other, large enough for a pixel, surely seen."""
    cells = draw(st.lists(st.integers(0, 15), min_size=2, max_size=8, unique=True))
    found = []
    for cell in cells:
        x = 160.0 * (cell % 4) + draw(st.floats(0, 30))
        y = 160.0 * (cell // 4) + draw(st.floats(0, 30))
        width, height = draw(st.floats(60, 120)), draw(st.floats(60, 120))
        sure = draw(st.floats(0.5, 0.85))
        found.append(Detection(draw(labels), sure, (x, y, x + width, y + height)))
    return tuple(found)


def without(scene: tuple[Detection, ...], at: int) -> tuple[Detection, ...]:
    return scene[:at] + scene[at + 1 :]


def instead(
    scene: tuple[Detection, ...], at: int, other: Detection
) -> tuple[Detection, ...]:
    return (*scene[:at], other, *scene[at + 1 :])


@given(scenes(), st.data())
def test_one_that_is_missing_always_alarms(
    scene: tuple[Detection, ...], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(scene) - 1))
    assert flaws(without(scene, at), pinned(*scene)) == [Flaw.COUNT]


@given(scenes(), st.data())
def test_two_more_always_alarm_and_one_never(
    scene: tuple[Detection, ...], data: st.DataObject
) -> None:
    sure = data.draw(st.floats(0.36, 1.0))
    more = [Detection("cat", sure, (700.0 + at, 0, 800, 90)) for at in (0, 5)]
    assert flaws((*scene, more[0]), pinned(*scene)) == []
    assert flaws((*scene, *more), pinned(*scene)) == [Flaw.COUNT]
    faint = [replace(each, confidence=0.34) for each in more]
    assert flaws((*scene, *faint), pinned(*scene)) == []


@given(scenes(), st.data())
def test_another_class_always_alarms(
    scene: tuple[Detection, ...], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(scene) - 1))
    other = replace(scene[at], label="cat")
    assert flaws(instead(scene, at, other), pinned(*scene)) == [Flaw.COUNT]


@given(scenes(), st.data())
def test_a_confidence_beyond_the_tolerance_always_alarms(
    scene: tuple[Detection, ...], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(scene) - 1))
    by = data.draw(st.floats(0.101, 0.14)) * data.draw(st.sampled_from([1, -1]))
    other = replace(scene[at], confidence=(scene[at].confidence or 0.0) + by)
    assert flaws(instead(scene, at, other), pinned(*scene)) == [Flaw.CONFIDENCE]
    no_longer = replace(scene[at], confidence=None)
    assert flaws(instead(scene, at, no_longer), pinned(*scene)) == [Flaw.CONFIDENCE]


@given(scenes(), st.data())
def test_a_box_beyond_the_tolerance_always_alarms(
    scene: tuple[Detection, ...], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(scene) - 1))
    box = scene[at].box
    assert box is not None
    # A quarter of the width to the side is an IoU of 0.6, half of it one of 0.33.
    share = data.draw(st.floats(0.13, 0.6))
    by = share * (box[2] - box[0])
    other = replace(scene[at], box=(box[0] + by, box[1], box[2] + by, box[3]))
    assert flaws(instead(scene, at, other), pinned(*scene)) in (
        [Flaw.MOVED],
        [Flaw.COUNT],
    )


@given(scenes())
def test_nothing_at_all_is_the_worst_whatever_may_be_missed(
    scene: tuple[Detection, ...],
) -> None:
    [found] = compare(Prediction(()), pinned(*scene), replace(PLAIN, missed=99))
    assert found.flaw is Flaw.EMPTY
    assert found.message.startswith("got none, pinned ")


def test_what_was_barely_seen_may_be_gone() -> None:
    """A lone detection at 0.27 comes and goes on a healthy server."""
    lone = pinned(Detection("car", 0.27, (0, 0, 90, 90)))
    assert compare(Prediction(()), lone, PLAIN) == ()
    # The server was asked for more than 0.1, so 0.27 is far from the threshold.
    assert [one.flaw for one in compare(Prediction(()), lone, PLAIN, conf=0.1)] == [
        Flaw.EMPTY
    ]


CAR = Detection("car", 0.9, (10.0, 10.0, 110.0, 60.0))


def test_the_sentences() -> None:
    """What was got stands first; a card shows the head."""
    other = Detection("car", 0.8, (300.0, 10.0, 400.0, 60.0))
    dog = Detection("dog", 0.7, (10.0, 200.0, 110.0, 260.0))
    three = pinned(CAR, other, dog)

    def said(*got: Detection) -> str:
        return compare(Prediction(got), three, PLAIN)[0].message

    assert said() == "got none, pinned car ×2, dog ×1"
    assert said(CAR, dog) == "got car ×1, dog ×1, pinned car ×2, dog ×1"
    moved = replace(CAR, box=(35.0, 10.0, 135.0, 60.0))
    assert said(moved, other, dog) == (
        "car has moved: IoU 0.60 with the pinned box, expected 0.8"
    )
    gone = replace(CAR, box=(90.0, 10.0, 190.0, 60.0))
    assert said(gone, other, dog) == "car is not where it was pinned (IoU 0.11)"
    assert said(replace(CAR, confidence=0.61), other, dog) == (
        "car at 0.61, pinned at 0.90 ± 0.1"
    )


def test_the_worst_first() -> None:
    pale = replace(CAR, confidence=0.5)
    far = Detection("dog", 0.9, (300.0, 300.0, 400.0, 400.0))
    paler = replace(far, confidence=0.4)
    found = compare(Prediction((pale, paler)), pinned(CAR, far), PLAIN)
    assert [one.message.split(",")[0] for one in found] == [
        "dog at 0.40",
        "car at 0.50",
    ]
    found = compare(Prediction((pale,)), pinned(CAR, far), PLAIN)
    assert [one.flaw for one in found] == [Flaw.COUNT, Flaw.CONFIDENCE]


def test_of_two_that_lie_on_each_other_one_may_go_but_not_the_sure_one() -> None:
    twin = replace(CAR, confidence=0.5, box=(11.0, 10.0, 111.0, 60.0))
    both = pinned(CAR, twin)
    assert flaws((CAR,), both) == []
    assert flaws((twin,), both) == [Flaw.COUNT]


@pytest.mark.parametrize("names", [1, 20])
def test_three_hundred_things_in_another_order_and_one_less(names: int) -> None:
    """One that blinks at the threshold moves all the others up by one."""
    dice = random.Random(names)  # noqa: S311

    def crowd(count: int) -> list[Detection]:
        found = []
        for at in range(count):
            x, y = dice.uniform(0, 1_800), dice.uniform(0, 1_000)
            size = dice.uniform(20, 80)
            sure = dice.uniform(0.4, 0.95)
            box = (x, y, x + size, y + 1.2 * size)
            found.append(Detection(f"c{at % names}", sure, box))
        return found

    truth = [Detection("c0", 0.26, (0, 0, 50, 50)), *crowd(299)]
    dice.shuffle(truth)
    server = HalfPrecision(truth, dice, scale=1.0)
    base = baseline_of(Prediction(tuple(truth)), image_sha256=SHA, pinned_at=0.0)
    for _ in range(20):
        got = server.answer().detections
        got = tuple(each for each in got if (each.confidence or 0.0) > 0.3)
        assert len(got) == 299
        assert compare(Prediction(got), base, PLAIN) == ()
        assert flaws(got[1:], base) == [Flaw.COUNT]


def test_an_answer_of_a_thousand_things_ends() -> None:
    many = tuple(
        Detection("car", 0.9, (float(at), 0.0, at + 300.0, 300.0))
        for at in range(1_000)
    )
    base = pinned(*(replace(each, confidence=0.5) for each in many))
    assert len(base.detections) == MOST_PINNED
    assert flaws(many, base)[0] is Flaw.COUNT


# --- masks, keypoints, classes, depth ------------------------------------------------


def ring(
    x: float, y: float, across: float, down: float, n: int = 64
) -> list[tuple[float, float]]:
    turn = [math.tau * step / n for step in range(n)]
    return [(x + across * math.cos(t), y + down * math.sin(t)) for t in turn]


def test_overlap_of_outlines() -> None:
    square = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
    half = [(5.0, 0.0), (15.0, 0.0), (15.0, 10.0), (5.0, 10.0)]
    assert overlap(square, square).iou == 1.0
    assert overlap(square, half).iou == pytest.approx(1 / 3, abs=0.001)
    assert overlap(square, square[::-1]).iou == pytest.approx(1.0)
    assert overlap(square, [(math.nan, 0.0), *half]).iou == 0.0
    assert overlap(square, square[:2]).iou == 0.0
    # An ellipse inside another: the ratio of the areas, for polygons too.
    found = overlap(ring(100, 100, 50, 30), ring(100, 100, 40, 24))
    assert found.iou == pytest.approx(0.64, abs=0.004)
    many = overlap(ring(100, 100, 50, 30, 5_000), ring(103, 100, 50, 30, 5_000))
    few = overlap(ring(100, 100, 50, 30), ring(103, 100, 50, 30))
    assert many.iou == pytest.approx(few.iou, abs=0.004)


def test_masks_by_the_ground_they_cover() -> None:
    cat = Detection(
        "cat", 0.9, (50, 70, 150, 130), outline=tuple(ring(100, 100, 50, 30))
    )
    base = pinned(cat)
    assert flaws((cat,), base) == []
    near = replace(cat, outline=tuple(ring(100.7, 99.5, 50, 30, 61)))
    assert flaws((near,), base) == []
    # The same box, and half of the mask.
    thin = replace(cat, outline=tuple(ring(100, 100, 50, 12)))
    assert flaws((thin,), base) == [Flaw.OUTLINE]
    assert flaws((replace(cat, outline=()),), base) == [Flaw.OUTLINE]
    turned = ((55.0, 70.0), (150.0, 120.0), (145.0, 130.0), (50.0, 80.0))
    other = ((145.0, 70.0), (150.0, 80.0), (55.0, 130.0), (50.0, 120.0))
    assert flaws(
        (replace(cat, outline=other),), pinned(replace(cat, outline=turned))
    ) == [Flaw.OUTLINE]
    # Four pixels wide, one pixel aside: a third of it, and nothing to wake anybody for.
    pole = [(10.0, 0.0), (14.0, 0.0), (14.0, 200.0), (10.0, 200.0)]
    wire = Detection("pole", 0.9, (10, 0, 14, 200), outline=tuple(pole))
    aside = replace(
        wire,
        box=(11, 0, 15, 200),
        outline=tuple((x + 1.0, y) for x, y in pole),
    )
    assert flaws((aside,), pinned(wire)) == []


def test_keypoints_by_their_distance() -> None:
    points = ((20.0, 20.0, 0.9), (60.0, 30.0, 0.9), (80.0, 50.0, 0.1))
    person = Detection("person", 0.9, (10, 10, 110, 60), keypoints=points)
    base = pinned(person)
    # 112 pixels from corner to corner, so 5.6 are tolerated on the mean.

    def moved(by: float) -> Detection:
        return replace(person, keypoints=tuple((x + by, y, v) for x, y, v in points))

    assert flaws((moved(5),), base) == []
    assert flaws((moved(6),), base) == [Flaw.KEYPOINTS]
    unseen = (*points[:2], (0.0, 0.0, 0.0))
    assert flaws((replace(person, keypoints=unseen),), base) == []
    assert flaws((replace(person, keypoints=points[:2]),), base) == [Flaw.KEYPOINTS]
    broken = ((math.nan, 20.0, 0.9), *points[1:])
    assert flaws((replace(person, keypoints=broken),), base) == [Flaw.KEYPOINTS]


def kinds(**sure: float) -> tuple[Detection, ...]:
    ordered = sorted(sure.items(), key=lambda item: -item[1])
    return tuple(Detection(label, confidence) for label, confidence in ordered)


@pytest.mark.parametrize(
    ("was", "now", "flaw"),
    [
        ({"cat": 0.9, "dog": 0.05}, {"cat": 0.85, "dog": 0.1}, None),
        ({"cat": 0.9, "dog": 0.05}, {"dog": 0.9, "cat": 0.05}, Flaw.CLASS),
        ({"cat": 0.9, "dog": 0.05}, {"cat": 0.7, "dog": 0.15}, Flaw.CONFIDENCE),
        # So close that either may be the first one.
        ({"cat": 0.5, "dog": 0.45}, {"dog": 0.5, "cat": 0.45}, None),
        # Fell off the end of the list, to something as unsure.
        ({"cat": 0.9, "dog": 0.05}, {"cat": 0.9, "cow": 0.06}, None),
        ({"cat": 0.9, "dog": 0.4}, {"cat": 0.9, "cow": 0.06}, Flaw.CONFIDENCE),
        ({"cat": 0.9}, {"cow": 0.9}, Flaw.CLASS),
        ({"cat": 0.2}, {}, Flaw.EMPTY),
    ],
)
def test_a_classifier(
    was: dict[str, float], now: dict[str, float], flaw: Flaw | None
) -> None:
    found = flaws(kinds(**now), pinned(*kinds(**was)))
    assert found[:1] == ([] if flaw is None else [flaw])


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8), st.randoms())
def test_a_classifier_within_its_tolerance_never_alarms(
    sure: list[float], dice: random.Random
) -> None:
    assume(sum(sure) > 0.01)
    truth = {f"class-{at}": each / sum(sure) for at, each in enumerate(sure)}

    def top() -> tuple[Detection, ...]:
        moved = {
            label: min(1.0, max(0.0, each + dice.uniform(-0.05, 0.05)))
            for label, each in truth.items()
        }
        return kinds(**moved)[:5]

    assert flaws(top(), pinned(*top())) == []


def test_a_semantic_mask_by_its_shares() -> None:
    base = pinned(Detection("road", share=0.6), Detection("sky", share=0.3))
    assert (
        flaws((Detection("sky", share=0.33), Detection("road", share=0.57)), base) == []
    )
    lost = (Detection("road", share=0.6),)
    [found] = compare(Prediction(lost), base, PLAIN)
    assert found.flaw is Flaw.SHARE
    assert found.message == "sky covers 0% of the image, pinned 30% ± 5%"
    new = (*base.detections, Detection("fire", share=0.06))
    assert flaws(new, base) == [Flaw.SHARE]


def test_depth_by_its_relative_error() -> None:
    base = pinned(depth=Depth(2, 2, (1.0, 2.0, 0.0, 4.0)))

    def found(depth: Depth | None) -> list[Flaw]:
        told = compare(Prediction((), depth=depth), base, PLAIN)
        return [one.flaw for one in told]

    assert found(Depth(2, 2, (1.05, 2.1, 9.0, 4.2))) == []
    assert found(Depth(2, 2, (1.2, 2.4, 0.0, 4.8))) == [Flaw.DEPTH]
    assert found(Depth(2, 2, (1.0, math.nan, 0.0, 4.0))) == [Flaw.DEPTH]
    assert found(Depth(4, 1, (1.0, 2.0, 0.0, 4.0))) == [Flaw.DEPTH]
    assert found(Depth(2, 2, (0.0, 0.0, 0.0, 0.0))) == [Flaw.EMPTY]
    assert found(None) == [Flaw.EMPTY]


# --- ten thousand probes of a healthy endpoint ---------------------------------------

ANSWERS = Path(__file__).parent / "shapes_answers.json"
"""What the shipped model really says to drawn scenes, down to a confidence of 0.05:
``tools/take_answers.py`` wrote it."""
PROBES = 10_000


def half(value: float) -> float:
    """As a half-precision number: 11 bits of it are left."""
    found: float = struct.unpack("<e", struct.pack("<e", value))[0]
    return found


class HalfPrecision:
    """A server whose numbers have 11 bits, and whose kernels sum in changing order."""

    def __init__(
        self, truth: list[Detection], dice: random.Random, *, scale: float
    ) -> None:
        self.truth = truth
        self.dice = dice
        self.scale = scale

    def answer(self) -> Prediction:
        found = [self.noisy(each) for each in self.truth]
        kept = [each for each in found if (each.confidence or 0.0) >= DEFAULT_CONF]
        kept.sort(key=lambda each: -(each.confidence or 0.0))
        return Prediction(tuple(kept))

    def noisy(self, each: Detection) -> Detection:
        assert each.box is not None
        assert each.confidence is not None
        x1, y1, x2, y2 = (
            half(edge * self.scale + self.dice.uniform(-0.5, 0.5)) for edge in each.box
        )
        # Some 2^-10 of rounding, and now and then a path that differs by far more.
        spread = 2**-10 if self.dice.random() < 0.95 else 0.02
        sure = half(each.confidence + self.dice.gauss(0.0, spread))
        return replace(each, confidence=min(1.0, max(0.0, sure)), box=(x1, y1, x2, y2))


def scenes_of_the_model() -> list[list[Detection]]:
    return [
        [Detection(label, sure, tuple(box)) for label, sure, box in scene]
        for scene in json.loads(ANSWERS.read_text())
    ]


@pytest.mark.parametrize("scale", [1.0, 2.0, 6.0], ids=["320px", "640px", "1920px"])
def test_ten_thousand_probes_of_a_healthy_endpoint_are_no_alarm(scale: float) -> None:
    dice = random.Random(20_261_125)  # noqa: S311
    scenes = scenes_of_the_model()
    alarms: list[tuple[Finding, ...]] = []
    blinked = asked = 0
    for at, scene in enumerate(scenes):
        # Each scene also with things right at the threshold: they blink in and out,
        # and some of them lie on what is surely seen.
        x1, y1, x2, y2 = scene[0].box or (0, 0, 0, 0)
        edgy = [
            Detection("square", 0.25 + dice.gauss(0, 0.002), (200, 200, 260, 250)),
            Detection("circle", 0.25 + dice.gauss(0, 0.002), (5, 5, 30, 28)),
            Detection("triangle", 0.25, (60, 240, 66, 248)),
            Detection(scene[0].label, 0.25, (x1 + 1, y1, x2, y2 - 1)),
        ]
        server = HalfPrecision([*scene, *edgy], dice, scale=scale)
        baseline = baseline_of(server.answer(), image_sha256=SHA, pinned_at=0.0)
        count = len(baseline.detections)
        for _ in range(PROBES // len(scenes) + (at < PROBES % len(scenes))):
            got = server.answer()
            asked += 1
            blinked += len(got.detections) != count
            if found := compare(got, baseline, PLAIN):
                alarms.append(found)
    assert asked == PROBES
    assert alarms == []
    assert blinked > PROBES / 3, "the threshold was not tried"


def test_and_each_single_defect_on_them_is_an_alarm() -> None:
    """The same answers, so that silence above is no deafness."""
    for scene in scenes_of_the_model():
        sure = [each for each in scene if (each.confidence or 0.0) >= DEFAULT_CONF]
        base = pinned(*sure)
        for at, each in enumerate(sure):
            if (each.confidence or 0.0) > DEFAULT_CONF + 0.1:
                assert flaws(without(tuple(sure), at), base), each
                other = replace(each, label="hexagon")
                assert flaws(instead(tuple(sure), at, other), base), each
