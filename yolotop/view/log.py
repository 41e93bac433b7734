"""Pages of the log: what is asked for, what comes back, and how far one look went.

Owns paging in both directions, by number and by time. It must not know SQL or screens.

One call is over in tens of milliseconds, also where a filter matches nothing in ten
million lines: a page says what it looked through, and the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from yolotop.model import Severity
from yolotop.store.protocol import Extent, LogLine, Reader
from yolotop.view.filter import Filter, parse
from yolotop.view.snapshot import Card


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines: of ``min_severity`` and above, by text, of one deployment."""

    min_severity: Severity = Severity.DEBUG
    text: str = ""
    deployment: str | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines, oldest first, and how they were found.

    All matches numbered ``first``…``last`` are in ``lines``; what comes before goes on
    with ``before=first``, what comes after with ``after=last``. ``more_before`` and
    ``more_after`` tell whether the log reaches further that way; a page may be short of
    its limit, even empty, and still have more. ``extent`` is the whole log's.
    """

    lines: tuple[LogLine, ...] = ()
    first: int = 0
    last: int = 0
    more_before: bool = False
    more_after: bool = False
    extent: Extent = Extent()  # noqa: RUF009 - frozen, so sharing it is safe

    @property
    def looked(self) -> int:
        """How many lines of the log, of every kind, were looked through."""
        if not self.extent.newest:
            return 0
        place = self.extent.position
        return max(0, place(self.last + 1) - place(self.first))


async def page(
    reader: Reader,
    query: LogQuery,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = 200,
    cards: Iterable[Card] = (),
) -> LogPage:
    """One page: the newest matches before ``before`` (or of all), or with ``after``

    the oldest matches after it. ``cards`` are what a filter knows of deployments.
    Raises ValueError when both are given.
    """
    if before is not None and after is not None:
        raise ValueError("a page is either before or after a line")
    extent = await reader.extent()
    wanted = parse(query.text)
    if wanted:
        found = await reader.search(
            wanted.among(cards),
            min_severity=query.min_severity,
            deployment=query.deployment,
            before=before,
            after=after,
            limit=limit,
        )
        lines, first, last, more = found.lines, found.first, found.last, found.more
    else:
        # One more line than asked for tells whether there is one.
        lines = await reader.log(
            min_severity=query.min_severity,
            deployment=query.deployment,
            before=before,
            after=after,
            limit=limit + 1,
        )
        more = len(lines) > limit
        if after is None:
            lines = lines[-limit:]
            first = lines[0].seq if more else extent.oldest
            last = extent.newest if before is None else min(before - 1, extent.newest)
        else:
            lines = lines[:limit]
            first, last = after + 1, lines[-1].seq if more else extent.newest
        # What was written since the extent was read is in the lines already.
        last = max(last, lines[-1].seq) if lines else last
    back = after is None
    return LogPage(
        tuple(lines),
        first,
        last,
        more_before=more if back else first > extent.oldest,
        more_after=last < extent.newest if back else more,
        extent=extent,
    )


async def page_at(
    reader: Reader,
    query: LogQuery,
    at: float,
    *,
    limit: int = 200,
    cards: Iterable[Card] = (),
) -> LogPage:
    """The page around an instant: as many matches before as after it, if there are."""
    seq = await reader.seq_at(at)
    known = tuple(cards)
    half = max(1, limit // 2)
    older = await page(reader, query, before=seq, limit=half, cards=known)
    newer = await page(reader, query, after=seq - 1, limit=half, cards=known)
    return joined(older, newer)


def joined(older: LogPage, newer: LogPage) -> LogPage:
    """Two pages that meet as one."""
    return LogPage(
        older.lines + newer.lines,
        older.first,
        max(older.last, newer.last),
        older.more_before,
        newer.more_after,
        newer.extent,
    )


def matches(query: LogQuery, line: LogLine, *, text: Filter | None = None) -> bool:
    """Whether one line belongs to the query; ``text`` is its filter, if parsed."""
    if line.severity < query.min_severity:
        return False
    if query.deployment is not None and line.deployment != query.deployment:
        return False
    return (parse(query.text) if text is None else text).matches(line)
