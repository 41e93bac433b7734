"""Quirks of the log: what it holds, its filter and its pages: facts §1.2 and §2.4."""

from __future__ import annotations

from datetime import datetime

import pytest
from stand_in import LIST, Asker, client_of, error

from tests.platform_server import HandClock, PlatformServer
from yolotop.demo.platform.lines import TRACEBACK
from yolotop.model import Severity

LOGS = f"{LIST}/dock/logs"


async def test_words_of_the_application_are_default_and_the_filter_hides_them(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2, captured: a ninth severity, NOTICE of {}, and a token with no entry."""
    dock = server.deploy("dock")
    dock.lines.trip(hand.at - 100)
    dock.lines.add(hand.at - 50, "NOTICE", "{}")
    raw = ask.get(LOGS, severity="ERROR").json()
    assert (raw["entries"], bool(raw["nextPageToken"])) == ([], True)
    again = ask.get(LOGS, severity="ERROR", pageToken=raw["nextPageToken"]).json()
    assert (again["entries"], bool(again["nextPageToken"])) == ([], True)
    before = len(server.plane.asked)
    async with client_of(server, owner="acme") as client:
        entries = await client.logs("dock", since_at=hand.at - 200)
    assert len(server.plane.asked) - before <= 2
    (trip,) = entries
    assert trip.severity is Severity.ERROR
    assert trip.message.startswith("Traceback (most recent call last):\n  File")
    assert trip.message.endswith("an illegal memory access was encountered")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"severity": "DEFAULT"}, "Invalid severity: DEFAULT"),
        ({"severity": "INFO,LOUD"}, "Invalid severity: LOUD"),
        ({"severity": "error"}, "Invalid severity: error"),
        ({"severity": "INFO," * 20 + "INFO"}, "severity: 100 characters at most"),
        ({"limit": "0"}, "limit must be between 1 and 200"),
        ({"limit": "201"}, "limit must be between 1 and 200"),
        ({"limit": "-5"}, "limit must be between 1 and 200"),
        ({"pageToken": "t" * 4_097}, "pageToken: 4096 characters at most"),
        ({"pageToken": "!"}, "Invalid pageToken"),
        ({"pageToken": "MTA="}, "Invalid pageToken"),
    ],
)
def test_a_bad_query(
    server: PlatformServer, ask: Asker, query: dict[str, str], words: str
) -> None:
    """§1.2: 400 with a message."""
    server.deploy("dock")
    assert error(ask.get(LOGS, **query)) == (400, words)


def test_the_filter_is_a_set_and_no_least_severity(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2: WARNING does not bring ERROR along."""
    dock = server.deploy("dock")
    for severity in ("INFO", "WARNING", "ERROR"):
        dock.lines.add(hand.at - 1, severity, severity)
    found = ask.logs("dock", severity="WARNING")
    assert [one["message"] for one in found] == ["WARNING"]
    found = ask.logs("dock", severity="ERROR,WARNING")
    assert [one["message"] for one in found] == ["ERROR", "WARNING"]


def test_50_at_a_time_newest_first_with_microseconds(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2: in the order of time, in whichever order they were written down."""
    dock = server.deploy("dock")
    for n in (*range(0, 90, 2), *range(1, 90, 2)):
        dock.lines.add(hand.at - 90 + n, "INFO", f"{n}")
    found = ask.logs("dock")
    assert [one["message"] for one in found] == [f"{n}" for n in range(89, 39, -1)]
    assert len(found[0]["timestamp"]) == len("2026-11-26T00:00:00.000000Z")


def test_a_page_that_follows_repeats_nothing_when_the_log_has_grown(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2: pageToken is opaque, and a place in the log."""
    dock = server.deploy("dock")
    for n in range(10):
        dock.lines.add(hand.at - 20 + n, "INFO", f"{n}")
    first = ask.get(LOGS, limit="4").json()
    for _ in range(7):
        dock.lines.add(hand.at - 5, "INFO", "new")
    second = ask.get(LOGS, limit="4", pageToken=first["nextPageToken"]).json()
    third = ask.get(LOGS, limit="4", pageToken=second["nextPageToken"]).json()
    told = [one["message"] for each in (first, second) for one in each["entries"]]
    assert told == [f"{n}" for n in range(9, 1, -1)]
    assert [one["message"] for one in third["entries"]][:2] == ["1", "0"]


async def test_right_after_creation_there_are_none_and_that_is_no_error(
    server: PlatformServer,
) -> None:
    """§1.2, §4: captured 200 with [], where the specification says 400."""
    server.deploy("dock", ready=False)
    async with client_of(server) as client:
        assert await client.logs("dock") == ()


def test_lines_of_a_start_appear_when_their_time_has_come(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§2.4: the application's first words come twenty seconds after its start."""
    server.deploy("dock", ready=False)
    seen = 0
    for _ in range(60):
        hand.at += 1
        found = ask.logs("dock")
        instants = [datetime.fromisoformat(one["timestamp"]) for one in found]
        assert all(each.timestamp() <= hand.at for each in instants)
        assert instants == sorted(instants, reverse=True)
        # Nothing is put among what was told before.
        assert len(found) >= seen
        seen = len(found)
    assert "Uvicorn running" in found[0]["message"]
    begun, spoke = instants[-1], instants[0]
    assert 20 <= (spoke - begun).total_seconds() < 21
    assert ask.one("dock")["status"] == "ready"


def test_a_start_that_fails_says_so_last_and_never_that_it_runs(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§3.3: the log has the reason that statusMessage has."""
    server.deploy("dock", ready=False, fails="out of memory")
    hand.at += 60
    told = [one["message"] for one in ask.logs("dock")]
    assert told[0] == "Revision is not ready: out of memory"
    assert told[-1].startswith("Starting new instance")
    assert not any("Uvicorn running" in message for message in told)


def test_the_log_of_one_that_errs_has_its_tracebacks_and_its_requests(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2: httpRequest of each request, and DEFAULT lines that say why it failed."""
    server.deploy("dock", rate_per_h=360.0, error_share=0.3)
    found = ask.logs("dock", limit="200")
    requests = [one["httpRequest"] for one in found if "httpRequest" in one]
    assert {"method", "url", "status", "latencyMs", "userAgent"} == set(requests[0])
    assert {200, 500} <= {one["status"] for one in requests}
    address = ask.one("dock")["serviceUrl"]
    assert {one["url"] for one in requests} == {f"{address}/predict"}
    oldest_first = [one["message"] for one in reversed(found) if one["message"]]
    begin = oldest_first.index(TRACEBACK[0])
    assert tuple(oldest_first[begin : begin + len(TRACEBACK)]) == TRACEBACK
    failed = [one for one in found if one.get("httpRequest", {}).get("status") == 500]
    assert {one["severity"] for one in failed} == {"ERROR"}
    own = [one for one in found if one["message"] in TRACEBACK]
    assert {one["severity"] for one in own} == {"DEFAULT"}


def test_lines_of_traffic_are_those_that_were_counted(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2: read twice they are there once, and as many as the figures say."""
    server.deploy("dock", rate_per_h=120.0, error_share=0.2)
    for _ in range(8):
        ask.logs("dock")
        hand.at += 300
    found = [
        one["httpRequest"]["status"]
        for one in ask.logs("dock", limit="200", severity="INFO,WARNING,ERROR")
        if datetime.fromisoformat(one["timestamp"]).timestamp() >= hand.at - 3_600
        and "httpRequest" in one
    ]
    told = ask.get(f"{LIST}/dock/metrics", range="1h").json()["summary"]
    assert len(found) == told["totalRequests"] > 80
    assert sum(status >= 400 for status in found) == told["errorCount"] > 8


def test_a_backend_that_is_down(server: PlatformServer, ask: Asker) -> None:
    """§1.2: 503."""
    server.deploy("dock")
    server.plane.down.add("logs")
    assert error(ask.get(LOGS)) == (503, "Logs backend is unavailable")
    assert ask.get(f"{LIST}/dock/metrics").status_code == 200
