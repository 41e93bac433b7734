"""Asking as a preset says: URLs, headers, bodies, and where the key goes.

Owns turning a :class:`~yolotop.model.preset.Preset` and a deployment into requests.
Must not know any server, nor what comes back.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from functools import lru_cache
from typing import Final

from yolotop.model import Deployment, asked
from yolotop.model.preset import Auth, Carrier, Encoding, Question
from yolotop.probe.dialects.pointers import placed
from yolotop.probe.dialects.protocol import RequestSpec
from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.frames import Frame
from yolotop.probe.multipart import form

place = asked.place

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
            return replace(spec, url=asked.with_query(spec.url, ((auth.name, key),)))
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


def url_of(deployment: Deployment, path: str) -> str:
    """The URL of a path of the preset. Raises UnsendableRequest where there is none."""
    try:
        return asked.url_of(deployment, path)
    except ValueError as error:
        raise UnsendableRequest(str(error)) from None


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
    try:
        url = asked.question_url(deployment, how)
    except ValueError as error:
        raise UnsendableRequest(str(error)) from None
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
            body = _json_body(
                frame, how, tuple(asked.settings(deployment, how).items())
            )
            return RequestSpec(how.method, url, (*_JSON, *how.headers), body)


def form_fields(deployment: Deployment, how: Question) -> tuple[tuple[str, str], ...]:
    """The plain fields of a form, before the image."""
    return tuple(
        (name, asked.as_field(value))
        for name, value in asked.settings(deployment, how).items()
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
