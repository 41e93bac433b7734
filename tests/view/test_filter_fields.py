"""Fields in a filter: what they find, what is told of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.model import EventKind, Health, ProbeKind, Severity
from yolotop.store.protocol import LogLine, SharedLine
from yolotop.view.fields import FIELDS
from yolotop.view.filter import parse, reference
from yolotop.view.snapshot import Card, Figures

LINE = LogLine(
    seq=1,
    at=0.0,
    severity=Severity.ERROR,
    deployment="gate-3",
    message="HTTP 503 by http://10.0.4.7:8000 at 12:31",
    http_status=503,
    latency_ms=1_249.0,
    probe=ProbeKind.PREDICT,
)
BARE = LogLine(2, 0.0, Severity.INFO, None, "started", event=EventKind.COLLECTOR)
CARD = Card(
    name="gate-3",
    url="https://gate.example",
    dialect="ultralytics",
    health=Health.DOWN,
    since_at=0.0,
    region="eu-west-1",
    group="Dock",
    tags=("edge", "night"),
    figures=Figures(
        requests=100, failed=6, error_rate=0.06, p50_ms=30, p95_ms=142, p99_ms=900
    ),
    message="connection refused",
    severity=Severity.ERROR,
    http_status=503,
    latency_ms=1_249.0,
    slo_left=-0.2,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sev>=warn", True),
        ("sev:err", True),
        ("sev=warning", False),
        ("sev<error", False),
        ("sev<=error sev>info", True),
        ("sev!=error", False),
        ("severity>=CRIT", False),
        ("status:5xx", True),
        ("status:50x", True),
        ("status:404", False),
        ("status>=500 status<600", True),
        ("status>5xx", False),
        ("status!=200", True),
        ("!status:5xx", False),
        ("ms>80", True),
        ("ms>1249", False),
        ("ms>=1249", True),
        ("ms:1.2s", True),
        ("ms=1.25s", True),
        ("ms:1.3s", False),
        ("ms<1.2s", False),
        ("ms<1m", True),
        ("ms>1200000µs", True),
        ("name:gate", True),
        ("name=gate", False),
        ("name=GATE-3", True),
        ("name:dock,gate", True),
        ('name:"gate-3"', True),
        ("kind:predict", True),
        ("kind:health,event", False),
        ("kind!=event", True),
        ("state:down", True),
        ("state:up,down", True),
        ("!state:down", False),
        ("p95>80", True),
        ("p95>0.1s p50<31 p99<1s", True),
        ("p95>142", False),
        ("err>5", True),
        ("err>6%", False),
        ("err:6", True),
        ("req<=100", True),
        ("slo<0", True),
        ("region:EU", True),
        ("region=eu", False),
        ("group:dock tag:night dialect:ultra", True),
        ("tag=nigh", False),
        ("tag!=night", False),
        ("! p95>80 sev>=warn", False),
        ("! p95>80 sev<warn", True),
        ("http://10.0.4.7:8000", True),
        ("10.0.4.7:8000", True),
        ("12:31", True),
        ("12:32", False),
    ],
)
def test_fields_find_lines_of_their_deployments(text: str, found: bool) -> None:
    wanted = parse(text)
    assert wanted.problems == ()
    assert wanted.among([CARD]).matches(LINE) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kind:event", True),
        ("status:200", False),
        ("status!=200", True),
        ("ms>0", False),
        ("!ms>0", True),
        ("name:g", False),
        ("p95>0", False),
        ("!p95>0", True),
        ("state:down", False),
    ],
)
def test_what_a_line_has_not_no_field_finds(text: str, found: bool) -> None:
    assert parse(text).among([CARD]).matches(BARE) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", True),
        ("gate refused", True),
        ("down !yard", True),
        ("night", True),
        ("state:down p95>80 region:eu", True),
        ("state:up", False),
        ("status:5xx ms>1s sev>=error", True),
        ("! gate", False),
        ("! yard", True),
        ("kind:predict", True),
    ],
)
def test_the_same_words_find_deployments(text: str, found: bool) -> None:
    assert parse(text).matches_card(CARD) is found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("stauts:404", "no field 'stauts'; did you mean status?"),
        ("Regoin:eu", "no field 'Regoin'; did you mean region?"),
        ("foo>5", "no field 'foo'; looked for as text"),
        ("sev>=loud", "sev: 'loud' is no severity: debug, info, warning,"),
        ("status:abc", "status: 'abc' is no HTTP status: 404 or 5xx"),
        ("status:5x3", "status: '5x3' is no HTTP status: 404 or 5xx"),
        ("ms>fast", "ms: 'fast' is no time: 80, 80ms or 1.2s"),
        ("ms>5%", "ms: '5%' is no time"),
        ("err>5ms", "err: '5ms' is no percentage"),
        ("p95>", "p95> what? For example p95>80"),
        ("state:broken", "state: 'broken' is no state: up, degraded, down"),
        ("region>eu", "region: only : = and != compare texts"),
        ("state>up", "state: only : = and != compare states"),
        ("tag:,", "tag: a comma stands between two values"),
    ],
)
def test_what_cannot_be_meant_is_told(text: str, told: str) -> None:
    wanted = parse(text)
    [problem] = wanted.problems
    assert problem.startswith(told)
    if told.startswith("no field"):
        assert wanted.matches(LogLine(1, 0.0, Severity.INFO, None, f"it says {text}"))
        assert not wanted.matches(BARE)
    else:
        assert not wanted
        assert wanted.matches(BARE)


@pytest.mark.parametrize(
    "text", ["http://x", "12:31", "a:", "host:8000", "C:\\x", "<h1>", "::1", "fe80::1"]
)
def test_what_only_looks_like_a_field_is_a_word(text: str) -> None:
    wanted = parse(text)
    assert wanted.problems == ()
    assert wanted.matches(LogLine(1, 0.0, Severity.INFO, None, f"it says {text} here"))
    assert not wanted.matches(BARE)


def test_what_to_mark_is_what_was_asked_for() -> None:
    wanted = parse('gate !yard status:5xx !ms>80 "in a row" p95>80')
    assert wanted.words == ("gate", "in a row")
    assert wanted.keys == {"status", "p95"}
    assert parse("! gate status:5xx").words == ()
    assert parse("! gate status:5xx").keys == frozenset()


def test_every_field_has_an_example_that_works() -> None:
    for field in FIELDS:
        wanted = parse(field.example)
        assert wanted.problems == (), field.example
        assert wanted.keys == {field.key}


def test_the_page_tells_every_form() -> None:
    page = (Path(__file__).parents[2] / "docs" / "filter.md").read_text("utf-8")
    for example, meaning in reference():
        assert f"| `{example}` | {meaning} |\n" in page
    assert page.count("\n| `") == len(reference())


FORMS = [example for example, _ in reference()] + [
    "gate", "GATE-3", "50", "503", "3", "!status:404", "ms<900", "!ms>80", "sev<warn",
    "kind:event", "by 10", "8000 at", "!12", "name:gate", "!state:down",
]  # fmt: skip
FILTERS = st.builds(
    lambda bang, terms: bang + " ".join(terms),
    st.sampled_from(["", "! "]),
    st.lists(st.sampled_from(FORMS) | st.text("ab10 5!:><", max_size=5), max_size=4),
)
MESSAGES = st.lists(st.sampled_from(["503", "timeout ", " in a row", "10", "a", " "]))


@given(FILTERS, MESSAGES, st.sampled_from([None, 12.0, 80.0, 950.0]))
def test_what_is_said_of_many_lines_is_so_for_each(
    text: str, parts: list[str], latency_ms: float | None
) -> None:
    message = "".join(parts)
    line = LogLine(
        1, 0.0, Severity.WARNING, "gate-3", message, 503, latency_ms, ProbeKind.PREDICT
    )
    wanted = parse(text).among([CARD])
    truth = wanted.matches(line)
    pieces = [tuple(message.replace("503", "\x1f").split("\x1f")), (message,), None]
    for known in pieces:
        told = wanted.of_shared(
            SharedLine(line.severity, "gate-3", known, 503, ProbeKind.PREDICT)
        )
        assert told in (None, truth)
    span = None if latency_ms is None else (latency_ms / 2, latency_ms)
    assert wanted.of_latency(span) or not truth


@given(st.text(max_size=80))
def test_nothing_that_can_be_typed_fails(text: str) -> None:
    wanted = parse(text)
    wanted.among([CARD]).matches(LINE)
    wanted.matches_card(CARD)
    assert all(wanted.problems)
