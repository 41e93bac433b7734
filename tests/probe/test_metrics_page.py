"""Pages of metrics: what is read of them, and that no page can do harm."""

from __future__ import annotations

import contextlib
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.probe.metrics.exposition import (
    MOST_BYTES,
    MOST_SERIES,
    BadPage,
    read,
)

WANTED = ("requests_total", "queue", ":tensorflow:serving:request_count")


@pytest.mark.parametrize(
    ("line", "labels", "value"),
    [
        ("requests_total 5", (), 5.0),
        ("  requests_total\t5.5e+01 ", (), 55.0),
        ("requests_total 5 1790000000000", (), 5.0),
        ("requests_total{} 5", (), 5.0),
        ('requests_total{a="b"} 5', (("a", "b"),), 5.0),
        ('requests_total{b="2",a="1",} 5', (("a", "1"), ("b", "2")), 5.0),
        ('requests_total{ a = "1" , b="2" } 5', (("a", "1"), ("b", "2")), 5.0),
        (r'requests_total{a="x\"}\\\ny"} 5', (("a", 'x"}\\\ny'),), 5.0),
        ('requests_total{a="} 7 {"} 5', (("a", "} 7 {"),), 5.0),
        ('requests_total{a="# x"} 5 # {trace="1"} 0.5 1790.1', (("a", "# x"),), 5.0),
        ("requests_total 5 # {} 1", (), 5.0),
        ('requests_total{a="ü\\t"} 5', (("a", "ü\\t"),), 5.0),
        ("requests_total .5", (), 0.5),
        ("requests_total 5\r", (), 5.0),
    ],
)
def test_lines_of_both_formats(
    line: str, labels: tuple[tuple[str, str], ...], value: float
) -> None:
    page = read(f"# HELP x y\n{line}\n# EOF\n".encode(), WANTED)
    assert page == {("requests_total", labels): value}


@pytest.mark.parametrize(
    "line",
    [
        "requests_total ",
        "requests_total x",
        "requests_total 1_000",
        "requests_total 0x10",
        "requests_total 5 6 7",
        'requests_total{a="b" 5',
        "requests_total{a=b} 5",
        'requests_total{"a"} 5',
        'requests_total{a="b",,c="d"} 5',
        'requests_total{a="b"}',
        "requests_total{a='b'} 5",
        'requests_total{a="' + "x" * 9_000 + '"} 5',
    ],
)
def test_a_broken_line_of_ours_makes_it_no_page(line: str) -> None:
    with pytest.raises(BadPage):
        read(f"# TYPE x counter\nqueue 1\n{line}\n".encode(), WANTED)


def test_lines_of_others_are_not_read() -> None:
    body = b"requests_total_more x\nother{ } } \nmy_requests_total 4\nqueue 2\n"
    assert read(body, WANTED) == {("queue", ()): 2.0}


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1", "1e300"])
def test_what_is_no_count_is_left_out(value: str) -> None:
    assert read(f"requests_total {value}\nqueue 1".encode(), WANTED) == {
        ("queue", ()): 1.0
    }


def test_the_last_of_two_counts() -> None:
    assert read(b"queue 1\nqueue 2\n", WANTED) == {("queue", ()): 2.0}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"<!doctype html><html><body>Welcome to nginx 1.27</body></html>",
        b'{"status": "ok", "count": 3}',
        b"ok",
        b"not ready",
        b"\x1f\x8b\x08\x00\xff\xfe",
    ],
)
def test_what_is_no_page_is_told(body: bytes) -> None:
    with pytest.raises(BadPage, match="no page of metrics"):
        read(body, WANTED)


@pytest.mark.parametrize("body", [b"# HELP up x\n", b"# TYPE up gauge\n", b"up 1\n"])
def test_a_page_of_other_metrics_is_a_page(body: bytes) -> None:
    assert read(body, WANTED) == {}


def test_caps() -> None:
    with pytest.raises(BadPage, match="2 MiB"):
        read(b"#" * (MOST_BYTES + 1), WANTED)
    many = b"".join(b'queue{i="%d"} 1\n' % i for i in range(MOST_SERIES + 1))
    with pytest.raises(BadPage, match="series"):
        read(many, WANTED)


@pytest.mark.parametrize(
    "body",
    [
        b"queue" + b" " * 1_900_000,
        b"queue{" + b'a="' * 600_000,
        b'queue{a="' + b"\\" * 1_900_000,
        b"queue{" * 300_000,
        b"\n" * 1_999_999,
        b" " * 1_999_999,
        b"queue " + b"9" * 1_900_000,
        (b"queue{" + b'a="b",' * 1_300 + b"} 1\n") * 240,
        b"# HELP " + b"a" * 1_900_000,
        b"a{" * 900_000,
        b"queue \t" * 280_000,
    ],
    ids=range(11),
)
def test_a_page_that_was_made_to_hurt_costs_little(body: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(BadPage):
        read(body[:MOST_BYTES], WANTED)
    assert time.process_time() - began < 1.0


@given(st.binary(max_size=300))
def test_no_bytes_break_it(body: bytes) -> None:
    try:
        page = read(body, WANTED)
    except BadPage:
        return
    assert all(0 <= value < math.inf for value in page.values())


TOKENS = st.sampled_from(
    ["queue", "requests_total", "{", "}", '"', "\\", ",", "=", " ", "\n", "1", "a", "#"]
)


@given(st.lists(TOKENS, max_size=40).map("".join))
def test_no_words_break_it(text: str) -> None:
    try:
        page = read(text.encode(), WANTED)
    except BadPage:
        return
    assert all(0 <= value < math.inf for value in page.values())


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LABELS = st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), TEXT)


@given(LABELS, st.floats(0, 1e17))
def test_what_is_written_is_what_is_read(labels: dict[str, str], value: float) -> None:
    def escaped(text: str) -> str:
        return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")

    told = ",".join(f'{name}="{escaped(text)}"' for name, text in labels.items())
    page = read(f"queue{{{told}}} {value!r}\n".encode(), WANTED)
    assert page == {("queue", tuple(sorted(labels.items()))): value}
