"""One question, asked so that an answer comes whatever happens.

Owns what the collector expects of a prober, the bound on its time, and when to ask
again after "starting up". It must not know the schedule, nor what an answer is worth.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Final, Protocol

from yolotop.collect.clock import Clock
from yolotop.model import Answer, Deployment, ErrorKind, ProbeError, ProbeKind
from yolotop.probe.prober import Shown, deadline_s
from yolotop.probe.recognise import Finding
from yolotop.text import clean, redact

GRACE_S: Final = 5.0
"""A probe that is still running this long after its own deadline is ended."""
ASK_AGAIN_S: Final = 2.0
"""When to ask again after "starting up" where the server has no wish of its own."""
ASK_AGAIN_AT_LEAST_S: Final = 1.0
ASK_AGAIN_AT_MOST_S: Final = 30.0
_log = logging.getLogger("yolotop.collect")


class Asker(Protocol):
    """Whoever asks a deployment: the prober."""

    async def probe(
        self, deployment: Deployment, kind: ProbeKind, *, seed: int = 0
    ) -> Answer:
        """Ask once; what goes wrong is in the answer."""

    async def show(self, deployment: Deployment, image: str, *, seed: int = 0) -> Shown:
        """Send this image; raises FrameError for one that cannot be used."""

    async def recognise(self, deployment: Deployment) -> Finding:
        """Find out what the server is; raises ProbeFailure where nobody answers."""


async def ask_once(
    asker: Asker,
    clock: Clock,
    deployment: Deployment,
    kind: ProbeKind,
    *,
    seed: int = 0,
) -> Answer:
    """An answer whatever happens, in bounded time: the prober is not trusted here."""
    at, started = clock.now(), clock.monotonic()
    try:
        async with asyncio.timeout(deadline_s(deployment) + GRACE_S):
            return await asker.probe(deployment, kind, seed=seed)
    except TimeoutError:
        why = "the probe did not end within its deadline"
    except Exception as error:  # noqa: BLE001 - becomes a recorded verdict
        _log.exception("the prober failed on %s", deployment.name)
        why = redact(clean(f"{type(error).__name__}: {error}", limit=300))
    return Answer(
        deployment=deployment.name,
        kind=kind,
        started_at=at,
        latency_ms=(clock.monotonic() - started) * 1000,
        error=ProbeError(ErrorKind.INTERNAL, why),
    )


def ask_again_s(answer: Answer) -> float:
    """Seconds until a server that said "starting up" is asked again: as it wishes."""
    wish = answer.retry_after_s
    if wish is None or not math.isfinite(wish):
        return ASK_AGAIN_S
    return min(ASK_AGAIN_AT_MOST_S, max(ASK_AGAIN_AT_LEAST_S, wish))
