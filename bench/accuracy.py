"""Row: how much the recorded latency differs from what a bare socket sees.

32 deployments are registered whose slots fall on the same instant of every second, so
the real collector has 32 probes in flight at once; 68 more are asked in between. A
terminal draws all 100 cards meanwhile. A raw socket and httpx send waves of 32 of the
same size to the same server in other parts of the same seconds, over the same span of
milliseconds that the collector takes to begin its 32.

Owns this row. It must not know how the others are measured.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.endpoint import endpoint
from bench.figures import Progress, Row, Setup, median, percentile
from bench.monitor import (
    Asked,
    collector,
    image,
    terminal,
    write_config,
)
from bench.waves import Waves
from yolotop.collect.schedule import spread
from yolotop.model import ProbeKind
from yolotop.store.open import open_reader
from yolotop.store.protocol import StoredProbe

IN_FLIGHT: Final = 32
CARDS: Final = 100
DELAY_MS: Final = 20.0
OURS_AT: Final = 0.2
RAW_AT: Final = 0.5
HTTPX_AT: Final = 0.75
WITHIN_S: Final = 0.0003
"""All 32 are due within this time: nobody has 32 in flight more suddenly."""
WARM_UP_S: Final = 12


def same_instant(
    count: int, *, at: float = OURS_AT, within: float = WITHIN_S
) -> list[str]:
    """Names whose slots of a 1 s interval lie ``at`` this fraction of the second."""
    names: list[str] = []
    number = 0
    while len(names) < count:
        name = f"wave-{number}"
        if 0 <= spread(name, ProbeKind.PREDICT) - at < within:
            names.append(name)
        number += 1
    return names


def measure(setup: Setup, progress: Progress) -> Row:
    """Run it; about 70 s."""
    waves = setup.pick(60, 12)
    names = same_instant(IN_FLIGHT)
    others = [f"card-{number}" for number in range(CARDS - IN_FLIGHT)]
    asked = [Asked(name, "1s") for name in names] + [Asked(name) for name in others]
    folder = setup.work / "accuracy"
    folder.mkdir()
    data_dir = folder / "data"
    with endpoint(delay_ms=DELAY_MS) as server:
        config = write_config(folder, server.url, asked, picture=image(setup.work))
        with (
            collector(config, data_dir),
            terminal(config, data_dir) as screen,
        ):
            time.sleep(WARM_UP_S)
            since = time.time()
            # The server serves one after the other, so how suddenly 32 requests come
            # decides how long they take: the peers' come as suddenly as ours.
            recent = asyncio.run(_recorded(data_dir, set(names), since - 6, since))
            span_s = median([max(wave) for wave in _behind(recent)]) / 1000
            painted = screen.bytes_seen
            peers = {
                how: Waves(
                    how,
                    server.port,
                    waves=waves,
                    count=IN_FLIGHT,
                    fraction=fraction,
                    within=span_s,
                )
                for how, fraction in (("raw", RAW_AT), ("httpx", HTTPX_AT))
            }
            for second in range(waves):
                time.sleep(1)
                progress(second / waves)
            found = {how: peer.found().latencies_ms for how, peer in peers.items()}
            painted = screen.bytes_seen - painted
            until = time.time()
        ours = asyncio.run(_recorded(data_dir, set(names), since, until))
    return _row(span_s, ours, found["raw"], found["httpx"], painted / waves)


async def _recorded(
    data_dir: Path, names: set[str], since: float, until: float
) -> list[StoredProbe]:
    reader = await open_reader(data_dir)
    try:
        probes = await reader.probes_since(since, limit=1_000_000)
    finally:
        await reader.close()
    return [
        probe
        for probe in probes
        if probe.deployment in names
        and probe.kind is ProbeKind.PREDICT
        and probe.at < until
    ]


def _behind(probes: Sequence[StoredProbe]) -> list[list[float]]:
    """Wave by wave, the milliseconds by which each probe began after the first.

    Waiting to begin is no part of a latency; here is what it was.
    """
    waves: defaultdict[int, list[float]] = defaultdict(list)
    if probes:
        begin = min(probe.at for probe in probes)
        for probe in probes:
            waves[round(probe.at - begin)].append(probe.at)
    return [[(at - min(wave)) * 1000 for at in wave] for wave in waves.values()]


def _most_in_flight(probes: Sequence[StoredProbe]) -> int:
    changes = []
    for probe in probes:
        changes += [(probe.at, 1), (probe.at + (probe.latency_ms or 0) / 1000, -1)]
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


def _row(
    span_s: float,
    probes: list[StoredProbe],
    raw: list[float],
    httpx: list[float],
    painted: float,
) -> Row:
    ours = [probe.latency_ms for probe in probes if probe.latency_ms is not None]
    figures = {
        f"{who}_p{round(share * 100)}_ms": percentile(values, share)
        for who, values in (("ours", ours), ("raw", raw), ("httpx", httpx))
        for share in (0.5, 0.95, 0.99)
    }
    figures |= {
        "ours_n": float(len(ours)),
        "raw_n": float(len(raw)),
        "ours_behind_p95_ms": percentile(
            [behind for wave in _behind(probes) for behind in wave], 0.95
        ),
        "raw_span_ms": span_s * 1000,
        "ours_in_flight": float(_most_in_flight(probes)),
        "painted_bytes_s": painted,
    }
    over_95 = figures["ours_p95_ms"] - figures["raw_p95_ms"]
    over_99 = figures["ours_p99_ms"] - figures["raw_p99_ms"]
    return Row(
        name="accuracy",
        what="recorded P95 − raw-socket P95, 20 ms server, 32 at once, 100 cards drawn",
        ours=f"{figures['ours_p95_ms']:.2f} ms (P99 {figures['ours_p99_ms']:.2f})",
        peers=f"httpx {figures['httpx_p95_ms']:.1f} ms",
        limit=f"raw {figures['raw_p95_ms']:.2f} ms (P99 {figures['raw_p99_ms']:.2f})",
        ratio=f"{over_95:+.2f} ms (P99 {over_99:+.2f})",
        mark="≤ 1.0 ms (P99 ≤ 3)",
        value=over_95,
        met=over_95 <= 1.0 and over_99 <= 3.0,
        figures=figures,
    )
