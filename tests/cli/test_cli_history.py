"""``status`` and ``logs`` over a history that the real writer wrote."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Any, Protocol

import pytest
from typer.testing import Result

from yolotop.judge.health import advance
from yolotop.model import (
    Answer,
    Deployment,
    ErrorKind,
    Event,
    EventKind,
    HealthState,
    Outcome,
    ProbeError,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.open import open_writer

Run = Callable[..., Result]
DOCK = Deployment("dock-cam", "http://127.0.0.1:1/?token=abcdef", region="eu")
GATE = Deployment("gate-3", "http://127.0.0.1:2", group="north")


class Home(Protocol):
    """What conftest's Home offers."""

    data_dir: Path

    def start(self, *args: str) -> Popen[str]: ...


def sample(
    deployment: Deployment, at: float, *, ms: float = 40.0, fails: str = ""
) -> Sample:
    error = ProbeError(ErrorKind.HTTP, fails) if fails else None
    return Sample(
        Answer(
            deployment.name,
            ProbeKind.PREDICT,
            started_at=at,
            latency_ms=ms,
            http_status=500 if fails else 200,
        ),
        Verdict(
            Outcome.FAILED if fails else Outcome.OK,
            Severity.ERROR if fails else Severity.INFO,
            fails or "3 detections",
            error=error,
        ),
    )


def keep(
    data_dir: Path, samples: Sequence[Sample], events: Sequence[Event] = ()
) -> None:
    """Write as a collector would."""

    async def write() -> None:
        writer = await open_writer(data_dir)
        try:
            await writer.register([DOCK, GATE], time.time())
            states = await writer.load_states()
            known = {item.name: item for item in (DOCK, GATE)}
            for each in samples:
                name = each.answer.deployment
                before = states.get(name, HealthState())
                states[name], _ = advance(before, each, known[name])
            await writer.append(samples, events, states)
        finally:
            await writer.close()

    asyncio.run(write())


@pytest.fixture
def measured(home: Home) -> float:
    """Twenty answers of one, four of the other; when the last was taken."""
    now = time.time()
    keep(
        home.data_dir,
        [
            *(sample(DOCK, now - 60 + n, ms=10 * (n + 1)) for n in range(20)),
            *(sample(GATE, now - 30 + n) for n in range(3)),
            sample(GATE, now - 20, fails="HTTP 500: [red]boom"),
        ],
        [Event(now - 10, Severity.WARNING, EventKind.STATE, "degraded", "gate-3")],
    )
    return now


