"""Real servers on real sockets: what is tested is what a client meets."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

pytest.importorskip("onnxruntime", reason="needs the serve extra")
pytest.importorskip("fastapi", reason="needs the serve extra")

import uvicorn

from yolotop.serve.run import listen, open_engine, url_of

if TYPE_CHECKING:
    from fastapi import FastAPI

    from yolotop.serve.engine import Engine

Live = Callable[["FastAPI"], httpx.Client]


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Run an app in a uvicorn on a free port; yields its URL."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, log_level="critical", ws="none", lifespan="off")
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    assert server.ready.wait(10), "uvicorn did not start"
    try:
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def live() -> Iterator[Live]:
    """Start apps and get a client for each."""
    with contextlib.ExitStack() as stack:

        def start(app: FastAPI) -> httpx.Client:
            url = stack.enter_context(serving(app))
            client = httpx.Client(base_url=url, timeout=20, trust_env=False)
            return stack.enter_context(client)

        yield start


@pytest.fixture(scope="session")
def shapes() -> Engine:
    """The model that ships."""
    return open_engine("shapes")
