"""Every way a server can misbehave ends in the right kind, within the deadline."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import socket
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from yolotop.model import Answer, Deployment, ErrorKind, ProbeKind
from yolotop.probe.messages import Limits
from yolotop.probe.prober import Prober
from yolotop.probe.resolve import AddrInfo, Resolver
from yolotop.probe.transport import MeasuringTransport
from yolotop.text import clean

Script = Callable[..., Awaitable[int]]
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Play = Callable[[Behaviour], Awaitable[int]]

DEADLINE_S = 0.3
"""For servers that stall: the test waits for all of it."""

AMPLE_S = 10.0
"""For servers that do not: a busy machine must not change what is found."""

FD = Path("/proc/self/fd")
needs_proc = pytest.mark.skipif(
    not FD.is_dir(), reason="counts descriptors through /proc"
)

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = b'{"images":[{"results":[]}]}'


def whole(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A complete answer with a right content-length."""
    head = b"".join(line + b"\r\n" for line in headers)
    return (
        b"HTTP/1.1 %s\r\n%scontent-length: %d\r\n\r\n" % (status, head, len(body))
        + body
    )


def chunked(*chunks: bytes) -> bytes:
    """A body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (*chunks, b""))


async def ask(
    port: int,
    *,
    kind: ProbeKind = ProbeKind.PREDICT,
    limits: Limits | None = None,
    deadline_s: float = AMPLE_S,
) -> Answer:
    """Probe the port, and check what must hold for every probe."""
    prober = Prober(secret=str, transport=MeasuringTransport(limits=limits))
    deployment = Deployment("d", f"http://127.0.0.1:{port}", timeout_s=deadline_s)
    began = time.monotonic()
    answer = await prober.probe(deployment, kind)
    took = time.monotonic() - began
    await prober.aclose()
    assert took < deadline_s + 2.0, "a probe outlived its deadline"
    assert answer.latency_ms is not None
    spent = [
        getattr(answer.phases, name)
        for name in ("dns", "connect", "tls", "send", "wait", "receive")
    ]
    known = [part for part in spent if part is not None]
    assert sum(known) == pytest.approx(answer.latency_ms, abs=1e-6)
    assert all(part >= 0 for part in known)
    return answer


GOOD = {
    "content-length": whole(EMPTY),
    "until close": OK + b"\r\n" + EMPTY,
    "chunked": OK
    + b"transfer-encoding: chunked\r\n\r\n"
    + chunked(EMPTY[:5], EMPTY[5:]),
    "chunked with trailers": OK
    + b"transfer-encoding: chunked\r\n\r\n"
    + chunked(EMPTY).removesuffix(b"\r\n")
    + b"x-checksum: 1\r\n\r\n",
    "no reason phrase": whole(EMPTY, status=b"200 "),
    "neither reason nor space": whole(EMPTY, status=b"200"),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + EMPTY,
    "same length twice": whole(EMPTY, b"Content-Length: %d" % len(EMPTY)),
    "more than promised": whole(EMPTY) + b"and more",
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + whole(EMPTY),
    "103 twice first": b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 2
    + whole(EMPTY),
    "gzip": whole(gzip.compress(EMPTY), b"content-encoding: gzip"),
    "gzip in two members": whole(
        gzip.compress(EMPTY[:9]) + gzip.compress(EMPTY[9:]), b"content-encoding: gzip"
    ),
    "gzip and padding": whole(
        gzip.compress(EMPTY) + b"\0" * 64, b"content-encoding: x-gzip"
    ),
    "deflate as zlib": whole(zlib.compress(EMPTY), b"content-encoding: deflate"),
    "deflate raw": whole(zlib.compress(EMPTY)[2:-4], b"content-encoding: deflate"),
    "gzip twice": whole(
        gzip.compress(gzip.compress(EMPTY)), b"content-encoding: gzip, gzip"
    ),
    "identity": whole(EMPTY, b"content-encoding: identity"),
    "duplicate headers": whole(EMPTY, b"server: a", b"server: b", b"x: 1", b"X: 2"),
    "obsolete line folding": whole(EMPTY, b"x-folded: a\r\n b"),
    "bare line feeds": whole(EMPTY).replace(b"\r\n", b"\n"),
}


@pytest.mark.parametrize("answer", GOOD.values(), ids=GOOD)
async def test_odd_but_right_answers_are_read(script: Script, answer: bytes) -> None:
    got = await ask(await script(answer))
    assert got.error is None
    assert got.http_status == 200
    assert got.prediction is not None
    assert got.prediction.detections == ()


BOMB = zlib.compressobj(9, zlib.DEFLATED, 31)
BOMB_BYTES = b"".join([BOMB.compress(b"\0" * 2**20) for _ in range(64)]) + BOMB.flush()
PROTOCOL, BAD = ErrorKind.PROTOCOL, ErrorKind.BAD_RESPONSE

# name: (bytes, how the connection ends, kind, a part of the sentence)
BROKEN: dict[str, tuple[bytes, str, ErrorKind, str]] = {
    "closed at once": (b"", "close", PROTOCOL, "closed the connection without an"),
    "reset at once": (b"", "reset", PROTOCOL, "reset the connection without an"),
    "says nothing": (b"", "stall", ErrorKind.TIMEOUT, "waiting for the first byte"),
    "half a status line": (b"HTTP/1", "close", PROTOCOL, "middle of the headers"),
    "half the headers": (OK + b"a: b\r\n", "close", PROTOCOL, "middle of the headers"),
    "stalls in the headers": (OK, "stall", ErrorKind.TIMEOUT, "receiving the answer"),
    "stalls in the body": (whole(EMPTY)[:-3], "stall", ErrorKind.TIMEOUT, "receiving"),
    "stalls after 100": (
        b"HTTP/1.1 100 Continue\r\n\r\n",
        "stall",
        ErrorKind.TIMEOUT,
        "waiting for the first byte",
    ),
    "length too long": (whole(EMPTY)[:-3], "close", PROTOCOL, "24 of 27 body bytes"),
    "reset in the body": (whole(EMPTY)[:-3], "reset", PROTOCOL, "reset the conn"),
    "lengths that differ": (
        whole(EMPTY, b"content-length: 5"),
        "close",
        PROTOCOL,
        "not valid HTTP",
    ),
    "length is a word": (
        OK + b"content-length: many\r\n\r\n",
        "close",
        PROTOCOL,
        "not valid HTTP",
    ),
    "length is negative": (
        OK + b"content-length: -1\r\n\r\n",
        "close",
        PROTOCOL,
        "not valid HTTP",
    ),
    "chunk size is a word": (
        OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        "close",
        PROTOCOL,
        "not valid HTTP",
    ),
    "chunks without an end": (
        OK + b"transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        "close",
        PROTOCOL,
        "after 5 body bytes",
    ),
    "unknown transfer coding": (
        OK + b"transfer-encoding: br\r\n\r\n",
        "close",
        PROTOCOL,
        "not valid HTTP",
    ),
    "another protocol": (
        b"SSH-2.0-OpenSSH_9.2\r\n",
        "stall",
        PROTOCOL,
        "not speak HTTP",
    ),
    "escape in the status line": (
        b"HTTP/1.1 \x1b]52;c;aGk=\x07 200\r\n\r\n",
        "close",
        PROTOCOL,
        "not valid HTTP",
    ),
    "TLS alert": (
        b"\x15\x03\x01\x00\x02\x02\x28",
        "close",
        PROTOCOL,
        "is it https://?",
    ),
    "switches protocols": (
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n",
        "stall",
        PROTOCOL,
        "not valid HTTP",
    ),
    "two million header bytes": (
        OK + b"x: " + b"a" * 2_000_000,
        "stall",
        PROTOCOL,
        "longer than 64 KiB",
    ),
    "a flood of 1xx": (
        b"HTTP/1.1 102 Processing\r\n\r\n" * 100_000,
        "stall",
        PROTOCOL,
        "longer than 64 KiB",
    ),
    "a body of 9 MiB": (
        OK + b"content-length: 9437184\r\n\r\n" + b" " * 9_437_184,
        "stall",
        ErrorKind.BODY_TOO_LARGE,
        "more than 8 MiB",
    ),
    "gzip bomb": (
        whole(BOMB_BYTES, b"content-encoding: gzip"),
        "stall",
        ErrorKind.BODY_TOO_LARGE,
        "unpacks to more than 8 MiB",
    ),
    "gzip bomb in a gzip": (
        whole(gzip.compress(BOMB_BYTES), b"content-encoding: gzip, gzip"),
        "stall",
        ErrorKind.BODY_TOO_LARGE,
        "unpacks to more than 8 MiB",
    ),
    "gzip in a thousand layers": (
        whole(EMPTY, b"content-encoding: " + b", ".join([b"gzip"] * 1000)),
        "close",
        BAD,
        "1000 times",
    ),
    "deflate garbage": (
        whole(b"\xff" * 64, b"content-encoding: deflate"),
        "close",
        BAD,
        "not the deflate it claims",
    ),
    "gzip that is not": (
        whole(EMPTY, b"content-encoding: gzip"),
        "close",
        BAD,
        "not the gzip it claims",
    ),
    "gzip cut short": (
        whole(gzip.compress(EMPTY)[:-9], b"content-encoding: gzip"),
        "close",
        BAD,
        "ends before its end",
    ),
    "an encoding not asked for": (
        whole(EMPTY, b"content-encoding: br"),
        "close",
        BAD,
        "'br', which was not asked for",
    ),
    "HTML with 200": (
        whole(b"<html><title>Sign in</title>", b"content-type: text/html"),
        "close",
        BAD,
        "HTML page",
    ),
    "nothing with 200": (whole(b""), "close", BAD, "empty"),
    "nothing with 204": (
        b"HTTP/1.1 204 No Content\r\n\r\n",
        "close",
        BAD,
        "empty",
    ),
    "NaN": (
        whole(b'{"results":[{"name":"a","confidence":NaN}]}'),
        "close",
        BAD,
        "NaN, not a number",
    ),
    "ten thousand levels": (
        whole(b"[" * 10_000 + b"]" * 10_000),
        "close",
        BAD,
        "more than 64 levels",
    ),
    "words in several alphabets": (whole(b"\xff\xfe\x00"), "close", BAD, "not JSON"),
}


@pytest.mark.parametrize(
    ("answer", "end", "kind", "sentence"), BROKEN.values(), ids=BROKEN
)
async def test_broken_answers_are_named(
    script: Script, answer: bytes, end: str, kind: ErrorKind, sentence: str
) -> None:
    stalls = kind is ErrorKind.TIMEOUT
    port = await script(answer, end=end)
    got = await ask(port, deadline_s=DEADLINE_S if stalls else AMPLE_S)
    assert got.error is not None
    assert (got.error.kind, sentence) == (kind, sentence)
    assert sentence in got.error.message
    assert got.prediction is None
    assert "\x1b" not in got.error.message + got.body_head
    assert len(got.error.message) < 300


async def test_a_reset_at_every_offset_is_a_named_failure(script: Script) -> None:
    answer = whole(b'{"results":[]}')
    for offset in range(len(answer)):
        got = await ask(await script(answer[:offset], end="reset"))
        assert got.error is not None, offset
        assert got.error.kind is ErrorKind.PROTOCOL, (offset, got.error)
        assert got.http_status == (
            None if offset < answer.index(b"\r\n\r\n") + 4 else 200
        )


def endless(*, first: bytes, then: bytes, pause_s: float) -> Behaviour:
    """Talk for ever."""

    async def behave(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(then)
            await writer.drain()
            await asyncio.sleep(pause_s)  # the drip is what is tested

    return behave


ENDLESS = {
    "body in drips": (
        endless(first=OK + b"content-length: 999\r\n\r\n", then=b" ", pause_s=0.01),
        ErrorKind.TIMEOUT,
    ),
    "headers in drips": (
        endless(first=OK, then=b"a: b\r\n", pause_s=0.01),
        ErrorKind.TIMEOUT,
    ),
    "headers without end": (
        endless(first=OK, then=b"a: b\r\n" * 500, pause_s=0),
        ErrorKind.PROTOCOL,
    ),
    "body without end": (
        endless(first=OK + b"\r\n", then=b" " * 65_536, pause_s=0),
        ErrorKind.BODY_TOO_LARGE,
    ),
    "chunks without end": (
        endless(
            first=OK + b"transfer-encoding: chunked\r\n\r\n",
            then=chunked(b" " * 65_536).removesuffix(b"0\r\n\r\n"),
            pause_s=0,
        ),
        ErrorKind.BODY_TOO_LARGE,
    ),
}


@pytest.mark.parametrize(("behaviour", "kind"), ENDLESS.values(), ids=ENDLESS)
async def test_what_never_ends_is_ended(
    play: Play, behaviour: Behaviour, kind: ErrorKind
) -> None:
    stalls = kind is ErrorKind.TIMEOUT
    got = await ask(await play(behaviour), deadline_s=DEADLINE_S if stalls else AMPLE_S)
    assert got.error is not None
    assert got.error.kind is kind
    if stalls:
        assert got.phases.receive is not None
        assert got.latency_ms == pytest.approx(DEADLINE_S * 1000, rel=0.8)


async def test_redirects_are_answers_and_are_not_followed(
    play: Play, script: Script
) -> None:
    visits = 0

    async def elsewhere(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal visits
        visits += 1

    trap = await play(elsewhere)
    location = b"location: http://u:pw@127.0.0.1:%d/x?api_key=abc" % trap
    got = await ask(await script(whole(b"", location, status=b"307 Moved")))
    assert got.error is None
    assert got.http_status == 307
    assert got.body_head == f"redirects to http://•••@127.0.0.1:{trap}/x?api_key=•••"
    assert visits == 0


@pytest.mark.parametrize("kind", list(ProbeKind))
async def test_small_caps_hold_too(script: Script, kind: ProbeKind) -> None:
    port = await script(whole(b" " * 101))
    got = await ask(port, kind=kind, limits=Limits(raw=1000, body=100))
    assert got.error is not None
    assert got.error.kind is ErrorKind.BODY_TOO_LARGE
    assert "100 bytes" in got.error.message


async def test_an_end_of_its_side_before_the_request_is_read(play: Play) -> None:
    async def half_open(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write_eof()
        await reader.read()

    got = await ask(await play(half_open))
    assert got.error is not None
    assert got.error.kind is ErrorKind.PROTOCOL
    assert "closed the connection" in got.error.message


async def test_a_peer_that_is_gone_without_a_word_ends_at_the_deadline(
    play: Play,
) -> None:
    # Half-open: no FIN, no RST, and nobody who would ever send one.
    async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole(EMPTY)[:-1])
        await writer.drain()
        await asyncio.Event().wait()

    got = await ask(await play(gone), deadline_s=DEADLINE_S)
    assert got.error is not None
    assert got.error.kind is ErrorKind.TIMEOUT
    assert "while receiving the answer" in got.error.message


async def test_1xx_answers_in_drips_end_at_the_deadline(play: Play) -> None:
    flood = endless(
        first=b"", then=b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", pause_s=0.02
    )
    got = await ask(await play(flood), deadline_s=DEADLINE_S)
    assert got.error is not None
    assert got.error.kind is ErrorKind.TIMEOUT
    assert "waiting for the first byte" in got.error.message


EVIL = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m[red]boo[/red][/\u202e\ud800\x00\r\nx: y"
RAW_EVIL = b"\x1b]0;hi\x07[bold]\x9b31m"


def evil_answers() -> dict[str, bytes]:
    """Escape sequences and markup wherever a text can stand."""
    box = {"x1": 1, "y1": 2, "x2": 3, "y2": 4}
    item = {"name": EVIL, "class": EVIL, "confidence": 0.5, "box": box}
    good = {"name": "a", "confidence": 0.5, "box": box}
    texts: dict[str, object] = {
        "class name": {"results": [item]},
        "names in metadata": {
            "images": [{"results": [{"class": 0}]}],
            "metadata": {"classNames": [EVIL], "model": EVIL, "task": EVIL},
        },
        "version": {"results": [good], "version": {EVIL: EVIL}, "model": EVIL},
        "an error with 200": {"error": EVIL},
        "a box of text": {"results": [{**good, "box": EVIL}]},
        "a confidence of text": {"results": [{**good, "confidence": EVIL}]},
        "keys": {EVIL: EVIL},
        "a text": EVIL,
    }
    bodies = {name: json.dumps(value).encode() for name, value in texts.items()}
    found = {name: whole(body) for name, body in bodies.items()}
    for status in (b"301", b"404", b"503"):
        for name in ("an error with 200", "a text"):
            found[f"{name}, {status.decode()}"] = whole(
                bodies[name], b"location: http://h/" + RAW_EVIL, status=status + b" x"
            )
    found |= {
        "reason": whole(EMPTY, status=b"500 " + RAW_EVIL),
        "field": whole(EMPTY, b"x: " + RAW_EVIL),
        "field name": whole(EMPTY, RAW_EVIL + b": x"),
        "content type": whole(RAW_EVIL, b"content-type: " + RAW_EVIL),
        "content encoding": whole(EMPTY, b"content-encoding: " + RAW_EVIL),
        "retry after": whole(EMPTY, b"retry-after: " + RAW_EVIL, status=b"429 x"),
        "location": whole(b"", b"location: http://u:p@h/\xff[/", status=b"302 x"),
        "status": b"HTTP/1.1 2" + RAW_EVIL + b"0 OK\r\n\r\n",
        "version line": RAW_EVIL + b"HTTP/1.1 200 OK\r\n\r\n",
        "plain text": whole(RAW_EVIL, status=b"500 x"),
        "a page": whole(b"<title>" + RAW_EVIL + b"</title>", status=b"502 x"),
        "a traceback": whole(b"Traceback \n" + RAW_EVIL, status=b"500 x"),
        "chunk size": OK + b"transfer-encoding: chunked\r\n\r\n" + RAW_EVIL + b"\r\n",
        "HTML with 200": whole(b"<html>" + RAW_EVIL),
    }
    return found


def texts_in(value: object) -> list[str]:
    """Every text inside a value of ours."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, (tuple, list)):
        return [text for item in value for text in texts_in(item)]
    if is_dataclass(value):
        return [
            text
            for part in fields(value)
            for text in texts_in(getattr(value, part.name))
        ]
    return []


