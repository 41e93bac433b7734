"""``yolotop status`` and ``yolotop logs``: what was measured, from the command line.

Owns how figures and log lines look as plain text. It must not know SQL, nor take a
probe: both commands only read what a collector wrote, running or not.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from yolotop.cli import out
from yolotop.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    RangeWord,
    SeverityWord,
    places,
)
from yolotop.cli.places import Places
from yolotop.errors import UsageError
from yolotop.text import clean

if TYPE_CHECKING:
    from yolotop.store.protocol import LogLine, Reader
    from yolotop.view.log import LogPage, LogQuery
    from yolotop.view.session import Session
    from yolotop.view.snapshot import Card, Snapshot

T = TypeVar("T")
FOLLOW_S = 0.5
"""How often a follower asks whether anything was written: one pragma, 10 µs."""
PAGE = 500

_HEALTH_STYLES = {
    "up": "green",
    "degraded": "yellow",
    "down": "bold red",
    "cold": "cyan",
    "paused": "dim",
    "maintenance": "blue",
    "unknown": "dim",
}
_SEVERITY_COLOURS = {
    "DEBUG": "bright_black",
    "INFO": "cyan",
    "WARNING": "yellow",
    "ERROR": "red",
    "CRITICAL": "magenta",
}


def status(
    ctx: typer.Context,
    range_: Annotated[
        RangeWord | None,
        typer.Option("--range", help="The span of time to sum up.", show_default=False),
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Print the dashboard: figures, states, last answers.

    Reads the history; works with no collector running.
    """
    from yolotop.view.snapshot import Range
    from yolotop.view.status import status_json

    where = places(ctx, config, data_dir)
    wanted = Range(range_.value if range_ is not None else where.load().ui.range)

    async def read(session: Session, _: Reader) -> Snapshot:
        return await session.refresh(wanted)

    snapshot = _with_session(where, read)
    _say_collector(snapshot)
    if json:
        out.data(out.as_json(status_json(snapshot)))
        return
    show(snapshot)


def show(snapshot: Snapshot) -> None:
    """The totals and a table of all deployments, on stdout."""
    _show_totals(snapshot)
    if snapshot.cards:
        _show_cards(snapshot)


