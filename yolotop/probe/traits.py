"""What gives a server away: its address, its headers, the body of one answer.

Owns the tell-tale of each kind, from real servers and vendors' documents, as pure
functions from a reply to a :class:`Trait`. Must not know how replies are obtained, nor
in which order. The body decides, not the status alone: single-page applications and
proxies answer 200 to everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from yolotop.model.preset import Auth, Carrier
from yolotop.probe.dialects.decoding import decode
from yolotop.probe.dialects.protocol import BadResponse
from yolotop.probe.messages import Reply
from yolotop.probe.openapi import upload_of
from yolotop.text import clean

LOOKED_AT: Final = 512 * 1024
"""Bytes of an answer that are read; an OpenAPI page has some 10 KB."""
MOST_MODELS: Final = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """One reply, read. ``value`` is the decoded JSON, ``None`` for anything else."""

    status: int
    headers: Mapping[str, str]
    text: str
    value: object

    @classmethod
    def of(cls, reply: Reply) -> Seen:
        """From the transport's reply; bodies beyond the cap are not JSON to us."""
        body = reply.body
        try:
            value = decode(body) if len(body) <= LOOKED_AT else None
        except BadResponse:
            value = None
        headers = {
            name.decode("latin-1"): clean(text.decode("latin-1"), limit=200)
            for name, text in reply.headers
        }
        text = body[:4096].decode("utf-8", errors="replace")
        return cls(reply.status, headers, text, value)

    @property
    def table(self) -> Mapping[str, object]:
        """The JSON object, or an empty one."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def locked(self) -> bool:
        """Whether a key is missing or wrong; TorchServe says so with a 400."""
        if self.status == 400:
            return "InvalidKeyException" in self.text
        return self.status in (401, 403)

    @property
    def carrier(self) -> Auth | None:
        """How this server wants a key, where it says so."""
        wanted = self.headers.get("www-authenticate", "").lower()
        if wanted.startswith("apikey") or "x-api-key" in self.text.lower():
            return Auth(Carrier.HEADER, "X-API-Key")
        return None

    @property
    def key_wanted(self) -> str:
        """The same, for a person."""
        carrier = self.carrier
        return "Authorization: Bearer" if carrier is None else carrier.name


@dataclass(frozen=True, slots=True)
class Trait:
    """What one reply, or an address, gives away.

    ``then`` are paths worth asking of this kind, ``last`` those that come after a model
    is known. ``sure`` is false where other kinds answer the same. ``unasked`` means the
    address alone is enough, and that asking might cost money.
    """

    preset: str
    why: str
    settings: Mapping[str, object] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    sure: bool = True
    also: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    unasked: bool = False

    def told(self, path: str, seen: Seen) -> Trait:
        """With what a further reply adds; unchanged where it says nothing."""
        for known, reader in _FURTHER:
            if known.fullmatch(path):
                return reader(self, seen)
        return self

    def with_models(self, names: list[str]) -> Trait:
        """With the models a server names, and the only one chosen."""
        found = tuple(dict.fromkeys(clean(name, limit=200) for name in names if name))
        found = found[:MOST_MODELS]
        if not found or self.models:
            return self
        settings = self.settings
        if len(found) == 1:
            settings = {**settings, "model": found[0]}
        said = f"it serves {', '.join(found[:6])}{', …' if len(found) > 6 else ''}"
        return replace(self, models=found, settings=settings, also=(*self.also, said))

    def with_settings(self, why: str, **settings: object) -> Trait:
        """With further keys of the deployment's table."""
        return replace(
            self, settings={**self.settings, **settings}, also=(*self.also, why)
        )


def model_of(trait: Trait) -> str:
    """The model that a path is about, quoted for it; empty where none is known."""
    chosen = trait.settings.get("model")
    name = chosen if isinstance(chosen, str) else next(iter(trait.models), "")
    return quote(name, safe="")


# --- addresses -----------------------------------------------------------------------

_HOSTS: Final = (
    (
        re.compile(r"predict-[a-z0-9-]+\.run\.app|predict-.*\.a\.run\.app"),
        "ultralytics",
    ),
    (re.compile(r"predict\.ultralytics\.com"), "ultralytics-hub"),
    (re.compile(r".+\.inference\.ml\.azure\.com"), "azureml"),
    (re.compile(r"runtime\.sagemaker\..+\.amazonaws\.com"), "sagemaker"),
    (re.compile(r".+-aiplatform\.googleapis\.com"), "vertex"),
    (re.compile(r"(?:detect|serverless|infer)\.roboflow\.com"), "roboflow"),
)


def from_address(url: str) -> Trait | None:
    """A cloud service by its host name."""
    host = (urlsplit(url).hostname or "").lower()
    for pattern, preset in _HOSTS:
        if pattern.fullmatch(host):
            why = (
                f"the host {clean(host, limit=80)} is that service's; it was not asked"
            )
            return Trait(preset, why, unasked=True)
    return None


