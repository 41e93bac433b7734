"""Quirks of what reaches an endpoint: the ping and the proxy: facts §1.2 and §2."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from stand_in import LIST, OTHER_KEY, Asker, client_of, error

from tests.platform_server import HandClock, PlatformServer

PREDICT = f"{LIST}/dock/predict"
HEALTH = f"{LIST}/dock/health"
MIB = b"\0" * 1024 * 1024


# --- the ping ------------------------------------------------------------------------


async def test_a_ping_wakes_what_sleeps_and_the_log_tells_of_the_one_turned_away(
    server: PlatformServer, hand: HandClock
) -> None:
    """§1.2, §2.4: health warms; lists, metrics and logs wake nothing."""
    dock = server.deploy("dock")
    hand.at += 1_000
    assert dock.is_asleep(hand.at)
    async with client_of(server) as client:
        await client.deployments()
        await client.metrics("dock")
        await client.logs("dock")
        # None of these wakes anything.
        assert dock.is_asleep(hand.at)
        health = await client.health("dock")
        assert health.healthy
        assert (health.latency_ms or 0) > 20_000
        assert not dock.is_asleep(hand.at)
        hand.at += 30
        entries = await client.logs("dock", since_at=hand.at - 40)
    requests = [each.http for each in entries if each.http is not None]
    assert [each.status for each in requests] == [429, 200]
    assert {each.agent for each in requests} == {"node"}
    assert (requests[0].latency_ms, requests[0].method) == (0, "GET")
    assert any("AUTOSCALING" in each.message for each in entries)


def test_what_is_up_answers_at_once_and_nothing_but_three_keys(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2, captured: serverTiming is in old docs only."""
    server.deploy("dock", rate_per_h=60.0)
    told = ask.get(HEALTH).json()
    assert set(told) == {"healthy", "status", "latencyMs"}
    assert told["latencyMs"] < 1_000


def test_a_stopped_one_is_unhealthy_and_the_call_is_a_200(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2, captured: status is the endpoint's, never that of the call."""
    server.deploy("dock").change("stop", hand.at)
    answer = ask.get(HEALTH)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["healthy"], told["status"]) == (False, 503)
    assert told["error"] == "Deployment is stopped"


def test_what_cannot_be_reached_has_no_status(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2: omitted, not null."""
    server.deploy("dock", unreachable=True)
    told = ask.get(HEALTH).json()
    assert told["healthy"] is False
    assert "status" not in told


def test_one_without_an_address_cannot_be_pinged(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2: 400 when there is no service URL yet."""
    server.deploy("dock", ready=False)
    assert error(ask.get(HEALTH)) == (400, "Deployment has no service URL yet")


# --- the proxy -----------------------------------------------------------------------


def test_a_prediction_has_its_times_in_seconds(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§2.3: speed is in ms, both function times in seconds; alive tells a restart."""
    server.deploy("dock", rate_per_h=60.0, p50_ms=800.0)
    told = ask("POST", PREDICT).json()
    assert told["images"][0]["speed"]["inference"] == 800.0
    assert told["metadata"]["functionTimeCall"] == pytest.approx(0.81)
    before = told["metadata"]["functionTimeAlive"]
    hand.at += 10
    told = ask("POST", PREDICT).json()
    assert told["metadata"]["functionTimeAlive"] == pytest.approx(before + 10, abs=0.01)


def test_predicting_on_one_that_is_stopped_or_on_its_way_is_a_400(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2, captured: 400, not 503."""
    dock = server.deploy("dock")
    dock.change("stop", hand.at)
    assert error(ask("POST", PREDICT)) == (400, "Deployment is stopped")
    dock.change("start", hand.at)
    assert error(ask("POST", PREDICT)) == (400, "Deployment is deploying")


def test_a_sleeper_turns_predictions_away_until_it_has_started(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§2.4: 429 with Retry-After is no limit of calls; the log has the sequence."""
    server.deploy("dock")
    hand.at += 1_000
    refused = ask("POST", PREDICT)
    assert error(refused) == (
        429,
        "The request was aborted because there was no available instance",
    )
    assert refused.headers["retry-after"] == "22"
    assert "x-ratelimit-reset" not in refused.headers
    hand.at += 15
    assert ask("POST", PREDICT).headers["retry-after"] == "7"
    told = [one["message"] for one in reversed(ask.logs("dock", limit="2"))]
    assert told[0] == "Starting new instance. Reason: AUTOSCALING"
    assert told[1] == error(refused)[1]
    hand.at += 7
    answer = ask("POST", PREDICT)
    assert answer.status_code == 200
    assert answer.json()["metadata"]["functionTimeAlive"] < 2
    last = next(one for one in ask.logs("dock") if one["severity"] == "DEFAULT")
    assert "Uvicorn running" in last["message"]


def test_one_with_an_instance_at_least_never_sleeps(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§2.4: scale to zero is minInstances 0."""
    server.deploy("dock", min_instances=1)
    hand.at += 100_000
    assert ask("POST", PREDICT).status_code == 200


def test_the_proxy_takes_the_bound_key_and_only_while_it_lives(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2, §2.0: each endpoint takes one key; the proxy looks whether it lives."""
    server.deploy("dock", rate_per_h=60.0, key=OTHER_KEY)
    refused = (403, "This deployment is bound to another API key")
    assert error(ask("POST", PREDICT)) == refused
    assert ask("POST", PREDICT, key=OTHER_KEY).status_code == 401
    server.world.owners[OTHER_KEY] = "acme"
    assert ask("POST", PREDICT, key=OTHER_KEY).status_code == 200
    server.plane.closed_keys.add(OTHER_KEY)
    assert ask("POST", PREDICT, key=OTHER_KEY).status_code == 401


def test_too_much_is_the_one_error_that_is_nested(
    server: PlatformServer, ask: Asker
) -> None:
    """§0, §1.2: 413 with {error: {code, message}}, over 100 MB."""
    server.deploy("dock", rate_per_h=60.0)

    def image(mib: int) -> Iterator[bytes]:
        yield from (MIB for _ in range(mib))

    answer = ask("POST", PREDICT, content=image(101))
    assert answer.status_code == 413
    assert set(answer.json()["error"]) == {"code", "message"}
    assert ask("POST", PREDICT, content=image(3)).status_code == 200


def test_a_source_has_4096_characters_at_most(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2, §2.1: so that base64 fits images of 3 KB only."""
    server.deploy("dock", rate_per_h=60.0)

    def status(length: int) -> int:
        return ask("POST", PREDICT, files={"source": (None, "a" * length)}).status_code

    assert (status(4_096), status(4_097)) == (200, 400)


def test_a_proxy_that_is_down(server: PlatformServer, ask: Asker) -> None:
    """§1.2: 503."""
    server.deploy("dock")
    server.plane.down.add("predict")
    assert ask("POST", PREDICT).status_code == 503
