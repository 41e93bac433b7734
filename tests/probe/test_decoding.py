"""How deep and how much JSON may be, before anything of it is built."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.probe.dialects import BadResponse
from yolotop.probe.dialects.decoding import DEEPEST, MOST_VALUES, check_bounds, decode

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab"\\[]{},:/\n', max_size=9),
    lambda inner: (
        st.lists(inner, max_size=30)
        | st.dictionaries(st.text('a"[{\\', max_size=4), inner, max_size=9)
    ),
    max_leaves=120,
)


@given(VALUES, st.sampled_from([None, 1]))
def test_what_is_within_bounds_is_read_as_it_is(
    value: object, indent: int | None
) -> None:
    assert decode(json.dumps(value, indent=indent).encode()) == value


@pytest.mark.parametrize(
    ("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")]
)
def test_the_deepest_that_is_read(opens: bytes, closes: bytes) -> None:
    levels = opens.count(b"[") + opens.count(b"{")
    most = DEEPEST // levels
    # Beside it, enough brackets that counting alone does not settle it.
    beside = b"[" + b"[]," * 100
    just = beside + opens * (most - 1) + b"1" + closes * (most - 1) + b"]"
    assert isinstance(decode(just), list)
    too_deep = beside + opens * most + b"1" + closes * most + b"]"
    with pytest.raises(BadResponse, match="more than 64 levels"):
        decode(too_deep)


def test_brackets_in_strings_are_not_levels() -> None:
    text = "[" * 5_000 + '\\"' + "{" * 5_000
    assert decode(json.dumps({"label": text, "list": [[], []]}).encode()) == {
        "label": text,
        "list": [[], []],
    }


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"[{" * 50_000 + b"}]" * 50_000,
        b"]" * 100_000 + b"[" * 100_000,
        b'["' + b'\\"' * 500_000 + b"[" * 1000,
        b'"' * 1_000_001,
        b"[}" * 100_000,
        b'"\\',
    ],
)
def test_nonsense_is_refused_in_linear_time(body: bytes) -> None:
    with pytest.raises(BadResponse):
        decode(body)


def test_too_many_values_are_refused_before_they_are_built() -> None:
    body = b"[" + b"[]," * MOST_VALUES + b"[]]"
    tracemalloc.start()
    with pytest.raises(BadResponse, match="more than 1,000,000 values"):
        decode(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(body)
    commas_in_a_string = json.dumps(["," * (MOST_VALUES + 1)]).encode()
    check_bounds(commas_in_a_string)
