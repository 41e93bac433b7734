"""Every character over ASGI, with a clock moved by hand: what it does, and when."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

import httpx
import pytest

from yolotop.demo import characters
from yolotop.demo.cast import CAST, Part
from yolotop.demo.fleet import engage
from yolotop.demo.workshop import Workshop

if TYPE_CHECKING:
    from tests.demo.conftest import HandClock, Shelf

IMAGE = {"file": ("frame.jpg", b"\xff\xd8 anything, the double looks at nothing")}


def client(character: characters.Healthy) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=character)
    return httpx.AsyncClient(transport=transport, base_url="http://demo")


async def ask(
    character: characters.Healthy, *, path: str = "/predict", key: str | None = None
) -> httpx.Response:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    async with client(character) as http:
        if path == "/predict":
            return await http.post(path, files=IMAGE, headers=headers)
        return await http.get(path, headers=headers)


async def ask_and_wait(character: characters.Healthy, clock: HandClock) -> float:
    """Ask for a prediction and let the clock pass; the seconds it had to wait."""
    asked = asyncio.create_task(ask(character))
    before = clock.seconds
    await until(lambda: clock.sleepers > 0)
    assert not asked.done()
    clock.move(clock.slept[-1])
    answer = await asked
    assert answer.status_code == 200
    return clock.seconds - before


async def until(true: Callable[[], bool]) -> None:
    """Turn the event loop until ``true``; the test's own timeout ends a hang."""
    while not true():  # noqa: ASYNC110 - turns the loop; no time passes
        await asyncio.sleep(0)


def names(answer: httpx.Response) -> list[str]:
    return [item["name"] for item in answer.json()["images"][0]["results"]]


def alive(answer: httpx.Response) -> float:
    seconds = answer.json()["metadata"]["functionTimeAlive"]
    assert isinstance(seconds, float)
    return seconds


async def test_healthy_answers_both_questions(workshop: Workshop) -> None:
    healthy = characters.Healthy("a", workshop)
    assert names(await ask(healthy)) == ["square"]
    assert (await ask(healthy, path="/health")).status_code == 200


async def test_a_key_is_asked_for_predictions_only(workshop: Workshop) -> None:
    keyed = characters.Healthy("a", workshop, api_key="right")
    assert (await ask(keyed, key="right")).status_code == 200
    assert (await ask(keyed, key="wrong")).status_code == 401
    assert (await ask(keyed, path="/health")).status_code == 200


async def test_slow_waits_for_every_prediction(
    workshop: Workshop, clock: HandClock
) -> None:
    slow = characters.Slow("a", workshop)
    waits = [await ask_and_wait(slow, clock) for _ in range(20)]
    assert all(0.3 <= wait <= 1.0 for wait in waits)
    assert len(set(waits)) > 10
    # No clock is moved here: a health check that waited would hang.
    assert (await ask(slow, path="/health")).status_code == 200


async def test_creeping_gets_slower_and_is_recycled(
    workshop: Workshop, clock: HandClock
) -> None:
    creeping = characters.Creeping("a", workshop)
    waits = []
    for _ in range(4):
        waits.append(await ask_and_wait(creeping, clock))
        clock.move(9.0)
        creeping.tick()
    assert waits == sorted(waits)
    assert waits[0] < 0.2, "not slow yet when the demo starts"
    assert waits[2] > 0.25, "slow within 20 seconds"
    clock.move(5.0)
    creeping.tick()
    assert await ask_and_wait(creeping, clock) < 0.02, "recycled after a minute"


async def test_creeping_recycles_the_instance_too(
    workshop: Workshop, clock: HandClock
) -> None:
    creeping = characters.Creeping("a", workshop)
    clock.move(40.0)
    creeping.tick()
    health = (await ask(creeping, path="/health")).json()
    assert health["uptime"] == 0.0


def test_flaps_are_never_three_and_never_less_than_two_of_five() -> None:
    fails = list(islice(characters.flaps(random.Random(5)), 2000))  # noqa: S311
    for start in range(len(fails) - 4):
        window = fails[start : start + 5]
        assert sum(window) >= 2
        assert not all(window[:3])
    assert 0.5 < sum(fails) / len(fails) < 0.65


async def test_flapping_fails_with_5xx_while_its_health_is_fine(
    workshop: Workshop, shelf: Shelf
) -> None:
    flapping = characters.Flapping("a", workshop)
    codes = [(await ask(flapping)).status_code for _ in range(30)]
    assert set(codes) == {200, 500, 502, 503}
    assert shelf.loaded[0].asked == codes.count(200)
    for _ in range(5):
        assert (await ask(flapping, path="/health")).status_code == 200


async def test_chance_is_the_seed_s(shelf: Shelf, clock: HandClock) -> None:
    async def codes(seed: int) -> list[int]:
        shop = Workshop(shelf, seed=seed, now=clock.now, sleep=clock.sleep)
        flapping = characters.Flapping("kiln-5", shop)
        return [(await ask(flapping)).status_code for _ in range(30)]

    assert await codes(1) == await codes(1)
    assert await codes(1) != await codes(2)


