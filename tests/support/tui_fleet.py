"""A fleet made by hand, in every state, and a source and actions that remember.

For the terminal's tests: what they show was not measured, it was drawn to be looked at.
"""

from __future__ import annotations

import asyncio
import math
import random
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from textual.app import App
from textual.pilot import Pilot
from tui_detail import fleet_detail, fleet_incidents

from yolotop.config.origin import Setting
from yolotop.errors import YolotopError
from yolotop.model import (
    ErrorKind,
    EventKind,
    Health,
    Outcome,
    Phases,
    ProbeKind,
    ServerTimes,
    Severity,
)
from yolotop.store.protocol import Extent, LogLine, StoredProbe
from yolotop.tui.app import YolotopApp
from yolotop.tui.screens.dashboard import Dashboard
from yolotop.view.detail import Detail
from yolotop.view.filter import parse
from yolotop.view.incidents import Incident
from yolotop.view.log import LogPage, LogQuery, matches
from yolotop.view.snapshot import (
    Beat,
    Card,
    CollectorHealth,
    CollectorView,
    Figures,
    Range,
    Snapshot,
    Trend,
)

NOON = 1_790_000_000.0
"""The instant at which everything happens: 2026-09-21 14:13:20 UTC."""

TRUECOLOR = {"COLORTERM": "truecolor", "LANG": "C.UTF-8"}


def _beats(
    seed: int,
    base_ms: float,
    *,
    number: int = 60,
    bad: Mapping[int, Outcome] | None = None,
    creep: float = 0.0,
) -> tuple[Beat, ...]:
    """``bad`` counts from the newest, 0 first."""
    rng = random.Random(seed)  # noqa: S311 - a picture, not a secret
    out = []
    for index in range(number):
        outcome = (bad or {}).get(number - 1 - index, Outcome.OK)
        spread = base_ms * (1 + creep * index / number) * rng.uniform(0.85, 1.3)
        cold = outcome is Outcome.COLD
        late = None if outcome is Outcome.FAILED else spread
        out.append(Beat(outcome, late, cold))
    return tuple(out)


def _phases(wait: float) -> Phases:
    return Phases(
        dns=0.4, connect=wait * 0.03, send=wait * 0.05, wait=wait, receive=wait * 0.04
    )


def _card(name: str, health: Health, *, wait: float = 40.0, **more: object) -> Card:
    base = Card(
        name=name,
        url=f"http://10.0.4.7:8000/{name}",
        dialect="ultralytics",
        health=health,
        since_at=NOON - 4 * 3600,
        region="berlin",
        every_s=60.0,
        figures=Figures(5760, 0, 0, 0.0, wait * 0.9, wait * 1.4, wait * 2.1, 1440),
        beats=_beats(hash_of(name), wait),
        last_at=NOON - 12,
        message="3 detections",
        http_status=200,
        latency_ms=wait * 1.1,
        phases=_phases(wait),
        server=ServerTimes(0.8, wait * 0.7, 0.9),
    )
    return replace(base, **more)  # type: ignore[arg-type]


def hash_of(name: str) -> int:
    """A number from a name, the same in every process."""
    return zlib.crc32(name.encode()) % 10_007


