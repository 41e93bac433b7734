"""How each deployment is approached: dialect, keys, route, certificates, headers.

Owns turning the settings of a :class:`~yolotop.model.Deployment` into a request and a
route. Must not know what comes back. No setting of the environment is read here: a
monitor that took ``HTTP_PROXY`` of the shell it was started from would measure another
way than its file says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from yolotop import __version__
from yolotop.model import Deployment, SecretRef
from yolotop.probe import dialects
from yolotop.probe.certificates import Contexts, Trust
from yolotop.probe.dialects import Dialect
from yolotop.probe.dialects.protocol import Headers, RequestSpec
from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.messages import Request, target
from yolotop.probe.route import Route, proxy_from
from yolotop.probe.unpack import ACCEPTED
from yolotop.text import guard

MOST_KNOWN: Final = 16_384
"""Deployments whose approach is remembered."""

_ALWAYS: Final = (
    (b"User-Agent", f"yolotop/{__version__}".encode()),
    (b"Accept", b"application/json"),
    (b"Accept-Encoding", ACCEPTED),
)
_CLOSE: Final = (b"Connection", b"close")


def deadline_s(deployment: Deployment) -> float:
    """Seconds a probe may take, all in.

    An instance that scales to zero may hold the first request while it starts; giving
    up after ``timeout_s`` would call every cold start an outage.
    """
    if deployment.scale_to_zero:
        return max(deployment.timeout_s, deployment.cold_start_s)
    return deployment.timeout_s


@dataclass(frozen=True, slots=True)
class Approach:
    """What is the same for every probe of one deployment, until a setting changes."""

    deployment: Deployment
    dialect: Dialect
    route: Route
    trust: Trust
    deadline_s: float
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of one probe, as they are now."""

    api_key: str | None = field(default=None, repr=False)
    proxy: str = field(default="", repr=False)


class Approaches:
    """Approaches by deployment."""

    def __init__(
        self,
        secret: Callable[[SecretRef], str],
        known: Mapping[str, Dialect] = dialects.KNOWN,
    ) -> None:
        self._secret = secret
        self._known = known
        self._contexts = Contexts()
        self._approaches: dict[str, Approach] = {}

    def approach(self, deployment: Deployment) -> Approach:
        """Raises ConfigError or UnsendableRequest for settings that cannot work."""
        found = self._approaches.get(deployment.name)
        if found is not None and found.deployment is deployment:
            return found
        # A bad URL ends here, in our words.
        encrypted = target(deployment.url).encrypted
        found = Approach(
            deployment,
            dialects.lookup(deployment.preset.dialect, self._known),
            _route(deployment),
            Trust(
                deployment.ca,
                deployment.client_cert,
                deployment.client_key,
                deployment.verify_tls,
            ),
            deadline_s(deployment),
            encrypted,
        )
        while len(self._approaches) >= MOST_KNOWN:
            self._approaches.pop(next(iter(self._approaches)))
        self._approaches[deployment.name] = found
        return found

    async def keys(self, deployment: Deployment) -> Keys:
        """Fetch the secrets, each time anew: keys are rotated. Raises YolotopError."""
        if deployment.api_key is None and deployment.proxy_auth is None:
            return _NO_KEYS
        api_key = await self._fetch(deployment.api_key)
        proxy = await self._fetch(deployment.proxy_auth) or ""
        guard(proxy.partition(":")[2])
        return Keys(api_key, proxy)

    async def _fetch(self, ref: SecretRef | None) -> str | None:
        if ref is None:
            return None
        if ref.scheme == "file":
            # In a thread: a file server that hangs must hold up this probe only.
            return await asyncio.to_thread(self._secret, ref)
        return self._secret(ref)

    async def request(
        self, approach: Approach, spec: RequestSpec, keys: Keys
    ) -> Request:
        """The whole request. Raises UnsendableRequest."""
        context = None
        if approach.encrypted:
            context = await self._contexts.context(approach.trust)
        if keys.api_key:
            spec = approach.dialect.authorise(spec, keys.api_key, approach.deployment)
        where = target(spec.url)
        own = _encoded(approach.deployment.headers)
        asked = _encoded(spec.headers)
        named = {name.lower() for name, _ in (*own, *asked)}
        # A gateway that chooses by Host wants another one than it is dialled by.
        ours = ((b"Host", where.authority), *_ALWAYS)
        headers = [pair for pair in ours if pair[0].lower() not in named]
        if not approach.route.keep:
            headers.append(_CLOSE)
        if spec.body or spec.method != "GET":
            headers.append((b"Content-Length", b"%d" % len(spec.body)))
        headers += own
        headers += asked
        if not keys.api_key and where.basic:
            headers.append((b"Authorization", where.basic))
        return Request(
            spec.method.encode("ascii"),
            where,
            tuple(headers),
            spec.body,
            context,
            spec.limits,
        )


_NO_KEYS: Final = Keys()


def route_with(route: Route, deployment: Deployment, keys: Keys) -> Route:
    """``route`` with the proxy's password, where there is one."""
    if deployment.proxy is None or not keys.proxy:
        return route
    proxy = proxy_from(deployment.proxy, keys.proxy)
    return Route(
        proxy,
        route.connect_timeout_s,
        route.first_byte_timeout_s,
        route.allow_link_local,
        route.keep,
    )


def _route(deployment: Deployment) -> Route:
    first_byte_s = deployment.first_byte_timeout_s
    if first_byte_s is not None and deployment.scale_to_zero:
        first_byte_s = max(first_byte_s, deployment.cold_start_s)
    return Route(
        proxy_from(deployment.proxy) if deployment.proxy else None,
        deployment.connect_timeout_s,
        first_byte_s,
        deployment.allow_link_local,
        deployment.name if deployment.reuse else "",
    )


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    try:
        return [
            (name.encode("ascii"), value.encode("ascii")) for name, value in headers
        ]
    except UnicodeEncodeError:
        # The exception would quote the value, and the value may be the key.
        raise UnsendableRequest(
            "the API key holds characters that an HTTP header cannot carry"
        ) from None
