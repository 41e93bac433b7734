"""Where the time went, when server and client do not take turns as they should."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable

import pytest
import trustme

from yolotop.model import Phases
from yolotop.probe import transport
from yolotop.probe.certificates import expires_at
from yolotop.probe.exchange import Exchange
from yolotop.probe.failures import DeadlinePassed
from yolotop.probe.messages import Reply, Request, target
from yolotop.probe.timeline import Timeline
from yolotop.probe.transport import MeasuringTransport

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Play = Callable[..., Awaitable[int]]

OK = b"HTTP/1.1 200 OK\r\n"


def whole(body: bytes, *, status: bytes = b"200 OK") -> bytes:
    """A complete answer."""
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body


async def get(port: int) -> Reply:
    """A plain GET with time to spare."""
    where = target(f"http://127.0.0.1:{port}/")
    request = Request(b"GET", where, ((b"Host", b"x"),))
    return await MeasuringTransport().exchange(request, deadline_s=10)


async def post_large(port: int) -> Reply:
    """Post 16 MiB, more than any socket buffer takes."""
    request = Request(
        b"POST",
        target(f"http://127.0.0.1:{port}/predict"),
        ((b"Host", b"x"), (b"Content-Length", b"%d" % 2**24)),
        b"\0" * 2**24,
    )
    return await MeasuringTransport().exchange(request, deadline_s=10)


@pytest.mark.parametrize("end", ["close", "reset", "stall"])
async def test_an_early_refusal_of_a_large_body_is_read(play: Play, end: str) -> None:
    async def refuse(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole(b'{"error":"too big"}', status=b"413 Too Large"))
        await writer.drain()
        if end == "stall":
            await asyncio.Event().wait()

    async def refuse_and_reset(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole(b'{"error":"too big"}', status=b"413 Too Large"))
        await writer.drain()
        sock = writer.get_extra_info("socket")
        # Unread request bytes make this close a reset, as with most real servers.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
        writer.transport.abort()

    port = await play(refuse_and_reset if end == "reset" else refuse)
    reply = await post_large(port)
    assert reply.status == 413
    assert reply.body == b'{"error":"too big"}'
    assert reply.phases.send is not None
    assert reply.phases.wait == 0.0


async def test_a_server_that_never_reads_runs_into_the_deadline_while_sending(
    play: Play,
) -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    request = Request(
        b"POST",
        target(f"http://127.0.0.1:{await play(deaf)}/predict"),
        ((b"Host", b"x"), (b"Content-Length", b"%d" % 2**25)),
        b"\0" * 2**25,
    )
    with pytest.raises(DeadlinePassed, match="while sending the request") as caught:
        await MeasuringTransport().exchange(request, deadline_s=0.3)
    assert caught.value.phases.send == pytest.approx(300, abs=150)
    assert caught.value.phases.wait is None


async def test_interim_answers_do_not_count_as_the_answer(play: Play) -> None:
    async def slowly(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.1)  # what is measured
        writer.write(whole(b"ok"))

    got = await get(await play(slowly))
    assert got.status == 200
    assert got.phases.wait is not None
    assert got.phases.wait >= 90
    assert got.phases.receive is not None
    assert got.phases.receive < got.phases.wait


async def test_a_waiting_server_and_a_dripping_one_differ_in_their_phases(
    play: Play,
) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.08)  # what is measured
        writer.write(OK + b"content-length: 2\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.12)  # what is measured
        writer.write(b"ok")

    got = await get(await play(drip))
    assert got.phases.wait is not None
    assert got.phases.receive is not None
    assert got.phases.service_ms is not None
    assert got.phases.wait >= 75
    assert got.phases.receive >= 115
    # Neither holds the other's share, whatever the machine adds.
    assert got.phases.wait + got.phases.receive <= got.phases.service_ms
    assert got.phases.service_ms <= got.latency_ms + 1e-6


class Ticks:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_phases_are_contiguous_and_end_where_the_probe_broke_off() -> None:
    clock = Ticks()
    timeline = Timeline(encrypted=True, clock=clock)
    assert str(timeline.phase) == "dns"
    timeline.resolved = 100.001
    timeline.connected = 100.003
    assert str(timeline.phase) == "tls"
    clock.now = 100.010
    timeline.end()
    clock.now = 200.0
    phases = timeline.phases()
    assert phases.dns == pytest.approx(1.0)
    assert phases.connect == pytest.approx(2.0)
    assert phases.tls == pytest.approx(7.0)
    assert (phases.send, phases.wait, phases.receive) == (None, None, None)
    assert timeline.latency_ms == pytest.approx(10.0)


def test_without_encryption_there_is_no_tls_phase() -> None:
    timeline = Timeline(clock=Ticks())
    timeline.resolved, timeline.connected = 100.0, 100.0
    assert str(timeline.phase) == "send"
    timeline.sent, timeline.first, timeline.done = 100.001, 100.021, 100.022
    timeline.end()
    phases = timeline.phases()
    assert (phases.dns, phases.connect, phases.tls) == (0.0, 0.0, None)
    assert phases.wait == pytest.approx(20.0)
    assert timeline.latency_ms == pytest.approx(22.0)
    assert str(timeline.phase) == "receive"


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_what_we_do_ourselves_is_in_no_phase(
    play: Play, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, scheme: str
) -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole(b"ok"))

    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(ours)
    clock = Ticks()

    def slowly(work: Callable[..., object]) -> Callable[..., object]:
        def done(*args: object, **named: object) -> object:
            clock.now += 1.0
            return work(*args, **named)

        return done

    # The clock stands still but for our own work: making the request and whatever
    # reads the answer before it, and looking at the certificate after it.
    monkeypatch.setattr(Request, "serialise", slowly(Request.serialise))
    monkeypatch.setattr(transport, "Exchange", slowly(Exchange))
    monkeypatch.setattr(transport, "expires_at", slowly(expires_at))
    encrypted = scheme == "https"
    port = await play(hello, tls=server if encrypted else None)
    where = target(f"{scheme}://127.0.0.1:{port}/")
    request = Request(b"GET", where, ((b"Host", b"x"),), tls=ours)
    reply = await MeasuringTransport(clock=clock).exchange(request, deadline_s=10)
    assert reply.body == b"ok"
    assert clock.now >= 102.0
    assert reply.latency_ms == 0.0
    tls = 0.0 if encrypted else None
    assert reply.phases == Phases(0.0, 0.0, tls, 0.0, 0.0, 0.0)
