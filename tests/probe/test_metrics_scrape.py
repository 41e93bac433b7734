"""Fetching pages over real sockets: where, with which key, and no more than a page."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import pytest

from yolotop.errors import ConfigError
from yolotop.model import Deployment, SecretRef
from yolotop.model.preset import Auth, Carrier, Metrics, Preset
from yolotop.probe.metrics.scrape import NoPage, Scraper, metrics_url

Play = Callable[..., Awaitable[int]]
KEY = "s3cret-key-value"
REF = SecretRef("env", "KEY")
KEYS = (Auth(), Auth(Carrier.HEADER, "X-Key"), Auth(Carrier.QUERY, "key"))
PAGE = b"# TYPE queue gauge\nqueue 1\n"


def whole(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A complete answer."""
    lines = (b"HTTP/1.1 " + status, *headers, b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Recorder:
    """Answers every request and keeps what was asked."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[bytes] = []

    async def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answer)


def scraper() -> Scraper:
    return Scraper(secret=lambda _: KEY)


@pytest.mark.parametrize(
    ("url", "path", "own", "expected"),
    [
        ("http://edge:8000", ":8002/metrics", None, "http://edge:8002/metrics"),
        ("http://edge:8000/v2", ":8002/metrics", None, "http://edge:8002/metrics"),
        ("http://edge:3000/predict", "/metrics", None, "http://edge:3000/metrics"),
        ("http://edge:3000", "/metrics", "http://prom/m", "http://prom/m"),
        ("http://edge:3000", "/metrics", "", None),
        ("http://edge:3000", "", None, None),
        ("http://u:p@edge:80", "/metrics", None, "http://u:p@edge:80/metrics"),
        ("http://u:p@edge:80", ":8082/metrics", None, "http://edge:8082/metrics"),
    ],
)
def test_where_it_is(
    url: str, path: str, own: str | None, expected: str | None
) -> None:
    preset = Preset(metrics=Metrics(path, "triton") if path else None)
    deployment = Deployment("edge", url, preset=preset, metrics_url=own)
    assert metrics_url(deployment) == expected


def test_most_servers_have_none() -> None:
    assert metrics_url(Deployment("edge", "http://edge")) is None


async def test_a_page_comes(play: Play) -> None:
    record = Recorder(whole(gzip.compress(PAGE), b"content-encoding: gzip"))
    url = f"http://127.0.0.1:{await play(record)}"
    source = scraper()
    deployment = Deployment("edge", url, headers=(("X-Tenant", "a"),), reuse=True)
    assert await source.fetch(deployment, f"{url}/metrics") == PAGE
    await source.aclose()
    [request] = record.requests
    assert request.startswith(b"GET /metrics HTTP/1.1\r\n")
    assert request.count(b"Accept: ") == 1
    assert b"Accept: text/plain;version=0.0.4" in request
    assert b"Connection: close" in request, "what is kept open is the probes'"
    assert b"X-Tenant: a" in request


async def test_the_key_stays_where_it_belongs(play: Play) -> None:
    record = Recorder(whole(PAGE))
    own, other = await play(record), await play(record)
    for auth in KEYS:
        deployment = Deployment(
            "edge",
            f"http://127.0.0.1:{own}",
            api_key=REF,
            headers=(("X-Gate", KEY),),
            preset=Preset(auth=auth),
        )
        record.requests.clear()
        source = scraper()
        for port in (own, other):
            await source.fetch(deployment, f"http://127.0.0.1:{port}/metrics")
        mine, foreign = record.requests
        assert mine.count(KEY.encode()) == 2
        assert KEY.encode() not in foreign


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (whole(b"no", status=b"404 Not Found"), "HTTP 404"),
        (whole(b"", b"location: /login", status=b"302 Found"), "HTTP 302"),
        (whole(PAGE)[:-5], "closed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ""),
        (whole(b"# " * 1_100_000), "2 MiB"),
        (whole(gzip.compress(b"#" * 3_000_000), b"content-encoding: gzip"), "2 MiB"),
    ],
    ids=range(6),
)
async def test_what_is_no_page(play: Play, answer: bytes, said: str) -> None:
    url = f"http://127.0.0.1:{await play(Recorder(answer))}"
    with pytest.raises(NoPage) as caught:
        await scraper().fetch(Deployment("edge", url), f"{url}/metrics")
    assert said in caught.value.message
    assert caught.value.message


async def test_nobody_there_and_no_key() -> None:
    nowhere = Deployment("edge", "http://127.0.0.1:1")
    with pytest.raises(NoPage, match="refused"):
        await scraper().fetch(nowhere, "http://127.0.0.1:1/metrics")

    def missing(_: SecretRef) -> str:
        raise ConfigError("KEY is not set")

    keyed = Deployment("edge", "http://127.0.0.1:1", api_key=REF)
    with pytest.raises(NoPage, match="KEY is not set"):
        await Scraper(secret=missing).fetch(keyed, "http://127.0.0.1:1/metrics")


@pytest.mark.parametrize("url", ["", "ftp://x/metrics", "http://", "http://a b/", "::"])
async def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(NoPage):
        await scraper().fetch(Deployment("edge", "http://127.0.0.1:1"), url)


async def test_machines_credentials_are_not_asked_for() -> None:
    deployment = Deployment("edge", "http://127.0.0.1:1")
    with pytest.raises(NoPage):
        await scraper().fetch(deployment, "http://169.254.169.254/metrics")
