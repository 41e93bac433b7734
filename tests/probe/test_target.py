"""URLs: the same as httpx understands them, and what it does not know."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.messages import Request
from yolotop.probe.target import target

HOSTS = st.sampled_from(
    [
        "h",
        "Host.Example",
        "127.0.0.1",
        "[::1]",
        "[2001:db8::1]",
        "a_b.example",
        "bücher.example",
        "例え.jp",
        "xn--bcher-kva.example",
    ]
)
PORTS = st.sampled_from(["", ":80", ":443", ":8000", ":1", ":65535"])
PATH_TEXT = st.text("abc/._~-:@!$&'()*+,;=%20é ^`|<>{}\"\\[]", max_size=12)


@given(st.sampled_from(["http", "https"]), HOSTS, PORTS, PATH_TEXT, PATH_TEXT)
@example("http", "h", "", "/a%2Fb%zz", "q=%41 b")
def test_as_httpx_understands_it(
    scheme: str, host: str, port: str, path: str, query: str
) -> None:
    url = f"{scheme}://{host}{port}/{path}"
    url += f"?{query}" if query else ""
    theirs = httpx.URL(url)
    ours = target(url)
    assert ours.scheme == theirs.scheme
    assert ours.host.encode() == theirs.raw_host
    assert ours.authority == theirs.netloc
    assert ours.port == (theirs.port or {"http": 80, "https": 443}[scheme])
    # How much of a URL is escaped is taste; what it means is not.
    assert httpx.URL(f"http://h{ours.path.decode()}").path == theirs.path
    assert httpx.URL(f"http://h{ours.path.decode()}").params == theirs.params


@given(st.text(max_size=40) | st.text(max_size=30).map("http://".__add__))
def test_any_text_is_a_target_or_a_failure(url: str) -> None:
    try:
        where = target(url)
    except UnsendableRequest:
        return
    request = Request(b"GET", where, ((b"Host", where.authority),))
    head = request.serialise()
    assert head.count(b"\r\n") == 3
    assert head.startswith(b"GET /")


def test_the_parts() -> None:
    where = target("https://us%65r:p%40ss@Model.Example:8443/predict?a=b#part")
    assert (where.host, where.port) == ("model.example", 8443)
    assert where.authority == b"model.example:8443"
    assert where.path == b"/predict?a=b"
    assert where.absolute == b"https://model.example:8443/predict?a=b"
    assert where.basic == b"Basic dXNlcjpwQHNz"
    assert "p@ss" not in repr(where)
    assert "dXNlcjpw" not in repr(where)
    assert target("http://h").path == b"/"
    assert target("http://h:0/").port == 0


def test_a_unix_socket_stands_where_a_host_would() -> None:
    where = target("http+unix://%2Frun%2FYolo%20x.sock/predict?a=b")
    assert where.socket == "/run/Yolo x.sock"
    assert (where.host, where.authority) == ("localhost", b"localhost")
    assert where.path == b"/predict?a=b"
    assert not where.encrypted


@pytest.mark.parametrize(
    "headers",
    [
        ((b"X", b"a\r\nInjected: yes"),),
        ((b"X", b"a\nInjected: yes"),),
        ((b"X", b"a\rb"),),
        ((b"X", b"a\0b"),),
        ((b"X", b" a"),),
        ((b"X", b"a "),),
        ((b"X y", b"a"),),
        ((b"", b"a"),),
        ((b"X:", b"a"),),
    ],
)
def test_no_header_can_add_another(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    with pytest.raises(UnsendableRequest) as caught:
        Request(b"GET", target("http://h/"), headers).serialise()
    assert "Injected" not in str(caught.value)


@pytest.mark.parametrize(
    "method", [b"", b"GET ", b"GET /x HTTP/1.1\r\nX: y\r\n\r\nGET"]
)
def test_no_method_can_add_a_line(method: bytes) -> None:
    with pytest.raises(UnsendableRequest):
        Request(method, target("http://h/")).serialise()


def test_values_with_blanks_inside_and_empty_ones_are_fine() -> None:
    request = Request(
        b"POST", target("http://h/"), ((b"A", b"b c\td"), (b"E", b"")), b"body"
    )
    assert request.serialise() == b"POST / HTTP/1.1\r\nA: b c\td\r\nE: \r\n\r\nbody"
    absolute = request.serialise(absolute=True)
    assert absolute.startswith(b"POST http://h/ HTTP/1.1\r\n")
