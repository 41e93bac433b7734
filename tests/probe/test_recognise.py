"""What kind of server is this: told from replies that real servers gave.

Each table of replies is what that server answers to a GET (versions beside it). They
are fakes of one page each; the real servers are asked in ``tests/peers``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

import pytest

from yolotop.config.deployment import deployment_from_table
from yolotop.model import Deployment, SecretRef
from yolotop.probe.dialects import lookup
from yolotop.probe.failures import ProbeFailure
from yolotop.probe.frames import synthetic
from yolotop.probe.recognise import MOST_ASKED, Finding, recognise

Play = Callable[..., Awaitable[int]]
Routes = Mapping[str, tuple[int, Mapping[str, str], object]]

UVICORN = {"server": "uvicorn"}
NOT_FOUND = (404, UVICORN, {"detail": "Not Found"})
NONE: Mapping[str, str] = {}


class Site:
    """A server that answers GETs from a table and remembers what it was sent."""

    def __init__(
        self, routes: Routes, otherwise: tuple[int, Mapping[str, str], object]
    ):
        self.routes = routes
        self.otherwise = otherwise
        self.heads: list[str] = []

    @property
    def paths(self) -> list[str]:
        return [head.split(" ", 2)[1] for head in self.heads]

    def answer(self, head: str) -> tuple[int, Mapping[str, str], object]:
        return self.routes.get(head.split(" ", 2)[1], self.otherwise)

    async def speak(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
            except asyncio.IncompleteReadError:
                return
            self.heads.append(head)
            status, headers, value = self.answer(head)
            body = (
                value.encode() if isinstance(value, str) else json.dumps(value).encode()
            )
            lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
            lines += [f"{name}: {text}" for name, text in headers.items()]
            writer.write("\r\n".join((*lines, "", "")).encode() + body)
            await writer.drain()


async def look(
    play: Play,
    routes: Routes,
    *,
    path: str = "",
    otherwise: tuple[int, Mapping[str, str], object] = NOT_FOUND,
    key: str = "",
) -> tuple[Finding, Site, str]:
    """Recognise a site; also returns it, and its address."""
    site = Site(routes, otherwise)
    base = f"http://127.0.0.1:{await play(site.speak)}"
    ref = SecretRef("env", "KEY") if key else None
    deployment = Deployment("d", base + path, api_key=ref)
    return await recognise(deployment, secret=lambda _: key), site, base


def triton(
    name: str = "triton", *extensions: str
) -> tuple[int, Mapping[str, str], object]:
    about = {"name": name, "version": "2.51.0", "extensions": list(extensions)}
    return 200, NONE, about


MODEL = {
    "name": "shapes",
    "versions": ["1"],
    "inputs": [{"name": "images", "datatype": "FP32", "shape": [1, 3, 160, 160]}],
    "outputs": [{"name": "output0", "datatype": "FP32", "shape": [1, 7, 525]}],
}
TENSOR = {
    "input": "images",
    "datatype": "FP32",
    "shape": [1, 3, 160, 160],
    "output": "output0",
}
FILE = {"type": "string", "contentMediaType": "application/octet-stream"}


def openapi(path: str, fields: Mapping[str, object], **info: str) -> object:
    """A page as FastAPI 0.165 makes it, the form behind a reference."""
    content = {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/Body"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "app", **info},
        "paths": {
            "/health": {"get": {}},
            path: {"post": {"requestBody": {"content": content}}},
        },
        "components": {"schemas": {"Body": {"properties": fields}}},
    }


KINDS: dict[str, tuple[Routes, dict[str, object]]] = {
    "triton": (
        {
            "/v2": triton("triton", "statistics", "binary_tensor_data"),
            "/v2/models/stats": (
                200,
                NONE,
                {"model_stats": [{"name": "shapes", "version": "1"}]},
            ),
            "/v2/models/shapes": (200, NONE, {**MODEL, "platform": "python"}),
        },
        {"model": "shapes", "tensor": {"binary": True, **TENSOR}},
    ),
    "mlserver": ({"/v2": triton("mlserver")}, {}),
    "kserve": (
        {
            "/v2": triton("kserve", "model_repository_extension"),
            "/v2/models": (200, NONE, {"models": ["shapes"]}),
            "/v2/models/shapes": (200, NONE, MODEL),
        },
        {"model": "shapes", "tensor": TENSOR},
    ),
    "openvino": ({"/v2": triton("OpenVINO Model Server")}, {}),
    "oip": ({"/v2": triton("something new")}, {}),
    "litserve": (
        {
            "/info": (
                200,
                UVICORN,
                {
                    "model": None,
                    "server": {"devices": ["cpu"], "stream": {"/detect": False}},
                },
            ),
        },
        {"request": {"path": "/detect"}},
    ),
    "roboflow": (
        {
            "/info": (
                200,
                NONE,
                {"name": "Roboflow Inference Server", "version": "1.8.3"},
            )
        },
        {},
    ),
    "bentoml": (
        {
            "/schema.json": (
                200,
                NONE,
                {
                    "name": "shapes",
                    "type": "service",
                    "routes": [
                        {"route": "/about", "input": {"properties": {}}},
                        {
                            "route": "/predict",
                            "input": {
                                "properties": {
                                    "image": {"format": "binary", "type": "file"},
                                    "conf": {"default": 0.25},
                                }
                            },
                        },
                    ],
                },
            ),
        },
        {"request": {"path": "/predict", "field": "image"}},
    ),
    "fastapi": (
        {"/openapi.json": (200, UVICORN, openapi("/detect", {"image": FILE}))},
        {"request": {"path": "/detect", "field": "image"}},
    ),
    "ultralytics": (
        {
            "/openapi.json": (
                200,
                UVICORN,
                openapi("/predict", {"file": FILE, "conf": {}, "iou": {}, "imgsz": {}}),
            )
        },
        {},
    ),
    "ray-serve": (
        {
            "/openapi.json": (200, UVICORN, openapi("/predict", {"file": FILE})),
            "/-/routes": (200, UVICORN, {"/": "shapes"}),
        },
        {},
    ),
    "mlflow": (
        {
            "/openapi.json": (
                200,
                UVICORN,
                {
                    "openapi": "3.1.0",
                    "paths": {"/invocations": {}, "/ping": {}, "/version": {}},
                },
            )
        },
        {},
    ),
    "kserve-v1": (
        {"/v1/models": (200, NONE, {"models": ["shapes"]})},
        {"model": "shapes"},
    ),
    "codeproject": ({"/v1/status/ping": (200, NONE, {"success": True})}, {}),
    "doods": ({"/detectors": (200, NONE, {"detectors": [{"name": "default"}]})}, {}),
    "frigate": ({"/api/version": (200, NONE, "0.15.0-1a2b3c4d")}, {}),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_kind_is_known_by_what_it_says(play: Play, kind: str) -> None:
    routes, settings = KINDS[kind]
    finding, site, base = await look(play, routes)
    assert finding.dialect == kind
    assert finding.settings == settings
    assert finding.url == base
    assert finding.sure
    assert finding.why
    assert len(site.heads) <= MOST_ASKED
    assert {head.split(" ", 1)[0] for head in site.heads} == {"GET"}


@pytest.mark.parametrize(
    ("kind", "otherwise"),
    [
        (
            "azureml",
            (404, {"x-ms-server-version": "azmlinfsrv/1.5.1"}, {"message": "no"}),
        ),
        ("mosec", (404, {"server": "mosec/0.9.8"}, "")),
        (
            "torchserve",
            (
                404,
                NONE,
                {"code": 404, "type": "ResourceNotFoundException", "message": "x"},
            ),
        ),
    ],
)
async def test_some_give_themselves_away_at_the_first_question(
    play: Play, kind: str, otherwise: tuple[int, Mapping[str, str], object]
) -> None:
    finding, site, _ = await look(play, {}, otherwise=otherwise)
    assert finding.dialect == kind
    assert site.paths[0] == "/v2"
    assert len(site.paths) <= 2


@pytest.mark.parametrize(
    ("path", "kind", "model"),
    [
        ("/v2/models/shapes/infer", "oip", "shapes"),
        ("/v2/models/a%20b/versions/3/infer", "oip", "a b"),
        ("/v1/models/shapes:predict", "kserve-v1", "shapes"),
        ("/predictions/shapes", "torchserve", "shapes"),
        ("/infer/object_detection", "roboflow", None),
        ("/v1/vision/detection", "codeproject", None),
        ("/invocations", "sagemaker", None),
    ],
)
async def test_a_path_says_what_an_unknown_server_does_not(
    play: Play, path: str, kind: str, model: str | None
) -> None:
    finding, _, base = await look(play, {}, path=path)
    assert (finding.dialect, finding.settings.get("model")) == (kind, model)
    assert finding.url == base
    assert not finding.sure


async def test_a_base_path_is_looked_at_first_then_the_root(play: Play) -> None:
    deep = {"/team/a/v2": triton("mlserver"), "/v2": triton("triton")}
    finding, _, base = await look(play, deep, path="/team/a/")
    assert (finding.dialect, finding.url) == ("mlserver", f"{base}/team/a")
    finding, site, base = await look(play, {"/v2": triton("triton")}, path="/x")
    assert (finding.dialect, finding.url) == ("triton", base)
    assert len(site.heads) <= MOST_ASKED


async def test_the_model_in_the_address_wins_over_a_list(play: Play) -> None:
    routes = {
        "/v2": triton("kserve"),
        "/v2/models": (200, NONE, {"models": ["a", "b"]}),
        "/v2/models/b": (200, NONE, MODEL),
    }
    finding, _, _ = await look(play, routes, path="/v2/models/b/infer")
    assert finding.settings["model"] == "b"
    assert finding.settings["tensor"] == TENSOR


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        # Triton with batches, KServe's own words, MLServer where the author says none.
        (
            {"name": "x", "datatype": "FP16", "shape": [-1, 3, -1, -1]},
            {"input": "x", "datatype": "FP16", "shape": [-1, 3, -1, -1]},
        ),
        (
            {"name": "x", "datatype": "BYTES", "shape": [-1, 1]},
            {"input": "x", "datatype": "BYTES", "shape": [-1, 1]},
        ),
        (
            {"name": "x", "datatype": "UINT8", "shape": [480, 640, 3]},
            {"input": "x", "datatype": "UINT8", "shape": [480, 640, 3]},
        ),
        ({"name": "x", "datatype": "FP32", "shape": []}, {"input": "x"}),
        # What no picture is, and what no shape is, is left to what is usual.
        ({"name": "x", "datatype": "INT64", "shape": [0, 9**9]}, {"input": "x"}),
        ({"name": "x", "datatype": 7, "shape": [1] * 9}, {"input": "x"}),
    ],
)
async def test_what_a_server_tells_of_its_tensors_can_be_registered(
    play: Play, given: dict[str, object], taken: dict[str, object]
) -> None:
    routes = {
        "/v2": triton("triton", "binary_tensor_data"),
        "/v2/models/b": (200, NONE, {**MODEL, "inputs": [given]}),
    }
    finding, _, _ = await look(play, routes, path="/v2/models/b/infer")
    found = finding.settings["tensor"]
    assert isinstance(found, dict)
    told = {"datatype": "FP32"} if given["datatype"] == "FP32" else {}
    assert found == {"binary": True, "output": "output0", **told, **taken}
    table = {"name": "a", "url": finding.url, "dialect": "triton", "model": "b"}
    asked = deployment_from_table({**table, "tensor": found})
    assert lookup("oip").predict_request(asked, synthetic(1)).body


async def test_several_models_are_left_to_a_person(play: Play) -> None:
    routes = {
        "/v2": triton("kserve"),
        "/v2/models": (200, NONE, {"models": ["a", "b"]}),
    }
    finding, _, _ = await look(play, routes)
    assert finding.models == ("a", "b")
    assert "model" not in finding.settings


async def test_a_cloud_service_is_not_woken() -> None:
    addresses = {
        "https://predict-abc123-uc.a.run.app/predict": "ultralytics",
        "https://x.westeurope.inference.ml.azure.com/score": "azureml",
        "https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/e": "sagemaker",
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p": "vertex",
        "https://serverless.roboflow.com": "roboflow",
    }
    for url, kind in addresses.items():
        finding = await recognise(Deployment("d", url), secret=lambda _: "")
        assert (finding.dialect, finding.asked) == (kind, ())


async def test_a_page_that_answers_everything_is_nothing(play: Play) -> None:
    page = (200, {"content-type": "text/html"}, "<!doctype html><title>App</title>")
    finding, site, _ = await look(play, {}, otherwise=page)
    assert finding.dialect is None
    assert not finding.sure
    assert len(site.heads) <= MOST_ASKED


async def test_health_alone_is_a_guess(play: Play) -> None:
    finding, _, _ = await look(play, {"/health": (200, NONE, {"status": "ok"})})
    assert (finding.dialect, finding.sure) == ("ultralytics", False)


async def test_a_key_that_is_wanted_is_told_and_sent_as_wanted(play: Play) -> None:
    """LitServe puts every path behind X-API-Key."""

    class Locked(Site):
        def answer(self, head: str) -> tuple[int, Mapping[str, str], object]:
            if "X-API-Key: s3cret-key" in head:
                return super().answer(head)
            wants = {"www-authenticate": "APIKey"}
            return 401, wants, {"detail": "Not authenticated"}

    info = {"server": {"devices": ["cpu"], "stream": {"/predict": False}}}
    site = Locked({"/info": (200, NONE, info)}, NOT_FOUND)
    port = await play(site.speak)
    without = Deployment("d", f"http://127.0.0.1:{port}")
    finding = await recognise(without, secret=lambda _: "")
    assert (finding.dialect, finding.wants_key) == ("litserve", "in X-API-Key")
    assert len(site.heads) == 1
    with_key = Deployment("d", without.url, api_key=SecretRef("env", "K"))
    finding = await recognise(with_key, secret=lambda _: "s3cret-key")
    assert (finding.dialect, finding.wants_key) == ("litserve", None)
    assert "s3cret-key" not in repr(finding)


async def test_torchserve_behind_a_key(play: Play) -> None:
    refusal = {"code": 400, "type": "InvalidKeyException", "message": "Token missing"}
    finding, _, _ = await look(play, {}, otherwise=(400, NONE, refusal))
    assert finding.dialect == "torchserve"
    assert finding.wants_key == "as a bearer token"


async def test_nobody_there_is_told_at_once() -> None:
    with pytest.raises(ProbeFailure, match="connection refused"):
        await recognise(Deployment("d", "http://127.0.0.1:9"), secret=lambda _: "")


async def test_hostile_words_are_cleaned(play: Play) -> None:
    nasty = "\x1b]52;c;cHduZWQ=\x07tri\u202eton"
    routes = {"/v2": triton(nasty), "/info": (200, NONE, "x")}
    finding, _, _ = await look(play, routes)
    assert "\x1b" not in repr(finding)
    assert "\u202e" not in "".join(finding.why)


async def test_what_no_server_tells_is_left_to_a_person(play: Play) -> None:
    told = {"/v2": triton("mlserver"), "/v2/models/shapes": (200, NONE, MODEL)}
    finding, _, _ = await look(play, told, path="/v2/models/shapes/infer")
    assert finding.unsaid == (
        "the names of its classes (class_names); the protocol has none",
    )
    finding, _, _ = await look(play, told)
    assert [sentence.partition(" (")[0] for sentence in finding.unsaid] == [
        "the model's name",
        "its input's shape",
        "the names of its classes",
    ]


async def test_version_1_stays_version_1_on_a_server_of_both(play: Play) -> None:
    routes = {
        "/v2": triton("kserve"),
        "/v2/models": (200, NONE, {"models": ["shapes"]}),
        "/v2/models/shapes": (200, NONE, MODEL),
    }
    finding, site, _ = await look(play, routes, path="/v1/models/shapes:predict")
    assert (finding.dialect, finding.settings) == ("kserve-v1", {"model": "shapes"})
    assert "/v2/models/shapes" not in site.paths
    assert any("request.field" in sentence for sentence in finding.unsaid)


async def test_a_model_that_takes_pictures_takes_one(play: Play) -> None:
    entry = {"name": "image", "datatype": "BYTES", "shape": [-1, 1]}
    back = {"name": "detections", "datatype": "BYTES", "shape": [-1, 1]}
    model = {"name": "eyes", "inputs": [entry], "outputs": [back]}
    routes = {
        "/v2": triton("triton", "binary_tensor_data"),
        "/v2/models/eyes": (200, NONE, model),
    }
    finding, _, _ = await look(play, routes, path="/v2/models/eyes/infer")
    tensor = {
        "binary": True,
        "input": "image",
        "datatype": "BYTES",
        "shape": [-1, 1],
        "output": "detections",
    }
    assert finding.settings["tensor"] == tensor
    table = {"name": "d", "url": finding.url, "dialect": "triton", **finding.settings}
    assert deployment_from_table(table, {}, "here").tensor is not None
    assert finding.unsaid == ()