def lines(done: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_status_is_what_was_measured(run: Run, measured: float) -> None:
    done = run("status", "--json", "--range", "1h")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert list(found) == ["range", "generated_at", "totals", "deployments"]
    assert found["range"] == "1h"
    totals = found["totals"]
    assert totals["requests"] == 24
    assert totals["deployments"] == 2
    assert totals["error_rate"] == pytest.approx(1 / 24, abs=1e-6)
    dock, gate = found["deployments"]
    assert dock["name"] == "dock-cam"
    assert dock["state"] == "up"
    assert dock["region"] == "eu"
    assert dock["requests"] == 20
    # Nearest rank: the 19th of 20, 190 ms, to within a bucket.
    assert dock["p95_ms"] == pytest.approx(190, rel=0.0109)
    assert "abcdef" not in done.stdout
    assert gate["group"] == "north"
    assert gate["error_rate"] == 0.25
    assert gate["message"]


def test_status_says_that_nobody_collects(run: Run, measured: float) -> None:
    done = run("status")
    assert done.exit_code == 0
    assert "No collector" in done.stderr
    assert "Total Requests      24" in done.stdout
    assert "Error Rate          4.2 %" in done.stdout
    row = next(row for row in done.stdout.splitlines() if row.startswith("dock-cam"))
    assert row.split()[1:4] == ["up", "eu", "20"]


def test_status_of_nothing(run: Run, home: Home) -> None:
    done = run("status", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["range"] == "24h"
    assert found["deployments"] == []
    assert found["totals"]["requests"] == 0
    assert found["totals"]["p95_ms"] is None
    assert "no history" in done.stderr


def test_logs_are_json_lines_oldest_first(run: Run, measured: float) -> None:
    found = lines(run("logs", "--json"))
    assert len(found) == 25
    assert [list(line) for line in found[:1]] == [
        ["at", "severity", "deployment", "message", "http_status", "latency_ms"]
    ]
    error = next(line for line in found if line["severity"] == "ERROR")
    assert error["deployment"] == "gate-3"
    assert error["http_status"] == 500
    assert error["message"] == "HTTP 500: [red]boom"
    assert lines(run("logs", "--json", "-n", "3")) == found[-3:]
    assert lines(run("logs", "--json", "-n", "0")) == []


@pytest.mark.parametrize(
    ("args", "count"),
    [
        (["--severity", "warning"], 2),
        (["--severity", "WARNING"], 2),
        (["--severity", "error"], 1),
        (["--name", "gate-3"], 5),
        (["--name", "nobody"], 0),
        (["--grep", "boom"], 1),
        (["--grep", "detections", "--name", "gate-3"], 3),
        (["--grep", "!detections"], 2),
        (["--severity", "critical"], 0),
    ],
)
def test_logs_are_filtered(
    run: Run, measured: float, args: list[str], count: int
) -> None:
    assert len(lines(run("logs", "--json", *args))) == count


def test_logs_for_people(run: Run, measured: float) -> None:
    done = run("logs", "--severity", "error")
    (line,) = done.stdout.splitlines()
    said = "ERROR gate-3 HTTP 500: [red]boom 500 40 ms"
    assert " ".join(line[line.index("ERROR") :].split()) == said


def test_the_collectors_own_lines_are_called_as_on_the_screen(
    run: Run, home: Home
) -> None:
    started = Event(time.time(), Severity.INFO, EventKind.COLLECTOR, "began")
    keep(home.data_dir, [], [started])
    assert run("logs").stdout.split()[-2:] == ["collector", "began"]


def test_lines_of_other_days_carry_their_date(run: Run, home: Home) -> None:
    now = float(int(time.time()))  # a line's time is start plus latency: same second
    then = now - 3 * 86_400
    keep(home.data_dir, [sample(DOCK, then), sample(DOCK, now)])
    old, new = run("logs").stdout.splitlines()
    assert old.startswith(time.strftime("%b %d %H:%M  INFO", time.localtime(then)))
    assert new.startswith(time.strftime("%H:%M:%S", time.localtime(now)))
    assert old.index("dock-cam") == new.index("dock-cam")
    (alone,) = run("logs", "-n", "1").stdout.splitlines()
    assert alone.index("INFO") == len("12:31:07  ")


def test_more_lines_than_one_page(run: Run, home: Home) -> None:
    now = time.time()
    keep(home.data_dir, [sample(DOCK, now - 900 + n / 10) for n in range(2_500)])
    assert len(lines(run("logs", "--json", "-n", "2400"))) == 2_400
    assert len(lines(run("logs", "--json", "-n", "9999", "--grep", "3"))) == 2_500


def test_following_goes_on_with_what_comes_in(home: Home, measured: float) -> None:
    words = ["logs", "--json", "--follow", "-n", "1", "--severity", "warning"]
    with home.start(*words) as process:
        assert process.stdout is not None
        try:
            first = json.loads(process.stdout.readline())
            assert first["message"] == "degraded"
            now = time.time()
            keep(
                home.data_dir,
                [sample(DOCK, now), sample(DOCK, now, fails="HTTP 502")],
            )
            assert json.loads(process.stdout.readline())["message"] == "HTTP 502"
            keep(home.data_dir, [sample(GATE, now, fails="HTTP 503")])
            assert json.loads(process.stdout.readline())["message"] == "HTTP 503"
        finally:
            process.terminate()
