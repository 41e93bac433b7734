"""The requests that a deployment gets: made up by its rate, and those really made.

Owns how many, when, with which status and how late, and their sums in steps of time.
It must not know shapes of answers. A minute is made up by dice of its own, so that it
is the same whenever it is looked at, and an hour is the sum of its minutes. Nothing is
asked of a deployment that does not serve.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, pi, sin
from typing import Final, NamedTuple

from yolotop.demo.platform.lines import Lines

AGENTS: Final = ("python-requests/2.32", "okhttp/4.12", "curl/8.9")
PEAK_H: Final = 14.0
"""The hour of the day (UTC) at which most is asked, where there is a day at all."""
FAULTS: Final = (500, 500, 500, 400)
"""Three in four are the server's own, the fourth is an image that is none."""


class Request(NamedTuple):
    """One that was answered at ``at``."""

    at: float
    status: int
    latency_ms: float
    method: str = "POST"
    path: str = "/predict"
    agent: str = AGENTS[0]

    def tell(self, lines: Lines, service_url: str) -> None:
        """Its line in the log, behind what the application said of its failure."""
        if self.status >= 500 and self.path == "/predict":
            lines.trip(self.at - 0.001)
        url = service_url + self.path
        lines.request(
            self.at, self.method, url, self.status, self.latency_ms, self.agent
        )


class Demand(NamedTuple):
    """What is asked of a deployment: ``swing`` is how much the rate follows the day."""

    seed: str
    rate_per_h: float
    swing: float
    error_share: float
    p50_ms: float


@lru_cache(maxsize=8_192)
def minute(demand: Demand, number: int) -> tuple[Request, ...]:
    """The requests of a minute since 1970, in their order."""
    dice = random.Random(f"{demand.seed}/{number}")  # noqa: S311 - data, no secret
    hour = number / 60 % 24
    rate = demand.rate_per_h * (
        1 + demand.swing * sin(2 * pi * (hour - PEAK_H + 6) / 24)
    )
    count = int(dice.uniform(0.6, 1.4) * rate / 60 + dice.random())
    # As many as its share, give or take one: a share that is drawn for each request
    # would be half or twice as high in every other quarter of an hour.
    failures = int(count * demand.error_share + dice.random())
    failed = set(dice.sample(range(count), min(count, failures)))
    made = []
    for n in range(count):
        at = number * 60 + (n + dice.random()) * 60 / count
        latency = demand.p50_ms * dice.lognormvariate(0, 0.35)
        status = 200
        if n in failed:
            status, latency = dice.choice(FAULTS), latency / 3
        made.append(Request(at, status, latency, agent=dice.choice(AGENTS)))
    return tuple(made)


def requests(
    demand: Demand,
    spans: Iterable[tuple[float, float]],
    since: float,
    until: float,
) -> Iterator[Request]:
    """Those made up from ``since`` to before ``until``, while it served (``spans``)."""
    if demand.rate_per_h <= 0:
        return
    for begin, end in spans:
        low, high = max(begin, since), min(end, until)
        if low >= high:
            continue
        for number in range(int(low // 60), int(high // 60) + 1):
            for each in minute(demand, number):
                if low <= each.at < high:
                    yield each


@dataclass(frozen=True, slots=True)
class Step:
    """What was counted from ``at`` on; shares are of one instance."""

    at: float
    requests: int
    errors: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu: float
    memory: float


def counted(at: float, width_s: float, seed: str, found: list[Request]) -> Step:
    """The sum of some requests. An instance with a model never holds next to nothing:
    that is what tells shares from per cent."""
    latencies = sorted(each.latency_ms for each in found)
    dice = random.Random(f"{seed}/{at}")  # noqa: S311 - data, no secret
    busy = sum(latencies) / 1_000 / width_s
    held = random.Random(seed).uniform(0.25, 0.5)  # noqa: S311 - data, no secret
    return Step(
        at=at,
        requests=len(found),
        errors=sum(each.status >= 400 for each in found),
        mean_ms=sum(latencies) / len(latencies),
        p50_ms=_nearest(latencies, 0.5),
        p95_ms=_nearest(latencies, 0.95),
        p99_ms=_nearest(latencies, 0.99),
        cpu=min(0.98, dice.uniform(0.02, 0.05) + busy),
        memory=held + dice.uniform(-0.02, 0.08),
    )


def _nearest(ascending: list[float], share: float) -> float:
    return ascending[max(0, ceil(share * len(ascending)) - 1)]
