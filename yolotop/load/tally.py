"""What one level's answers come to.

Owns counting answers and turning the counts into figures. Must not know when a
question is asked, nor by whom.

A question that timed out is not left out of the percentiles: it took *at least* as
long as it was waited for, and leaving it out would make a server look faster the more
it hangs. The same goes for questions of an open loop that could not even be sent. All
percentiles that such a bound reaches are bounds themselves. What was refused in no
time is in the errors only: it would make a server look faster the more it refuses.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from yolotop.judge.histogram import RELATIVE_ERROR, ExpHistogram
from yolotop.load.plan import Level


class Ending(StrEnum):
    """Why a level ended."""

    SETTLED = "settled"
    TIME = "time"
    REFUSING = "refusing"
    CAPPED = "capped"
    INTERRUPTED = "interrupted"

    @property
    def is_last(self) -> bool:
        """Whether no further level is asked after it."""
        return self not in (Ending.SETTLED, Ending.TIME)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question's outcome.

    ``latency_ms`` runs from its own beginning. ``error`` is a short kind (``timeout``,
    ``http``), ``None`` for a good answer; ``message`` says it in a sentence.
    ``server_ms`` is what the server says it took.
    """

    latency_ms: float | None
    error: str | None = None
    message: str = ""
    server_ms: float | None = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Bounded:
    """A percentile in milliseconds; ``at_least``: the true one may be greater."""

    ms: float
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What a level came to.

    ``latency`` is P50, P95, P99 and the maximum: of an open loop from the moments
    questions were meant to begin, of a closed one from when they began. ``service`` are
    the same always from when they began. ``unsent`` should have begun and did not;
    ``dropped`` were under way when the level was broken off. ``late_p99_ms`` is by how
    much this process itself began its questions late. ``own_cpu`` is the share of one
    core that it used. ``windows`` were whole.
    """

    level: Level
    ending: Ending
    seconds: float
    requests: int
    answered: int
    per_s: float
    latency: tuple[Bounded | None, ...]
    service: tuple[Bounded | None, ...]
    server_p50_ms: float | None
    errors: tuple[tuple[str, int], ...]
    messages: tuple[tuple[str, str], ...]
    unsent: int
    dropped: int
    at_least: int
    late_p99_ms: float | None
    own_cpu: float
    windows: int

    @property
    def failed(self) -> int:
        """Bad answers and none."""
        return sum(count for _, count in self.errors)


QUANTILES = (0.50, 0.95, 0.99, 1.0)


@dataclass(slots=True)
class _Latencies:
    """Exact ones and bounds, in one histogram."""

    histogram: ExpHistogram = field(default_factory=ExpHistogram)
    least_bound_ms: float = math.inf

    def add(self, value_ms: float, *, at_least: bool = False) -> None:
        self.histogram.add(value_ms)
        if at_least:
            self.least_bound_ms = min(self.least_bound_ms, value_ms)

    def figures(self) -> tuple[Bounded | None, ...]:
        # A bucket's middle may lie below the bound that is in it.
        bound_ms = self.least_bound_ms * (1.0 - 2 * RELATIVE_ERROR)
        return tuple(
            None if value is None else Bounded(value, value >= bound_ms)
            for value in self.histogram.quantiles(QUANTILES)
        )


@dataclass(slots=True)
class Tally:
    """The counters of a level while it runs."""

    answers: int = 0
    answered: int = 0
    at_least: int = 0
    unsent: int = 0
    dropped: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    messages: dict[str, str] = field(default_factory=dict)
    latency: _Latencies = field(default_factory=_Latencies)
    service: _Latencies = field(default_factory=_Latencies)
    server: ExpHistogram = field(default_factory=ExpHistogram)
    late: ExpHistogram = field(default_factory=ExpHistogram)

    def add(self, asked: Asked, *, waited_ms: float) -> float | None:
        """Count an outcome; the latency that counts, where there is one.

        ``waited_ms`` is from when it was meant to begin to when it began.
        """
        self.answers += 1
        if asked.error is None:
            self.answered += 1
        else:
            self.errors[asked.error] += 1
            self.messages.setdefault(asked.error, asked.message)
            if not asked.timed_out:
                return None
        if asked.latency_ms is None:
            return None
        if asked.server_ms is not None:
            self.server.add(max(0.0, asked.server_ms))
        total_ms = max(0.0, waited_ms) + asked.latency_ms
        self.latency.add(total_ms, at_least=asked.timed_out)
        self.service.add(asked.latency_ms, at_least=asked.timed_out)
        self.at_least += asked.timed_out
        return total_ms

    def drop(self, waited_ms: float, under_way_ms: float) -> None:
        """Count a question that was given up after so long, for reasons of our own."""
        self.dropped += 1
        self.at_least += 1
        self.latency.add(max(0.0, waited_ms), at_least=True)
        self.service.add(max(0.0, under_way_ms), at_least=True)

    def leave_unsent(self, waited_ms: float) -> None:
        """Count a question that should have begun so long ago and never did."""
        self.unsent += 1
        self.at_least += 1
        self.latency.add(max(0.0, waited_ms), at_least=True)

    def figures(
        self,
        level: Level,
        ending: Ending,
        *,
        seconds: float,
        requests: int,
        own_cpu: float,
        windows: int,
    ) -> Figures:
        """All of it."""
        return Figures(
            level=level,
            ending=ending,
            seconds=seconds,
            requests=requests,
            answered=self.answered,
            per_s=self.answered / seconds if seconds > 0 else 0.0,
            latency=self.latency.figures(),
            service=self.service.figures(),
            server_p50_ms=self.server.quantile(0.5),
            errors=tuple(self.errors.most_common()),
            messages=tuple(self.messages.items()),
            unsent=self.unsent,
            dropped=self.dropped,
            at_least=self.at_least,
            late_p99_ms=self.late.quantile(0.99),
            own_cpu=own_cpu,
            windows=windows,
        )
