"""Whatever comes back, a call ends in time and memory, with an answer or an error."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import tracemalloc
from collections.abc import Awaitable, Callable

import pytest
from control_plane import KEY, Clock
from hypothesis import given, settings
from hypothesis import strategies as st

from yolotop.platform.budget import Budget, Category
from yolotop.platform.client import PlatformClient
from yolotop.platform.failure import FailureKind, PlatformError
from yolotop.platform.replies import MOST_BYTES, retry_after_s

Play = Callable[[PlatformClient], Awaitable[None]]
WORDS = (
    "deployments", "deployment", "owner", "status", "entries", "nextPageToken",
    "timestamp", "message", "severity", "httpRequest", "timeSeries", "summary",
    "requests", "requests24h", "latencyP50", "value", "totalRequests", "error",
    "healthy", "username", "retryAfter", "resetAt", "cpuUtilization",
)  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["acme", "ready", "DEFAULT", "2026-11-26T10:00:00Z", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6)
    ),
    max_leaves=20,
)


async def against(
    reply: bytes, play: Play, *, drip_s: float = 0.0, timeout_s: float = 20.0
) -> int:
    """``play`` a client of a socket that says ``reply``; how often it was asked."""
    asked = 0
    tasks: set[asyncio.Task[None]] = set()

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal asked
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                asked += 1
                writer.write(reply)
                await writer.drain()
                while drip_s:
                    await asyncio.sleep(drip_s)  # the drip is what is tested
                    writer.write(b" ")
                    await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    clock = Clock()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made = PlatformClient(
        KEY,
        budget=Budget(clock, clock.sleep),
        owner="acme",
        base_url=f"http://127.0.0.1:{port}",
        timeout_s=timeout_s,
    )
    async with server, made as client:
        await play(client)
    await asyncio.wait(tasks)
    return asked


def reply(status: int, data: bytes, *headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status} X", f"content-length: {len(data)}", "connection: close",
        *headers,
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + data


async def ask_everything(client: PlatformClient) -> None:
    for call in (
        client.account(), client.deployments(), client.deployment("dock"),
        client.metrics("dock"), client.health("dock"), client.logs("dock", pages=2),
        client.start("dock"), client.stop("dock"),
    ):  # fmt: skip
        with contextlib.suppress(PlatformError):
            await call


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([200, 200, 200, 202, 204, 301, 400, 401, 413, 429, 500, 503]),
    JSON.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=40),
    st.sampled_from(
        ["x-a: b", "retry-after: soon", "retry-after: 99999999999999999999",
         "retry-after: Wed, 99 Xxx 9999 99:99:99 GMT", "x-ratelimit-reset: never",
         "content-encoding: gzip", "content-encoding: br", "location: /else"]
    ),
)  # fmt: skip
def test_no_answer_raises_anything_but_the_platforms_error(
    status: int, data: bytes, header: str
) -> None:
    asked = asyncio.run(against(reply(status, data, header), ask_everything))
    assert 8 <= asked <= 9  # each once, a second page of logs at most


async def test_a_server_that_drips_is_left_at_the_deadline() -> None:
    """httpx's own timeout is for each read: this one would hold for half an hour."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"

    async def play(client: PlatformClient) -> None:
        with pytest.raises(PlatformError, match=r"no answer within 0\.3 s") as caught:
            await client.deployments()
        assert caught.value.kind is FailureKind.UNREACHABLE

    dripped = against(head, play, drip_s=0.02, timeout_s=0.3)
    assert await asyncio.wait_for(dripped, 10) == 1


async def test_a_little_gzip_is_never_a_lot_of_memory() -> None:
    packed = gzip.compress(b" " * 64_000_000)
    assert len(packed) < 65_536

    async def play(client: PlatformClient) -> None:
        tracemalloc.start()
        try:
            with pytest.raises(PlatformError, match="more than 4 MiB"):
                await client.deployments()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 4 * MOST_BYTES

    await against(reply(200, packed, "content-encoding: gzip"), play)


async def test_what_is_packed_is_unpacked_and_asked_for_so() -> None:
    told = gzip.compress(json.dumps({"username": "acme", "plan": "pro"}).encode())

    async def play(client: PlatformClient) -> None:
        assert (await client.account()).plan == "pro"

    await against(reply(200, told, "content-encoding: gzip"), play)


@pytest.mark.parametrize(
    ("encoding", "why"), [("gzip", "cannot be unpacked"), ("br", "an unknown way")]
)
async def test_what_cannot_be_unpacked_is_said_and_hides_no_failure(
    encoding: str, why: str
) -> None:
    header = f"content-encoding: {encoding}"

    async def whole(client: PlatformClient) -> None:
        with pytest.raises(PlatformError, match=why):
            await client.account()

    async def failed(client: PlatformClient) -> None:
        with pytest.raises(PlatformError) as caught:
            await client.account()
        assert caught.value.kind is FailureKind.UNAVAILABLE

    await against(reply(200, b"neither", header), whole)
    await against(reply(503, b"neither", header), failed)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999", "http://[::1", "ftp://x", "nonsense", "https://", ""],
)
def test_an_address_that_is_none_is_said_before_anything_is_asked(url: str) -> None:
    """A port of 99999 came out of httpx as a group of exceptions."""
    with pytest.raises(PlatformError, match="base_url"):
        PlatformClient(KEY, budget=Budget(Clock()), base_url=url)


def test_a_second_refusal_does_not_shorten_the_first() -> None:
    clock = Clock()
    budget = Budget(clock, clock.sleep)
    budget.refused(Category.DEFAULT, 30.0)
    budget.refused(Category.DEFAULT, None)
    assert budget.wait_s(Category.DEFAULT) == 30.0


@pytest.mark.parametrize(
    ("headers", "body", "wait_s"),
    [
        # The headers go before the body, and the first header before the second.
        ({"retry-after": "7", "x-ratelimit-reset": "1970-01-01T00:17:00Z"}, b"", 7.0),
        ({"x-ratelimit-reset": "1970-01-01T00:17:00Z"}, b'{"retryAfter": 9}', 20.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:16:50 GMT"}, b"", 10.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:16:50 -0000"}, b"", 10.0),
        ({"retry-after": "soon"}, b'{"resetAt": "1970-01-01T00:17:00Z"}', 20.0),
        ({"retry-after": "soon"}, b"[", None),
    ],
)
def test_how_long_to_wait_is_read_by_the_clock_that_was_given(
    headers: dict[str, str], body: bytes, wait_s: float | None
) -> None:
    assert retry_after_s(headers, body, 1_000.0) == wait_s
