"""The routes of the control plane, as an ASGI application.

Owns paths, statuses, bodies and who may ask. It must not know how time passes or what
is counted. Routes of the two dead generations answer as anything unknown does: 404.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

from yolotop.demo.platform import changes, workspace
from yolotop.demo.platform.changes import SLUG
from yolotop.demo.platform.deployment import Deployment, Refused
from yolotop.demo.platform.figures import metrics
from yolotop.demo.platform.limits import Limits
from yolotop.demo.platform.lines import NO_INSTANCE, BadQueryError
from yolotop.demo.platform.traffic import Request
from yolotop.demo.platform.world import World

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer: TypeAlias = tuple[int, Mapping[str, str], object]

KEY: Final = re.compile(r"Bearer (ul_[0-9a-f]{40})", re.ASCII)
_LIST: Final = re.compile(rf"/api/deployments/({SLUG})")
_ONE: Final = re.compile(
    rf"/api/deployments/({SLUG})/({SLUG})(?:/(health|metrics|logs|predict))?"
)
_ID: Final = re.compile(r"/api/deployments/[0-9a-f]{24}(?:/.*)?")
"""Routes of the older generations: an id where an owner is now."""
_SOURCE: Final = re.compile(rb'name="source"\r\n\r\n(.*?)\r\n--', re.DOTALL)
LARGEST_IMAGE: Final = 100 * 1024 * 1024
LONGEST_SOURCE: Final = 4_096
MOST_ASKED: Final = 100_000
KEPT_BYTES: Final = 65_536
"""Of a body: wishes are shorter, and of an image only the size counts."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: ``body`` is its beginning, ``size`` how long all of it was."""

    method: str
    path: str
    query: Mapping[str, str]
    bearer: str
    body: bytes = b""
    size: int = 0

    @property
    def wish(self) -> object:
        """The JSON of its body. Raises :class:`Refused`."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Refused("Invalid JSON") from None


class ControlPlane:
    """The application. ``asked`` are method and path of calls, oldest first.

    ``down`` are routes (``metrics``, ``logs``, ``health``, ``predict``) whose backend
    answers 503.
    """

    def __init__(self, world: World, limits: Limits | None = None) -> None:
        self.world = world
        self.limits = Limits(world.now) if limits is None else limits
        self.asked: list[tuple[str, str]] = []
        self._count = 0
        self.down: set[str] = set()

    @property
    def closed_keys(self) -> set[str]:
        """Those that were revoked."""
        return self.world.closed_keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take in one call and answer it."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
        size, body = 0, b""
        while True:
            message = await receive()
            chunk = message.get("body", b"")
            size += len(chunk)
            body += chunk[: KEPT_BYTES - len(body)]
            if not message.get("more_body"):
                break
        call = Call(
            scope["method"],
            scope["path"],
            dict(parse_qsl(scope["query_string"].decode("latin-1"))),
            headers.get("authorization", b"").decode("latin-1"),
            body,
            size,
        )
        self.asked.append((call.method, call.path))
        del self.asked[:-MOST_ASKED]
        self._count += 1
        status, extra, content = self.answer(call)
        lines = {"content-type": "application/json", **extra}
        lines["x-request-id"] = f"req-{self._count:06}"
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(k.encode(), v.encode()) for k, v in lines.items()],
            }
        )
        await send({"type": "http.response.body", "body": json.dumps(content).encode()})

    # --- who asks what -------------------------------------------------------------

    def answer(self, call: Call) -> Answer:
        """Status, headers and body of one call."""
        match = KEY.fullmatch(call.bearer)
        key = "" if match is None else match[1]
        owner = "" if key in self.world.closed_keys else self.world.owners.get(key, "")
        one, all_of = _ONE.fullmatch(call.path), _LIST.fullmatch(call.path)
        if _ID.fullmatch(call.path):
            one = all_of = None
        if not owner:
            if not call.bearer and all_of is not None and call.method == "GET":
                return workspace.public_list(self.world, all_of[1], call.query)
            return 401, {}, {"error": "Unauthorized"}
        route = "" if one is None else one[3] or ""
        refused = self.limits.check(key, _category(call, route))
        if refused is not None:
            return 429, *refused
        try:
            if one is None:
                listed = None if all_of is None else all_of[1]
                return self._of_workspace(call, owner, key, listed)
            found = self._found(owner, one[1], one[2])
            if route in self.down:
                return 503, {}, {"error": f"{route.title()} backend is unavailable"}
            if route:
                return self._about(call, route, found, key)
            return self._to_one(call, found)
        except Refused as error:
            return error.status, {}, {"error": str(error)}
        except BadQueryError as error:
            return 400, {}, {"error": str(error)}

    def _found(self, owner: str, wanted: str, slug: str) -> Deployment:
        if wanted != owner:
            raise Refused(workspace.NO_ACCESS, 403)
        found = self.world.find(owner, slug)
        if found is None:
            raise Refused("Deployment not found", 404)
        return found

    def _of_workspace(
        self, call: Call, owner: str, key: str, listed: str | None
    ) -> Answer:
        match call.method, call.path:
            case "GET", "/api/account/summary":
                return 200, {}, workspace.account(self.world, owner)
            case "GET", "/api/storage":
                return 200, {}, workspace.storage(self.world, owner)
            case "GET", "/api/api-keys":
                return 200, {}, workspace.keys(self.world, owner)
        if listed is None or call.method not in ("GET", "POST"):
            return _missing()
        if listed != owner:
            raise Refused(workspace.NO_ACCESS, 403)
        if call.method == "POST":
            status, done = changes.create(self.world, owner, key, call.wish)
            return status, {}, done
        return workspace.listed(self.world, owner, call.query)

    # --- one deployment ------------------------------------------------------------

    def _to_one(self, call: Call, found: Deployment) -> Answer:
        match call.method:
            case "GET":
                told = found.told(self.world.now(), detail=True)
                return 200, {}, {"deployment": told, "region": workspace.DATA_REGION}
            case "DELETE":
                self.world.delete(found)
                return 200, {}, {"success": True}
            case "PATCH":
                status, done = changes.change(self.world, found, call.wish)
                return status, {}, done
        return _missing()

    def _about(self, call: Call, route: str, found: Deployment, key: str) -> Answer:
        now = self.world.now()
        match call.method, route:
            case "POST", "predict":
                return self._predict(found, call, key)
            case "GET", "health":
                if found.deployed_at is None:
                    raise Refused("Deployment has no service URL yet")
                return 200, {}, found.ping(now)
            case "GET", "metrics":
                if found.state != "ready":
                    raise Refused("Deployment is not ready")
                return 200, {}, metrics(found, call.query, now)
            case "GET", "logs":
                return 200, {}, _logs(found, call.query, now)
        return _missing()

    def _predict(self, found: Deployment, call: Call, key: str) -> Answer:
        """The proxy looks at the bound key each time, which the endpoint does not."""
        if key != found.key:
            raise Refused("This deployment is bound to another API key", 403)
        if call.size > LARGEST_IMAGE:
            # The one error of the whole contract that is nested.
            error = {"code": "PAYLOAD_TOO_LARGE", "message": "100 MB at most"}
            return 413, {}, {"error": error}
        source = _SOURCE.search(call.body)
        if source is not None and len(source[1]) > LONGEST_SOURCE:
            raise Refused(f"source: {LONGEST_SOURCE} characters at most")
        if not found.serves:
            raise Refused(f"Deployment is {found.state}")
        now = self.world.now()
        wait_s = found.wait_s(now)
        if wait_s > 0:
            return 429, {"retry-after": str(int(wait_s) + 1)}, {"error": NO_INSTANCE}
        found.record(Request(now, 200, found.p50_ms))
        return 200, {}, _prediction(found, now)


def _logs(found: Deployment, query: Mapping[str, str], now: float) -> object:
    """Right after creation there are no lines, and that is no error."""
    found.tell_traffic(now)
    return found.lines.page(
        query.get("severity", ""),
        query.get("limit", "50"),
        query.get("pageToken", ""),
        now,
    )


def _prediction(found: Deployment, now: float) -> object:
    """Of an image in which nothing is seen; both times are in seconds."""
    speed = {"preprocess": 2.0, "inference": found.p50_ms, "postprocess": 1.0}
    metadata = {
        "imageCount": 1,
        "functionTimeCall": round(found.p50_ms / 1_000 + 0.01, 3),
        "functionTimeAlive": round(now - found.awake_at, 3),
        "task": "detect",
        "version": {"ultralytics": "8.4.150", "torch": "2.14.0+cpu"},
    }
    image = {"shape": [640, 640], "speed": speed, "results": []}
    return {"images": [image], "metadata": metadata}


def _category(call: Call, route: str) -> str:
    if call.method == "PATCH" or call.path == "/api/api-keys":
        return "mutation"
    return "predict" if route == "predict" else "default"


def _missing() -> Answer:
    return 404, {}, {"error": "Not found"}
