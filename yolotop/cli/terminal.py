"""The terminal as a process: what must run before it, beside it and after it.

Owns starting, watching and stopping the collector that the screen lives off, and what
is left on the terminal when the screen goes. It must not know what the screen shows.

Who stops what: a clean quit stops the collector that this terminal started. When the
terminal itself is lost (SIGHUP: the ssh session died) or killed, the collector goes
on, because somebody still wants to know. Any terminal starts a new one when the old
one has died.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from yolotop.cli.places import Places
from yolotop.cli.wish import Wishes
from yolotop.errors import (
    ExitCode,
    MissingExtraError,
    StoreError,
    UsageError,
    YolotopError,
)
from yolotop.text import clean
from yolotop.tui.ending import SEE_DEMO

if TYPE_CHECKING:
    from yolotop.config.schema import Config, UiSettings
    from yolotop.store.protocol import CollectorStatus, Reader
    from yolotop.tui.app import YolotopApp
    from yolotop.view.session import Session
    from yolotop.view.snapshot import Snapshot

WATCH_S: Final = 2.0
"""How often the collector's beat is looked at."""
STALE_S: Final = 15.0
"""Three missed beats: from here on the lock is asked whether anyone holds it."""
STOP_S: Final = 15.0
"""How long a collector may take to write what it holds."""
MEND_S: Final = 10.0
"""How long a collector that was just started may take to move a ruined database."""


def run_terminal(
    *,
    config_path: Path | None,
    data_dir: Path | None,
    wishes: Wishes | None = None,
    owner_pid: int | None = None,
) -> int:
    """Run the terminal until it is left; returns the exit code.

    A collector that it has to start ends with the process ``owner_pid``, if given. In
    a browser there is no terminal: the session belongs to the web server.

    Without a config file it opens empty and says where one was looked for. Raises
    :class:`~yolotop.errors.YolotopError` for a config that cannot be used and where
    there is no terminal to draw on.
    """
    browser = in_browser(os.environ)
    # Textual paints on the error stream: all three must be the terminal.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not (browser or all(file.isatty() for file in streams)):
        raise UsageError(
            "There is no terminal to draw on",
            hint="`yolotop status` and `yolotop logs --follow` work anywhere",
        )
    # Collecting garbage while modules load finds none and costs a tenth of the start.
    gc.disable()
    where = Places(config_path, data_dir)
    config = where.load()
    settings = (wishes or Wishes()).applied(config.ui)
    keeper = Keeper(config, owner_pid=os.getppid() if browser else owner_pid)
    try:
        with _signals_kept():
            last = asyncio.run(_live(config, where.target(), keeper, settings))
    finally:
        gc.enable()
    if last.code == SEE_DEMO:
        keeper.release()
        words = [sys.executable, "-P", "-m", "yolotop", "demo"]
        os.execv(sys.executable, words)  # noqa: S606 - our own interpreter and module
    if last.code == ExitCode.OK:
        stopped = keeper.release()
        if not browser:
            from yolotop.cli import farewell

            farewell.say(last.snapshot, keeper.trouble, stopped=stopped)
            # The demo's own ends with the demo, whose last words say so.
            if not stopped and keeper.owner_pid is None:
                farewell.say_left(config.data_dir, where)
    return last.code


def in_browser(env: Mapping[str, str]) -> bool:
    """Whether Textual was told, by the web server, to talk to a browser."""
    return env.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")


def _can_demo() -> bool:
    """Whether the demo can take this terminal over."""
    from yolotop.demo.control import require_extra

    with suppress(MissingExtraError):
        require_extra()
        return not in_browser(os.environ)
    return False


def _screen_env() -> Mapping[str, str]:
    """What the screen goes by; a browser shows everything, whatever the server's."""
    if not in_browser(os.environ):
        return os.environ
    can = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
    return {**os.environ, **can}


@dataclass(frozen=True, slots=True)
class Last:
    """What was on the screen in the end, and the exit code."""

    snapshot: Snapshot | None
    code: int


@dataclass(slots=True)
class Keeper:
    """Keeps a collector running for one terminal.

    ``pid`` is the collector that this terminal started, if it did; ``trouble`` why
    none could be started.
    """

    config: Config
    owner_pid: int | None = None
    pid: int | None = field(default=None, init=False)
    trouble: str = field(default="", init=False)

    def ensure(self) -> None:
        """Start a collector unless one runs; a failure is kept, not raised."""
        from yolotop.collect.process import ensure

        try:
            found = ensure(
                config_path=self.config.path,
                data_dir=self.config.data_dir,
                owner_pid=self.owner_pid,
            )
        except (YolotopError, OSError) as error:
            # The screen shows that nobody measures, and so does the farewell: why.
            self.trouble = clean(str(error), lines=True)
            return
        self.trouble = ""
        if found.started:
            self.pid = found.pid

    async def watch(
        self,
        reader: Reader,
        *,
        now: Callable[[], float] = time.time,
        pause_s: float = WATCH_S,
    ) -> None:
        """Take over from a collector that died, for as long as the screen is open."""
        while True:
            await asyncio.sleep(pause_s)
            try:
                status = await reader.collector()
            except YolotopError as error:
                self.trouble = str(error)
                continue
            if is_beating(status, now()):
                self.trouble = ""
            else:
                await asyncio.to_thread(self.ensure)

    def release(self) -> bool:
        """Stop the collector if we started it; returns whether we did."""
        from yolotop.collect.process import stop

        return self.pid is not None and stop(self.pid, STOP_S)


