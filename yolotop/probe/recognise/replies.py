"""What gives a server away: its headers, its errors, the body of one answer.

Owns the tell-tale of each kind, from real servers and vendors' documents, as pure
functions from a reply to a :class:`Trait`. Must not know how replies are obtained, nor
in which order. The body decides, not the status alone: single-page applications and
proxies answer 200 to everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from yolotop.probe.recognise.openapi import upload_of
from yolotop.probe.recognise.traits import Seen, Trait
from yolotop.text import clean

_BY_NAME: Final = {
    "triton": "triton",
    "mlserver": "mlserver",
    "kserve": "kserve",
    "openvino model server": "openvino",
}


def from_reply(path: str, seen: Seen) -> Trait | None:
    """What the reply to a GET of ``path`` gives away, or ``None``."""
    found = _from_headers(seen) or _from_refusal(seen)
    if found is not None:
        return found
    reader = _READERS.get(path)
    return reader(seen) if reader is not None and seen.status < 500 else None


def _from_headers(seen: Seen) -> Trait | None:
    server = seen.headers.get("server", "")
    if seen.headers.get("www-authenticate", "") == "APIKey":
        said = "it wants X-API-Key on every path, as LitServe does"
        return Trait("litserve", said, sure=False)
    azure = seen.headers.get("x-ms-server-version", "")
    if azure.startswith("azmlinfsrv"):
        return Trait("azureml", f"a header says {azure}")
    if server.startswith("mosec/"):
        return Trait("mosec", f"a header says {server}")
    if "x-inference-engine" in seen.headers:
        said = seen.headers["x-inference-engine"]
        return Trait("roboflow", f"a header says x-inference-engine: {said}")
    return None


def _from_refusal(seen: Seen) -> Trait | None:
    """TorchServe's errors have a shape of their own, on every path."""
    kind = seen.table.get("type")
    if (
        seen.status >= 400
        and isinstance(kind, str)
        and kind.endswith("Exception")
        and {"code", "message"} <= seen.table.keys()
    ):
        return Trait(
            "torchserve",
            f"its error is a {clean(kind, limit=60)}",
            then=(":8081/models",),
        )
    return None


def _open_inference(seen: Seen) -> Trait | None:
    name, version = seen.table.get("name"), seen.table.get("version")
    extensions = seen.table.get("extensions")
    if not isinstance(name, str) or not isinstance(extensions, list):
        return None
    preset = _BY_NAME.get(name.lower(), "oip")
    binary = "binary_tensor_data" in extensions
    said = f"GET /v2 says {clean(name, limit=40)} {clean(str(version), limit=20)}"
    listing = {"kserve": ("/v2/models",), "triton": ("/v2/models/stats",)}
    return Trait(
        preset,
        said + (", and announces binary tensors" if binary else ""),
        settings={"tensor": {"binary": True}} if binary else {},
        then=listing.get(preset, ()),
        last=("/v2/models/{model}",),
    )


def _info(seen: Seen) -> Trait | None:
    server = seen.table.get("server")
    if isinstance(server, dict) and "devices" in server:
        stream = server.get("stream")
        paths = (
            [key for key in stream if isinstance(key, str)]
            if isinstance(stream, dict)
            else []
        )
        found = Trait("litserve", "GET /info describes a LitServe server")
        if paths and paths != ["/predict"]:
            path = clean(paths[0], limit=120)
            found = found.with_settings(
                f"it predicts at {path}", request={"path": path}
            )
        return replace(found, then=("/openapi.json",))
    if seen.table.get("name") == "Roboflow Inference Server":
        version = clean(str(seen.table.get("version", "")), limit=20)
        return Trait("roboflow", f"GET /info says Roboflow Inference Server {version}")
    return None


def _openapi(seen: Seen) -> Trait | None:
    paths = seen.table.get("paths")
    info = seen.table.get("info")
    if not isinstance(paths, dict) or "openapi" not in seen.table:
        return None
    title = info.get("title") if isinstance(info, dict) else None
    if title == "KServe ModelServer" or "/v2/models/{model_name}/infer" in paths:
        said = "its OpenAPI page describes the Open Inference Protocol"
        last = ("/v2/models/{model}",)
        return Trait("kserve", said, then=("/v2/models",), last=last)
    if title == "TorchServe APIs":
        return Trait("torchserve", "its OpenAPI page is TorchServe's")
    if {"/invocations", "/ping"} <= paths.keys():
        return Trait("mlflow", "its OpenAPI page has /invocations and /ping")
    upload = upload_of(seen.table)
    if upload is None:
        return Trait(
            "fastapi", "it has an OpenAPI page, but no upload in it", sure=False
        )
    if (upload.path, upload.field) == ("/predict", "file") and {
        "conf",
        "iou",
        "imgsz",
    } <= set(upload.others):
        said = "its OpenAPI page has /predict with file, conf, iou and imgsz"
        return Trait("ultralytics", said)
    found = Trait(
        "fastapi",
        f"its OpenAPI page takes an image at {upload.path} as {upload.field}",
        then=("/-/routes",),
    )
    different: dict[str, object] = {}
    if upload.path != "/predict":
        different["path"] = upload.path
    if upload.field != "file":
        different["field"] = upload.field
    return replace(found, settings={"request": different} if different else {})


