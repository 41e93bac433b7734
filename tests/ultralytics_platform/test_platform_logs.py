"""Severities told here, tracebacks as one line, and audit records as none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.model import Severity
from yolotop.platform.logs import LogEntry, LogPage, classified, joined


def entry(second: int, message: str, severity: str = "DEFAULT", **more: Any) -> Any:
    at = f"2026-11-26T10:00:{second:02}.000123Z"
    return {"timestamp": at, "severity": severity, "message": message, **more}


def read(*documents: object) -> tuple[LogEntry, ...]:
    page = LogPage.read({"entries": list(documents)})
    assert page is not None
    return page.entries


@pytest.mark.parametrize(
    ("message", "severity"),
    [
        ("INFO:     Waiting for application startup.", Severity.INFO),
        ("WARNING:  Invalid HTTP request received.", Severity.WARNING),
        ("ERROR:    Exception in ASGI application", Severity.ERROR),
        ("2026-11-26 10:00:00,123 - app.model - ERROR - no weights", Severity.ERROR),
        ("2026-11-26 10:00:00 WARNING slow", Severity.WARNING),
        ("[CRITICAL] out of memory", Severity.CRITICAL),
        ("[2026-11-26 10:00:00 +0000] [ERROR] worker timeout", Severity.ERROR),
        ("Traceback (most recent call last):", Severity.ERROR),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory", Severity.ERROR),
        ("ValueError: bad image", Severity.ERROR),
        ("INFORMATION wants to be free", Severity.INFO),
        ("ERRORLESS run", Severity.INFO),
        ("image 1/1: 640x640 3 circles", Severity.INFO),
    ],
)
def test_what_an_application_prints_is_told_apart_by_its_beginning(
    message: str, severity: Severity
) -> None:
    """DEFAULT: the application's own output, which the Platform's filter hides."""
    assert classified(message) is severity
    (one,) = read(entry(1, message))
    assert (one.severity, one.told) == (severity, "DEFAULT")


@pytest.mark.parametrize(
    ("told", "severity"),
    [
        ("NOTICE", Severity.INFO),
        ("ALERT", Severity.CRITICAL),
        ("EMERGENCY", Severity.CRITICAL),
        ("DEBUG", Severity.DEBUG),
    ],
)
def test_nine_severities_become_five(told: str, severity: Severity) -> None:
    (one,) = read(entry(1, "ERROR: in its text", told))
    assert one.severity is severity


def test_audit_records_are_no_lines() -> None:
    """NOTICE entries whose message is literally {}."""
    assert read(entry(1, "{}", "NOTICE"), entry(2, "", "INFO"), {}, 7, None) == ()


def test_a_request_speaks_for_itself() -> None:
    """A cold start: 429 with no latency, from the Platform's own ping."""
    http = {
        "method": "GET",
        "url": "https://u:pass@predict-1.run.app/health",
        "status": 429,
        "latencyMs": 0,
        "userAgent": "node",
    }
    (one,) = read(entry(1, "", "WARNING", httpRequest=http))
    assert one.http is not None
    assert (one.http.status, one.http.latency_ms, one.http.agent) == (429, 0, "node")
    assert one.message.endswith("/health → 429")
    assert "pass" not in one.message


def test_a_traceback_of_many_entries_is_one() -> None:
    lines = [
        "INFO:     before",
        "Traceback (most recent call last):",
        '  File "app.py", line 3, in predict',
        "    return model(image)",
        "ValueError: bad image",
        "INFO:     after",
    ]
    newest_first = [entry(n, line) for n, line in enumerate(lines)][::-1]
    found = joined(read(*newest_first))
    assert [each.severity for each in found] == [
        Severity.INFO,
        Severity.ERROR,
        Severity.INFO,
    ]
    assert found[1].message == "\n".join(lines[1:5])


def test_lines_of_one_instant_keep_their_order() -> None:
    found = joined(read(*[entry(5, f"line {n}") for n in (3, 2, 1)]))
    assert [each.message for each in found] == ["line 1", "line 2", "line 3"]


def test_a_page_without_entries_is_the_last_whatever_token_it_has() -> None:
    page = LogPage.read({"entries": [], "nextPageToken": "more"})
    assert page is not None
    assert page.is_last
    assert LogPage.read({"nextPageToken": "more"}) is None


def test_nothing_hostile_is_in_a_line() -> None:
    (one,) = read(entry(1, "\x1b]52;c;AAAA\x07[/]\u202e api_key=hunter22secret"))
    assert not any(char in one.message for char in "\x1b\x07\u202e")
    assert "hunter22secret" not in one.message


LINES = (
    "Traceback (most recent call last):",
    "  File x",
    "KeyError: 'x'",
    "INFO: y",
    "z",
)


@given(
    st.lists(
        st.tuples(st.integers(0, 59), st.sampled_from(LINES), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_joining_loses_no_text(told: list[tuple[int, str, bool]]) -> None:
    entries = read(
        *[entry(at, text, "DEFAULT" if own else "INFO") for at, text, own in told]
    )
    found = joined(entries)
    text = sorted("\n".join(each.message for each in found).split("\n"))
    assert text == sorted(each.message for each in entries if each.message)
    assert [each.at for each in found] == sorted(each.at for each in found)
