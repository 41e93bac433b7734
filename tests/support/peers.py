"""A real server as a group of processes: started, found ready, maimed and stopped.

Owns ports, process groups, namespaces and waiting. Must not know what any server is
called; ``peer_recipes`` does. Nothing listens but on loopback: a server that binds
every address whatever it is told runs in a network namespace of its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from peer_answers import Found, Question, Way
from peer_net import HOST, free_ports, namespace
from peer_processes import MARK, alive, connections, listening, members
from peer_venvs import Python, Venv, ready

from yolotop.probe.frames import Frame, synthetic
from yolotop.serve.run import model_path

APPS = Path(__file__).parents[1] / "peers" / "apps"

START_S = 60.0
"""Cold caches make starts 3 to 10 times as long: 17 s were seen."""
_TERM_S = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """What a command is made of."""

    python: Python
    ports: tuple[int, ...]
    scratch: Path
    """An empty folder of this start."""
    fault: str = ""
    """See ``start``."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one kind of server is installed, started, asked and maimed."""

    name: str
    distribution: str
    """What its version is read from."""
    venv: Venv
    command: Callable[[Place], list[str]]
    """May prepare files in the scratch folder."""
    health: str
    ways: Mapping[str, Way]
    """How it can be asked; the first is the usual one."""
    ports: int = 1
    """The first answers predictions."""
    metrics: int | None = None
    """Which port has ``/metrics``, if any."""
    management: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    module: str = ""
    """Where the tests' interpreter can import it, no environment is built."""
    isolate: bool = False
    """It binds every address."""
    unload: Question | None = None
    """Takes the model away and leaves the server; on the management port if any."""
    unload_verb: str = "POST"


