"""The short way of reading an answer gives what h11 gives, or steps aside."""

from __future__ import annotations

import itertools

import h11
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yolotop.probe.failures import ProbeFailure
from yolotop.probe.incoming import Head, Incoming, common_head
from yolotop.probe.messages import Limits

TOKENS = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8)
SOUND = st.text(
    [*map(chr, range(0x21, 0x7F)), "\x80", "\xff", " ", "\t"], max_size=12
).map(str.strip)
ANY = st.text([chr(code) for code in range(256)], max_size=8)
STATUS = st.sampled_from(["200", "204", "304", "404", "503", "100", "199", "600", "20"])
FRAMING = st.sampled_from(
    [
        ("Content-Length", "4"),
        ("content-length", "04"),
        ("content-length", "+4"),
        ("content-length", "4, 4"),
        ("Content-Length", "9"),
        ("content-length", "0"),
        ("content-length", "99999999999999999999999"),
        ("transfer-encoding", "chunked"),
        ("Transfer-Encoding", "gzip, chunked"),
        ("connection", "close"),
        ("connection", "Keep-Alive"),
        ("content-encoding", "identity"),
    ]
)
FIELDS = st.lists(FRAMING | st.tuples(TOKENS | ANY, SOUND | ANY), max_size=6)
GLUE = st.sampled_from([": ", ":", ":\t ", " : ", ":  "])
LINE_END = st.sampled_from(["\r\n"] * 8 + ["\n", "\r", "\r\n "])


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """Status line and fields, mostly right."""
    version = draw(
        st.sampled_from(["HTTP/1.1"] * 6 + ["HTTP/1.0", "HTTP/2", "http/1.1"])
    )
    lines = [f"{version} {draw(STATUS)} {draw(SOUND | ANY)}"]
    lines += [f"{name}{draw(GLUE)}{value}" for name, value in draw(FIELDS)]
    text = "".join(line + draw(LINE_END) for line in lines) + "\r\n"
    return text.encode("latin-1")


def by_h11(data: bytes) -> tuple[Head, bytes, bool] | None:
    """Head, body and whether it is whole, as h11 reads them; None for an error."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="GET", target="/", headers=[("Host", "-")]))
    http.send(h11.EndOfMessage())
    http.receive_data(data)
    head: Head | None = None
    body = b""
    try:
        while True:
            event = http.next_event()
            if isinstance(event, h11.Response):
                head = Head(
                    event.status_code,
                    bytes(event.reason),
                    bytes(event.http_version),
                    tuple((bytes(name), bytes(value)) for name, value in event.headers),
                )
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                return head, body, True
            else:
                return None if head is None else (head, body, False)
    except h11.RemoteProtocolError:
        return None


@settings(max_examples=400)
@given(heads(), st.sampled_from([b"", b"body", b"body and more", b"[]"]))
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"body")
@example(b"HTTP/1.1 200 \r\na:b\r\nContent-Length:\t4\r\n\r\n", b"bo")
@example(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nx:\r\n\r\n", b"body and more")
def test_what_is_taken_the_short_way_h11_reads_the_same(
    head: bytes, body: bytes
) -> None:
    short = common_head(head + body)
    if short is None:
        return
    found, end, length = short
    reference = by_h11(head + body)
    assert reference is not None
    assert found == reference[0]
    assert (head + body)[end:][:length] == reference[1]
    assert (len(head + body) - end >= length) == reference[2]


def test_the_common_answer_goes_the_short_way() -> None:
    said = (
        b"HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 10:00:00 GMT\r\nserver: uvicorn\r\n"
        b"content-length: 2\r\ncontent-type: application/json\r\n\r\n{}"
    )
    found = common_head(said)
    assert found is not None
    head, end, length = found
    assert (head.status, head.reason, head.headers[1]) == (
        (200, b"OK", (b"server", b"uvicorn"))
    )
    assert said[end:] == b"{}"
    assert length == 2


@settings(max_examples=200)
@given(heads(), st.binary(max_size=8), st.data())
def test_in_pieces_or_at_once_is_the_same(
    head: bytes, body: bytes, data: st.DataObject
) -> None:
    said = head + body
    cuts = sorted(data.draw(st.sets(st.integers(0, len(said)), max_size=4)))
    edges = [0, *cuts, len(said)]
    pieces = [said[a:b] for a, b in itertools.pairwise(edges) if a < b]
    assert outcome([said]) == outcome(pieces)


def outcome(pieces: list[bytes]) -> tuple[object, ...]:
    """What comes of these reads and the end of the connection."""
    incoming = Incoming(b"GET", Limits(), peer="the server")
    try:
        for piece in (*pieces, b""):
            if not incoming.whole:
                incoming.feed(piece)
        body = incoming.body() if incoming.whole else None
    except ProbeFailure as failure:
        return (type(failure),)
    return (incoming.head, incoming.whole, body)
