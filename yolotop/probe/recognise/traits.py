"""What one reply, or an address, gives away about a server.

Owns the two values that recognition is made of: what was seen, and what follows. Must
not know any server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote

from yolotop.model.preset import Auth, Carrier
from yolotop.probe.dialects.decoding import decode
from yolotop.probe.dialects.protocol import BadResponse
from yolotop.probe.messages import Reply
from yolotop.text import clean

LOOKED_AT: Final = 512 * 1024
"""Bytes of an answer that are read; an OpenAPI page has some 10 KB."""
MOST_MODELS: Final = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """One reply, read. ``value`` is the decoded JSON, ``None`` for anything else."""

    status: int
    headers: Mapping[str, str]
    text: str
    value: object

    @classmethod
    def of(cls, reply: Reply) -> Seen:
        """From the transport's reply; bodies beyond the cap are not JSON to us."""
        body = reply.body
        try:
            value = decode(body) if len(body) <= LOOKED_AT else None
        except BadResponse:
            value = None
        headers = {
            name.decode("latin-1"): clean(text.decode("latin-1"), limit=200)
            for name, text in reply.headers
        }
        text = body[:4096].decode("utf-8", errors="replace")
        return cls(reply.status, headers, text, value)

    @property
    def table(self) -> Mapping[str, object]:
        """The JSON object, or an empty one."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def locked(self) -> bool:
        """Whether a key is missing or wrong; TorchServe says so with a 400."""
        if self.status == 400:
            return "InvalidKeyException" in self.text
        return self.status in (401, 403)

    @property
    def carrier(self) -> Auth | None:
        """How this server wants a key, where it says so."""
        wanted = self.headers.get("www-authenticate", "").lower()
        if wanted.startswith("apikey") or "x-api-key" in self.text.lower():
            return Auth(Carrier.HEADER, "X-API-Key")
        return None

    @property
    def key_wanted(self) -> str:
        """The same, for a person."""
        carrier = self.carrier
        # Not the header as it is sent: what follows that is masked wherever it is told.
        return "as a bearer token" if carrier is None else f"in {carrier.name}"


@dataclass(frozen=True, slots=True)
class Trait:
    """What one reply, or an address, gives away.

    ``then`` are paths worth asking of this kind, ``last`` those that come after a model
    is known. ``sure`` is false where other kinds answer the same. ``unasked`` means the
    address alone is enough, and that asking might cost money.
    """

    preset: str
    why: str
    settings: Mapping[str, object] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    sure: bool = True
    also: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    unasked: bool = False

    def with_models(self, names: list[str]) -> Trait:
        """With the models a server names, and the only one chosen."""
        found = tuple(dict.fromkeys(clean(name, limit=200) for name in names if name))
        found = found[:MOST_MODELS]
        if not found or self.models:
            return self
        settings = self.settings
        if len(found) == 1:
            settings = {**settings, "model": found[0]}
        said = f"it serves {', '.join(found[:6])}{', …' if len(found) > 6 else ''}"
        return replace(self, models=found, settings=settings, also=(*self.also, said))

    def with_settings(self, why: str, **settings: object) -> Trait:
        """With further keys of the deployment's table."""
        return replace(
            self, settings={**self.settings, **settings}, also=(*self.also, why)
        )


def model_of(trait: Trait) -> str:
    """The model that a path is about, quoted for it; empty where none is known."""
    chosen = trait.settings.get("model")
    name = chosen if isinstance(chosen, str) else next(iter(trait.models), "")
    return quote(name, safe="")