def fleet_cards() -> tuple[Card, ...]:
    """Nine deployments, one of each character."""
    failing = dict.fromkeys(range(5), Outcome.FAILED)
    wrong = dict.fromkeys((0, 1, 2), Outcome.WRONG)
    flaky = dict.fromkeys((2, 9, 10, 17, 31), Outcome.FAILED)
    return (
        _card("dock-cam", Health.UP, wait=96.0),
        _card(
            "gate-3",
            Health.DOWN,
            region="lyon",
            since_at=NOON - 250,
            last_at=NOON - 3,
            beats=_beats(3, 31.0, bad=failing),
            message="connection refused by 10.0.4.7:8000",
            severity=Severity.ERROR,
            http_status=None,
            figures=Figures(5760, 210, 0, 0.0365, 29.0, 44.0, 91.0, 5550),
        ),
        _card(
            "yard-7",
            Health.DEGRADED,
            region="taipei",
            wait=61.0,
            since_at=NOON - 780,
            last_at=NOON - 8,
            beats=_beats(5, 61.0, bad=wrong),
            message="wrong answer: expected circle ×3, got none",
            severity=Severity.WARNING,
        ),
        _card("press-line", Health.UP, region="osaka", wait=18.0, checking=True),
        _card(
            "night-shift",
            Health.COLD,
            region="iowa",
            since_at=NOON - 9,
            last_at=NOON - 9,
            beats=_beats(7, 120.0, number=22, bad={0: Outcome.COLD, 11: Outcome.COLD}),
            message="starting up: 429, asks to come back in 10 s",
            figures=Figures(22, 0, 2, 0.0, 118.0, 160.0, 171.0, 14),
        ),
        _card(
            "creeper",
            Health.UP,
            region="são-paulo",
            wait=70.0,
            beats=_beats(11, 40.0, creep=2.2),
        ),
        _card(
            "flapper",
            Health.DEGRADED,
            region="oregon",
            wait=33.0,
            beats=_beats(13, 33.0, bad=flaky),
            message="HTTP 503 from the server: upstream reset, 2 of the last 5",
            figures=Figures(1440, 122, 0, 0.0847, 30.0, 51.0, 88.0, 1318),
        ),
        _card(
            "warehouse-roof",
            Health.PAUSED,
            region=None,
            since_at=NOON - 86_400 * 2,
            last_at=NOON - 86_400 * 2,
            message="paused",
        ),
        _card(
            "newcomer",
            Health.UNKNOWN,
            region="sydney",
            since_at=NOON - 2,
            last_at=None,
            beats=(),
            message="",
            figures=Figures(),
            phases=Phases(),
            server=None,
        ),
    )


