"""What each server calls its requests, errors, latency and queue, as data.

Owns the names of the metrics and what to leave out of them. Must not know how a page is
written, nor how counts become rates. A new server is a new entry.

Traps that are written down here, of servers that were looked at (versions in
``docs/compatibility.md``): counters end in ``_total`` but for Triton and TorchServe.
BentoML and Mosec count every path, health checks and 404 among them. KServe's
histograms mix answers with failures. Triton splits failures by ``reason``, and does not
count what callers did wrong. TorchServe counts failures for the whole server, pings and
all. Where a server tells the status, 4xx and 5xx are errors: what the callers saw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Where = tuple[tuple[str, str], ...]
"""Labels, and the expression their whole value must match. ``{model}`` and ``{path}``
stand for the deployment's own; a condition on what it does not say is left out."""


@dataclass(frozen=True, slots=True)
class Pick:
    """Series of one metric, summed. ``factor`` turns them into our unit."""

    name: str
    where: Where = ()
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Durations:
    """Counters of time and of how many it was spent on; ``sums`` come to milliseconds.

    ``buckets`` is the metric with a ``le`` label, in units of 1 ÷ ``bound`` ms.
    """

    sums: tuple[Pick, ...]
    counts: tuple[Pick, ...]
    buckets: Pick | None = None
    bound: float = 1.0

    def picks(self) -> Iterator[Pick]:
        """All there is to look up."""
        yield from (*self.sums, *self.counts)
        if self.buckets is not None:
            yield self.buckets


@dataclass(frozen=True, slots=True)
class Profile:
    """One server's page. ``title`` is how people call the server, ``source`` the page.

    ``requests`` and ``errors`` are counters; ``rate`` and ``mean_ms`` are levels, for a
    server without. ``waiting``, ``cpu`` and ``memory`` are levels, the latter 0-1.
    ``mark`` is a name that must be on a page for it to be this server's, where another
    one's has the same metrics.
    """

    name: str
    title: str
    requests: tuple[Pick, ...] = ()
    errors: tuple[Pick, ...] = ()
    latency: Durations | None = None
    queued: Durations | None = None
    waiting: tuple[Pick, ...] = ()
    rate: tuple[Pick, ...] = ()
    mean_ms: tuple[Pick, ...] = ()
    cpu: tuple[Pick, ...] = ()
    memory: tuple[Pick, ...] = ()
    mark: str = ""

    @property
    def source(self) -> str:
        """What a figure is said to be from."""
        return f"{self.title} metrics"

    def picks(self) -> Iterator[Pick]:
        """All there is to look up."""
        yield from (*self.requests, *self.errors, *self.waiting, *self.rate)
        yield from (*self.mean_ms, *self.cpu, *self.memory)
        for durations in (self.latency, self.queued):
            if durations is not None:
                yield from durations.picks()


def _histogram(name: str, factor: float, where: Where = ()) -> Durations:
    """``name_sum``, ``name_count`` and ``name_bucket``; ``factor`` makes them ms."""
    return Durations(
        (Pick(f"{name}_sum", where, factor),),
        (Pick(f"{name}_count", where),),
        Pick(f"{name}_bucket", where),
        factor,
    )


def _summary(name: str, factor: float, where: Where = ()) -> Durations:
    """As :func:`_histogram`, of a metric without buckets."""
    return Durations(
        (Pick(f"{name}_sum", where, factor),), (Pick(f"{name}_count", where),)
    )


_S: Final = 1_000.0
_US: Final = 0.001
_REFUSED: Final = "[45].."
_MODEL: Final = (("model", "{model}"),)
_MODEL_NAME: Final = (("model_name", "{model}"),)
_PATH: Final = (("endpoint", "{path}"),)
_ASKED: Final = (("method", "POST"),)
_SERVED: Final = (("route", "(?!/-/).*"),)
_OVMS: Final = (("name", "{model}"),)
# Its status and metadata calls are counted as well.
_OVMS_ASKED: Final = (*_OVMS, ("method", "ModelInfer|Predict"))

_TRITON_OK: Final = Pick("nv_inference_request_success", _MODEL)
_TRITON_BAD: Final = Pick("nv_inference_request_failure", _MODEL)
_TORCHSERVE: Final = Pick("ts_inference_requests_total", _MODEL_NAME)
_MLSERVER_OK: Final = Pick("model_infer_request_success_total", _MODEL)
_MLSERVER_BAD: Final = Pick("model_infer_request_failure_total", _MODEL)
_KSERVE: Final = Pick("request_predict_seconds_count", _MODEL_NAME)
_KSERVE_DONE: Final = Pick("request_postprocess_seconds_count", _MODEL_NAME, -1.0)
_TFS: Final = ":tensorflow:serving:"

