"""Proxies, Unix sockets, kept connections, budgets and addresses off limits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from yolotop.model import Answer, Deployment, ErrorKind, ProbeKind, SecretRef
from yolotop.probe.failures import AddressRefused, ConnectFailure, UnsendableRequest
from yolotop.probe.messages import Request, target
from yolotop.probe.offlimits import off_limits
from yolotop.probe.prober import Prober
from yolotop.probe.resolve import AddrInfo, Resolver
from yolotop.probe.route import Route, proxy_from
from yolotop.probe.transport import MeasuringTransport

Play = Callable[..., Awaitable[int]]
Script = Callable[..., Awaitable[int]]

HELLO = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
LOGIN = SecretRef("env", "LOGIN")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def resolving(*hosts: str) -> Resolver:
    """Every name has these addresses."""

    def lookup(host: str, port: int) -> list[AddrInfo]:
        return [
            (
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (one, port, 0, 0))
                if ":" in one
                else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            )
            for one in hosts
        ]

    return Resolver(lookup)


async def ask(
    url: str,
    *,
    resolver: Resolver | None = None,
    kind: ProbeKind = ProbeKind.HEALTH,
    **settings: object,
) -> Answer:
    """Probe once."""
    prober = Prober(
        secret=lambda _: "user:pass word",
        transport=MeasuringTransport(resolver=resolver),
    )
    deployment = Deployment("d", url, **{"timeout_s": 10.0, **settings})  # type: ignore[arg-type]
    answer = await prober.probe(deployment, kind)
    await prober.aclose()
    return answer


# --- proxies -------------------------------------------------------------------------


class ProxyServer:
    """An HTTP proxy on 127.0.0.1 that leads every name to 127.0.0.1."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    async def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        method, where, _ = head.split(b" ", 2)
        if method == b"CONNECT":
            port = int(where.rpartition(b":")[2])
        else:
            port = target(where.decode()).port
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\nvia: 1.1 p\r\n\r\n")
        else:
            far_writer.write(head)
        there = asyncio.create_task(copy(reader, far_writer))
        try:
            await copy(far_reader, writer)
        finally:
            there.cancel()
            await asyncio.gather(there, return_exceptions=True)
            far_writer.close()
            with contextlib.suppress(OSError):
                await far_writer.wait_closed()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from one to the other until the end."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


async def test_http_goes_through_a_proxy_in_absolute_form(
    play: Play, script: Script
) -> None:
    proxy = ProxyServer()
    at = await play(proxy)
    there = await script(HELLO)
    answer = await ask(
        f"http://model.example:{there}/api?v=1", proxy=f"http://127.0.0.1:{at}"
    )
    assert (answer.error, answer.http_status) == (None, 200)
    assert answer.address == f"127.0.0.1:{at}"
    (head,) = proxy.heads
    assert head.startswith(
        b"GET http://model.example:%d/api/health?v=1 HTTP/1.1\r\n" % there
    )
    assert b"Host: model.example:%d\r\n" % there in head
    assert b"Proxy-Authorization" not in head


