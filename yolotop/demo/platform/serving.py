"""The stand-in on a real port of this machine, for as long as somebody needs it.

Owns the socket, the server and its thread. It must not know what is answered.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Final

import uvicorn

from yolotop.demo.platform.deployment import Deployment
from yolotop.demo.platform.routes import ControlPlane, Receive, Scope, Send
from yolotop.demo.platform.world import OWNER, World

KEY: Final = "ul_" + "0123456789abcdef" * 2 + "01234567"
"""The key of a workspace that nobody named another for. It opens nothing else."""


class Server(uvicorn.Server):
    """A server among others: the process's signals are not its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to whoever runs it; several servers would fight over them."""
        yield


class PlatformServer:
    """A running stand-in: move ``clock``, fill ``world``, look at ``plane.asked``."""

    owner = OWNER

    def __init__(self, url: str, clock: Callable[[], float], key: str = KEY) -> None:
        self.url = url
        self.key = key
        self.renew(clock)

    def renew(self, clock: Callable[[], float]) -> None:
        """Begin with an empty workspace, behind the same address."""
        self.clock = clock
        self.world = World(clock)
        self.world.owners[self.key] = OWNER
        self.plane = ControlPlane(self.world)
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application that listens."""
        await self.plane(scope, receive, send)

    def deploy(self, slug: str, *, ready: bool = True, **life: object) -> Deployment:
        """Another deployment: ready for a day, or created this instant."""
        self._count += 1
        now = self.clock()
        created_at = now - 86_400 - self._count if ready else now - self._count / 1_000
        told = {"name": slug.title(), "region": "europe-west1", "key": self.key, **life}
        made = Deployment(
            slug=slug,
            created_at=created_at,
            owner=self.owner,
            **told,  # type: ignore[arg-type]
        )
        made.pass_time(now)
        return self.world.add(made)


@contextlib.contextmanager
def serving(
    clock: Callable[[], float], port: int = 0, *, key: str = KEY
) -> Iterator[PlatformServer]:
    """Serve on loopback, in a thread, for as long as the block lasts."""
    bound = _listen(port)
    running = PlatformServer(f"http://127.0.0.1:{bound.getsockname()[1]}", clock, key)
    config = uvicorn.Config(
        running, log_level="error", lifespan="off", access_log=False
    )
    server = Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield running
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def _listen(port: int) -> socket.socket:
    # The protocol is named for asyncio to set TCP_NODELAY: without it each call on a
    # kept connection waits 40 ms for a delayed ACK.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    bound.listen()
    return bound
