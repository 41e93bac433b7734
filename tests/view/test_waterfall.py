"""Where the time goes: which answers are averaged, and that parts add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.model import Outcome, Phases, ProbeKind, ServerTimes, Severity
from yolotop.store.protocol import StoredProbe
from yolotop.view.waterfall import PARTS, parts_of, waterfall

TIMES = st.none() | st.floats(0, 500)


def probe(
    latency_ms: float,
    *,
    outcome: Outcome = Outcome.OK,
    cold: bool = False,
    phases: Phases | None = None,
    server: ServerTimes | None = None,
) -> StoredProbe:
    return StoredProbe(
        seq=1,
        at=latency_ms,
        deployment="dock",
        kind=ProbeKind.PREDICT,
        outcome=outcome,
        severity=Severity.INFO,
        message="",
        cold=cold,
        latency_ms=latency_ms,
        phases=phases
        or Phases(dns=0.0, connect=0.0, send=0.0, wait=latency_ms, receive=0.0),
        server=server,
    )


def test_answers_around_the_percentile_are_averaged() -> None:
    found = waterfall(probe(float(latency)) for latency in range(1, 201))
    assert found is not None
    assert (found.p50.n, found.p95.n) == (21, 11)
    assert found.p50.total_ms == pytest.approx(100)
    assert found.p95.total_ms == pytest.approx(190)
    assert (found.service_p50_ms, found.service_p95_ms) == (100, 190)


@pytest.mark.parametrize("number", [1, 2, 3, 9])
def test_a_few_answers_have_both(number: int) -> None:
    found = waterfall(probe(float(latency)) for latency in range(1, number + 1))
    assert found is not None
    assert found.p50.n >= 1
    assert found.p95.total_ms == number


def test_cold_failed_and_unfinished_answers_are_left_out() -> None:
    left_out = [
        probe(9_000, cold=True),
        probe(9_000, outcome=Outcome.FAILED),
        probe(9_000, outcome=Outcome.COLD),
        probe(9_000, phases=Phases(dns=1.0)),
    ]
    assert waterfall(left_out) is None
    found = waterfall([*left_out, probe(10), probe(12, outcome=Outcome.WRONG)])
    assert found is not None
    assert found.samples == 2


@given(TIMES, st.floats(0, 500), TIMES, TIMES, TIMES)
def test_the_parts_add_up_to_the_phases(
    dns: float | None,
    wait: float,
    inference: float | None,
    call: float | None,
    receive: float | None,
) -> None:
    phases = Phases(dns=dns, wait=wait, receive=receive)
    parts = parts_of(phases, ServerTimes(1.0, inference, 1.0, call=call))
    assert set(parts) == set(PARTS)
    told = sum(value for value in parts.values() if value is not None)
    assert told == pytest.approx((dns or 0) + wait + (receive or 0), abs=1e-6)
