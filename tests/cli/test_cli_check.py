"""``yolotop check`` against endpoints that are really there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from typer.testing import Result

from yolotop.cli.asking import ask
from yolotop.model import PHASE_NAMES, Deployment, ErrorKind, Outcome, Sample

Run = Callable[..., Result]
KEY = "test-key-0123456789"
KEYS = (
    "name kind ok verdict severity message http_status latency_ms phases server "
    "detections error reception"
)


class Home(Protocol):
    """What conftest's Home offers."""

    path: Path

    def write(self, text: str) -> Path: ...


class Scripted(Protocol):
    """What conftest's Scripted offers."""

    url: str
    health: list[Any]
    predict: list[Any]
    asked: list[str]


def table(name: str, url: str, more: str = "") -> str:
    return f'[[deployment]]\nname = "{name}"\nurl = "{url}"\n{more}\n'


def rows(done: Result) -> list[dict[str, Any]]:
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def test_a_healthy_endpoint(
    run: Run, home: Home, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCK_KEY", KEY)
    more = 'api_key = "env:DOCK_KEY"\nexpect = { drawn = true }'
    home.write(table("dock-cam", served, more))
    done = run("check", "--json")
    assert done.exit_code == 0, done.stdout
    health, predict = rows(done)
    for row, kind in ((health, "health"), (predict, "predict")):
        assert " ".join(row) == KEYS
        assert row["name"] == "dock-cam"
        assert row["kind"] == kind
        assert row["ok"] is True
        assert row["verdict"] == "ok"
        assert row["http_status"] == 200
        assert row["error"] is None
        assert list(row["phases"]) == list(PHASE_NAMES)
        known = [part for part in row["phases"].values() if part is not None]
        assert 0 < sum(known) <= row["latency_ms"] + 1
    assert (health["severity"], predict["severity"]) == ("DEBUG", "INFO")
    assert health["detections"] is None
    assert health["server"] is None
    assert predict["detections"] >= 1
    assert set(predict["server"]) == {"preprocess", "inference", "postprocess"}
    text = run("check").stdout
    assert "dock-cam" in text
    assert KEY not in text + done.stdout


def test_a_refused_key_is_unhealthy(
    run: Run, home: Home, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCK_KEY", "another-key-0000")
    home.write(table("dock-cam", served, 'api_key = "env:DOCK_KEY"'))
    done = run("check", "--json")
    assert done.exit_code == 1
    predict = rows(done)[1]
    assert (predict["ok"], predict["verdict"]) == (False, "failed")
    assert predict["http_status"] == 401
    assert predict["error"]["kind"] == "unauthorized"
    assert "another-key-0000" not in done.stdout


def test_a_missing_key_says_how_to_set_it(run: Run, home: Home, served: str) -> None:
    home.write(table("dock-cam", served, 'api_key = "env:NOT_SET"'))
    done = run("check")
    assert done.exit_code == 1
    assert "NOT_SET is not set" in done.stdout
    assert "export NOT_SET=" in done.stdout


def test_one_that_is_down_among_healthy_ones(
    run: Run, home: Home, scripted: Scripted
) -> None:
    home.write(table("up", scripted.url) + table("gone", "http://127.0.0.1:9"))
    done = run("check", "--json")
    assert done.exit_code == 1
    verdicts = {(row["name"], row["kind"]): row["verdict"] for row in rows(done)}
    assert verdicts == {
        ("up", "health"): "ok",
        ("up", "predict"): "ok",
        ("gone", "health"): "failed",
        ("gone", "predict"): "failed",
    }
    assert rows(done)[2]["error"]["kind"] == "connect"
    assert rows(done)[2]["phases"]["wait"] is None
    # By name only that one is asked.
    assert run("check", "up").exit_code == 0
    assert run("check", "gone", "up").exit_code == 1


def test_a_table_for_people(run: Run, home: Home, scripted: Scripted) -> None:
    scripted.predict[:] = [(500, {}, {"error": "[bold]boom[/bold] \x1b[31m"})]
    home.write(table("dock-cam", scripted.url))
    done = run("check")
    assert done.exit_code == 1
    head, _, health, predict = done.stdout.rstrip().split("\n")
    assert " ".join(head.split()) == "deployment probe verdict http latency message"
    assert health.split()[:4] == ["dock-cam", "health", "ok", "200"]
    assert predict.split()[:4] == ["dock-cam", "predict", "failed", "500"]
    # What a server says is text, not markup and not control codes.
    assert "[bold]boom[/bold]" in predict
    assert "\x1b" not in done.stdout


def test_one_that_is_not_registered(
    run: Run, home: Home, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCK_KEY", KEY)
    done = run("check", "--url", served, "--api-key", "env:DOCK_KEY", "--json")
    assert done.exit_code == 0
    assert {row["name"] for row in rows(done)} == {served.removeprefix("http://")}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nope"], 'did you mean "dock-cam"'),
        (["dok-cam"], 'did you mean "dock-cam"'),
        (["--url", "nonsense"], "must begin with http://"),
        (["--url", "http://u:sekret@h"], "api_key"),
        (["--url", "http://h", "--api-key", "sekret-literal"], "must be a reference"),
        (["--api-key", "env:X"], "goes with --url"),
        (["dock-cam", "--url", "http://h"], "cannot stand together"),
    ],
)
def test_usage_errors(run: Run, home: Home, args: list[str], said: str) -> None:
    home.write(table("dock-cam", "http://127.0.0.1:9"))
    done = run("check", *args)
    assert done.exit_code == 2
    assert done.stdout == ""
    if args != ["nope"]:
        assert said.lower() in done.stderr.lower()
    assert "sekret" not in done.stderr


def test_nothing_to_check_is_a_usage_error(run: Run, home: Home) -> None:
    done = run("check")
    assert done.exit_code == 2
    assert "yolotop add URL" in done.stderr


def test_a_paused_one_is_asked_only_by_name(
    run: Run, home: Home, scripted: Scripted
) -> None:
    home.write(
        table("on", scripted.url) + table("off", "http://127.0.0.1:9", "paused = true")
    )
    done = run("check", "--json")
    assert done.exit_code == 0
    assert {row["name"] for row in rows(done)} == {"on"}
    assert "off: paused" in done.stderr
    assert run("check", "off").exit_code == 1


STARTING: tuple[Any, ...] = (503, {"retry-after": "3"}, {"error": "starting"})
BUSY: tuple[Any, ...] = (429, {}, {"error": "no available instance"})


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def ask_one(deployment: Deployment, time: Time) -> tuple[list[Sample], list[str]]:
    told: list[str] = []
    samples = await ask(
        [deployment],
        waiting=lambda sample, pause: told.append(f"{sample.verdict.message} {pause}"),
        sleep=time.sleep,
        clock=time.clock,
    )
    return samples, told


async def test_one_that_starts_is_asked_again_as_it_wishes(scripted: Scripted) -> None:
    healthy, seen = scripted.health[0], scripted.predict[0]
    scripted.health[:] = [STARTING, BUSY, healthy]
    scripted.predict[:] = [STARTING, seen]
    time = Time()
    deployment = Deployment("z", scripted.url, scale_to_zero=True, cold_start_s=30)
    samples, told = await ask_one(deployment, time)
    assert [sample.verdict.ok for sample in samples] == [True, True]
    # The server's own wish, or two seconds where it has none.
    assert time.slept == [3, 2, 3]
    assert len(told) == 3
    assert "starting up (503)" in told[0]
    assert scripted.asked == ["/health"] * 3 + ["/predict"] * 2


async def test_one_that_never_starts_is_given_up_within_its_allowance(
    scripted: Scripted,
) -> None:
    scripted.health[:] = [BUSY]
    scripted.predict[:] = [STARTING]
    time = Time()
    deployment = Deployment("z", scripted.url, scale_to_zero=True, cold_start_s=7)
    samples, _ = await ask_one(deployment, time)
    assert sum(time.slept) <= 7
    assert len(time.slept) == 3
    assert not any(sample.verdict.ok for sample in samples)


async def test_one_that_does_not_scale_to_zero_is_asked_once(
    scripted: Scripted,
) -> None:
    scripted.health[:] = [BUSY]
    time = Time()
    samples, _ = await ask_one(Deployment("b", scripted.url), time)
    assert time.slept == []
    assert samples[0].verdict.outcome is Outcome.FAILED
    assert samples[0].verdict.error is not None
    assert samples[0].verdict.error.kind is ErrorKind.RATE_LIMITED


async def test_many_are_asked_at_once_but_not_all(scripted: Scripted) -> None:
    deployments = [Deployment(f"d{n}", scripted.url) for n in range(12)]
    samples = await ask(deployments, waiting=lambda *_: None, at_once=3)
    assert [sample.answer.deployment for sample in samples] == [
        deployment.name for deployment in deployments for _ in range(2)
    ]
    assert all(sample.verdict.ok for sample in samples)


def test_a_bad_url_on_the_command_line_sends_nobody_to_the_config_file(
    run: Run,
) -> None:
    done = run("check", "--url", "127.0.0.1:1")
    assert done.exit_code == 2
    assert "the command line: url must begin with http://" in done.stderr
    assert "config validate" not in done.stderr
