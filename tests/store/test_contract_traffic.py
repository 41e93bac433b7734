"""What sources counted, kept and found again: of every back end, as tests."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yolotop.model import Deployment, StoreSettings, Timing, Traffic
from yolotop.store.protocol import COARSE_SLOT_S, TRAFFIC_S

if TYPE_CHECKING:
    from tests.store.conftest import Backend, Make
    from yolotop.store.protocol import Writer

T0 = 1_790_000_000.0
DAY = 86_400.0
WHOLE = Traffic(
    deployment="edge",
    source="Triton",
    at=T0,
    span_s=45.123,
    requests=71,
    errors=2,
    latency=Timing(1_234.56, 69),
    queued=Timing(12.34, 69),
    buckets=((5.0, 0.0), (10.0, 60.0), (25.5, 8.0), (math.inf, 1.0)),
    p95_ms=24.5,
    waiting=3,
    cpu=0.4321,
    memory=0.25,
    instances=2.5,
)


def minute(number: int, name: str = "edge", **changed: float) -> Traffic:
    row = Traffic(name, "Triton", T0 + 60 * number, 60.0, float(number), 0.0)
    return replace(row, **changed)  # type: ignore[arg-type]


async def test_there_is_none_before_any(backend: Backend) -> None:
    reader = await backend.reader()
    assert await reader.traffic("edge", 0, math.inf, width_s=TRAFFIC_S) == []
    assert await reader.traffic_newest() == []


@pytest.mark.parametrize(
    "row",
    [
        WHOLE,
        Traffic("edge", "Ultralytics Platform", T0, 60.0),
        replace(WHOLE, requests=0, errors=0, latency=None, buckets=(), cpu=0.0),
        replace(WHOLE, width_s=COARSE_SLOT_S, span_s=3_600.0, requests=1e9),
    ],
)
async def test_it_reads_back(backend: Backend, row: Traffic) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    await writer.append([], [], {}, [row])
    found = await reader.traffic("edge", 0, math.inf, width_s=row.width_s)
    assert found == [row]
    other = COARSE_SLOT_S if row.width_s == TRAFFIC_S else TRAFFIC_S
    assert await reader.traffic("edge", 0, math.inf, width_s=other) == []


FIGURE = st.none() | st.floats(0, 1e9) | st.sampled_from([math.nan, math.inf, -1.0])


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    requests=FIGURE,
    sum_ms=FIGURE,
    cpu=FIGURE,
    cells=st.lists(st.tuples(st.floats(0.001, 1e7), st.floats(0, 1e7)), max_size=5),
)
async def test_whatever_a_source_says_does_no_harm(
    backend: Backend,
    requests: float | None,
    sum_ms: float | None,
    cpu: float | None,
    cells: list[tuple[float, float]],
) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    timing = None if sum_ms is None else Timing(sum_ms, 5)
    row = replace(
        WHOLE, requests=requests, latency=timing, cpu=cpu, buckets=tuple(cells)
    )
    await writer.append([], [], {}, [row])
    [found] = await reader.traffic("edge", 0, math.inf, width_s=TRAFFIC_S)
    for said, kept in ((requests, found.requests), (cpu, found.cpu)):
        if said is None or not 0 <= said < math.inf:
            assert kept is None
        else:
            assert kept == pytest.approx(said, abs=0.006)
    for (bound, count), (bound_kept, count_kept) in zip(
        cells, found.buckets, strict=True
    ):
        assert bound_kept == pytest.approx(bound, abs=0.01)
        assert count_kept == pytest.approx(count, abs=0.5)
    await writer.close()
    await reader.close()


async def test_the_open_minute_is_rewritten(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    for requests in (5, 9, 14):
        version = await reader.data_version()
        await writer.append([], [], {}, [minute(0, requests=requests)])
        assert await reader.data_version() != version
    [found] = await reader.traffic("edge", 0, math.inf, width_s=TRAFFIC_S)
    assert found.requests == 14


async def test_rows_of_a_time_are_those_that_reach_into_it(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    rows = [minute(number) for number in range(100)]
    await writer.append([], [], {}, [*rows, minute(3, "other")])

    async def asked(since: float, until: float) -> list[float | None]:
        found = await reader.traffic("edge", since, until, width_s=TRAFFIC_S)
        return [row.requests for row in found]

    assert await asked(T0 + 600, T0 + 780) == [10, 11, 12]
    assert await asked(T0 + 601, T0 + 781) == [10, 11, 12, 13]
    assert await asked(T0 + 5_990, math.inf) == [99]
    assert await asked(T0 + 6_000, math.inf) == []
    assert await asked(-math.inf, T0) == []
    assert await asked(-math.inf, math.inf) == [float(i) for i in range(100)]


async def test_the_newest_of_each_that_is_registered(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    both = [Deployment("edge", "http://edge"), Deployment("other", "http://other")]
    await writer.register(both, T0)
    hour = minute(50, width_s=COARSE_SLOT_S)
    rows = [minute(2), minute(9), minute(4), minute(1, "other"), hour]
    await writer.append([], [], {}, [*rows, minute(5, "gone")])
    found = {row.deployment: row for row in await reader.traffic_newest()}
    assert found == {"edge": minute(9), "other": minute(1, "other")}


async def test_a_removed_deployment_keeps_its_own(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    await writer.register([Deployment("edge", "http://edge")], T0)
    await writer.append([], [], {}, [minute(0)])
    await writer.register([], T0 + 60)
    assert await reader.traffic_newest() == []
    assert await reader.traffic("edge", 0, math.inf, width_s=TRAFFIC_S) == [minute(0)]


# --- what is gone --------------------------------------------------------------------


async def sweep_all(writer: Writer, now: float) -> int:
    total = 0
    while count := await writer.sweep(now):
        total += count
    return total


async def test_minutes_go_after_a_day_and_hours_stay(backend: Backend) -> None:
    writer, reader = await backend.writer(), await backend.reader()
    kept = 6 * 24
    rows = [
        replace(minute(0, name), at=T0 + hour * 600, width_s=width_s)
        for hour in range(kept)
        for name in ("edge", "other")
        for width_s in (TRAFFIC_S, COARSE_SLOT_S)
    ]
    await writer.append([], [], {}, rows)
    now = T0 + DAY + 3_600 + kept * 300
    assert await sweep_all(writer, now) == kept
    for name in ("edge", "other"):
        minutes = await reader.traffic(name, 0, math.inf, width_s=TRAFFIC_S)
        assert [row.at for row in minutes] == [
            T0 + number * 600 for number in range(kept // 2, kept)
        ]
        hours = await reader.traffic(name, 0, math.inf, width_s=COARSE_SLOT_S)
        assert len(hours) == kept
    await sweep_all(writer, T0 + 402 * DAY)
    assert await reader.traffic("edge", 0, math.inf, width_s=COARSE_SLOT_S) == []


async def test_a_file_that_is_too_large_loses_minutes_before_slots(
    backend: Backend, make: Make
) -> None:
    small = StoreSettings(max_bytes=1)
    writer, reader = await backend.writer(settings=small), await backend.reader()
    day = [minute(number) for number in range(2 * 1_440)]
    await writer.append([make(at=T0)], [], {}, day)
    assert len(await reader.slots(0, width_s=300)) == 1
    assert await writer.sweep(T0 + 2 * DAY) == 1_440
    assert len(await reader.slots(0, width_s=300)) == 1
    found = await reader.traffic("edge", 0, math.inf, width_s=TRAFFIC_S)
    assert found == day[1_440:]
