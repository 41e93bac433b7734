"""How tests ask the Platform's stand-in: bare, or with the real client."""

from __future__ import annotations

from typing import Any, Self

import httpx
from control_plane import Clock

from tests.platform_server import PlatformServer
from yolotop.platform.budget import Budget
from yolotop.platform.client import PlatformClient

OTHER_KEY = "ul_" + "89abcdef" * 5
LIST = "/api/deployments/acme"


def client_of(server: PlatformServer, key: str = "", owner: str = "") -> PlatformClient:
    waits = Clock()
    return PlatformClient(
        key or server.key,
        budget=Budget(waits, waits.sleep),
        owner=owner,
        base_url=server.url,
    )


class Asker:
    """Bare calls over one kept connection; ``key=None`` sends none."""

    def __init__(self, server: PlatformServer) -> None:
        self.key = server.key
        self.http = httpx.Client(base_url=server.url, trust_env=False, timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def __call__(
        self, method: str, path: str, *, key: str | None = "", **how: Any
    ) -> httpx.Response:
        headers = {} if key is None else {"authorization": f"Bearer {key or self.key}"}
        return self.http.request(method, path, headers=headers, **how)

    def get(self, path: str, **query: str) -> httpx.Response:
        return self("GET", path, params=query)

    def patch(self, slug: str, **wish: object) -> httpx.Response:
        return self("PATCH", f"{LIST}/{slug}", json=wish)

    def one(self, slug: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"{LIST}/{slug}").json()["deployment"]
        return found

    def logs(self, slug: str, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]]
        found = self.get(f"{LIST}/{slug}/logs", **query).json()["entries"]
        return found


def error(answer: httpx.Response) -> tuple[int, str]:
    """Status and words of a refusal."""
    return answer.status_code, answer.json()["error"]
