"""A fleet kept in step: often enough, never too often, and nobody is woken."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio

from tests.platform_server import HandClock, PlatformServer, serving
from yolotop.platform.budget import Budget
from yolotop.platform.client import PlatformClient
from yolotop.platform.contract import Lifecycle, Listed, PlatformDeployment
from yolotop.platform.failure import FailureKind, PlatformError
from yolotop.platform.metrics import Metrics, Shape
from yolotop.platform.watch import Found, Measured, Seen, Trouble, Watch

DOCK = PlatformDeployment("1", "acme", "dock", "Dock", Lifecycle.READY)


class Scripted:
    """Answers what it is told to."""

    def __init__(self, *listed: PlatformDeployment) -> None:
        self.listed: Listed | PlatformError = Listed(listed, len(listed))
        self.counted: Metrics | PlatformError = Metrics(Shape.FULL)
        self.asked: list[str] = []

    async def deployments(self) -> Listed:
        self.asked.append("list")
        if isinstance(self.listed, PlatformError):
            raise self.listed
        return self.listed

    async def metrics(self, slug: str, range_: str) -> Metrics:
        self.asked.append(f"{slug} {range_}")
        if isinstance(self.counted, PlatformError):
            raise self.counted
        return self.counted


async def play(watch: Watch, clock: HandClock, for_s: float) -> list[Found]:
    """Step it whenever it wants to be stepped."""
    found: list[Found] = []
    end_at = clock.at + for_s
    while clock.at + (wait_s := watch.wait_s()) <= end_at:
        # Instants are sums of floats: never stand a hair before one.
        clock.at += wait_s + 1e-6
        found += await watch.step()
    clock.at = end_at
    return found


async def test_the_first_list_is_no_news_and_the_next_one_is() -> None:
    clock, source = HandClock(), Scripted(DOCK)
    watch = Watch(source, clock)
    (first,) = [each for each in await watch.step() if isinstance(each, Seen)]
    assert (first.deployments, first.news) == ((DOCK,), ())
    source.listed = Listed((replace(DOCK, slug="gate"),), 1)
    found = [each for each in await play(watch, clock, 20) if isinstance(each, Seen)]
    assert [news.message for news in found[0].news] == [
        "renamed on the Platform: dock → gate"
    ]


async def test_it_looks_every_15_s_and_every_3_s_while_something_moves() -> None:
    clock, source = HandClock(), Scripted(DOCK)
    watch = Watch(source, clock)
    await play(watch, clock, 300)
    assert source.asked.count("list") == 20
    source.asked.clear()
    source.listed = Listed((replace(DOCK, lifecycle=Lifecycle.DEPLOYING),), 1)
    await play(watch, clock, 300)
    assert 90 <= source.asked.count("list") <= 100
    # What is not ready has no metrics to tell.
    assert sum("dock" in asked for asked in source.asked) <= 1


async def test_minutes_every_minute_and_the_day_once_an_hour() -> None:
    clock, source = HandClock(), Scripted(DOCK)
    found = await play(Watch(source, clock), clock, 7_200)
    asked = Counter(each for each in source.asked if each != "list")
    assert asked["dock 24h"] == 2
    assert 117 <= asked["dock 1h"] <= 118
    assert sum(isinstance(each, Measured) for each in found) == asked.total()


@pytest.mark.parametrize(
    ("kind", "retry_after_s", "most"),
    [
        (FailureKind.UNAVAILABLE, None, 9),
        (FailureKind.UNAUTHORIZED, None, 6),
        (FailureKind.RATE_LIMITED, 600.0, 3),
    ],
)
async def test_a_trouble_is_told_once_and_asked_ever_later(
    kind: FailureKind, retry_after_s: float | None, most: int
) -> None:
    clock, source = HandClock(), Scripted(DOCK)
    source.listed = PlatformError(kind, "no", retry_after_s=retry_after_s)
    watch = Watch(source, clock)
    found = await play(watch, clock, 1_500)
    (trouble,) = found
    assert isinstance(trouble, Trouble)
    assert trouble.error is source.listed
    assert 2 <= len(source.asked) <= most
    source.listed = Listed((DOCK,), 1)
    after = await play(watch, clock, 650)
    assert after[0] == Trouble("", None)
    assert isinstance(after[1], Seen)


async def test_what_changed_since_the_list_is_no_trouble() -> None:
    clock, source = HandClock(), Scripted(DOCK)
    source.counted = PlatformError(FailureKind.STATE, "not ready", status=400)
    found = await play(Watch(source, clock), clock, 300)
    assert {type(each) for each in found} == {Seen}


async def test_what_a_cut_list_does_not_name_is_not_deleted() -> None:
    clock = HandClock()
    source = Scripted(DOCK, replace(DOCK, id="2", slug="gate"))
    watch = Watch(source, clock)
    await watch.step()
    source.listed = Listed((DOCK,), 120)
    found = [each for each in await play(watch, clock, 20) if isinstance(each, Seen)]
    assert (found[0].news, found[0].cut) == ((), 119)


# --- against the stand-in ------------------------------------------------------------


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def server(clock: HandClock) -> Iterator[PlatformServer]:
    with serving(clock) as running:
        yield running


@pytest_asyncio.fixture
async def client(
    server: PlatformServer, clock: HandClock
) -> AsyncIterator[PlatformClient]:
    """Without a socket: 2,700 calls of 45 ms each would be two minutes."""
    transport = httpx.ASGITransport(app=server.plane)
    http = httpx.AsyncClient(transport=transport)
    made = PlatformClient(
        server.key, budget=Budget(clock), base_url=server.url, http=http
    )
    async with made:
        yield made


@pytest.mark.timeout(120)
async def test_forty_deployments_for_an_hour_without_one_429(
    server: PlatformServer, client: PlatformClient, clock: HandClock
) -> None:
    for n in range(40):
        server.deploy(f"cam-{n}", rate_per_h=60.0 if n % 2 else 0.0)
    asleep = [one for one in server.world.of("acme") if one.rate_per_h == 0]
    clock.at += 1_000
    watch = Watch(client, clock)
    found = await play(watch, clock, 1_800)
    # In the middle one is stopped and started by hand: the list is asked faster.
    await client.stop("cam-1")
    await client.start("cam-1")
    found += await play(watch, clock, 1_800)
    assert server.plane.limits.refused == 0
    assert not any(isinstance(each, Trouble) for each in found)
    told = [
        news.message for each in found if isinstance(each, Seen) for news in each.news
    ]
    assert told == ["ready → deploying", "deploying → ready"]
    asked = Counter(
        path.rsplit("/", 1)[-1] for _, path in server.plane.asked if "metrics" in path
    )
    assert 40 * 58 <= asked["metrics"] <= 40 * 61
    # Nothing that slept was woken: the health route was never asked.
    assert not any(path.endswith("/health") for _, path in server.plane.asked)
    assert all(one.is_asleep(clock.at) for one in asleep)
