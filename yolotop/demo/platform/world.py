"""All workspaces: their keys, models and deployments, and what happens by a script.

Owns which deployments there are, under which names. It must not know HTTP.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

from yolotop.demo.cast import PLATFORM_OWNER
from yolotop.demo.platform.deployment import Deployment, Refused

OWNER: Final = PLATFORM_OWNER
"""The workspace, where nobody named another."""
QUOTAS: Final = {"free": 3, "pro": 10}
"""Deployments of a plan, stopped ones among them; an enterprise has as many as it
likes."""


class World:
    """``owners`` are the keys and whose they are; ``now`` is seconds since 1970.

    ``closed_keys`` were revoked. ``models`` are ``owner/project/model``; those in
    ``public`` are there for everybody.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.owners: dict[str, str] = {}
        self.plans: dict[str, str] = {}
        self.closed_keys: set[str] = set()
        self.models: set[str] = set()
        self.public: set[str] = set()
        self._deployments: dict[tuple[str, str], Deployment] = {}
        self._count = count()
        self._script: list[tuple[float, int, Callable[[float], object]]] = []

    def plan_of(self, owner: str) -> str:
        """``enterprise``, unless something else was said."""
        return self.plans.get(owner, "enterprise")

    def later(self, at: float, act: Callable[[float], object]) -> None:
        """Let something happen at an instant; it is told which one."""
        heapq.heappush(self._script, (at, next(self._count), act))

    def _pass_time(self) -> None:
        now = self.now()
        while self._script and self._script[0][0] <= now:
            at, _, act = heapq.heappop(self._script)
            for one in self._deployments.values():
                one.pass_time(at)
            act(at)

    def add(self, deployment: Deployment) -> Deployment:
        """Put it there. Raises :class:`Refused` where its name is taken."""
        if (deployment.owner, deployment.slug) in self._deployments:
            raise Refused("A deployment of that name exists already", 409)
        while any(one.id == deployment.id for one in self._deployments.values()):
            # Made, renamed and made again within one tick of a clock.
            deployment.id = f"{int(deployment.id, 16) + 1:024x}"[-24:]
        self._deployments[deployment.owner, deployment.slug] = deployment
        self.models.add(f"{deployment.owner}/{deployment.project}/{deployment.model}")
        return deployment

    def find(self, owner: str, slug: str) -> Deployment | None:
        """As it is now."""
        self._pass_time()
        found = self._deployments.get((owner, slug))
        if found is not None:
            found.pass_time(self.now())
        return found

    def of(self, owner: str) -> Iterator[Deployment]:
        """Newest first."""
        self._pass_time()
        mine = [one for one in self._deployments.values() if one.owner == owner]
        for one in sorted(mine, key=lambda each: -each.created_at):
            one.pass_time(self.now())
            yield one

    def rename(self, deployment: Deployment, slug: str, name: str) -> None:
        """Another slug, the same id: what was saved of the old one leads nowhere.

        Raises :class:`Refused` where the slug is taken.
        """
        there = self._deployments.get((deployment.owner, slug))
        if there is not None and there is not deployment:
            raise Refused("A deployment of that name exists already", 409)
        del self._deployments[deployment.owner, deployment.slug]
        deployment.slug, deployment.name = slug, name
        self._deployments[deployment.owner, slug] = deployment

    def delete(self, deployment: Deployment) -> None:
        """For good, with its history. Raises :class:`Refused` while it changes."""
        deployment.end(self.now())
        del self._deployments[deployment.owner, deployment.slug]