async def test_https_goes_through_a_tunnel(
    play: Play, authority: trustme.CA, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("model.example").configure_cert(context)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    asked: list[bytes] = []

    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(HELLO)

    there = await play(hello, tls=context)
    proxy = ProxyServer()
    at = await play(proxy)
    answer = await ask(
        f"https://model.example:{there}/",
        ca=str(ca),
        proxy=f"http://127.0.0.1:{at}",
        proxy_auth=LOGIN,
    )
    assert (answer.error, answer.http_status) == (None, 200)
    assert answer.phases.tls is not None
    assert answer.tls_expires_at is not None
    (connect,) = proxy.heads
    assert connect.startswith(b"CONNECT model.example:%d HTTP/1.1\r\n" % there)
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n" in connect
    # The key for the proxy is for the proxy only.
    assert b"Proxy-Authorization" not in asked[0]
    assert asked[0].startswith(b"GET /health HTTP/1.1\r\nHost: model.example:")


async def test_a_proxy_is_not_asked_about_link_local_addresses(play: Play) -> None:
    proxy = ProxyServer()
    answer = await ask(
        "http://169.254.169.254/", proxy=f"http://127.0.0.1:{await play(proxy)}"
    )
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.CONNECT
    assert proxy.heads == []


async def test_a_proxy_that_cannot_be_reached_is_the_hop_that_is_named() -> None:
    dead = free_port()
    answer = await ask("http://model.example/", proxy=f"http://127.0.0.1:{dead}")
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.CONNECT
    assert answer.error.message == (
        f"at the proxy: connection refused by 127.0.0.1:{dead}"
    )
    nowhere = await ask("http://model.example/", proxy="http://proxy.invalid:3128")
    assert nowhere.error is not None
    assert nowhere.error.kind is ErrorKind.DNS
    assert nowhere.error.message.startswith(
        "at the proxy: the name proxy.invalid does not resolve"
    )


REFUSALS: dict[str, tuple[bytes, bool, str]] = {
    "wants a key": (
        b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
        False,
        "wants a name and a password; set proxy_auth (407)",
    ),
    "refuses the key": (
        b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
        True,
        "refused the name and password of proxy_auth (407)",
    ),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("said", "with_login", "sentence"), REFUSALS.values())
async def test_a_proxy_that_refuses(
    script: Script, scheme: str, said: bytes, with_login: bool, sentence: str
) -> None:
    at = await script(said)
    answer = await ask(
        f"{scheme}://model.example/",
        proxy=f"http://127.0.0.1:{at}",
        proxy_auth=LOGIN if with_login else None,
    )
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.CONNECT
    assert answer.error.message == f"the proxy 127.0.0.1:{at} {sentence}"
    assert "pass word" not in repr(answer)


TUNNELS: dict[str, tuple[bytes, str]] = {
    "forbidden": (
        b"HTTP/1.1 403 \x1b[31mno\r\ncontent-length: 0\r\n\r\n",
        "does not connect to model.example:443: 403 ␛no",
    ),
    "unreachable": (
        b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\n\r\nnope",
        "does not connect to model.example:443: 502 Bad Gateway",
    ),
    "redirects": (
        b"HTTP/1.1 302 Found\r\nlocation: http://x/\r\n\r\n",
        "does not connect to model.example:443: 302 Found",
    ),
    "not HTTP": (b"SSH-2.0-OpenSSH\r\n\r\n", "does not speak HTTP/1.1"),
    "silence": (b"", "closed the connection"),
    "half a head": (b"HTTP/1.1 200 OK\r\n", "closed the connection"),
    "endless head": (
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 100_000,
        "does not speak HTTP/1.1",
    ),
    "too much": (
        b"HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03 surprise",
        "says more than that it is connected",
    ),
}


@pytest.mark.parametrize(("said", "sentence"), TUNNELS.values(), ids=TUNNELS)
async def test_a_tunnel_that_does_not_open(
    script: Script, said: bytes, sentence: str
) -> None:
    at = await script(said)
    answer = await ask("https://model.example/", proxy=f"http://127.0.0.1:{at}")
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.CONNECT
    assert answer.error.message == f"the proxy 127.0.0.1:{at} {sentence}"
    assert answer.phases.connect is not None
    assert answer.phases.tls is None


async def test_a_proxy_that_says_nothing_runs_into_the_deadline(script: Script) -> None:
    at = await script(b"", end="stall")
    answer = await ask(
        "https://model.example/", proxy=f"http://127.0.0.1:{at}", timeout_s=0.2
    )
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.TIMEOUT
    assert answer.error.message == (
        f"timed out after 0.2 s while waiting for the proxy 127.0.0.1:{at} to connect"
    )


async def test_an_answer_that_may_be_the_proxys_says_so(script: Script) -> None:
    at = await script(b"HTTP/1.1 504 Late\r\ncontent-length: 4\r\n\r\nlate")
    answer = await ask("http://model.example/", proxy=f"http://127.0.0.1:{at}")
    assert answer.http_status == 504
    assert answer.body_head == (
        f"(through the proxy 127.0.0.1:{at}, which may have said it) late"
    )
    closed = await ask(
        "http://model.example/", proxy=f"http://127.0.0.1:{await script(b'')}"
    )
    assert closed.error is not None
    assert closed.error.message.startswith("the proxy closed the connection")


async def test_the_environment_names_no_proxy(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    answer = await ask(f"http://127.0.0.1:{await script(HELLO)}/")
    assert answer.error is None


def test_only_http_proxies_are_spoken() -> None:
    assert str(proxy_from("http://[::1]:3128")) == "[::1]:3128"
    for url in ("https://proxy:1", "socks5://proxy:1", "proxy:1"):
        with pytest.raises(UnsendableRequest):
            proxy_from(url)


# --- Unix sockets --------------------------------------------------------------------


@pytest_asyncio.fixture
async def unix_server(tmp_path: Path) -> AsyncIterator[tuple[Path, list[bytes]]]:
    """A server on a Unix socket, and the heads it was sent."""
    heads: list[bytes] = []

    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(HELLO)
        writer.close()
        await writer.wait_closed()

    path = tmp_path / "Yolo.sock"
    server = await asyncio.start_unix_server(hello, path)
    yield path, heads
    server.close()
    await server.wait_closed()


def unix_url(path: Path) -> str:
    """Its ``http+unix`` URL."""
    return "http+unix://" + str(path).replace("/", "%2F")


async def test_a_unix_socket(unix_server: tuple[Path, list[bytes]]) -> None:
    path, heads = unix_server
    answer = await ask(unix_url(path) + "/v1/predict?a=b")
    assert (answer.error, answer.http_status) == (None, 200)
    assert answer.address == f"unix:{path}"
    assert heads[0].startswith(b"GET /v1/health?a=b HTTP/1.1\r\nHost: localhost\r\n")
    assert answer.phases.dns is not None
    assert answer.phases.dns < 5


async def test_unix_sockets_that_are_not_there(tmp_path: Path) -> None:
    gone = await ask(unix_url(tmp_path / "gone.sock"))
    assert gone.error is not None
    assert gone.error.kind is ErrorKind.CONNECT
    assert "gone.sock: no such file or directory" in gone.error.message
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(dead))
    refused = await ask(unix_url(dead))
    assert refused.error is not None
    assert refused.error.message == f"connection refused by unix:{dead}"
    for url in ("http+unix://", "http+unix://run/x", "http+unix://%2F" + "a" * 200):
        bad = await ask(url)
        assert bad.error is not None
        assert bad.error.kind is ErrorKind.INTERNAL


# --- kept connections ----------------------------------------------------------------


class Keeper:
    """Answers requests on kept connections; ``last`` is how many per connection."""

    def __init__(self, answer: bytes = HELLO, *, last: int = 1_000) -> None:
        self.answer = answer
        self.last = last
        self.connections = 0
        self.requests = 0
        self.closed = asyncio.Event()

    async def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        for _ in range(self.last):
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            writer.write(self.answer)
            await writer.drain()
        writer.close()
        self.closed.set()


async def test_a_kept_connection_is_used_again(play: Play) -> None:
    server = Keeper()
    url = f"http://127.0.0.1:{await play(server)}/"
    prober = Prober(secret=str)
    deployment = Deployment("d", url, reuse=True)
    first = await prober.probe(deployment, ProbeKind.HEALTH)
    assert first.phases.connect is not None
    for _ in range(3):
        again = await prober.probe(deployment, ProbeKind.HEALTH)
        assert again.error is None
        assert (again.phases.dns, again.phases.connect, again.phases.tls) == (
            (None, None, None)
        )
        assert again.phases.service_ms == pytest.approx(again.latency_ms)
        assert again.address == first.address
    other = await prober.probe(Deployment("e", url, reuse=True), ProbeKind.HEALTH)
    assert other.phases.connect is not None
    fresh = await prober.probe(Deployment("f", url), ProbeKind.HEALTH)
    assert fresh.phases.connect is not None
    assert (server.connections, server.requests) == (3, 6)
    await prober.aclose()


async def test_tls_is_kept_too_and_its_end_still_known(
    play: Play, authority: trustme.CA, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    server = Keeper()
    port = await play(server, tls=context)
    deployment = Deployment("d", f"https://127.0.0.1:{port}", ca=str(ca), reuse=True)
    prober = Prober(secret=str)
    first = await prober.probe(deployment, ProbeKind.HEALTH)
    again = await prober.probe(deployment, ProbeKind.HEALTH)
    assert (first.error, again.error) == (None, None)
    assert again.phases.tls is None
    assert again.tls_expires_at == first.tls_expires_at
    assert first.tls_expires_at is not None
    assert server.connections == 1
    # Another authority to trust: another connection, whatever is kept.
    elsewhere = Deployment("d", deployment.url, reuse=True)
    refused = await prober.probe(elsewhere, ProbeKind.HEALTH)
    assert refused.error is not None
    assert refused.error.kind is ErrorKind.TLS
    await prober.aclose()


async def test_a_kept_connection_that_was_closed_is_replaced(play: Play) -> None:
    server = Keeper(last=1)
    url = f"http://127.0.0.1:{await play(server)}/"
    prober = Prober(secret=str)
    deployment = Deployment("d", url, reuse=True)
    for count in range(1, 4):
        server.closed.clear()
        answer = await prober.probe(deployment, ProbeKind.HEALTH)
        assert answer.error is None
        assert answer.phases.connect is not None
        assert server.connections == count
        await server.closed.wait()
    await prober.aclose()


async def test_one_that_breaks_before_an_answer_is_replaced_once(play: Play) -> None:
    requests = 0

    async def moody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            requests += 1
            if requests in (2, 4, 5):
                return  # takes the request and hangs up
            writer.write(HELLO)
            await writer.drain()

    url = f"http://127.0.0.1:{await play(moody)}/"
    prober = Prober(secret=str)
    deployment = Deployment("d", url, reuse=True)
    await prober.probe(deployment, ProbeKind.HEALTH)
    replaced = await prober.probe(deployment, ProbeKind.HEALTH)
    assert requests == 3
    assert replaced.error is None
    assert replaced.phases.connect is not None
    # Request 4 breaks the kept connection and 5 the fresh one: that is the answer.
    failed = await prober.probe(deployment, ProbeKind.HEALTH)
    assert requests == 5
    assert failed.error is not None
    assert failed.error.kind is ErrorKind.PROTOCOL
    await prober.aclose()


async def test_one_that_breaks_in_the_answer_is_a_failure(play: Play) -> None:
    requests = 0

    async def torn(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            requests += 1
            writer.write(HELLO if requests == 1 else HELLO[:9])
            await writer.drain()

    url = f"http://127.0.0.1:{await play(torn)}/"
    prober = Prober(secret=str)
    deployment = Deployment("d", url, reuse=True)
    await prober.probe(deployment, ProbeKind.HEALTH)
    failed = await prober.probe(deployment, ProbeKind.HEALTH)
    assert failed.error is not None
    assert failed.error.kind is ErrorKind.PROTOCOL
    assert failed.phases.connect is None
    assert requests == 2
    await prober.aclose()


NOT_KEPT = {
    "it says so": (
        b"HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 2\r\n\r\nok"
    ),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "more than promised": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200",
    "more after chunks": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK"
    ),
}


@pytest.mark.parametrize("said", NOT_KEPT.values(), ids=NOT_KEPT)
async def test_what_is_not_clean_is_not_kept(play: Play, said: bytes) -> None:
    server = Keeper(said)
    url = f"http://127.0.0.1:{await play(server)}/"
    prober = Prober(secret=str)
    deployment = Deployment("d", url, reuse=True)
    for count in (1, 2):
        answer = await prober.probe(deployment, ProbeKind.HEALTH)
        assert answer.error is None
        assert server.connections == count
    await prober.aclose()


async def test_chunked_answers_are_kept(play: Play) -> None:
    server = Keeper(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    )
    prober = Prober(secret=str)
    deployment = Deployment("d", f"http://127.0.0.1:{await play(server)}/", reuse=True)
    for _ in range(3):
        answer = await prober.probe(deployment, ProbeKind.HEALTH)
        assert answer.error is None
    assert server.connections == 1
    await prober.aclose()


# --- budgets -------------------------------------------------------------------------


async def test_a_budget_for_connecting(script: Script) -> None:
    silent = await script(b"", end="stall")
    answer = await ask(
        f"https://127.0.0.1:{silent}/", connect_timeout_s=0.1, timeout_s=30.0
    )
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.TIMEOUT
    assert answer.error.message == (
        "timed out after 0.1 s (connect_timeout) while shaking hands for TLS"
    )
    assert answer.phases.tls == pytest.approx(100, abs=90)


async def test_a_budget_for_the_first_byte(script: Script) -> None:
    silent = await script(b"", end="stall")
    answer = await ask(
        f"http://127.0.0.1:{silent}/", first_byte_timeout_s=0.1, timeout_s=30.0
    )
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.TIMEOUT
    assert answer.error.message == (
        "timed out after 0.1 s (first_byte_timeout) while waiting for the first byte "
        "of the answer"
    )
    begun = await script(b"HTTP/1.1 200 OK\r\n", end="stall")
    late = await ask(
        f"http://127.0.0.1:{begun}/", first_byte_timeout_s=0.1, timeout_s=0.3
    )
    assert late.error is not None
    assert late.error.message.startswith("timed out after 0.3 s while receiving")


async def test_the_deadline_is_named_when_it_comes_before_a_budget(
    script: Script,
) -> None:
    silent = await script(b"", end="stall")
    answer = await ask(
        f"https://127.0.0.1:{silent}/",
        connect_timeout_s=5.0,
        first_byte_timeout_s=5.0,
        timeout_s=0.1,
    )
    assert answer.error is not None
    assert answer.error.message == "timed out after 0.1 s while shaking hands for TLS"


async def test_a_cold_start_is_longer_than_the_first_byte_budget(play: Play) -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)  # what is measured
        writer.write(HELLO)

    answer = await ask(
        f"http://127.0.0.1:{await play(late)}/",
        first_byte_timeout_s=0.05,
        scale_to_zero=True,
    )
    assert answer.error is None


# --- addresses off limits ------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.170.2",
        "[fd00:ec2::254]",
        "[fe80::a9fe:a9fe]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "100.100.100.200",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "metadata",
    ],
)
async def test_where_clouds_keep_credentials_is_not_dialled(host: str) -> None:
    def lookup(host: str, port: int) -> list[AddrInfo]:
        raise AssertionError("looked up")

    answer = await ask(f"http://{host}/", resolver=Resolver(lookup))
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.CONNECT
    assert "allow_link_local = true" in answer.error.message
    assert answer.phases.connect is None


