"""The play on the Platform's stand-in: who is on, and what is seen of it live."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.platform_server import KEY, HandClock
from yolotop.config.load import parse
from yolotop.demo.cast import SEATS, seats
from yolotop.demo.platform import cast
from yolotop.demo.platform.deployment import Deployment
from yolotop.demo.platform.endpoint import Endpoint
from yolotop.demo.platform.figures import metrics
from yolotop.demo.platform.routes import ControlPlane
from yolotop.demo.platform.world import OWNER, World
from yolotop.demo.script import shipped
from yolotop.demo.workshop import Workshop
from yolotop.platform.contract import Lifecycle, Listed, PlatformDeployment
from yolotop.platform.news import news
from yolotop.platform.printed import begins_traceback

AUTHORISED = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def world(hand: HandClock) -> World:
    made = World(hand)
    cast.enter(made, KEY, {"pallet-count": "http://127.0.0.1:1"})
    return made


def named(world: World, slug: str) -> Deployment:
    one = world.find(OWNER, slug)
    assert one is not None
    return one


def listed(world: World) -> tuple[PlatformDeployment, ...]:
    """As the client reads them."""
    told = {"deployments": [one.told(world.now()) for one in world.of(OWNER)]}
    read = Listed.read(told, owner=OWNER)
    assert read is not None
    return read.deployments


def summary(world: World, slug: str) -> dict[str, Any]:
    told = metrics(named(world, slug), {"range": "24h"}, world.now())["summary"]
    assert isinstance(told, dict)
    return told


def test_eight_are_on_in_regions_of_their_own(world: World) -> None:
    states = {each.slug: each.lifecycle for each in listed(world)}
    assert set(states) == set(cast.NAMES)
    assert states.pop("new-line") is Lifecycle.CREATING
    assert states.pop("lab-bench") is Lifecycle.STOPPED
    assert states.pop("pilot") is Lifecycle.STOPPED
    assert set(states.values()) == {Lifecycle.READY}
    regions = {each.region for each in listed(world)}
    assert len(regions) == 8
    # Nor is one hidden on the map by one of the ten.
    ten = {each.region for each in parse(shipped(), path=None, env={}).deployments}
    assert not regions & ten


def test_each_of_them_shows_what_it_is_there_for(world: World) -> None:
    fine, failing = summary(world, "pallet-count"), summary(world, "scan-gate")
    assert fine["totalRequests"] > 5_000
    assert fine["errorCount"] / fine["totalRequests"] < 0.01
    assert failing["errorCount"] / failing["totalRequests"] == pytest.approx(
        0.08, abs=0.02
    )
    assert summary(world, "night-yard")["totalRequests"] == 0
    assert named(world, "night-yard").is_asleep(world.now())
    gate = named(world, "scan-gate")
    gate.tell_traffic(world.now())
    page = gate.lines.page("", "200", "", world.now())["entries"]
    assert isinstance(page, list)
    assert any(begins_traceback(one["message"]) for one in page)


def test_all_news_come_within_five_minutes(world: World, hand: HandClock) -> None:
    before, told = listed(world), []
    for _ in range(100):
        hand.at += 3
        after = listed(world)
        told += [
            f"{each.deployment.slug}: {each.message}" for each in news(before, after)
        ]
        before = after
    assert sorted(told) == sorted(
        [
            "new-line: creating → deploying",
            "new-line: deploying → ready",
            "pilot: stopped → deploying",
            f"pilot: deploying → stopped: {cast.MEMORY}",
            "old-model-2: renamed on the Platform: old-model → old-model-2",
            "old-model-2: deleted on the Platform; its history stays here",
        ]
    )


def test_who_interferes_does_not_break_the_play(world: World, hand: HandClock) -> None:
    world.delete(named(world, "old-model"))
    world.delete(named(world, "pilot"))
    hand.at += 600
    assert len(listed(world)) == 6


def test_the_same_ones_come_back_at_the_next_start(hand: HandClock) -> None:
    def ids() -> dict[str, str]:
        made = World(hand)
        cast.enter(made, KEY, {})
        return {each.slug: each.id for each in listed(made)}

    first = ids()
    hand.at += 3_600
    second = ids()
    anew = {slug for slug in first if first[slug] != second[slug]}
    assert anew == {"new-line", "old-model"}


def test_no_address_but_the_real_ones_leads_anywhere(world: World) -> None:
    addresses = {each.slug: each.service_url for each in listed(world)}
    assert addresses.pop("pallet-count") == "http://127.0.0.1:1"
    addresses.pop("new-line")
    assert all(address.endswith(".invalid") for address in addresses.values())


def test_seats_are_names_of_the_cast_and_fit_into_a_block() -> None:
    assert set(SEATS[1:]) <= set(cast.NAMES)
    assert seats(100) == dict(zip(SEATS, range(110, 114), strict=True))


# --- a real address ------------------------------------------------------------------


@pytest.fixture
def endpoint(world: World, workshop: Workshop) -> Endpoint:
    one = named(world, "pallet-count")
    one.error_share = one.rate_per_h = 0.0
    app = workshop.instance(workshop.engine("shapes"), api_key=one.key)
    return Endpoint(one, app, now=world.now, dice=workshop.chance("x"))


async def ask(app: Any, path: str, method: str = "GET", key: str = KEY) -> int:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        headers = {"authorization": f"Bearer {key}", "user-agent": "a test"}
        sent = {"file": ("a.jpg", b"jpg", "image/jpeg")} if method == "POST" else None
        answer = await client.request(method, path, headers=headers, files=sent)
        return answer.status_code


async def test_what_is_asked_of_an_address_counts_and_is_in_the_log(
    endpoint: Endpoint, world: World, hand: HandClock
) -> None:
    """Facts §2.4: health checks count as requests."""
    assert await ask(endpoint, "/predict", "POST") == 200
    assert await ask(endpoint, "/predict", "POST", "ul_" + "0" * 40) == 401
    assert await ask(endpoint, "/health") == 200
    hand.at += 1
    told = metrics(endpoint.deployment, {"range": "1h"}, hand.at)["summary"]
    assert isinstance(told, dict)
    assert (told["totalRequests"], told["errorCount"]) == (3, 1)
    page = endpoint.deployment.lines.page("", "3", "", hand.at)["entries"]
    assert isinstance(page, list)
    assert sorted(one["httpRequest"]["status"] for one in page) == [200, 200, 401]
    assert {one["httpRequest"]["userAgent"] for one in page} == {"a test"}


async def test_an_address_fails_as_often_as_its_deployment_and_only_with_the_key(
    endpoint: Endpoint, hand: HandClock
) -> None:
    endpoint.deployment.error_share = 1.0
    assert await ask(endpoint, "/predict", "POST") == 500
    assert await ask(endpoint, "/predict", "POST", "ul_" + "0" * 40) == 401
    assert await ask(endpoint, "/health") == 200


async def test_an_address_lives_and_ends_with_its_deployment(
    endpoint: Endpoint, world: World, hand: HandClock
) -> None:
    """Facts §2.0: revoking the key does not lock it; stopping and deleting do."""
    plane = ControlPlane(world)
    where = f"/api/deployments/{OWNER}/pallet-count"
    plane.closed_keys.add(KEY)
    assert await ask(endpoint, "/predict", "POST") == 200
    assert await ask(plane, f"{where}/predict", "POST") == 401
    endpoint.deployment.change("stop", hand.at)
    assert await ask(endpoint, "/predict", "POST") == 503
    assert await ask(endpoint, "/health") == 503
    endpoint.deployment.change("start", hand.at)
    assert await ask(endpoint, "/health") == 503
    hand.at += 60
    assert await ask(endpoint, "/health") == 200
    world.delete(endpoint.deployment)
    assert await ask(endpoint, "/predict", "POST") == 404
