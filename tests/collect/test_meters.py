"""Real traffic between the probes: when pages are read, what is kept, what is told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from yolotop.collect.clock import sleep
from yolotop.collect.collector import Collector
from yolotop.collect.meters import RETRY_S, Fold
from yolotop.config.schema import CollectorSettings, Config
from yolotop.model import Deployment, Outcome, ProbeKind, Severity, Traffic
from yolotop.model.preset import Metrics, Preset
from yolotop.probe.metrics.scrape import NoPage, Scraper
from yolotop.probe.prober import Prober
from yolotop.store.open import open_reader, open_writer
from yolotop.store.protocol import COARSE_SLOT_S, TRAFFIC_S

if TYPE_CHECKING:
    from tests.collect.conftest import Bench, FakeClock, MemoryWriter

PRESET = Preset(metrics=Metrics(":8002/metrics", "triton"))
EDGE = Deployment("edge", "http://edge:8000", preset=PRESET, interval_s=15.0)


@dataclass
class ScriptedPages:
    """A server that answers ten requests a second, one in a hundred badly."""

    clock: FakeClock
    took_s: float = 0.01
    fetched: list[tuple[float, str, str]] = field(default_factory=list)
    ended: int = 0
    refusal: str = ""
    body: bytes | None = None
    restarted_at: float = 0.0

    async def fetch(self, deployment: Deployment, url: str) -> bytes:
        self.fetched.append((self.clock.monotonic(), deployment.name, url))
        await sleep(self.clock, self.took_s)
        self.ended += 1
        if self.refusal:
            raise NoPage(self.refusal)
        if self.body is not None:
            return self.body
        lived_s = self.clock.boottime() - self.restarted_at
        return (
            f'nv_inference_request_success{{model="m"}} {lived_s * 9.9:.3f}\n'
            f'nv_inference_request_failure{{model="m"}} {lived_s * 0.1:.3f}\n'
            f'nv_inference_request_duration_us{{model="m"}} {lived_s * 9.9 * 2e4:.0f}\n'
            f'nv_inference_pending_request_count{{model="m"}} 2\n'
        ).encode()


@pytest.fixture
def pages(bench: Bench) -> ScriptedPages:
    made = ScriptedPages(bench.clock)
    bench.pages = made
    return made


def minutes(writer: MemoryWriter) -> dict[float, Traffic]:
    """The last state of each row of a minute, by its start."""
    return {row.at: row for row in writer.traffic if row.width_s == TRAFFIC_S}


async def test_what_a_server_counts_becomes_minutes_and_hours(
    bench: Bench, pages: ScriptedPages
) -> None:
    await bench.start(EDGE)
    await bench.clock.advance(1_800)
    await bench.stop()
    rows = minutes(bench.writer)
    assert 28 <= len(rows) <= 31, "one a minute at most"
    for row in list(rows.values())[:-1]:
        assert row.deployment == "edge"
        assert row.source == "Triton metrics"
        assert 44 <= row.span_s <= 63
        assert row.per_s == pytest.approx(10, abs=0.05)
        assert row.error_rate == pytest.approx(0.01, abs=0.001)
        assert row.latency is not None
        assert row.latency.mean_ms == pytest.approx(20, rel=0.01)
        assert row.waiting == 2
    ends = [(row.at, row.end_at) for row in rows.values()]
    for (_, end_at), (at, _) in pairwise(ends):
        assert at == pytest.approx(end_at, abs=0.001), "nothing twice, nothing left out"
    hours = [row for row in bench.writer.traffic if row.width_s == COARSE_SLOT_S]
    assert len({row.at for row in hours}) == 1
    assert hours[-1].requests == pytest.approx(10 * hours[-1].span_s, rel=0.001)
    assert hours[-1].span_s > 1_700
    assert len(hours) == len(rows), "the hour once a minute"
    assert {url for _, _, url in pages.fetched} == {"http://edge:8002/metrics"}


async def test_pages_come_as_often_as_liveness_is_asked_and_never_beside_a_probe(
    bench: Bench, pages: ScriptedPages
) -> None:
    pages.took_s = 0.4
    await bench.start(replace(EDGE, predict_interval_s=20.0))
    await bench.clock.advance(900)
    times = [at for at, _, _ in pages.fetched]
    assert len(times) == pytest.approx(60, abs=8)
    for probe in bench.asker.times("edge"):
        beside = [at for at in times if probe < at < probe + bench.asker.took_s]
        assert not beside


async def test_a_probe_never_waits_for_a_page(
    bench: Bench, pages: ScriptedPages
) -> None:
    """As if there were no pages, though one that hangs is always on its way."""
    await bench.start(EDGE)
    await bench.clock.advance(600)
    fast = bench.asker.times("edge")
    await bench.stop()
    bench.asker.asked.clear()
    pages.took_s = 1e6
    began, bench.clock.elapsed = bench.clock.elapsed, 0.0
    assert began
    bench.clock._timers.clear()
    pages.ended = 0
    await bench.start(EDGE)
    await bench.clock.advance(600)
    assert bench.asker.times("edge") == fast
    assert pages.ended == 0
    assert len(pages.fetched) > 30


async def test_a_restart_is_no_dip_and_a_page_that_fails_leaves_a_gap(
    bench: Bench, pages: ScriptedPages
) -> None:
    await bench.start(EDGE)
    await bench.clock.advance(200)
    pages.restarted_at = bench.clock.boottime()
    await bench.clock.advance(200)
    pages.refusal = "connection refused"
    await bench.clock.advance(200)
    pages.refusal = ""
    await bench.clock.advance(800)
    await bench.stop()
    rows = list(minutes(bench.writer).values())
    for row in rows:
        assert row.per_s is not None
        assert 0 <= row.per_s <= 10.1
    spans = [(row.at, row.end_at) for row in rows]
    holes = [b[0] - a[1] for a, b in pairwise(spans)]
    assert len([hole for hole in holes if hole > 1]) == 1


async def test_a_sleep_is_no_rush(bench: Bench, pages: ScriptedPages) -> None:
    """Six hours of traffic were not served in the fifteen seconds that we saw of it."""
    await bench.start(EDGE)
    await bench.clock.advance(200)
    bench.clock.slept += 6 * 3_600
    await bench.clock.advance(400)
    await bench.stop()
    rates = [row.per_s or 0.0 for row in minutes(bench.writer).values()]
    assert max(rates) < 10.1
    assert len(rates) > 6


async def test_what_is_wrong_is_told_once(bench: Bench, pages: ScriptedPages) -> None:
    pages.refusal = "HTTP 404"
    await bench.start(EDGE)
    await bench.clock.advance(3_600)
    asked = len(pages.fetched)
    # Four times soon after each other, then left in peace.
    assert asked == pytest.approx(3_600 / RETRY_S + 4, abs=1)
    pages.refusal = ""
    await bench.clock.advance(600)
    await bench.stop()
    told = [event for event in bench.writer.events if event.kind.value == "metrics"]
    assert [event.message for event in told] == [
        "its metrics cannot be read at http://edge:8002/metrics: HTTP 404",
        "its metrics are read again",
    ]
    assert {event.severity for event in told} == {Severity.INFO}
    assert {event.deployment for event in told} == {"edge"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "no page of metrics"),
        (b"# TYPE up gauge\nup 1\n", "nothing on the page"),
        (b"nv_inference_request_success{ 3\n", "not as metrics are written"),
    ],
)
async def test_an_address_by_hand_that_is_none_is_a_warning(
    bench: Bench, pages: ScriptedPages, body: bytes, said: str
) -> None:
    pages.body = body
    await bench.start(Deployment("edge", "http://e", metrics_url="http://k:pw@e/m"))
    await bench.clock.advance(120)
    await bench.stop()
    [told] = [event for event in bench.writer.events if event.kind.value == "metrics"]
    assert told.severity is Severity.WARNING
    assert said in told.message
    assert "pw" not in told.message


async def test_nothing_is_read_of_what_is_paused_unreachable_or_has_no_page(
    bench: Bench, pages: ScriptedPages
) -> None:
    bench.asker.scripts["down"] = [Outcome.FAILED]
    await bench.start(
        replace(EDGE, name="paused", paused=True),
        replace(EDGE, name="down"),
        replace(EDGE, name="off", metrics_url=""),
        Deployment("plain", "http://plain"),
    )
    await bench.clock.advance(300)
    assert pages.fetched == []


async def test_an_edit_begins_anew(bench: Bench, pages: ScriptedPages) -> None:
    await bench.start(EDGE)
    await bench.clock.advance(300)
    other = Metrics("/metrics", "triton")
    bench.source.put(replace(EDGE, preset=Preset(metrics=other)))
    await bench.clock.advance(300)
    bench.source.put()
    await bench.clock.advance(2)
    before = len(pages.fetched)
    await bench.clock.advance(300)
    await bench.stop()
    assert len(pages.fetched) == before
    assert {url for _, _, url in pages.fetched} == {
        "http://edge:8002/metrics",
        "http://edge:8000/metrics",
    }


async def test_without_a_liveness_question_the_page_comes_with_predictions(
    bench: Bench, pages: ScriptedPages
) -> None:
    silent = Preset(liveness=None, metrics=PRESET.metrics)
    await bench.start(replace(EDGE, preset=silent, predict_interval_s=60.0))
    await bench.clock.advance(600)
    assert len(pages.fetched) == pytest.approx(10, abs=1)
    assert not bench.asker.times("edge", ProbeKind.HEALTH)


def test_a_row_ends_with_its_width_or_before_a_gap() -> None:
    def span(at: float, span_s: float = 15.0) -> Traffic:
        return Traffic("edge", "Triton", at, span_s, 1.0)

    fold = Fold(60)
    begun = [fold.add(span(at))[1] for at in (0, 15, 30, 45, 60, 75, 100, 115)]
    assert begun == [True, False, False, False, True, False, True, False]
    [row, begins] = fold.add(span(130, 600.0))
    assert begins
    assert row.span_s == 600.0


# --- a real server, a real store -----------------------------------------------------


class Counting(ThreadingHTTPServer):
    """Answers, and counts as BentoML does: health checks too."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.counts: dict[str, int] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Counting

    def do_GET(self) -> None:
        if self.path == "/metrics":
            lines = [
                f'bentoml_service_request_total{{endpoint="{path}",'
                f'http_response_code="200"}} {count}'
                for path, count in self.server.counts.items()
            ]
            self._say("text/plain; version=0.0.4", "# TYPE x counter\n", *lines)
        else:
            self._say("application/json", "{}")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say("application/json", json.dumps({"results": []}))

    def _say(self, kind: str, *text: str) -> None:
        counts = self.server.counts
        counts[self.path] = counts.get(self.path, 0) + 1
        raw = "\n".join((*text, "")).encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def counting() -> Iterator[Counting]:
    with Counting() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
