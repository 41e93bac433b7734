"""The request that a text is to make, in parts.

Owns what of a deployment goes into it. Must not know a language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from yolotop.judge.pointers import placed
from yolotop.model import Deployment, SecretRef, asked
from yolotop.model.preset import Auth, Carrier, Encoding, Question

PICTURE: Final = "image.jpg"
"""Stands for the picture where the probe draws its own."""
_UNIX: Final = "http+unix"
_TYPES: Final = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
_HERE: Final = "\ue000"
"""Stands for the image in a template: a sign that nobody uses."""


@dataclass(frozen=True, slots=True)
class Call:
    """The request. ``socket`` is the path of a Unix socket, or empty.

    ``body`` are the JSON texts before and after the base64 of the image. ``listed``
    says that the answer is the contract's, whose detections can be printed one by one.
    """

    method: str
    url: str
    socket: str
    picture: str
    encoding: Encoding
    field: str
    fields: tuple[tuple[str, str], ...]
    body: tuple[str, str]
    headers: tuple[tuple[str, str], ...]
    auth: Auth
    key: SecretRef | None
    timeout_s: float
    ca: str
    verify: bool
    listed: bool

    @property
    def has_picture(self) -> bool:
        """Whether an image goes out at all."""
        return self.encoding is not Encoding.NONE

    @property
    def carrier(self) -> Carrier | None:
        """Where the key goes; ``None`` without one, or where it has no place."""
        if self.key is None:
            return None
        if self.auth.carrier is not Carrier.FORM:
            return self.auth.carrier
        # A body that is the image, or a list, has no place for it.
        form = self.encoding is Encoding.MULTIPART or self.body[0].startswith("{")
        return Carrier.FORM if form else None


def call_of(deployment: Deployment) -> Call | None:
    """What the probe asks it with an image; ``None`` where it cannot be written down.

    That is where tensors go out, where nothing is asked, and where the model's name is
    missing.
    """
    preset, how = deployment.preset, deployment.preset.question
    if how is None or preset.dialect == "oip":
        return None
    try:
        url, socket = _apart(asked.question_url(deployment, how))
        body = _body(deployment, how) if how.encoding is Encoding.JSON else ("", "")
    except ValueError:
        return None
    patience = deployment.timeout_s
    if deployment.scale_to_zero:
        patience = max(patience, deployment.cold_start_s)
    drawn = deployment.image == "synthetic"
    picture = PICTURE if drawn else deployment.image
    return Call(
        method=how.method,
        url=url,
        socket=socket,
        picture=picture,
        encoding=how.encoding,
        field=how.field,
        fields=tuple(
            (name, asked.as_field(value))
            for name, value in asked.settings(deployment, how).items()
        ),
        body=body,
        headers=tuple(_headers(deployment, how, picture)),
        auth=preset.auth,
        key=deployment.api_key,
        timeout_s=patience,
        ca=deployment.ca or "",
        verify=deployment.verify_tls,
        listed=preset.name == "ultralytics",
    )


def _apart(url: str) -> tuple[str, str]:
    """An http URL, and the socket it lies on."""
    parts = urlsplit(url)
    if parts.scheme != _UNIX:
        return url, ""
    path = (parts.path, parts.query, "")
    return urlunsplit(("http", "localhost", *path)), unquote(parts.netloc)


def _body(deployment: Deployment, how: Question) -> tuple[str, str]:
    body: object = json.loads(how.template)
    for pointer, value in asked.settings(deployment, how).items():
        body = placed(body, pointer, value)
    text = json.dumps(placed(body, how.field, _HERE), ensure_ascii=False)
    before, _, after = text.partition(_HERE)
    if _HERE in after:
        raise ValueError("the image would not be where it should")
    # All but ASCII escaped, which is JSON as well, and JavaScript, and Python's too.
    return _ascii(before), _ascii(after)


def _ascii(text: str) -> str:
    return "".join(char if char < "\x7f" else json.dumps(char)[1:-1] for char in text)


def _headers(
    deployment: Deployment, how: Question, picture: str
) -> Iterator[tuple[str, str]]:
    named = {name.lower() for name, _ in how.headers}
    if how.encoding is Encoding.RAW and "content-type" not in named:
        ending = picture.rpartition(".")[2].lower()
        yield "Content-Type", _TYPES.get(ending, "application/octet-stream")
    if how.encoding is Encoding.JSON and "content-type" not in named:
        yield "Content-Type", "application/json"
    yield from how.headers
    yield from deployment.headers
