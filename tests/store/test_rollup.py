"""Rollups are what raw probes sum up to, for any samples in any batches."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yolotop.judge.histogram import ExpHistogram
from yolotop.model import (
    Answer,
    Outcome,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.open import open_reader, open_writer
from yolotop.store.protocol import Slot, StoredProbe

T0 = 1_790_000_000.0
SAMPLE = st.builds(
    lambda name, kind, outcome, cold, offset, latency: Sample(
        Answer(name, kind, T0 + offset, latency_ms=latency),
        Verdict(outcome, Severity.INFO, outcome.value, cold=cold),
    ),
    st.sampled_from(["a", "b"]),
    st.sampled_from(ProbeKind),
    st.sampled_from(Outcome),
    st.booleans(),
    # Five hours back and forth, at the edges of slots too.
    st.floats(-9_000, 9_000) | st.sampled_from([-80.0, -80.0004, 100.0, 99.9996]),
    st.none() | st.floats(0, 60_000),
)


def recount(probes: list[StoredProbe], width_s: int) -> dict[tuple[str, float], Slot]:
    groups: dict[tuple[str, float], list[StoredProbe]] = defaultdict(list)
    for probe in probes:
        groups[probe.deployment, probe.at // width_s * width_s].append(probe)
    found = {}
    for (name, start_at), group in groups.items():
        predict = [p for p in group if p.kind is ProbeKind.PREDICT]
        health = [p for p in group if p.kind is ProbeKind.HEALTH]
        cold = [p for p in predict if p.cold or p.outcome is Outcome.COLD]
        histogram = ExpHistogram()
        for probe in predict:
            warm = probe not in cold and probe.outcome is not Outcome.FAILED
            if warm and probe.latency_ms is not None:
                histogram.add(probe.latency_ms)
        found[name, start_at] = Slot(
            deployment=name,
            start_at=start_at,
            width_s=width_s,
            requests=len(predict),
            failed=sum(p.outcome.is_error for p in predict),
            cold=len(cold),
            health=len(health),
            health_failed=sum(p.outcome.is_error for p in health),
            histogram=histogram,
            last_seq=max(p.seq for p in group),
        )
    return found


@given(
    batches=st.lists(st.lists(SAMPLE, max_size=12), max_size=5), reopen=st.booleans()
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_rollups_equal_a_recount_of_the_raw_rows(
    batches: list[list[Sample]], reopen: bool
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = Path(scratch)
        writer, reader = await open_writer(data_dir), await open_reader(data_dir)
        for batch in batches:
            await writer.append(batch, [], {})
            if reopen:
                await writer.close()
                writer = await open_writer(data_dir)
        probes = await reader.probes_after(0, limit=9_999)
        slots = {w: await reader.slots(0, width_s=w) for w in (300, 3600)}
        await reader.close()
        await writer.close()
    assert len(probes) == sum(map(len, batches))
    for width_s, found in slots.items():
        assert {(s.deployment, s.start_at): s for s in found} == recount(
            probes, width_s
        )