class TestScaleToZero:
    @pytest.fixture
    def silo(self, workshop: Workshop) -> characters.ScaleToZero:
        return characters.ScaleToZero("a", workshop)

    async def boot(
        self, silo: characters.ScaleToZero, clock: HandClock
    ) -> httpx.Response:
        first = await ask(silo)
        await until(lambda: clock.sleepers > 0)
        clock.move(silo.BOOT_S)
        await until(lambda: silo.app is not None)
        return first

    async def test_begins_asleep_and_asks_to_come_back(
        self, silo: characters.ScaleToZero, clock: HandClock, shelf: Shelf
    ) -> None:
        first = await ask(silo)
        assert (first.status_code, first.headers["retry-after"]) == (429, "4")
        assert not shelf.loaded
        clock.move(2.5)
        again = await ask(silo, path="/health")
        assert (again.status_code, again.headers["retry-after"]) == (429, "2")
        await silo.aclose()

    async def test_wakes_as_a_new_instance(
        self, silo: characters.ScaleToZero, clock: HandClock, shelf: Shelf
    ) -> None:
        await self.boot(silo, clock)
        clock.move(1.5)
        answer = await ask(silo)
        assert answer.status_code == 200
        assert alive(answer) == pytest.approx(1.5)
        assert len(shelf.loaded) == 1, "one boot, however many asked"

    async def test_sleeps_again_when_idle_and_loads_anew(
        self, silo: characters.ScaleToZero, clock: HandClock, shelf: Shelf
    ) -> None:
        await self.boot(silo, clock)
        for _ in range(5):  # each request keeps it awake
            clock.move(silo.IDLE_S[0] - 0.1)
            silo.tick()
            assert (await ask(silo)).status_code == 200
        clock.move(silo.IDLE_S[1])
        silo.tick()
        assert silo.app is None
        assert (await self.boot(silo, clock)).status_code == 429
        assert len(shelf.loaded) == 2

    async def test_idle_times_differ_within_their_bounds(
        self, silo: characters.ScaleToZero, clock: HandClock
    ) -> None:
        lasted = set()
        for _ in range(12):
            await self.boot(silo, clock)
            woken = clock.seconds
            while silo.app is not None:
                clock.move(0.1)
                silo.tick()
            lasted.add(round(clock.seconds - woken))
        assert min(lasted) >= 6
        assert max(lasted) <= 14
        assert len(lasted) > 3

    async def test_a_boot_can_be_given_up(
        self, silo: characters.ScaleToZero, shelf: Shelf
    ) -> None:
        await ask(silo)
        await silo.aclose()
        assert not shelf.loaded


async def test_blind_sees_nothing_until_it_is_restarted(
    workshop: Workshop, clock: HandClock, shelf: Shelf
) -> None:
    blind = characters.Blind("a", workshop)
    assert names(await ask(blind)) == ["square"]
    clock.move(10.0)
    blind.tick()
    answer = await ask(blind)
    assert (answer.status_code, names(answer)) == (200, [])
    assert alive(answer) == 10.0
    assert shelf.loaded[0].asked == 2, "the model did run"
    clock.move(35.0)
    blind.tick()
    answer = await ask(blind)
    assert (names(answer), alive(answer)) == (["square"], 0.0)
    clock.move(29.0)
    blind.tick()
    assert names(await ask(blind)) == ["square"], "healed for longer"
    clock.move(1.0)
    blind.tick()
    assert names(await ask(blind)) == []


async def test_swapped_answers_with_another_model(
    workshop: Workshop, clock: HandClock
) -> None:
    def model(answer: httpx.Response) -> str:
        name = answer.json()["metadata"]["model"]
        assert isinstance(name, str)
        return name

    swapped = characters.Swapped("a", workshop)
    before = model(await ask(swapped))
    clock.move(12.0)
    swapped.tick()
    after = model(await ask(swapped))
    assert before != after
    clock.move(119.0)
    swapped.tick()
    assert model(await ask(swapped)) == after
    clock.move(1.0)
    swapped.tick()
    assert model(await ask(swapped)) == before


async def test_one_engine_serves_all_who_do_not_need_their_own(
    workshop: Workshop, shelf: Shelf
) -> None:
    playing = engage(workshop, key="k", other_key="o")
    assert [engine.name for engine in shelf.loaded] == [characters.MODEL]
    assert set(playing) == {role.name for role in CAST if role.part is not Part.DOWN}


async def test_the_locked_one_refuses_the_demo_s_own_key(workshop: Workshop) -> None:
    playing = engage(workshop, key="ours", other_key="theirs")
    by_part = {role.part: playing.get(role.name) for role in CAST}
    locked, keyed = by_part[Part.LOCKED], by_part[Part.KEYED]
    assert locked is not None
    assert keyed is not None
    assert (await ask(locked, key="ours")).status_code == 401
    assert (await ask(keyed, key="ours")).status_code == 200


async def test_a_refusal_takes_in_the_whole_request(workshop: Workshop) -> None:
    parts = [
        {"type": "http.request", "body": b"x", "more_body": n < 3} for n in range(4)
    ]
    sent = []

    async def receive() -> dict[str, object]:
        return parts.pop(0)

    async def send(message: object) -> None:
        sent.append(message)

    await characters.refuse(receive, send, 503, "no")
    assert not parts
    assert len(sent) == 2
