"""Severities told here, tracebacks as one line, and audit records as none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolotop.model import Severity
from yolotop.platform.logs import LogEntry, LogPage, joined
from yolotop.platform.printed import LONGEST, classified, shortened


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


def lines_of(*messages: str) -> list[Any]:
    """As the Platform tells them: newest first."""
    return [entry(n, message) for n, message in enumerate(messages)][::-1]


HEAD = "Traceback (most recent call last):"
FRAME = '  File "app.py", line 3, in predict'


@pytest.mark.parametrize(
    "raised",
    ["httpx.ReadTimeout: timed out", "StopIteration", "app.OutOfCircles: 3 of 4"],
)
def test_after_frames_any_name_is_the_exception(raised: str) -> None:
    (one,) = joined(read(*lines_of(HEAD, FRAME, raised)))
    assert one.message == f"{HEAD}\n{FRAME}\n{raised}"


@pytest.mark.parametrize("after", ["INFO:     after", "image 1/1: 640x640", "ERROR: x"])
def test_a_traceback_that_breaks_off_takes_nothing_of_what_follows(after: str) -> None:
    found = joined(read(*lines_of(HEAD, FRAME, after)))
    assert [each.message for each in found] == [f"{HEAD}\n{FRAME}", after]


def test_a_request_between_the_lines_does_not_tear_a_traceback_apart() -> None:
    http = {"method": "POST", "url": "/predict", "status": 500}
    told = lines_of(HEAD, FRAME, "ValueError: bad image")
    told.insert(1, entry(1, "", "INFO", httpRequest=http))
    first, second = joined(read(*told))
    assert first.message == f"{HEAD}\n{FRAME}\nValueError: bad image"
    assert second.message == "POST /predict → 500"


def test_exceptions_that_follow_of_one_another_are_one() -> None:
    lines = (
        HEAD, FRAME, "KeyError: 1",
        "During handling of the above exception, another exception occurred:",
        HEAD, FRAME, "ValueError: bad image",
    )  # fmt: skip
    (one,) = joined(read(*lines_of(*lines)))
    assert one.message == "\n".join(lines)


def test_two_tracebacks_are_two() -> None:
    found = joined(
        read(*lines_of(HEAD, FRAME, "KeyError: 1", HEAD, FRAME, "KeyError: 2"))
    )
    assert [each.message[-1] for each in found] == ["1", "2"]


def test_a_line_that_comes_much_later_is_not_of_it() -> None:
    told = [entry(0, HEAD), entry(1, FRAME), entry(50, "    indented by itself")]
    found = joined(read(*told[::-1]))
    assert [each.severity for each in found] == [Severity.ERROR, Severity.INFO]


DEEP = [
    HEAD,
    *[f'  File "starlette/middleware/x{n}.py", line {n}, in call' for n in range(95)],
    "ValueError: the reason",
]


@pytest.mark.parametrize(
    "told",
    [lines_of(*[DEEP[0], *DEEP[1:58], DEEP[-1]]), [entry(1, "\n".join(DEEP))]],
    ids=["line by line", "as one"],
)
def test_a_deep_traceback_keeps_its_end_which_says_what_went_wrong(
    told: list[Any],
) -> None:
    """Fifty frames of a web framework are more than an entry holds."""
    (one,) = joined(read(*told))
    assert one.message.startswith(f"{HEAD}\n")
    assert one.message.endswith("\nValueError: the reason")
    assert set(one.message.split("\n")) <= {*DEEP, "…"}


@given(st.text("ab \n", min_size=LONGEST - 9, max_size=LONGEST + 40))
@settings(max_examples=30)
def test_shortening_keeps_to_its_bound_and_both_ends(text: str) -> None:
    short = shortened(text)
    assert len(short) <= LONGEST
    assert short == text if len(text) <= LONGEST else "\n…\n" in short


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
