"""What a preset's questions come to for one deployment: URLs, and settings by name.

Owns these rules, which whoever asks and whoever shows how to ask have in common. It
must not know how a request is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from yolotop.model.deployment import Deployment
from yolotop.model.preset import Question


@lru_cache(maxsize=4096)
def place(deployment_url: str, path: str, known: tuple[str, ...]) -> str:
    """The URL of ``path`` for a deployment that is registered under some URL.

    ``known`` are paths of the same preset: one that ends the registered URL is not
    part of the base, so that people may register what they have at hand. Raises
    ValueError for another port of a Unix socket.
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
            raise ValueError("a Unix socket has no other port")
        head, at, host = netloc.rpartition("@")
        bare = host.rpartition(":")[0] if _has_port(host) else host
        netloc = f"{head}{at}{bare}:{port}"
    return urlunsplit((parts.scheme, netloc, slash + rest or "/", parts.query, ""))


def _has_port(host: str) -> bool:
    return ":" in host and not host.endswith("]")


def filled(path: str, deployment: Deployment) -> str:
    """``path`` with model and version in it; without a version its part goes too.

    Raises ValueError where the model's name is needed and not known.
    """
    if "{" not in path:
        return path
    if "{model}" in path and deployment.model is None:
        raise ValueError(
            f'{deployment.preset.title} needs the model\'s name: set model = "..."'
        )
    if deployment.model_version is None:
        path = path.replace("/versions/{version}", "").replace("/{version}", "")
    model = quote(deployment.model or "", safe="")
    version = quote(deployment.model_version or "", safe="")
    return path.replace("{model}", model).replace("{version}", version)


def url_of(deployment: Deployment, path: str) -> str:
    """The URL of a path of the deployment's preset. Raises ValueError, as above."""
    preset = deployment.preset
    known = [how.path for how in (preset.liveness, preset.question) if how is not None]
    named = tuple(
        filled(one, deployment)
        for one in known
        if "{model}" not in one or deployment.model is not None
    )
    return place(deployment.url, filled(path, deployment), named)


def question_url(deployment: Deployment, how: Question) -> str:
    """The URL of the question with the image, its parameters included."""
    url = url_of(deployment, how.path)
    if not how.query:
        return url
    model = deployment.model or ""
    pairs = ((name, value.replace("{model}", model)) for name, value in how.query)
    return with_query(url, tuple(pairs))


def with_query(url: str, pairs: tuple[tuple[str, str], ...]) -> str:
    """``url`` with more parameters after those that it has."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(pairs)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def settings(deployment: Deployment, how: Question) -> Mapping[str, str | float]:
    """Those of our settings that are set and that the server has a name for."""
    conf = deployment.conf
    ours: dict[str, str | float | None] = {
        "conf": None if conf is None else conf * how.scale,
        "iou": deployment.iou,
        "imgsz": deployment.imgsz,
        "model": deployment.model,
    }
    found: dict[str, str | float] = {}
    for name, theirs in how.settings:
        value = ours.get(name)
        if value is not None:
            found[theirs] = value
    return found


def as_field(value: str | float) -> str:
    """A setting as the field of a form."""
    return value if isinstance(value, str) else f"{value:g}"
