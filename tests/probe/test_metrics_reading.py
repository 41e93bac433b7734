"""From two pages to the traffic between them: every server's, restarts and gaps.

Pages named after servers are those servers' own, taken before and after five answers
and two requests that they could not read; those of OpenVINO, TensorFlow Serving,
Roboflow and Frigate are written from their documentation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.config.presets import shipped
from yolotop.config.schema import DIALECTS, METRICS_PROFILES
from yolotop.model import Deployment
from yolotop.model.preset import Preset, Question
from yolotop.model.traffic import Timing, Traffic, merged, quantile
from yolotop.probe.metrics.profiles import PROFILES
from yolotop.probe.metrics.reading import (
    Reading,
    between,
    following,
    profile_of,
    reading,
)

PAGES = Path(__file__).parent / "pages"
AT = 1_790_000_000.0
ASKED_AT = {"bentoml": "/predict", "mosec": "/inference"}


def deployment(name: str = "edge", *, model: str | None = "shapes") -> Deployment:
    path = ASKED_AT.get(name, "/elsewhere")
    return Deployment(
        name, "http://edge", model=model, preset=Preset(question=Question(path=path))
    )


def counted(name: str, *, model: str | None = "shapes") -> Traffic:
    first, second = (
        reading((PAGES / f"{name}-{i}.txt").read_bytes(), PROFILES[name], 15.0 * i)
        for i in (1, 2)
    )
    found = between(first, second, deployment(name, model=model), at=AT, most_s=60)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "requests", "errors"),
    [
        # A request that cannot be read is none to the first three.
        ("triton", 5, 0),
        ("kserve", 5, 0),
        ("mlserver", 5, 0),
        ("torchserve", 7, None),
        ("bentoml", 7, 2),
        ("mosec", 7, 2),
        ("ray-serve", 7, 2),
        ("openvino", 42, 2),
        ("tf-serving", 20, 4),
        ("roboflow", 9, 1),
        ("frigate", 63, None),
    ],
)
def test_what_each_server_counted(
    name: str, requests: float, errors: float | None
) -> None:
    found = counted(name)
    assert found.requests == pytest.approx(requests)
    assert found.errors == errors
    assert (found.at, found.span_s) == (AT - 15, 15)
    assert found.source == PROFILES[name].source
    assert found.latency is not None
    assert found.latency.mean_ms is not None
    assert 2 < found.latency.mean_ms < 1_000, "in milliseconds, whatever it counts in"


def test_every_profile_has_a_page() -> None:
    assert {path.name.removesuffix("-1.txt") for path in PAGES.glob("*-1.txt")} == {
        name for name in PROFILES if name != "http"
    }


@pytest.mark.parametrize("name", sorted(PROFILES.keys() - {"http"}))
def test_a_page_tells_whose_it_is(name: str) -> None:
    """Roboflow's is one of the middleware's that FastAPI apps use."""
    body = (PAGES / f"{name}-2.txt").read_bytes()
    assert profile_of(body) is PROFILES[name]


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_every_preset_with_a_page_names_how_it_is_read(name: str) -> None:
    metrics = shipped(name).metrics
    assert metrics is None or (metrics.path and metrics.profile in PROFILES)


def test_a_page_of_nobody_known() -> None:
    assert profile_of(b"# TYPE up gauge\nup 1\n") is None


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("bentoml", 50, 100), ("mosec", 32, 64), ("kserve", 25, 50), ("openvino", 10, 20)],
)
def test_a_histogram_gives_a_p95(name: str, low: float, high: float) -> None:
    p95_ms = counted(name).bucket_p95_ms
    assert p95_ms is not None
    assert low < p95_ms <= high


@pytest.mark.parametrize("name", ["triton", "torchserve", "openvino"])
def test_the_queue_is_a_part_of_the_latency(name: str) -> None:
    found = counted(name)
    assert found.latency is not None
    assert found.queued is not None
    assert 0 < found.queued.sum_ms < found.latency.sum_ms
    assert found.queued.count == found.latency.count


def test_other_models_of_the_server_are_not_ours() -> None:
    assert counted("triton", model="shapes_e2e").requests == 0
    assert counted("triton", model=None).requests == 5
    assert counted("openvino", model="other").requests == 0
    assert counted("openvino", model="unheard").requests is None


def test_levels() -> None:
    assert counted("triton").waiting == 0
    assert counted("triton").cpu == 1.0
    assert counted("torchserve").cpu == 1.0
    assert counted("torchserve").memory == pytest.approx(0.051)
    frigate = counted("frigate").latency
    assert frigate is not None
    assert frigate.mean_ms == pytest.approx(10.0)


# --- restarts, gaps, series that come and go -----------------------------------------


def triton(ok: float, bad: float = 0.0, us: float = 0.0, at: float = 0.0) -> Reading:
    body = (
        f'nv_inference_request_success{{model="shapes",version="1"}} {ok}\n'
        f'nv_inference_request_failure{{model="shapes",reason="OTHER"}} {bad}\n'
        f'nv_inference_request_duration_us{{model="shapes"}} {us}\n'
    )
    return reading(body.encode(), PROFILES["triton"], at)


def test_a_restart_counts_from_zero() -> None:
    found = between(
        triton(1_000, 3, 5e6), triton(7, 1, 7e4, at=15), deployment(), at=AT, most_s=60
    )
    assert found is not None
    assert (found.requests, found.errors) == (8, 1)
    assert found.latency == Timing(70.0, 7)


def test_a_restart_that_counters_hide_is_told_by_the_process() -> None:
    def mosec(count: int, born: int, clock_s: float) -> Reading:
        body = (
            f"process_start_time_seconds {born}\n"
            f'mosec_service_throughput_total{{code="200",endpoint="/x"}} {count}\n'
        )
        return reading(body.encode(), PROFILES["mosec"], clock_s)

    asked = deployment(model=None)
    before = mosec(10, 1_790_000_000, 0)
    for born, requests in ((1_790_000_000, 2), (1_790_000_060, 12)):
        after = mosec(12, born, 15)
        body_path = Preset(question=Question(path="/x"))
        named = Deployment(asked.name, asked.url, preset=body_path)
        found = between(before, after, named, at=AT, most_s=60)
        assert found is not None
        assert found.requests == requests


@pytest.mark.parametrize("clock_s", [0.0, -1.0, 60.1])
def test_a_gap_is_a_gap(clock_s: float) -> None:
    after = triton(9, at=clock_s)
    assert between(triton(5), after, deployment(), at=AT, most_s=60) is None


def test_a_replica_that_comes_back_is_not_counted_anew() -> None:
    def ray(**counts: int) -> Reading:
        body = "# TYPE x counter\n" + "".join(
            f'ray_serve_num_http_requests_total{{route="/",replica="{name}"}} {count}\n'
            for name, count in counts.items()
        )
        return reading(body.encode(), PROFILES["ray-serve"], next(clock))

    clock = iter(range(0, 150, 15))
    steps = [ray(a=100, b=5_000), ray(a=101), ray(a=103), ray(a=104, b=5_003)]
    before, requests = steps[0], []
    for page in steps[1:]:
        found = between(before, page, deployment(), at=AT, most_s=60)
        assert found is not None
        requests.append(found.requests)
        before = following(before, page)
    assert requests == [1, 2, 4]


def test_health_paths_are_no_traffic() -> None:
    body = (PAGES / "bentoml-2.txt").read_text().replace('"/predict"', '"/readyz"')
    page = reading(body.encode(), PROFILES["bentoml"], 30)
    first = reading((PAGES / "bentoml-1.txt").read_bytes(), PROFILES["bentoml"], 15)
    found = between(first, page, deployment("bentoml"), at=AT, most_s=60)
    assert found is not None
    assert found.requests is None


@dataclass
class Server:
    """Counts as a real one does, and forgets it all when it starts anew."""

    ok: int = 0
    bad: int = 0
    us: float = 0.0
    clock_s: float = 0.0
    pages: list[Reading] = field(default_factory=list)

    def page(self) -> Reading:
        return triton(self.ok, self.bad, self.us, at=self.clock_s)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 500),  # answers
        st.integers(0, 50),  # failures
        st.booleans(),  # started anew before them
        st.sampled_from([1.0, 15.0, 15.0, 59.9, 61.0, 3_600.0]),  # until the next page
    ),
    max_size=30,
)


@given(STEPS)
def test_rates_are_what_happened(steps: list[tuple[int, int, bool, float]]) -> None:
    """Never negative, never more than was served; all of it where nothing restarts."""
    server = Server()
    before = server.page()
    for ok, bad, anew, wait_s in steps:
        if anew:
            server.ok, server.bad, server.us = 0, 0, 0.0
        server.ok += ok
        server.bad += bad
        server.us += ok * 10_000
        server.clock_s += wait_s
        after = server.page()
        found = between(before, after, deployment(), at=AT, most_s=60)
        before = following(before, after)
        if wait_s > 60:
            assert found is None
            continue
        assert found is not None
        assert found.requests is not None
        assert found.errors is not None
        assert 0 <= found.errors <= bad
        assert 0 <= found.requests <= ok + bad
        assert found.per_s == pytest.approx(found.requests / wait_s)
        if not anew:
            assert (found.requests, found.errors) == (ok + bad, bad)
            if ok:
                assert found.latency is not None
                assert found.latency.mean_ms == pytest.approx(10.0)


# --- many spans as one ---------------------------------------------------------------


@given(
    st.lists(st.floats(0.1, 5_000), min_size=1, max_size=200),
    st.sampled_from([0.5, 0.95, 0.99]),
)
def test_a_quantile_lies_in_the_bucket_of_the_true_one(
    values: list[float], q: float
) -> None:
    bounds = [5.0, 10.0, 25.0, 50.0, 100.0, 1_000.0, 10_000.0]
    cells = []
    for low, high in zip([0.0, *bounds], bounds, strict=False):
        cells.append((high, float(sum(low < value <= high for value in values))))
    true = sorted(values)[max(0, math.ceil(len(values) * q) - 1)]
    guess = quantile(tuple(cells), q)
    assert guess is not None
    low = max((bound for bound in (0.0, *bounds) if bound < true), default=0.0)
    high = min(bound for bound in bounds if bound >= true)
    assert low <= guess <= high


def test_an_endless_bucket_says_no_more_than_its_beginning() -> None:
    assert quantile(((10.0, 1.0), (float("inf"), 99.0)), 0.95) == 10.0
    assert quantile((), 0.95) is None
    assert quantile(((10.0, 0.0),), 0.95) is None


def test_spans_add_up_and_levels_are_weighed() -> None:
    one = Traffic(
        *("edge", "Triton", AT, 60.0, 60.0, 3.0, Timing(600.0, 60), Timing(6, 60)),
        buckets=((10.0, 50.0), (20.0, 10.0)),
        p95_ms=10.0,
        waiting=1,
        cpu=0.2,
    )
    two = Traffic(
        *("edge", "Triton", AT + 120, 30.0, 20.0, 1.0, Timing(400.0, 20), None),
        buckets=((20.0, 5.0), (50.0, 15.0)),
        p95_ms=50.0,
        waiting=4,
        cpu=0.5,
        instances=2,
    )
    both = merged([two, one])
    assert both is not None
    assert (both.at, both.span_s, both.requests, both.errors) == (AT, 90.0, 80.0, 4.0)
    assert both.error_rate == 0.05
    assert both.latency == Timing(1_000.0, 80)
    assert both.buckets == ((10.0, 50.0), (20.0, 15.0), (50.0, 15.0))
    assert both.p95_ms == 20.0
    assert (both.waiting, both.instances) == (4, 2)
    assert both.cpu == pytest.approx(0.3)
    assert merged([]) is None


def test_a_page_of_the_usual_middleware_is_nobodys_in_particular() -> None:
    """prometheus-fastapi-instrumentator's names, which Roboflow's page has too."""
    found = profile_of(b'http_requests_total{method="POST",status="2xx"} 7\n')
    assert found is not None
    assert found.source == "server metrics"


def test_the_configuration_knows_every_profile() -> None:
    """Listed there too, since what reads the file must not import what probes."""
    assert tuple(PROFILES) == METRICS_PROFILES