def logs(
    ctx: typer.Context,
    severity: Annotated[
        SeverityWord,
        typer.Option(help="This severity and above.", case_sensitive=False),
    ] = SeverityWord.DEBUG,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this deployment only.")
    ] = None,
    grep: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help='With all these words; !word without it, "two words" as a phrase.',
        ),
    ] = "",
    lines: Annotated[
        int,
        typer.Option("--lines", "-n", min=0, max=1_000_000, help="The newest so many."),
    ] = 50,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes in.")
    ] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Print the log, newest last; --follow goes on."""
    from yolotop.model import Severity
    from yolotop.view.log import LogQuery

    query = LogQuery(Severity[severity.name], text=grep, deployment=name)

    async def read(session: Session, reader: Reader) -> None:
        await _refuse_unknown(name, reader)
        cursor = await reader.last_seq()
        found = await _newest(session, query, cursor, lines)
        emit = _emit_json if json else _emit_text(found)
        for line in found:
            emit(line)
        if follow:
            await _follow(session, reader, query, cursor, emit)

    _with_session(places(ctx, config, data_dir), read, wait=follow)


def _with_session(
    where: Places,
    read: Callable[[Session, Reader], Coroutine[None, None, T]],
    *,
    wait: bool = False,
) -> T:
    """Read the history; with ``wait`` also one that is yet to begin."""
    data_dir = where.load().data_dir

    async def run(readable: Path) -> T:
        async with _opened(readable) as (session, reader):
            return await read(session, reader)

    if wait:
        return asyncio.run(run(data_dir))
    with _readable(data_dir) as readable:
        return asyncio.run(run(readable))


@contextmanager
def _readable(data_dir: Path) -> Iterator[Path]:
    """A directory with a history: this one, or an empty one where there is none yet.

    Opening a reader creates what is missing, which suits a terminal that waits for its
    collector; a command that only looks must leave nothing behind, least of all where
    ``--data-dir`` holds a typing error.
    """
    from yolotop.store.open import FILE_NAME

    if (data_dir / FILE_NAME).exists():
        yield data_dir
        return
    out.narrate(f"There is no history in {clean(str(data_dir))}")
    with tempfile.TemporaryDirectory(prefix="yolotop-") as empty:
        yield Path(empty)


@asynccontextmanager
async def _opened(data_dir: Path) -> AsyncIterator[tuple[Session, Reader]]:
    from yolotop.store.open import open_reader
    from yolotop.view.session import Session

    reader = await open_reader(data_dir)
    try:
        yield Session(reader), reader
    finally:
        await reader.close()


async def _refuse_unknown(name: str | None, reader: Reader) -> None:
    """A misspelt name would print nothing, which reads as "nothing happened"."""
    if name is None:
        return
    known = [each.name for each in await reader.deployments(removed=True)]
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    raise UsageError(
        f"The history knows no deployment {clean(name)!r}",
        hint=f'Did you mean "{near[0]}"?' if near else "`yolotop list` names them",
    )


async def _newest(
    session: Session, query: LogQuery, cursor: int, count: int
) -> list[LogLine]:
    """The newest ``count`` matches up to ``cursor``, oldest first."""
    found: list[LogLine] = []
    before: int | None = cursor + 1
    while len(found) < count:
        page = await session.log(query, before=before, limit=count - len(found))
        found[:0] = page.lines
        if not page.more_before:
            break
        before = page.first
    return found


async def _follow(
    session: Session,
    reader: Reader,
    query: LogQuery,
    cursor: int,
    emit: Callable[[LogLine], None],
) -> None:
    seen = -1
    while True:
        version = await reader.data_version()
        if version == seen:
            await asyncio.sleep(FOLLOW_S)
            continue
        seen = version
        page: LogPage | None = None
        while page is None or page.more_after:
            page = await session.log(query, after=cursor, limit=PAGE)
            for line in page.lines:
                emit(line)
            cursor = max(cursor, page.last)


def _emit_json(line: LogLine) -> None:
    from yolotop.view.status import log_json

    out.data(out.as_json(log_json(line), indent=None))


def _emit_text(first: Sequence[LogLine]) -> Callable[[LogLine], None]:
    """How to print the ``first`` lines and those to come: with the day, unless today.

    The column of times is as wide as those of ``first`` are.
    """
    from yolotop.view import format as shown

    moments = (shown.moment(line.at, now=time.time()) for line in first)
    width = max(map(len, moments), default=0)
    return lambda line: _say_line(line, width)


def _say_line(line: LogLine, width: int) -> None:
    from yolotop.view import format as shown

    parts = [
        shown.moment(line.at, now=time.time()).ljust(width),
        typer.style(
            shown.severity_word(line.severity, width=8),
            fg=_SEVERITY_COLOURS[line.severity.name],
        ),
        line.deployment or "collector",
        line.message,
    ]
    if line.http_status is not None:
        parts.append(str(line.http_status))
    if line.latency_ms is not None:
        parts.append(shown.ms(line.latency_ms))
    out.data("  ".join(parts))


def _say_collector(snapshot: Snapshot) -> None:
    """Whether the figures are still growing."""
    from yolotop.view import format as shown
    from yolotop.view.snapshot import CollectorHealth

    collector = snapshot.collector
    if collector.note:
        out.narrate(f"collector: {collector.note}")
    if collector.health is CollectorHealth.RUNNING:
        return
    ago = shown.age(collector.age_s)
    said = {
        CollectorHealth.NONE: "No collector has run yet, so there is no history",
        CollectorHealth.STOPPED: f"No collector is running; the last stopped {ago} ago",
        CollectorHealth.STALE: f"The collector has given no sign of life for {ago}",
    }[collector.health]
    out.narrate(f"{said}. Start one with `yolotop` or `yolotop collect`")


def _show_totals(snapshot: Snapshot) -> None:
    from yolotop.view import format as shown

    totals = snapshot.totals
    counts = ", ".join(f"{count} {health.value}" for health, count in snapshot.counts)
    out.data(f"Last {snapshot.range.value}, at {shown.clock(snapshot.at)}")
    out.data(f"Total Requests      {shown.count(totals.requests)}")
    deployments = f"{snapshot.active} of {len(snapshot.cards)}"
    out.data(f"Active Deployments  {deployments}{f'  ({counts})' if counts else ''}")
    out.data(f"Error Rate          {shown.percent(totals.error_rate)}")
    few = f"  (n={totals.samples})" if totals.samples < 20 else ""
    out.data(f"P95 Latency         {shown.ms(totals.p95_ms)}{few}")
    out.data("")


def _show_cards(snapshot: Snapshot) -> None:
    from yolotop.view import format as shown

    columns = ["name", "state", "region", "requests", "errors", "p50", "p95", "last"]
    out.table(
        [*columns, "message"],
        [
            [
                card.name,
                out.Cell(card.health.value, _HEALTH_STYLES[card.health.value]),
                card.region or shown.NOTHING,
                shown.count(card.figures.requests),
                shown.percent(card.figures.error_rate),
                shown.ms(card.figures.p50_ms),
                # A mean of P95s, as a platform counts them, is no P95.
                ("~" if card.counted and card.figures.p95_ms else "")
                + shown.ms(card.figures.p95_ms),
                _ago(card, snapshot),
                card.message,
            ]
            for card in snapshot.cards
        ],
        right=frozenset({"requests", "errors", "p50", "p95", "last"}),
    )


def _ago(card: Card, snapshot: Snapshot) -> str:
    from yolotop.view import format as shown

    return shown.age(None if card.last_at is None else snapshot.at - card.last_at)
