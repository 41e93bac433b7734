"""The transport's own promises: names, addresses, TLS, descriptors, httpx."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from yolotop.model import ErrorKind
from yolotop.probe.failures import (
    ConnectFailure,
    DeadlinePassed,
    NameFailure,
    ProbeFailure,
    ProtocolFailure,
    TlsFailure,
    UnsendableRequest,
)
from yolotop.probe.messages import Reply, Request, target
from yolotop.probe.resolve import AddrInfo, Resolver
from yolotop.probe.transport import MeasuringTransport

Script = Callable[..., Awaitable[int]]
Play = Callable[..., Awaitable[int]]

HELLO = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


def get(url: str, tls: ssl.SSLContext | None = None) -> Request:
    """A plain GET."""
    where = target(url)
    return Request(b"GET", where, ((b"Host", where.authority),), tls=tls)


def names(*addresses: tuple[str, int]) -> Resolver:
    """A resolver that gives these addresses for every name."""

    def lookup(host: str, port: int) -> list[AddrInfo]:
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, at, 0, 0) if ":" in address else (address, at),
            )
            for address, at in addresses
        ]

    return Resolver(lookup)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def open_files() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="counts descriptors through /proc"
)


# --- names and addresses -------------------------------------------------------------


async def test_a_name_that_cannot_exist() -> None:
    with pytest.raises(
        NameFailure, match=r"nowhere\.invalid does not resolve"
    ) as caught:
        await MeasuringTransport().exchange(
            get("http://nowhere.invalid/"), deadline_s=20
        )
    assert caught.value.kind is ErrorKind.DNS
    assert caught.value.phases.dns == pytest.approx(caught.value.latency_ms)
    assert caught.value.phases.connect is None
    assert caught.value.address is None


async def test_a_hanging_name_server_runs_into_the_deadline() -> None:
    thinking = threading.Event()

    def lookup(host: str, port: int) -> list[AddrInfo]:
        thinking.wait(10)
        return []

    with pytest.raises(DeadlinePassed, match="while resolving the name") as caught:
        await MeasuringTransport(resolver=Resolver(lookup)).exchange(
            get("http://slow.example/"), deadline_s=0.1
        )
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert caught.value.phases.connect is None
    thinking.set()


async def test_a_name_without_addresses_and_a_resolver_that_raises() -> None:
    with pytest.raises(NameFailure, match="has no address"):
        await MeasuringTransport(resolver=names()).exchange(get("http://a.example/"))

    def lookup(host: str, port: int) -> list[AddrInfo]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary \x1b[31mfailure")

    with pytest.raises(NameFailure, match="Temporary ␛failure"):
        await MeasuringTransport(resolver=Resolver(lookup)).exchange(
            get("http://a.example/")
        )


async def test_a_literal_address_is_not_looked_up(script: Script) -> None:
    def lookup(host: str, port: int) -> list[AddrInfo]:
        raise AssertionError("a literal address was looked up")

    transport = MeasuringTransport(resolver=Resolver(lookup))
    reply = await transport.exchange(get(f"http://127.0.0.1:{await script(HELLO)}/"))
    # Not how long that was: on a busy machine this process may sleep in between.
    assert reply.phases.dns is not None
    assert reply.phases.tls is None


async def test_an_ipv6_literal_is_dialled_and_shown_in_brackets() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hello(reader, writer)
        writer.close()

    try:
        server = await asyncio.start_server(serve, "::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    port = server.sockets[0].getsockname()[1]
    reply = await MeasuringTransport().exchange(get(f"http://[::1]:{port}/"))
    assert (reply.body, reply.address) == (b"hello", f"[::1]:{port}")
    server.close()


async def test_the_next_address_is_tried_and_the_failed_one_named(
    script: Script,
) -> None:
    dead, alive = free_port(), await script(HELLO)
    transport = MeasuringTransport(
        resolver=names(("127.0.0.1", dead), ("127.0.0.1", alive))
    )
    reply = await transport.exchange(get("http://two.example/"))
    assert reply.body == b"hello"
    assert reply.address == f"127.0.0.1:{alive}"
    assert reply.tried == (f"127.0.0.1:{dead} connection refused",)


async def test_when_every_address_fails_each_is_named() -> None:
    dead = free_port()
    transport = MeasuringTransport(resolver=names(("::1", dead), ("127.0.0.1", dead)))
    with pytest.raises(ConnectFailure) as caught:
        await transport.exchange(get("http://two.example/"))
    assert caught.value.kind is ErrorKind.CONNECT
    assert caught.value.message.startswith("cannot connect to two.example: ")
    assert f"[::1]:{dead} " in caught.value.message
    assert f"127.0.0.1:{dead} connection refused" in caught.value.message


async def test_an_address_that_swallows_packets_gets_only_its_share(
    script: Script,
) -> None:
    # A full backlog drops SYNs: the nearest thing to a black hole on loopback.
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        swallow = hole.getsockname()[1]
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", swallow))
            fillers.append(filler)
        try:
            transport = MeasuringTransport(
                resolver=names(
                    ("127.0.0.1", swallow), ("127.0.0.1", await script(HELLO))
                )
            )
            reply = await transport.exchange(get("http://two.example/"), deadline_s=0.6)
            with pytest.raises(DeadlinePassed, match="while connecting to 127") as late:
                await transport.exchange(
                    get(f"http://127.0.0.1:{swallow}/"), deadline_s=0.2
                )
        finally:
            for filler in fillers:
                filler.close()
    assert reply.body == b"hello"
    assert "no answer in its share of the time" in reply.tried[0]
    assert reply.phases.connect == pytest.approx(300, abs=100)
    assert late.value.phases.connect == pytest.approx(200, abs=100)
    assert late.value.phases.send is None


async def test_refused() -> None:
    port = free_port()
    with pytest.raises(ConnectFailure) as caught:
        await MeasuringTransport().exchange(get(f"http://127.0.0.1:{port}/"))
    assert caught.value.message == (f"connection refused by 127.0.0.1:{port}")
    assert caught.value.address == f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    "url", ["ftp://a/", "file:///etc/passwd", "http://", "http://["]
)
def test_urls_that_are_not_for_probing(url: str) -> None:
    with pytest.raises(UnsendableRequest):
        target(url)


def assert_phases_add_up(reply: Reply) -> None:
    parts = [
        getattr(reply.phases, name)
        for name in ("dns", "connect", "tls", "send", "wait", "receive")
    ]
    assert sum(part for part in parts if part is not None) == pytest.approx(
        reply.latency_ms
    )


# --- TLS -----------------------------------------------------------------------------


def serving(authority: trustme.CA, *hosts: str) -> ssl.SSLContext:
    """A server context with a certificate of ``authority`` for ``hosts``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*hosts).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """A client context that trusts ``authority`` only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer any request."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HELLO)


async def test_tls_with_a_trusted_certificate(
    play: Play, authority: trustme.CA
) -> None:
    port = await play(hello, tls=serving(authority, "model.example", "127.0.0.1"))
    transport = MeasuringTransport(
        resolver=names(("127.0.0.1", port)), tls=trusting(authority)
    )
    for host in ("model.example", f"127.0.0.1:{port}"):
        reply = await transport.exchange(get(f"https://{host}/"), deadline_s=5)
        assert reply.body == b"hello"
        assert reply.phases.tls is not None
        assert reply.phases.tls > 0
        assert_phases_add_up(reply)


async def test_a_large_answer_over_tls_is_whole(
    play: Play, authority: trustme.CA
) -> None:
    body = os.urandom(3_000_000)

    async def large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"content-length: 1000000" in head.lower()
        await reader.readexactly(1_000_000)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n" + body)

    port = await play(large, tls=serving(authority, "127.0.0.1"))
    request = Request(
        b"POST",
        target(f"https://127.0.0.1:{port}/"),
        ((b"Host", b"x"), (b"Content-Length", b"1000000")),
        b"\0" * 1_000_000,
        trusting(authority),
    )
    reply = await MeasuringTransport().exchange(request, deadline_s=10)
    assert reply.body == body


async def test_a_certificate_nobody_vouches_for(
    play: Play, authority: trustme.CA
) -> None:
    port = await play(hello, tls=serving(authority, "127.0.0.1"))
    with pytest.raises(
        TlsFailure, match=r"not trusted: .*(self-signed|issuer)"
    ) as caught:
        await MeasuringTransport().exchange(get(f"https://127.0.0.1:{port}/"))
    assert caught.value.kind is ErrorKind.TLS
    assert caught.value.phases.tls is not None
    assert caught.value.phases.send is None


async def test_a_certificate_for_another_host(
    play: Play, authority: trustme.CA
) -> None:
    port = await play(hello, tls=serving(authority, "other.example"))
    transport = MeasuringTransport(
        resolver=names(("127.0.0.1", port)), tls=trusting(authority)
    )
    with pytest.raises(TlsFailure, match=r"not trusted: .*model\.example"):
        await transport.exchange(get("https://model.example/"))


async def test_plain_http_where_tls_should_be(play: Play) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with pytest.raises(TlsFailure, match="does not speak TLS on this port"):
        await MeasuringTransport().exchange(
            get(f"https://127.0.0.1:{await play(plain)}/")
        )


async def test_hanging_up_in_the_handshake(play: Play) -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)

    with pytest.raises(TlsFailure, match="closed the connection during"):
        await MeasuringTransport().exchange(
            get(f"https://127.0.0.1:{await play(leave)}/")
        )


async def test_a_handshake_that_stalls(play: Play) -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    with pytest.raises(DeadlinePassed, match="while shaking hands") as caught:
        await MeasuringTransport().exchange(
            get(f"https://127.0.0.1:{await play(stall)}/"), deadline_s=0.2
        )
    assert caught.value.phases.connect is not None
    assert caught.value.phases.tls == pytest.approx(200, abs=100)


async def test_tls_where_plain_http_should_be(
    play: Play, authority: trustme.CA
) -> None:
    port = await play(hello, tls=serving(authority, "127.0.0.1"))
    with pytest.raises(ProtocolFailure, match=r"TLS|without an answer"):
        await MeasuringTransport().exchange(
            get(f"http://127.0.0.1:{port}/"), deadline_s=2
        )


# --- descriptors ---------------------------------------------------------------------


@needs_proc
async def test_no_descriptor_is_left_behind(script: Script, play: Play) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    good = f"http://127.0.0.1:{await script(HELLO)}/"
    torn = f"http://127.0.0.1:{await script(HELLO[:20], end='reset')}/"
    silent = await play(mute)
    urls = [
        good,
        torn,
        f"http://127.0.0.1:{silent}/",
        f"https://127.0.0.1:{silent}/",
        f"http://127.0.0.1:{free_port()}/",
    ]
    transport = MeasuringTransport()

    async def round_of(count: int) -> list[object]:
        return await asyncio.gather(
            *(transport.exchange(get(url), deadline_s=0.1) for url in urls * count),
            return_exceptions=True,
        )

    await round_of(2)
    before = open_files()
    for _ in range(10):
        results = await round_of(8)
        assert all(isinstance(r, (Reply, ProbeFailure)) for r in results), results
    # The server side of the last connections may still be closing.
    async with asyncio.timeout(5):
        while open_files() > before:  # noqa: ASYNC110 - the kernel sends no event
            await asyncio.sleep(0.01)


@needs_proc
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_cancelled_exchange_closes_its_socket(play: Play, scheme: str) -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(5)
        arrived.set()
        await reader.read()
        gone.set()

    url = f"{scheme}://127.0.0.1:{await play(watch)}/"
    task = asyncio.create_task(MeasuringTransport().exchange(get(url)))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await gone.wait()
