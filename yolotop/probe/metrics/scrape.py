"""Fetching a page of metrics: where it is, who may see the key, how long it may take.

Owns the request. Must not know what a page says, nor when one is wanted. It goes
through a measuring transport of its own, with caps of its own: nothing of it is in the
figures of a probe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from yolotop.model import Deployment, SecretRef
from yolotop.probe import dialects
from yolotop.probe.approach import Approaches, Keys, route_with
from yolotop.probe.dialects import Dialect
from yolotop.probe.dialects.asking import url_of
from yolotop.probe.dialects.protocol import RequestSpec
from yolotop.probe.failures import ProbeFailure
from yolotop.probe.messages import Limits
from yolotop.probe.metrics.exposition import MOST_BYTES
from yolotop.probe.target import target
from yolotop.probe.transport import MeasuringTransport
from yolotop.text import clean, redact

DEADLINE_S: Final = 5.0
"""A page that takes longer is not worth the place: the next one comes soon."""
_ACCEPT: Final = (
    ("Accept", "text/plain;version=0.0.4, application/openmetrics-text;q=0.5"),
)


class NoPage(Exception):  # noqa: N818 - reads as what happened
    """No page came. ``message`` is one clean sentence, without the key."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def metrics_url(deployment: Deployment) -> str | None:
    """Where its server counts its traffic; ``None``: nowhere that is known.

    Raises ProbeFailure for a path that cannot be one.
    """
    if deployment.metrics_url is not None:
        return deployment.metrics_url or None
    metrics = deployment.preset.metrics
    if metrics is None or not metrics.path:
        return None
    url = url_of(deployment, metrics.path)
    parts = urlsplit(url)
    if parts.username is None or _same_place(url, deployment.url):
        return url
    # A password in the deployment's URL is for the deployment.
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


class Scraper:
    """Fetches. ``secret`` turns a reference into its value, or raises YolotopError."""

    def __init__(
        self,
        *,
        secret: Callable[[SecretRef], str],
        transport: MeasuringTransport | None = None,
        known: Mapping[str, Dialect] = dialects.KNOWN,
    ) -> None:
        limits = Limits(raw=MOST_BYTES, body=MOST_BYTES)
        self._transport = transport or MeasuringTransport(limits=limits)
        self._approaches = Approaches(secret, known)

    async def fetch(self, deployment: Deployment, url: str) -> bytes:
        """The page. Raises NoPage for whatever keeps it from coming."""
        key = ""
        try:
            approach = self._approaches.approach(deployment)
            keys = await self._approaches.keys(deployment)
            if not _same_place(url, deployment.url):
                # Another port or host is another service: it gets no key of this one.
                keys = Keys(proxy=keys.proxy)
                approach = replace(approach, deployment=replace(deployment, headers=()))
            key = keys.api_key or ""
            # A connection that is kept is the probes'.
            route = replace(approach.route, keep="")
            approach = replace(approach, route=route, encrypted=target(url).encrypted)
            spec = RequestSpec("GET", url, _ACCEPT)
            request = await self._approaches.request(approach, spec, keys)
            reply = await self._transport.exchange(
                request,
                deadline_s=min(DEADLINE_S, approach.deadline_s),
                route=route_with(route, deployment, keys),
            )
        except ProbeFailure as failure:
            raise NoPage(redact(failure.message, key)) from failure
        except Exception as error:
            # Secrets that cannot be had, and our own faults: a page is never worth
            # more than a sentence.
            raise NoPage(redact(clean(str(error), limit=300), key)) from error
        if not reply.ok:
            raise NoPage(f"HTTP {reply.status}")
        return reply.body

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._transport.aclose()


def _same_place(url: str, other: str) -> bool:
    one, two = urlsplit(url), urlsplit(other)
    return (one.scheme, one.netloc.rpartition("@")[2].lower()) == (
        two.scheme,
        two.netloc.rpartition("@")[2].lower(),
    )