def _wave(number: int, low: float, high: float, seed: int) -> tuple[float | None, ...]:
    rng = random.Random(seed)  # noqa: S311 - a picture, not a secret
    values: list[float | None] = []
    for index in range(number):
        day = (1 - math.cos(index / number * 4 * math.pi)) / 2
        values.append(low + (high - low) * day * rng.uniform(0.8, 1.1))
    values[number // 3 : number // 3 + 2] = [None, None]
    return tuple(values)


def fleet_snapshot(cards: tuple[Card, ...] | None = None) -> Snapshot:
    """The fleet's picture at noon."""
    shown = fleet_cards() if cards is None else cards
    tally: dict[Health, int] = {}
    for card in shown:
        tally[card.health] = tally.get(card.health, 0) + 1
    errors = list(_wave(60, 0.0, 0.012, 5))
    errors[40:42] = [0.09, 0.06]
    start = NOON - 86_400
    return Snapshot(
        at=NOON,
        range=Range.H24,
        totals=Figures(34_512, 621, 9, 0.018, 38.0, 142.0, 1_240.0, 33_882),
        change=0.04,
        active=6,
        counts=tuple(tally.items()),
        requests_trend=Trend(start, 1440, _wave(60, 200, 700, 1)),
        errors_trend=Trend(start, 1440, tuple(errors)),
        p95_trend=Trend(start, 1440, _wave(60, 110, 180, 3)),
        cards=shown,
        collector=CollectorView(CollectorHealth.RUNNING, 2.0, 4711),
        since_at=start,
        first_at=start,
    )


_TALK: tuple[tuple[str, Severity, str, int | None, float | None], ...] = (
    ("dock-cam", Severity.INFO, "3 detections", 200, 142.0),
    ("press-line", Severity.INFO, "5 detections", 200, 19.4),
    ("gate-3", Severity.ERROR, "connection refused by 10.0.4.7:8000", None, None),
    ("creeper", Severity.INFO, "2 detections", 200, 128.0),
    ("dock-cam", Severity.DEBUG, "healthy", 200, 4.2),
    ("yard-7", Severity.WARNING, "wrong answer: circle ×3 → nothing", 200, 88.0),
    ("night-shift", Severity.INFO, "cold start: come back in 10 s", 429, 31.0),
    ("flapper", Severity.ERROR, "HTTP 503: [red]upstream[/nope] reset", 503, 12.0),
    ("creeper", Severity.WARNING, "slow: 1.3 s, more than 1 s", 200, 1_310.0),
    ("dock-cam", Severity.INFO, "3 detections", 200, 138.0),
)


def fleet_lines(number: int = 400) -> list[LogLine]:
    """A log, oldest first, ending just before noon."""
    out = []
    for index in range(number):
        name, severity, message, status, late = _TALK[index % len(_TALK)]
        out.append(
            LogLine(
                seq=index + 1,
                at=NOON - 3 * (number - index),
                severity=severity,
                deployment=name,
                message=message,
                http_status=status,
                latency_ms=late,
                probe=ProbeKind.HEALTH if message == "healthy" else ProbeKind.PREDICT,
            )
        )
    out[-4] = LogLine(
        seq=number - 3,
        at=NOON - 12,
        severity=Severity.CRITICAL,
        deployment=None,
        message="the disk is full: results are kept in memory",
        event=EventKind.STORE,
    )
    return out


PROBE = StoredProbe(
    seq=400,
    at=NOON,
    deployment="gate-3",
    kind=ProbeKind.PREDICT,
    outcome=Outcome.FAILED,
    severity=Severity.ERROR,
    message="HTTP 503: [red]upstream[/nope] reset",
    http_status=503,
    latency_ms=142.0,
    phases=Phases(0.5, 1.0, None, 0.5, 138.0, 2.0),
    server=ServerTimes(2.0, 100.0, 1.0),
    error_kind=ErrorKind.HTTP,
    body_head="<h1>[b]Bad gateway[/b]</h1>\nsecond",
    headers=(("retry-after", "10"), ("x-request-id", "[/]7f")),
)
"""What is behind a failed line, with all that a server can say."""


@dataclass
class FakeSource:
    """Hands out what it was given; ``trouble`` is raised while it is set."""

    snapshot: Snapshot
    lines: list[LogLine]
    trouble: YolotopError | None = None
    collector: CollectorView | None = None
    ranges: list[Range] = field(default_factory=list)
    queries: list[LogQuery] = field(default_factory=list)
    probes: dict[int, StoredProbe] = field(default_factory=dict)

    async def refresh(self, range_: Range) -> Snapshot:
        """The snapshot, labelled with the range that was asked for."""
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        self.ranges.append(range_)
        if self.snapshot.range is not range_:
            self.snapshot = replace(self.snapshot, range=range_)
        return self.snapshot

    async def detail(self, name: str, range_: Range) -> Detail | None:
        """The detail made by hand, of whichever deployment is asked for."""
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        card = next((c for c in self.snapshot.cards if c.name == name), None)
        if card is None:
            return None
        found = fleet_detail(card, range_)
        if self.collector is None:
            return found
        return replace(found, collector=self.collector)

    async def incidents(self, range_: Range) -> tuple[Incident, ...]:
        """One of gate-3, going on, and one of flapper that is over."""
        await asyncio.sleep(0)
        return fleet_incidents()

    async def log(
        self,
        query: LogQuery,
        *,
        before: int | None = None,
        after: int | None = None,
        at: float | None = None,
        limit: int = 200,
    ) -> LogPage:
        """A page, as the real session makes it."""
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        self.queries.append(query)
        if at is not None:
            seqs = [line.seq for line in self.lines if line.at >= at]
            seq = min(seqs, default=self.lines[-1].seq + 1 if self.lines else 1)
            older = self._page(query, before=seq, after=None, limit=limit // 2)
            newer = self._page(query, before=None, after=seq - 1, limit=limit // 2)
            return replace(
                older,
                lines=older.lines + newer.lines,
                last=max(older.last, newer.last),
                more_after=newer.more_after,
            )
        return self._page(query, before=before, after=after, limit=limit)

    async def probe(self, seq: int) -> StoredProbe | None:
        """The probe of a line, as far as it is known."""
        await asyncio.sleep(0)
        return self.probes.get(seq)

    def _page(
        self, query: LogQuery, *, before: int | None, after: int | None, limit: int
    ) -> LogPage:
        if not self.lines:
            return LogPage()
        oldest, newest = self.lines[0].seq, self.lines[-1].seq
        wanted = parse(query.text).among(self.snapshot.cards)
        fitting = [
            line
            for line in self.lines
            if (before is None or line.seq < before)
            and (after is None or line.seq > after)
            and matches(replace(query, text=""), line)
            and wanted.matches(line)
        ]
        more = len(fitting) > limit
        extent = Extent(oldest, newest, oldest, 0)
        if after is not None:
            kept = fitting[:limit]
            last = kept[-1].seq if more else newest
            return LogPage(tuple(kept), after + 1, last, after >= oldest, more, extent)
        kept = fitting[-limit:]
        last = newest if before is None else min(before - 1, newest)
        first = kept[0].seq if more else oldest
        return LogPage(tuple(kept), first, last, more, last < newest, extent)


PLAIN_FINDING: Final[Mapping[str, object]] = {
    "dialect": "ultralytics",
    "sure": True,
    "why": ["its OpenAPI page has /predict with file, conf, iou and imgsz"],
    "settings": {},
    "models": [],
    "wants_key": None,
    "asked": [],
}


@dataclass
class FakeActions:
    """Remembers what was asked; ``trouble`` is raised while it is set."""

    calls: list[tuple[str, object]] = field(default_factory=list)
    trouble: YolotopError | None = None
    result: list[dict[str, object]] = field(default_factory=list)
    seen: dict[str, object] = field(default_factory=dict)
    set_to: tuple[Setting, ...] = ()
    found: dict[str, object] = field(default_factory=lambda: dict(PLAIN_FINDING))

    def _note(self, what: str, about: object) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.calls.append((what, about))

    async def trial(self, table: Mapping[str, object]) -> list[dict[str, object]]:
        """What it was told to find."""
        self._note("trial", dict(table))
        return self.result

    async def recognise(self, table: Mapping[str, object]) -> dict[str, object]:
        """What it was told that the server is."""
        self._note("recognise", dict(table))
        return self.found

    async def add(self, table: Mapping[str, object]) -> None:
        """Remember."""
        self._note("add", dict(table))

    async def begin(self) -> Path:
        self._note("begin", "")
        return Path("/home/me/yolotop.toml")

    async def remove(self, name: str) -> None:
        """Remember."""
        self._note("remove", name)

    async def pause(self, name: str) -> None:
        """Remember."""
        self._note("pause", name)

    async def resume(self, name: str) -> None:
        """Remember."""
        self._note("resume", name)

    async def probe(self, name: str) -> None:
        """Remember."""
        self._note("probe", name)

    async def maintain(self, name: str, until: str) -> None:
        """Remember."""
        self._note("maintain", (name, until))

    async def predict(self, name: str, image: str) -> dict[str, object]:
        """What it was told to see."""
        self._note("predict", (name, image))
        return self.seen

    async def pin(
        self, name: str, image_path: str, baseline: Mapping[str, object]
    ) -> None:
        """Remember."""
        self._note("pin", (name, image_path, dict(baseline)))

    async def settings(self, name: str) -> tuple[Setting, ...]:
        """What it was told that the settings are."""
        self._note("settings", name)
        return self.set_to


GOOD_TRIAL: list[dict[str, object]] = [
    {
        "name": "dock-cam-2",
        "kind": "health",
        "ok": True,
        "verdict": "ok",
        "message": "alive",
        "http_status": 200,
        "latency_ms": 4.1,
        "detections": None,
        "error": None,
    },
    {
        "name": "dock-cam-2",
        "kind": "predict",
        "ok": True,
        "verdict": "ok",
        "message": "3 detections",
        "http_status": 200,
        "latency_ms": 142.0,
        "detections": 3,
        "error": None,
    },
]
BAD_TRIAL: list[dict[str, object]] = [
    {
        "name": "x",
        "kind": "predict",
        "ok": False,
        "verdict": "failed",
        "message": "connection refused by 127.0.0.1:1 [red]",
        "http_status": None,
        "latency_ms": 1.2,
        "detections": None,
        "error": {"kind": ErrorKind.CONNECT.value, "message": "refused"},
    }
]


MakeApp = Callable[..., YolotopApp]
Settle = Callable[[Pilot[int]], Awaitable[None]]
Said = Callable[[YolotopApp], str]


def board(app: App[int]) -> Dashboard:
    """The dashboard under whatever is laid over it."""
    screen = app.screen_stack[0]
    assert isinstance(screen, Dashboard)
    return screen
