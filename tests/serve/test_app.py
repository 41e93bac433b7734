"""The endpoint contract over real sockets: fields, answers, key, capacity, time."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from yolotop.probe import frames
from yolotop.serve.app import create_app
from yolotop.serve.engine import Engine, Prediction, Speed
from yolotop.serve.wire import Defaults, FieldError

Live = Callable[[Any], httpx.Client]
FRAME = frames.synthetic(3)
FILES = {"file": ("frame.jpg", FRAME.data, "image/jpeg")}


class Gated:
    """An engine that answers nothing until it is let go."""

    name, task, class_names = "gated", "detect", ("thing",)
    version: dict[str, str] = {}  # noqa: RUF012 - the protocol's type

    def __init__(self) -> None:
        self.entered, self.go = threading.Semaphore(0), threading.Event()

    def predict(
        self, image_bytes: bytes, *, conf: float, iou: float, imgsz: int | None
    ) -> Prediction:
        self.entered.release()
        assert self.go.wait(20)
        return Prediction((1, 1), (), Speed(0, 0, 0))


class Broken(Gated):
    """An engine with a bug."""

    def predict(
        self, image_bytes: bytes, *, conf: float, iou: float, imgsz: int | None
    ) -> Prediction:
        raise RuntimeError("secret detail")


@pytest.fixture
def client(live: Live, shapes: Engine) -> httpx.Client:
    return live(create_app(shapes))


def results(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["images"][0]["results"]
    return found


def test_the_answer_has_every_field_of_the_contract(client: httpx.Client) -> None:
    document = client.post("/predict", files=FILES).json()
    assert set(document) == {"images", "metadata"}
    (image,) = document["images"]
    assert image["shape"] == [320, 320]
    assert set(image["speed"]) == {"preprocess", "inference", "postprocess"}
    assert all(0 < ms < 10_000 for ms in image["speed"].values())
    for item in image["results"]:
        assert set(item) == {"name", "class", "confidence", "box"}
        assert set(item["box"]) == {"x1", "y1", "x2", "y2"}
    about = document["metadata"]
    assert about["imageCount"] == 1
    assert about["task"] == "detect"
    assert about["model"] == "shapes"
    assert about["classNames"] == list(frames.SHAPES)
    assert {"onnxruntime", "python", "weights"} <= set(about["version"])
    assert len(about["version"]["weights"]) == 12
    # Seconds, though speed is milliseconds.
    stages_s = sum(image["speed"].values()) / 1000
    assert stages_s - 1e-4 <= about["functionTimeCall"] < 10


def test_what_was_drawn_is_answered(client: httpx.Client) -> None:
    names = sorted(r["name"] for r in results(client.post("/predict", files=FILES)))
    assert names == sorted(d.label for d in FRAME.drawn or ())


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,", " \n"])
def test_source_takes_base64(client: httpx.Client, prefix: str) -> None:
    text = prefix + base64.b64encode(FRAME.data).decode()
    answer = client.post("/predict", data={"source": text})
    assert results(answer) == results(client.post("/predict", files=FILES))


def test_source_may_exceed_a_megabyte(client: httpx.Client) -> None:
    # JPEG ends at its end marker: what follows is ignored, and makes the field long.
    text = base64.b64encode(FRAME.data + b"\0" * 1_500_000).decode()
    assert results(client.post("/predict", data={"source": text}))


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/x.jpg", "https://a/b.png", "file:///etc/passwd", "S3://b"],
)
def test_urls_are_refused_with_the_reason(client: httpx.Client, url: str) -> None:
    answer = client.post("/predict", data={"source": url})
    assert answer.status_code == 400
    assert "does not fetch" in answer.json()["detail"]


def test_conf_is_a_threshold(client: httpx.Client) -> None:
    def count(conf: float) -> int:
        return len(results(client.post("/predict", files=FILES, data={"conf": conf})))

    assert count(1.0) == 0
    assert count(0.01) >= count(0.25) == len(FRAME.drawn or ())


def test_normalize_gives_fractions(client: httpx.Client) -> None:
    pixels = results(client.post("/predict", files=FILES))
    parts = results(client.post("/predict", files=FILES, data={"normalize": "true"}))
    for pixel, part in zip(pixels, parts, strict=True):
        for corner, value in part["box"].items():
            assert 0 <= value <= 1
            assert value * 320 == pytest.approx(pixel["box"][corner], abs=0.01)


@pytest.mark.parametrize("decimals", [0, 2, 10])
def test_decimals_round(client: httpx.Client, decimals: int) -> None:
    data = {"decimals": decimals}
    for item in results(client.post("/predict", files=FILES, data=data)):
        for value in [item["confidence"], *item["box"].values()]:
            assert value == round(value, decimals)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("conf", ["0.009", "1.01", "nan", "inf", "x", "", "-1", "1e400"]),
        ("iou", ["-0.1", "0.96", "nan", "half"]),
        ("imgsz", ["31", "1281", "64.5", "-32", "1_00", "9" * 5000, "٣٢٠"]),
        ("decimals", ["-1", "11", "2.5", ""]),
        ("normalize", ["maybe", "2", ""]),
    ],
)
def test_ranges_are_kept(client: httpx.Client, field: str, values: list[str]) -> None:
    for value in values:
        answer = client.post("/predict", files=FILES, data={field: value})
        assert answer.status_code == 400, (field, value, answer.text)
        assert answer.json()["detail"].startswith(f"{field} must be")


@pytest.mark.parametrize(
    "data",
    [
        {"conf": "0.01"},
        {"conf": "1.0"},
        {"iou": "0"},
        {"iou": "0.95"},
        {"imgsz": "32"},
        {"imgsz": "1280"},
        {"decimals": "10", "normalize": "FALSE"},
        {"vid_stride": "1", "bits": "8", "unheard": "of"},
    ],
)
def test_ends_of_ranges_and_unknown_fields_pass(
    client: httpx.Client, data: dict[str, str]
) -> None:
    assert client.post("/predict", files=FILES, data=data).status_code == 200


def test_defaults_can_be_set_and_are_checked(live: Live, shapes: Engine) -> None:
    strict = live(create_app(shapes, defaults=Defaults(conf=1.0)))
    assert results(strict.post("/predict", files=FILES)) == []
    assert results(strict.post("/predict", files=FILES, data={"conf": 0.5}))
    with pytest.raises(FieldError, match="imgsz"):
        Defaults(imgsz=31)


def test_the_key_guards_predict_only(live: Live, shapes: Engine) -> None:
    client = live(create_app(shapes, api_key="clé-1"))
    for path in ("/", "/health", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 200
    none = client.post("/predict", files=FILES)
    assert none.status_code == 401
    assert none.headers["www-authenticate"] == "Bearer"
    assert "needed" in none.json()["detail"]
    key = "clé-1".encode()
    for bad in (b"Bearer no", b"Bearer " + key[:-1], b"Basic " + key, key, b"Bearer"):
        refused = client.post("/predict", files=FILES, headers={b"Authorization": bad})
        assert refused.status_code == 401
        assert key.decode() not in refused.text
    ok = client.post(
        "/predict", files=FILES, headers={b"Authorization": b"bearer " + key}
    )
    assert ok.status_code == 200


def test_the_reference_names_fields_key_and_answers(live: Live, shapes: Engine) -> None:
    client = live(create_app(shapes, api_key="k"))
    document = client.get("/openapi.json").json()
    operation = document["paths"]["/predict"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert {"file", "source", "conf", "iou", "imgsz"} <= set(form["properties"])
    assert {"400", "401", "413", "429"} <= set(operation["responses"])
    (scheme,) = operation["security"]
    assert set(scheme) <= set(document["components"]["securitySchemes"])


def test_health_answers_while_the_model_is_busy(live: Live) -> None:
    engine = Gated()
    client = live(create_app(engine))
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(client.post, "/predict", files=FILES)
        assert engine.entered.acquire(timeout=10)
        health = client.get("/health")
        engine.go.set()
        assert busy.result().status_code == 200
    assert health.json()["status"] == "healthy"
    assert health.json()["model"] == "gated"


def test_a_full_queue_is_429_with_retry_after(live: Live) -> None:
    engine = Gated()
    client = live(create_app(engine, parallel=1, waiting=0, retry_after_s=2.5))
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(client.post, "/predict", files=FILES)
        assert engine.entered.acquire(timeout=10)
        refused = client.post("/predict", files=FILES)
        engine.go.set()
        assert busy.result().status_code == 200
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "3"
    assert "capacity" in refused.json()["detail"]
    assert client.post("/predict", files=FILES).status_code == 200


def test_a_bug_is_500_and_tells_nothing(live: Live) -> None:
    client = live(create_app(Broken()))
    answer = client.post("/predict", files=FILES)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert set(answer.json()) == {"detail"}
    assert client.get("/health").status_code == 200


def test_apps_share_an_engine_and_live_their_own_time(
    live: Live, shapes: Engine
) -> None:
    now = [100.0]
    first = live(create_app(shapes, clock=lambda: now[0]))
    now[0] = 150.0
    second = live(create_app(shapes, clock=lambda: now[0]))
    now[0] = 160.0

    def alive(client: httpx.Client) -> float:
        about = client.post("/predict", files=FILES).json()["metadata"]
        return float(about["functionTimeAlive"])

    assert (alive(first), alive(second)) == (60.0, 10.0)


def test_long_answers_are_compressed(client: httpx.Client) -> None:
    data = {"conf": 0.01, "decimals": 10}
    answer = client.post("/predict", files=FILES, data=data)
    assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get("/health").headers
