"""How a peer is reached: proxy, budgets, and whether the connection is kept.

Owns the settings of one way to an endpoint. Must not know deployments, secrets by
reference, or how any of it is done.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Final

from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.target import target


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; ``basic`` is the value of ``Proxy-Authorization``."""

    host: str
    port: int
    basic: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Route:
    """One way. Budgets in seconds; ``None`` leaves a step to the whole deadline.

    ``connect_timeout_s`` is for name, TCP, proxy and TLS together;
    ``first_byte_timeout_s`` from there to the first byte of the answer. ``keep`` is
    the name under which the connection is kept for the next exchange; empty closes it.
    """

    proxy: Proxy | None = None
    connect_timeout_s: float | None = None
    first_byte_timeout_s: float | None = None
    allow_link_local: bool = False
    keep: str = ""


DIRECT: Final = Route()


def proxy_from(url: str, userinfo: str = "") -> Proxy:
    """The proxy at ``http://host:port``, with ``user:password`` where it wants them.

    Raises UnsendableRequest.
    """
    where = target(url)
    if where.scheme != "http":
        raise UnsendableRequest("a proxy is written as http://host:port")
    basic = b""
    if userinfo:
        basic = b"Basic " + base64.b64encode(userinfo.encode())
    return Proxy(where.host, where.port, basic)
