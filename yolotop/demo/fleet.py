"""The fleet process: every endpoint of the demo, each on a port of its own.

Owns sockets, servers and the process's life: it ends with its parent. One process and
one event loop carry them all, because interpreter, web framework and onnxruntime cost
about 100 MB and a second per process, and a demo has neither to give away ten times.
It must not know what is asked of it or what is thought of the answers.

``python -m yolotop.demo.fleet`` prints one JSON line when all ports listen,
``{"pid", "first_port", "ports": {name: port}}``, and ends on SIGTERM, SIGINT, SIGHUP or
the end of its standard input. With ``--platform`` it carries the stand-in for
Ultralytics Platform too, whose ports are ``"platform"`` in that line.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import uvicorn

from yolotop.demo import characters
from yolotop.demo.cast import (
    BLOCKS,
    CAST,
    CONTROL_PLANE,
    HOST,
    KEY_ENV,
    PLATFORM_KEY_ENV,
    SEATS,
    Part,
    ports,
    seats,
)
from yolotop.demo.platform import cast as platform_cast
from yolotop.demo.platform.endpoint import Endpoint
from yolotop.demo.platform.routes import ControlPlane
from yolotop.demo.platform.serving import Server
from yolotop.demo.platform.world import OWNER, World
from yolotop.demo.workshop import Workshop
from yolotop.errors import UsageError
from yolotop.serve.run import open_engine

if TYPE_CHECKING:
    from starlette.types import ASGIApp

TICK_S: Final = 0.1
_BACKLOG: Final = 128


@dataclass(frozen=True, slots=True)
class Block:
    """The bound sockets of one run of ports, by deployment name."""

    first_port: int
    sockets: dict[str, socket.socket]

    def close(self) -> None:
        """Give the ports back."""
        for bound in self.sockets.values():
            bound.close()


def bind_block(first_ports: Sequence[int] = BLOCKS, *, platform: bool = False) -> Block:
    """Bind the first block of ports of which every one is free.

    The socket of the *down* deployment does not listen: a port that is bound and not
    listening refuses connections, and nobody else can take it meanwhile. All others
    listen from here on. ``platform`` adds those of the stand-in. Raises UsageError
    when no block is free.
    """
    silent = {role.name for role in CAST if role.part is Part.DOWN}
    for first in first_ports:
        bound: dict[str, socket.socket] = {}
        numbers = ports(first) | (seats(first) if platform else {})
        try:
            for name, port in numbers.items():
                bound[name] = _bind(port, listen=name not in silent)
        except OSError as error:
            Block(first, bound).close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            return Block(first, bound)
    count = len(CAST) + (len(SEATS) if platform else 0)
    raise UsageError(
        f"no {count} free ports in a row on {HOST} "
        f"(looked from {first_ports[0]} to {first_ports[-1] + count - 1})",
        hint="Stop another program that listens there, perhaps another demo",
    )


def _bind(port: int, *, listen: bool) -> socket.socket:
    # asyncio sets TCP_NODELAY only where the protocol number says TCP; without it a
    # kept connection waits some 40 ms for a delayed ACK.
    fresh = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if listen:
            # Takes a port over from the last demo's connections (TIME_WAIT), not from
            # another listener. A port without connections must not be shared: Linux
            # lets two sockets with this option have one as long as neither listens.
            fresh.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        fresh.bind((HOST, port))
        fresh.setblocking(False)
        if listen:
            fresh.listen(_BACKLOG)
    except OSError:
        fresh.close()
        raise
    return fresh


def engage(
    workshop: Workshop, *, key: str, other_key: str
) -> dict[str, characters.Healthy]:
    """Create the characters by deployment name; the *down* one has none.

    ``key`` opens the keyed endpoint. The locked one only knows ``other_key``.
    """
    plain: dict[Part, Callable[[str, Workshop], characters.Healthy]] = {
        Part.HEALTHY: characters.Healthy,
        Part.SLOW: characters.Slow,
        Part.CREEPING: characters.Creeping,
        Part.FLAPPING: characters.Flapping,
        Part.SCALE_TO_ZERO: characters.ScaleToZero,
        Part.BLIND: characters.Blind,
        Part.SWAPPED: characters.Swapped,
    }
    keys = {Part.KEYED: key, Part.LOCKED: other_key}
    playing: dict[str, characters.Healthy] = {}
    for role in CAST:
        if role.part in plain:
            playing[role.name] = plain[role.part](role.name, workshop)
        elif role.part in keys:
            playing[role.name] = characters.Healthy(
                role.name, workshop, api_key=keys[role.part]
            )
    return playing


def engage_platform(
    workshop: Workshop, first_port: int, *, key: str, now: Callable[[], float]
) -> dict[str, ASGIApp]:
    """Create the Platform's stand-in by seat: its control plane, real endpoints.

    ``key`` is the workspace's; an endpoint takes the one that is bound to it. ``now``
    is seconds since 1970.
    """
    numbers = seats(first_port)
    addresses = {
        name: f"http://{HOST}:{port}"
        for name, port in numbers.items()
        if name != CONTROL_PLANE
    }
    world = World(now)
    platform_cast.enter(world, key, addresses)
    engine = workshop.engine(characters.MODEL)
    apps: dict[str, ASGIApp] = {CONTROL_PLANE: ControlPlane(world)}
    for name in addresses:
        deployment = world.find(OWNER, name)
        assert deployment is not None
        app = workshop.instance(engine, api_key=deployment.key)
        dice = workshop.chance(name)
        apps[name] = Endpoint(deployment, app, now=now, dice=dice)
    return apps


class Fleet:
    """Every endpoint of the demo in this event loop, from :meth:`open` to the end.

    ``platform_key`` is the workspace's on the Platform's stand-in, which is there only
    with it.
    """

    def __init__(
        self,
        workshop: Workshop,
        block: Block,
        *,
        key: str,
        other_key: str,
        platform_key: str = "",
    ) -> None:
        self.block = block
        self.playing = engage(workshop, key=key, other_key=other_key)
        self._apps: Mapping[str, ASGIApp] = self.playing
        if platform_key:
            seated = engage_platform(
                workshop, block.first_port, key=platform_key, now=time.time
            )
            self._apps = {**self.playing, **seated}
        self._servers: list[Server] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Return when every endpoint answers. Raises what a server died of."""
        for name, app in self._apps.items():
            config = uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                backlog=_BACKLOG,
                timeout_graceful_shutdown=1,
            )
            server = Server(config)
            self._servers.append(server)
            bound = self.block.sockets[name]
            self._tasks.append(asyncio.create_task(server.serve(sockets=[bound])))
        while not all(server.started for server in self._servers):
            await asyncio.sleep(0.01)
            for task in self._tasks:
                if task.done():
                    task.result()
        self._tasks.append(asyncio.create_task(self._live()))

    async def _live(self) -> None:
        while True:
            for character in self.playing.values():
                character.tick()
            await asyncio.sleep(TICK_S)

    async def aclose(self) -> None:
        """Stop everything and give the ports back."""
        for server in self._servers:
            server.should_exit = True
        serving = self._tasks[: len(self._servers)]
        for task in self._tasks[len(self._servers) :]:
            task.cancel()
        if serving:
            await asyncio.wait(serving)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for character in self.playing.values():
            await character.aclose()
        self.block.close()


