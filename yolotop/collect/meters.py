"""Real traffic, read between the probes: whose page is due, what is told, what is kept.

Owns when a page is fetched, the readings that are compared, minutes and hours being
filled, and saying once that no page comes. It must not know HTTP, SQL or what servers
call things.

A page is fetched when a probe of that deployment has just ended, as often as its
liveness is asked, and gives way to the next one: a probe that starts ends it. So it
never delays a probe, never runs beside one of the same server (many render their page
in the process that answers), wakes nobody who sleeps, and nothing of what is paused is
read.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from yolotop.collect.clock import Clock
from yolotop.collect.journal import Journal
from yolotop.model import (
    Answer,
    Deployment,
    ErrorKind,
    Event,
    EventKind,
    ProbeKind,
    Severity,
    Traffic,
)
from yolotop.model.traffic import merged
from yolotop.probe.failures import ProbeFailure
from yolotop.probe.metrics.exposition import BadPage
from yolotop.probe.metrics.profiles import PROFILES
from yolotop.probe.metrics.reading import (
    Reading,
    between,
    following,
    profile_of,
    reading,
)
from yolotop.probe.metrics.scrape import NoPage, metrics_url
from yolotop.store.protocol import COARSE_SLOT_S, TRAFFIC_S
from yolotop.text import clean, redact, show_url

MOST_AT_ONCE: Final = 8
"""Pages on their way. A fleet of a thousand asks for 67 a second, of 5 ms each."""
READ_ELSEWHERE: Final = 128 * 1024
"""Bytes of a page from which it is read in a thread: 2 ms on the loop, and more, would
be in the figures of the probes that are in flight."""
TOLD_AFTER: Final = 2
"""Failures in a row before it is said that there are no metrics."""
SOON_S: Final = 30.0
RETRY_S: Final = 300.0
"""Between attempts after that: 30 s, then twice as long each time, 5 min at most. A
server that is started anew is soon seen again, and one without a page left in peace."""
GAP_S: Final = 120.0
"""What was counted over a longer time (or three intervals, if that is more) is not
known to have happened at any time in it."""
_SLACK: Final = 1.05
"""A row may be so much longer than its width: four times 15 s are never 60 sharp."""
_APART_S: Final = 2.0
_UNREACHABLE: Final = frozenset({ErrorKind.DNS, ErrorKind.CONNECT, ErrorKind.INTERNAL})

_log = logging.getLogger("yolotop.collect")


class Pages(Protocol):
    """Whoever fetches a page: the scraper."""

    async def fetch(self, deployment: Deployment, url: str) -> bytes:
        """The page. Raises NoPage."""


class Fold:
    """Spans that follow each other as one row, until it is as long as rows get."""

    def __init__(self, width_s: int) -> None:
        self._width_s = width_s
        self._row: Traffic | None = None

    def add(self, traffic: Traffic) -> tuple[Traffic, bool]:
        """The row so far, and whether it begins with this span."""
        row, longest = self._row, self._width_s * _SLACK
        begins = (
            row is None
            or traffic.end_at - row.at > longest
            or abs(traffic.at - row.end_at) > _APART_S
        )
        both = merged([traffic] if begins or row is None else [row, traffic])
        assert both is not None
        self._row = replace(both, width_s=self._width_s)
        return self._row, begins


@dataclass(slots=True)
class _Meter:
    """What is known of one deployment's page."""

    deployment: Deployment
    tried_at: float | None = None
    before: Reading | None = None
    failures: int = 0
    minute: Fold = field(default_factory=lambda: Fold(TRAFFIC_S))
    hour: Fold = field(default_factory=lambda: Fold(COARSE_SLOT_S))

    @property
    def every_s(self) -> float:
        """How often it is read: as liveness is asked, or what is asked instead."""
        deployment = self.deployment
        if ProbeKind.HEALTH in deployment.questions and deployment.interval_s > 0:
            return deployment.interval_s
        return deployment.predict_interval_s

    def is_due(self, now: float) -> bool:
        """Whether its time has come, at the monotonic ``now``."""
        if self.tried_at is None:
            return True
        # Probes come with jitter, and the page when they are done.
        least_s = self.every_s * 0.75
        if self.failures >= TOLD_AFTER:
            later_s = SOON_S * 2.0 ** min(self.failures - TOLD_AFTER, 8)
            least_s = max(least_s, min(RETRY_S, later_s))
        return now - self.tried_at >= least_s


