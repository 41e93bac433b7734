"""The gate for foreign text holds for any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.text import MASK, clean, redact, show_url

FORBIDDEN_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e")
any_text = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x9b\x9d\x07\\]0;52c[2Jm\u202e\r\n\t\x7f"),
    ),
    max_size=200,
)


def is_forbidden(char: str) -> bool:
    if char in "\t\n":
        return False
    return unicodedata.category(char) in ("Cc", "Cs") or char in FORBIDDEN_BIDI


@given(any_text, st.booleans())
def test_clean_leaves_no_forbidden_character(text: str, lines: bool) -> None:
    assert not [char for char in clean(text, lines=lines) if is_forbidden(char)]


@given(any_text, st.booleans(), st.integers(min_value=1, max_value=80))
def test_clean_is_idempotent_and_short(text: str, lines: bool, limit: int) -> None:
    once = clean(text, lines=lines, limit=limit)
    assert len(once) <= limit
    assert clean(once, lines=lines, limit=limit) == once


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("\x1b]0;title\x07ok", "␛ok"),
        ("\x1b]52;c;aGVsbG8=\x1b\\ok", "␛ok"),
        ("\x1b[2Jok", "␛ok"),
        ("\x9b2Jok", "␛ok"),
        ("a\x00b", "a␀b"),
        ("a\u202eb", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("  two\n lines\t", "two lines"),
        ("[bold]not markup[/]", "[bold]not markup[/]"),
    ],
)
def test_clean_by_example(hostile: str, safe: str) -> None:
    assert clean(hostile) == safe


def test_clean_keeps_lines_when_asked() -> None:
    assert clean("one\r\ntwo\rthree", lines=True) == "one\ntwo\nthree"


def test_clean_of_a_hostile_megabyte_is_bounded() -> None:
    assert len(clean("\x1b[31m" * 200_000, limit=100)) <= 100


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2hunter2",
        "api_key=hunter2hunter2",
        '{"api_key": "hunter2hunter2"}',
        "x-api-key: hunter2hunter2",
        "http://user:hunter2hunter2@host/",
        "the key is hunter2hunter2",
    ],
)
def test_redact_masks_by_name_shape_and_value(text: str) -> None:
    redacted = redact(text, "hunter2hunter2")
    assert "hunter2" not in redacted
    assert MASK in redacted


def test_redact_keeps_the_public_prefix_of_a_platform_key() -> None:
    key = "ul_" + "0123456789" * 4
    assert redact(f"key {key} refused") == f"key ul_01234567{MASK} refused"


def test_redact_leaves_ordinary_text_alone() -> None:
    text = "connection refused by 127.0.0.1:8000"
    assert redact(text, "abc") == text


def test_show_url_masks_userinfo_and_secret_query_values() -> None:
    shown = show_url("http://me:pw@box:8000/predict?api_key=s3cret&conf=0.5")
    assert shown == f"http://{MASK}@box:8000/predict?api_key={MASK}&conf=0.5"
