"""A scripted control plane on a real socket, and clients of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from control_plane import KEY, Asked, Clock, Connect, Plane
from stand_in import Asker

from tests.platform_server import HandClock, PlatformServer, serving
from yolotop.platform.budget import Budget
from yolotop.platform.client import PlatformClient


@pytest.fixture
def plane() -> Iterator[Plane]:
    script = Plane()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            script.asked.append(Asked(self.command, self.path, headers, body))
            status, extra, content = script.next(self.command, self.path)
            data = (
                content if isinstance(content, bytes) else json.dumps(content).encode()
            )
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PATCH = _answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield script
        server.shutdown()
        thread.join()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connect(plane: Plane, clock: Clock) -> Connect:
    """A client of the scripted plane; without ``owner`` it has to ask."""

    def make(owner: str = "acme", key: str = KEY) -> PlatformClient:
        budget = Budget(clock, clock.sleep)
        return PlatformClient(key, budget=budget, owner=owner, base_url=plane.url)

    return make


# --- the stand-in, on a clock that is moved by hand ----------------------------------


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def stand_in() -> Iterator[PlatformServer]:
    """One port for all tests: a server takes a third of a second to come and go."""
    with serving(HandClock()) as running:
        yield running


@pytest.fixture
def server(stand_in: PlatformServer, hand: HandClock) -> PlatformServer:
    stand_in.renew(hand)
    return stand_in


@pytest.fixture
def ask(server: PlatformServer) -> Iterator[Asker]:
    with Asker(server) as asker:
        yield asker
