"""The collector as a process: signals, lock, log, exit code.

Owns what happens between ``yolotop collect`` and a running
:class:`~yolotop.collect.collector.Collector`, and its end. It must not import a face:
a collector costs no terminal.

SIGTERM and SIGINT stop it and everything judged is written; a second one ends it at
once. SIGHUP makes it read the config file again, so a terminal that dies takes nothing
with it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Final

from yolotop import crash
from yolotop.collect.collector import Collector
from yolotop.collect.keys import Keys
from yolotop.collect.lock import CollectorLock
from yolotop.collect.roster import ConfigSource, FileSource
from yolotop.config.schema import Config
from yolotop.errors import ExitCode
from yolotop.probe.metrics.scrape import Scraper
from yolotop.probe.prober import Prober
from yolotop.store.open import loss, open_writer

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(message)s"
_log = logging.getLogger("yolotop.collect")


def run_collector(
    *, config_path: Path | None, data_dir: Path | None, owner_pid: int | None = None
) -> int:
    """Collect in the foreground until told to stop; the exit code.

    With ``owner_pid`` it also stops once that process is gone. Raises a
    ``YolotopError`` for what keeps it from beginning: an unusable config file or
    data directory, or ``LockedError`` where another collector runs.
    """
    os.umask(0o077)
    _log_to_stderr()
    source = FileSource(config_path, env=os.environ, data_dir=data_dir)
    config = source.load()
    # Whoever sees the lock may stop us: until the loop listens, signals wait.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        with CollectorLock(config.data_dir):
            asyncio.run(_collect(source, config, owner_pid))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return int(ExitCode.OK)


async def _collect(source: ConfigSource, config: Config, owner_pid: int | None) -> None:
    writer = await open_writer(config.data_dir, settings=config.store)
    try:
        keys = Keys(config.platform)
        prober, scraper = Prober(secret=keys.secret), Scraper(secret=keys.secret)
        try:
            collector = Collector(
                source,
                config,
                writer,
                prober,
                pages=scraper,
                connect=keys.connect,
                owner_alive=lambda: owner_pid is None or is_alive(owner_pid),
                loss=partial(loss, config.data_dir),
            )
            _listen(collector)
            await collector.run()
        finally:
            await prober.aclose()
            await scraper.aclose()
    finally:
        await writer.close()


def _listen(collector: Collector) -> None:
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        _log.info("%s: stopping", number.name)
        collector.stop()
        # Whoever asks twice does not want to wait for a disk that hangs.
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGHUP, collector.reload)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def is_alive(pid: int) -> bool:
    """Whether a process of that id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _log_to_stderr() -> None:
    crash.install()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(crash.GuardedFormatter(LOG_FORMAT, "%Y-%m-%dT%H:%M:%SZ"))
    # On the root: asyncio and libraries speak of failures, too, and quote them.
    logging.getLogger().handlers = [handler]
    logging.getLogger("yolotop").setLevel(logging.INFO)
    # A closed stderr (the terminal is gone) must not end in tracebacks about it.
    logging.raiseExceptions = False
