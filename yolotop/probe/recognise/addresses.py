"""What an address alone gives away: a cloud service's host, a protocol's path.

Owns both tables, and where below an address a server may be. Must not know replies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from yolotop.probe.recognise.traits import Trait
from yolotop.text import clean

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
