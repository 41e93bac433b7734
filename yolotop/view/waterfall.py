"""Where the time of an answer goes, for the usual one and for a slow one.

Owns what "around P95" means and how answers are averaged there. Pure: from answers
to parts in milliseconds. It must not know the store's reading or any screen.

One answer at a percentile says more about itself than about the percentile. So the
answers whose ranks lie around it are averaged, part by part: the parts then add up to
their mean latency.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from yolotop.model import Outcome, Phases, ServerTimes
from yolotop.store.protocol import StoredProbe

PARTS: Final = (
    *("dns", "connect", "tls", "send"),
    *("network", "queue", "preprocess", "inference", "postprocess", "rest"),
    "receive",
)
"""In the order of time; those of the second line are what ``wait`` was made of."""
_ARRIVED: Final = (Outcome.OK, Outcome.SLOW, Outcome.WRONG, Outcome.CHANGED)
AROUND_P50: Final = (0.45, 0.55)
AROUND_P95: Final = (0.925, 0.975)


@dataclass(frozen=True, slots=True)
class Course:
    """The mean of ``n`` answers around one percentile, milliseconds by part.

    Each of :data:`PARTS` is there; ``None`` where no answer told it. ``total_ms`` is
    their sum.
    """

    parts: tuple[tuple[str, float | None], ...]
    total_ms: float
    n: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """P50 and P95 side by side, from ``samples`` warm answers since ``since_at``.

    ``service_p50_ms`` and ``service_p95_ms`` are of send + wait + receive: what a
    client with a kept connection feels. ``whole`` tells whether these are all answers
    of the range, or only its newest.
    """

    p50: Course
    p95: Course
    service_p50_ms: float | None
    service_p95_ms: float | None
    samples: int
    since_at: float
    whole: bool = True

    @property
    def told(self) -> int:
        """How many parts anyone told."""
        pairs = zip(self.p50.parts, self.p95.parts, strict=True)
        return sum(one[1] is not None or two[1] is not None for one, two in pairs)


def waterfall(
    answers: Iterable[StoredProbe], *, whole: bool = True
) -> Waterfall | None:
    """Of the warm answers that arrived; ``None`` without any."""
    warm = [probe for probe in answers if _arrived(probe)]
    if not warm:
        return None
    ranked = sorted(warm, key=lambda probe: probe.latency_ms or 0.0)
    service = sorted(
        probe.phases.service_ms for probe in warm if probe.phases.service_ms is not None
    )
    return Waterfall(
        p50=course(_around(ranked, AROUND_P50)),
        p95=course(_around(ranked, AROUND_P95)),
        service_p50_ms=nearest_rank(service, 0.50),
        service_p95_ms=nearest_rank(service, 0.95),
        samples=len(ranked),
        since_at=min(probe.at for probe in warm),
        whole=whole,
    )


def _arrived(probe: StoredProbe) -> bool:
    return (
        not probe.cold
        and probe.outcome in _ARRIVED
        and probe.latency_ms is not None
        and probe.phases.wait is not None
    )


def _around(
    ranked: Sequence[StoredProbe], band: tuple[float, float]
) -> Sequence[StoredProbe]:
    """The answers whose rank lies in the band, at least the one at its middle."""
    n = len(ranked)
    low, high = math.ceil(band[0] * n), math.floor(band[1] * n)
    middle = max(1, math.ceil((band[0] + band[1]) / 2 * n))
    low, high = min(max(1, low), middle), max(high, middle)
    return ranked[low - 1 : high]


def course(answers: Sequence[StoredProbe]) -> Course:
    """Their mean, part by part; what one of them did not tell counts as 0 there."""
    sums: dict[str, float] = {}
    for probe in answers:
        for name, value in parts_of(probe.phases, probe.server).items():
            if value is not None:
                sums[name] = sums.get(name, 0.0) + value
    n = len(answers)
    means = tuple((name, sums[name] / n if name in sums else None) for name in PARTS)
    return Course(means, sum(value or 0.0 for _, value in means), n)


def parts_of(phases: Phases, server: ServerTimes | None) -> dict[str, float | None]:
    """One answer's time by part; together they are its phases."""
    inside = phases.split_wait(server)
    found: dict[str, float | None] = {
        "dns": phases.dns,
        "connect": phases.connect,
        "tls": phases.tls,
        "send": phases.send,
        "receive": phases.receive,
    }
    if inside is not None:
        found |= {
            "network": inside.network,
            "queue": inside.queue,
            "preprocess": inside.preprocess,
            "inference": inside.inference,
            "postprocess": inside.postprocess,
            # Nothing is left over where everything was told.
            "rest": inside.rest or None,
        }
    return found


def nearest_rank(ranked: Sequence[float], share: float) -> float | None:
    """The value at a share, 0-1, of ascending values."""
    if not ranked:
        return None
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]
