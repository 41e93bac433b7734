"""Asking as a preset says: URLs, headers, bodies, and where the key goes.

Owns turning a :class:`~yolotop.model.preset.Preset` and a deployment into requests.
Must not know any server, nor what comes back.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from yolotop.model import Deployment
from yolotop.model.preset import Auth, Carrier, Encoding, Question
from yolotop.probe.dialects.pointers import placed
from yolotop.probe.dialects.protocol import RequestSpec
from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.frames import Frame
from yolotop.probe.multipart import form

_JSON: Final = (("Content-Type", "application/json"),)


def authorised(spec: RequestSpec, key: str, auth: Auth) -> RequestSpec:
    """``spec`` with the key where ``auth`` says. A form's goes before its parts."""
    match auth.carrier:
        case Carrier.BEARER:
            header = ("Authorization", f"Bearer {key}")
            return replace(spec, headers=(*spec.headers, header))
        case Carrier.HEADER:
            return replace(spec, headers=(*spec.headers, (auth.name, key)))
        case Carrier.QUERY:
            return replace(spec, url=_with_query(spec.url, ((auth.name, key),)))
        case Carrier.FORM:
            return _with_field(spec, auth.name, key)


def _with_field(spec: RequestSpec, name: str, key: str) -> RequestSpec:
    """In a form or a JSON object; a question without either goes without the key."""
    kind = dict(spec.headers).get("Content-Type", "")
    if kind.startswith("multipart/form-data"):
        boundary = kind.partition("boundary=")[2]
        part = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{name}"\r\n\r\n{key}\r\n'
        )
        return replace(spec, body=part.encode() + spec.body)
    if kind == "application/json" and spec.body[:1] == b"{":
        member = f"{json.dumps(name)}:{json.dumps(key)}".encode()
        rest = spec.body[1:]
        comma = b"" if rest.strip() == b"}" else b","
        return replace(spec, body=b"{" + member + comma + rest)
    return spec


# --- where ---------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def place(deployment_url: str, path: str, known: tuple[str, ...]) -> str:
    """The URL of ``path`` for a deployment that is registered under some URL.

    ``known`` are paths of the same preset: one that ends the registered URL is not
    part of the base, so that people may register what they have at hand.
    """
    parts = urlsplit(deployment_url)
    base = parts.path.rstrip("/")
    for ending in sorted({*known, path}, key=len, reverse=True):
        if ending and ending[0] == "/" and base.endswith(ending.rstrip("/")):
            base = base.removesuffix(ending.rstrip("/"))
            break
    if not path.startswith(":"):
        where = (parts.scheme, parts.netloc, base + path or "/", parts.query, "")
        return urlunsplit(where)
    port, slash, rest = path[1:].partition("/")
    netloc = parts.netloc
    if port:
        if parts.scheme == "http+unix":
            raise UnsendableRequest("a Unix socket has no other port")
        head, at, host = netloc.rpartition("@")
        bare = host.rpartition(":")[0] if _has_port(host) else host
        netloc = f"{head}{at}{bare}:{port}"
    return urlunsplit((parts.scheme, netloc, slash + rest or "/", parts.query, ""))


def _has_port(host: str) -> bool:
    return ":" in host and not host.endswith("]")


def filled(path: str, deployment: Deployment) -> str:
    """``path`` with model and version in it; without a version its part goes too."""
    if "{" not in path:
        return path
    if "{model}" in path and deployment.model is None:
        raise UnsendableRequest(
            f'{deployment.preset.title} needs the model\'s name: set model = "..."'
        )
    if deployment.model_version is None:
        path = path.replace("/versions/{version}", "").replace("/{version}", "")
    model = quote(deployment.model or "", safe="")
    version = quote(deployment.model_version or "", safe="")
    return path.replace("{model}", model).replace("{version}", version)


def url_of(deployment: Deployment, path: str) -> str:
    """The URL of a path of the deployment's preset."""
    preset = deployment.preset
    known = [how.path for how in (preset.liveness, preset.question) if how is not None]
    named = tuple(
        filled(one, deployment)
        for one in known
        if "{model}" not in one or deployment.model is not None
    )
    return place(deployment.url, filled(path, deployment), named)


def _with_query(url: str, pairs: tuple[tuple[str, str], ...]) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(pairs)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


# --- what ----------------------------------------------------------------------------


def liveness_request(deployment: Deployment) -> RequestSpec:
    """The cheap question of the preset. Raises UnsendableRequest where it has none."""
    how = deployment.preset.liveness
    if how is None:
        raise UnsendableRequest(f"{deployment.preset.title} has no liveness question")
    return RequestSpec(how.method, url_of(deployment, how.path))


def image_request(deployment: Deployment, frame: Frame) -> RequestSpec:
    """The question with the image. Raises UnsendableRequest where there is none."""
    how = deployment.preset.question
    if how is None:
        raise UnsendableRequest(f"{deployment.preset.title} answers no prediction")
    url = url_of(deployment, how.path)
    if how.query:
        filled_query = tuple(
            (name, value.replace("{model}", deployment.model or ""))
            for name, value in how.query
        )
        url = _with_query(url, filled_query)
    match how.encoding:
        case Encoding.NONE:
            return RequestSpec(how.method, url, how.headers)
        case Encoding.RAW:
            kind = (("Content-Type", frame.media_type),)
            # A preset that names a type of its own means it.
            named = any(name.lower() == "content-type" for name, _ in how.headers)
            headers = how.headers if named else (*kind, *how.headers)
            return RequestSpec(how.method, url, headers, frame.data)
        case Encoding.MULTIPART:
            encoded = form(how.field, frame, form_fields(deployment, how))
            headers = (("Content-Type", encoded.content_type), *how.headers)
            return RequestSpec(how.method, url, headers, encoded.body)
        case Encoding.JSON:
            body = _json_body(frame, how, tuple(settings(deployment, how).items()))
            return RequestSpec(how.method, url, (*_JSON, *how.headers), body)


def settings(deployment: Deployment, how: Question) -> Mapping[str, object]:
    """Those of our settings that are set and that the server has a name for."""
    ours: dict[str, object] = {
        "conf": None if deployment.conf is None else deployment.conf * how.scale,
        "iou": deployment.iou,
        "imgsz": deployment.imgsz,
        "model": deployment.model,
    }
    return {
        theirs: ours[name]
        for name, theirs in how.settings
        if ours.get(name) is not None
    }


def form_fields(deployment: Deployment, how: Question) -> tuple[tuple[str, str], ...]:
    """The plain fields of a form, before the image."""
    return tuple(
        (name, value if isinstance(value, str) else f"{value:g}")
        for name, value in settings(deployment, how).items()
    )


@lru_cache(maxsize=64)
def _json_body(
    frame: Frame, how: Question, told: tuple[tuple[str, object], ...]
) -> bytes:
    """The template with the image and the settings in it; 60 KB of base64 are built

    once for each image. Raises UnsendableRequest for a pointer that leads nowhere.
    """
    try:
        body: object = json.loads(how.template)
    except ValueError as error:
        raise UnsendableRequest(f"the preset's template is not JSON: {error}") from None
    image = base64.b64encode(frame.data).decode("ascii")
    for pointer, value in (*told, (how.field, image)):
        body = placed(body, pointer, value)
    return json.dumps(body, separators=(",", ":")).encode()
