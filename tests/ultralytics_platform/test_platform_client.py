"""Each quirk of the control plane, over a real socket, and no hidden second request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from control_plane import KEY, Clock, Connect, Plane

from yolotop.platform.budget import Category
from yolotop.platform.contract import Change, Lifecycle
from yolotop.platform.failure import FailureKind, PlatformError

LIST = "/api/deployments/acme"
ONE = f"{LIST}/dock-cam"
READY = {
    "id": "66f0c0ffee66f0c0ffee0001",
    "owner": "acme",
    "deployment": "dock-cam",
    "name": "Dock cam",
    "status": "ready",
    "region": "europe-west1",
    "serviceUrl": "https://predict-1-abc-ew.a.run.app",
    "resources": {"cpu": 1, "memoryGi": 2, "minInstances": 0, "maxInstances": 1},
    "deployedAt": "2026-11-01T10:00:00.000Z",
    "createdAt": "2026-11-01T09:59:00.000Z",
    "somethingNew": {"of": ["next", "week"]},
}


def entry(at: str, message: str, severity: str = "INFO", **more: Any) -> dict[str, Any]:
    return {"timestamp": at, "severity": severity, "message": message, **more}


async def test_the_key_goes_as_bearer_and_the_owner_is_asked_for_once(
    plane: Plane, connect: Connect
) -> None:
    plane.say("GET", "/api/account/summary", (200, {}, {"username": "acme"}))
    plane.say("GET", LIST, (200, {}, {"deployments": [READY], "total": 1}))
    async with connect(owner="") as client:
        for _ in range(2):
            listed = await client.deployments()
    (one,) = listed.deployments
    assert (one.slug, one.lifecycle, one.sleeps) == ("dock-cam", Lifecycle.READY, True)
    paths = [asked.path for asked in plane.asked]
    assert paths == ["/api/account/summary", f"{LIST}?limit=100", f"{LIST}?limit=100"]
    assert {asked.headers["authorization"] for asked in plane.asked} == {
        f"Bearer {KEY}"
    }


async def test_a_list_that_was_cut_says_by_how_much(
    plane: Plane, connect: Connect
) -> None:
    plane.say("GET", LIST, (200, {}, {"deployments": [READY], "total": 140}))
    async with connect() as client:
        assert (await client.deployments()).cut == 139


async def test_what_was_never_ready_has_no_address(
    plane: Plane, connect: Connect
) -> None:
    """serviceUrl and deployedAt are absent until the first ready, not null."""
    fresh = {key: READY[key] for key in ("id", "owner", "deployment", "name", "region")}
    told = {"deployment": {**fresh, "status": "creating"}, "region": "eu"}
    plane.say("GET", ONE, (200, {}, told))
    async with connect() as client:
        one = await client.deployment("dock-cam")
    assert (one.service_url, one.deployed_at) == ("", None)
    assert one.lifecycle.is_transitional


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "said"),
    [
        (401, {}, {"error": "Unauthorized"}, FailureKind.UNAUTHORIZED, "Unauthorized"),
        (403, {}, {"error": "no"}, FailureKind.FORBIDDEN, "HTTP 403: no"),
        (404, {}, {"error": "gone"}, FailureKind.NOT_FOUND, "gone"),
        (409, {}, {"error": "still processing"}, FailureKind.STATE, "still"),
        (400, {}, {"error": "Deployment is not ready"}, FailureKind.STATE, "not ready"),
        (400, {}, {"error": "bad range"}, FailureKind.BAD_REQUEST, "bad range"),
        # The one error that is nested.
        (413, {}, {"error": {"code": "too_large", "message": "25 MB at most"}},
         FailureKind.BAD_REQUEST, "25 MB at most"),
        (503, {"x-request-id": "r-1"}, {"error": "metrics backend down"},
         FailureKind.UNAVAILABLE, "metrics backend down"),
        (500, {}, b"<html>\x1b[2Joops</html>", FailureKind.UNAVAILABLE, "HTTP 500"),
        (302, {"location": "https://else.example"}, b"", FailureKind.BAD_ANSWER, "302"),
        (200, {}, b"not json", FailureKind.BAD_ANSWER, "not JSON"),
        (200, {}, {"nothing": 1}, FailureKind.BAD_ANSWER, "no deployment in it"),
    ],
)  # fmt: skip
async def test_failures_have_a_kind_and_are_asked_once(
    plane: Plane,
    connect: Connect,
    status: int,
    headers: dict[str, str],
    body: object,
    kind: FailureKind,
    said: str,
) -> None:
    plane.say("GET", ONE, (status, headers, body))
    async with connect() as client:
        with pytest.raises(PlatformError, match=said) as caught:
            await client.deployment("dock-cam")
    assert caught.value.kind is kind
    assert caught.value.request_id == headers.get("x-request-id", "")
    assert "\x1b" not in str(caught.value)
    assert len(plane.asked) == 1


@pytest.mark.parametrize(
    ("headers", "body", "wait_s"),
    [
        ({"Retry-After": "7"}, {"error": "Rate limit exceeded"}, 7.0),
        ({}, {"error": "Rate limit exceeded", "retryAfter": 9}, 9.0),
        ({}, {"error": "Rate limit exceeded"}, 5.0),
        ({"X-RateLimit-Reset": "2020-01-01T00:00:00Z"}, b"", 0.0),
    ],
)
async def test_a_429_shuts_its_category_for_as_long_as_it_says(
    plane: Plane,
    connect: Connect,
    clock: Clock,
    headers: dict[str, str],
    body: object,
    wait_s: float,
) -> None:
    told = {"deployments": [], "total": 0}
    plane.say("GET", LIST, (429, headers, body), (200, {}, told))
    async with connect() as client:
        with pytest.raises(PlatformError) as caught:
            await client.deployments()
        assert caught.value.kind is FailureKind.RATE_LIMITED
        assert client.budget.wait_s(Category.MUTATION) == 0
        assert (await client.deployments()).total == 0
    assert sum(clock.waited) == pytest.approx(wait_s)


async def test_no_server_is_unreachable(connect: Connect, plane: Plane) -> None:
    client = connect()
    client._base = "http://127.0.0.1:9"
    async with client:
        with pytest.raises(PlatformError) as caught:
            await client.deployments()
    assert caught.value.kind is FailureKind.UNREACHABLE
    assert caught.value.status is None


async def test_more_than_anybody_says_is_not_read(
    plane: Plane, connect: Connect
) -> None:
    plane.say("GET", LIST, (200, {}, b" " * (5 * 1024 * 1024)))
    async with connect() as client:
        with pytest.raises(PlatformError, match="more than 4 MiB"):
            await client.deployments()


@pytest.mark.parametrize("slug", ["../../keys", "Dock", "a b", "", "a" * 129, "a?b"])
async def test_only_a_slug_goes_into_a_path(
    plane: Plane, connect: Connect, slug: str
) -> None:
    async with connect() as client:
        with pytest.raises(PlatformError, match="no slug"):
            await client.metrics(slug)
    assert plane.asked == []


# --- starting and stopping -----------------------------------------------------------


async def test_stopping_twice_is_no_error(plane: Plane, connect: Connect) -> None:
    """The second stop is a 400: 'Cannot stop deployment with status: stopped'."""
    done = {"success": True, "status": "stopped", "message": "Deployment stopped"}
    again = {"error": "Cannot stop deployment with status: stopped"}
    plane.say("PATCH", ONE, (200, {}, done), (400, {}, again))
    async with connect() as client:
        first = await client.stop("dock-cam")
        second = await client.stop("dock-cam")
    assert first == Change(Lifecycle.STOPPED, "Deployment stopped")
    assert second == Change(Lifecycle.STOPPED, "it was stopped already")
    assert [json.loads(asked.body) for asked in plane.asked] == [{"action": "stop"}] * 2


async def test_what_cannot_be_stopped_now_is_said(
    plane: Plane, connect: Connect
) -> None:
    no = {"error": "Cannot stop deployment with status: deploying"}
    plane.say("PATCH", ONE, (400, {}, no))
    async with connect() as client:
        with pytest.raises(PlatformError, match="deploying") as caught:
            await client.stop("dock-cam")
    assert caught.value.kind is FailureKind.STATE


async def test_a_start_that_rolls_out_is_on_its_way(
    plane: Plane, connect: Connect
) -> None:
    rolling = {"success": True, "status": "deploying", "message": "Starting"}
    plane.say("PATCH", ONE, (202, {}, rolling))
    async with connect() as client:
        assert (await client.start("dock-cam")).lifecycle is Lifecycle.DEPLOYING


# --- health, metrics, logs -----------------------------------------------------------


async def test_unhealthy_is_a_success_that_says_so(
    plane: Plane, connect: Connect
) -> None:
    """The call is 200 when the endpoint is not; ``status`` is the endpoint's."""
    told = {"healthy": False, "latencyMs": 41, "status": 503, "error": "no instance"}
    plane.say("GET", f"{ONE}/health", (200, {}, told))
    async with connect() as client:
        health = await client.health("dock-cam")
    assert (health.healthy, health.status, health.error) == (False, 503, "no instance")


