"""Virtual environments for the real servers, built once and kept outside the checkout.

Owns where they lie, what is installed in each and when one is built anew. Must not know
how a server is started. Packages come from whatever index pip is configured with; where
they cannot be had, ``Unavailable`` says so in one line, and tests are skipped with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import platformdirs

_INSTALL_S = 900
# What every app needs besides its server.
_DETECTOR = ("onnxruntime", "pillow")


class Unavailable(Exception):  # noqa: N818 - reads as what it is
    """A server cannot be had on this machine; the text is one line that says why."""


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter with a server installed."""

    executable: Path

    @property
    def bin(self) -> Path:
        """Where the server's own commands are."""
        return self.executable.parent

    def asks(self, source: str) -> str:
        """What an expression is, in there."""
        done = subprocess.run(
            [self.executable, "-c", f"import sysconfig, sys; print({source})"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()

    @property
    def site(self) -> Path:
        """Its site-packages."""
        return Path(self.asks("sysconfig.get_path('purelib')"))

    def version(self, distribution: str) -> str:
        """Version of what is installed in there."""
        wanted = distribution.replace("-", "_").lower()
        for found in importlib.metadata.distributions(path=[str(self.site)]):
            if found.name.replace("-", "_").lower() == wanted:
                return found.version
        # The interpreter of the tests may see packages of more than one place.
        return importlib.metadata.version(distribution)


@dataclass(frozen=True, slots=True)
class Venv:
    """An environment by name, and what is installed in it."""

    name: str
    packages: tuple[str, ...]
    needs: str = ""
    """A command that must be on the PATH besides."""


HERE = Venv("here", ())
"""The interpreter of the tests: FastAPI is in the ``dev`` extra."""

# kserve and litserve share starlette's releases, pytriton holds numpy below 2 for all:
# one environment of 0.9 GB instead of six of 0.35 to 0.7 GB.
SHARED = Venv(
    "shared",
    (
        "azureml-inference-server-http",
        "bentoml",
        "kserve",
        "litserve",
        "mosec",
        "nvidia-pytriton",
        "python-multipart",
        *_DETECTOR,
    ),
)
MLSERVER = Venv("mlserver", ("mlserver", *_DETECTOR))  # holds fastapi at 0.115
TORCHSERVE = Venv(
    "torchserve",
    ("torchserve", "torch-model-archiver", "torch==2.13.0", "pyyaml", *_DETECTOR),
    needs="java",
)
RAY = Venv("ray", ("ray[serve]", "python-multipart", *_DETECTOR))
MLFLOW = Venv("mlflow", ("mlflow", *_DETECTOR))


def folder() -> Path:
    """Where the environments are: ``YOLOTOP_PEERS_DIR``, else the user's cache."""
    named = os.environ.get("YOLOTOP_PEERS_DIR")
    return Path(named) if named else Path(platformdirs.user_cache_dir("yolotop-peers"))


def ready(venv: Venv, *, module: str = "") -> Python:
    """The environment's interpreter, after building it where needed (minutes).

    With ``module``, the tests' own interpreter when it can import that. Raises
    Unavailable; a second call after a failure fails at once.
    """
    if not sys.platform.startswith("linux"):
        raise Unavailable("real servers are started and told apart on Linux only")
    if venv is HERE or (module and importlib.util.find_spec(module) is not None):
        return Python(Path(sys.executable))
    outcome = _built(venv)
    if isinstance(outcome, str):
        raise Unavailable(outcome)
    return outcome


@cache
def _built(venv: Venv) -> Python | str:
    if venv.needs and shutil.which(venv.needs) is None:
        return f"{venv.name}: needs {venv.needs} on the PATH"
    home = folder() / venv.name
    stamp, wanted = home / "packages.txt", "\n".join(venv.packages)
    folder().mkdir(parents=True, exist_ok=True)
    with _alone(folder() / f"{venv.name}.lock"):
        if not (stamp.is_file() and stamp.read_text("utf-8") == wanted):
            problem = _build(home, venv)
            if problem:
                shutil.rmtree(home, ignore_errors=True)
                return f"{venv.name}: {problem}"
            stamp.write_text(wanted, "utf-8")
    return Python(home / "bin/python")


def _build(home: Path, venv: Venv) -> str:
    """Build it; returns what went wrong, in one line, or nothing."""
    shutil.rmtree(home, ignore_errors=True)
    pip = [str(home / "bin/python"), "-m", "pip", "install", "--quiet", *venv.packages]
    for command in ([_base(), "-m", "venv", str(home)], pip):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_INSTALL_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"cannot be installed here: {error}".splitlines()[0]
        if done.returncode != 0:
            said = [x for x in done.stderr.splitlines() if x.startswith("ERROR")]
            why = said[-1] if said else f"exit {done.returncode}"
            return f"cannot be installed here: {why[:200]}"
    return ""


def _base() -> str:
    """The interpreter that environments are made of.

    Triton's Python stub brings the system's libpython along: with an interpreter built
    by hand it fails at the first import.
    """
    system = Path(f"/usr/bin/python3.{sys.version_info.minor}")
    named = os.environ.get("YOLOTOP_PEERS_PYTHON")
    return named or (str(system) if system.exists() else sys.executable)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock, so that two test runs do not build into one folder."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
