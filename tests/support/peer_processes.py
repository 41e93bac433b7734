"""Whose process is whose, read from ``/proc``.

Owns how the processes of one server are found, however they scatter, and at which
addresses they listen. Must not know what a server is.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable
from pathlib import Path

MARK = "YOLOTOP_PEER"
"""The environment variable that a server and all it starts carry."""


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def members(token: str, known: Iterable[int]) -> set[int]:
    """Who carries the token, is of the session, or descends from somebody who does.

    One sign is not enough: some servers overwrite their environment with a title,
    some give workers a session, some leave orphans.
    """
    mark = f"{MARK}={token}".encode()
    members, parents = set(known), {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            pid, parents[pid] = int(entry.name), int(fields[1])
            if int(fields[3]) in members or mark in (entry / "environ").read_bytes():
                members.add(pid)
    size = 0
    while size != len(members):
        size = len(members)
        members |= {pid for pid, parent in parents.items() if parent in members}
    return members


def listening(pids: Iterable[int]) -> set[str]:
    inodes = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            for entry in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    inodes.add(str(entry.readlink()))
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] != "0A" or f"socket:[{words[9]}]" not in inodes:
                continue
            address = bytes.fromhex(words[1].partition(":")[0])
            parts = [address[i : i + 4][::-1] for i in range(0, len(address), 4)]
            found.add(socket.inet_ntop(family, b"".join(parts)))
    return found


def connections(port: int) -> int:
    """How many connections to a local port are open, in this network namespace."""
    ending = f":{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = (line.split() for line in lines)
    return sum(row[3] == "01" and row[1].endswith(ending) for row in rows)
