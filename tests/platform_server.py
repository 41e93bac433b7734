"""The Platform's stand-in on a real port, with a clock that tests move by hand.

``python -m tests.platform_server`` runs it by itself, in real time, and prints where it
listens and with which key.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

import uvicorn

from yolotop.demo.platform.routes import ControlPlane
from yolotop.demo.platform.world import Deployment, World

KEY = "ul_" + "0123456789abcdef" * 2 + "01234567"
T0 = 1_795_651_200.0


@dataclass
class HandClock:
    """Seconds since 1970."""

    at: float = T0

    def __call__(self) -> float:
        return self.at


@dataclass
class PlatformServer:
    """A running stand-in: move ``clock``, fill ``world``, look at ``plane.asked``."""

    url: str
    world: World
    plane: ControlPlane
    clock: Callable[[], float]
    key: str = KEY
    owner: str = "acme"
    _count: int = field(default=0, init=False)

    def deploy(self, slug: str, *, ready: bool = True, **life: object) -> Deployment:
        """Another deployment: ready for a day, or created this instant."""
        self._count += 1
        now = self.clock()
        created_at = now - 86_400 - self._count if ready else now - self._count / 1_000
        made = Deployment(
            slug=slug,
            name=slug.title(),
            region="europe-west1",
            key=self.key,
            created_at=created_at,
            **life,  # type: ignore[arg-type]
        )
        made.pass_time(now)
        return self.world.add(made)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@contextlib.contextmanager
def serving(clock: Callable[[], float], port: int = 0) -> Iterator[PlatformServer]:
    """Serve on loopback, in a thread, for as long as the block lasts."""
    world = World(clock)
    world.owners[KEY] = "acme"
    plane = ControlPlane(world)
    bound = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(plane, log_level="error", lifespan="off", access_log=False)
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        yield PlatformServer(url, world, plane, clock)
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def main() -> None:
    """Six deployments with a life each, until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8_300)
    with serving(time.time, parser.parse_args().port) as server:
        server.deploy("dock-cam", rate_per_h=120.0)
        server.deploy("kiln-5", rate_per_h=300.0, error_share=0.2)
        server.deploy("silo-9")
        server.deploy("yard-7").change("stop", time.time())
        server.deploy("crane-1", ready=False)
        server.deploy("lane-6", ready=False, fails="container failed to start")
        told = f"{server.url}  owner {server.owner}  key {server.key}"
        print(told, flush=True)  # noqa: T201 - it is a program here
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
