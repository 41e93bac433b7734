"""Which kind of server is this? Found from what it says, with a handful of GETs.

Owns the order of the questions and the bound on their number. What a reply gives away
is in ``replies``. Nothing is posted, no body is sent, no redirect is followed, and
an address that names its cloud service is not asked at all: the first request might
wake, and bill, an instance that sleeps.

Detection leaves its 404s in the server's access log, so it runs once, when a deployment
is added, and never with a probe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final

from yolotop.model import Deployment, SecretRef
from yolotop.model.preset import Auth
from yolotop.probe.approach import Approaches, route_with
from yolotop.probe.dialects.asking import authorised, place
from yolotop.probe.dialects.protocol import RequestSpec
from yolotop.probe.failures import DeadlinePassed, ProbeFailure
from yolotop.probe.recognise.addresses import (
    Paths,
    from_address,
    from_path,
    spoken,
)
from yolotop.probe.recognise.further import told
from yolotop.probe.recognise.replies import from_reply
from yolotop.probe.recognise.traits import Seen, Trait, model_of
from yolotop.probe.recognise.unsaid import unsaid
from yolotop.probe.refusal import error_sentence
from yolotop.probe.transport import MeasuringTransport
from yolotop.text import clean, redact

MOST_ASKED: Final = 14
"""Requests of one recognition at most; the eleven kinds that run on a developer's
machine take one to five."""
PATIENCE_S: Final = 3.0
"""For each request. A server that is silent twice is not asked a third time."""

MOST_SILENT: Final = 2

ORDER: Final = (
    "/v2",
    "/info",
    "/openapi.json",
    "/schema.json",
    "/",
    "/v1/models",
    "/ping",
    "/v1/status/ping",
    "/detectors",
    "/api/version",
    "/health",
)
"""What tells most comes first. ``/v2`` and ``/info`` are one family each; the OpenAPI
page names paths and fields of every FastAPI application."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the recognition, for a person to see what was done."""

    path: str
    status: int | None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found. ``dialect`` is a preset's name, ``None`` where nothing fits.

    ``url`` is the base to register; ``settings`` are keys of the deployment's table
    beyond ``url`` and ``dialect``, as the config file writes them. ``why`` are clean
    sentences, the strongest first. ``models`` are those the server names: where there
    are several, a person chooses. ``wants_key`` says how a key would be sent, where one
    is wanted and the one given (if any) was not taken. ``sure`` is false for a guess.
    ``unsaid`` is what the server does not tell and a person has to, with the keys.
    """

    url: str
    dialect: str | None
    why: tuple[str, ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    wants_key: str | None = None
    sure: bool = True
    asked: tuple[Asked, ...] = ()
    unsaid: tuple[str, ...] = ()


async def recognise(
    deployment: Deployment,
    *,
    secret: Callable[[SecretRef], str],
    transport: MeasuringTransport | None = None,
) -> Finding:
    """Ask ``deployment``'s address what it is, on its route and with its key.

    Raises ProbeFailure where nothing can be reached, and ConfigError for a key or a
    certificate that cannot be read.
    """
    hint = from_address(deployment.url)
    if hint is not None:
        return _finding(deployment.url, hint, ())
    own = transport is None
    transport = transport or MeasuringTransport()
    try:
        return await _Scout(deployment, secret, transport).find()
    finally:
        if own:
            await transport.aclose()


def _finding(url: str, trait: Trait, asked: Sequence[Asked]) -> Finding:
    return Finding(
        url=url,
        dialect=trait.preset,
        why=(trait.why, *trait.also),
        settings=trait.settings,
        models=trait.models,
        sure=trait.sure,
        asked=tuple(asked),
        unsaid=unsaid(trait),
    )


class _Scout:
    """One recognition: what was asked, what came back."""

    def __init__(
        self,
        deployment: Deployment,
        secret: Callable[[SecretRef], str],
        transport: MeasuringTransport,
    ) -> None:
        # Asked on one kept connection: a dozen handshakes would be the longest part.
        self._deployment = replace(deployment, reuse=True)
        self._approaches = Approaches(secret)
        self._transport = transport
        self._auth = Auth()
        self._asked: list[Asked] = []
        self._silent = 0
        self._answers = 0
        self._known: dict[str, Seen | None] = {}
        self._guess: Trait | None = None
        self._wants: str | None = None
        self._last_failure: ProbeFailure | None = None
        self._key = ""

    async def find(self) -> Finding:
        """Look below the registered path, then at the host's root."""
        paths = Paths.of(self._deployment.url)
        named = from_path(self._deployment.url)
        for base in paths.bases:
            trait = await self._look(base)
            if self._wants is not None and trait is None:
                break
            if trait is not None:
                return self._found(base, await self._complete(trait, base, named))
        if self._answers == 0 and self._last_failure is not None:
            raise self._last_failure
        base = paths.bases[0]
        trait = named or self._guess
        if trait is not None:
            return self._found(base, await self._complete(trait, base, named))
        why = "nothing it answers is of a kind yolotop knows"
        if self._wants is not None:
            why = "it refuses to say anything without the right key"
        return Finding(
            url=base,
            dialect=None,
            why=(why,),
            wants_key=self._wants,
            sure=False,
            asked=tuple(self._asked),
        )

    async def _look(self, base: str) -> Trait | None:
        """The first sure trait; what is not sure is kept as a guess."""
        for path in ORDER:
            seen = await self._get(base, path)
            if seen is None:
                if self._silent >= MOST_SILENT or self._answers == 0:
                    return None
                continue
            if seen.locked:
                seen = await self._with_key(base, path, seen)
            trait = from_reply(path, seen)
            if trait is not None and trait.sure:
                return trait
            self._guess = self._guess or trait
            if seen.locked:
                # Ten more refusals would say no more, and look like an attack.
                return None
        return None

    async def _with_key(self, base: str, path: str, seen: Seen) -> Seen:
        """Ask again with the key where this server wants it, if that is elsewhere."""
        self._wants = self._wants or seen.key_wanted
        carrier = seen.carrier
        if self._key and carrier is not None and carrier != self._auth:
            self._auth = carrier
            again = await self._get(base, path, anew=True)
            if again is not None:
                seen = again
        if not seen.locked:
            self._wants = None
        return seen

    def _found(self, base: str, trait: Trait) -> Finding:
        return replace(_finding(base, trait, self._asked), wants_key=self._wants)

    async def _complete(self, trait: Trait, base: str, named: Trait | None) -> Trait:
        """Ask what a kind of server tells besides: models, inputs, routes."""
        if named is not None and named.models:
            both = {**trait.settings, **named.settings}
            trait = replace(trait, models=named.models, settings=both)
            trait = spoken(trait, named)
        chosen = self._deployment.model
        if chosen is not None:
            # Whoever asks knows which: what follows is to be about that one.
            trait = replace(
                trait, models=(chosen,), settings={**trait.settings, "model": chosen}
            )
        # What is told first may name the model that the last is about.
        for path in (*trait.then, *trait.last):
            if "{model}" in path and not model_of(trait):
                continue
            where = path.replace("{model}", model_of(trait))
            seen = await self._get(base, where)
            if seen is not None and seen.status == HTTPStatus.OK:
                trait = told(trait, where, seen)
        return trait

    async def _get(self, base: str, path: str, *, anew: bool = False) -> Seen | None:
        url = place(base, path, ())
        if not anew and url in self._known:
            return self._known[url]
        if len(self._asked) >= MOST_ASKED:
            return None
        seen = await self._ask(url, path)
        self._known[url] = seen
        return seen

    async def _ask(self, url: str, path: str) -> Seen | None:
        approach = self._approaches.approach(self._deployment)
        keys = await self._approaches.keys(self._deployment)
        self._key = keys.api_key or ""
        spec = RequestSpec("GET", url)
        if keys.api_key:
            spec = authorised(spec, keys.api_key, self._auth)
        request = await self._approaches.request(
            approach, spec, replace(keys, api_key=None)
        )
        try:
            reply = await self._transport.exchange(
                request,
                deadline_s=PATIENCE_S,
                route=route_with(approach.route, self._deployment, keys),
            )
        except ProbeFailure as failure:
            if isinstance(failure, DeadlinePassed):
                self._silent += 1
            self._last_failure = failure
            said = redact(clean(failure.message, limit=120), self._key)
            self._asked.append(Asked(path, failure.status, said))
            return None
        self._answers += 1
        said = error_sentence(reply.body[:4096], reply.content_type)
        self._asked.append(
            Asked(path, reply.status, redact(clean(said, limit=80), self._key))
        )
        return Seen.of(reply)
