"""How much a client may send.

Owns the cap on request bodies, declared or dripped. Must not know what is in them.
"""

from __future__ import annotations

import json

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 100 * 1000 * 1000
"""Bytes; the Platform's 100 MB."""


class BodyLimit:
    """Refuses with 413 a body that declares itself, or turns out, too long."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        """Wrap ``app``; ``limit`` is in bytes of the whole body."""
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._declared(scope) > self._limit:
            await self._refuse(send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                # Raised where the body is read; becomes the same 413 there.
                raise HTTPException(413, self._text())
            return message

        await self._app(scope, counted, send)

    def _declared(self, scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value[:20])
        return 0

    async def _refuse(self, send: Send) -> None:
        body = json.dumps({"detail": self._text()}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            # Nothing was read: the connection cannot be used again.
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _text(self) -> str:
        return f"The request is larger than {self._limit:,} bytes"