_NAME: Final = r"(?P<model>[^/:]+)"
_VERSION: Final = r"(?:/versions/(?P<version>[^/]+))?"
_PATHS: Final = (
    (re.compile(rf"/v2/models/{_NAME}{_VERSION}/infer"), "oip"),
    (re.compile(rf"/v2/models/{_NAME}{_VERSION}(?:/ready)?"), "oip"),
    (re.compile(rf"/v1/models/{_NAME}{_VERSION}:predict"), "kserve-v1"),
    (re.compile(rf"/v1/models/{_NAME}"), "kserve-v1"),
    (re.compile(rf"/predictions/{_NAME}(?:/(?P<version>[^/]+))?"), "torchserve"),
    (re.compile(r"/infer/object_detection"), "roboflow"),
    (re.compile(r"/v1/vision/(?:detection|custom/.+)"), "codeproject"),
    (re.compile(r"/api/stats"), "frigate"),
    (re.compile(r"/invocations"), "sagemaker"),
    (re.compile(r"/score"), "azureml"),
    (re.compile(r"/inference"), "mosec"),
    (re.compile(r"/v2(?:/health/(?:live|ready))?"), "oip"),
    (re.compile(r"/predict|/health"), ""),
)


@dataclass(frozen=True, slots=True)
class Paths:
    """The bases to look from: the address without what it asks, then its root."""

    bases: tuple[str, ...]

    @classmethod
    def of(cls, url: str) -> Paths:
        """At most two, the nearer first."""
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        ending = _ending(path)
        base = path if ending is None else path[: -len(ending[0].group())]
        found = dict.fromkeys((base, ""))
        return cls(
            tuple(
                urlunsplit((parts.scheme, parts.netloc, one, parts.query, ""))
                for one in found
            )
        )


def _ending(path: str) -> tuple[re.Match[str], str] | None:
    for pattern, preset in _PATHS:
        match = re.search(rf"{pattern.pattern}\Z", path)
        if match is not None:
            return match, preset
    return None


def from_path(url: str) -> Trait | None:
    """A kind, and often a model, by the path that was registered."""
    found = _ending(urlsplit(url).path.rstrip("/"))
    if found is None or not found[1]:
        return None
    match, preset = found
    groups = match.groupdict()
    settings: dict[str, object] = {}
    for key, group in (("model", "model"), ("model_version", "version")):
        value = groups.get(group)
        if value:
            settings[key] = clean(unquote(value), limit=200)
    return Trait(
        preset,
        f"the path {clean(match.group(), limit=80)} is that protocol's",
        settings=settings,
        models=(str(settings["model"]),) if "model" in settings else (),
        sure=False,
        last=("/v2/models/{model}",) if preset == "oip" else (),
    )


# --- replies -------------------------------------------------------------------------

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


# --- what a kind tells besides -------------------------------------------------------


def _listed(trait: Trait, seen: Seen) -> Trait:
    """Models by name: KServe, and TorchServe's management port."""
    models = seen.table.get("models")
    names = []
    for item in models if isinstance(models, list) else ():
        name = item.get("modelName") if isinstance(item, dict) else item
        if isinstance(name, str):
            names.append(name)
    return trait.with_models(names)


def _triton_models(trait: Trait, seen: Seen) -> Trait:
    """Triton lists models by GET only in its statistics; pytriton refuses those."""
    stats = seen.table.get("model_stats")
    items = stats if isinstance(stats, list) else []
    names = [
        item["name"]
        for item in items
        if isinstance(item, dict) and isinstance(item.get("name"), str)
    ]
    return trait.with_models(names)


def _model(trait: Trait, seen: Seen) -> Trait:
    """The first input and output of a model, as its metadata tells them."""
    given = _first(seen.table.get("inputs"))
    back = _first(seen.table.get("outputs"))
    if not given:
        return trait
    tensor = dict(_object(trait.settings.get("tensor")))
    name, kind = str(given.get("name", "")), str(given.get("datatype", ""))
    tensor["input"] = clean(name, limit=80)
    if kind:
        tensor["datatype"] = clean(kind, limit=12)
    shape = given.get("shape")
    whole = (
        [side for side in shape if type(side) is int] if isinstance(shape, list) else []
    )
    if kind == "BYTES":
        tensor["image"] = "bytes"
    elif len(whole) == 4 and all(side > 0 for side in whole):
        tensor["shape"] = whole
    if back:
        tensor["output"] = clean(str(back.get("name", "")), limit=80)
    said = f"its input is {tensor['input']} {kind} {whole or ''}".rstrip()
    return trait.with_settings(said, tensor=tensor)


def _first(value: object) -> Mapping[str, object]:
    return _object(value[0]) if isinstance(value, list) and value else {}


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _ray(trait: Trait, seen: Seen) -> Trait:
    routes = seen.table
    if not routes or not all(
        key.startswith("/") and isinstance(app, str) for key, app in routes.items()
    ):
        return trait
    said = "GET /-/routes names Ray Serve applications"
    return replace(trait, preset="ray-serve", why=said, also=(trait.why, *trait.also))


def _upload(trait: Trait, seen: Seen) -> Trait:
    """The field of the form, where a server publishes it."""
    upload = upload_of(seen.table)
    if upload is None:
        return trait
    request = {**_object(trait.settings.get("request")), "field": upload.field}
    return trait.with_settings(f"its form field is {upload.field}", request=request)


_MLFLOW: Final = re.compile(r"\d+\.\d+\.\d+\S{0,12}")


def _version(trait: Trait, seen: Seen) -> Trait:
    text = seen.text.strip()
    if seen.status == 200 and _MLFLOW.fullmatch(text):
        return replace(
            trait, preset="mlflow", why=f"GET /version says {text}", sure=True
        )
    return trait


_FURTHER: Final = (
    (re.compile(r"/v2/models/stats"), _triton_models),
    (re.compile(r"/v2/models|:8081/models"), _listed),
    (re.compile(r"/v2/models/[^/]+"), _model),
    (re.compile(r"/-/routes"), _ray),
    (re.compile(r"/openapi\.json"), _upload),
    (re.compile(r"/version"), _version),
)