@dataclass(slots=True)
class Peer:
    """A running server."""

    recipe: Recipe
    version: str
    ports: tuple[int, ...]
    process: subprocess.Popen[bytes]
    token: str
    scratch: Path
    up_s: float = 0.0
    """Until the health path answered 200."""
    answers_s: float = 0.0
    """Until a prediction answered 200."""
    _known: set[int] = field(default_factory=set)

    # --- addresses -------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The kind of server."""
        return self.recipe.name

    @property
    def url(self) -> str:
        """Where predictions are answered, without a path."""
        return f"http://{HOST}:{self.ports[0]}"

    @property
    def metrics_url(self) -> str | None:
        """Where Prometheus text is."""
        port = self.recipe.metrics
        return None if port is None else f"http://{HOST}:{self.ports[port]}/metrics"

    @property
    def management_url(self) -> str:
        """Where models are loaded and unloaded, without a path."""
        return f"http://{HOST}:{self.ports[self.recipe.management or 0]}"

    # --- asking ----------------------------------------------------------------------

    def get(self, path: str, *, timeout_s: float = 5.0) -> httpx.Response:
        """Ask on a fresh connection."""
        return self.say(Question(path, {}), "GET", timeout_s=timeout_s)

    def healthy(self, *, timeout_s: float = 5.0) -> httpx.Response:
        """Ask the health path."""
        return self.get(self.recipe.health, timeout_s=timeout_s)

    def ask(
        self, frame: Frame, way: str = "", *, timeout_s: float = 10.0
    ) -> httpx.Response:
        """Ask what it sees, on a fresh connection."""
        return self.say(self._way(way).ask(frame), timeout_s=timeout_s)

    def sees(self, frame: Frame, way: str = "") -> list[Found]:
        """Ask what it sees, and read the answer."""
        answer = self.ask(frame, way)
        assert answer.status_code == 200, (answer.status_code, answer.text[:500])
        return self._way(way).read(answer, frame)

    def metrics(self) -> str:
        """Its Prometheus page."""
        assert self.recipe.metrics is not None
        base = f"http://{HOST}:{self.ports[self.recipe.metrics]}"
        answer = self.say(Question("/metrics", {}), "GET", base=base)
        assert answer.status_code == 200, answer.text[:500]
        return answer.text

    def _way(self, way: str) -> Way:
        return self.recipe.ways[way or next(iter(self.recipe.ways))]

    def say(
        self,
        asked: Question,
        verb: str = "POST",
        *,
        base: str = "",
        timeout_s: float = 10.0,
    ) -> httpx.Response:
        """Send a request on a fresh connection."""
        with httpx.Client(trust_env=False, timeout=timeout_s) as client:
            url, headers = (base or self.url) + asked.path, dict(asked.headers)
            return client.request(verb, url, headers=headers, **asked.body)

    # --- its processes ---------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self.process.pid

    @property
    def pgid(self) -> int:
        """Its process group; some servers give their workers others."""
        return self.process.pid

    def pids(self) -> list[int]:
        """All its processes, orphans and other groups included."""
        self._known |= members(self.token, {self.pid, *self._known})
        return sorted(pid for pid in self._known if alive(pid))

    def workers(self, role: str = "shapes") -> list[int]:
        """The processes that loaded the model and live."""
        file = self.scratch / "pids"
        lines = file.read_text().splitlines() if file.exists() else []
        pairs = (line.split() for line in lines)
        pids = {int(pid) for pid, name in pairs if name == role}
        return sorted(pid for pid in pids if alive(pid))

    def rss_mb(self) -> float:
        """Resident memory of all, with shared pages counted once for each sharer."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return total * os.sysconf("SC_PAGE_SIZE") / 1e6

    def listens_at(self) -> set[str]:
        """Local addresses its processes listen at, in this network namespace."""
        return listening(self.pids())

    def connections(self) -> int:
        """How many connections to where predictions are answered are open."""
        return connections(self.ports[0])

    # --- maiming ---------------------------------------------------------------------

    def kill_worker(self, role: str = "shapes") -> list[int]:
        """SIGKILL the processes that hold the model; returns who that was."""
        victims = self.workers(role)
        assert victims, f"{self.name}: no process holds {role}\n{self.log()}"
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(alive(pid) for pid in victims), within_s=5)
        return victims

    def kill_model(self) -> httpx.Response:
        """Take the model away by the server's own interface."""
        assert self.recipe.unload is not None, f"{self.name} cannot unload a model"
        verb, base = self.recipe.unload_verb, self.management_url
        return self.say(self.recipe.unload, verb, base=base, timeout_s=30)

    def terminate(self) -> None:
        """SIGTERM to the process that was started, and to no other."""
        self.process.terminate()

    def freeze(self) -> None:
        """SIGSTOP all: connections are accepted by the system and never answered."""
        for pid in self.pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT all."""
        for pid in self.pids():
            os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """End all its processes, politely for 5 s, and wait until they are gone."""
        self.pids()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pgid, signal.SIGCONT)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pgid, signal.SIGTERM)
        wait_until(lambda: not self._left(), within_s=_TERM_S, complain=False)
        for _ in range(20):  # what was forked meanwhile is found in the next round
            for pid in self._left():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if wait_until(lambda: not self._left(), within_s=1, complain=False):
                break
        self.process.wait(5)
        assert not self._left(), f"{self.name}: processes outlived it"

    def _left(self) -> list[int]:
        self.process.poll()
        return self.pids()

    def ended(self) -> bool:
        """Whether the process that was started has exited."""
        return self.process.poll() is not None

    def log(self, lines: int = 25) -> str:
        """The end of what it printed."""
        text = (self.scratch / "log").read_text("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines:])


def start(recipe: Recipe, scratch: Path, *, fault: str = "", wait: bool = True) -> Peer:
    """Start a server on free loopback ports and wait until it predicts (60 s at most).

    ``fault`` reaches the app as ``PEER_FAULT``: with ``load`` its model does not load.
    ``wait=False`` returns at once, for servers that will not become ready. Raises
    Unavailable when the server cannot be had or cannot be kept on loopback.
    """
    python = ready(recipe.venv, module=recipe.module)
    prefix = namespace() if recipe.isolate else []
    scratch.mkdir(parents=True, exist_ok=True)
    listeners = free_ports(recipe.ports)
    ports = tuple(listener.getsockname()[1] for listener in listeners)
    command = recipe.command(Place(python, ports, scratch, fault))
    token = uuid.uuid4().hex
    fds: tuple[int, ...] = ()
    if recipe.isolate:
        for listener in listeners:
            listener.listen(128)
        fds = tuple(listener.fileno() for listener in listeners)
        leads = ",".join(f"{fd}:{port}" for fd, port in zip(fds, ports, strict=True))
        relay = Path(__file__).with_name("peer_relay.py")
        command = [*prefix, sys.executable, str(relay), leads, *command]
    else:
        # Closed only now, when the command is prepared; nobody else picks from here.
        for listener in listeners:
            listener.close()
    with (scratch / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=scratch,
            env={
                **_environment(recipe, python, scratch),
                MARK: token,
                "PEER_FAULT": fault,
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=fds,
        )
    for listener in listeners:
        listener.close()
    peer = Peer(
        recipe, python.version(recipe.distribution), ports, process, token, scratch
    )
    if wait:
        try:
            _await(peer)
        except BaseException:
            peer.stop()
            raise
    return peer


def _await(peer: Peer) -> None:
    """Poll health, then a prediction."""
    began = time.monotonic()

    def answers(ask: Callable[[], httpx.Response]) -> bool:
        assert not peer.ended(), f"{peer.name} ended while starting\n{peer.log()}"
        with contextlib.suppress(httpx.TransportError):
            return ask().status_code == 200
        return False

    frame = synthetic(1)
    wait_until(lambda: answers(peer.healthy), within_s=START_S, about=peer.log)
    peer.up_s = time.monotonic() - began
    left_s = START_S - peer.up_s
    wait_until(
        lambda: answers(lambda: peer.ask(frame)), within_s=left_s, about=peer.log
    )
    peer.answers_s = time.monotonic() - began
    peer.pids()


def wait_until(
    true: Callable[[], object],
    *,
    within_s: float,
    complain: bool = True,
    about: Callable[[], str] = lambda: "",
) -> bool:
    """Poll until something is true; fails the test when it never is."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            assert not complain, f"not within {within_s:.0f} s\n{about()}"
            return False
        time.sleep(0.05)
    return True


def _environment(recipe: Recipe, python: Python, scratch: Path) -> dict[str, str]:
    """Nothing of the tests' own environment but what a program needs to run."""
    kept = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "JAVA_HOME")
    path = f"{python.bin}{os.pathsep}{os.environ['PATH']}"
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PATH": path,
        "HOME": str(scratch),
        "PYTHONPATH": str(APPS),
        "PYTHONUNBUFFERED": "1",
        "PEER_APPS": str(APPS),
        "PEER_MODEL": str(model_path("shapes")),
        "PEER_PIDS": str(scratch / "pids"),
        **recipe.env,
    }