async def test_a_name_that_leads_there_does_not_help(script: Script) -> None:
    for address in ("169.254.169.254", "fd00:ec2::254"):
        answer = await ask("http://harmless.example/", resolver=resolving(address))
        assert answer.error is not None
        assert answer.error.message.startswith(f"{address} is a link-local")
    port = await script(HELLO)
    mixed = await ask(
        f"http://harmless.example:{port}/",
        resolver=resolving("169.254.169.254", "127.0.0.1"),
    )
    assert mixed.error is None
    assert mixed.address == f"127.0.0.1:{port}"


async def test_it_can_be_allowed() -> None:
    request = Request(b"GET", target("http://metadata/"), ((b"Host", b"metadata"),))
    transport = MeasuringTransport(resolver=resolving("127.0.0.1"))
    with pytest.raises(AddressRefused):
        await transport.exchange(request, deadline_s=5)
    dead = Request(
        b"GET", target(f"http://metadata:{free_port()}/"), ((b"Host", b"m"),)
    )
    with pytest.raises(ConnectFailure, match="connection refused"):
        await transport.exchange(dead, deadline_s=5, route=Route(allow_link_local=True))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.7", "192.168.1.9", "fd00::7", "::1", "8.8.8.8", "name"],
)
def test_private_networks_are_where_models_live(host: str) -> None:
    assert not off_limits(host)
