"""Quirks of routes, keys, the list and limits: facts §0, §1.1 to §1.4.

Lives, figures, logs and predictions have modules of their own (``test_quirks_*``).
"""

from __future__ import annotations

from typing import Any

import pytest
from stand_in import LIST, OTHER_KEY, Asker, client_of, error

from tests.platform_server import HandClock, PlatformServer
from yolotop.platform.budget import Category
from yolotop.platform.contract import Lifecycle
from yolotop.platform.failure import FailureKind, PlatformError

ID = "66f0c0ffee66f0c0ffee0001"


# --- §0: three generations -----------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/deployments"),
        ("GET", "/api/deployments?owner=acme"),
        ("POST", "/api/deployments"),
        ("GET", f"/api/deployments/{ID}"),
        ("PATCH", f"/api/deployments/{ID}"),
        ("DELETE", f"/api/deployments/{ID}"),
        ("POST", f"/api/deployments/{ID}/start"),
        ("POST", f"/api/deployments/{ID}/stop"),
        ("GET", f"/api/deployments/{ID}/health"),
        ("GET", f"/api/deployments/{ID}/metrics"),
        ("GET", f"/api/deployments/{ID}/logs"),
        ("POST", f"/api/deployments/{ID}/predict"),
        ("POST", f"{LIST}/dock/start"),
        ("POST", f"{LIST}/dock/stop"),
        ("GET", "/api/monitoring"),
    ],
)
def test_routes_of_the_dead_generations_are_not_there(
    server: PlatformServer, ask: Asker, method: str, path: str
) -> None:
    """§0: ids for slugs, /start and /stop, the owner as a query, the dashboard."""
    server.deploy("dock", id=ID)
    assert error(ask(method, path)) == (404, "Not found")


@pytest.mark.parametrize("route", ["statistics", "images"])
def test_routes_that_only_the_docs_have_are_unsupported(
    server: PlatformServer, ask: Asker, route: str
) -> None:
    """§1.2: absent from the SDK, shapes unpublished."""
    server.deploy("dock")
    assert ask.get(f"{LIST}/dock/{route}").status_code == 404


def test_paths_take_slugs_and_not_ids(server: PlatformServer, ask: Asker) -> None:
    """§1.1: a deployment's id is in its answer and in no path."""
    server.deploy("dock")
    assert ask.get(f"{LIST}/{ask.one('dock')['id']}").status_code == 404


def test_answers_are_bare_and_errors_are_one_string(
    server: PlatformServer, ask: Asker
) -> None:
    """§0: no envelope of success, data and meta any more. §1.4: a request id."""
    told = ask.get(LIST)
    assert set(told.json()) == {"deployments", "total", "region"}
    refused = ask.get(f"{LIST}/nobody")
    assert refused.json() == {"error": "Deployment not found"}
    assert refused.headers["x-request-id"] != told.headers["x-request-id"]


# --- §1.1: keys ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ul_0123",
        "Bearer UL_0123456789abcdef0123456789abcdef01234567",
        "Bearer ul_0123456789ABCDEF0123456789ABCDEF01234567",
        "Token ul_0123456789abcdef0123456789abcdef01234567",
        "Bearer ul_0123456789abcdef0123456789abcdef012345678",
        f"Bearer {OTHER_KEY}",
    ],
)
def test_no_key_a_malformed_one_and_an_unknown_one(
    server: PlatformServer, ask: Asker, header: str | None
) -> None:
    """§1.1: 401, and the shape of a key is ul_ and 40 lower-case digits."""
    headers = {} if header is None else {"authorization": header}
    found = ask.http.get("/api/account/summary", headers=headers)
    assert error(found) == (401, "Unauthorized")


async def test_a_revoked_key_and_another_workspace(server: PlatformServer) -> None:
    """§1.1: a key reaches its own workspace, until it is revoked."""
    async with client_of(server, owner="other-team") as client:
        with pytest.raises(PlatformError) as caught:
            await client.deployments()
        assert caught.value.kind is FailureKind.FORBIDDEN
        with pytest.raises(PlatformError) as caught:
            await client.metrics("dock")
        assert caught.value.kind is FailureKind.FORBIDDEN
    server.plane.closed_keys.add(server.key)
    async with client_of(server) as client:
        with pytest.raises(PlatformError) as caught:
            await client.account()
    assert caught.value.kind is FailureKind.UNAUTHORIZED
    assert caught.value.request_id.startswith("req-")


