"""The log's text filter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.model import Severity
from yolotop.store.protocol import LogLine
from yolotop.view.filter import Filter, Term, parse

LINE = LogLine(
    seq=1,
    at=0.0,
    severity=Severity.ERROR,
    deployment="Gate-3",
    message="Connection refused by 10.0.4.7:8000, 5th in a row",
    http_status=503,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", True),
        ("   ", True),
        ("refused", True),
        ("REFUSED gate", True),
        ("refused yard", False),
        ("!yard refused", True),
        ("!refused", False),
        ("error", True),
        ("503", True),
        ("!503", False),
        ('"in a row"', True),
        ('"a in row"', False),
        ("row in a", True),
        ('!"in a row"', False),
        ('!"row a" GATE-3', True),
        ('"in a ro', True),
        ("!", True),
        ('""', True),
        ('!""', True),
        ("rowgate", False),
        ("row\0gate", False),
        ("[bold]", False),
        (".*", False),
    ],
)
def test_words_are_all_found_and_excluded_ones_are_not(text: str, found: bool) -> None:
    assert parse(text).matches(LINE) is found


def test_what_is_parsed_can_be_told() -> None:
    assert parse('Gate !timeout "exact  Words" !"not this"') == Filter(
        (
            Term("gate"),
            Term("timeout", excluded=True),
            Term("exact  words"),
            Term("not this", excluded=True),
        )
    )
    assert not parse("  ")
    assert parse("x")


def test_a_line_of_the_collector_itself_can_be_filtered() -> None:
    line = LogLine(1, 0.0, Severity.INFO, None, "collector started")
    assert parse("started info").matches(line)
    assert not parse("none").matches(line)


@given(st.text(max_size=60))
def test_every_text_is_a_filter(text: str) -> None:
    wanted = parse(text)
    wanted.matches(LINE)
    assert all(term.text for term in wanted.terms if isinstance(term, Term))


@given(st.text(alphabet=st.characters(exclude_characters='"\0'), min_size=1))
def test_a_phrase_finds_itself_and_its_exclusion_does_not(text: str) -> None:
    line = LogLine(1, 0.0, Severity.INFO, None, f"before {text} after")
    assert parse(f'"{text}"').matches(line)
    assert not parse(f'!"{text}"').matches(line)