async def collecting(
    counting: Counting, tmp_path: Path
) -> AsyncIterator[tuple[Collector, Path]]:
    deployment = Deployment(
        "edge",
        counting.url,
        interval_s=0.2,
        predict_interval_s=0.3,
        preset=Preset(metrics=Metrics("/metrics", "bentoml")),
    )
    settings = CollectorSettings(jitter=0.0)
    config = Config(None, tmp_path, deployments=(deployment,), collector=settings)
    writer = await open_writer(tmp_path)
    prober = Prober(secret=lambda _: "")
    scraper = Scraper(secret=lambda _: "")
    collector = Collector(_Fixed(config), config, writer, prober, pages=scraper)
    running = asyncio.create_task(collector.run())
    yield collector, tmp_path
    collector.stop()
    await running
    await prober.aclose()
    await scraper.aclose()
    await writer.close()


@dataclass
class _Fixed:
    config: Config

    def load(self) -> Config:
        return self.config

    def changed(self) -> bool:
        return False


async def test_from_a_real_page_to_the_store(
    collecting: tuple[Collector, Path], counting: Counting
) -> None:
    reader = await open_reader(collecting[1])
    try:
        async with asyncio.timeout(20):
            while True:
                found = await reader.traffic_newest()
                if found and (found[0].requests or 0) >= 3:
                    break
                await asyncio.sleep(0.05)
        [row] = found
        assert row.source == "BentoML metrics"
        assert row.errors == 0
        assert row.requests is not None
        assert 3 <= row.requests <= counting.counts["/predict"]
        assert counting.counts["/health"] > 1
    finally:
        await reader.close()