def test_the_summary_names_the_owner_and_never_a_team(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.1, §1.2: the cheapest check of a key."""
    told = ask.get("/api/account/summary").json()
    assert (told["username"], told["teams"]) == ("acme", [])


def test_keys_are_told_by_their_beginning(server: PlatformServer, ask: Asker) -> None:
    """§1.2: apiKeyId is an id, which this list joins to eleven characters."""
    server.world.owners[OTHER_KEY] = "acme"
    (first, second) = ask.get("/api/api-keys").json()["keys"]
    assert (first["keyPrefix"], second["keyPrefix"]) == ("ul_01234567", "ul_89abcdef")
    assert server.key not in str((first, second))
    server.plane.closed_keys.add(OTHER_KEY)
    assert len(ask.get("/api/api-keys").json()["keys"]) == 1


# --- §1.2: the list ------------------------------------------------------------------


async def test_the_list_has_one_page_and_tells_how_many_there_are(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2: 20 by default, 100 at most, no second page, total tells what was cut."""
    for n in range(120):
        server.deploy(f"cam-{n}")
    async with client_of(server) as client:
        listed = await client.deployments()
    assert (len(listed.deployments), listed.cut) == (100, 20)
    assert len(ask.get(LIST).json()["deployments"]) == 20


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"limit": "0"}, "limit must be between 1 and 100"),
        ({"limit": "101"}, "limit must be between 1 and 100"),
        ({"limit": "many"}, "limit must be between 1 and 100"),
        ({"limit": "²"}, "limit must be between 1 and 100"),
        ({"limit": "9" * 5_000}, "limit must be between 1 and 100"),
        ({"status": "running"}, "Invalid status: running"),
        ({"model": "shapes"}, "model must be project/model"),
        ({"model": "p/" + "m" * 256}, "model must be project/model"),
    ],
)
def test_a_bad_query_of_the_list(
    server: PlatformServer, ask: Asker, query: dict[str, str], words: str
) -> None:
    """§1.2: 400."""
    assert error(ask.get(LIST, **query)) == (400, words)


