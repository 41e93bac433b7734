"""The stand-in answers whatever it is asked: others are tried on it."""

from __future__ import annotations

import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from tests.platform_server import KEY, HandClock
from yolotop.demo.platform import cast
from yolotop.demo.platform.routes import Call, ControlPlane
from yolotop.demo.platform.world import World

KEYS = st.sampled_from(
    ["action", "name", "metadata", "project", "model", "deployment", "region", "cpu",
     "memoryGi", "url", "x"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["start", "stop", "replace", "resize", "camera", "warehouse", "shapes", "shapes2",
     "us-east1", "rtsp://x", "!!!", "²", ""]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
VALUES = st.recursive(
    LEAVES | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=6,
)
ROUTES = st.sampled_from(["", "/health", "/metrics", "/logs", "/predict", "/start"])
QUERIES = st.dictionaries(
    st.sampled_from(
        ["limit", "status", "model", "range", "view", "sparkline", "severity",
         "pageToken"]
    ),
    WORDS | st.text(max_size=9) | st.sampled_from(["1h", "true", "5", "ready", "INFO"]),
    max_size=3,
)  # fmt: skip
ALLOWED = {200, 201, 202, 400, 401, 403, 404, 409, 413, 429, 502, 503}


@given(
    st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"]),
    st.sampled_from(["", *(f"/{name}" for name in cast.NAMES), f"/{quote('ü')}"]),
    ROUTES,
    QUERIES,
    VALUES | st.dictionaries(KEYS, VALUES, max_size=7),
    st.sampled_from([f"Bearer {KEY}", "", "Bearer ul_ü"]),
)
def test_whatever_it_is_asked_it_has_an_answer(
    method: str,
    slug: str,
    route: str,
    query: dict[str, str],
    wish: object,
    bearer: str,
) -> None:
    world = World(HandClock())
    cast.enter(world, KEY, {})
    for path in (f"/api/deployments/acme{slug}{route}", slug + route):
        call = Call(method, path, query, bearer, json.dumps(wish).encode())
        status, _, body = ControlPlane(world).answer(call)
        assert status in ALLOWED
        assert json.loads(json.dumps(body)) is not None
        if status >= 400:
            assert isinstance(body, dict)
            assert body["error"]
