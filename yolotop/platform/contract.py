"""What the Platform says of an account and its deployments.

Owns the shapes of account, deployment, health and change. Unknown keys are passed over
and missing ones are ``None``, since keys have come and gone within weeks. It must not
know how they were asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from yolotop.model.hosting import SLUG
from yolotop.platform import lenient
from yolotop.text import show_url


class Lifecycle(StrEnum):
    """Where a deployment stands; ``UNKNOWN`` is a word that is new to us."""

    CREATING = "creating"
    DEPLOYING = "deploying"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_transitional(self) -> bool:
        """Whether it will change by itself within a minute or so."""
        return self in _TRANSITIONAL


_TRANSITIONAL: Final = frozenset(
    {Lifecycle.CREATING, Lifecycle.DEPLOYING, Lifecycle.STOPPING}
)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose key it is. ``username`` is the owner's slug."""

    username: str
    name: str = ""
    plan: str = ""

    @classmethod
    def read(cls, document: object) -> Account | None:
        """``None`` where the answer names nobody."""
        found = lenient.table(document)
        username = lenient.text(found, "username")
        if not username:
            return None
        return cls(username, lenient.text(found, "name"), lenient.text(found, "plan"))


@dataclass(frozen=True, slots=True)
class PlatformDeployment:
    """One deployment as the Platform lists it.

    ``id`` stays when it is renamed, ``slug`` does not. ``service_url`` and
    ``deployed_at`` are missing until it was ready once. ``camera`` is without the
    password that such a URL often holds.
    """

    id: str
    owner: str
    slug: str
    name: str
    lifecycle: Lifecycle
    message: str = ""
    region: str = ""
    service_url: str = ""
    project: str = ""
    model: str = ""
    task: str = ""
    cpu: float | None = None
    memory_gib: float | None = None
    min_instances: int | None = None
    max_instances: int | None = None
    metered: bool | None = None
    key_id: str = ""
    camera: str = ""
    deployed_at: float | None = None
    created_at: float | None = None
    updated_at: float | None = None

    @classmethod
    def read(cls, document: object, *, owner: str = "") -> PlatformDeployment | None:
        """``None`` where there is no address to ask for it again."""
        found = lenient.table(document)
        slug = lenient.text(found, "deployment")
        owner = lenient.text(found, "owner") or owner
        if not SLUG.fullmatch(slug) or not SLUG.fullmatch(owner):
            return None
        told = lenient.text(found, "status")
        resources = lenient.table(found.get("resources"))
        return cls(
            id=lenient.text(found, "id") or f"{owner}/{slug}",
            owner=owner,
            slug=slug,
            name=lenient.text(found, "name", limit=100) or slug,
            lifecycle=lifecycle_of(told),
            message=lenient.text(found, "statusMessage"),
            region=lenient.text(found, "region"),
            service_url=_service_url(lenient.text(found, "serviceUrl", limit=2_000)),
            project=lenient.text(found, "project"),
            model=lenient.text(found, "model"),
            task=lenient.text(found, "task"),
            cpu=lenient.number(resources, "cpu"),
            memory_gib=lenient.number(resources, "memoryGi"),
            min_instances=lenient.count(resources, "minInstances"),
            max_instances=lenient.count(resources, "maxInstances"),
            metered=lenient.flag(found, "metered"),
            key_id=lenient.text(found, "apiKeyId"),
            camera=_shown(found.get("camera")),
            deployed_at=lenient.instant(found, "deployedAt"),
            created_at=lenient.instant(found, "createdAt"),
            updated_at=lenient.instant(found, "updatedAt"),
        )

    @property
    def sleeps(self) -> bool:
        """Whether it may have no instance: any request to it then wakes one."""
        return self.min_instances == 0


def lifecycle_of(told: str) -> Lifecycle:
    """A word of the Platform's."""
    try:
        return Lifecycle(told)
    except ValueError:
        return Lifecycle.UNKNOWN


def _service_url(told: str) -> str:
    """Where it serves; a key goes there, so never in the clear to another machine."""
    try:
        parts = urlsplit(told)
        loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return ""
    allowed = parts.scheme == "https" or (parts.scheme == "http" and loopback)
    return told if allowed and parts.hostname else ""


def _shown(url: object) -> str:
    return show_url(url) if isinstance(url, str) and url else ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list and how many there really are: it has no second page."""

    deployments: tuple[PlatformDeployment, ...]
    total: int

    @classmethod
    def read(cls, document: object, *, owner: str) -> Listed | None:
        """``None`` where there is no list."""
        found = lenient.table(document)
        if not isinstance(found.get("deployments"), list):
            return None
        read = (
            PlatformDeployment.read(each, owner=owner)
            for each in lenient.tables(found["deployments"])
        )
        deployments = tuple(each for each in read if each is not None)
        total = lenient.count(found, "total")
        return cls(deployments, max(total or 0, len(deployments)))

    @property
    def cut(self) -> int:
        """How many were not told."""
        return self.total - len(self.deployments)


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """What the Platform's own ping saw. It warms the endpoint: asking wakes it.

    ``status`` is the endpoint's, ``None`` where it could not be reached at all.
    """

    healthy: bool
    latency_ms: float | None = None
    status: int | None = None
    error: str = ""

    @classmethod
    def read(cls, document: object) -> EndpointHealth | None:
        """``None`` where the answer does not say whether it is healthy."""
        found = lenient.table(document)
        healthy = lenient.flag(found, "healthy")
        if healthy is None:
            return None
        return cls(
            healthy,
            lenient.number(found, "latencyMs"),
            lenient.count(found, "status"),
            lenient.text(found, "error"),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a start or a stop: done, or on its way."""

    lifecycle: Lifecycle
    message: str = ""

    @classmethod
    def read(cls, document: object) -> Change:
        """A change that says nothing is one whose end has to be looked for."""
        found = lenient.table(document)
        told = lifecycle_of(lenient.text(found, "status"))
        return cls(told, lenient.text(found, "message"))


def error_in(document: object) -> str:
    """The words of an error, in any of its shapes: a text, an object, a detail."""
    found = lenient.table(document)
    error = found.get("error")
    if isinstance(error, Mapping):
        return lenient.text(error, "message") or lenient.text(error, "code")
    return lenient.text(found, "error") or lenient.text(found, "detail")
