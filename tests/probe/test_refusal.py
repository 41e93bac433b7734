"""One sentence out of any error body."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.probe.refusal import LONGEST, error_sentence


@pytest.mark.parametrize(
    ("body", "content_type", "sentence"),
    [
        (b"", "", ""),
        (b" \n\t", "application/json", ""),
        (b'{"error":"Unauthorized"}', "application/json", "Unauthorized"),
        (
            b'{"error":{"code":"TOO_BIG","message":"100 MB at most"}}',
            "",
            "100 MB at most",
        ),
        (b'{"error":{"code":"TOO_BIG"}}', "", "TOO_BIG"),
        (b'{"detail":"Not Found"}', "application/json", "Not Found"),
        (
            b'{"detail":[{"loc":["body","file"],"msg":"Field required"}]}',
            "application/json",
            "body.file: Field required",
        ),
        (b'{"message":"no"}', "text/plain", "no"),
        (b'{"success":false,"error":null,"reason":"asleep"}', "", "asleep"),
        (b'"just text"', "application/json", "just text"),
        (b'["one", "two"]', "application/json", "one; two"),
        (b"{broken", "application/json", "{broken"),
        (
            b"Internal Server Error",
            "text/plain; charset=utf-8",
            "Internal Server Error",
        ),
        (
            b"<html><head><title>502 Bad Gateway</title></head><body><h1>x</h1>",
            "text/html",
            "502 Bad Gateway",
        ),
        (b"<h1>Oops &amp; sorry</h1>", "", "Oops & sorry"),
        (b"<style>a{}</style><script>x</script><p>gone</p>", "text/html", "gone"),
        (b"<html></html>", "text/html", "an HTML page"),
        (
            b"Traceback (most recent call last):\n  File x\nValueError: bad image\n",
            "text/plain",
            "ValueError: bad image",
        ),
        (b"\xff\xd8\xff\xe0" * 20, "image/jpeg", "80 bytes that are not text"),
        (b'{"error":"\\u001b]52;c;aGk=\\u0007 [red]x"}', "", "␛ [red]x"),
        (b"[" * 100_000, "application/json", "[" * (LONGEST - 1) + "…"),
    ],
)
def test_the_human_part(body: bytes, content_type: str, sentence: str) -> None:
    assert error_sentence(body, content_type) == sentence


def test_a_huge_traceback_is_one_line() -> None:
    body = b"Traceback (most recent call last):\n" + b"  x\n" * 300_000 + b"E: end"
    assert error_sentence(body, "text/plain") == "E: end"


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_body_gives_one_clean_line(body: bytes) -> None:
    text = error_sentence(body, "text/html")
    assert len(text) <= LONGEST
    assert "\n" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    "body",
    [
        b"<title>" * 9_000,
        b"<" * 65_000,
        b"<h1 " * 16_000,
        b"<h1>" * 16_000,
        b"<!--" * 16_000,
        b"<script" * 9_000,
        b"</title " + b" " * 65_000,
        b"<title>" + b"</title" * 9_000,
    ],
)
@pytest.mark.timeout(20)
def test_a_page_made_to_be_slow_to_read_is_not(body: bytes) -> None:
    # Each took seconds of the event loop once: a hundred of them now.
    for _ in range(100):
        assert len(error_sentence(body, "text/html")) <= LONGEST