_PROFILES: Final = (
    Profile(
        "triton",
        "Triton",
        requests=(_TRITON_OK, _TRITON_BAD),
        errors=(_TRITON_BAD,),
        latency=Durations(
            (Pick("nv_inference_request_duration_us", _MODEL, _US),), (_TRITON_OK,)
        ),
        queued=Durations(
            (Pick("nv_inference_queue_duration_us", _MODEL, _US),), (_TRITON_OK,)
        ),
        waiting=(Pick("nv_inference_pending_request_count", _MODEL),),
        cpu=(Pick("nv_cpu_utilization"),),
    ),
    Profile(
        "torchserve",
        "TorchServe",
        requests=(_TORCHSERVE,),
        # Requests5XX is of the whole host, its pings and other models included: over
        # one model's requests it would be no rate of errors.
        latency=Durations(
            (Pick("ts_inference_latency_microseconds", _MODEL_NAME, _US),),
            (_TORCHSERVE,),
        ),
        queued=Durations(
            (Pick("ts_queue_latency_microseconds", _MODEL_NAME, _US),), (_TORCHSERVE,)
        ),
        cpu=(Pick("CPUUtilization", (), 0.01),),
        memory=(Pick("MemoryUtilization", (), 0.01),),
    ),
    Profile(
        "bentoml",
        "BentoML",
        requests=(Pick("bentoml_service_request_total", _PATH),),
        errors=(
            Pick(
                "bentoml_service_request_total",
                (*_PATH, ("http_response_code", _REFUSED)),
            ),
        ),
        latency=_histogram("bentoml_service_request_duration_seconds", _S, _PATH),
    ),
    Profile(
        "mlserver",
        "MLServer",
        requests=(_MLSERVER_OK, _MLSERVER_BAD),
        errors=(_MLSERVER_BAD,),
        latency=_summary("model_infer_request_duration", _S, _MODEL),
    ),
    Profile(
        "kserve",
        "KServe",
        requests=(_KSERVE,),
        # What was predicted and not sent on has failed.
        errors=(_KSERVE, _KSERVE_DONE),
        latency=_histogram("request_predict_seconds", _S, _MODEL_NAME),
    ),
    Profile(
        "ray-serve",
        "Ray Serve",
        requests=(Pick("ray_serve_num_http_requests_total", _SERVED),),
        errors=(Pick("ray_serve_num_http_error_requests_total", _SERVED),),
        latency=_histogram("ray_serve_http_request_latency_ms", 1.0, _SERVED),
        waiting=(Pick("ray_serve_deployment_queued_queries"),),
    ),
    Profile(
        "mosec",
        "Mosec",
        requests=(Pick("mosec_service_throughput_total", _PATH),),
        errors=(Pick("mosec_service_throughput_total", (*_PATH, ("code", _REFUSED))),),
        latency=_histogram(
            "mosec_service_process_duration_second", _S, (("stage", "total"),)
        ),
        waiting=(Pick("mosec_service_remaining_task"),),
    ),
    Profile(
        "roboflow",
        "Roboflow",
        # No counter: it holds the last ten seconds. But nobody else has it.
        mark="num_inferences_total",
        requests=(Pick("http_requests_total", _ASKED),),
        errors=(Pick("http_requests_total", (*_ASKED, ("status", _REFUSED))),),
        latency=_histogram("http_request_duration_seconds", _S, _ASKED),
    ),
    Profile(
        "http",
        "server",
        requests=(Pick("http_requests_total", _ASKED),),
        errors=(Pick("http_requests_total", (*_ASKED, ("status", _REFUSED))),),
        latency=_histogram("http_request_duration_seconds", _S, _ASKED),
    ),
    Profile(
        "openvino",
        "OpenVINO Model Server",
        requests=(
            Pick("ovms_requests_success", _OVMS_ASKED),
            Pick("ovms_requests_fail", _OVMS_ASKED),
        ),
        errors=(Pick("ovms_requests_fail", _OVMS_ASKED),),
        latency=_histogram("ovms_request_time_us", _US, _OVMS),
        queued=_summary("ovms_wait_for_infer_req_time_us", _US, _OVMS),
    ),
    Profile(
        "tf-serving",
        "TensorFlow Serving",
        requests=(Pick(f"{_TFS}request_count", _MODEL_NAME),),
        errors=(Pick(f"{_TFS}request_count", (*_MODEL_NAME, ("status", "(?!OK$).*"))),),
        latency=_histogram(f"{_TFS}request_latency", _US, _MODEL_NAME),
    ),
    Profile(
        "frigate",
        "Frigate",
        rate=(Pick("frigate_detection_total_fps"),),
        mean_ms=(Pick("frigate_detector_inference_speed_seconds", (), _S),),
    ),
)

PROFILES: Final = {profile.name: profile for profile in _PROFILES}
"""All of them, by the name a preset uses."""
