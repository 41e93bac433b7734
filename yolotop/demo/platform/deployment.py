"""One deployment and what becomes of it as time passes.

Owns its states, their order and their times; nothing here waits, all of it is computed
when somebody looks. It must not know HTTP nor other deployments. What the Platform
leaves open is chosen here: the first provisioning passes through *creating* for five
seconds, an instance without requests is gone after fifteen minutes, and a ping that
wakes one says how long it would have waited, though nobody waits.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from yolotop.demo.platform.limits import iso
from yolotop.demo.platform.lines import BOOT_S, Lines
from yolotop.demo.platform.traffic import Demand, Request, Step, counted, requests

CREATING_S: Final = 5.0
SHORTEST_S: Final = 40.0
LONGEST_S: Final = 60.0
"""From creation to ready: 40 to 60 s, captured twice."""
STOPPING_S: Final = 6.0
CAMERA_S: Final = 5.0
IDLE_S: Final = 900.0
COLD_S: Final = 21.0
NODE: Final = "node"
"""The user agent of the Platform's own ping, as captured."""
TOLD_S: Final = 3_600.0
"""How far back lines of traffic are made up."""
MOST_STEPS: Final = 4_096


class Refused(Exception):  # noqa: N818 - reads as what happened
    """A change that cannot be made now: its words, and the status they come with."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


@dataclass(slots=True)
class Deployment:
    """``key`` is the one key its endpoint takes; ``rate_per_h`` what it is asked.

    ``fails`` is the message a provisioning ends with; where it was ready before, a
    start that fails ends *stopped*. ``slow_stop`` passes through *stopping*. What is
    ``unreachable`` answers no ping. ``api_key_id`` is told where there is one, which
    nobody has seen in practice. ``id`` is made of the slug it is created with.
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
    swing: float = 0.0
    error_share: float = 0.0
    p50_ms: float = 60.0
    fails: str = ""
    slow_stop: bool = False
    unreachable: bool = False
    cpu: float = 1
    memory_gi: float = 2
    min_instances: int = 0
    metered: bool | None = None
    api_key_id: str = ""
    camera: str = ""
    metadata: dict[str, object] = field(default_factory=dict)
    id: str = ""
    state: str = "creating"
    since_at: float = 0.0
    deployed_at: float | None = None
    message: str = ""
    asked_at: float = 0.0
    awake_at: float = 0.0
    camera_at: float = 0.0
    lines: Lines = field(default_factory=Lines)
    asked: deque[Request] = field(default_factory=lambda: deque(maxlen=5_000))
    _spans: list[tuple[float, float]] = field(default_factory=list)
    _coming: dict[str, object] | None = None
    _told_until: float = 0.0
    _steps: dict[tuple[int, int], Step | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.since_at = self.since_at or self.created_at
        if not self.id:
            seed = f"{self.owner}/{self.slug}/{self.created_at}"
            self.id = hashlib.sha256(seed.encode()).hexdigest()[:24]

    @property
    def provisioning_s(self) -> float:
        """How long this one takes from creation on, the same every time."""
        share = int(self.id[:4], 16) / 0xFFFF
        return SHORTEST_S + share * (LONGEST_S - SHORTEST_S)

    @property
    def address(self) -> str:
        """Where it serves, once it was ready: through stops, renames and models."""
        # Never a public name: whoever probes it must not leave the machine with a key.
        return self.service_url or f"https://predict-{self.id[:8]}.invalid"

    @property
    def serves(self) -> bool:
        """Whether its endpoint answers: while it is rolled over the old model does."""
        return bool(self._spans) and self._spans[-1][1] == float("inf")

    # --- states --------------------------------------------------------------------

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
                ready_at = self.since_at + self.provisioning_s
                if self.deployed_at is None:
                    # The seconds of creating are among the 40 to 60.
                    ready_at -= CREATING_S
                if self.fails:
                    return ready_at, "failed" if self.deployed_at is None else "stopped"
                return ready_at, "ready"
            case "stopping":
                return self.since_at + STOPPING_S, "stopped"
        return None

    def _enter(self, state: str, at: float) -> None:
        was, self.state, self.since_at = self.state, state, at
        self.message = ""
        if state == "deploying":
            ready = self._next()
            assert ready is not None
            begun_at = ready[0] - BOOT_S - 0.5
            fails = bool(self.fails)
            self.lines.start(begun_at, self.address, cold=False, fails=fails)
        elif state == "ready":
            self._be_ready(at)
        elif self.serves and state in ("stopping", "stopped", "deleted"):
            self._spans[-1] = (self._spans[-1][0], at)
        if was == "deploying" and state in ("failed", "stopped"):
            self.message = self.fails
            self.lines.add(at, "ERROR", f"Revision is not ready: {self.fails}")

    def _be_ready(self, at: float) -> None:
        if self.deployed_at is None:
            self.deployed_at = at
        for name, value in (self._coming or {}).items():
            setattr(self, name, value)
        self._coming = None
        if not self.serves:
            self._spans.append((at, float("inf")))
        self.asked_at, self.awake_at = at, at

    def change(self, action: str, now: float) -> tuple[int, dict[str, object]]:
        """Start or stop: status and body. Raises :class:`Refused`.

        A failed one is not started: nothing but a stopped one is.
        """
        allowed = {"start": "stopped", "stop": "ready"}[action]
        if self.state != allowed:
            raise Refused(f"Cannot {action} deployment with status: {self.state}")
        self.audit(now)
        if action == "start":
            self._enter("deploying", now)
            return 202, self.done("Deployment starting")
        if self.slow_stop:
            self._enter("stopping", now)
            return 202, self.done("Deployment stopping")
        self._enter("stopped", now)
        return 200, self.done("Deployment stopped")

    def roll(
        self, what: str, coming: dict[str, object], now: float
    ) -> tuple[int, dict[str, object]]:
        """Another model or size: a ready one serves on as it was until it is there.

        Raises :class:`Refused` while another change is under way.
        """
        if self.state not in ("ready", "stopped"):
            raise Refused(f"Cannot {what} deployment with status: {self.state}", 409)
        if what == "replace" and self.fails:
            raise Refused(f"Replace failed: {self.fails}", 502)
        self.audit(now)
        if self.state == "stopped":
            for name, value in coming.items():
                setattr(self, name, value)
            return 200, self.done("Deployment updated")
        self._coming = coming
        self.state, self.since_at = "deploying", now
        return 202, self.done("Deployment updating")

    def end(self, now: float) -> None:
        """Deleted. Raises :class:`Refused` while a change is under way."""
        if self.state not in ("ready", "stopped", "failed"):
            raise Refused(f"Cannot delete deployment with status: {self.state}")
        self._enter("deleted", now)

    def done(self, message: str) -> dict[str, object]:
        """The body of a change."""
        return {"success": True, "status": self.state, "message": message}

    def audit(self, now: float) -> None:
        """The line that a change leaves in the log, which says nothing."""
        self.lines.add(now, "NOTICE", "{}")

    # --- requests ------------------------------------------------------------------

    def record(self, request: Request) -> None:
        """One that was really made: it counts and is in the log like any other."""
        self.asked.append(request)
        self.asked_at = max(self.asked_at, request.at)
        request.tell(self.lines, self.address)

    def is_asleep(self, now: float) -> bool:
        """Whether it has no instance: nobody has asked for a while."""
        quiet = self.rate_per_h == 0 and self.min_instances == 0
        return quiet and now - self.asked_at >= IDLE_S

    def _wake(self, now: float) -> float:
        """Seconds until there is an instance, which this begins where there is none."""
        if self.is_asleep(now):
            self.awake_at = now + COLD_S
            self.asked_at = now
            self.lines.start(now, self.address, cold=True)
            # It was turned away, which counts as a 4xx of the endpoint's.
            self.asked.append(Request(now + 0.1, 429, 0, "GET", "/health", NODE))
        return max(0.0, self.awake_at - now)

    def ping(self, now: float) -> dict[str, object]:
        """The Platform's own health check, which wakes it and waits until it is up."""
        if self.unreachable:
            # Without the status that the endpoint gave, since it gave none.
            return {"healthy": False, "latencyMs": 55_000, "error": "fetch failed"}
        if not self.serves:
            told = f"Deployment is {self.state}"
            return {"healthy": False, "status": 503, "latencyMs": 38, "error": told}
        latency_ms = self._wake(now) * 1_000 + 20 + self.p50_ms / 10
        answered_at = now + latency_ms / 1_000
        self.record(Request(answered_at, 200, 20, "GET", "/health", NODE))
        return {"healthy": True, "status": 200, "latencyMs": round(latency_ms)}

    def wait_s(self, now: float) -> float:
        """Before a prediction can be answered: it is turned away meanwhile."""
        return self._wake(now)

    @property
    def demand(self) -> Demand:
        """What it is asked by those who use it."""
        return Demand(
            self.id, self.rate_per_h, self.swing, self.error_share, self.p50_ms
        )

    def tell_traffic(self, now: float) -> None:
        """Write down the lines of requests up to ``now`` that are not written yet."""
        since = max(self._told_until, now - TOLD_S)
        for each in requests(self.demand, self._spans, since, now):
            each.tell(self.lines, self.address)
        self._told_until = max(now, since)

    def step(self, at: int, width: int, now: float) -> Step | None:
        """What was counted from ``at`` on; ``None`` where nothing was asked."""
        is_over = at + width <= now
        if is_over and (at, width) in self._steps:
            return self._steps[at, width]
        until = min(at + width, now)
        found = [
            *requests(self.demand, self._spans, at, until),
            *(each for each in self.asked if at <= each.at < until),
        ]
        step = counted(at, width, self.id, found) if found else None
        if is_over:
            if len(self._steps) > MOST_STEPS:
                self._steps.clear()
            self._steps[at, width] = step
        return step

    # --- as it is told ---------------------------------------------------------------

    def told(self, now: float, *, detail: bool = False) -> dict[str, object]:
        """As the list and the detail tell it: what there is not is absent."""
        return {
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
                "cpu": self.cpu,
                "memoryGi": self.memory_gi,
                "minInstances": self.min_instances,
                "maxInstances": 1,
            },
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.since_at),
            **dict(self._optional(now)),
            **({"metadata": self.metadata} if detail else {}),
        }

    def _optional(self, now: float) -> Iterator[tuple[str, object]]:
        if self.message:
            yield "statusMessage", self.message
        if self.deployed_at is not None:
            yield "serviceUrl", self.address
            yield "deployedAt", iso(self.deployed_at)
        if self.metered is not None:
            yield "metered", self.metered
        if self.api_key_id:
            yield "apiKeyId", self.api_key_id
        if self.camera:
            yield "camera", self.camera
            yield "cameraApplying", now < self.camera_at + CAMERA_S
