"""The Platform as a source of a whole collector, against the stand-in, in made-up time.

The stand-in answers in this process (an ASGI transport) and lives by the same clock, so
that hours of it pass in seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx
import pytest

from yolotop.config.load import parse
from yolotop.config.schema import PlatformSettings
from yolotop.demo.platform.deployment import Deployment
from yolotop.demo.platform.routes import ControlPlane
from yolotop.demo.platform.world import World
from yolotop.errors import ConfigError
from yolotop.model import EventKind, Health, Outcome, Severity
from yolotop.platform.budget import Budget
from yolotop.platform.client import PlatformClient
from yolotop.store.protocol import COARSE_SLOT_S, TRAFFIC_S, RequestKind

if TYPE_CHECKING:
    from tests.collect.conftest import Bench

KEY = "ul_" + "0123456789abcdef" * 2 + "01234567"
DAY_S = 86_400.0


@dataclass
class Play:
    """A collector on its bench and a Platform that it follows."""

    bench: Bench
    world: World
    plane: ControlPlane
    key: str = KEY

    def deploy(self, slug: str, *, age_s: float = DAY_S, **life: object) -> Deployment:
        now = self.bench.clock.now()
        made = Deployment(
            slug=slug,
            name=slug.title(),
            region="europe-west1",
            key=KEY,
            created_at=now - age_s - len(list(self.world.of("acme"))) / 1_000,
            **life,  # type: ignore[arg-type]
        )
        made.pass_time(now)
        return self.world.add(made)

    async def start(self, text: str = "platform = true") -> None:
        data_dir = self.bench.source.config.data_dir
        config = parse(text, path=None, env={}, data_dir=data_dir)
        collector = replace(config.collector, jitter=0.0)
        self.bench.source.config = replace(config, collector=collector)
        await self.bench.start(*config.deployments)

    async def pass_time(self, seconds: float) -> None:
        """Small steps: an answer takes more turns of the loop than a timer."""
        end = self.bench.clock.elapsed + seconds
        while self.bench.clock.elapsed < end:
            await self.bench.clock.advance(min(0.5, end - self.bench.clock.elapsed))

    async def ask(self, kind: RequestKind, name: str | None, body: str = "") -> str:
        number = len(self.bench.writer.results) + 1
        self.bench.writer.ask(number, kind, name, body)
        await self.pass_time(3)
        return self.bench.writer.results[number]

    def health(self, name: str) -> Health:
        return self.bench.writer.states[name].health

    def names(self) -> list[str]:
        return [one.name for one in self.bench.writer.registered]

    def said(self, name: str | None = None) -> list[str]:
        return self.bench.writer.said(name)

    def calls(self, part: str) -> int:
        return sum(part in path for _, path in self.plane.asked)


@pytest.fixture
def play(bench: Bench) -> Play:
    world = World(bench.clock.now)
    world.owners[KEY] = "acme"
    plane = ControlPlane(world)
    made = Play(bench, world, plane)

    def connect(settings: PlatformSettings, budget: Budget) -> PlatformClient:
        if not made.key:
            raise ConfigError("there is no key", hint="Set one")
        return PlatformClient(
            made.key,
            budget=budget,
            owner=settings.owner,
            base_url="http://platform.test",
            wall=bench.clock.now,
            http=httpx.AsyncClient(transport=httpx.ASGITransport(app=plane)),
        )

    bench.connect = connect
    return made


async def test_all_of_a_workspace_is_followed_passively(play: Play) -> None:
    play.deploy("dock", rate_per_h=600.0)
    play.deploy("yard").change("stop", play.bench.clock.now())
    await play.start()
    await play.pass_time(300)
    assert play.names() == ["dock", "yard"]
    assert play.health("dock") is Health.UP
    assert play.said("dock") == ["ready, says the Platform; not probed"]
    assert not any("keeps the instance awake" in line for line in play.said())
    assert play.health("yard") is Health.PAUSED
    # Passive: nothing of ours was asked, and nothing that wakes.
    assert play.bench.asker.asked == []
    assert play.calls("/health") == play.calls("/predict") == 0
    # The list every 15 s, metrics once a minute of what is ready.
    assert play.calls("/metrics") in range(4, 7)
    assert len(play.plane.asked) - play.calls("/metrics") in range(19, 24)


async def test_it_is_followed_through_its_life(play: Play) -> None:
    made = play.deploy("line", age_s=0.0)
    await play.start()
    await play.pass_time(2)
    assert play.health("line") is Health.COLD
    await play.pass_time(70)
    assert play.health("line") is Health.UP
    assert play.said("line") == [
        "creating on the Platform",
        "creating → deploying",
        "ready, says the Platform; not probed",
    ]
    hosting = play.bench.writer.registered[0].hosting
    assert hosting is not None
    assert (hosting.lifecycle, hosting.service_url) == ("ready", made.address)
    play.world.rename(made, "line-2", "Line 2")
    await play.pass_time(20)
    assert play.names() == ["line-2"]
    assert play.bench.writer.renamed == {"line": "line-2"}
    assert play.said("line-2") == ["renamed on the Platform: line → line-2"]
    assert play.health("line-2") is Health.UP
    play.world.delete(made)
    await play.pass_time(20)
    assert play.names() == []
    assert play.said("line-2")[-1].startswith("deleted on the Platform")


async def test_a_failure_is_told_with_its_log(play: Play) -> None:
    play.deploy("lane", age_s=0.0, fails="container failed to start")
    await play.start()
    await play.pass_time(80)
    assert play.health("lane") is Health.DOWN
    lines = [e for e in play.bench.writer.events if e.kind is EventKind.LOG]
    assert "Starting new instance" in lines[0].message
    assert lines[-1].message == "Revision is not ready: container failed to start"
    assert lines[-1].severity is Severity.ERROR
    assert "failed on the Platform: container failed to start" in play.said("lane")


async def test_errors_of_its_real_traffic_degrade_it(play: Play) -> None:
    play.deploy("kiln", rate_per_h=1_200.0, error_share=0.3)
    await play.start()
    await play.pass_time(180)
    assert play.health("kiln") is Health.DEGRADED
    assert "counts the Platform" in play.bench.writer.states["kiln"].message
    assert play.calls("/logs") >= 1


async def test_traffic_is_written_once_in_minutes_and_hours(play: Play) -> None:
    play.deploy("dock", rate_per_h=600.0)
    await play.start()
    await play.pass_time(130)
    rows = play.bench.writer.traffic
    widths = {row.width_s for row in rows}
    assert widths == {TRAFFIC_S, COARSE_SLOT_S}
    before = len(rows)
    await play.pass_time(300)
    # Of the sixty minutes of each answer one or two are new.
    assert len(play.bench.writer.traffic) - before in range(5, 16)
    assert all(row.source == "Ultralytics Platform" for row in rows)
    assert {row.deployment for row in rows} == {"dock"}


async def test_probes_are_opt_in_and_rest_while_it_is_stopped(play: Play) -> None:
    made = play.deploy("dock")
    await play.start(
        '[[deployment]]\nname = "d"\nplatform = "dock"\nprobe = true\n'
        'interval = "1h"\npredict_interval = "1h"\n'
    )
    await play.pass_time(10)
    assert play.names() == ["d"]
    assert play.health("d") is Health.UP
    assert play.said("d")[-1] == "up"
    asked = len(play.bench.asker.asked)
    assert asked == 2
    made.change("stop", play.bench.clock.now())
    await play.pass_time(3_700)
    assert play.health("d") is Health.PAUSED
    assert len(play.bench.asker.asked) == asked
    told = await play.ask(RequestKind.RESUME, "d")
    assert "stopped on the Platform" in told
    assert await play.ask(RequestKind.PLATFORM_START, "d")
    await play.pass_time(80)
    assert play.health("d") is Health.UP
    assert len(play.bench.asker.asked) == asked + 2


async def test_our_own_answers_tell_of_a_probed_one(play: Play) -> None:
    play.deploy("dock")
    play.bench.asker.scripts["d"] = [Outcome.FAILED]
    await play.start(
        '[[deployment]]\nname = "d"\nplatform = "dock"\nprobe = true\n'
        'interval = "5s"\npredict_interval = "5s"\n'
    )
    await play.pass_time(60)
    # However ready it is, says the Platform.
    assert play.health("d") is Health.DOWN


async def test_started_and_stopped_by_hand(play: Play) -> None:
    play.deploy("dock")
    await play.start()
    await play.pass_time(5)
    assert await play.ask(RequestKind.PLATFORM_STOP, "dock") == "Deployment stopped"
    assert play.health("dock") is Health.PAUSED
    again = await play.ask(RequestKind.PLATFORM_STOP, "dock")
    assert again == "it was stopped already"
    assert play.said("dock")[-1] == f"stop on the Platform, by hand: {again}"
    told = await play.ask(RequestKind.PLATFORM_STOP, "nobody")
    assert "is not followed on Ultralytics Platform" in told


async def test_the_log_is_fetched_once(play: Play) -> None:
    made = play.deploy("dock")
    now = play.bench.clock.now()
    for second, line in enumerate(("INFO:     one", "ERROR:    two")):
        made.lines.add(now - 60 + second, "DEFAULT", line)
    await play.start()
    await play.pass_time(5)
    assert (await play.ask(RequestKind.PLATFORM_LOG, "dock")).startswith("2 lines")
    told = await play.ask(RequestKind.PLATFORM_LOG, "dock")
    assert told == "there is nothing new in its log on the Platform"
    lines = [e for e in play.bench.writer.events if e.kind is EventKind.LOG]
    assert [(e.severity, round(e.at - now)) for e in lines] == [
        (Severity.INFO, -60),
        (Severity.ERROR, -59),
    ]
    hosting = play.bench.writer.registered[0].hosting
    assert hosting is not None
    assert hosting.log_at == lines[-1].at


async def test_what_there_is_can_be_asked_without_following_it(play: Play) -> None:
    play.deploy("dock")
    await play.start("")
    found = json.loads(await play.ask(RequestKind.PLATFORM_LIST, None))
    assert (found["owner"], found["cut"]) == ("acme", 0)
    assert [one["platform"] for one in found["deployments"]] == ["acme/dock"]
    told = await play.ask(RequestKind.PLATFORM_LIST, None, "other")
    assert "403" in told
    play.key = ""
    assert await play.ask(RequestKind.PLATFORM_LIST, None) == "there is no key. Set one"


async def test_a_platform_that_is_silent_is_no_longer_believed(play: Play) -> None:
    play.deploy("dock")
    await play.start()
    await play.pass_time(20)
    play.plane.closed_keys.add(KEY)
    await play.pass_time(60)
    assert play.health("dock") is Health.UP
    assert any("401" in line for line in play.said())
    await play.pass_time(90)
    assert play.health("dock") is Health.UNKNOWN
    assert "401" in play.bench.writer.beats[-1].note
    play.plane.closed_keys.clear()
    await play.pass_time(320)
    assert play.health("dock") is Health.UP
    assert "the Platform answers again" in play.said()
    assert play.bench.writer.beats[-1].note == ""
    # Told once, however often it was tried.
    assert sum("401" in line for line in play.said()) == 1


async def test_without_a_key_it_says_so_and_the_rest_goes_on(play: Play) -> None:
    play.key = ""
    await play.start('platform = true\n[[deployment]]\nname="own"\nurl="http://h"\n')
    await play.pass_time(65)
    assert play.said().count("there is no key. Set one") == 1
    assert play.health("own") is Health.UP
    play.key = KEY
    play.deploy("dock")
    await play.pass_time(40)
    assert play.names() == ["own", "dock"]


async def test_the_config_takes_it_up_and_lets_go_of_it(play: Play) -> None:
    play.deploy("dock")
    await play.start("")
    source = play.bench.source
    source.config = replace(source.config, platform=PlatformSettings())
    source.dirty = True
    await play.pass_time(10)
    assert play.names() == ["dock"]
    status = play.bench.writer.beats[-1].platform
    assert status.startswith("acme: 1 deployment, ")
    assert status.endswith(" of 100 calls left this minute")
    source.config = replace(source.config, platform=None)
    source.dirty = True
    await play.pass_time(10)
    assert play.names() == []
    asked = len(play.plane.asked)
    await play.pass_time(60)
    assert len(play.plane.asked) == asked
    assert play.bench.writer.beats[-1].platform == ""


async def test_what_happened_while_nobody_looked_is_told(play: Play) -> None:
    made = play.deploy("dock")
    play.deploy("kiln")
    await play.start()
    await play.pass_time(10)
    hosted = [one for one in play.bench.writer.registered if one.hosting is not None]
    play.bench.writer.hosted = {
        one.name: one.hosting for one in hosted if one.hosting is not None
    }
    await play.bench.stop()
    play.world.rename(made, "dock-2", "Dock 2")
    await play.start()
    await play.pass_time(10)
    assert play.names() == ["dock-2", "kiln"]
    assert play.said("dock-2") == ["renamed on the Platform: dock → dock-2"]


async def test_one_that_is_written_down_and_not_there_is_down(play: Play) -> None:
    await play.start('[[deployment]]\nname = "d"\nplatform = "nowhere"\n')
    await play.pass_time(5)
    assert play.health("d") is Health.DOWN
    assert play.said("d") == ["there is no such deployment on the Platform"]


async def test_paused_by_hand_stays_so_whatever_the_platform_says(play: Play) -> None:
    play.deploy("dock")
    await play.start()
    await play.pass_time(5)
    await play.ask(RequestKind.PAUSE, "dock")
    await play.pass_time(60)
    assert play.health("dock") is Health.PAUSED
    await play.ask(RequestKind.RESUME, "dock")
    await play.pass_time(20)
    assert play.health("dock") is Health.UP


async def test_asked_by_hand_it_says_that_it_is_not_probed(play: Play) -> None:
    play.deploy("dock")
    await play.start()
    await play.pass_time(5)
    told = await play.ask(RequestKind.PROBE, "dock")
    assert "probe = true" in told


async def test_forty_beside_own_servers_without_a_429(play: Play) -> None:
    for number in range(40):
        play.deploy(f"d-{number}", age_s=DAY_S + number, rate_per_h=60.0)
    await play.start('platform = true\n[[deployment]]\nname="own"\nurl="http://h"\n')
    # An hour of it is in tests/ultralytics_platform/test_watch.py.
    await play.pass_time(600)
    assert play.plane.limits.refused == 0
    assert play.calls("/metrics") >= 40 * 9
    assert len(play.names()) == 41


async def test_what_a_list_changes_leaves_own_servers_as_they_are(play: Play) -> None:
    made = play.deploy("dock")
    await play.start('platform = true\n[[deployment]]\nname="own"\nurl="http://h"\n')
    await play.pass_time(5)
    collector = play.bench.collector
    assert collector is not None
    source, before = play.bench.source, collector.rounds.deployment("own")
    dock = collector.rounds.deployment("dock").hosting
    again = parse(
        'platform = true\n[[deployment]]\nname="own"\nurl="http://h"\n',
        path=None,
        env={},
        data_dir=source.config.data_dir,
    )
    source.config, source.dirty = again, True
    made.change("stop", play.bench.clock.now())
    await play.pass_time(20)
    # A meter knows by the object that its reading goes on.
    assert collector.rounds.deployment("own") is before
    assert collector.rounds.deployment("dock").hosting != dock