async def test_logs_end_on_an_empty_page_that_has_a_token(
    plane: Plane, connect: Connect
) -> None:
    """nextPageToken comes even with zero entries."""
    first = {
        "entries": [
            entry("2026-11-26T10:00:02Z", "INFO:     Started", "DEFAULT"),
            entry("2026-11-26T10:00:01Z", "{}", "NOTICE"),
        ],
        "nextPageToken": "t1",
    }
    empty = {"entries": [], "nextPageToken": "t2"}
    plane.say("GET", f"{ONE}/logs", (200, {}, first), (200, {}, empty))
    async with connect() as client:
        entries = await client.logs("dock-cam")
    assert [each.message for each in entries] == ["INFO:     Started"]
    paths = [asked.path for asked in plane.asked]
    assert paths == [f"{ONE}/logs?limit=200", f"{ONE}/logs?limit=200&pageToken=t1"]
    assert not any("severity" in path for path in paths)


async def test_logs_go_no_further_than_asked_and_no_more_than_so_many_pages(
    plane: Plane, connect: Connect
) -> None:
    def page(second: int, token: str) -> object:
        at = f"2026-11-26T10:00:{second:02}Z"
        return {"entries": [entry(at, f"at {second}")], "nextPageToken": token}

    plane.say(
        "GET", f"{ONE}/logs", *[(200, {}, page(50 - n, f"t{n}")) for n in range(9)]
    )
    async with connect() as client:
        entries = await client.logs("dock-cam", pages=3)
        assert [each.message for each in entries] == ["at 48", "at 49", "at 50"]
        since_at = entries[0].at - 2
        entries = await client.logs("dock-cam", since_at=since_at, pages=9)
    assert [each.message for each in entries] == ["at 47"]
    assert len(plane.asked) == 5