def test_the_list_by_status_and_by_model(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2: status= and model=project/model; a model that is none is a 404."""
    server.deploy("dock")
    server.deploy("gate", model="gates").change("stop", hand.at)
    server.deploy("yard", ready=False)

    def slugs(**query: str) -> list[str]:
        told = ask.get(LIST, **query).json()
        assert told["total"] == len(told["deployments"])
        return [one["deployment"] for one in told["deployments"]]

    assert slugs() == ["yard", "dock", "gate"]
    assert slugs(status="stopped") == ["gate"]
    assert slugs(status="failed") == []
    assert slugs(model="warehouse/gates") == ["gate"]
    assert error(ask.get(LIST, model="warehouse/none")) == (404, "Model not found")


def test_without_a_key_only_those_of_a_public_model(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2: anonymous callers need model= of a public one; owners' fields are gone."""
    server.deploy("dock", api_key_id="k" * 24, camera="rtsp://u:pw@cam/1")
    where = f"{LIST}?model=warehouse/shapes"
    assert ask("GET", where, key=None).status_code == 401
    server.world.public.add("acme/warehouse/shapes")
    (one,) = ask("GET", where, key=None).json()["deployments"]
    assert "apiKeyId" not in one
    assert "camera" not in one
    assert ask("GET", f"{where}&limit=0", key=None).status_code == 400
    assert ask("GET", LIST, key=None).status_code == 401


def test_the_region_of_the_list_is_that_of_the_data(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2: us, eu or ap, wherever the deployments are."""
    server.deploy("dock", region="asia-east1")
    told = ask.get(LIST).json()
    assert told["region"] == "eu"
    assert told["deployments"][0]["region"] == "asia-east1"
    assert ask.get(f"{LIST}/dock").json()["region"] == "eu"


def test_what_there_is_not_is_absent(server: PlatformServer, ask: Asker) -> None:
    """§1.2: absent is not null; metadata is of the detail only; §4: no apiKeyId."""
    server.deploy("dock")
    server.deploy("paid", metered=True, camera="rtsp://u:pw@cam/1", cpu=4)
    (dock, paid) = ask.get(LIST).json()["deployments"]
    rare = {"metered", "camera", "cameraApplying", "apiKeyId", "statusMessage"}
    assert not rare & set(dock)
    assert "metadata" not in paid
    assert (paid["metered"], paid["cameraApplying"]) == (True, False)
    assert dock["resources"] == {
        "cpu": 1, "memoryGi": 2, "minInstances": 0, "maxInstances": 1,
    }  # fmt: skip
    assert ask.one("dock")["metadata"] == {}


# --- §1.3: limits --------------------------------------------------------------------


def test_one_call_too_many_is_a_429_that_says_how_long(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.3: 100 a minute in a sliding window; Retry-After, X-RateLimit-Reset, body."""
    for _ in range(100):
        assert ask.get("/api/account/summary").status_code == 200
        hand.at += 0.125  # exact, as floats go
    refused = ask.get("/api/account/summary")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "48"
    assert refused.headers["x-ratelimit-reset"] == "2026-11-26T00:01:00.000Z"
    assert refused.json() == {
        "error": "Rate limit exceeded",
        "retryAfter": 48,
        "resetAt": "2026-11-26T00:01:00.000Z",
    }
    hand.at += 47
    assert ask.get("/api/account/summary").status_code == 429
    hand.at += 1
    # Sliding: it is not the whole minute's that come back at once.
    answers = [ask.get("/api/account/summary").status_code for _ in range(20)]
    assert 0 < answers.count(200) < 20


def test_predictions_and_changes_have_limits_of_their_own(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.3: 20 and 10 a minute, counted apart, with the same headers and body."""
    server.deploy("dock", rate_per_h=60.0)

    def until_refused(method: str, path: str, **how: Any) -> tuple[int, str]:
        for n in range(200):
            answer = ask(method, path, **how)
            if answer.status_code == 429:
                assert answer.json()["retryAfter"] == 60
                assert answer.headers["x-ratelimit-reset"] == answer.json()["resetAt"]
                return n, answer.headers["retry-after"]
        raise AssertionError

    wish = {"metadata": {"a": 1}}
    assert until_refused("POST", f"{LIST}/dock/predict") == (20, "60")
    assert until_refused("PATCH", f"{LIST}/dock", json=wish) == (10, "60")
    # Listing the keys is counted as a change is.
    assert ask.get("/api/api-keys").status_code == 429
    # Creating and deleting are not: both are of the first kind.
    assert ask("POST", LIST, json={}).status_code == 400
    assert ask("DELETE", f"{LIST}/dock").status_code == 200
    assert until_refused("GET", LIST) == (98, "60")


def test_each_key_is_counted_by_itself(server: PlatformServer, ask: Asker) -> None:
    """§1.3: per key, not per workspace."""
    server.world.owners[OTHER_KEY] = "acme"
    for _ in range(100):
        ask.get(LIST)
    assert ask.get(LIST).status_code == 429
    assert ask("GET", LIST, key=OTHER_KEY).status_code == 200


async def test_the_client_keeps_the_limits_apart(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.3: what is refused shuts its own category."""
    server.deploy("dock")
    for _ in range(100):
        ask.get("/api/account/summary")
    async with client_of(server, owner="acme") as client:
        assert (await client.stop("dock")).lifecycle is Lifecycle.STOPPED
        with pytest.raises(PlatformError) as caught:
            await client.deployments()
        assert caught.value.retry_after_s == 60
        assert client.budget.wait_s(Category.DEFAULT) == 60


# --- the quota -----------------------------------------------------------------------


def test_stopped_ones_fill_the_quota_too(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2: Free 3, Pro 10, Enterprise without; /api/storage tells."""
    for slug in ("one", "two"):
        server.deploy(slug)
    assert ask.get("/api/storage").json() == {"usage": {}}
    server.world.plans["acme"] = "pro"
    server.deploy("three").change("stop", hand.at)
    told = ask.get("/api/storage").json()["usage"]["deployments"]
    assert told == {"current": 3, "limit": 10, "percent": 30}
