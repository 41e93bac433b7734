"""The fleet seen from outside: started as a child, waited for, stopped by its id.

Owns the child process. It must not import the web framework or onnxruntime: the
command line and the terminal live in this process and need neither.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from yolotop.demo.cast import CAST, SEATS
from yolotop.errors import MissingExtraError, YolotopError
from yolotop.text import clean

READY_TIMEOUT_S: Final = 30.0
"""How long a fleet may take to listen: about 1 s of work, on a machine that is busy."""
STOP_TIMEOUT_S: Final = 5.0
_NEEDED: Final = ("fastapi", "uvicorn", "onnxruntime", "numpy", "python_multipart")
_LONGEST_LINE: Final = 65_536


class FleetError(YolotopError):
    """The demo's endpoints did not come up."""

    title = "The demo's endpoints did not start"


def require_extra() -> None:
    """Raise MissingExtraError unless what the endpoints run on is installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"The demo runs real endpoints and needs {', '.join(missing)}",
            hint="pip install 'yolotop[demo]'",
        )


@dataclass(frozen=True, slots=True)
class FleetProcess:
    """A running fleet. ``ready_s`` is from the start of the process to its last port.

    ``platform`` are the ports of the Platform's stand-in, where it is asked for.

    Use as a context manager, or call :meth:`stop`. When this process ends in any
    other way, the fleet ends too: the kernel closes the pipe to its standard input.
    """

    ports: Mapping[str, int]
    ready_s: float
    _child: subprocess.Popen[bytes]
    platform: Mapping[str, int] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """The fleet's process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self._child.poll() is None

    def stop(self) -> None:
        """End the fleet and wait until it is gone; after 5 s it is killed."""
        end(self._child)

    def __enter__(self) -> Self:
        """Return the fleet itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the fleet, whatever happened."""
        self.stop()


def _private(path: str, flags: int) -> int:
    """Open for the owner only, like the history beside it."""
    return os.open(path, flags, mode=0o600)


def start_fleet(
    *,
    log_path: Path,
    seed: int = 0,
    env: Mapping[str, str] | None = None,
    first_port: int | None = None,
    platform: bool = False,
    timeout_s: float = READY_TIMEOUT_S,
) -> FleetProcess:
    """Start the fleet and return when all its ports listen.

    What it has to say goes to ``log_path``. ``env`` is its whole environment, ours by
    default. Raises FleetError with its last words when it ends early or takes longer
    than ``timeout_s`` seconds.
    """
    # -P: not from the current directory, see collect/process.py.
    command = [sys.executable, "-P", "-m", "yolotop.demo.fleet", "--seed", str(seed)]
    if first_port is not None:
        command += ["--first-port", str(first_port)]
    if platform:
        command.append("--platform")
    started = time.monotonic()
    with open(log_path, "wb", opener=_private) as log:
        # A session of its own: Ctrl-C on this terminal is for us, and we stop the
        # fleet by its id, after the collector, so that no probe sees it go.
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=None if env is None else dict(env),
            start_new_session=True,
        )
    try:
        line = _first_line(child, started + timeout_s)
        ports = _ports(line, "ports", [role.name for role in CAST])
        seats = _ports(line, "platform", SEATS) if platform else {}
    except BaseException as error:
        ended = child.poll()
        end(child)
        if isinstance(error, ValueError):
            raise FleetError(
                _obituary(ended, timeout_s), hint=last_words(log_path)
            ) from error
        raise
    return FleetProcess(ports, time.monotonic() - started, child, seats)


def _first_line(child: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Read one line of the child's standard output. Raises ValueError without one."""
    assert child.stdout is not None
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise ValueError("no line in time")
            chunk = os.read(child.stdout.fileno(), 4096)
            line += chunk
            if not chunk or len(line) > _LONGEST_LINE:
                # It closed its output: wait, so that its exit code can be told.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(1.0)
                raise ValueError("no line")
    return line


def _ports(line: bytes, key: str, names: Iterable[str]) -> dict[str, int]:
    """Read the ready line. Raises ValueError when it is something else."""
    ready = json.loads(line)
    told = ready.get(key) if isinstance(ready, dict) else None
    found = told if isinstance(told, dict) else {}
    if set(found) != set(names):
        raise ValueError("not the ready line")
    return {name: int(port) for name, port in found.items()}


def _obituary(code: int | None, timeout_s: float) -> str:
    if code is None:
        return f"The fleet was not ready within {timeout_s:g} s"
    return f"The fleet ended with exit code {code} before it was ready"


def last_words(log_path: Path) -> str:
    """Return the last line of a log, or where the log is."""
    with contextlib.suppress(OSError):
        lines = log_path.read_text("utf-8", "replace").strip().splitlines()
        if lines:
            return clean(lines[-1], limit=300)
    return f"See {log_path}"


def end(child: subprocess.Popen[bytes]) -> None:
    """Terminate, wait, kill if need be, and close the pipes."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    pipes: tuple[IO[bytes] | None, ...] = (child.stdin, child.stdout)
    for pipe in pipes:
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
