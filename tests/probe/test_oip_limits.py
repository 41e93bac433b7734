"""Answers of tensors may be large, and are bounded all the same."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable

import pytest

from yolotop.model import Answer, Deployment, ErrorKind, ProbeKind
from yolotop.model.preset import Encoding, Liveness, Preset, Question, Tensor
from yolotop.probe.prober import Prober

Script = Callable[..., Awaitable[int]]

OIP = Preset(
    "oip",
    "oip",
    liveness=Liveness(path="/v2/models/{model}/ready"),
    question=Question(path="/v2/models/{model}/infer", encoding=Encoding.RAW),
)
OK = b"HTTP/1.1 200 OK\r\n"
HEAD = b'{"outputs":[{"name":"output0","datatype":"FP32","shape":[1,84,8400],"data":['
NONE_SEEN = HEAD + b",".join([b"0.0000000001"] * 705_600) + b"]}]}"
MIB = 2**20


def whole(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(line + b"\r\n" for line in headers)
    return OK + lines + b"content-length: %d\r\n\r\n" % len(body) + body


async def ask(
    port: int, kind: ProbeKind = ProbeKind.PREDICT, preset: Preset = OIP
) -> Answer:
    prober = Prober(secret=str)
    url = f"http://127.0.0.1:{port}"
    tensor = Tensor(shape=(1, 3, 64, 64))
    asked = Deployment("d", url, preset=preset, model="m", tensor=tensor)
    try:
        return await prober.probe(asked, kind)
    finally:
        await prober.aclose()


@pytest.mark.parametrize("packed", [False, True])
async def test_nine_megabytes_of_numbers_are_read(
    script: Script, *, packed: bool
) -> None:
    assert len(NONE_SEEN) > 8 * MIB
    answer = (
        whole(gzip.compress(NONE_SEEN, 1), b"content-encoding: gzip")
        if packed
        else whole(NONE_SEEN)
    )
    got = await ask(await script(answer))
    assert got.error is None, got.error
    assert got.prediction is not None
    assert got.prediction.detections == ()


async def test_what_is_larger_still_is_not(script: Script) -> None:
    body = b" " * (32 * MIB + 1)
    bomb = gzip.compress(body, 9)
    assert len(bomb) < 64 * 1024
    for answer, says in (
        (OK + b"content-length: %d\r\n\r\n" % len(body), "more than 32 MiB"),
        (whole(bomb, b"content-encoding: gzip"), "unpacks to more than 32 MiB"),
    ):
        got = await ask(await script(answer, end="stall"))
        assert got.error is not None
        assert got.error.kind is ErrorKind.BODY_TOO_LARGE
        assert says in got.error.message


async def test_only_the_answers_of_tensors_may_be_so_large(script: Script) -> None:
    answer = OK + b"content-length: %d\r\n\r\n" % (9 * MIB)
    for kind, preset in (
        (ProbeKind.HEALTH, OIP),
        (ProbeKind.PREDICT, Preset()),
    ):
        got = await ask(await script(answer, end="stall"), kind, preset)
        assert got.error is not None
        assert "more than 8 MiB" in got.error.message


async def test_lists_without_end_are_refused(script: Script) -> None:
    """3 million empty lists would be 200 MB; it is seen before one of them is."""
    body = HEAD + b"[]," * 3_000_000 + b"[]]}]}"
    got = await ask(await script(whole(body)))
    assert got.error is not None
    assert got.error.kind is ErrorKind.BAD_RESPONSE
    assert "more than 1,000,000 values" in got.error.message


async def test_a_refusal_of_a_megabyte_is_cut(script: Script) -> None:
    """MLServer sends its traceback: 913,736 bytes of text."""
    body = b"Traceback\n" + b'  File "x.py", line 1\n' * 41_000 + b"ValueError: no"
    head = b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain\r\n"
    got = await ask(
        await script(head + b"content-length: %d\r\n\r\n" % len(body) + body)
    )
    assert got.error is not None
    assert got.error.kind is ErrorKind.HANDLER_ERROR
    assert len(got.body_head) <= 2_048


async def test_an_end_in_the_middle_of_the_numbers(script: Script) -> None:
    got = await asyncio.wait_for(
        ask(await script(whole(NONE_SEEN)[: 5 * MIB])), timeout=30
    )
    assert got.error is not None
    text = NONE_SEEN[: 5 * MIB]
    with pytest.raises(ValueError, match=r"delimiter|value"):
        json.loads(text)
    cut = await ask(await script(whole(text)))
    assert cut.error is not None
    assert cut.error.kind is ErrorKind.BAD_RESPONSE
    assert "not JSON" in cut.error.message