EVIL_ANSWERS = evil_answers()


@pytest.mark.parametrize("answer", EVIL_ANSWERS.values(), ids=EVIL_ANSWERS)
@pytest.mark.parametrize("kind", list(ProbeKind))
async def test_foreign_text_is_clean_wherever_it_stood(
    script: Script, kind: ProbeKind, answer: bytes
) -> None:
    got = await ask(await script(answer), kind=kind)
    for text in texts_in(got):
        assert clean(text) == text
        assert len(text) <= 2048


@needs_proc
@pytest.mark.timeout(600)
async def test_many_probes_leave_no_descriptor(script: Script, play: Play) -> None:
    """500 probes of every fate; 10,000 with YOLOTOP_LONG=1."""
    rounds = 1_000 if os.environ.get("YOLOTOP_LONG") else 50

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    silent = await play(deaf)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = probe.getsockname()[1]
    good = await script(whole(EMPTY))
    urls = {
        "right": f"http://127.0.0.1:{good}",
        "kept": f"http://127.0.0.1:{good}/",
        "torn": f"http://127.0.0.1:{await script(whole(EMPTY)[:30], end='reset')}",
        "rude": f"http://127.0.0.1:{await script(RAW_EVIL, end='stall')}",
        "bomb": f"http://127.0.0.1:{await script(BROKEN['gzip bomb'][0], end='stall')}",
        "no TLS": f"https://127.0.0.1:{await play(plain)}",
        "silent": f"http://127.0.0.1:{silent}",
        "silent TLS": f"https://127.0.0.1:{silent}",
        "refused": f"http://127.0.0.1:{nobody}",
        "no name": "http://nowhere.invalid",
    }
    asked = [
        Deployment(
            name,
            url,
            timeout_s=0.05 if name.startswith("silent") else AMPLE_S,
            reuse=name == "kept",
        )
        for name, url in urls.items()
    ]

    def unknown(host: str, port: int) -> list[AddrInfo]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    transport = MeasuringTransport(resolver=Resolver(unknown))
    prober = Prober(secret=str, transport=transport)

    async def go_round() -> None:
        answers = await asyncio.gather(
            *(prober.probe(deployment, ProbeKind.PREDICT) for deployment in asked)
        )
        right = {answer.deployment for answer in answers if answer.error is None}
        assert right == {"right", "kept"}

    await go_round()
    await settled()
    before = open_files()
    highest = 0
    for _ in range(rounds):
        await go_round()
        highest = max(highest, open_files())
    # What is open in the middle: this round's sockets, both ends of each.
    assert highest <= before + 4 * len(asked)
    async with asyncio.timeout(10):
        while open_files() > before:
            await settled()
    await prober.aclose()


def open_files() -> int:
    """How many descriptors this process has open."""
    return len(list(FD.iterdir()))


async def settled() -> None:
    """Let the server's ends of the last connections close."""
    await asyncio.sleep(0.02)  # the kernel sends no event
