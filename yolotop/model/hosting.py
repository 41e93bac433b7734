"""What somebody else says of a deployment that he runs: a hosting platform.

Owns the address there and the state as it was last told. Must not know how a platform
is asked, nor what is made of its word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

PLATFORM_URL: Final = "https://platform.ultralytics.com"
"""The control plane of Ultralytics Platform."""
SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
"""Owners (4 to 32 characters) and deployments (1 to 128) in its addresses."""


@dataclass(frozen=True, slots=True)
class PlatformAddress:
    """A deployment of a platform. Without an ``owner`` it is the key's owner's."""

    slug: str
    owner: str = ""

    def __str__(self) -> str:
        return f"{self.owner}/{self.slug}" if self.owner else self.slug


@dataclass(frozen=True, slots=True)
class Hosting:
    """The newest word of ``source``. Empty texts and ``None`` are what it did not say.

    ``id`` stays when it is renamed there; ``owner`` and ``slug`` are its address,
    ``name`` what people see. ``lifecycle`` is the platform's word (``ready``), with its
    ``message``. ``model`` is ``project/model``. ``memory_gib`` and ``cpu`` (cores) are
    of one instance, of which there are ``min_instances`` to ``max_instances``;
    ``metered`` ones cost by their time. ``key_id`` tells which key it takes, and is no
    key. ``log_at`` is the instant of the newest line that was fetched of its log.
    """

    source: str
    id: str
    owner: str
    slug: str
    name: str = ""
    lifecycle: str = "unknown"
    message: str = ""
    model: str = ""
    task: str = ""
    region: str = ""
    service_url: str = ""
    cpu: float | None = None
    memory_gib: float | None = None
    min_instances: float | None = None
    max_instances: float | None = None
    metered: bool | None = None
    key_id: str = ""
    camera: str = ""
    deployed_at: float | None = None
    log_at: float | None = None
    probed: bool = False

    @property
    def address(self) -> str:
        """``owner/slug``."""
        return f"{self.owner}/{self.slug}"

    @property
    def sleeps(self) -> bool:
        """Whether it may have no instance: any request to it then wakes one."""
        return self.min_instances == 0
