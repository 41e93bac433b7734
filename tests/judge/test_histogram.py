"""Property tests of the latency histogram against exact nearest rank."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolotop.judge.histogram import RELATIVE_ERROR, ExpHistogram

QUANTILES = ("0", "0.01", "0.07", "0.25", "0.5", "0.9", "0.95", "0.99", "0.999", "1")
# One microsecond (what the store keeps) to eleven days.
LATENCIES = st.floats(min_value=1e-3, max_value=1e9)
BIMODAL = st.one_of(
    st.floats(min_value=30, max_value=40), st.floats(min_value=4_000, max_value=20_000)
)
HEAVY = st.floats(min_value=1e-6, max_value=0.999_999).map(
    lambda uniform: 20.0 / (1.0 - uniform) ** 1.5
)
SAMPLES = st.one_of(
    st.lists(LATENCIES, min_size=1, max_size=300),
    st.lists(BIMODAL, min_size=1, max_size=300),
    st.lists(HEAVY, min_size=1, max_size=300),
)


def filled(values: list[float], *, scale: int = 5) -> ExpHistogram:
    histogram = ExpHistogram(scale=scale)
    for value in values:
        histogram.add(value)
    return histogram


def nearest_rank(values: list[float], q: str) -> float:
    rank = max(1, math.ceil(Fraction(q) * len(values)))
    return sorted(values)[rank - 1]


def assert_close(histogram: ExpHistogram, values: list[float]) -> None:
    for q in QUANTILES:
        true, estimate = nearest_rank(values, q), histogram.quantile(float(q))
        assert estimate is not None
        assert abs(estimate - true) <= true * RELATIVE_ERROR * (1 + 1e-9), q


def test_the_bound_is_the_promised_one() -> None:
    assert 0.0108 < RELATIVE_ERROR < 0.01083 + 1e-6


@given(values=SAMPLES, seed=st.integers(0, 2**32), parts=st.integers(1, 9))
def test_any_split_and_any_merge_order_is_one_histogram(
    values: list[float], seed: int, parts: int
) -> None:
    whole = filled(values)
    dice = random.Random(seed)  # noqa: S311 - a shuffle, not a secret
    split: list[list[float]] = [[] for _ in range(parts)]
    for value in values:
        split[dice.randrange(parts)].append(value)
    pieces = [filled(part) for part in split]
    dice.shuffle(pieces)
    left = ExpHistogram.merged(pieces)
    right = ExpHistogram()
    for piece in reversed(pieces):
        piece = piece.copy()
        piece.merge(right)
        right = piece

    assert left == right == whole
    assert left.count == len(values)
    assert (left.min, left.max) == (min(values), max(values))
    assert left.sum == pytest.approx(
        math.fsum(values), rel=1e-9, abs=1e-6 * len(values)
    )
    assert_close(left, values)


def test_five_percent_cold_starts_do_not_move_a_p95_that_is_warm() -> None:
    # The case where t-digest shows 470 ms: the jump sits exactly at the 95th percent.
    warm, cold = [38.0 + i / 1_000 for i in range(950)], [9_000.0] * 50
    histogram = filled(warm + cold)
    assert histogram.quantile(0.95) == pytest.approx(38.949, rel=RELATIVE_ERROR)
    assert histogram.quantile(0.951) == pytest.approx(9_000, rel=RELATIVE_ERROR)


@given(values=SAMPLES)
def test_quantiles_do_not_fall_and_stay_inside(
    values: list[float],
) -> None:
    histogram = filled(values)
    found = [histogram.quantile(float(q)) or 0.0 for q in QUANTILES]
    assert found == sorted(found)
    assert found[0] == min(values)
    assert found[-1] == max(values)


@given(values=SAMPLES, scale=st.integers(0, 8), zeros=st.integers(0, 3))
def test_the_codec_round_trips(values: list[float], scale: int, zeros: int) -> None:
    histogram = filled(values + [0.0] * zeros, scale=scale)
    back = ExpHistogram.decode(histogram.encode())
    assert back == histogram
    assert back.count == histogram.count
    assert back.encode() == histogram.encode()


@pytest.mark.parametrize("scale", [0, 5, 7])
def test_an_empty_histogram_round_trips(scale: int) -> None:
    empty = ExpHistogram(scale=scale)
    assert ExpHistogram.decode(empty.encode()) == empty
    assert empty.quantile(0.95) is None
    assert (empty.min, empty.max, empty.mean, empty.sum) == (None, None, None, 0.0)


def test_a_typical_hour_is_a_few_dozen_bytes() -> None:
    dice = random.Random(7)  # noqa: S311 - data, not a secret
    hour = [round(dice.lognormvariate(3.2, 0.12), 3) for _ in range(60)]
    assert len(filled(hour).encode()) <= 50


@given(data=st.binary(max_size=80))
def test_decoding_anything_gives_a_histogram_or_a_value_error(data: bytes) -> None:
    try:
        histogram = ExpHistogram.decode(data)
    except ValueError:
        return
    assert histogram.count >= 0


@given(values=SAMPLES)
@settings(max_examples=40)
def test_a_cut_encoding_never_passes_for_the_whole(values: list[float]) -> None:
    histogram = filled(values)
    data = histogram.encode()
    for end in range(len(data)):
        try:
            assert ExpHistogram.decode(data[:end]) != histogram
        except ValueError:
            continue


@given(values=SAMPLES, to=st.integers(0, 5))
def test_downscale_is_as_if_it_had_been_filled_coarse(
    values: list[float], to: int
) -> None:
    fine, coarse = filled(values), filled(values, scale=to)
    assert fine.downscale(to) == coarse
    assert fine.scale == 5, "downscale gives a copy"


@given(values=SAMPLES)
def test_downscale_by_one_merges_neighbours_in_pairs(values: list[float]) -> None:
    fine, coarse = filled(values).to_otlp(), filled(values).downscale(4).to_otlp()
    pairs: dict[int, int] = {}
    for step, n in enumerate(fine["positive"]["bucket_counts"]):
        index = (fine["positive"]["offset"] + step) // 2
        pairs[index] = pairs.get(index, 0) + n
    offset = coarse["positive"]["offset"]
    assert {
        offset + step: n for step, n in enumerate(coarse["positive"]["bucket_counts"])
    } == {index: pairs.get(index, 0) for index in range(offset, max(pairs) + 1)}


@given(values=SAMPLES, other=SAMPLES)
def test_merging_two_scales_keeps_the_coarser(
    values: list[float], other: list[float]
) -> None:
    into_fine, into_coarse = filled(values), filled(other, scale=3)
    into_fine.merge(filled(other, scale=3))
    into_coarse.merge(filled(values))
    assert into_fine == into_coarse == filled(values + other, scale=3)


def test_bounds_are_those_of_otlp() -> None:
    # Upper bounds are inside: (1, 2] at scale 0 is bucket 0, and 1 is in bucket -1.
    one = filled([1.0, 2.0, 2.0000001, 4.0], scale=0).to_otlp()
    assert one["positive"] == {"offset": -1, "bucket_counts": [1, 1, 2]}


@given(value=LATENCIES)
def test_a_value_lies_in_its_bucket(value: float) -> None:
    index = filled([value]).to_otlp()["positive"]["offset"]
    base = 2 ** (1 / 32)
    assert base**index * (1 - 1e-12) <= value <= base ** (index + 1) * (1 + 1e-12)


def test_otlp_fields() -> None:
    histogram = filled([0.0, 1.5, 1.5, 3.0])
    assert histogram.to_otlp() == {
        "scale": 5,
        "zero_count": 1,
        "positive": {"offset": 18, "bucket_counts": [2, *[0] * 31, 1]},
        "sum": 6.0,
        "min": 0.0,
        "max": 3.0,
        "count": 4,
    }


@pytest.mark.parametrize("value", [-1.0, -1e-9, math.nan, math.inf, -math.inf])
def test_what_is_no_latency_is_refused(value: float) -> None:
    histogram = ExpHistogram()
    with pytest.raises(ValueError, match="not a latency"):
        histogram.add(value)
    assert histogram == ExpHistogram()


def test_nothing_is_counted_less_than_once() -> None:
    with pytest.raises(ValueError, match="0 times"):
        ExpHistogram().add(1.0, 0)


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_what_is_no_quantile_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="not a quantile"):
        filled([1.0]).quantile(q)


def test_refining_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot refine"):
        ExpHistogram().downscale(6)


@pytest.mark.parametrize("value", [5e-324, 1e-300, 1e15, 1.7e308])
def test_extremes_neither_raise_nor_lose_count(value: float) -> None:
    histogram = filled([value, value, value])
    assert ExpHistogram.decode(histogram.encode()) == histogram
    assert histogram.quantile(0.5) == value


def test_adding_n_is_adding_n_times() -> None:
    many = ExpHistogram()
    many.add(12.5, 7)
    assert many == filled([12.5] * 7)
    assert many.mean == 12.5
