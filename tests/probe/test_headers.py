"""Headers of a bad answer: a closed set, through the gate, from a real server."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.model import Answer, Deployment, Expectation, ProbeKind, SecretRef
from yolotop.probe.headers import LONGEST, MOST, worth_showing
from yolotop.probe.prober import Prober
from yolotop.text import clean, columns

Script = Callable[..., Awaitable[int]]

KEY = "s3cret-key/value"
SEEN = b'{"results":[{"name":"circle","confidence":0.9,"box":[1,2,3,4]}]}'


def whole(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"".join(line + b"\r\n" for line in headers)
    return (
        b"HTTP/1.1 %s\r\n%scontent-length: %d\r\n\r\n" % (status, head, len(body))
        + body
    )


async def ask(
    port: int,
    kind: ProbeKind = ProbeKind.PREDICT,
    *,
    expect: Expectation | None = None,
    deadline_s: float = 10.0,
) -> Answer:
    prober = Prober(secret=lambda _: KEY, now=lambda: 1_800_000_000.0)
    deployment = Deployment(
        "d",
        f"http://127.0.0.1:{port}",
        api_key=SecretRef("env", "KEY"),
        expect=expect or Expectation(),
        timeout_s=deadline_s,
    )
    try:
        return await prober.probe(deployment, kind)
    finally:
        await prober.aclose()


async def test_a_refusal_tells_who_refused_and_what_it_wants(script: Script) -> None:
    port = await script(
        whole(
            b"{}",
            b"Server: nginx/1.27",
            b"Content-Type: application/json",
            b'WWW-Authenticate: Bearer realm="models"',
            b"X-RateLimit-Remaining: 0",
            b"RateLimit-Policy: 10;w=1",
            b"CF-Ray: 8f3a-FRA",
            b"Set-Cookie: session=abc",
            b"X-Internal-Owner: team",
            b"X-Ratelimit-Remaining_x: 1",
            status=b"401 Unauthorized",
        )
    )
    for kind in ProbeKind:
        answer = await ask(port, kind)
        assert answer.headers == (
            ("server", "nginx/1.27"),
            ("content-type", "application/json"),
            ("www-authenticate", 'Bearer realm="models"'),
            ("x-ratelimit-remaining", "0"),
            ("ratelimit-policy", "10;w=1"),
            ("cf-ray", "8f3a-FRA"),
            ("content-length", "2"),
        )


async def test_a_right_answer_keeps_none(script: Script) -> None:
    port = await script(whole(SEEN, b"server: uvicorn"))
    for kind in ProbeKind:
        assert (await ask(port, kind)).headers == ()


async def test_one_that_may_be_wrong_keeps_them(script: Script) -> None:
    """Only the judge knows; it has the headers where it has an expectation."""
    port = await script(whole(SEEN, b"server: uvicorn"))
    answer = await ask(port, expect=Expectation(labels=("square",)))
    assert answer.prediction is not None
    assert answer.headers[0] == ("server", "uvicorn")
    healthy = await ask(port, ProbeKind.HEALTH, expect=Expectation(drawn=True))
    assert healthy.headers == ()


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (whole(b"no json", b"server: a"), "close"),
        (whole(b"{}", b"server: a", b"content-encoding: gzip"), "close"),
        (whole(b"", b"server: a", status=b"500 Oops"), "close"),
        # Cut in the body: the head had come.
        (whole(SEEN, b"server: a")[:-5], "close"),
        (whole(SEEN, b"server: a")[:-5], "reset"),
        (whole(b"", b"server: a")[:-4] + b"99999999\r\n\r\n", "close"),
    ],
    ids=["no json", "no gzip", "500", "cut", "reset", "too large"],
)
async def test_whatever_went_wrong_the_head_that_came_is_told(
    script: Script, answer: bytes, end: str
) -> None:
    got = await ask(await script(answer, end=end))
    assert got.prediction is None
    assert ("server", "a") in got.headers


async def test_without_a_head_there_are_none(script: Script) -> None:
    got = await ask(await script(b"HTTP/1.1 200 OK\r\nserver: a\r\n", end="close"))
    assert got.error is not None
    assert got.headers == ()


async def test_an_address_is_told_without_its_secrets(script: Script) -> None:
    location = b"location: http://u:pw@h.example/x?api_key=abc&page=2"
    got = await ask(await script(whole(b"", location, status=b"307 Moved")))
    assert got.headers[0] == (
        "location",
        "http://•••@h.example/x?api_key=•••&page=2",
    )


async def test_hostile_headers_are_cleaned(script: Script) -> None:
    evil = "\x1b]52;c;aGk=\x07[red]boo[/red] \x9b31m\u202e".encode()
    # With those two it is no header at all, and the answer ends there.
    evil = evil.replace(b"\x1b", b"").replace(b"\x07", b"")
    port = await script(
        whole(
            b"",
            b"server: " + evil,
            b"via: " + b"\xff\xfe" * 30_000,
            b"date: \xc2\x9b31mnow",
            status=b"503 No",
        )
    )
    got = await ask(port)
    told = dict(got.headers)
    assert told["server"] == "]52;c;aGk=[red]boo[/red] ␛\ufffd"
    assert told["date"] == "␛now"
    assert all(columns(value) <= LONGEST for value in told.values())
    assert told["via"].endswith("…")


FORMS = [
    KEY,
    f"Bearer {KEY}",
    quote(KEY, safe=""),
    base64.b64encode(KEY.encode()).decode(),
    base64.b64encode(f"me:{KEY}".encode()).decode(),
    KEY.encode().hex(),
    "x" * (LONGEST - 6) + KEY,
    "x" * 4_000 + KEY,
    f"http://h.example/{KEY}?q={KEY}",
]


@pytest.mark.parametrize("form", FORMS)
async def test_a_key_that_comes_back_in_a_header_is_not_kept(
    script: Script, form: str
) -> None:
    names = ("server", "via", "location", "x-request-id", "www-authenticate")
    headers = [f"{name}: {form}".encode() for name in names]
    for status in (b"401 No", b"302 Found", b"200 OK"):
        got = await ask(await script(whole(b"{", *headers, status=status)))
        assert [name for name, _ in got.headers[:5]] == list(names)
        assert form not in repr(got.headers)
        for part in (KEY, KEY[:6], quote(KEY, safe="")[:6], KEY.encode().hex()[:12]):
            assert part not in repr(got.headers)


def test_a_header_that_is_repeated_leaves_room_for_others() -> None:
    many = ((b"via", b"1.1 a"),) * 500 + tuple(
        (b"x-ratelimit-%c" % (97 + i), b"1") for i in range(20)
    )
    shown = worth_showing((*many, (b"server", b"here")), "")
    assert [name for name, _ in shown].count("via") == 2
    assert sum(name.startswith("x-ratelimit") for name, _ in shown) == 6
    assert shown[-1] == ("server", "here")


def test_what_spans_two_headers_stays_in_its_own() -> None:
    """Masking looks at all of them at once; values must not change places."""
    headers = (
        (b"server", b"the token:"),
        (b"via", b"visible bearer"),
        (b"date", b"abc123456789"),
        (b"cf-ray", b"last"),
    )
    shown = dict(worth_showing(headers, "visible"))
    assert list(shown) == ["server", "via", "date", "cf-ray"]
    assert shown["server"].startswith("the token:")
    assert shown["via"].endswith("bearer")
    assert shown["cf-ray"] == "last"


NAMES = st.sampled_from(
    [b"server", b"via", b"location", b"date", b"age", b"x-ratelimit-reset", b"cookie"]
)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=300)), max_size=40))
def test_whatever_comes_is_short_clean_and_of_the_set(
    headers: list[tuple[bytes, bytes]],
) -> None:
    shown = worth_showing(tuple(headers), KEY)
    assert len(shown) <= MOST
    for name, value in shown:
        assert name != "cookie"
        assert clean(value, limit=LONGEST) == value
        assert "\n" not in value
