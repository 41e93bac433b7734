"""Stand-ins for what a collector stands between, and a real endpoint to ask.

The clock is the only thing faked in the tests of behaviour in time: hours pass in
milliseconds and in order. Store and prober have in-memory doubles that can refuse.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from yolotop.collect.clock import sleep
from yolotop.collect.collector import Collector
from yolotop.collect.meters import Pages
from yolotop.collect.platform import Connect
from yolotop.config.schema import CollectorSettings, Config
from yolotop.errors import ConfigError, StoreError
from yolotop.model import (
    Answer,
    Deployment,
    ErrorKind,
    Event,
    HealthState,
    Hosting,
    Outcome,
    Prediction,
    ProbeError,
    ProbeKind,
    Sample,
    Traffic,
)
from yolotop.probe.failures import ConnectFailure
from yolotop.probe.frames import from_file, synthetic
from yolotop.probe.prober import Shown
from yolotop.probe.recognise import Finding
from yolotop.store.protocol import NONE_RENAMED, CollectorStatus, Request, RequestKind

START = 1_700_000_000.0


class Timer:
    """A planned call."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class FakeClock:
    """Time that passes when told to, one timer after the other."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.slept = 0.0
        self.stepped = 0.0
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        return START + self.elapsed + self.slept + self.stepped

    def monotonic(self) -> float:
        return 5_000.0 + self.elapsed

    def boottime(self) -> float:
        return 6_000.0 + self.elapsed + self.slept

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        timer = Timer(callback)
        at = self.elapsed + max(0.0, delay_s)
        heapq.heappush(self._timers, (at, next(self._numbers), timer))
        return timer

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass; everything due in them runs at its own time."""
        end = self.elapsed + seconds
        await settle()
        while self._timers and self._timers[0][0] <= end:
            at, _, timer = heapq.heappop(self._timers)
            if timer.callback is None:
                continue
            self.elapsed = max(self.elapsed, at)
            timer.callback()
            await settle()
        self.elapsed = end
        await settle()


async def settle() -> None:
    """Let every task run until it waits for time, or for another that does."""
    for _ in range(25):
        await asyncio.sleep(0)


