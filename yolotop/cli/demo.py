"""``yolotop demo``: a fleet of real endpoints, and the monitor at work on it.

Owns the options, what is said on stderr, the summary, and that a signal ends all of
it. It must not know how endpoints, collector and terminal work.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from yolotop.cli import history, out
from yolotop.cli.options import (
    DemoConfigOption,
    DemoDataDirOption,
    RangeWord,
    places,
)
from yolotop.cli.wish import Wishes
from yolotop.cli.wishes import (
    LowBandwidthOption,
    NoMouseOption,
    RangeOption,
    ReadOnlyOption,
    RefreshOption,
    SymbolsOption,
    ThemeOption,
    ViewOption,
    wishes,
)

if TYPE_CHECKING:
    from yolotop.demo.stage import Stage
    from yolotop.view.snapshot import Snapshot

_POLL_S: Final = 0.2
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def demo(
    ctx: typer.Context,
    headless: Annotated[
        bool, typer.Option("--headless", help="No terminal: measure, then sum up.")
    ] = False,
    duration: Annotated[
        str,
        typer.Option(metavar="TIME", help='How long to measure headless: "20s", "2m".'),
    ] = "20s",
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="Sum up as `yolotop status --json` does. Means --headless."
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, help="Decides what the endpoints leave to chance.")
    ] = 0,
    platform: Annotated[
        bool,
        typer.Option(
            "--platform",
            help="Beside them a stand-in for Ultralytics Platform, without an account: "
            "eight more deployments, which start, fail, are renamed and deleted "
            "within the first minutes.",
        ),
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Begin with an empty history.")
    ] = False,
    config: DemoConfigOption = None,
    data_dir: DemoDataDirOption = None,
    range_: RangeOption = RangeWord.H1,
    theme: ThemeOption = None,
    view: ViewOption = None,
    symbols: SymbolsOption = None,
    no_mouse: NoMouseOption = False,
    read_only: ReadOnlyOption = False,
    refresh: RefreshOption = None,
    low_bandwidth: LowBandwidthOption = False,
) -> None:
    """Ten real endpoints on this machine, each with a character, and their monitor."""
    from yolotop.demo import home, stage

    seconds = _seconds(duration)
    said = places(ctx, config, data_dir)
    screen = wishes(
        range_=range_,
        theme=theme,
        view=view,
        symbols=symbols,
        no_mouse=no_mouse,
        read_only=read_only,
        refresh=refresh,
        low_bandwidth=low_bandwidth,
    )
    where = home.locate(said.data_dir, env=os.environ)
    if not (headless or json):
        _require_terminal()
    with (
        _ended_by_signals(),
        stage.open_stage(
            where,
            seed=seed,
            fresh=reset,
            platform=platform,
            config_source=said.config,
        ) as running,
    ):
        fleet = running.fleet
        more = " and a stand-in for Ultralytics Platform" if fleet.platform else ""
        ready = f"{len(fleet.ports)} endpoints{more} ready in {fleet.ready_s:.1f} s"
        if not (headless or json):
            out.narrate(f"{ready}; the terminal opens")
            code = _show(running, screen)
            if code == 0:
                out.narrate(f"All of it has stopped. The history stays in {where}")
            raise typer.Exit(code)
        out.narrate(f"{ready}; measuring for {seconds:g} s. History: {where}")
        snapshot = _measure(running, seconds)
    _sum_up(snapshot, json=json)


def _seconds(duration: str) -> float:
    from yolotop.config.duration import FORM, parse_duration
    from yolotop.errors import UsageError
    from yolotop.text import clean

    try:
        seconds = parse_duration(duration)
    except ValueError as error:
        raise UsageError(
            f"--duration {clean(duration, limit=40)} {error}", hint=f"Write {FORM}"
        ) from None
    if seconds <= 0:
        raise UsageError("--duration must be longer than nothing", hint=f"Write {FORM}")
    return seconds


def _require_terminal() -> None:
    """Say so before ten endpoints start for nobody."""
    import sys

    from yolotop.errors import UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The demo opens a terminal screen, and this is no terminal",
            hint="yolotop demo --headless measures and prints a summary",
        )


def _show(stage: Stage, screen: Wishes) -> int:
    from yolotop.cli.terminal import run_terminal

    return run_terminal(
        config_path=stage.config,
        data_dir=stage.data_dir,
        wishes=screen,
        owner_pid=os.getpid(),
    )


def _measure(stage: Stage, seconds: float) -> Snapshot:
    """Let the collector work for that long, then read what it has written down."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        stage.check()
        time.sleep(min(_POLL_S, left))
    stage.stop_collecting()
    return asyncio.run(_read(stage.data_dir))


async def _read(data_dir: Path) -> Snapshot:
    from yolotop.store.open import open_reader
    from yolotop.view.session import Session
    from yolotop.view.snapshot import Range

    reader = await open_reader(data_dir)
    try:
        return await Session(reader).refresh(Range(RangeWord.H1.value))
    finally:
        await reader.close()


def _sum_up(snapshot: Snapshot, *, json: bool) -> None:
    from yolotop.view.status import status_json

    if json:
        out.data(out.as_json(status_json(snapshot)))
        return
    history.show(snapshot)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP leave the block in order, with 128 + their number.

    What is started inside is stopped on the way out. From the first signal on, further
    ones are ignored: stopping is bounded, and an impatient second Ctrl-C must not
    leave half of it running.
    """

    def leave(number: int, _: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise typer.Exit(128 + number)

    before = {number: signal.signal(number, leave) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