class Meters:
    """The pages of all deployments that have one. Nothing here raises, or waits."""

    def __init__(self, pages: Pages | None, journal: Journal, clock: Clock) -> None:
        self._pages = pages
        self._journal = journal
        self._clock = clock
        self._meters: dict[str, _Meter] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def asked(self, deployment: Deployment, answer: Answer) -> None:
        """A probe has ended: now is the time, if it is the time."""
        name, now = deployment.name, self._clock.monotonic()
        if self._pages is None or not _has_page(deployment):
            return
        meter = self._meters.get(name)
        if meter is None or meter.deployment is not deployment:
            meter = self._meters[name] = _Meter(deployment)
        unreachable = answer.error is not None and answer.error.kind in _UNREACHABLE
        if unreachable or name in self._tasks or len(self._tasks) >= MOST_AT_ONCE:
            return
        if meter.is_due(now):
            last, meter.tried_at = meter.tried_at, now
            task = asyncio.create_task(self._read(self._pages, meter, last))
            self._tasks[name] = task
            task.add_done_callback(lambda done: self._ended(name, done))

    def asking(self, name: str) -> None:
        """A probe begins: whatever is on its way gives way."""
        if (task := self._tasks.get(name)) is not None:
            task.cancel()

    def forget(self, name: str) -> None:
        """It is followed no longer, or is another one."""
        self.asking(name)
        self._meters.pop(name, None)

    async def aclose(self) -> None:
        """End what is on its way."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("reading the metrics of %s failed", name, exc_info=error)

    async def _read(self, pages: Pages, meter: _Meter, last: float | None) -> None:
        deployment = meter.deployment
        where = ""
        try:
            where = metrics_url(deployment) or ""
            body = await pages.fetch(deployment, where)
            clock_s, at = self._clock.boottime(), self._clock.now()
            if len(body) > READ_ELSEWHERE:
                after = await asyncio.to_thread(_reading, body, deployment, clock_s)
            else:
                after = _reading(body, deployment, clock_s)
        except asyncio.CancelledError:
            # It gave way, and may try again when that probe is done.
            meter.tried_at = last
            raise
        except (NoPage, BadPage, ProbeFailure) as error:
            self._failed(meter, where, error.message)
        except Exception as error:  # noqa: BLE001 - told; the probes must not notice
            _log.exception("the metrics of %s cannot be read", deployment.name)
            said = redact(clean(f"{type(error).__name__}: {error}", limit=300))
            self._failed(meter, where, said)
        else:
            self._came(meter, after, at)

    def _came(self, meter: _Meter, after: Reading, at: float) -> None:
        if meter.failures >= TOLD_AFTER:
            self._say(meter, Severity.INFO, "its metrics are read again")
        meter.failures = 0
        before = meter.before
        meter.before = after if before is None else following(before, after)
        if before is None:
            return
        most_s = max(GAP_S, 3 * meter.every_s)
        found = between(before, after, meter.deployment, at=at, most_s=most_s)
        if found is None or not _says_something(found):
            return
        minute, begins = meter.minute.add(found)
        hour, _ = meter.hour.add(found)
        # The hour once a minute: it is the same row again and again.
        self._journal.add(traffic=(minute, hour) if begins else (minute,))

    def _failed(self, meter: _Meter, where: str, message: str) -> None:
        meter.failures += 1
        if meter.failures != TOLD_AFTER:
            return
        by_hand = meter.deployment.metrics_url is not None
        severity = Severity.WARNING if by_hand else Severity.INFO
        said = f"its metrics cannot be read at {show_url(where)}: {message}"
        self._say(meter, severity, said)

    def _say(self, meter: _Meter, severity: Severity, message: str) -> None:
        name, at = meter.deployment.name, self._clock.now()
        self._journal.add(Event(at, severity, EventKind.METRICS, message, name))


def _has_page(deployment: Deployment) -> bool:
    """Cheaper than asking where it is, after each of a thousand probes a second."""
    if deployment.metrics_url is not None:
        return bool(deployment.metrics_url)
    metrics = deployment.preset.metrics
    return metrics is not None and bool(metrics.path)


def _reading(body: bytes, deployment: Deployment, clock_s: float) -> Reading:
    """As the preset says; else as the page itself tells. Raises BadPage."""
    metrics = deployment.preset.metrics
    profile = PROFILES.get(metrics.profile) if metrics is not None else None
    if profile is None:
        profile = profile_of(body)
    if profile is None:
        raise BadPage("nothing on the page is known to be about predictions")
    return reading(body, profile, clock_s)


def _says_something(found: Traffic) -> bool:
    levels = (found.requests, found.latency, found.waiting)
    return any(level is not None for level in levels)
