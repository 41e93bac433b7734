"""Certificates and versions of every wrong kind, and the right ones."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import warnings
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from yolotop.model import Answer, Deployment, ErrorKind, ProbeKind
from yolotop.probe.certificates import Contexts, Trust, make_context, not_after
from yolotop.probe.failures import UnsendableRequest
from yolotop.probe.prober import Prober
from yolotop.probe.transport import MeasuringTransport

Play = Callable[..., Awaitable[int]]

HELLO = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"


async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer any request."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HELLO)


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> str:
    """The authority's certificate as a file."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def serving(issued: trustme.LeafCert) -> ssl.SSLContext:
    """A server context with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context


async def ask(port: int, **settings: object) -> Answer:
    """A health probe over https."""
    prober = Prober(secret=str)
    url = f"https://127.0.0.1:{port}"
    deployment = Deployment("d", url, **{"timeout_s": 10.0, **settings})  # type: ignore[arg-type]
    answer = await prober.probe(deployment, ProbeKind.HEALTH)
    await prober.aclose()
    return answer


def in_days(days: float) -> datetime:
    """A moment without fractions of a second, as certificates have it."""
    return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)


# --- what is accepted ----------------------------------------------------------------


@pytest.mark.parametrize("days", [1, 90, 36_500])
async def test_a_valid_certificate_and_when_it_ends(
    play: Play, authority: trustme.CA, ca: str, days: int
) -> None:
    end = in_days(days)
    issued = authority.issue_cert("127.0.0.1", not_after=end)
    answer = await ask(await play(hello, tls=serving(issued)), ca=ca)
    assert answer.error is None
    assert answer.http_status == 200
    assert answer.phases.tls is not None
    # From 3.13 on the chain counts too, and the authority's own ends in the year 3000.
    assert answer.tls_expires_at == end.timestamp()


async def test_the_end_is_known_of_a_certificate_that_nobody_checked(
    play: Play, authority: trustme.CA
) -> None:
    end = in_days(-3)
    issued = authority.issue_cert(
        "elsewhere.example", not_before=in_days(-30), not_after=end
    )
    answer = await ask(await play(hello, tls=serving(issued)), verify_tls=False)
    assert answer.error is None
    assert answer.tls_expires_at == end.timestamp()


async def test_the_end_is_known_when_what_follows_fails(
    play: Play, authority: trustme.CA, ca: str
) -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    end = in_days(2)
    issued = authority.issue_cert("127.0.0.1", not_after=end)
    answer = await ask(await play(leave, tls=serving(issued)), ca=ca)
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.PROTOCOL
    assert answer.tls_expires_at == end.timestamp()


async def test_our_certificate_is_shown_where_it_is_wanted(
    play: Play, authority: trustme.CA, ca: str, tmp_path: Path
) -> None:
    context = serving(authority.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    port = await play(hello, tls=context)
    ours = authority.issue_cert("client@example.org")
    pem, key, both = (tmp_path / name for name in ("c.pem", "c.key", "both.pem"))
    ours.cert_chain_pems[0].write_to_path(pem)
    ours.private_key_pem.write_to_path(key)
    ours.private_key_and_cert_chain_pem.write_to_path(both)
    shown = await ask(port, ca=ca, client_cert=str(pem), client_key=str(key))
    assert (shown.error, shown.http_status) == (None, 200)
    in_one = await ask(port, ca=ca, client_cert=str(both))
    assert (in_one.error, in_one.http_status) == (None, 200)
    without = await ask(port, ca=ca)
    assert without.error is not None
    assert without.error.kind in (ErrorKind.TLS, ErrorKind.PROTOCOL)
    stranger = trustme.CA().issue_cert("client@example.org")
    stranger.private_key_and_cert_chain_pem.write_to_path(both)
    wrong = await ask(port, ca=ca, client_cert=str(both))
    assert wrong.error is not None
    assert wrong.error.kind in (ErrorKind.TLS, ErrorKind.PROTOCOL)


async def test_the_name_is_sent_before_the_certificate_is_chosen(
    play: Play, authority: trustme.CA, ca: str
) -> None:
    asked: list[str | None] = []
    context = serving(authority.issue_cert("localhost"))

    def choose(sock: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        asked.append(name)

    context.sni_callback = choose
    port = await play(hello, tls=context)
    prober = Prober(secret=str)
    url = f"https://localhost:{port}"
    await prober.probe(Deployment("d", url, ca=ca, timeout_s=10), ProbeKind.HEALTH)
    assert asked == ["localhost"]


# --- what is not ---------------------------------------------------------------------

WRONG: dict[str, tuple[str, dict[str, object], str]] = {
    "expired": (
        "127.0.0.1",
        {"not_before": in_days(-60), "not_after": in_days(-1)},
        "certificate has expired",
    ),
    "not yet valid": (
        "127.0.0.1",
        {"not_before": in_days(2), "not_after": in_days(60)},
        "certificate is not yet valid",
    ),
    "for another host": ("model.example", {}, "IP address mismatch"),
    "for another address": ("127.0.0.2", {}, "IP address mismatch"),
}


@pytest.mark.parametrize(("host", "validity", "sentence"), WRONG.values(), ids=WRONG)
async def test_a_certificate_that_is_not_to_be_trusted(
    play: Play,
    authority: trustme.CA,
    ca: str,
    host: str,
    validity: dict[str, datetime],
    sentence: str,
) -> None:
    issued = authority.issue_cert(host, **validity)  # type: ignore[arg-type]
    answer = await ask(await play(hello, tls=serving(issued)), ca=ca)
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.TLS
    assert answer.error.message.startswith("the certificate of 127.0.0.1 is not")
    assert sentence in answer.error.message
    assert answer.phases.tls is not None
    assert answer.phases.send is None


async def test_a_certificate_that_vouches_for_itself(
    play: Play, tmp_path: Path
) -> None:
    own = trustme.CA()
    pem = tmp_path / "own.pem"
    pem.write_bytes(own.private_key_pem.bytes() + own.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    answer = await ask(await play(hello, tls=context))
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.TLS
    assert "self-signed certificate" in answer.error.message


def shaking_hands(context: ssl.SSLContext, listener: socket.socket) -> None:
    """Take one connection as far as its handshake goes.

    With blocking sockets: asyncio's server closes without sending its alert.
    """
    peer, _ = listener.accept()
    with peer, contextlib.suppress(OSError):
        context.wrap_socket(peer, server_side=True).close()


async def test_a_server_that_speaks_old_tls_only(
    authority: trustme.CA, ca: str
) -> None:
    context = serving(authority.issue_cert("127.0.0.1"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        shaking = asyncio.to_thread(shaking_hands, context, listener)
        port = listener.getsockname()[1]
        answer, _ = await asyncio.gather(ask(port, ca=ca), shaking)
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.TLS
    assert answer.error.message == (
        "127.0.0.1 offers only an old version of TLS; 1.2 is the oldest we take"
    )


GARBAGE = {
    "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "half a record": b"\x16\x03\x03\x40\x00\x02",
    "a record too long": b"\x16\x03\x03\xff\xff" + b"\0" * 70_000,
    "an empty hello": b"\x16\x03\x03\x00\x04\x02\x00\x00\x00",
    "application data": b"\x17\x03\x03\x00\x10" + b"\0" * 16,
    "noise": bytes(range(256)) * 8,
}


@pytest.mark.parametrize("said", GARBAGE.values(), ids=GARBAGE)
async def test_what_is_hardly_tls(play: Play, said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(2000)
        writer.write(said)

    answer = await ask(await play(speak))
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.TLS
    assert answer.phases.send is None
    assert answer.tls_expires_at is None


# --- files ---------------------------------------------------------------------------


async def test_a_context_is_made_again_when_a_file_changes(
    authority: trustme.CA, ca: str
) -> None:
    contexts = Contexts()
    first = await contexts.context(Trust(ca=ca))
    assert await contexts.context(Trust(ca=ca)) is first
    authority.cert_pem.write_to_path(ca, append=True)
    assert await contexts.context(Trust(ca=ca)) is not first
    usual = await contexts.context()
    assert await contexts.context() is usual


@pytest.mark.parametrize("key", ["ca", "client_cert"])
@pytest.mark.parametrize("content", [None, b"", b"\x1b[31mnot a certificate"])
async def test_a_file_that_is_no_certificate_is_named(
    play: Play, tmp_path: Path, key: str, content: bytes | None
) -> None:
    path = tmp_path / "x.pem"
    if content is not None:
        path.write_bytes(content)
    answer = await ask(await play(hello), **{key: str(path)})
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.INTERNAL
    assert answer.error.message.startswith(f"{key} {path}: ")


def test_an_encrypted_key_does_not_ask_on_the_terminal(tmp_path: Path) -> None:
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    issued = trustme.CA().issue_cert("a@example.org")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    path = tmp_path / "c.pem"
    path.write_bytes(locked + issued.cert_chain_pems[0].bytes())
    with pytest.raises(UnsendableRequest, match="client_cert"):
        make_context(Trust(client_cert=str(path)))


def test_the_usual_authorities_are_there() -> None:
    context = make_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    "der", [b"", b"\x30", b"\x30\x82\xff\xff", b"\x30\x03\x02\x01\x01", b"\0" * 99]
)
def test_a_certificate_of_garbage_has_no_end(der: bytes) -> None:
    assert not_after(der) is None


async def test_a_transport_of_its_own_context(
    play: Play, authority: trustme.CA
) -> None:
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trusting)
    port = await play(hello, tls=serving(authority.issue_cert("127.0.0.1")))
    prober = Prober(secret=str, transport=MeasuringTransport(tls=trusting))
    untrusted = await prober.probe(
        Deployment("d", f"https://127.0.0.1:{port}"), ProbeKind.HEALTH
    )
    # A deployment's own settings win over the transport's.
    assert untrusted.error is not None
    assert untrusted.error.kind is ErrorKind.TLS