def is_beating(status: CollectorStatus | None, now: float) -> bool:
    """Whether a collector has given a sign of life lately."""
    return (
        status is not None
        and status.stopped_at is None
        and now - status.beat_at < STALE_S
    )


async def _live(
    config: Config, target: Path, keeper: Keeper, settings: UiSettings
) -> Last:
    starting = asyncio.create_task(asyncio.to_thread(keeper.ensure))
    from yolotop.view.session import Session
    from yolotop.view.snapshot import Range

    reader = await _open(config.data_dir, starting)
    try:
        session = Session(reader)
        first = await _glance(session, settings)
        with _first_light(first, settings):
            from yolotop.tui.actions import StoreActions
            from yolotop.tui.app import YolotopApp

            app = YolotopApp(
                session,
                StoreActions(reader, target),
                settings=settings,
                searched=_searched(config),
                trouble=lambda: keeper.trouble,
                starting=lambda: not starting.done(),
                first=first,
                env=_screen_env(),
                demo=not config.deployments and _can_demo(),
            )
        # What is loaded stays: the collector of garbage need not look at it again.
        gc.freeze()
        gc.enable()
        async with (
            _beside(_watching(keeper, reader, starting)),
            _beside(_with_the_server(app)),
        ):
            code = await app.run_async(mouse=settings.mouse)
        # An app that crashed has no result but a return code.
        code = (app.return_code or ExitCode.OK) if code is None else code
        snapshot = None
        if code == ExitCode.OK:
            with suppress(YolotopError):
                snapshot = await session.refresh(Range(settings.range))
        return Last(snapshot, int(code))
    finally:
        await starting
        await reader.close()


async def _glance(session: Session, settings: UiSettings) -> Snapshot | None:
    """The states as they are, if the store can tell and there are any."""
    from yolotop.view.snapshot import Range

    with suppress(YolotopError):
        snapshot = await session.glance(Range(settings.range))
        return snapshot if snapshot.cards else None
    return None


@contextmanager
def _first_light(snapshot: Snapshot | None, settings: UiSettings) -> Iterator[None]:
    """Show it while Textual is loaded; whatever fails then gives the screen back."""
    # A browser is sent packets, not a picture; a slow line should carry each one once.
    if snapshot is None or in_browser(os.environ) or settings.low_bandwidth:
        yield
        return
    from yolotop.tui import first_light, palette
    from yolotop.tui.ink import look_of
    from yolotop.tui.layout import View

    width, height = os.get_terminal_size(sys.stdout.fileno())
    look = look_of(settings.symbols, os.environ)
    view = View(settings.view)
    rows = first_light.picture_rows(
        snapshot, width, height, look, view=view, read_only=settings.read_only
    )
    theme = palette.choose(settings.theme, os.environ)
    painted = first_light.sequences(rows, theme, os.environ)
    if not painted:
        yield
        return
    sys.stdout.write(painted)
    sys.stdout.flush()

    def end(number: int, _frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    # The app has its own handlers once it runs.
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, end)
    try:
        yield
    except BaseException:
        sys.stdout.write(first_light.LEAVE)
        sys.stdout.flush()
        raise


async def _open(data_dir: Path, starting: asyncio.Task[None]) -> Reader:
    """The history, without waiting for the collector where there is one already.

    A first one makes it; one that is ruined is moved aside by the collector.
    """
    from yolotop.store.open import FILE_NAME, RuinedError, open_reader

    if not (data_dir / FILE_NAME).exists():
        await starting
    try:
        return await open_reader(data_dir)
    except StoreError:
        if starting.done():
            raise
    await starting
    # It holds the lock from its first instant on, and looks at the database after that.
    deadline = time.monotonic() + MEND_S
    while True:
        try:
            return await open_reader(data_dir)
        except RuinedError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.05)


async def _watching(
    keeper: Keeper, reader: Reader, starting: asyncio.Task[None]
) -> None:
    await asyncio.shield(starting)
    await keeper.watch(reader)


@asynccontextmanager
async def _beside(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Do something for as long as the block lasts."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _with_the_server(app: YolotopApp) -> None:
    """In a browser, leave when the web server is gone: nothing else would tell.

    Textual stops reading when its input ends, and goes on drawing for nobody.
    """
    if not in_browser(os.environ):
        return
    server = os.getppid()
    while os.getppid() == server:  # noqa: ASYNC110 - a parent signals nothing
        await asyncio.sleep(WATCH_S)
    app.exit(ExitCode.OK)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """The app takes these signals and leaves the default; the demo wants its own."""
    before = {
        number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _searched(config: Config) -> tuple[str, ...]:
    """Where a config file was looked for, when there was none."""
    from yolotop.config.load import search_paths

    if config.path is not None:
        return (clean(str(config.path)),)
    return tuple(clean(str(path)) for path in search_paths())
