"""Free ports, and a network of its own for a server that would bind every address.

Owns what keeps real servers on loopback. Must not know what a server is.
"""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
from functools import cache

from peer_venvs import Unavailable

HOST = "127.0.0.1"
# Below the range that the system hands out to clients, so that no connection of ours
# sits on a port between our check and the server's bind.
_PORTS = range(20_000, 32_000)
_ANY = random.Random()  # noqa: S311 - ports, not secrets


def free_ports(count: int) -> list[socket.socket]:
    """Sockets bound to free ports of loopback, not listening yet."""
    found: list[socket.socket] = []
    for port in _ANY.sample(_PORTS, len(_PORTS)):
        # One connects first: a server on every address would let us bind loopback.
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                continue
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((HOST, port))
        except OSError:
            bound.close()
            continue
        found.append(bound)
        if len(found) == count:
            break
    return found


@cache
def namespace() -> list[str]:
    """The words that run a command in a network namespace. Raises Unavailable.

    As root directly, else inside a user namespace where the system lets people.
    """
    unshare = shutil.which("unshare")
    for words in (["--net"], ["--map-root-user", "--net"]):
        if unshare is None:
            break
        done = subprocess.run(
            [unshare, *words, "true"], capture_output=True, check=False
        )
        if done.returncode == 0:
            return [unshare, *words]
    raise Unavailable(
        "binds every address, and no network namespace can be had here to contain it"
    )
