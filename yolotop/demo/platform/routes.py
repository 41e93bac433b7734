"""The routes of the control plane, as an ASGI application.

Owns paths, statuses, bodies and who may ask. It must not know how time passes or what
is counted. Routes of the two dead generations answer as anything unknown does: 404.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

from yolotop.demo.platform.figures import metrics
from yolotop.demo.platform.limits import Limits
from yolotop.demo.platform.lines import BadQueryError
from yolotop.demo.platform.world import Deployment, Refused, World

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer: TypeAlias = tuple[int, Mapping[str, str], object]

KEY: Final = re.compile(r"Bearer (ul_[0-9a-f]{40})", re.ASCII)
SLUG: Final = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_LIST: Final = re.compile(rf"/api/deployments/({SLUG})")
_ONE: Final = re.compile(
    rf"/api/deployments/({SLUG})/({SLUG})(?:/(health|metrics|logs|predict))?"
)
STATES: Final = ("creating", "deploying", "ready", "stopping", "stopped", "failed")
LARGEST_IMAGE: Final = 100 * 1024 * 1024


class ControlPlane:
    """The application. ``asked`` are method and path of every call, oldest first.

    ``down`` are routes (``metrics``, ``logs``) whose backend answers 503;
    ``closed_keys`` were revoked.
    """

    def __init__(self, world: World, limits: Limits | None = None) -> None:
        self.world = world
        self.limits = Limits(world.now) if limits is None else limits
        self.asked: list[tuple[str, str]] = []
        self.down: set[str] = set()
        self.closed_keys: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
        size, body = 0, b""
        while True:
            message = await receive()
            chunk = message.get("body", b"")
            size += len(chunk)
            body += chunk if size <= 65_536 else b""
            if not message.get("more_body"):
                break
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        bearer = headers.get("authorization", b"").decode("latin-1")
        method, path = scope["method"], scope["path"]
        self.asked.append((method, path))
        status, extra, content = self.answer(method, path, query, bearer, body, size)
        data = json.dumps(content).encode()
        told = {"content-type": "application/json", "x-request-id": self._request_id()}
        pairs = [
            (name.encode(), value.encode("latin-1"))
            for name, value in {**told, **extra}.items()
        ]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": data})

    def _request_id(self) -> str:
        return f"req-{len(self.asked):06}"

    # --- who asks what -------------------------------------------------------------

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        bearer: str,
        body: bytes = b"",
        size: int = 0,
    ) -> Answer:
        """Status, headers and body of one call."""
        match = KEY.fullmatch(bearer)
        key = "" if match is None else match[1]
        owner = self.world.owners.get(key)
        if owner is None or key in self.closed_keys:
            return 401, {}, {"error": "Unauthorized"}
        one, all_of = _ONE.fullmatch(path), _LIST.fullmatch(path)
        route = "" if one is None else one[3] or ""
        refused = self.limits.check(key, _category(method, route))
        if refused is not None:
            return 429, *refused
        if (method, path) == ("GET", "/api/account/summary"):
            return 200, {}, self._account(owner)
        if method == "GET" and all_of is not None:
            return self._list(owner, all_of[1], query)
        if one is None:
            return _missing()
        if one[1] != owner:
            return 403, {}, {"error": "You do not have access to this workspace"}
        found = self.world.find(owner, one[2])
        if found is None:
            return 404, {}, {"error": "Deployment not found"}
        return self._to_one(method, route, found, query, body, size)

    def _to_one(
        self,
        method: str,
        route: str,
        found: Deployment,
        query: Mapping[str, str],
        body: bytes,
        size: int,
    ) -> Answer:
        if route == "predict" and method == "POST":
            return self._predict(found, size)
        if not route and method in ("GET", "PATCH", "DELETE"):
            return self._one(method, found, body)
        if route in ("health", "metrics", "logs") and method == "GET":
            return self._about(found, route, dict(query))
        return _missing()

    def _account(self, owner: str) -> object:
        return {
            "username": owner,
            "name": owner.title(),
            "accountType": "personal",
            "plan": "free",
            "creditsCents": 500,
            "counts": {"projects": 1, "datasets": 1, "models": 1},
            # With a key there are never any.
            "teams": [],
        }

    def _list(self, owner: str, wanted: str, query: Mapping[str, str]) -> Answer:
        if wanted != owner:
            return 403, {}, {"error": "You do not have access to this workspace"}
        state, limit = query.get("status", ""), query.get("limit", "20")
        if state and state not in STATES:
            return 400, {}, {"error": f"Invalid status: {state}"}
        if not limit.isdigit() or not 1 <= int(limit) <= 100:
            return 400, {}, {"error": "limit must be between 1 and 100"}
        found = [
            one.told()
            for one in self.world.of(owner)
            if not state or one.state == state
        ]
        # One page and no other; the total tells what was cut.
        told = {"deployments": found[: int(limit)], "total": len(found), "region": "eu"}
        return 200, {}, told

    # --- one deployment ------------------------------------------------------------

    def _one(self, method: str, found: Deployment, body: bytes) -> Answer:
        if method == "GET":
            return 200, {}, {"deployment": found.told(detail=True), "region": "eu"}
        if method == "DELETE":
            self.world.delete(found)
            return 200, {}, {"success": True}
        try:
            wish = json.loads(body)
        except ValueError:
            return 400, {}, {"error": "Invalid JSON"}
        if not isinstance(wish, dict) or len(wish) != 1:
            return 400, {}, {"error": "Exactly one change is expected"}
        if "name" in wish:
            name = str(wish["name"])
            slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
            self.world.rename(found, slug, name)
            told = found.told(detail=True)
            return 200, {}, {"success": True, "status": found.state, "deployment": told}
        action = wish.get("action")
        if action not in ("start", "stop"):
            return 400, {}, {"error": f"Unrecognized action: {action}"}
        try:
            status, done = found.change(action, self.world.now())
        except Refused as refused:
            return 400, {}, {"error": str(refused)}
        return status, {}, done

    def _about(self, found: Deployment, route: str, query: dict[str, str]) -> Answer:
        now = self.world.now()
        if route in self.down:
            return 503, {}, {"error": f"{route.title()} backend is unavailable"}
        try:
            if route == "health":
                if found.deployed_at is None:
                    return 400, {}, {"error": "Deployment has no service URL yet"}
                return 200, {}, found.ping(now)
            if route == "metrics":
                if found.deployed_at is None:
                    return 400, {}, {"error": "Deployment is not ready"}
                return 200, {}, metrics(found, query, now)
            # Right after creation there are no lines, and that is no error.
            page = found.lines.page(
                query.get("severity", ""),
                query.get("limit", "50"),
                query.get("pageToken", ""),
            )
        except BadQueryError as error:
            return 400, {}, {"error": str(error)}
        return 200, {}, page

    def _predict(self, found: Deployment, size: int) -> Answer:
        if size > LARGEST_IMAGE:
            # The one error of the whole contract that is nested.
            error = {"code": "PAYLOAD_TOO_LARGE", "message": "100 MB at most"}
            return 413, {}, {"error": error}
        if found.state != "ready":
            return 400, {}, {"error": f"Deployment is {found.state}"}
        found.asked_at = self.world.now()
        image = {"shape": [640, 640], "speed": {"inference": 800.0}, "results": []}
        return 200, {}, {"images": [image], "metadata": {"imageCount": 1}}


def _category(method: str, route: str) -> str:
    if method == "PATCH":
        return "mutation"
    return "predict" if route == "predict" else "default"


def _missing() -> Answer:
    return 404, {}, {"error": "Not found"}
