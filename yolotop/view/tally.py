"""One sum: how many probes, how many failed, how long they took, in a span of time.

Owns windows and tallies. Pure and in memory: it must not know the store's questions,
the clock or any screen. All counts are integers and histograms merge exactly, so a
figure is the same whichever way its slots were added up.

Windows are aligned: a range is its newest ``seconds / width`` slots, the one that is
still filling included. "24h" over 300 s slots therefore covers between 23 h 55 min and
24 h, and every probe is in or out with its whole slot.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from yolotop.judge.histogram import ExpHistogram
from yolotop.model import Outcome
from yolotop.store.protocol import StoredProbe
from yolotop.view.snapshot import Figures


@dataclass(frozen=True, slots=True)
class Window:
    """The span ``[start_at, end_at)``, both on the grid of ``width_s`` slots."""

    start_at: int
    end_at: int
    width_s: int

    @classmethod
    def ending_now(cls, now: float, *, seconds: int, width_s: int) -> Window:
        """The newest ``seconds`` of whole slots, the current slot included."""
        end = (math.floor(now / width_s) + 1) * width_s
        return cls(end - seconds, end, width_s)

    @property
    def seconds(self) -> int:
        """Its length in seconds."""
        return self.end_at - self.start_at

    def starts(self) -> range:
        """The start of each of its slots, oldest first."""
        return range(self.start_at, self.end_at, self.width_s)


@dataclass(slots=True)
class Tally:
    """Counters and warm latencies of some set of predict probes.

    ``last_seq`` is set where it is one stored slot: probes up to it are in.
    """

    requests: int = 0
    failed: int = 0
    cold: int = 0
    histogram: ExpHistogram = field(default_factory=ExpHistogram)
    last_seq: int = 0

    def counts(self) -> tuple[int, int, int, int]:
        """Its four counters: they tell a slot from what it was before."""
        return self.requests, self.failed, self.cold, self.histogram.count

    def add(self, other: Tally) -> None:
        """Count all of ``other`` too; ``other`` stays as it is."""
        self.requests += other.requests
        self.failed += other.failed
        self.cold += other.cold
        if other.histogram.count:
            self.histogram.merge(other.histogram)

    def count(self, probe: StoredProbe) -> None:
        """Count one predict probe, as the store's slots do."""
        self.requests += 1
        self.failed += probe.outcome.is_error
        self.cold += is_cold(probe)
        latency_ms = warm_ms(probe)
        if latency_ms is not None:
            self.histogram.add(latency_ms)

    def figures(self) -> Figures:
        """What a card or panel shows of it."""
        p50_ms, p95_ms, p99_ms = self.histogram.quantiles((0.50, 0.95, 0.99))
        return Figures(
            requests=self.requests,
            failed=self.failed,
            cold=self.cold,
            error_rate=self.failed / self.requests if self.requests else None,
            p50_ms=p50_ms,
            p95_ms=p95_ms,
            p99_ms=p99_ms,
            samples=self.histogram.count,
        )


def is_cold(probe: StoredProbe) -> bool:
    """Whether it is "starting up", or an answer of an instance that just did."""
    return probe.cold or probe.outcome is Outcome.COLD


def warm_ms(probe: StoredProbe) -> float | None:
    """The latency that counts in percentiles: of a warm answer that arrived."""
    if is_cold(probe) or probe.outcome is Outcome.FAILED:
        return None
    return probe.latency_ms


def summed(tallies: Iterable[Tally]) -> Tally:
    """A new tally of all of them."""
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total
