"""Each quirk the Platform is known for: the stand-in has it, the client bears it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from control_plane import Clock

from tests.platform_server import HandClock, PlatformServer, serving
from yolotop.model import Severity
from yolotop.platform.budget import Budget, Category
from yolotop.platform.client import PlatformClient
from yolotop.platform.contract import Lifecycle
from yolotop.platform.failure import FailureKind, PlatformError
from yolotop.platform.metrics import Shape, traffic_of


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def server(clock: HandClock) -> Iterator[PlatformServer]:
    with serving(clock) as running:
        yield running


def client_of(server: PlatformServer, key: str = "", owner: str = "") -> PlatformClient:
    waits = Clock()
    return PlatformClient(
        key or server.key,
        budget=Budget(waits, waits.sleep),
        owner=owner,
        base_url=server.url,
    )


def ask(server: PlatformServer, method: str, path: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {server.key}"}
    return httpx.request(method, server.url + path, headers=headers, trust_env=False)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/deployments"),
        ("GET", "/api/deployments?owner=acme"),
        ("GET", "/api/deployments/66f0c0ffee66f0c0ffee0001/health"),
        ("POST", "/api/deployments/acme/dock/start"),
        ("POST", "/api/deployments/acme/dock/stop"),
        ("GET", "/api/monitoring"),
    ],
)
def test_routes_of_the_dead_generations_are_not_there(
    server: PlatformServer, method: str, path: str
) -> None:
    server.deploy("dock")
    assert ask(server, method, path).status_code in (403, 404)


async def test_a_revoked_key_and_another_workspace(server: PlatformServer) -> None:
    async with client_of(server, owner="other-team") as client:
        with pytest.raises(PlatformError) as caught:
            await client.deployments()
        assert caught.value.kind is FailureKind.FORBIDDEN
    server.plane.closed_keys.add(server.key)
    async with client_of(server) as client:
        with pytest.raises(PlatformError) as caught:
            await client.account()
    assert caught.value.kind is FailureKind.UNAUTHORIZED
    assert caught.value.request_id.startswith("req-")


async def test_a_new_one_is_ready_within_40_to_60_s_and_has_no_address_before(
    server: PlatformServer, clock: HandClock
) -> None:
    server.deploy("dock", ready=False)
    seen: list[tuple[float, Lifecycle]] = []
    async with client_of(server) as client:
        for second in range(0, 70, 2):
            clock.at += 2 if second else 0
            one = await client.deployment("dock")
            if not seen or seen[-1][1] is not one.lifecycle:
                seen.append((second, one.lifecycle))
            assert bool(one.service_url) is (one.lifecycle is Lifecycle.READY)
            assert (one.deployed_at is None) is (one.lifecycle is not Lifecycle.READY)
    states = [state for _, state in seen]
    assert states == [Lifecycle.CREATING, Lifecycle.DEPLOYING, Lifecycle.READY]
    assert 40 <= seen[-1][0] <= 70


async def test_a_first_provisioning_that_fails_says_why(
    server: PlatformServer, clock: HandClock
) -> None:
    server.deploy("dock", ready=False, fails="container failed to start")
    clock.at += 70
    async with client_of(server) as client:
        (one,) = (await client.deployments()).deployments
        assert (one.lifecycle, one.message) == (
            Lifecycle.FAILED,
            "container failed to start",
        )
        with pytest.raises(PlatformError) as caught:
            await client.metrics("dock")
    assert caught.value.kind is FailureKind.STATE


async def test_stop_start_and_a_start_that_fails_ends_stopped(
    server: PlatformServer, clock: HandClock
) -> None:
    dock = server.deploy("dock")
    async with client_of(server) as client:
        assert (await client.stop("dock")).lifecycle is Lifecycle.STOPPED
        assert (await client.stop("dock")).message == "it was stopped already"
        health = await client.health("dock")
        assert (health.healthy, health.status) == (False, 503)
        dock.fails = "quota exceeded"
        assert (await client.start("dock")).lifecycle is Lifecycle.DEPLOYING
        with pytest.raises(PlatformError, match="deploying") as caught:
            await client.stop("dock")
        assert caught.value.kind is FailureKind.STATE
        clock.at += 70
        one = await client.deployment("dock")
        assert (one.lifecycle, one.message) == (Lifecycle.STOPPED, "quota exceeded")
        dock.fails, dock.slow_stop = "", True
        await client.start("dock")
        clock.at += 70
        assert (await client.stop("dock")).lifecycle is Lifecycle.STOPPING
        clock.at += 10
        assert (await client.deployment("dock")).lifecycle is Lifecycle.STOPPED


async def test_the_list_has_one_page_and_tells_how_many_there_are(
    server: PlatformServer,
) -> None:
    for n in range(120):
        server.deploy(f"cam-{n}")
    async with client_of(server) as client:
        listed = await client.deployments()
    assert (len(listed.deployments), listed.cut) == (100, 20)
    assert len(ask(server, "GET", "/api/deployments/acme").json()["deployments"]) == 20


async def test_a_renamed_one_keeps_its_id_and_its_old_slug_leads_nowhere(
    server: PlatformServer,
) -> None:
    server.deploy("dock")
    async with client_of(server) as client:
        before = await client.deployment("dock")
        server.world.rename(next(server.world.of("acme")), "gate", "Gate")
        assert (await client.deployment("gate")).id == before.id
        with pytest.raises(PlatformError) as caught:
            await client.deployment("dock")
    assert caught.value.kind is FailureKind.NOT_FOUND


async def test_three_shapes_of_metrics_and_none_of_an_idle_one(
    server: PlatformServer,
) -> None:
    server.deploy("dock", rate_per_h=120.0, error_share=0.1)
    server.deploy("idle")
    async with client_of(server) as client:
        found = await client.metrics("dock", "24h")
        assert found.shape is Shape.FULL
        assert found.total == sum(value for _, value in found.requests)
        assert found.error_rate == pytest.approx(0.1, abs=0.05)
        assert found.weighted_p95_ms == pytest.approx(found.p95_ms)
        rows = traffic_of(found, "dock")
        assert sum(row.requests or 0 for row in rows) == found.total
        assert {row.width_s for row in rows} == {3_600}
        idle = await client.metrics("idle")
        assert (idle.total, idle.requests, idle.p95_ms) == (0, (), None)
    path = "/api/deployments/acme/dock/metrics"
    overview = ask(server, "GET", f"{path}?view=overview").json()
    assert "errorCount" not in overview["summary"]
    sparkline = ask(server, "GET", f"{path}?sparkline=true&range=7d").json()
    assert len(sparkline["requests24h"]) == 24
    assert "p95LatencyMs" not in sparkline
    idle_path = "/api/deployments/acme/idle/metrics?sparkline=true"
    assert ask(server, "GET", idle_path).json()["requests24h"] == []
    server.plane.down.add("metrics")
    async with client_of(server) as client:
        with pytest.raises(PlatformError) as caught:
            await client.metrics("dock")
    assert caught.value.kind is FailureKind.UNAVAILABLE


async def test_logs_have_a_token_on_every_page_and_words_the_filter_hides(
    server: PlatformServer, clock: HandClock
) -> None:
    dock = server.deploy("dock")
    dock.lines.trip(clock.at - 100)
    dock.lines.add(clock.at - 50, "NOTICE", "{}")
    raw = ask(server, "GET", "/api/deployments/acme/dock/logs?severity=ERROR").json()
    assert (raw["entries"], bool(raw["nextPageToken"])) == ([], True)
    wrong = ask(server, "GET", "/api/deployments/acme/dock/logs?severity=DEFAULT")
    assert wrong.status_code == 400
    before = len(server.plane.asked)
    async with client_of(server, owner="acme") as client:
        entries = await client.logs("dock", since_at=clock.at - 200)
    assert len(server.plane.asked) - before <= 2
    (trip,) = entries
    assert trip.severity is Severity.ERROR
    assert trip.message.startswith("Traceback (most recent call last):\n  File")
    assert trip.message.endswith("an illegal memory access was encountered")


async def test_logs_right_after_creation_are_none_and_no_error(
    server: PlatformServer,
) -> None:
    server.deploy("dock", ready=False)
    async with client_of(server) as client:
        assert await client.logs("dock") == ()


async def test_a_ping_wakes_what_sleeps_and_the_log_tells_of_the_one_turned_away(
    server: PlatformServer, clock: HandClock
) -> None:
    dock = server.deploy("dock")
    clock.at += 1_000
    assert dock.is_asleep(clock.at)
    async with client_of(server) as client:
        await client.deployments()
        await client.metrics("dock")
        await client.logs("dock")
        # None of these wakes anything.
        assert dock.is_asleep(clock.at)
        health = await client.health("dock")
        assert health.healthy
        assert (health.latency_ms or 0) > 20_000
        assert not dock.is_asleep(clock.at)
        clock.at += 30
        entries = await client.logs("dock", since_at=clock.at - 40)
    turned_away = [each for each in entries if each.http is not None]
    assert [each.http.status for each in turned_away if each.http] == [429]
    assert any("AUTOSCALING" in each.message for each in entries)


def test_predicting_on_a_stopped_one_is_a_400_and_too_much_a_nested_413(
    server: PlatformServer, clock: HandClock
) -> None:
    dock = server.deploy("dock")
    dock.change("stop", clock.at)
    path = "/api/deployments/acme/dock/predict"
    assert ask(server, "POST", path).status_code == 400
    dock.state = "ready"
    bearer = f"Bearer {server.key}"
    told = server.plane.answer("POST", path, {}, bearer, size=101 * 1024 * 1024)
    assert told[0] == 413
    assert isinstance(told[2], dict)
    assert told[2]["error"]["message"] == "100 MB at most"


async def test_one_call_too_many_is_a_429_that_says_how_long(
    server: PlatformServer, clock: HandClock
) -> None:
    server.deploy("dock")
    for _ in range(100):
        assert ask(server, "GET", "/api/account/summary").status_code == 200
    refused = ask(server, "GET", "/api/account/summary")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "60"
    assert refused.json()["retryAfter"] == 60
    # Changes are counted apart.
    async with client_of(server, owner="acme") as client:
        assert (await client.stop("dock")).lifecycle is Lifecycle.STOPPED
        with pytest.raises(PlatformError) as caught:
            await client.deployments()
        assert caught.value.retry_after_s == 60
        assert client.budget.wait_s(Category.DEFAULT) == 60
    clock.at += 60
    assert ask(server, "GET", "/api/account/summary").status_code == 200
