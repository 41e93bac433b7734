"""A platform's word, and how far it goes."""

from __future__ import annotations

import pytest

from yolotop.judge.hosted import STOPPED, Word, follows, told, with_errors, word_of
from yolotop.judge.verdict import judge
from yolotop.model import (
    Answer,
    Deployment,
    ErrorKind,
    EventKind,
    Health,
    HealthState,
    PlatformAddress,
    ProbeKind,
    SecretRef,
    Severity,
    Traffic,
)

READY = word_of("ready", "", probed=False)


@pytest.mark.parametrize(
    ("lifecycle", "health", "held"),
    [
        ("creating", Health.COLD, True),
        ("deploying", Health.COLD, True),
        ("ready", Health.UP, True),
        ("stopping", Health.PAUSED, True),
        ("stopped", Health.PAUSED, True),
        ("failed", Health.DOWN, True),
        ("hibernating", Health.UNKNOWN, True),
    ],
)
def test_each_of_its_words(lifecycle: str, health: Health, held: bool) -> None:
    word = word_of(lifecycle, "why", probed=False)
    assert (word.health, word.held) == (health, held)
    assert "why" in word.reason
    assert "Platform" in word.reason


def test_of_a_probed_one_that_is_ready_our_own_answers_tell() -> None:
    assert not word_of("ready", "", probed=True).held
    assert word_of("deploying", "", probed=True).held
    # A word that is new to us does not keep us from asking.
    assert not word_of("hibernating", "", probed=True).held


def test_a_start_that_failed_is_an_error_and_ends_as_stopped() -> None:
    after, (event,) = told(
        HealthState(), "d", word_of("stopped", "no memory", probed=False), at=5.0
    )
    assert after.message == f"{STOPPED}: no memory"
    assert (event.kind, event.health) == (EventKind.STATE, Health.PAUSED)
    assert event.severity is Severity.ERROR


def minutes(requests: float, errors: float | None, at: float = 900.0) -> list[Traffic]:
    return [Traffic("d", "P", at, 60.0, requests, errors)]


@pytest.mark.parametrize(
    ("rows", "health"),
    [
        (minutes(100, 6), Health.DEGRADED),
        (minutes(100, 100), Health.DEGRADED),
        (minutes(100, 5), Health.UP),
        (minutes(19, 19), Health.UP),
        (minutes(100, None), Health.UP),
        (minutes(100, 6, at=0.0), Health.UP),
        ([], Health.UP),
        ([*minutes(100, 8), *minutes(100, 0)], Health.UP),
    ],
    ids=["bad", "all", "at the limit", "too few", "untold", "old", "none", "both"],
)
def test_errors_degrade_and_never_more(rows: list[Traffic], health: Health) -> None:
    found = with_errors(READY, rows, now=1_000.0)
    assert found.health is health
    if health is Health.DEGRADED:
        assert "counts the Platform" in found.reason


def test_errors_say_nothing_of_what_is_not_ready() -> None:
    stopped = word_of("stopped", "", probed=False)
    assert with_errors(stopped, minutes(100, 50), now=1_000.0) == stopped


@pytest.mark.parametrize(
    ("health", "message", "counts"),
    [
        (Health.PAUSED, "paused", False),
        (Health.PAUSED, "paused in the configuration", False),
        (Health.PAUSED, f"{STOPPED}: why", True),
        (Health.MAINTENANCE, "until then", False),
        (Health.UNKNOWN, "", True),
    ],
)
def test_what_was_said_here_goes_before(
    health: Health, message: str, counts: bool
) -> None:
    before = HealthState(health=health, message=message, since=1.0)
    assert follows(before) is counts
    after, events = told(before, "d", READY, at=2.0)
    assert (after.health is Health.UP) is counts
    assert bool(events) is counts


def test_the_same_word_again_is_no_news_and_a_new_reason_no_new_state() -> None:
    first, _ = told(HealthState(), "d", READY, at=2.0)
    again, events = told(first, "d", READY, at=9.0)
    assert again is first
    assert events == ()
    other, events = told(first, "d", Word(Health.UP, "other"), at=9.0)
    assert (other.message, other.since) == ("other", 2.0)
    assert events == ()


def test_a_401_of_an_endpoint_is_another_key_and_not_a_bad_one() -> None:
    dock = Deployment(
        "d",
        "https://d.example",
        api_key=SecretRef("env", "K"),
        platform=PlatformAddress("dock", "acme"),
    )
    answer = Answer("d", ProbeKind.PREDICT, started_at=0.0, http_status=401)
    verdict = judge(answer, dock, HealthState())
    assert verdict.message == "another key is bound to this endpoint (401)"
    assert verdict.error is not None
    assert verdict.error.kind is ErrorKind.UNAUTHORIZED