@dataclass
class MemoryWriter:
    """A store in memory. ``refusal`` is raised by every call while it is set."""

    samples: list[Sample] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    states: dict[str, HealthState] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    registered: list[Deployment] = field(default_factory=list)
    beats: list[CollectorStatus] = field(default_factory=list)
    traffic: list[Traffic] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    hosted: dict[str, Hosting] = field(default_factory=dict)
    results: dict[int, str] = field(default_factory=dict)
    sweeps: list[float] = field(default_factory=list)
    refusal: Exception | None = None
    poison: str | None = None
    closed: bool = False

    def _check(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def register(
        self,
        deployments: Sequence[Deployment],
        at: float,
        *,
        renamed: Mapping[str, str] = NONE_RENAMED,
    ) -> None:
        self._check()
        self.registered = list(deployments)
        self.renamed.update(renamed)
        for before, after in renamed.items():
            if before in self.states:
                self.states[after] = self.states.pop(before)

    async def load_hosted(self) -> dict[str, Hosting]:
        self._check()
        return dict(self.hosted)

    async def load_states(self) -> dict[str, HealthState]:
        self._check()
        return dict(self.states)

    async def append(
        self,
        samples: Sequence[Sample],
        events: Sequence[Event],
        states: Mapping[str, HealthState],
        traffic: Sequence[Traffic] = (),
    ) -> int:
        self._check()
        if any(sample.answer.deployment == self.poison for sample in samples):
            raise ValueError("that cannot be stored")
        self.samples += samples
        self.events += events
        self.states.update(states)
        self.traffic += traffic
        self.batches.append(len(samples) + len(events))
        return len(self.samples)

    async def beat(self, status: CollectorStatus) -> None:
        self._check()
        self.beats.append(status)

    async def take_requests(self) -> list[Request]:
        self._check()
        taken, self.requests = self.requests, []
        return taken

    async def finish_request(self, request_id: int, result: str, at: float) -> None:
        self._check()
        self.results[request_id] = result

    async def sweep(self, now: float) -> int:
        self._check()
        self.sweeps.append(now)
        return 0

    async def close(self) -> None:
        self.closed = True

    def said(self, deployment: str | None = None) -> list[str]:
        """Messages of events, of one deployment or of the collector's own."""
        return [e.message for e in self.events if e.deployment == deployment]

    def of(self, name: str) -> list[Sample]:
        return [one for one in self.samples if one.answer.deployment == name]

    def ask(
        self, number: int, kind: RequestKind, name: str | None = None, body: str = ""
    ) -> None:
        self.requests.append(Request(number, START, kind, name, body))


DISK_FULL = StoreError("the disk is full", hint="Free some space")


@dataclass
class ScriptedAsker:
    """Answers from a script: by deployment, the outcomes in turn, the last for ever."""

    clock: FakeClock
    took_s: float = 0.05
    scripts: dict[str, list[Outcome]] = field(default_factory=dict)
    asked: list[tuple[float, str, ProbeKind, int]] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    most_running: int = 0
    overlapped: bool = False
    crash: Exception | None = None
    retry_after_s: float | None = None
    shown: list[tuple[str, str, int]] = field(default_factory=list)
    recognised: list[str] = field(default_factory=list)

    async def probe(
        self, deployment: Deployment, kind: ProbeKind, *, seed: int = 0
    ) -> Answer:
        name, started_at = deployment.name, self.clock.now()
        self.asked.append((self.clock.monotonic(), name, kind, seed))
        if self.crash is not None:
            raise self.crash
        self.overlapped |= name in self.running
        self.running.append(name)
        self.most_running = max(self.most_running, len(self.running))
        try:
            await sleep(self.clock, self.took_s)
        finally:
            self.running.remove(name)
        script = self.scripts.get(name, [])
        outcome = script.pop(0) if len(script) > 1 else (script or [Outcome.OK])[0]
        return replace(
            self._answer(outcome, name, kind),
            started_at=started_at,
            latency_ms=self.took_s * 1000,
        )

    async def show(self, deployment: Deployment, image: str, *, seed: int = 0) -> Shown:
        self.shown.append((deployment.name, image, seed))
        drawn = image == "synthetic"
        frame = synthetic(seed % 16) if drawn else from_file(Path(image))
        answer = await self.probe(deployment, ProbeKind.PREDICT, seed=seed)
        return Shown(answer, frame)

    async def recognise(self, deployment: Deployment) -> Finding:
        self.recognised.append(deployment.url)
        if "nobody" in deployment.url:
            raise ConnectFailure("connection refused")
        return Finding(
            deployment.url, "triton", ("GET /v2 says triton",), {"model": "m"}
        )

    def _answer(self, outcome: Outcome, name: str, kind: ProbeKind) -> Answer:
        answer = Answer(name, kind, started_at=0.0, http_status=200)
        if outcome is Outcome.FAILED:
            error = ProbeError(ErrorKind.CONNECT, "connection refused")
            return replace(answer, http_status=None, error=error)
        if outcome is Outcome.COLD:
            wish = self.retry_after_s
            return replace(answer, http_status=503, retry_after_s=wish)
        if kind is ProbeKind.PREDICT:
            return replace(answer, prediction=Prediction(()))
        return answer

    def times(self, name: str, kind: ProbeKind | None = None) -> list[float]:
        return [
            at
            for at, asked, of, _ in self.asked
            if asked == name and kind in (None, of)
        ]


@dataclass
class FixedSource:
    """A configuration that changes when a test puts another one in."""

    config: Config
    dirty: bool = False
    broken: str = ""

    def load(self) -> Config:
        if self.broken:
            raise ConfigError(self.broken, hint="Mend it")
        return self.config

    def changed(self) -> bool:
        dirty, self.dirty = self.dirty, False
        return dirty

    def put(self, *deployments: Deployment) -> None:
        self.config = replace(self.config, deployments=deployments)
        self.dirty = True


@dataclass
class Bench:
    """A collector on a bench, with everything around it in reach."""

    clock: FakeClock
    writer: MemoryWriter
    asker: ScriptedAsker
    source: FixedSource
    collector: Collector | None = None
    running: asyncio.Task[None] | None = None
    owner_alive: bool = True
    pages: Pages | None = None
    connect: Connect | None = None

    async def start(
        self,
        *deployments: Deployment,
        most_in_flight: int = 64,
        per_host: int = 1_000,
    ) -> None:
        # Without jitter, so that tests can say when a slot is.
        settings = CollectorSettings(jitter=0.0, in_flight=most_in_flight)
        settings = replace(settings, in_flight_per_host=per_host)
        self.source.config = replace(
            self.source.config, deployments=deployments, collector=settings
        )
        self.collector = Collector(
            self.source,
            self.source.config,
            self.writer,
            self.asker,
            pages=self.pages,
            connect=self.connect,
            clock=self.clock,
            owner_alive=lambda: self.owner_alive,
        )
        self.running = asyncio.create_task(self.collector.run())
        await settle()

    async def stop(self) -> None:
        assert self.collector is not None
        assert self.running is not None
        self.collector.stop()
        for _ in range(60):
            await self.clock.advance(0.5)
            if self.running.done():
                break
        await self.running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def writer() -> MemoryWriter:
    return MemoryWriter()


@pytest.fixture
async def bench(
    clock: FakeClock, writer: MemoryWriter, tmp_path: Path
) -> AsyncIterator[Bench]:
    source = FixedSource(Config(path=None, data_dir=tmp_path))
    made = Bench(clock, writer, ScriptedAsker(clock), source)
    yield made
    if made.running is not None and not made.running.done():
        writer.refusal = None
        await made.stop()


# --- a real endpoint -----------------------------------------------------------------


class Endpoint(ThreadingHTTPServer):
    """Answers as the Platform's dedicated endpoints do; ``status`` may be changed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.answered = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        self._say({"status": "healthy"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        box = {"x1": 1, "y1": 1, "x2": 9, "y2": 9}
        found = {"name": "circle", "class": 0, "confidence": 0.9, "box": box}
        # No two real inferences take as long: an answer that repeats byte for byte is
        # told as stuck.
        took_ms = 2.0 + self.server.answered / 1_000
        speed = {"preprocess": 1.0, "inference": took_ms, "postprocess": 0.5}
        image = {"shape": [320, 320], "speed": speed, "results": [found]}
        self._say({"images": [image], "metadata": {"imageCount": 1}})

    def _say(self, body: object) -> None:
        raw = json.dumps(body).encode()
        self.server.answered += 1
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
