"""A demo that runs: endpoints, the config that names them, a collector that asks them.

Owns the order in which these begin and end, and that all of them end. It must not know
who looks at the result, a terminal or a table.

The collector is the ordinary one in a process of its own, as everywhere. It is started
here and not by the terminal because it has to go when the demo goes, even by SIGHUP or
``kill -9``: there is nothing left to ask then.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yolotop.collect.lock import holder, is_held
from yolotop.collect.process import ensure, stop
from yolotop.demo import home, script
from yolotop.demo.cast import CONTROL_PLANE, KEY_ENV, PLATFORM_KEY_ENV
from yolotop.demo.control import FleetProcess, last_words, require_extra, start_fleet
from yolotop.errors import YolotopError

STOP_S: Final = 10.0
"""How long a collector may take to write down what it has, before it is killed."""


class StageError(YolotopError):
    """A process of the demo has ended which should not have."""

    title = "The demo cannot go on"


@dataclass(frozen=True, slots=True)
class Stage:
    """The running demo. ``config`` is this run's config file inside ``data_dir``."""

    config: Path
    data_dir: Path
    fleet: FleetProcess

    def check(self) -> None:
        """Raise StageError when the fleet has ended, or nobody collects any more."""
        if not self.fleet.running:
            raise StageError(
                "The endpoints' process has ended",
                hint=last_words(self.data_dir / home.FLEET_LOG),
            )
        if not is_held(self.data_dir):
            raise StageError(
                "The collector has ended",
                hint=last_words(self.data_dir / home.COLLECTOR_LOG),
            )

    def stop_collecting(self) -> None:
        """Stop whoever collects here; it writes down what it has."""
        _stop_collector(self.data_dir)


@contextlib.contextmanager
def open_stage(
    data_dir: Path,
    *,
    seed: int = 0,
    fresh: bool = False,
    platform: bool = False,
    config_source: Path | None = None,
) -> Iterator[Stage]:
    """Start everything; at the end of the block, in whatever way, stop everything.

    ``fresh`` begins with an empty history; ``config_source`` is used in place of the
    demo's own config; ``platform`` adds a stand-in for Ultralytics Platform and the
    section of the config that follows it. Raises MissingExtraError before anything
    starts, UsageError, LockedError or StoreError for the directory, and FleetError or
    YolotopError when a process does not come up.
    """
    require_extra()
    with contextlib.ExitStack() as ending:
        ending.enter_context(home.open_home(data_dir))
        # The collector of a demo that was killed a moment ago may still be at it.
        _stop_collector(data_dir)
        if fresh:
            home.reset(data_dir)
        log_path = data_dir / home.FLEET_LOG
        if platform:
            key = script.install_platform_key(data_dir)
            ending.enter_context(_told(PLATFORM_KEY_ENV, key))
        env = {**os.environ, KEY_ENV: script.install_key(data_dir)}
        fleet = ending.enter_context(
            start_fleet(log_path=log_path, seed=seed, env=env, platform=platform)
        )
        config = script.install(
            data_dir,
            fleet.ports,
            source=config_source,
            platform_port=fleet.platform.get(CONTROL_PLANE),
        )
        # Before the fleet, so that no probe sees it go.
        ending.callback(_stop_collector, data_dir)
        ensure(config_path=config, data_dir=data_dir, owner_pid=os.getpid())
        yield Stage(config, data_dir, fleet)


@contextlib.contextmanager
def _told(name: str, value: str) -> Iterator[None]:
    """A variable that every collector of this demo is born with.

    Whoever starts one, the terminal too when it finds ours dead, does so from here.
    """
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _stop_collector(data_dir: Path) -> None:
    """Stop the collector of this directory, whoever started it.

    The directory is a demo's and the demo is ours. A terminal that found our collector
    dead may have started another one.
    """
    pid = holder(data_dir)
    if pid is None or stop(pid, STOP_S):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
