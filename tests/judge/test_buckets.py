"""Counters side by side in one integer: what fits, what is refused, what it weighs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.judge import buckets
from yolotop.judge.histogram import ExpHistogram

RUNS = st.lists(st.integers(0, 2**62), min_size=1, max_size=80).map(
    lambda counts: [1, *counts, 1]
)


@given(counts=RUNS)
def test_lanes_hold_any_counts(counts: list[int]) -> None:
    assert list(buckets.counts_of(buckets.lanes_of(counts))) == counts


@given(counts=RUNS, base=st.integers(-9_000, 9_000))
def test_both_packed_forms_round_trip(counts: list[int], base: int) -> None:
    sparse, plain = bytearray(), bytearray()
    buckets.put_sparse(sparse, base, counts)
    buckets.put_plain(plain, base, counts, 8)
    assert buckets.take_sparse(bytes(sparse), 0) == (base, counts)
    found, taken = buckets.take_plain(bytes(plain), 0)
    assert (found, list(taken)) == (base, counts)


@given(counts=RUNS, base=st.integers(-900, 900), shift=st.integers(1, 5))
def test_coarsening_keeps_every_count_in_its_bucket(
    counts: list[int], base: int, shift: int
) -> None:
    counts = [count % 1_000 for count in counts]
    counts[0] = counts[-1] = 1
    first, lanes = buckets.coarsened(base, buckets.lanes_of(counts), shift)
    wanted: dict[int, int] = {}
    for index, count in enumerate(counts, base):
        if count:
            wanted[index >> shift] = wanted.get(index >> shift, 0) + count
    found = dict(enumerate(buckets.counts_of(lanes), first))
    assert {index: count for index, count in found.items() if count} == wanted


def test_a_full_run_is_plain_and_a_thin_one_sparse() -> None:
    assert buckets.width_of([9] * 100) == 1
    assert buckets.width_of([300] * 100) == 2
    assert buckets.width_of([1, *[0] * 50, 1]) is None


def test_a_counter_never_runs_into_the_next_one() -> None:
    histogram = ExpHistogram()
    histogram.add(1.0, 2**62)
    histogram.add(1.0, 2**62 - 1)
    twin = histogram.copy()
    with pytest.raises(OverflowError, match=r"2\*\*63"):
        histogram.add(1.0)
    with pytest.raises(OverflowError):
        histogram.merge(twin)
    assert histogram == twin
    assert histogram.count == 2**63 - 1


@pytest.mark.parametrize(
    "blob",
    [
        # A gap of 2**40 buckets, a first index of 2**40, a counter of 2**70.
        b"\x05\x00\x02\x04\x04" + b"\x00" + b"\x80\x80\x80\x80\x80\x40",
        b"\x05\x00\x02\x04\x04" + b"\x80\x80\x80\x80\x80\x80\x02",
        b"\x05\x00\x02\x04\x04" + b"\x01" + b"\x80" * 10 + b"\x01",
        # Plain: nothing after the base; half a counter; a first counter of 0.
        b"\x45\x00\x02\x04\x04\x00",
        b"\x45\x00\x02\x04\x04\x01\x01\x00\x01",
        b"\x45\x00\x02\x04\x04\x00\x00\x01",
    ],
)
def test_a_hostile_blob_is_refused_and_takes_no_memory(blob: bytes) -> None:
    with pytest.raises(ValueError, match="histogram"):
        ExpHistogram.decode(blob)
