"""``yolotop bench``: load one endpoint on demand, and show where it bends.

Owns the options, what is said and asked before anything is sent, and stopping. It must
not know how load is made, nor how its figures look.

Nothing is sent before somebody who sees the bounds agrees; a script agrees with
``--yes``. The caps are part of the question, not of the fine print.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from yolotop.cli import out
from yolotop.cli.check import find
from yolotop.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    YesOption,
    places,
)
from yolotop.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from yolotop.config.schema import Config
    from yolotop.load.asker import Parcel
    from yolotop.load.plan import Level, Plan
    from yolotop.load.tally import Figures
    from yolotop.load.windows import Window
    from yolotop.model import Deployment

T = TypeVar("T")
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the test may cost, at most."""

    requests: int
    bytes: int


def bench(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whom to load.")],
    concurrency: Annotated[
        str | None,
        typer.Option(
            metavar="N..M",
            help="Closed loop: so many ask at once, each again when it has an answer. "
            "1..8 doubles (1, 2, 4, 8), 1..8:1 goes in steps, 1,3,6 is a list. "
            "[default: 1..8]",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            metavar="N/s",
            help="Open loop: questions begin at this rate whatever comes back, so a "
            "stall is seen. 5/s, 30/min, or a ramp: 5..40/s.",
            show_default=False,
        ),
    ] = None,
    duration: Annotated[
        str, typer.Option(metavar="TIME", help="Of each level, at most.")
    ] = "30s",
    window: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="A level ends when three windows in a row agree on P95 within 10 %. "
            "[default: a sixth of the duration]",
            show_default=False,
        ),
    ] = None,
    in_flight: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="With --rate: so many may be under way; the others wait, and their "
            "wait counts. [default: 64]",
            show_default=False,
        ),
    ] = None,
    max_requests: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Of all levels together.")
    ] = 10_000,
    max_bytes: Annotated[
        str, typer.Option(metavar="SIZE", help="Sent by all levels together.")
    ] = "1GB",
    reuse: Annotated[
        bool | None,
        typer.Option(
            "--reuse/--fresh",
            help="Keep connections between questions, or open one for each. "
            "[default: as the deployment says]",
            show_default=False,
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Send this. Without: the deployment's own."),
    ] = None,
    yes: YesOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Load an endpoint and show throughput and latency, level by level.

    Sends real predict requests, after showing how many at most, and where to. Exit
    codes: 0 measured, 1 the server did not answer or refused, 130 Ctrl-C (with the
    figures so far).
    """
    known = places(ctx, config, data_dir).load()
    deployment = _chosen(known, name, image)
    bounds = Bounds(max_requests, _size(max_bytes))
    levels = _levels(concurrency, rate, in_flight, known)
    keep = deployment.reuse if reuse is None else reuse
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to confirm a load test in",
            hint="--yes sends it without asking",
        )
    from yolotop.load.asker import parcel

    sent = asyncio.run(parcel(deployment))
    plan = _plan(levels, duration, window, bounds, sent)
    for line in _said_before(deployment, plan, sent, bounds, known, reuse=keep):
        out.narrate(line)
    if not yes and not typer.confirm("Send them?", err=True):
        raise typer.Exit(ExitCode.OK)
    _warm_up(deployment)
    figures = asyncio.run(_measure(deployment, plan, reuse=keep))
    from yolotop.cli import load_report

    report = load_report.Report(deployment, plan, sent, keep, figures)
    if json:
        out.data(out.as_json(load_report.as_json(report)))
    else:
        load_report.show(report, known.ui.symbols)
    raise typer.Exit(_code(figures))


# --- what is asked for ---------------------------------------------------------------


def _chosen(known: Config, name: str, image: str | None) -> Deployment:
    from pathlib import Path

    from yolotop.model import ProbeKind

    deployment = find(known, name)
    if ProbeKind.PREDICT not in deployment.questions:
        raise UsageError(
            f"{deployment.name} is only asked whether it lives; there is no "
            "prediction to load it with",
            hint="Give it a dialect that predicts",
        )
    if image is not None:
        # Another image is not the one that something is expected of.
        from yolotop.model import Expectation

        file = image if image == "synthetic" else str(Path(image).absolute())
        deployment = replace(deployment, image=file, expect=Expectation(), golden=None)
    return deployment


def _levels(
    concurrency: str | None, rate: str | None, in_flight: int | None, known: Config
) -> tuple[Level, ...]:
    from yolotop.load.plan import MOST_AT_ONCE, Level, concurrencies, rates

    most = min(MOST_AT_ONCE, known.collector.in_flight)
    if rate is None:
        if in_flight is not None:
            raise UsageError(
                "--in-flight goes with --rate", hint="A closed loop has --concurrency"
            )
        found = _read(concurrencies, "--concurrency", concurrency or "1..8")
        _bound(max(found), most, "--concurrency")
        return tuple(Level(each) for each in found)
    if concurrency is not None:
        raise UsageError(
            "--concurrency and --rate cannot stand together",
            hint="--rate is an open loop; --in-flight bounds how many are under way",
        )
    _bound(in_flight or 1, most, "--in-flight")
    return tuple(
        Level(in_flight or most, each) for each in _read(rates, "--rate", rate)
    )


def _bound(wanted: int, most: int, option: str) -> None:
    if wanted > most:
        raise UsageError(
            f"{option} {wanted} is more than the {most} that [collector] in_flight "
            "allows",
            hint="Raise in_flight in the config file, or ask for less",
        )


def _read(reader: Callable[[str], T], option: str, text: str) -> T:
    from yolotop.config.problems import quoted

    try:
        return reader(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {quoted(text)} {error}", hint="See `yolotop bench --help`"
        ) from None


def _size(text: str) -> int:
    from yolotop.config.store import parse_size

    return _read(parse_size, "--max-bytes", text)


def _plan(
    levels: tuple[Level, ...],
    duration: str,
    window: str | None,
    bounds: Bounds,
    sent: Parcel,
) -> Plan:
    from yolotop.config.duration import format_duration, parse_duration
    from yolotop.load.plan import MOST_S, SHORTEST_WINDOW_S, Plan, window_for

    duration_s = _read(parse_duration, "--duration", duration)
    if duration_s < SHORTEST_WINDOW_S or duration_s * len(levels) > MOST_S:
        raise UsageError(
            f"{len(levels)} levels of {format_duration(duration_s)} are "
            f"{format_duration(duration_s * len(levels))} in all; a test takes "
            f"{format_duration(SHORTEST_WINDOW_S)} to {format_duration(MOST_S)}",
            hint="Change --duration, or ask for fewer levels",
        )
    window_s = window_for(duration_s)
    if window is not None:
        window_s = _read(parse_duration, "--window", window)
    if not SHORTEST_WINDOW_S <= window_s <= duration_s:
        raise UsageError(
            f"--window must be from {format_duration(SHORTEST_WINDOW_S)} to the "
            f"duration, {format_duration(duration_s)}",
            hint="Leave it out for a sixth of the duration",
        )
    most = min(bounds.requests, bounds.bytes // sent.most_bytes)
    if most < 1:
        raise UsageError(
            f"One question sends {sent.most_bytes:,} bytes, more than --max-bytes",
            hint="Raise --max-bytes, or choose a smaller --image",
        )
    return Plan(levels, duration_s, window_s, most)


# --- what is said before -------------------------------------------------------------


def _said_before(
    deployment: Deployment,
    plan: Plan,
    sent: Parcel,
    bounds: Bounds,
    known: Config,
    *,
    reuse: bool,
) -> Sequence[str]:
    from yolotop.cli.load_report import weight
    from yolotop.config.duration import format_duration as lasts
    from yolotop.load.plan import most_questions
    from yolotop.text import show_url

    most = most_questions(plan)
    how = "connections are kept" if reuse else "a new connection for each"
    per_level, in_all = lasts(plan.duration_s), lasts(plan.longest_s)
    total = f"at most {most:,} requests, {weight(most * sent.most_bytes)}"
    lines = [
        f"This will load {deployment.name}: {sent.method} {show_url(sent.url)}",
        f"{_ladder(plan)}; {per_level} each at most, {in_all} in all",
        f"{total} ({weight(sent.most_bytes)} each: {sent.image}; {how})",
    ]
    if most < bounds.requests and most == plan.most_requests:
        lines.append("(as many as --max-bytes allows)")
    widest, polite = (
        max(level.concurrency for level in plan.levels),
        known.collector.in_flight_per_host,
    )
    if widest > polite:
        lines.append(
            f"up to {widest} at once: the monitor itself asks one host at most "
            f"{polite} at once"
        )
    lines.append("Whoever else uses it will feel it; a hosted endpoint may bill it.")
    return lines


def _ladder(plan: Plan) -> str:
    if plan.is_open:
        steps = ", ".join(f"{level.rate_per_s or 0:g}" for level in plan.levels)
        return f"open loop, {steps} requests a second"
    steps = ", ".join(str(level.concurrency) for level in plan.levels)
    return f"closed loop, {steps} at once"


# --- the test itself -----------------------------------------------------------------


def _warm_up(deployment: Deployment) -> None:
    """One question first: what is down, or starting up, is no measurement."""
    from yolotop.cli.check import probe_now

    alone = replace(deployment, preset=replace(deployment.preset, liveness=None))
    (sample,) = probe_now([alone])
    if not sample.verdict.ok:
        out.narrate(f"The first answer: {sample.verdict.message}")
        out.narrate("Nothing more was sent")
        raise typer.Exit(ExitCode.UNHEALTHY)


async def _measure(
    deployment: Deployment, plan: Plan, *, reuse: bool
) -> tuple[Figures, ...]:
    from yolotop.cli import load_report
    from yolotop.config.secrets import resolve
    from yolotop.load.asker import Asker
    from yolotop.load.bench import Bench

    def told(level: Level, number: int, window: Window) -> None:
        out.narrate(load_report.progress(level, number, window, plan))

    def done(figures: Figures) -> None:
        out.narrate(load_report.ended(figures))

    asker = Asker(deployment, secret=resolve, reuse=reuse)
    running = Bench(asker.ask, plan, told=told, done=done)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        # The next one ends the program: a person who presses twice means it.
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
        running.stop()

    for each in _SIGNALS:
        loop.add_signal_handler(each, stop)
    try:
        return await running.run()
    finally:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
        await asker.aclose()


def _code(figures: Sequence[Figures]) -> int:
    from yolotop.load.tally import Ending

    last = figures[-1].ending if figures else Ending.INTERRUPTED
    if last is Ending.INTERRUPTED:
        return ExitCode.INTERRUPTED
    return ExitCode.UNHEALTHY if last is Ending.REFUSING else ExitCode.OK
