"""The packed form of a probe, its messages and the line book."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.model import Health, HealthState, Light, Outcome, Phases, ServerTimes
from yolotop.store.codec import (
    HOLE,
    fill_numbers,
    pack,
    split_numbers,
    stored_ms,
    unpack,
)
from yolotop.store.sqlite.lines import STAMP_EVERY, LineBook, Shape
from yolotop.store.state import decode_state, encode_state

DURATION = st.none() | st.floats(min_value=0, max_value=600_000)
PHASES = st.builds(Phases, *[DURATION] * 6)
SERVER = st.none() | st.builds(ServerTimes, *[DURATION] * 4)
TEXT = st.text().filter(lambda text: HOLE not in text)
SHAPE = Shape(1, "predict", "failed", 40, False, None, "timeout")


def close(stored: float | None, given_ms: float | None, step_ms: float) -> bool:
    if stored is None or given_ms is None:
        return stored is given_ms
    return abs(stored - given_ms) <= step_ms / 2 + 1e-6


@given(
    latency_ms=DURATION,
    phases=PHASES,
    server=SERVER,
    detections=st.none() | st.integers(0, 10_000),
    numbers=st.lists(st.integers(0, 10**15 - 1), max_size=5),
)
def test_a_blob_round_trips(
    latency_ms: float | None,
    phases: Phases,
    server: ServerTimes | None,
    detections: int | None,
    numbers: list[int],
) -> None:
    packed = unpack(
        pack(
            latency_ms=latency_ms,
            phases=phases,
            server=server,
            detections=detections,
            numbers=numbers,
        )
    )
    assert packed.latency_ms == stored_ms(latency_ms)
    assert close(packed.latency_ms, latency_ms, 0.001)
    for name in ("dns", "connect", "tls", "send", "wait", "receive"):
        # Two roundings: to a microsecond, then to ten.
        assert close(getattr(packed.phases, name), getattr(phases, name), 0.011)
    told = server or ServerTimes()
    kept = packed.server or ServerTimes()
    for name in ("preprocess", "inference", "postprocess", "queue"):
        assert close(getattr(kept, name), getattr(told, name), 0.011)
    assert packed.detections == detections
    assert packed.numbers == tuple(numbers)
    assert packed.inline is None


@given(text=st.text(st.characters(codec="utf-8")))
def test_an_inline_message_round_trips(text: str) -> None:
    blob = pack(latency_ms=1.5, phases=Phases(wait=1.2), inline=text)
    assert unpack(blob).inline == text
    assert unpack(blob).latency_ms == 1.5


@pytest.mark.parametrize("bad", [-0.001, math.nan, math.inf, -math.inf])
def test_durations_that_are_none_are_left_out(bad: float) -> None:
    packed = unpack(pack(latency_ms=bad, phases=Phases(wait=bad, dns=1.0)))
    assert packed.latency_ms is None
    assert packed.phases == Phases(dns=1.0)


def test_a_cut_blob_is_refused() -> None:
    blob = pack(latency_ms=20, phases=Phases(dns=1, wait=19), detections=3)
    for end in range(len(blob)):
        with pytest.raises(ValueError, match="too early"):
            unpack(blob[:end])


def test_a_plain_liveness_answer_takes_ten_bytes() -> None:
    phases = Phases(dns=0.04, connect=0.8, send=0.2, wait=3.4, receive=0.1)
    assert len(pack(latency_ms=4.56, phases=phases)) <= 10


@given(message=TEXT | st.from_regex(r"[0-9. a]{0,40}", fullmatch=True))
def test_numbers_leave_a_message_and_come_back(message: str) -> None:
    template, numbers = split_numbers(message)
    assert fill_numbers(template, numbers) == message


def test_the_line_book_cannot_grow_without_bound() -> None:
    book = LineBook()
    for n in range(5_000):
        book.enter(SHAPE, f"request {n} failed", 1)
        book.enter(SHAPE, f"id {chr(97 + n % 26) * (n // 26 + 1)} {n}", 1)
        book.enter(SHAPE, "x" * n, 1)
    assert len(book) <= 32 + 256 + 1


def test_the_line_book_tells_what_is_new_once() -> None:
    book = LineBook()
    first = book.enter(SHAPE, "alive", 1)
    assert book.enter(SHAPE, "alive", 2) == first
    assert [line.id for line in book.fresh] == [first.id]
    book.written()
    other = book.enter(SHAPE._replace(dep=2), "alive", 3)
    assert other.id != first.id
    assert [line.id for line in book.fresh] == [other.id]


def test_a_line_in_use_is_stamped_now_and_then() -> None:
    book = LineBook()
    line = book.enter(SHAPE, "alive", 10)
    book.enter(SHAPE, "alive", 10 + STAMP_EVERY - 1)
    assert book.touched == {}
    book.enter(SHAPE, "alive", 10 + STAMP_EVERY)
    assert book.touched == {line.id: 10 + STAMP_EVERY}


def test_a_book_read_back_goes_on_where_it_was() -> None:
    book = LineBook()
    entries = [book.enter(SHAPE, f"port {n} refused", 1) for n in range(100)]
    again = LineBook(book.fresh)
    assert [again.enter(SHAPE, f"port {n} refused", 2) for n in range(100)] == entries
    assert again.fresh == []


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", '{"health": "odd", "recent": ["?"], "new": 1}']
)
def test_an_unreadable_state_is_unknown(text: str) -> None:
    assert decode_state(text) == HealthState()


def test_a_state_round_trips() -> None:
    state = HealthState(
        Health.UP,
        1.5,
        "fine",
        (Outcome.OK,),
        predict=Light(Health.COLD, cold_since=2.0),
    )
    assert decode_state(encode_state(state)) == state


def test_the_whole_call_is_put_together_again() -> None:
    told = ServerTimes(1.0, 10.0, 2.0, queue=7.0, call=20.0)
    assert unpack(pack(latency_ms=30.0, phases=Phases(), server=told)).server == told
    steps = ServerTimes(1.0, 10.0, 2.0)
    assert unpack(pack(latency_ms=30.0, phases=Phases(), server=steps)).server == steps