def _bentoml(seen: Seen) -> Trait | None:
    routes = seen.table.get("routes")
    if seen.table.get("type") != "service" or not isinstance(routes, list):
        return None
    name = clean(str(seen.table.get("name", "")), limit=40)
    found = Trait("bentoml", f"GET /schema.json describes the BentoML service {name}")
    for route in routes:
        place = _bento_route(route)
        if place is not None:
            path, part = place
            return found.with_settings(
                f"it takes an image at {path} as {part}",
                request={"path": path, "field": part},
            )
    return found


def _bento_route(route: object) -> tuple[str, str] | None:
    if not isinstance(route, dict) or not isinstance(route.get("route"), str):
        return None
    given = route.get("input")
    fields = given.get("properties") if isinstance(given, dict) else None
    for name, about in (fields if isinstance(fields, dict) else {}).items():
        if isinstance(about, dict) and about.get("type") == "file":
            return clean(route["route"], limit=120), clean(str(name), limit=80)
    return None


def _root(seen: Seen) -> Trait | None:
    text = seen.text.strip()
    if text == "litserve running":
        return Trait("litserve", 'GET / says "litserve running"')
    if seen.table == {"status": "alive"}:
        return Trait("kserve", 'GET / says {"status":"alive"}', then=("/v2/models",))
    if text == "Healthy":
        return Trait("azureml", 'GET / says "Healthy"')
    if "DeepStack" in text[:2048]:
        return Trait("deepstack", "its home page is DeepStack's")
    return None


def _v1_models(seen: Seen) -> Trait | None:
    models = seen.table.get("models")
    if seen.status == 200 and isinstance(models, list):
        names = [name for name in models if isinstance(name, str)]
        return Trait("kserve-v1", "GET /v1/models lists models").with_models(names)
    if "Malformed request: GET /v1/models" in seen.text:
        return Trait("tf-serving", "its error is TensorFlow Serving's", sure=False)
    return None


def _ping(seen: Seen) -> Trait | None:
    if seen.table.get("status") == "Healthy":
        return Trait(
            "torchserve", 'GET /ping says {"status":"Healthy"}', then=(":8081/models",)
        )
    if seen.status == 200 and not seen.text.strip():
        return Trait(
            "sagemaker", "GET /ping answers as SageMaker containers do",
            sure=False, then=("/version",),
        )  # fmt: skip
    return None


def _codeproject(seen: Seen) -> Trait | None:
    if seen.table.get("success") is True:
        return Trait("codeproject", "GET /v1/status/ping says success")
    return None


def _doods(seen: Seen) -> Trait | None:
    if isinstance(seen.table.get("detectors"), list):
        return Trait("doods", "GET /detectors lists detectors")
    return None


_FRIGATE: Final = re.compile(r"0\.\d+\.\d+-[0-9a-f]{6,}")


def _frigate(seen: Seen) -> Trait | None:
    text = seen.text.strip()
    if seen.status == 200 and _FRIGATE.fullmatch(text):
        return Trait("frigate", f"GET /api/version says {clean(text, limit=40)}")
    return None


def _health(seen: Seen) -> Trait | None:
    html = seen.text.lstrip()[:1] == "<"
    if seen.status == 200 and not html:
        said = "GET /health answers; what it predicts at is a guess"
        return Trait("ultralytics", said, sure=False)
    return None


_READERS: Final[Mapping[str, Callable[[Seen], Trait | None]]] = {
    "/v2": _open_inference,
    "/info": _info,
    "/openapi.json": _openapi,
    "/schema.json": _bentoml,
    "/": _root,
    "/v1/models": _v1_models,
    "/ping": _ping,
    "/v1/status/ping": _codeproject,
    "/detectors": _doods,
    "/api/version": _frigate,
    "/health": _health,
}
