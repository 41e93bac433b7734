"""What a wait was made of, as far as the server says."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.model import Phases, ServerTimes, WaitParts

TIMES = st.none() | st.floats(0, 500)


def test_all_is_told() -> None:
    server = ServerTimes(1.0, 10.0, 2.0, queue=7.0, call=20.0)
    parts = Phases(wait=25.0).split_wait(server)
    assert parts == WaitParts(5.0, 7.0, 1.0, 10.0, 2.0)


def test_steps_without_the_call_leave_a_rest() -> None:
    parts = Phases(wait=25.0).split_wait(ServerTimes(1.0, 10.0, 2.0))
    assert parts == WaitParts(None, None, 1.0, 10.0, 2.0, rest=12.0)


def test_the_call_without_steps_is_not_all_queue() -> None:
    parts = Phases(wait=25.0).split_wait(ServerTimes(call=20.0))
    assert parts == WaitParts(5.0, rest=20.0)


def test_nothing_is_told() -> None:
    assert Phases(wait=25.0).split_wait(None) == WaitParts(rest=25.0)
    assert Phases().split_wait(ServerTimes(1.0, 1.0, 1.0)) is None


def test_a_server_that_claims_more_than_there_was_is_not_believed() -> None:
    assert Phases(wait=5.0).split_wait(ServerTimes(1.0, 10.0, 2.0)) == WaitParts(
        rest=5.0
    )
    claimed = ServerTimes(1.0, 2.0, 1.0, call=9.0)
    assert Phases(wait=5.0).split_wait(claimed) == WaitParts(
        None, None, 1.0, 2.0, 1.0, rest=1.0
    )


@given(st.floats(0, 1000), TIMES, TIMES, TIMES, TIMES)
def test_the_parts_are_the_wait(
    wait: float,
    before: float | None,
    inside: float | None,
    after: float | None,
    call: float | None,
) -> None:
    parts = Phases(wait=wait).split_wait(ServerTimes(before, inside, after, call=call))
    assert parts is not None
    known = [part for part in astuple(parts) if part is not None]
    assert sum(known) == pytest.approx(wait, abs=1e-6)
    assert all(part >= -1e-9 for part in known)
