"""Tensors on the wire: out as pixels, in as numbers, and nothing of a liar's sizes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import time
import tracemalloc
from array import array
from collections.abc import Sequence
from math import prod

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yolotop.model import Deployment, Phases
from yolotop.model.preset import Tensor
from yolotop.probe.dialects import BadResponse, inference, tensors
from yolotop.probe.dialects.inference import MOST_NUMBERS, Output
from yolotop.probe.dialects.oip import OpenInference
from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.frames import synthetic
from yolotop.probe.messages import Reply

FORMATS = {
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
    "INT8": "b",
    "UINT8": "B",
    "INT16": "h",
    "UINT16": "H",
    "INT32": "i",
    "UINT32": "I",
    "INT64": "q",
    "UINT64": "Q",
}
LENGTH = b"inference-header-content-length"
shapes = st.lists(st.integers(0, 5), min_size=1, max_size=4)


def reply(body: bytes, *headers: tuple[bytes, bytes]) -> Reply:
    return Reply(200, b"OK", b"1.1", headers, body, Phases(), 1.0, None)


def told(outputs: object, raw: bytes | None = None, length: object = None) -> Reply:
    head = json.dumps({"model_name": "m", "outputs": outputs}).encode()
    if raw is None:
        return reply(head)
    length = len(head) if length is None else length
    return reply(head + raw, (LENGTH, str(length).encode()))


def output(
    shape: object, datatype: object = "FP32", *, size: object = None, **more: object
) -> dict[str, object]:
    found = {"name": "o", "datatype": datatype, "shape": shape, **more}
    if size is not None:
        found["parameters"] = {"binary_data_size": size}
    return found


def floats(answer: Reply) -> array[float]:
    return inference.inference(answer).output("o").floats()


# --- out -----------------------------------------------------------------------------


@given(st.binary(max_size=400))
@example(bytes(range(256)))
def test_pixels_are_what_they_are_divided_by_255(pixels: bytes) -> None:
    exact = [value / 255 for value in pixels]
    count = len(pixels)
    single = struct.unpack(f"<{count}f", tensors.binary(pixels, "FP32"))
    assert single == struct.unpack(f"{count}f", struct.pack(f"{count}f", *exact))
    half = struct.unpack(f"<{count}e", tensors.binary(pixels, "FP16"))
    assert half == pytest.approx(exact, abs=2**-11)
    assert tensors.binary(pixels, "UINT8") == pixels
    rounded = json.loads(b"[" + tensors.written(pixels, "FP32") + b"]")
    assert rounded == [round(value, 3) for value in exact]
    whole = json.loads(b"[" + tensors.written(pixels, "UINT8") + b"]")
    assert whole == list(pixels)


@given(st.text(max_size=20), st.text(max_size=20), st.binary(min_size=1, max_size=9))
def test_no_name_can_move_the_data(name: str, out: str, pixels: bytes) -> None:
    head = tensors.head(name, [len(pixels)], "UINT8", out, size=None)
    body = tensors.with_data(head, tensors.written(pixels, "UINT8"))
    sent = json.loads(body)
    assert sent["inputs"][0] == {
        "name": name,
        "shape": [len(pixels)],
        "datatype": "UINT8",
        "data": list(pixels),
    }
    assert sent["outputs"] == [{"name": out}]
    assert sent["id"]


def test_a_datatype_that_no_image_has_is_said_before_anything_is_sent() -> None:
    asked = Deployment("d", "http://h", model="m", tensor=Tensor(datatype="INT64"))
    with pytest.raises(UnsendableRequest, match=r"tensor\.datatype can be FP32"):
        OpenInference().predict_request(asked, synthetic(0))


# --- in ------------------------------------------------------------------------------


@st.composite
def arrays(draw: st.DrawFn) -> tuple[str, list[int], Sequence[float]]:
    datatype = draw(st.sampled_from(sorted(FORMATS)))
    shape = draw(shapes)
    code = FORMATS[datatype]
    if code in "efd":
        # What FP64 holds is read as FP32 in the end.
        one: st.SearchStrategy[float] = st.floats(
            allow_nan=False, allow_infinity=False, width=16 if code == "e" else 32
        )
    else:
        bits = struct.calcsize(f"<{code}") * 8
        low, high = (0, 2**bits - 1) if code.isupper() else (-(2 ** (bits - 1)), 0)
        one = st.integers(low, high)
    count = prod(shape)
    return datatype, shape, draw(st.lists(one, min_size=count, max_size=count))


def as_single(values: Sequence[float]) -> list[float]:
    return list(array("f", values))


@given(arrays(), st.integers(0, 3))
def test_numbers_come_back_as_they_were_sent(
    one: tuple[str, list[int], Sequence[float]], others: int
) -> None:
    datatype, shape, values = one
    raw = struct.pack(f"<{len(values)}{FORMATS[datatype]}", *values)
    # Before and behind it, outputs in bytes and in JSON that nobody wants.
    before = [
        {**output([3], "UINT8", size=3), "name": f"b{number}"}
        for number in range(others)
    ]
    behind = [{**output([1], data=[0.5]), "name": "j"}]
    body = b"abc" * others + raw
    answer = told([*before, output(shape, datatype, size=len(raw)), *behind], body)
    assert list(floats(answer)) == as_single(values)
    assert list(floats(told([output(shape, datatype, data=values)]))) == as_single(
        values
    )


@given(st.lists(st.floats(-9, 9, width=16), min_size=24, max_size=24))
def test_nested_is_flat(values: list[float]) -> None:
    nested = [[values[0:6], values[6:12]], [values[12:18], values[18:24]]]
    assert list(floats(told([output([2, 2, 6], data=nested)]))) == values


# Lists long enough to be read piece by piece are read like all others.
long_lists = st.tuples(
    st.lists(
        st.sampled_from([0, 1, -1.5, 2e-3, 123456.75, 3e5]), min_size=1, max_size=9
    ),
    st.integers(3_000, 20_000),
    st.sampled_from([None, 0, 1]),
)


@settings(deadline=None, max_examples=30)
@given(long_lists)
def test_long_lists_are_read_like_short_ones(
    one: tuple[list[float], int, int | None],
) -> None:
    some, times, indent = one
    values = some * times
    whole = json.dumps(
        {
            "id": 'an "data":[1,2] and \\"data":[' + "1," * 9,
            "outputs": [output([len(values)], data=values)],
        },
        indent=indent,
    ).encode()
    assert list(floats(reply(whole))) == as_single(values)


LONG = ",".join(["0.5"] * 9_000)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'{{"outputs":[{{"data":[{LONG},]}}]}}', "not JSON"),
        (f'{{"outputs":[{{"data":[,{LONG}]}}]}}', "not JSON"),
        (f'{{"outputs":[{{"data":[{LONG},,1]}}]}}', "not JSON"),
        (f'{{"outputs":[{{"data":[{LONG},01]}}]}}', "not JSON"),
        (f'{{"outputs":[{{"data":[{LONG},1_0]}}]}}', "not JSON"),
        (f'{{"outputs":[{{"data":[{LONG},NaN]}}]}}', "NaN"),
        (f'{{"outputs":[{{"data":[{LONG},null]}}]}}', "no numbers"),
        (f'{{"outputs":[{{"data":[{LONG}', "not JSON"),
        (f'{{"outputs":[{{"data":[{LONG}]', "not JSON"),
        (f'["outputs","data":[{LONG}]]', "not JSON"),
        (f'{{"a"data":[{LONG}],"outputs":[]}}', "not JSON"),
    ],
)
def test_nonsense_is_no_better_for_being_long(text: str, says: str) -> None:
    with pytest.raises(BadResponse, match=says):
        floats(reply(text.encode()))


BAD = {
    "no JSON": (reply(b"<html>"), "HTML"),
    "nothing": (reply(b""), "empty"),
    "a list": (reply(b"[]"), "not an object"),
    "an error": (reply(b'{"error":"no memory"}'), "an error: no memory"),
    "no outputs": (reply(b'{"id":"1"}'), "no list of outputs"),
    "empty outputs": (told([]), "no output"),
    "outputs of numbers": (told([1]), "output 1 of the answer is not an object"),
    "another output": (
        told([output([1], data=[1]) | {"name": n} for n in "ab"]),
        'no output "o" but a, b: set tensor.output',
    ),
    "no shape": (told([output(None, data=[1])]), "no shape"),
    "a negative side": (told([output([1, -1], data=[1])]), "none that is possible"),
    "a side of text": (told([output(["1"], data=[1])]), "no shape"),
    "true as a side": (told([output([True], data=[1])]), "no shape"),
    "nine sides": (told([output([1] * 9, data=[1])]), "no shape"),
    "a huge side": (told([output([10**30], data=[1])]), "no shape"),
    "too many": (told([output([4000, 4000], data=[1])]), "8,000,000 numbers"),
    "too few values": (told([output([2, 3], data=[1.0] * 5)]), "holds 5 values"),
    "too many values": (told([output([2, 3], data=[1.0] * 7)]), "holds 7 values"),
    "no data": (told([output([1])]), "no list of values"),
    "data of text": (told([output([1], data="list 0")]), "no list of values"),
    "texts": (told([output([1], data=["a"])]), "no numbers"),
    "nulls": (told([output([2], data=[1.0, None])]), "no numbers"),
    "half nested": (told([output([3], data=[[1.0], 2.0, 3.0])]), "side by side"),
    "objects": (told([output([1], data=[{}])]), "no numbers"),
    "a huge integer": (told([output([1], data=[10**400])]), "no numbers|finite"),
    "an infinity": (
        reply(b'{"outputs":[{"shape":[1],"datatype":"FP32","data":[1e999]}]}'),
        "finite",
    ),
    "NaN": (reply(b'{"outputs":[{"data":[NaN]}]}'), "NaN"),
    "an unknown datatype": (told([output([1], "FP8", data=[1])]), '"FP8"'),
    "no datatype": (told([output([1], None, data=[1])]), "not of numbers"),
    "NaN in bytes": (
        told([output([2], size=8)], struct.pack("<2f", 1.0, float("nan"))),
        "finite",
    ),
    "-NaN in bytes": (told([output([1], size=4)], b"\xff\xff\xff\xff"), "finite"),
    "infinities in bytes": (
        told([output([2], size=8)], struct.pack("<2f", float("inf"), -float("inf"))),
        "finite",
    ),
    "NaN in halves": (
        told([output([1], "FP16", size=2)], struct.pack("<e", float("nan"))),
        "finite",
    ),
    "FP64 beyond FP32": (
        told([output([1], "FP64", size=8)], struct.pack("<d", 1e300)),
        "finite",
    ),
    "too few bytes": (told([output([2], size=8)], b"\0" * 7), "size of its bytes"),
    "too many bytes": (told([output([2], size=8)], b"\0" * 9), "1 bytes follow"),
    "bytes of no shape": (told([output([3], size=8)], b"\0" * 8), "12 bytes, but 8"),
    "a negative size": (told([output([1], size=-4)], b"\0" * 4), "size of its bytes"),
    "a size of text": (told([output([1], size="4")], b"\0" * 4), "size of its bytes"),
    "a huge size": (told([output([1], size=10**20)], b"\0"), "size of its bytes"),
    "a length beyond": (told([], b"", 10**6), "of a body of"),
    "a negative length": (told([], b"", -1), "no number"),
    "a length of text": (told([], b"", "0x10"), "no number"),
    "a length of digits": (told([], b"", "9" * 5000), "no number"),
    "a length too short": (told([output([1], data=[1])], b"", 5), "not JSON"),
    "a length of nothing": (told([output([1], data=[1])], b"", 0), "empty"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_add_up_is_refused(case: str) -> None:
    answer, says = BAD[case]
    with pytest.raises(BadResponse, match=says):
        floats(answer)


texts = {
    "numbers": told([output([1], "BYTES", data=[1])]),
    "nothing": told([output([0], "BYTES", data=[])]),
    "short": told([output([1], "BYTES", size=2)], b"ab"),
    "a lying length": told([output([1], "BYTES", size=6)], b"\xff\0\0\0ab"),
}


@pytest.mark.parametrize("case", texts)
def test_a_text_that_is_none(case: str) -> None:
    with pytest.raises(BadResponse, match="no text"):
        inference.inference(texts[case]).output("o").text()


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["FP32", "BYTES", "o", "list 0"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["name", "shape", "datatype", "data", "parameters", "binary_data_size"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(junk, st.binary(max_size=12), st.none() | st.integers(-5, 200) | st.text())
@settings(deadline=None)
def test_nothing_but_bad_response_comes_of_junk(
    outputs: object, raw: bytes, length: object
) -> None:
    text = json.dumps({"model_name": outputs, "outputs": outputs}).encode()
    length = len(text) if length is None else length
    headers = (LENGTH, str(length).encode("utf-8", "replace"))
    for answer in (reply(text), reply(text + raw, headers)):
        with contextlib.suppress(BadResponse):
            OpenInference().read_predict(answer, Deployment("d", "http://h"), FRAME)


FRAME = synthetic(0)


def test_a_claim_costs_nothing() -> None:
    liar = told([output([1, 1000, 8000], data=[1.0])])
    tracemalloc.start()
    with pytest.raises(BadResponse):
        floats(liar)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000


def test_more_numbers_than_any_output_has_are_not_kept() -> None:
    body = b'{"outputs":[{"data":[' + b"0," * (MOST_NUMBERS + 20_000) + b"0]}]}"
    tracemalloc.start()
    with pytest.raises(BadResponse, match="8,000,000 numbers"):
        floats(reply(body))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # As FP32 and not as objects, of which each takes 32 bytes.
    assert peak < 3 * 4 * MOST_NUMBERS


def test_the_only_output_is_taken_whatever_its_name() -> None:
    answer = told([output([1], data=[2.5]) | {"name": "output_0"}])
    assert list(floats(answer)) == [2.5]
    assert isinstance(inference.inference(answer).output("x"), Output)


async def test_others_go_on_while_ten_megabytes_are_read() -> None:
    """In one piece, the parser would hold every other probe up for its whole time."""
    values = [index / 1000 for index in range(705_600)]
    body = json.dumps(
        {"outputs": [output([1, 84, 8400], data=values)]}, separators=(",", ":")
    ).encode()
    began = turned = time.perf_counter()
    reading = asyncio.create_task(asyncio.to_thread(floats, reply(body)))
    longest = 0.0
    while not reading.done():
        await asyncio.sleep(0)
        longest = max(longest, time.perf_counter() - turned)
        turned = time.perf_counter()
    assert len(await reading) == 705_600
    # In pieces some 5 %, in one piece 80.
    assert longest < (turned - began) / 3