async def play(
    seed: int, first_ports: Sequence[int], *, platform: bool = False
) -> None:
    """Run the fleet until a signal or the end of standard input."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, done.set)
    _watch_stdin(loop, done)
    block = bind_block(first_ports, platform=platform)
    key = os.environ.get(KEY_ENV) or secrets.token_hex(16)
    platform_key = os.environ.get(PLATFORM_KEY_ENV) or f"ul_{secrets.token_hex(20)}"
    fleet = Fleet(
        Workshop(open_engine, seed=seed),
        block,
        key=key,
        other_key=secrets.token_hex(16),
        platform_key=platform_key if platform else "",
    )
    try:
        await fleet.open()
        ready: dict[str, object] = {
            "pid": os.getpid(),
            "first_port": block.first_port,
            "ports": ports(block.first_port),
        }
        if platform:
            ready["platform"] = seats(block.first_port)
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await done.wait()
    finally:
        await fleet.aclose()


def _watch_stdin(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    """Set ``done`` when standard input ends, which it does when the parent is gone.

    A pipe is closed by the kernel whatever killed the parent. A thread and ``os.read``,
    because epoll takes no files, and because a daemon thread inside ``sys.stdin.read``
    would hold the lock that the interpreter needs to end.
    """

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=wait, name="stdin", daemon=True).start()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the fleet process; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m yolotop.demo.fleet", description="The endpoints of the demo."
    )
    parser.add_argument("--seed", type=int, default=0, help="decides what is chance")
    parser.add_argument("--first-port", type=int, help="only this block of ports")
    parser.add_argument(
        "--platform", action="store_true", help="the Platform's stand-in beside them"
    )
    options = parser.parse_args(argv)
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    first_ports = BLOCKS if options.first_port is None else (options.first_port,)
    try:
        asyncio.run(play(options.seed, first_ports, platform=options.platform))
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
