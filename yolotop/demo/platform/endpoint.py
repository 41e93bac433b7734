"""A deployment's own address: a real server that answers while the deployment serves.

Owns what stands between the address and the model: the life of the deployment, its
share of failures, and that every request counts. It must not know the control plane.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from yolotop.demo.characters import refuse
from yolotop.demo.platform.deployment import Deployment
from yolotop.demo.platform.traffic import Request

if TYPE_CHECKING:
    import random

    from starlette.types import ASGIApp, Receive, Scope, Send

FAULT: Final = "CUDA error: an illegal memory access was encountered"


class Endpoint:
    """``app`` knows the bound key; ``now`` is the deployment's clock."""

    def __init__(
        self,
        deployment: Deployment,
        app: ASGIApp,
        *,
        now: Callable[[], float],
        dice: random.Random,
    ) -> None:
        self.deployment = deployment
        self._app = app
        self._now = now
        self._dice = dice

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and count it as the Platform does."""
        if scope["type"] != "http":
            return
        self.deployment.pass_time(self._now())
        if not self.deployment.serves:
            # Nothing is counted of what has no instance.
            await refuse(receive, send, *self._absent())
            return
        begun, status = time.perf_counter(), 500

        async def listen(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if self._fails(scope, headers.get(b"authorization", "")):
            await refuse(receive, listen, 500, FAULT)
        else:
            await self._app(scope, receive, listen)
        latency_ms = (time.perf_counter() - begun) * 1_000
        agent = headers.get(b"user-agent", "")[:100]
        self.deployment.record(
            Request(
                self._now(), status, latency_ms, scope["method"], scope["path"], agent
            )
        )

    def _absent(self) -> tuple[int, str]:
        if self.deployment.state == "deleted":
            return 404, "There is no such service"
        return 503, f"The service is {self.deployment.state}"

    def _fails(self, scope: Scope, bearer: str) -> bool:
        """Whether it is this prediction's turn to: never of who has not the key."""
        asked = (
            scope["path"] == "/predict" and bearer == f"Bearer {self.deployment.key}"
        )
        return asked and self._dice.random() < self.deployment.error_share
