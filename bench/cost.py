"""Row: CPU of one probe, beside the field's leanest prober.

The real collector sends predict probes of 50 KB, each on a new connection, judges and
stores them; ``prometheus-blackbox-exporter`` sends plain GET probes to the same server
at the same rate in the same seconds, and bare sockets send the same POST unjudged. CPU
is each process's own, from ``/proc``.

Owns this row. It must not know how the others are measured.
"""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.endpoint import Endpoint, endpoint
from bench.figures import Progress, Row, Setup
from bench.machine import cpu_s
from bench.monitor import Asked, collector, image, write_config
from bench.waves import Waves

RATE: Final = 100
"""Probes per second of each."""
WARM_UP_S: Final = 4
_LANES: Final = 10
PEER: Final = "prometheus-blackbox-exporter"
_MODULE: Final = "modules:\n  get:\n    prober: http\n    timeout: 5s\n"


def measure(setup: Setup, progress: Progress) -> Row:
    """Run it; about 50 s."""
    seconds = setup.pick(40, 8)
    folder = setup.work / "cost"
    folder.mkdir()
    asked = [Asked(f"cost-{number}", "1s") for number in range(RATE)]
    with endpoint(delay_ms=20.0) as server, _peer(folder) as peer:
        picture = image(setup.work)
        config = write_config(folder, server.url, asked, picture=picture)
        with collector(config, folder / "data") as pid:
            time.sleep(WARM_UP_S)
            before = server.count(), cpu_s(pid), cpu_s(peer.pid) if peer else 0.0
            bare = Waves("raw", server.port, waves=seconds, count=RATE, fraction=0.5)
            gets = _drive(peer, server, seconds, progress)
            after = server.count(), cpu_s(pid), cpu_s(peer.pid) if peer else 0.0
        limit = bare.found()
    limit_ms = limit.cpu_s * 1000 / len(limit.latencies_ms)
    ours_ms = (after[1] - before[1]) * 1000 / (after[0] - before[0])
    figures = {
        "ours_ms": ours_ms,
        "ours_n": float(after[0] - before[0]),
        "raw_ms": limit_ms,
    }
    if peer is None:
        return _row(ours_ms, None, limit_ms, figures)
    peer_ms = (after[2] - before[2]) * 1000 / gets
    figures |= {"peer_ms": peer_ms, "peer_n": float(gets)}
    return _row(ours_ms, peer_ms, limit_ms, figures)


def _row(
    ours_ms: float, peer_ms: float | None, limit_ms: float, figures: dict[str, float]
) -> Row:
    ratio = None if peer_ms is None else ours_ms / peer_ms
    missing = f"{PEER} is not installed: apt-get install {PEER}"
    return Row(
        name="cost",
        what="collector CPU per 50 KB predict probe ÷ blackbox exporter's plain GET",
        ours=f"{ours_ms:.2f} ms",
        peers="missing" if peer_ms is None else f"{peer_ms:.2f} ms",
        limit=f"raw POST {limit_ms:.2f} ms",
        ratio="–" if ratio is None else f"{ratio:.2f}",
        mark="≤ 1.0",
        value=ratio,
        met=None if ratio is None else ratio <= 1.0,
        note=missing if ratio is None else "",
        figures=figures,
    )


class _Peer:
    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self._port = port

    def link(self) -> http.client.HTTPConnection:
        """A connection to ask it over."""
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)

    def probe(self, link: http.client.HTTPConnection, url: str) -> None:
        """One GET of ``url``; a failing one ends the bench."""
        link.request("GET", f"/probe?module=get&target={url}/health")
        if b"probe_success 1" not in link.getresponse().read():
            raise AssertionError("the blackbox exporter's probe failed")


@contextmanager
def _peer(folder: Path) -> Iterator[_Peer | None]:
    program = shutil.which(PEER)
    if program is None:
        yield None
        return
    (folder / "blackbox.yml").write_text(_MODULE)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [program, f"--config.file={folder / 'blackbox.yml'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with (
        (folder / "blackbox.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as child,
    ):
        try:
            _wait_for(port)
            yield _Peer(child.pid, port)
        finally:
            child.terminate()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise AssertionError("the blackbox exporter did not start")


def _drive(
    peer: _Peer | None, server: Endpoint, seconds: int, progress: Progress
) -> int:
    """Let the peer probe at the collector's rate; how often it did."""
    begin = time.monotonic()
    with ThreadPoolExecutor(_LANES) as pool:
        lanes = [
            pool.submit(_lane, peer, server.url, begin, seconds, number)
            for number in range(_LANES if peer else 0)
        ]
        while (passed := time.monotonic() - begin) < seconds:
            progress(passed / seconds)
            time.sleep(0.2)
        return sum(lane.result() for lane in lanes)


def _lane(peer: _Peer | None, url: str, begin: float, seconds: int, number: int) -> int:
    """One of several that take turns: each probe takes the server's 20 ms."""
    if peer is None:
        return 0
    with contextlib.closing(peer.link()) as link:
        for turn in range(seconds * RATE // _LANES):
            due = begin + (turn * _LANES + number) / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            peer.probe(link, url)
    return seconds * RATE // _LANES
