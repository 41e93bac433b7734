"""Rollup slots while they fill.

Owns how probes become counters and histograms. It must not know how slots are
written; it says which ones changed. Slots hold absolute values, so writing one twice
changes nothing and a copy of it can be shipped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from yolotop.judge.histogram import ExpHistogram
from yolotop.model import Outcome, ProbeKind, Sample, Severity
from yolotop.store.codec import stored_ms
from yolotop.store.protocol import COARSE_SLOT_S, FINE_SLOT_S

WIDTHS: Final = (FINE_SLOT_S, COARSE_SLOT_S)
_KEPT: Final = 8
"""Starts kept in memory: both widths now, just before, and late answers."""

Start = tuple[int, int]
"""Width and start of a slot, in seconds."""


@dataclass(slots=True)
class OpenSlot:
    """The counters of one deployment in one slot of time; see ``protocol.Slot``.

    ``shown`` counts lines of INFO and more; ``first_seq`` and ``last_seq`` are the
    bounds of what is summed here.
    """

    requests: int = 0
    failed: int = 0
    cold: int = 0
    health: int = 0
    health_failed: int = 0
    shown: int = 0
    first_seq: int = 0
    last_seq: int = 0
    histogram: ExpHistogram = field(default_factory=ExpHistogram, kw_only=True)

    def add(self, seq: int, sample: Sample) -> None:
        """Count one probe.

        Only latencies of warm predictions that arrived enter the histogram: those of
        failed probes are timeouts and refusals, not answers, and would make a broken
        server look fast or slow at random.
        """
        answer, verdict = sample.answer, sample.verdict
        self.first_seq = self.first_seq or seq
        self.last_seq = seq
        self.shown += verdict.severity >= Severity.INFO
        if answer.kind is ProbeKind.HEALTH:
            self.health += 1
            self.health_failed += verdict.outcome.is_error
            return
        self.requests += 1
        self.failed += verdict.outcome.is_error
        if verdict.cold or verdict.outcome is Outcome.COLD:
            self.cold += 1
        elif verdict.outcome is not Outcome.FAILED:
            latency_ms = stored_ms(answer.latency_ms)
            if latency_ms is not None:
                self.histogram.add(latency_ms)


def starts(at: float) -> tuple[Start, ...]:
    """The slots, one of each width, that an instant falls into."""
    return tuple((width, int(at // width) * width) for width in WIDTHS)


class SlotBook:
    """The slots being filled. ``changed`` holds what the next batch must write."""

    def __init__(self) -> None:
        self._slots: dict[Start, dict[int, OpenSlot]] = {}
        self.changed: set[tuple[Start, int]] = set()

    def missing(self, wanted: set[Start]) -> set[Start]:
        """Which of the starts have to be loaded before they can be added to."""
        return wanted - self._slots.keys()

    def load(self, start: Start, slots: dict[int, OpenSlot]) -> None:
        """Take what is stored for one start, by deployment id."""
        self._slots[start] = slots

    def add(self, seq: int, dep: int, at: float, sample: Sample) -> None:
        """Count one probe, taken at ``at`` as stored, in its slots."""
        for start in starts(at):
            self._slots[start].setdefault(dep, OpenSlot()).add(seq, sample)
            self.changed.add((start, dep))

    def slot(self, start: Start, dep: int) -> OpenSlot:
        """One slot as it is now."""
        return self._slots[start][dep]

    def written(self) -> None:
        """The batch with ``changed`` is committed; let go of what is long past."""
        self.changed = set()
        if len(self._slots) > _KEPT:
            # By when they end: an hour outlives the five minutes that started it.
            for start in sorted(self._slots, key=sum)[:-_KEPT]:
                del self._slots[start]
