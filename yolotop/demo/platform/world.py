"""Workspaces and deployments, and what becomes of them as time passes.

Owns states, their order and their times; nothing here waits, all of it is computed when
somebody looks. It must not know HTTP. What the Platform leaves open is chosen here: the
first provisioning passes through *creating* for five seconds, and an instance without
requests is gone after fifteen minutes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from yolotop.demo.platform.limits import iso
from yolotop.demo.platform.lines import Lines

CREATING_S: Final = 5.0
SHORTEST_S: Final = 40.0
LONGEST_S: Final = 60.0
"""From creation to ready: 40 to 60 s, captured twice."""
STOPPING_S: Final = 6.0
IDLE_S: Final = 900.0
COLD_S: Final = 21.0


class Refused(Exception):  # noqa: N818 - reads as what happened
    """A change that cannot be made now; a 400 with these words."""


@dataclass(slots=True)
class Deployment:
    """``key`` is the one key its endpoint takes; ``rate_per_h`` what it is asked.

    ``fails`` is the message a provisioning ends with; where it was ready before, a
    start that fails ends *stopped*. ``slow_stop`` passes through *stopping*.
    """

    slug: str
    name: str
    region: str
    key: str
    created_at: float
    owner: str = "acme"
    project: str = "warehouse"
    model: str = "shapes"
    service_url: str = ""
    rate_per_h: float = 0.0
    error_share: float = 0.0
    p50_ms: float = 60.0
    fails: str = ""
    slow_stop: bool = False
    state: str = "creating"
    since_at: float = 0.0
    deployed_at: float | None = None
    message: str = ""
    asked_at: float = 0.0
    lines: Lines = field(default_factory=Lines)

    def __post_init__(self) -> None:
        self.since_at = self.since_at or self.created_at

    @property
    def id(self) -> str:
        """24 digits; stays when it is renamed."""
        return hashlib.sha256(
            f"{self.created_at}{self.key}{self.region}".encode()
        ).hexdigest()[:24]

    @property
    def provisioning_s(self) -> float:
        """How long this one takes, the same every time."""
        share = int(self.id[:4], 16) / 0xFFFF
        return SHORTEST_S + share * (LONGEST_S - SHORTEST_S)

    @property
    def address(self) -> str:
        """Where it serves, once it was ready."""
        # Never a public name: whoever probes it must not leave the machine with a key.
        return self.service_url or f"https://predict-{self.id[:8]}.invalid"

    def pass_time(self, now: float) -> None:
        """Go through whatever states have ended by ``now``."""
        while (step := self._next()) is not None and step[0] <= now:
            at, state = step
            self._enter(state, at)

    def _next(self) -> tuple[float, str] | None:
        match self.state:
            case "creating":
                return self.since_at + CREATING_S, "deploying"
            case "deploying":
                if self.fails:
                    ended = "failed" if self.deployed_at is None else "stopped"
                    return self.since_at + self.provisioning_s, ended
                return self.since_at + self.provisioning_s, "ready"
            case "stopping":
                return self.since_at + STOPPING_S, "stopped"
        return None

    def _enter(self, state: str, at: float) -> None:
        was, self.state, self.since_at = self.state, state, at
        self.message = ""
        if state == "ready":
            if self.deployed_at is None:
                self.deployed_at = at
            self.asked_at = at
            self.lines.start(at - 21, self.address, cold=False)
        if was == "deploying" and state in ("failed", "stopped"):
            self.message = self.fails
            self.lines.add(at, "ERROR", f"Revision is not ready: {self.fails}")

    def change(self, action: str, now: float) -> tuple[int, dict[str, object]]:
        """Start or stop: status and body. Raises :class:`Refused`."""
        allowed = {"start": ("stopped", "failed"), "stop": ("ready",)}[action]
        if self.state not in allowed:
            raise Refused(f"Cannot {action} deployment with status: {self.state}")
        self.lines.add(now, "NOTICE", "{}")
        if action == "start":
            self._enter("deploying", now)
            return 202, self._done("deploying", "Deployment starting")
        if self.slow_stop:
            self._enter("stopping", now)
            return 202, self._done("stopping", "Deployment stopping")
        self._enter("stopped", now)
        return 200, self._done("stopped", "Deployment stopped")

    @staticmethod
    def _done(state: str, message: str) -> dict[str, object]:
        return {"success": True, "status": state, "message": message}

    def is_asleep(self, now: float) -> bool:
        """Whether it has no instance: nobody has asked for a while."""
        return self.rate_per_h == 0 and now - self.asked_at >= IDLE_S

    def ping(self, now: float) -> dict[str, object]:
        """The Platform's own health check, which wakes it."""
        if self.state != "ready":
            return {
                "healthy": False,
                "status": 503,
                "latencyMs": 38,
                "error": f"Deployment is {self.state}",
            }
        cold = self.is_asleep(now)
        if cold:
            self.lines.start(now, self.address, cold=True)
        self.asked_at = now
        latency = COLD_S * 1_000 if cold else 20 + self.p50_ms / 10
        return {"healthy": True, "status": 200, "latencyMs": round(latency)}

    def told(self, *, detail: bool = False) -> dict[str, object]:
        """As the list and the detail tell it: what there is not is absent."""
        found: dict[str, object] = {
            "id": self.id,
            "owner": self.owner,
            "project": self.project,
            "model": self.model,
            "task": "detect",
            "deployment": self.slug,
            "name": self.name,
            "status": self.state,
            "region": self.region,
            "resources": {
                "cpu": 1, "memoryGi": 2, "minInstances": 0, "maxInstances": 1,
            },
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.since_at),
        }  # fmt: skip
        if self.message:
            found["statusMessage"] = self.message
        if self.deployed_at is not None:
            found["serviceUrl"] = self.address
            found["deployedAt"] = iso(self.deployed_at)
        if detail:
            found["metadata"] = {}
        return found


class World:
    """All workspaces. Keys are those of their owners; ``now`` is seconds since 1970."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.owners: dict[str, str] = {}
        self._deployments: dict[tuple[str, str], Deployment] = {}

    def add(self, deployment: Deployment) -> Deployment:
        """Put it there."""
        self._deployments[deployment.owner, deployment.slug] = deployment
        return deployment

    def find(self, owner: str, slug: str) -> Deployment | None:
        """As it is now."""
        found = self._deployments.get((owner, slug))
        if found is not None:
            found.pass_time(self.now())
        return found

    def of(self, owner: str) -> Iterator[Deployment]:
        """Newest first."""
        mine = [one for one in self._deployments.values() if one.owner == owner]
        for one in sorted(mine, key=lambda each: -each.created_at):
            one.pass_time(self.now())
            yield one

    def rename(self, deployment: Deployment, slug: str, name: str) -> None:
        """Another slug, the same id: what was saved of the old one leads nowhere."""
        del self._deployments[deployment.owner, deployment.slug]
        deployment.slug, deployment.name = slug, name
        self.add(deployment)

    def delete(self, deployment: Deployment) -> None:
        """For good, with its history."""
        del self._deployments[deployment.owner, deployment.slug]
